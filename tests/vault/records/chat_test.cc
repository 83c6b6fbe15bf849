// Chats in the vault: who reads them, what is known again, and what a change of keys does to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/altered_byte.h"
#include "tests/support/attacker.h"
#include "tests/support/chat_vault.h"
#include "vault/records/chat_rewriting.h"
#include "vault/records/draining.h"
#include "vault/records/health.h"

namespace sealbook {
namespace {

using records::ChatDirection;
using records::ChatDraft;
using testing::Attacker;
using testing::ChatSeenBy;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kMonday;
using testing::Message;
using testing::TestVault;
using testing::WithAlteredByte;
using testing::WriteChats;
using Opened = std::map<ContactNumber, std::uint32_t>;

class ChatTest : public ::testing::Test {
 protected:
  ChatTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("jun", "agent", {"busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    EXPECT_TRUE(vault_.AddMember("service retention", "retention").ok());
    auto importer = vault_.Unlock("service importer");
    auto results = TestVault::Import(
        *importer, {TestVault::Draft("11112222"), TestVault::Draft("33334444")}, {"seoul"});
    EXPECT_TRUE(results.ok()) << results.status();
    first_ = (*results)[0].contact;
    second_ = (*results)[1].contact;
  }

  records::ChatDraftResult Write(ContactNumber contact, std::vector<records::DraftMessage> messages,
                                 absl::string_view by = "service importer") {
    auto member = vault_.Unlock(by);
    auto results = WriteChats(*member, {{.contact = contact, .messages = std::move(messages)}});
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0] : records::ChatDraftResult();
  }
  std::vector<std::string> SeenBy(absl::string_view member, ContactNumber contact) {
    auto keyring = vault_.Unlock(member);
    return ChatSeenBy(*keyring, contact);
  }
  keyring::Keyring& Owner() {
    owners_.push_back(vault_.Unlock("owner"));
    return *owners_.back();
  }
  void Drain() {
    records::DrainReport report;
    const absl::Status status =
        records::Drain(Owner(), {.identifiers_of = &TestVault::IdentifiersOf}, report);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(report.undrained, 0u);
  }
  // The chats' part of doctor; empty where all is well.
  std::string Fault() {
    auto owner = vault_.Unlock("owner");
    const auto checks = records::CheckHealth(*owner, {});
    EXPECT_TRUE(checks.ok()) << checks.status();
    std::string fault;
    for (const records::HealthCheck& check : *checks)
      if (!check.ok) fault += check.name + ": " + check.detail + "\n";
    return fault;
  }
  void Alter(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    const absl::Status status = owner->store().database().Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }
  std::int64_t Count(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    auto select = owner->store().database().Prepare(sql.c_str());
    EXPECT_TRUE(select.ok() && *select->Step());
    return select->Int(0);
  }
  absl::Status Assign(ContactNumber contact, const char* book) {
    keyring::Keyring& owner = Owner();
    return records::AssignContacts(owner, owner.roster().FindBook(book)->id, {contact},
                                   {.act = "assign"})
        .status();
  }
  absl::Status Unassign(ContactNumber contact, const char* book) {
    keyring::Keyring& owner = Owner();
    return records::UnassignContacts(owner, owner.roster().FindBook(book)->id, {contact},
                                     {.act = "unassign"})
        .status();
  }

  TestVault vault_;
  std::vector<std::unique_ptr<keyring::Keyring>> owners_;
  ContactNumber first_ = 0, second_ = 0;
};

TEST_F(ChatTest, ImporterWritesWhatTheBooksAgentReads) {
  Write(first_, {Message(kMonday, "안녕하세요"),
                 Message(kMonday + 60, "Is it in stock?", ChatDirection::kIn),
                 Message(kMonday + 90'000, "Tomorrow.", ChatDirection::kOut)});
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("안녕하세요", "Is it in stock?", "Tomorrow."));
  EXPECT_THAT(SeenBy("owner", first_), ElementsAre("안녕하세요", "Is it in stock?", "Tomorrow."));
  EXPECT_THAT(SeenBy("mina", second_), IsEmpty());
  EXPECT_THAT(SeenBy("jun", first_), ElementsAre(HasSubstr("no such contact")));
  EXPECT_THAT(SeenBy("service importer", first_), ElementsAre(HasSubstr("permit")));
  EXPECT_EQ(Fault(), "");
}

TEST_F(ChatTest, AgentWritesNone) {
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(absl::IsPermissionDenied(
      WriteChats(*mina, {{.contact = first_, .messages = {Message(kMonday, "x")}}}).status()));
}

TEST_F(ChatTest, ServiceAccountsOpenNothing) {
  Write(first_, {Message(kMonday, "hello")});
  Write(second_, {Message(kMonday, "hello")});
  for (const char* account : {"service importer", "service retention"}) {
    Attacker attacker;
    attacker.Take(*vault_.Unlock(account));
    EXPECT_EQ(attacker.OpensChats(Owner()), Opened()) << account;
  }
  Attacker mina, owner;
  mina.Take(*vault_.Unlock("mina"));
  owner.Take(Owner());
  EXPECT_EQ(mina.OpensChats(Owner()), (Opened{{first_, 1}, {second_, 1}}));
  EXPECT_EQ(owner.OpensChats(Owner()), (Opened{{first_, 1}, {second_, 1}}));
}

TEST_F(ChatTest, WhatWasThereAddsNothing) {
  const std::vector<records::DraftMessage> messages = {
      Message(kMonday, "yes"), Message(kMonday, "yes", ChatDirection::kIn, 2),
      Message(kMonday, "yes", ChatDirection::kOut)};
  EXPECT_EQ(Write(first_, messages).added, 3u);
  EXPECT_EQ(Write(first_, messages, "owner").duplicates, 3u);
  // Seconds that one export has and the other one has not.
  EXPECT_EQ(Write(first_, {Message(kMonday + 59, "yes")}).duplicates, 1u);
  EXPECT_EQ(Write(first_, {Message(kMonday + 60, "yes")}).added, 1u);
  // The same words to somebody else.
  EXPECT_EQ(Write(second_, messages).added, 3u);
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("yes", "yes", "yes", "yes"));
}

TEST_F(ChatTest, TwiceInOneBatchIsOnce) {
  records::DraftMessage message = Message(kMonday, "hello");
  message.entry.id = "wamid.HBgMODIxMDEyMzQ1Njc4FQIAERgSMTIzNDU2Nzg5MDEyMzQ1Njc4AA==";
  const auto result = Write(first_, {message, message});
  EXPECT_EQ(result.added, 1u);
  EXPECT_EQ(result.duplicates, 1u);
}

TEST_F(ChatTest, PlaceholdersOfAnotherLanguageAreKnown) {
  records::DraftMessage media = Message(kMonday, "<Media omitted>");
  media.entry.kind = records::ChatKind::kMedia;
  EXPECT_EQ(Write(first_, {media}).added, 1u);
  media.entry.text = "<미디어 파일 제외됨>";
  EXPECT_EQ(Write(first_, {media}).duplicates, 1u);
  media.occurrence = 2;
  EXPECT_EQ(Write(first_, {media}).added, 1u);
}

TEST_F(ChatTest, OldExportRevivesNothingAfterAPurge) {
  Write(first_, {Message(kMonday, "old"), Message(kMonday + 86'400, "new")});
  Alter("DELETE FROM chat WHERE day = (SELECT min(day) FROM chat)");
  EXPECT_EQ(Write(first_, {Message(kMonday, "old")}).duplicates, 1u);
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("new"));
}

TEST_F(ChatTest, MessagesComeInTheOrderOfTheirTimes) {
  Write(first_, {Message(kMonday + 120, "c"), Message(kMonday + 60, "b")});
  Write(first_, {Message(kMonday, "a"), Message(kMonday + 120, "d")});
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("a", "b", "c", "d"));
}

TEST_F(ChatTest, ContactThatIsNotThereDoesNotKeepOthersOut) {
  auto importer = vault_.Unlock("service importer");
  const auto results =
      WriteChats(*importer, {{.contact = 999, .messages = {Message(kMonday, "lost")}},
                             {.contact = first_, .messages = {Message(kMonday, "kept")}}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_TRUE((*results)[0].damaged);
  EXPECT_EQ((*results)[1].added, 1u);
}

TEST_F(ChatTest, BatchThatAddsNothingWritesNothing) {
  Write(first_, {Message(kMonday, "once")});
  const std::int64_t sessions = Count("SELECT count(*) FROM session");
  Write(first_, {Message(kMonday, "once")});
  EXPECT_EQ(Count("SELECT count(*) FROM session"), sessions);
}

TEST_F(ChatTest, LaterMessagesDoNotOpenForADisabledAgent) {
  Write(first_, {Message(kMonday, "before")});
  Attacker mina;
  mina.Take(*vault_.Unlock("mina"));
  ASSERT_EQ(mina.OpensChats(Owner()), (Opened{{first_, 1}}));
  ASSERT_TRUE(vault_.AddMember("sora", "agent", {"seoul"}).ok());
  ASSERT_TRUE(keyring::DisableMember(Owner(), "mina").ok());
  Write(first_, {Message(kMonday + 60, "after")});
  EXPECT_EQ(mina.OpensChats(Owner()), (Opened{{first_, 1}}));
  EXPECT_THAT(SeenBy("sora", first_), ElementsAre("before", "after"));

  Drain();
  EXPECT_THAT(SeenBy("sora", first_), ElementsAre("before", "after"));
  EXPECT_EQ(Fault(), "");
  mina.Forget();  // kept the secrets, and no copy
  EXPECT_EQ(mina.OpensChats(Owner()), Opened());
}

TEST_F(ChatTest, RemovedAdminOpensNothingOnceChatsAreDrained) {
  ASSERT_TRUE(vault_.AddMember("ada", "admin").ok());
  Write(first_, {Message(kMonday, "one"), Message(kMonday + 86'400, "two")});
  Write(first_, {Message(kMonday + 60, "three")}, "owner");
  Attacker ada;
  ada.Take(*vault_.Unlock("ada"));
  ASSERT_EQ(ada.OpensChats(Owner()), (Opened{{first_, 3}}));
  ASSERT_TRUE(keyring::DisableMember(Owner(), "ada").ok());
  Write(second_, {Message(kMonday, "later")});
  EXPECT_EQ(ada.OpensChats(Owner()), (Opened{{first_, 3}}));
  Drain();
  // Written again under other keys: what she had kept opens nothing either.
  EXPECT_EQ(ada.OpensChats(Owner()), Opened());
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("one", "three", "two"));
  EXPECT_EQ(Fault(), "");
  // Tags are known still, though the index has another key.
  EXPECT_EQ(Write(first_, {Message(kMonday, "one")}).duplicates, 1u);
}

TEST_F(ChatTest, UnassignedContactsLaterMessagesDoNotOpen) {
  Write(first_, {Message(kMonday, "before")});
  Attacker mina;
  mina.Take(*vault_.Unlock("mina"));
  ASSERT_TRUE(Unassign(first_, "seoul").ok());
  Write(first_, {Message(kMonday + 60, "after")});
  EXPECT_EQ(mina.OpensChats(Owner()), (Opened{{first_, 1}}));  // of the older copy
  mina.Forget();
  EXPECT_EQ(mina.OpensChats(Owner()), Opened());
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre(HasSubstr("no such contact")));
  EXPECT_EQ(Fault(), "");
}

TEST_F(ChatTest, WhoeverIsAssignedReadsWhatWasWrittenBefore) {
  Write(first_, {Message(kMonday, "one")});
  Write(first_, {Message(kMonday + 60, "two")});
  ASSERT_TRUE(Assign(first_, "busan").ok());
  EXPECT_THAT(SeenBy("jun", first_), ElementsAre("one", "two"));
  Write(first_, {Message(kMonday + 120, "three")});
  EXPECT_THAT(SeenBy("jun", first_), ElementsAre("one", "two", "three"));
  EXPECT_THAT(SeenBy("mina", first_), ElementsAre("one", "two", "three"));
  EXPECT_EQ(Fault(), "");
}

TEST_F(ChatTest, SmallChunksAreWrittenAgainAsLargerOnes) {
  for (int i = 0; i < 12; ++i)
    Write(first_, {Message(kMonday + i * 60, absl::StrCat("message ", i))});
  Write(second_, {Message(kMonday, "alone")});
  const auto before = SeenBy("mina", first_);
  ASSERT_EQ(before.size(), 12u);
  ASSERT_EQ(Count("SELECT count(*) FROM chat"), 13);

  records::CompactReport report;
  ASSERT_TRUE(records::CompactChats(Owner(), {}, report).ok());
  EXPECT_EQ(report.contacts, 1);
  EXPECT_EQ(report.messages, 12);
  EXPECT_EQ(report.chunks_before, 12);
  EXPECT_EQ(report.chunks_after, 1);
  EXPECT_EQ(Count("SELECT count(*) FROM chat"), 2);
  EXPECT_EQ(Count("SELECT count(*) FROM chat_key"), 2);
  EXPECT_EQ(Count("SELECT count(*) FROM chat_wrap"), 2);
  EXPECT_EQ(SeenBy("mina", first_), before);
  EXPECT_EQ(Write(first_, {Message(kMonday, "message 0")}).duplicates, 1u);
  EXPECT_EQ(Fault(), "");

  records::CompactReport again;
  ASSERT_TRUE(records::CompactChats(Owner(), {}, again).ok());
  EXPECT_EQ(again.contacts, 0);
  auto importer = vault_.Unlock("service importer");
  EXPECT_TRUE(absl::IsPermissionDenied(records::CompactChats(*importer, {}, again)));
}

// Each change of the files that a holder of the database key could make, and where it is seen.
TEST_F(ChatTest, WhatWasAlteredOrMovedIsSeen) {
  Write(first_, {Message(kMonday, "hers"), Message(kMonday + 86'400, "next day")});
  Write(second_, {Message(kMonday, "his")});
  const std::string first = absl::StrCat(first_), second = absl::StrCat(second_);
  struct Case {
    const char* name;
    std::string alter;
    const char* fault;  // what doctor says
    bool reader_sees = true;
  };
  const Case cases[] = {
      {"a byte of a chunk",
       "UPDATE chat SET chunk = " + WithAlteredByte("chunk", 1) + " WHERE contact = " + first,
       "chats: UID_"},
      {"another contact's chunk",
       "UPDATE chat SET contact = " + first + ", sequence = 7 WHERE contact = " + second,
       "chats: UID_"},
      {"another day's chunk",
       "UPDATE chat SET day = (SELECT max(day) FROM chat), sequence = 7 WHERE contact = " + first +
           " AND day = (SELECT min(day) FROM chat)",
       "chats: UID_"},
      {"another place of the day", "UPDATE chat SET sequence = 9 WHERE contact = " + first,
       "chats: UID_"},
      {"another number of messages", "UPDATE chat SET messages = 2 WHERE contact = " + first,
       "chats: UID_"},
      {"a session that did not write it", "UPDATE chat SET session = 1 WHERE contact = " + first,
       "chats: UID_"},
      {"a byte of a wrap",
       "UPDATE chat_wrap SET sealed = " + WithAlteredByte("sealed", 1) +
           " WHERE contact = " + first,
       "chats: UID_"},
      {"a wrap of another contact",
       "UPDATE chat_wrap SET sealed = (SELECT sealed FROM chat_wrap WHERE contact = " + second +
           ") WHERE contact = " + first,
       "chats: UID_"},
      {"a wrap that is gone", "DELETE FROM chat_wrap WHERE contact = " + first, "chats: UID_"},
      {"a chat key that is gone", "DELETE FROM chat_key WHERE contact = " + first, "chats: UID_",
       false},
      {"tags of another day",
       "UPDATE chat_tag SET tags = (SELECT tags FROM chat_tag WHERE contact = " + second +
           ") WHERE contact = " + first,
       "tags", false},
      {"a planted tag", "UPDATE chat_tag SET tags = x'0102030405060708' || tags", "tags", false},
      {"another tag key", "UPDATE chat_tag_key SET sealed = " + WithAlteredByte("sealed", 1),
       "the key of the chats' tags", false},
      {"a byte of a subject key",
       "UPDATE subject SET public = " + WithAlteredByte("public", 1) + " WHERE contact = " + first,
       "subject key", false},
      {"a subject key of another contact",
       "UPDATE subject SET public = (SELECT public FROM subject WHERE contact = " + second +
           "), secret = (SELECT secret FROM subject WHERE contact = " + second +
           ") WHERE contact = " + first,
       "subject key", false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    std::filesystem::copy(vault_.directory(), vault_.root() + "/kept",
                          std::filesystem::copy_options::recursive);
    Alter(one.alter);
    EXPECT_THAT(Fault(), HasSubstr(one.fault));
    if (one.reader_sees) {
      std::string seen;
      for (const std::string& text : SeenBy("mina", first_)) seen += text + "\n";
      EXPECT_THAT(seen, HasSubstr("error: UID_"));
      EXPECT_THAT(seen, ::testing::Not(HasSubstr("his")));
    }
    std::filesystem::remove_all(vault_.directory());
    std::filesystem::rename(vault_.root() + "/kept", vault_.directory());
  }
  EXPECT_EQ(Fault(), "");
}

// A planted tag would make an import believe that a message is there.
TEST_F(ChatTest, PlantedTagLosesNoMessage) {
  Write(first_, {Message(kMonday, "one")});
  Alter("UPDATE chat_tag SET tags = x'0102030405060708' || tags");
  auto importer = vault_.Unlock("service importer");
  const auto results =
      WriteChats(*importer, {{.contact = first_, .messages = {Message(kMonday + 60, "two")}},
                             {.contact = second_, .messages = {Message(kMonday, "three")}}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_TRUE((*results)[0].damaged);
  EXPECT_EQ((*results)[1].added, 1u);
}

// To get at chats that are archived later, somebody with a member's signing key puts a subject key
// of their own in the place of the contact's.
TEST_F(ChatTest, PlantedSubjectKeyIsNotWrittenTo) {
  const auto plant = [&](std::int64_t session) {
    auto owner = vault_.Unlock("owner");
    const crypto::ExchangePair mine = crypto::ExchangePair::Generate();
    Alter("DELETE FROM subject");
    EXPECT_TRUE(owner->store()
                    .InsertSubject({.contact = first_,
                                    .session = session,
                                    .public_key = mine.public_key().bytes,
                                    .secret = crypto::SealToPublic(mine.public_key(),
                                                                   mine.public_key().bytes)})
                    .ok());
  };
  Write(second_, {Message(kMonday, "other")});
  const std::int64_t importers = Count("SELECT max(number) FROM session");
  auto mina = vault_.Unlock("mina");
  ASSERT_TRUE(TestVault::Set(*mina, first_, ClassId::kProfile, {{"name", "By Mina"}}).ok());
  const std::int64_t minas = Count("SELECT max(number) FROM session");

  // Mina's signing key lists a key of hers, with its right hash, in a session of hers; but she
  // writes no chats.
  std::int64_t listed = 0;
  {
    auto transaction = mina->BeginWrite();
    auto session = keyring::SessionWriter::Open(*mina);
    ASSERT_TRUE(
        records::SubjectOf(*mina, session, {first_, TestVault::TokenOf(*mina, first_)}).ok());
    listed = *session.Number();
    ASSERT_TRUE(session.Insert().ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  const auto is_seen = [&] {
    auto importer = vault_.Unlock("service importer");
    const auto results =
        WriteChats(*importer, {{.contact = first_, .messages = {Message(kMonday, "secret")}}});
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_TRUE((*results)[0].damaged);
    EXPECT_THAT(Fault(), HasSubstr("subject key"));
  };
  is_seen();
  // The importer's own sessions: one that made another contact's key, one that made this one's; and
  // those of somebody who writes no chats.
  Alter("DELETE FROM subject WHERE contact = " + absl::StrCat(first_));
  for (const std::int64_t session : {importers, minas, listed}) {
    SCOPED_TRACE(session);
    plant(session);
    is_seen();
  }
  Alter("DELETE FROM subject");
  Write(first_, {Message(kMonday, "true")});
  plant(Count("SELECT max(number) FROM session"));
  is_seen();
}

// What somebody without the right wrote counts for nobody, though it is sealed as it should be.
TEST_F(ChatTest, AgentsPlantedChunkDoesNotCount) {
  Write(first_, {Message(kMonday, "true")});
  auto mina = vault_.Unlock("mina");
  {
    auto transaction = mina->BeginWrite();
    auto session = keyring::SessionWriter::Open(*mina);
    const records::ChatOwner owner{first_, TestVault::TokenOf(*mina, first_)};
    auto key = records::MakeChatKey(*mina, session, owner);
    ASSERT_TRUE(key.ok()) << key.status();
    records::ChunkPacker packer;
    const std::vector<records::ChatEntry> entries = {Message(kMonday + 60, "forged").entry};
    ASSERT_TRUE(
        records::StoreChunks(*mina, session, *key, owner, records::DayOf(kMonday), entries, packer)
            .ok());
    ASSERT_TRUE(session.Insert().ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  for (const char* reader : {"mina", "owner"}) {
    EXPECT_THAT(SeenBy(reader, first_), ElementsAre("true", HasSubstr("may not write it")))
        << reader;
  }
  EXPECT_THAT(Fault(), HasSubstr("may not write it"));
}

}  // namespace
}  // namespace sealbook
