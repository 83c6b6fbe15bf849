#include "anonymizer/chat_import.h"

#include <gmock/gmock.h>

#include "anonymizer/occurrences.h"
#include "tests/anonymizer/chat_import_fixture.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const records::IdentifierValue kAda{IdentifierKind::kPhone, "+821011112222"};
const records::IdentifierValue kBen{IdentifierKind::kPhone, "+821033334444"};
const records::IdentifierValue kAdaId{IdentifierKind::kWhatsAppId, "KR.1234567890"};

class ChatImportTest : public ChatImportFixture {};

// Another vault beside a test's own.
class OtherVault : public ChatImportFixture {
 public:
  void TestBody() override {}
  using ChatImportFixture::Chats;
  using ChatImportFixture::Import;
};

// A chat of two, by name.
FakeChat OfAda(int messages = 3, std::string chat_name = "Ada") {
  const std::vector<ChatMessage> all = {Said("Ada", "hello"), Said("Shop", "welcome", 1),
                                        Said("Ada", "how much?", 2), Said("Shop", "ten", 3),
                                        Said("Ada", "ok", 4)};
  return FakeChat::Export(std::move(chat_name), {all.begin(), all.begin() + messages});
}

TEST_F(ChatImportTest, ChatOfTwoIsTheCustomersWhoseNameTheChatHas) {
  const Run run = Import(OfAda(), InSeoul());
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.messages, 3);
  EXPECT_EQ(run.report.imported, 3);
  EXPECT_EQ(run.report.contacts_created, 1);
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello >Shop:welcome <how much?"));
  // In the book that was named: its agent reads it.
  EXPECT_THAT(Chats("mina"), ElementsAre("Ada: <hello >Shop:welcome <how much?"));
}

TEST_F(ChatImportTest, TheSameExportTwiceAddsNothingAndALongerOneTheRest) {
  ASSERT_EQ(Import(OfAda(3), {}, kImporter).report.imported, 3);
  const std::int64_t rows = AuditRows();
  const Run again = Import(OfAda(3), {}, kImporter);
  EXPECT_EQ(again.report.imported, 0);
  EXPECT_EQ(again.report.duplicates, 3);
  EXPECT_EQ(again.report.contacts_created, 0);
  EXPECT_EQ(AuditRows(), rows);  // nothing was done, nothing is told
  const Run longer = Import(OfAda(5), {}, kImporter);
  EXPECT_EQ(longer.report.imported, 2);
  EXPECT_EQ(longer.report.duplicates, 3);
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello >Shop:welcome <how much? >Shop:ten <ok"));
}

TEST_F(ChatImportTest, EqualMessagesOfOneMinuteAreAsManyAsTheFileHas) {
  const auto chat = [](int times) {
    std::vector<ChatMessage> messages = {Said("Shop", "hi")};
    for (int i = 0; i < times; ++i) messages.push_back(Said("Ada", "ok", 1));
    // What the app says in the place of pictures is in the language of the phone.
    for (int i = 0; i < times; ++i) {
      messages.push_back(Said("Ada", i % 2 == 0 ? "<Media omitted>" : "image omitted", 1));
      messages.back().kind = MessageKind::kMedia;
    }
    return FakeChat::Export("Ada", std::move(messages));
  };
  EXPECT_EQ(Import(chat(2)).report.imported, 5);
  EXPECT_EQ(Import(chat(2)).report.imported, 0);
  EXPECT_EQ(Import(chat(3)).report.imported, 2);
}

TEST_F(ChatImportTest, MeIsTheCompanyUnderANameOrAPhone) {
  const auto chat = [] {
    return FakeChat::Export("",
                            {Said("+82 10-1111-2222", "hello"), Said("010 9999 8888", "hi", 1)});
  };
  const Run unknown = Import(chat());
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status)) << unknown.status;
  EXPECT_THAT(HintOf(unknown.status), HasSubstr("--me"));
  EXPECT_THAT(std::string(unknown.status.message()), Not(HasSubstr("1111")));
  ASSERT_TRUE(Import(chat(), {.me = "+82 10 9999 8888"}).status.ok());
  EXPECT_THAT(Chats(), ElementsAre("+821011112222: <hello >010 9999 8888:hi"));
  EXPECT_TRUE(absl::IsInvalidArgument(Import(chat(), {.me = "somebody"}).status));
}

TEST_F(ChatImportTest, ChatWithOneAuthorIsToldByItsName) {
  ASSERT_TRUE(Import(FakeChat::Export("Ada", {Said("Ada", "hello")})).status.ok());
  ASSERT_TRUE(Import(FakeChat::Export("Ben", {Said("Shop", "sale today")})).status.ok());
  ASSERT_TRUE(Import(FakeChat::Export("", {Said("Cy", "hello")}), {.me = "Shop"}).status.ok());
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello", "Ben: >Shop:sale today", "Cy: <hello"));
  for (const char* me : {"", "Shop"}) {
    // Nobody's name, or another's: it could be either.
    const Run run =
        Import(FakeChat::Export(*me == '\0' ? "" : "Eve", {Said("Dan", "hello")}), {.me = me});
    EXPECT_TRUE(absl::IsInvalidArgument(run.status)) << run.status;
  }
  // Whose it is, but not who wrote.
  const Run silent = Import(FakeChat::Export("", {Said("Shop", "hello")}), {.me = "Shop"});
  EXPECT_TRUE(absl::IsInvalidArgument(silent.status));
  EXPECT_THAT(HintOf(silent.status), HasSubstr("--contact"));
  EXPECT_THAT(Chats(), SizeIs(3));
}

TEST_F(ChatImportTest, WhomTheAppCallsYouIsTheCompany) {
  FakeChat chat = FakeChat::Export("", {Said("Ada", "hello"), Said("회원님", "hi", 1)});
  chat.its_survey().self = "회원님";
  ASSERT_TRUE(Import(std::move(chat)).status.ok());
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello >회원님:hi"));
}

TEST_F(ChatImportTest, AuthorIsTheCustomerOfTheListWithExactlyThatName) {
  AddCustomers("name,phone\nAda,010-1111-2222\nAda Lovelace,010-5555-6666\n");
  const Run run = Import(OfAda());
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.contacts_created, 0);
  EXPECT_THAT(run.report.remarks, Contains(HasSubstr("exactly that name")));
  EXPECT_THAT(Chats(), ElementsAre("Ada +821011112222: <hello >Shop:welcome <how much?"));
}

TEST_F(ChatImportTest, TwoCustomersOfOneNameAreAskedAbout) {
  AddCustomers("name,phone\nAda,010-1111-2222\nAda,010-3333-4444\n");
  const Run run = Import(OfAda());
  EXPECT_TRUE(absl::IsInvalidArgument(run.status)) << run.status;
  EXPECT_THAT(std::string(run.status.message()), AllOf(HasSubstr("UID_"), Not(HasSubstr("Ada"))));
  EXPECT_THAT(HintOf(run.status), HasSubstr("--contact"));
  EXPECT_THAT(Chats(), IsEmpty());
  ASSERT_TRUE(Import(OfAda(), {.contact = TokenOf("Ada")}).status.ok());
  EXPECT_THAT(Chats(), SizeIs(1));
}

TEST_F(ChatImportTest, ImporterKnowsNamesOfChatsAloneAndSaysSo) {
  AddCustomers("name,phone\nAda,010-1111-2222\n");
  const Run run = Import(OfAda(), {}, kImporter);
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.contacts_created, 1);
  EXPECT_THAT(run.report.remarks, Contains(HasSubstr("may not read")));
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello >Shop:welcome <how much?"));
  // From now on the chat's own contact is found, by everybody.
  const Run again = Import(OfAda(5));
  EXPECT_EQ(again.report.imported, 2);
  EXPECT_EQ(again.report.contacts_created, 0);
  EXPECT_THAT(again.report.remarks, Contains(HasSubstr("chats imported before")));
}

TEST_F(ChatImportTest, NamedContactMustBeThereAndOfAChatOfTwo) {
  const std::string nobody = records::FormatToken(records::MakeToken(10));
  EXPECT_TRUE(absl::IsNotFound(Import(OfAda(), {.contact = nobody}).status));
  EXPECT_TRUE(absl::IsFailedPrecondition(Import(OfAda(), {.contact = "UID_1"}).status));
  AddCustomers("name,phone\nAda,010-1111-2222\n");
  const Run records =
      Import(FakeChat({Recorded({kAda}, false, "hi")}), {.contact = TokenOf("Ada")});
  EXPECT_TRUE(absl::IsFailedPrecondition(records.status));
  const Run group = Import(
      FakeChat::Export("Club", {Said("Ada", "hi"), Said("Shop", "ho", 1), Said("Ben", "me too", 2)},
                       true),
      {.me = "Shop", .contact = TokenOf("Ada")});
  EXPECT_TRUE(absl::IsFailedPrecondition(group.status));
  EXPECT_THAT(Chats(), IsEmpty());
  // Where one alone wrote beside the company, what somebody says outright is more than a guess.
  const Run two = Import(FakeChat::Export("Club", {Said("Ada", "hi"), Said("Shop", "ho", 1)}, true),
                         {.me = "Shop", .contact = TokenOf("Ada")});
  ASSERT_TRUE(two.status.ok()) << two.status;
  EXPECT_FALSE(two.report.is_group);
  EXPECT_THAT(Chats(), ElementsAre("Ada +821011112222: <hi >Shop:ho"));
}

FakeChat Club() {
  return FakeChat::Export(
      "Club",
      {Said("", "Shop created the group"), Said("Shop", "welcome all", 1), Said("Ada", "hello", 2),
       Said("Shop", "hi Ada", 3), Said("+82 10-3333-4444", "me too", 4),
       Said("", "somebody joined", 5), Said("Shop", "hi you", 6), Said("Ada", "bye", 7)});
}

TEST_F(ChatImportTest, GroupIsKeptWithThoseWhoWroteInIt) {
  const Run unknown = Import(Club());
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status));
  EXPECT_THAT(HintOf(unknown.status), AllOf(HasSubstr("--me"), HasSubstr("--without-me")));
  // The batches' ends change nothing.
  for (const std::size_t batch : {1, 3, 10'000}) {
    const Run run = Import(Club(), {.me = "Shop", .batch_messages = batch});
    ASSERT_TRUE(run.status.ok()) << run.status;
    EXPECT_EQ(run.report.imported, batch == 1 ? 8 : 0);
    EXPECT_EQ(run.report.duplicates, batch == 1 ? 0 : 8);
    EXPECT_THAT(run.report.remarks,
                Contains(HasSubstr("5 messages of the company and of the app")));
  }
  EXPECT_THAT(Chats(),
              ElementsAre("+821033334444: <me too -somebody joined >Shop:hi you",
                          "Ada: -Shop created the group >Shop:welcome all <Ada:hello >Shop:hi Ada "
                          "<Ada:bye"));
}

// Who may read a chat may not read whose number it is.
TEST_F(ChatImportTest, NumberThatStandsForANameIsNotTold) {
  ASSERT_TRUE(Import(Club(), {.books = {InSeoul().books}, .me = "Shop"}).status.ok());
  ChatMessage hook = Recorded({kBen}, false, "my name is a number", 9);
  hook.author = "010-3333-4444";
  ASSERT_TRUE(Import(FakeChat({hook}), InSeoul()).status.ok());
  EXPECT_THAT(Chats("mina"), Contains("+82 10-****-4444: <me too -somebody joined >Shop:hi you "
                                      "<my name is a number"));
}

TEST_F(ChatImportTest, GroupWithoutTheCompany) {
  const auto chat = [] {
    return FakeChat::Export("Club", {Said("Ada", "hello"), Said("Ben", "hi", 1)}, true);
  };
  ASSERT_TRUE(Import(chat(), {.without_me = true}).status.ok());
  EXPECT_THAT(Chats(), ElementsAre("Ada: <Ada:hello", "Ben: <Ben:hi"));
  const Run alone = Import(FakeChat::Export("Club", {Said("Shop", "hello")}, true), {.me = "Shop"});
  EXPECT_TRUE(absl::IsInvalidArgument(alone.status)) << alone.status;
}

TEST_F(ChatImportTest, GroupThatBeginsWithTooMuchOfTheCompanyIsRefusedBeforeAnythingIsWritten) {
  std::vector<ChatMessage> messages;
  for (std::size_t i = 0; i <= ChatImportOptions::kMaxWaiting; ++i)
    messages.push_back(Said("Shop", absl::StrCat("news ", i)));
  messages.push_back(Said("Ada", "stop", 1));
  const Run run = Import(FakeChat::Export("Club", std::move(messages), true),
                         {.me = "Shop", .batch_messages = 500});
  EXPECT_TRUE(absl::IsInvalidArgument(run.status)) << run.status;
  EXPECT_EQ(run.report.imported, 0);
  EXPECT_THAT(Chats(), IsEmpty());
}

TEST_F(ChatImportTest, RecordsFindTheirCustomersByAnyIdentifier) {
  AddCustomers("name,phone\nAda,010-1111-2222\n");
  ChatMessage named = Recorded({kBen}, false, "hello", 1);
  named.author = "Ben";
  ChatMessage by_token = Recorded({}, true, "well?", 2);
  by_token.token = TokenOf("Ada");
  by_token.author = "Mina";
  const Run run = Import(FakeChat({Recorded({kAda}, false, "hi"), named, by_token}), InSeoul());
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.contacts_created, 1);
  EXPECT_THAT(Chats(),
              ElementsAre("Ada +821011112222: <hi >Mina:well?", "Ben +821033334444: <hello"));
  // Whom the list brought in is assigned to nobody by a chat.
  EXPECT_THAT(Chats("mina"), ElementsAre("Ben +82 10-****-4444: <hello"));
}

TEST_F(ChatImportTest, IdentifiersOfOneMessageAreOnePersonsWhereverTheyStand) {
  // In one batch and in many.
  for (const std::size_t batch : {10'000, 1}) {
    const std::string tag = batch == 1 ? "1" : "2";
    const records::IdentifierValue phone{IdentifierKind::kPhone, "+8210111122" + tag + "2"};
    const records::IdentifierValue id{IdentifierKind::kWhatsAppId, "KR.123456789" + tag};
    const Run run =
        Import(FakeChat({Recorded({phone}, false, "a"), Recorded({phone, id}, false, "b", 1),
                         Recorded({id}, false, "c", 2)}),
               {.batch_messages = batch});
    ASSERT_TRUE(run.status.ok()) << run.status;
    EXPECT_EQ(run.report.contacts_created, 1);
    EXPECT_EQ(run.report.imported, 3);
  }
  EXPECT_THAT(Chats(), ElementsAre("+821011112212 KR.1234567891: <a <b <c",
                                   "+821011112222 KR.1234567892: <a <b <c"));
}

TEST_F(ChatImportTest, NumberThatARecordNamesTwiceIsKeptOnce) {
  ASSERT_TRUE(Import(FakeChat({Recorded({kAda, kAda}, false, "hi")})).status.ok());
  EXPECT_THAT(Chats(), ElementsAre("+821011112222: <hi"));
}

TEST_F(ChatImportTest, WhoMayNotReadAddsNoIdentifierToAKnownCustomer) {
  AddCustomers("name,phone\nAda,010-1111-2222\n");
  const auto chat = [] {
    return FakeChat({Recorded({kAda, kAdaId}, false, "hi"), Recorded({kAdaId}, false, "ho", 1)});
  };
  const Run run = Import(chat(), {}, kImporter);
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_THAT(run.report.remarks, Contains(HasSubstr("1 identifier of known customers")));
  EXPECT_EQ(run.report.contacts_created, 0);  // the file itself says who the second is
  EXPECT_THAT(Chats(), ElementsAre("Ada +821011112222: <hi <ho"));
  const Run admin = Import(chat());
  EXPECT_EQ(admin.report.duplicates, 2);
  EXPECT_THAT(Chats(), ElementsAre("Ada +821011112222 KR.1234567890: <hi <ho"));
}

TEST_F(ChatImportTest, IdentifiersOfDifferentCustomersAreNobodys) {
  AddCustomers("name,phone\nAda,010-1111-2222\nBen,010-3333-4444\n");
  ChatMessage stranger = Recorded({}, false, "who?", 2);
  stranger.token = records::FormatToken(records::MakeToken(10));
  ChatMessage mistyped = Recorded({}, false, "who?", 3);
  mistyped.token = "UID_1";
  const Run run =
      Import(FakeChat({Recorded({kAda}, false, "hi"), Recorded({kAda, kBen}, false, "ho", 1),
                       stranger, mistyped, Recorded({}, false, "hm", 4)}));
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.messages, 5);
  EXPECT_EQ(run.report.imported, 1);
  EXPECT_EQ(run.report.rejected, 4);
  ASSERT_THAT(run.report.rejects, SizeIs(4));
  EXPECT_EQ(run.report.rejects[0].line, 2);
  EXPECT_EQ(run.report.rejects[0].reason, kConflictReason);
  EXPECT_EQ(run.report.rejects[3].line, 5);
  EXPECT_EQ(run.report.contacts_created, 0);
}

TEST_F(ChatImportTest, FaultyMessagesAreToldByLineAndTheOthersKept) {
  std::vector<ChatMessage> messages = {Said("Ada", "hello"), Said("Ada", "", 1),
                                       Said("Shop", "hi", 2)};
  messages[1].fault = "has a time in 1970";
  messages[1].raw = "[1.1.70] Ada: old";
  std::vector<std::string> kept;
  ChatImportOptions options;
  options.on_reject = [&](const Reject& reject, const ChatMessage& message) {
    kept.push_back(absl::StrCat(reject.line, " ", reject.reason, ": ", message.raw));
    return absl::OkStatus();
  };
  const Run run = Import(FakeChat::Export("Ada", std::move(messages)), options);
  EXPECT_EQ(run.report.messages, 3);
  EXPECT_EQ(run.report.imported, 2);
  EXPECT_EQ(run.report.rejected, 1);
  EXPECT_THAT(kept, ElementsAre("2 has a time in 1970: [1.1.70] Ada: old"));
}

TEST_F(ChatImportTest, WhatStandsBeforeAFaultOfTheFileIsStored) {
  const Run run = Import(std::move(OfAda(5).BreakAfter(2)), {.batch_messages = 3});
  EXPECT_TRUE(absl::IsInvalidArgument(run.status)) << run.status;
  EXPECT_EQ(run.report.imported, 2);
  EXPECT_THAT(Chats(), ElementsAre("Ada: <hello >Shop:welcome"));
}

TEST_F(ChatImportTest, InterruptedBetweenBatchesAndRunAgainItEndsAsIfItHadNotBeen) {
  std::vector<ChatMessage> messages;
  for (int i = 0; i < 40; ++i)
    messages.push_back(Recorded({{IdentifierKind::kPhone, absl::StrCat("+82101111", 2000 + i % 7)}},
                                i % 2 == 0, "ok", i / 9));
  const ChatImportOptions small{.batch_messages = 6};
  for (int stop = 1; stop < 7; ++stop) {
    ChatImportOptions options = small;
    int batches = 0;
    options.interrupted = [&] { return batches++ == stop; };
    const Run run = Import(FakeChat(messages), options);
    EXPECT_TRUE(absl::IsCancelled(run.status)) << run.status;
    EXPECT_EQ(run.report.imported + run.report.duplicates, stop * 6);
  }
  const Run last = Import(FakeChat(messages), small);
  ASSERT_TRUE(last.status.ok()) << last.status;
  EXPECT_EQ(last.report.imported, 4);
  const std::vector<std::string> interrupted = Chats();
  OtherVault other;
  ASSERT_TRUE(other.Import(FakeChat(messages)).status.ok());
  EXPECT_EQ(other.Chats(), interrupted);
}

TEST_F(ChatImportTest, RolesThatMayNotImportWriteNothing) {
  const Run run = Import(OfAda(), {}, "mina");
  EXPECT_TRUE(absl::IsPermissionDenied(run.status)) << run.status;
  EXPECT_TRUE(absl::IsPermissionDenied(Check(OfAda(), {}, "mina").status));
  EXPECT_THAT(Chats(), IsEmpty());
}

TEST_F(ChatImportTest, LookingTellsWhatThereIsAndWritesNothing) {
  AddCustomers("name,phone\nBen,010-3333-4444\n");
  const std::int64_t rows = AuditRows();
  const Run run = Check(Club(), {.me = "Shop"});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.messages, 8);
  EXPECT_EQ(run.report.incoming, 3);
  EXPECT_EQ(run.report.outgoing, 3);
  EXPECT_EQ(run.report.system, 2);
  EXPECT_EQ(run.report.customers, 2);
  EXPECT_EQ(run.report.contacts_created, 1);  // Ada; the number is Ben's
  EXPECT_TRUE(run.report.is_group);
  EXPECT_EQ(run.report.first, MinuteAt(0));
  EXPECT_EQ(run.report.last, MinuteAt(7));
  EXPECT_EQ(AuditRows(), rows);
  EXPECT_THAT(Chats(), IsEmpty());
  EXPECT_THAT(vault_.Contacts("owner"), SizeIs(1));
}

TEST_F(ChatImportTest, AuditRowHasCountsAlone) {
  ASSERT_TRUE(Import(OfAda()).status.ok());
  auto keyring = vault_.Unlock("owner");
  const auto pair = keyring->CompartmentPair(kRootBook, ClassId::kAudit);
  ASSERT_TRUE(pair.ok());
  std::vector<std::string> told;
  ASSERT_TRUE(
      audit::EachBack(keyring->store(), [&](const audit::Record& record) -> absl::StatusOr<bool> {
        if (record.act == "chat.import") {
          EXPECT_EQ(record.token, 0);
          told.push_back(*audit::OpenDetail(record, keyring->roster().vault, **pair));
        }
        return true;
      }).ok());
  EXPECT_THAT(told, ElementsAre(R"({"imported":3,"duplicates":0,"contacts":1})"));
}

TEST(OccurrencesTest, CountsEqualMessagesAcrossItsWindowAndForgetsBeyond) {
  Occurrences occurrences;
  records::ChatEntry entry{.time = 1'700'000'040, .text = "ok"};
  EXPECT_EQ(occurrences.Count(1, entry), 1u);
  EXPECT_EQ(occurrences.Count(1, entry), 2u);
  EXPECT_EQ(occurrences.Count(2, entry), 1u);  // somebody else's
  entry.time += 59;
  EXPECT_EQ(occurrences.Count(1, entry), 3u);  // still that minute
  entry.time += 1;
  EXPECT_EQ(occurrences.Count(1, entry), 1u);
  entry.time -= 60;
  records::ChatEntry other{.time = 1'700'000'040};
  for (std::size_t i = 0; i < Occurrences::kWindow; ++i) {
    other.text = absl::StrCat(i);
    occurrences.Count(1, other);
  }
  EXPECT_EQ(occurrences.Count(1, entry), 4u);
  for (std::size_t i = 0; i < 3 * Occurrences::kWindow; ++i) {
    other.text = absl::StrCat("x", i);
    occurrences.Count(1, other);
  }
  EXPECT_EQ(occurrences.Count(1, entry), 1u);
}

}  // namespace
}  // namespace sealbook::anonymizer
