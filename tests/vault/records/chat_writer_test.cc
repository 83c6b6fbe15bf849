// A writer of many batches: what it remembers between them, and how its chunks stand in the table.
#include "vault/records/chat_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/chat_vault.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/records/contact_changes.h"
#include "vault/records/health.h"

namespace sealbook {
namespace {

using testing::ChatSeenBy;
using testing::kMonday;
using testing::Message;
using testing::TestVault;

class ChatWriterTest : public ::testing::Test {
 protected:
  ChatWriterTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    importer_ = vault_.Unlock("service importer");
    auto results = TestVault::Import(
        *importer_, {TestVault::Draft("11112222"), TestVault::Draft("33334444")}, {"seoul"});
    EXPECT_TRUE(results.ok()) << results.status();
    first_ = (*results)[0].contact;
    second_ = (*results)[1].contact;
    auto writer = records::ChatWriter::Open(*importer_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_.emplace(*std::move(writer));
  }

  std::vector<records::ChatDraftResult> Write(const std::vector<records::ChatDraft>& drafts) {
    auto results =
        writer_->WriteBatch(drafts, [](const auto&) { return audit::Event{.act = "chat.import"}; });
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : std::vector<records::ChatDraftResult>(drafts.size());
  }
  void Alter(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    const absl::Status status = owner->store().database().Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }
  std::int64_t Count(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    auto select = owner->store().database().Prepare(sql);
    EXPECT_TRUE(select.ok() && *select->Step());
    return select->Int(0);
  }

  std::int64_t Keys(ContactNumber contact) {
    return Count(absl::StrCat("SELECT count(*) FROM chat_key WHERE contact = ", contact));
  }
  void ExpectHealth() {
    const auto checks = records::CheckHealth(*vault_.Unlock("owner"), {});
    ASSERT_TRUE(checks.ok()) << checks.status();
    for (const records::HealthCheck& check : *checks)
      EXPECT_TRUE(check.ok) << check.name << ": " << check.detail;
  }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> importer_;
  std::optional<records::ChatWriter> writer_;
  ContactNumber first_ = 0, second_ = 0;
};

// Sessions are read once; what was put in a key's place meanwhile is seen all the same.
TEST_F(ChatWriterTest, SubjectKeyPlantedBetweenTwoBatchesIsSeen) {
  const auto both = [&](std::int64_t time) {
    return Write({{.contact = first_, .messages = {Message(time, "to the first")}},
                  {.contact = second_, .messages = {Message(time, "to the second")}}});
  };
  for (int batch = 0; batch < 3; ++batch) {
    for (const records::ChatDraftResult& result : both(kMonday + batch * 60))
      EXPECT_EQ(result.added, 1u);
  }
  const std::string first = absl::StrCat(first_), second = absl::StrCat(second_);
  Alter(absl::StrCat("CREATE TABLE kept AS SELECT * FROM subject"));
  for (const std::string& change :
       {std::string("public = substr(public, 2) || substr(public, 1, 1)"),
        std::string("secret = substr(secret, 2) || substr(secret, 1, 1)"),
        std::string("session = session + 1"),
        "public = (SELECT public FROM kept WHERE contact = " + second +
            "), secret = (SELECT secret FROM kept WHERE contact = " + second + ")"}) {
    SCOPED_TRACE(change);
    Alter(absl::StrCat("UPDATE subject SET ", change, " WHERE contact = ", first));
    const auto results = both(kMonday + 600);
    EXPECT_TRUE(results[0].damaged);
    EXPECT_FALSE(results[1].damaged);
    Alter("DELETE FROM subject; INSERT INTO subject SELECT * FROM kept");
  }
  EXPECT_EQ(both(kMonday + 600)[0].added, 1u);
}

// A contact that is in many batches of one writer has one key, and one session made it.
TEST_F(ChatWriterTest, BatchesOfOneWriterShareAContactsKey) {
  ASSERT_TRUE(vault_.AddBook("busan").ok());
  ASSERT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
  ASSERT_TRUE(vault_.AddMember("jun", "agent", {"busan"}).ok());
  const auto write = [&](ContactNumber contact, int minute) {
    const auto results =
        Write({{.contact = contact, .messages = {Message(kMonday + minute * 60, "text")}}});
    EXPECT_EQ(results[0].added, 1u);
  };
  write(first_, 0);
  const std::int64_t sessions = Count("SELECT count(*) FROM session");
  write(first_, 1);
  EXPECT_EQ(Count("SELECT count(*) FROM session"), sessions);
  write(second_, 1);
  EXPECT_EQ(Count("SELECT count(*) FROM session"), sessions + 1);
  write(first_, 2);
  write(second_, 2);
  EXPECT_EQ(Keys(first_), 1);
  EXPECT_EQ(Keys(second_), 1);
  EXPECT_EQ(Count("SELECT chunks FROM chat_key ORDER BY contact LIMIT 1"), 3);
  EXPECT_EQ(ChatSeenBy(*vault_.Unlock("mina"), first_).size(), 3u);

  // Whoever is assigned meanwhile reads what comes later, too: it is under a key that they have.
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(records::AssignContacts(*owner, owner->roster().FindBook("busan")->id, {first_},
                                      {.act = "assign"})
                  .ok());
  write(first_, 3);
  EXPECT_EQ(Keys(first_), 1);
  EXPECT_EQ(ChatSeenBy(*vault_.Unlock("jun"), first_).size(), 4u);
  ExpectHealth();
}

TEST_F(ChatWriterTest, LiveMessagesHaveKeysOfTheirOwn) {
  auto live = records::ChatWriter::Open(*importer_, /*share_keys=*/false);
  ASSERT_TRUE(live.ok());
  writer_.emplace(*std::move(live));
  for (int i = 0; i < 3; ++i) {
    Write({{.contact = first_,
            .messages = {Message(kMonday + i * 60, "one"), Message(kMonday + i * 60 + 1, "two")}}});
    EXPECT_EQ(Keys(first_), i + 1);
  }
  ExpectHealth();
}

TEST_F(ChatWriterTest, NoKeyIsUsedOnceSomethingWasTakenAway) {
  const auto write = [&](int minute) {
    const auto results =
        Write({{.contact = first_, .messages = {Message(kMonday + minute * 60, "text")}}});
    EXPECT_EQ(results[0].added, 1u);
  };
  ASSERT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
  write(0);
  // From anybody: who has that key is not looked into.
  auto owner = vault_.Unlock("owner");
  const BookId seoul = owner->roster().FindBook("seoul")->id;
  ASSERT_TRUE(records::UnassignContacts(*owner, seoul, {second_}, {.act = "unassign"}).ok());
  write(1);
  EXPECT_EQ(Keys(first_), 2);
  ASSERT_TRUE(records::UnassignContacts(*owner, seoul, {first_}, {.act = "unassign"}).ok());
  write(2);
  EXPECT_EQ(Keys(first_), 3);
  EXPECT_EQ(Count("SELECT count(*) FROM chat_wrap"), 0);
  ASSERT_TRUE(keyring::DisableMember(*owner, "mina").ok());
  write(3);
  EXPECT_EQ(Keys(first_), 4);
  write(4);
  EXPECT_EQ(Keys(first_), 4);
  ExpectHealth();
}

// By retention, and by who writes small chunks again as larger ones.
TEST_F(ChatWriterTest, KeyThatWasDeletedMeanwhileIsNotUsedAgain) {
  const auto write = [&](int minute) {
    const auto results =
        Write({{.contact = first_, .messages = {Message(kMonday + minute * 60, "text")}}});
    EXPECT_EQ(results[0].added, 1u);
  };
  write(0);
  Alter("DELETE FROM chat; DELETE FROM chat_key; DELETE FROM chat_wrap");
  write(1);
  write(2);
  EXPECT_EQ(Keys(first_), 1);
  EXPECT_EQ(Count("SELECT chunks FROM chat_key"), 2);
  // Nobody could read it with the subject key that is there now.
  Alter("DELETE FROM subject");
  write(3);
  EXPECT_EQ(Keys(first_), 2);
  ExpectHealth();
}

// The number of a session that was taken back goes to another one.
TEST_F(ChatWriterTest, KeysOfABatchThatFailedAreForgotten) {
  Write({{.contact = second_, .messages = {Message(kMonday, "text")}}});
  Alter("CREATE TRIGGER refuse BEFORE INSERT ON session BEGIN SELECT raise(ABORT, 'no'); END");
  const std::vector<records::ChatDraft> drafts = {
      {.contact = first_, .messages = {Message(kMonday, "text")}}};
  const auto event = [](const auto&) { return audit::Event{.act = "chat.import"}; };
  EXPECT_FALSE(writer_->WriteBatch(drafts, event).ok());
  EXPECT_EQ(Keys(first_), 0);
  Alter("DROP TRIGGER refuse");
  Write({{.contact = second_, .messages = {Message(kMonday + 60, "text")}}});
  EXPECT_EQ(Write(drafts)[0].added, 1u);
  EXPECT_EQ(ChatSeenBy(*vault_.Unlock("owner"), first_).size(), 1u);
  EXPECT_EQ(ChatSeenBy(*vault_.Unlock("owner"), second_).size(), 2u);
  ExpectHealth();
}

TEST_F(ChatWriterTest, NothingOfADamagedContactIsStored) {
  Write({{.contact = first_,
          .messages = {Message(kMonday, "one"), Message(kMonday + 86'400, "two")}}});
  Alter(
      "UPDATE chat_tag SET tags = x'0102030405060708' || tags WHERE day = "
      "(SELECT max(day) FROM chat_tag)");
  // The first day could be written, and the second one cannot.
  const auto results =
      Write({{.contact = second_, .messages = {Message(kMonday, "kept")}},
             {.contact = first_,
              .messages = {Message(kMonday + 60, "x"), Message(kMonday + 86'460, "y")}}});
  EXPECT_EQ(results[0].added, 1u);
  EXPECT_TRUE(results[1].damaged);
  EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM chat WHERE contact = ", first_)), 2);
  EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM chat_key WHERE contact = ", first_)), 1);
}

// Of so many messages chunks are made on another thread.
TEST_F(ChatWriterTest, LargeBatchIsTheSameOnTwoThreads) {
  std::vector<records::ChatDraft> drafts = {{.contact = first_, .messages = {}},
                                            {.contact = second_, .messages = {}}};
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) {
    texts.push_back(absl::StrCat("message ", i));
    for (records::ChatDraft& draft : drafts)
      draft.messages.push_back(Message(kMonday + i * 3'600, texts.back()));
  }
  Write({{.contact = first_, .messages = {Message(kMonday + 41 * 86'400, "there before")}}});
  Alter("UPDATE chat_tag SET tags = x'0102030405060708' || tags");
  // The contact's last day does not count: of its earlier ones, whose chunks are made by then,
  // nothing is stored.
  auto results = Write(drafts);
  EXPECT_TRUE(results[0].damaged);
  EXPECT_EQ(results[1].added, 1'000u);
  EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM chat WHERE contact = ", first_)), 1);
  auto owner = vault_.Unlock("owner");
  EXPECT_EQ(ChatSeenBy(*owner, second_), texts);

  // As bytes: what was put together is text to SQLite, which ends at a zero.
  Alter(absl::StrCat("UPDATE chat_tag SET tags = substr(CAST(tags AS BLOB), 9) WHERE contact = ",
                     first_));
  results = Write(drafts);
  EXPECT_EQ(results[0].added, 1'000u);
  EXPECT_EQ(results[1].duplicates, 1'000u);
  ExpectHealth();
}

TEST_F(ChatWriterTest, TextThatIsNoneKeepsTheWholeBatchOut) {
  const auto event = [](const auto&) { return audit::Event{.act = "chat.import"}; };
  for (const int count : {1, 1'000}) {
    SCOPED_TRACE(count);
    std::vector<records::ChatDraft> drafts = {{.contact = first_, .messages = {}},
                                              {.contact = second_, .messages = {}}};
    for (int i = 0; i < count; ++i)
      drafts[0].messages.push_back(Message(kMonday + i * 3'600, "text"));
    drafts[1].messages.push_back(Message(kMonday, "\xff"));
    EXPECT_TRUE(absl::IsInvalidArgument(writer_->WriteBatch(drafts, event).status()));
    EXPECT_EQ(Count("SELECT count(*) FROM chat"), 0);
    EXPECT_EQ(Count("SELECT count(*) FROM chat_key"), 0);
    drafts.pop_back();
    EXPECT_EQ(Write(drafts)[0].added, static_cast<std::size_t>(count));
    Alter("DELETE FROM chat; DELETE FROM chat_key; DELETE FROM chat_wrap; DELETE FROM chat_tag");
  }
}

// 981 bytes of a row of such a table stay on its page.
TEST_F(ChatWriterTest, ChunksOfABusyDayStayOnTheirPages) {
  records::ChatDraft draft{.contact = first_, .messages = {}};
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    // Words that nothing compresses, and now and then a text that is too long for any page.
    crypto::Bytes random(i % 100 == 50 ? 3'000 : 8 + i % 40);
    crypto::FillRandom(random);
    texts.push_back(crypto::ToHex(random));
    draft.messages.push_back(Message(kMonday + i, texts.back()));
  }
  EXPECT_EQ(Write({draft})[0].added, 500u);
  auto owner = vault_.Unlock("owner");
  EXPECT_EQ(ChatSeenBy(*owner, first_), texts);
  EXPECT_EQ(Count("SELECT count(*) FROM chat WHERE length(chunk) > 981 - 40"), 5);
  EXPECT_EQ(Count("SELECT max(messages) FROM chat WHERE length(chunk) > 981 - 40"), 1);
  // And they are not small for that: more than half of what there is room for.
  EXPECT_GT(Count("SELECT avg(length(chunk)) FROM chat WHERE length(chunk) <= 981 - 40"), 600);
}

}  // namespace
}  // namespace sealbook
