// Whole exports: what the reader makes of chats, zips, pipes and what is wrong with them.
#include "anonymizer/whatsapp_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "tests/anonymizer/whatsapp_fixture.h"
#include "tests/support/encodings.h"
#include "tests/support/workbook.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::string_view kTwo =
    "13/05/2024, 09:00 - Ann: Hello\n13/05/2024, 09:01 - Ben: Hi\nthere\n";

// A file of that name in a folder of its own.
class NamedFile {
 public:
  NamedFile(absl::string_view name, absl::string_view bytes) {
    char folder[] = "/tmp/sealbook-chat-XXXXXX";
    folder_ = mkdtemp(folder);
    path_ = absl::StrCat(folder_, "/", name);
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~NamedFile() { std::filesystem::remove_all(folder_); }
  NamedFile(const NamedFile&) = delete;
  NamedFile& operator=(const NamedFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
};

WhatsAppChat ReadNamed(absl::string_view name, absl::string_view bytes) {
  const NamedFile file(name, bytes);
  auto source = ByteSource::Open(file.path());
  if (!source.ok()) return {.status = source.status()};
  return ReadFrom(**source, TestOptions());
}

bool Looks(absl::string_view bytes) {
  const testing::TemporaryFile file(bytes);
  auto source = ByteSource::Open(file.path());
  return source.ok() && LooksLikeWhatsApp(**source);
}

void ExpectRefused(const WhatsAppChat& chat, absl::string_view why) {
  EXPECT_TRUE(absl::IsInvalidArgument(chat.status)) << chat.status;
  EXPECT_THAT(std::string(chat.status.message()), HasSubstr(std::string(why)));
  EXPECT_THAT(std::string(chat.status.message()), Not(HasSubstr("Ann")));
  EXPECT_FALSE(HintOf(chat.status).empty()) << chat.status;
}

TEST(WhatsAppReaderTest, MessagesHaveTimeAuthorAndTextOfManyLines) {
  const WhatsAppChat chat = ReadWhatsApp(kTwo);
  EXPECT_THAT(Told(chat), ElementsAre("2024-05-13 09:00 text Ann: Hello",
                                      "2024-05-13 09:01 text Ben: Hi\nthere"));
  EXPECT_EQ(chat.messages[1].line, 2);
  EXPECT_THAT(chat.survey.authors, UnorderedElementsAre(Pair("Ann", 1), Pair("Ben", 1)));
  EXPECT_EQ(chat.survey.messages, 2U);
  EXPECT_FALSE(chat.survey.is_group);
  EXPECT_EQ(chat.survey.date_order, "day-month-year: a part above 12 (line 1)");
  EXPECT_THAT(chat.remarks, IsEmpty());
  EXPECT_THAT(chat.faults, IsEmpty());
}

TEST(WhatsAppReaderTest, LineEndsAndEncodingsMakeNoDifference) {
  const std::vector<std::string> told = Told(ReadWhatsApp(kTwo));
  for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
    const std::string text = absl::StrReplaceAll(kTwo, {{"\n", end}});
    EXPECT_EQ(Told(ReadWhatsApp(text)), told);
    EXPECT_EQ(Told(ReadWhatsApp(absl::StrCat(kBom, text))), told);
    for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
      for (const bool mark : {false, true}) {
        const std::string wide = testing::Encode(text, encoding, mark);
        EXPECT_EQ(Told(ReadWhatsApp(wide)), told);
        EXPECT_TRUE(Looks(wide));
      }
    }
  }
  // No end at all.
  EXPECT_EQ(Told(ReadWhatsApp(kTwo.substr(0, kTwo.size() - 1))), told);
}

TEST(WhatsAppReaderTest, SystemLinesHaveNoAuthorWhateverColonsStandInThem) {
  const WhatsAppChat chat = ReadWhatsApp(
      "13/05/2024, 09:00 - Messages and calls are end-to-end encrypted. Tap to learn more.\n"
      "13/05/2024, 09:00 - Ann created group \"Sales: 2024\"\n"
      "13/05/2024, 09:01 - Ann changed the subject from \"Sales: 2024\" to \"Sales: 2025\"\n"
      "13/05/2024, 09:01 - Ann changed the group description to: be kind\n"
      "13/05/2024, 09:02 - Your security code with Ben: Office changed. Tap to learn more.\n"
      "13/05/2024, 09:03 - \u200f+971 50 123 4567님이 \"영업: 팀\" 그룹을 만들었습니다\n"
      "13/05/2024, 09:04 - Ben: said: \"no: yes\"\n");
  std::vector<std::string> kinds;
  for (const ChatMessage& message : chat.messages) {
    kinds.push_back(absl::StrCat(WhatsAppKindName(message.kind), " ", message.author));
  }
  EXPECT_THAT(kinds, ElementsAre("system ", "system ", "system ", "system ", "system ", "system ",
                                 "text Ben"));
  EXPECT_EQ(chat.messages[5].text, "+971 50 123 4567님이 \"영업: 팀\" 그룹을 만들었습니다");
  EXPECT_EQ(chat.survey.system_lines, 6U);
  EXPECT_TRUE(chat.survey.is_group);
}

TEST(WhatsAppReaderTest, IosGivesTheAppsOwnLinesAnAuthor) {
  const WhatsAppChat chat = ReadNamed(
      "WhatsApp Chat - Family.txt",
      "[13/05/2024, 09:00:00] Family: \u200eMessages and calls are end-to-end encrypted. Only "
      "people in this chat can read, listen to, or share them.\n"
      "[13/05/2024, 09:00:01] Family: \u200eAnn created this group\n"
      "[13/05/2024, 09:00:02] Family: \u200eAnn added you\n"
      "[13/05/2024, 09:00:03] Ann: Hello\n"
      "\u200e[13/05/2024, 09:00:04] Ben: \u200eimage omitted\n"
      "[13/05/2024, 09:00:05] Ben: Hi\n"
      "[13/05/2024, 09:00:06] Ann: \u200eYou deleted this message.\n"
      "[13/05/2024, 09:00:07] Ann: better so \u200e<This message was edited>\n"
      "\u200e[13/05/2024, 09:00:08] ~\u202fCy: \u200e<attached: 00000009-PHOTO-2024-05-13.jpg>\n");
  EXPECT_THAT(
      Told(chat),
      ElementsAre("2024-05-13 09:00 system : Messages and calls are end-to-end encrypted. Only "
                  "people in this chat can read, listen to, or share them.",
                  "2024-05-13 09:00 system : Ann created this group",
                  "2024-05-13 09:00 system : Ann added you", "2024-05-13 09:00 text Ann: Hello",
                  "2024-05-13 09:00 media Ben: image omitted", "2024-05-13 09:00 text Ben: Hi",
                  "2024-05-13 09:00 deleted Ann: You deleted this message.",
                  "2024-05-13 09:00 text edited Ann: better so",
                  "2024-05-13 09:00 media Cy: <attached: 00000009-PHOTO-2024-05-13.jpg>"));
  EXPECT_EQ(chat.survey.chat_name, "Family");
  EXPECT_THAT(chat.survey.authors,
              UnorderedElementsAre(Pair("Ann", 3), Pair("Ben", 2), Pair("Cy", 1)));
  EXPECT_EQ(chat.survey.system_lines, 3U);
  EXPECT_EQ(chat.survey.media, 2U);
  EXPECT_EQ(chat.survey.deleted, 1U);
  EXPECT_TRUE(chat.survey.is_group);
  EXPECT_EQ(chat.messages[3].time - chat.messages[2].time, absl::Seconds(1));
}

TEST(WhatsAppReaderTest, TheOtherOfAChatOfTwoIsNoGroup) {
  const WhatsAppChat chat = ReadNamed(
      "WhatsApp Chat - Ben.txt",
      "[13/05/2024, 09:00:00] Ben: \u200eMessages and calls are end-to-end encrypted. No one "
      "outside of this chat, not even WhatsApp, can read or listen to them.\n"
      "[13/05/2024, 09:00:03] Ann: Hello\n"
      "[13/05/2024, 09:00:04] Ben: \u200eMissed voice call\n");
  EXPECT_EQ(chat.messages[0].kind, MessageKind::kSystem);
  EXPECT_EQ(Told(chat)[2], "2024-05-13 09:00 text Ben: Missed voice call");
  EXPECT_FALSE(chat.survey.is_group);
  EXPECT_THAT(chat.survey.authors, UnorderedElementsAre(Pair("Ann", 1), Pair("Ben", 1)));
}

constexpr absl::string_view kColons =
    "13/05/2024, 09:00 - Ben: Office: Hello\n"
    "13/05/2024, 09:01 - Ann: Note: bring it\n"
    "13/05/2024, 09:02 - Ben: Office: http://a.example\n"
    "13/05/2024, 09:03 - Ann: ok\n"
    "13/05/2024, 09:04 - Ben: Office: note: this\n"
    "13/05/2024, 09:05 - Ben: Office: <Media omitted>\n"
    "13/05/2024, 09:06 - Ben: Office: bye\n"
    "13/05/2024, 09:07 - Ben: Office: and bye\n";

TEST(WhatsAppReaderTest, WhatTheAppSaysInAChatOfTwoMakesNoGroup) {
  constexpr absl::string_view kPair = "13/05/2024, 09:01 - Dora: a\n13/05/2024, 09:02 - Shop: b\n";
  const auto is_group = [&](absl::string_view notice, absl::string_view name) {
    const WhatsAppChat chat =
        ReadNamed(name, absl::StrCat("13/05/2024, 09:00 - ", notice, "\n", kPair));
    EXPECT_EQ(chat.survey.system_lines, 1U) << notice;
    return chat.survey.is_group;
  };
  constexpr absl::string_view kOfDora = "WhatsApp Chat with Dora.txt", kUnnamed = "a.txt",
                              kOfClub = "WhatsApp Chat with Club.txt";
  for (const absl::string_view notice :
       {"This chat was added to your favorites", "You added Dora to your contacts",
        "Missed group voice call", "Missed group video call", "You left a voicemail",
        "You changed the disappearing message timer", "Verpasster Gruppenanruf",
        "그룹 음성통화 부재중", "Dora left", "Dora님이 나갔습니다",
        "Dora changed their phone number to a new number. Tap to message or add the new number."}) {
    EXPECT_FALSE(is_group(notice, kOfDora)) << notice;
    EXPECT_FALSE(is_group(notice, kUnnamed)) << notice;
  }
  EXPECT_FALSE(is_group("Dora turned off admin", kOfDora));
  EXPECT_FALSE(is_group("Cy left", kOfDora)) << "no group has one of two authors' names";
  for (const absl::string_view notice :
       {"Shop created group \"Club\"", "Shop added you", "Cy left", "Dora added Cy",
        "You're now an admin", "Cy joined using this group's invite link",
        "가을님이 나를 추가했습니다",
        "Messages to this group are now secured with end-to-end encryption. Tap for more info.",
        "Dora changed the subject from \"A\" to \"B\""}) {
    EXPECT_TRUE(is_group(notice, kOfClub)) << notice;
    EXPECT_TRUE(is_group(notice, kUnnamed)) << notice;
  }
  // A name is none of the app's words.
  EXPECT_FALSE(ReadNamed("WhatsApp Chat with Acme Group.txt",
                         "13/05/2024, 09:00 - Your security code with Acme Group changed. Tap to "
                         "learn more.\n13/05/2024, 09:01 - Acme Group: a\n")
                   .survey.is_group);
}

TEST(WhatsAppReaderTest, IosTellsOfPeopleUnderTheirOwnNames) {
  const WhatsAppChat chat =
      ReadNamed("_chat.txt",
                "[13/05/2024, 09:00:00] Gina: two\n"
                "[13/05/2024, 09:00:01] Shop: hi\n"
                "[13/05/2024, 09:00:02] ~\u202fHans: hello\n"
                "[13/05/2024, 09:00:03] Gina: \u200eGina left\n"
                "[13/05/2024, 09:00:04] ~\u202fHans: \u200e~\u202fHans added Ivy\n"
                "[13/05/2024, 09:00:05] Shop: \u200eShop changed the subject to “Gina left”\n"
                "[13/05/2024, 09:00:06] Hans: Hans left\n"
                "[13/05/2024, 09:00:07] Shop: \u200eGina, you left something here\n");
  EXPECT_THAT(
      Told(chat),
      ElementsAre("2024-05-13 09:00 text Gina: two", "2024-05-13 09:00 text Shop: hi",
                  "2024-05-13 09:00 text Hans: hello", "2024-05-13 09:00 system : Gina left",
                  "2024-05-13 09:00 system : ~\u202fHans added Ivy",
                  "2024-05-13 09:00 system : Shop changed the subject to “Gina left”",
                  "2024-05-13 09:00 text Hans: Hans left",
                  "2024-05-13 09:00 text Shop: Gina, you left something here"));
  EXPECT_EQ(chat.survey.system_lines, 3U);
  EXPECT_TRUE(chat.survey.is_group);
}

TEST(WhatsAppReaderTest, NamesMayHoldColonsWhereTheChatsNameOrMeHas) {
  ChatReaderOptions me = TestOptions();
  me.me = " Ben: Office ";
  const WhatsAppChat chats[] = {ReadNamed("WhatsApp Chat with Ben: Office.txt", kColons),
                                ReadWhatsApp(kColons, me)};
  for (const WhatsAppChat& chat : chats) {
    EXPECT_THAT(Told(chat), ElementsAre("2024-05-13 09:00 text Ben: Office: Hello",
                                        "2024-05-13 09:01 text Ann: Note: bring it",
                                        "2024-05-13 09:02 text Ben: Office: http://a.example",
                                        "2024-05-13 09:03 text Ann: ok",
                                        "2024-05-13 09:04 text Ben: Office: note: this",
                                        "2024-05-13 09:05 media Ben: Office: <Media omitted>",
                                        "2024-05-13 09:06 text Ben: Office: bye",
                                        "2024-05-13 09:07 text Ben: Office: and bye"));
    EXPECT_THAT(chat.survey.authors, UnorderedElementsAre(Pair("Ann", 2), Pair("Ben: Office", 6)));
    EXPECT_EQ(chat.messages[0].author, "Ben: Office");
    EXPECT_EQ(chat.survey.media, 1U);
    EXPECT_THAT(chat.remarks, IsEmpty());
  }
}

TEST(WhatsAppReaderTest, TextsThatBeginAlikeStayWholeHoweverManyThereAre) {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    absl::StrAppend(&text, "13/05/2024, 09:", 10 + i, " - Rita: Order: ", i, " apples\n");
    for (const absl::string_view name : {"WhatsApp Chat with Rita.txt", "a.txt"}) {
      const WhatsAppChat chat = ReadNamed(name, text);
      EXPECT_THAT(chat.survey.authors, ElementsAre(Pair("Rita", i + 1)));
      EXPECT_EQ(Told(chat).back(),
                absl::StrCat("2024-05-13 09:", 10 + i, " text Rita: Order: ", i, " apples"));
      EXPECT_EQ(chat.messages.back().author, "Rita");
      EXPECT_EQ(chat.messages.back().text, absl::StrCat("Order: ", i, " apples"));
      // Which nobody would see otherwise.
      if (i + 1 >= 5) {
        EXPECT_THAT(chat.remarks, ElementsAre(AllOf(HasSubstr("1 author begin with the same words"),
                                                    Not(HasSubstr("Rita")))));
      } else {
        EXPECT_THAT(chat.remarks, IsEmpty());
      }
    }
  }
}

TEST(WhatsAppReaderTest, MarksOfIosTellWhereANameEndsUnlessItIsTheChats) {
  const absl::string_view text =
      "[13/05/2024, 09:00:00] Ben: Office: Hello\n"
      "[13/05/2024, 09:00:01] Ann: hi\n"
      "\u200e[13/05/2024, 09:00:02] Ben: Office: \u200eimage omitted\n";
  const WhatsAppChat marked = ReadNamed("_chat.txt", text);
  EXPECT_THAT(marked.survey.authors, UnorderedElementsAre(Pair("Ann", 1), Pair("Ben: Office", 2)));
  EXPECT_EQ(marked.messages[0].text, "Hello");
  EXPECT_EQ(marked.messages[2].kind, MessageKind::kMedia);
  EXPECT_THAT(marked.remarks, ElementsAre(HasSubstr("1 name was read with a colon inside")));
  const WhatsAppChat named = ReadNamed("WhatsApp Chat - Ben.txt", text);
  EXPECT_THAT(named.survey.authors, UnorderedElementsAre(Pair("Ann", 1), Pair("Ben", 2)));
  EXPECT_EQ(named.messages[0].text, "Office: Hello");
  EXPECT_EQ(named.messages[2].kind, MessageKind::kText);
}

TEST(WhatsAppReaderTest, PeopleMayWriteAsTheAppDoes) {
  const WhatsAppChat chat =
      ReadNamed("WhatsApp Chat with Ben.txt",
                "13/05/2024, 09:00 - Ann: Messages and calls are end-to-end "
                "encrypted, even with WhatsApp, you say\n"
                "13/05/2024, 09:01 - Ben: I left the group as admin\n"
                "13/05/2024, 09:02 - ד\"ר כהן: שלום\n"
                "13/05/2024, 09:03 - Ann: This business uses a secure service from "
                "Meta to manage this chat\n\n\n");
  EXPECT_THAT(chat.survey.authors,
              UnorderedElementsAre(Pair("Ann", 2), Pair("Ben", 1), Pair("ד\"ר כהן", 1)));
  EXPECT_EQ(chat.survey.system_lines, 0U);
  EXPECT_EQ(chat.messages[3].text,
            "This business uses a secure service from Meta to manage this chat")
      << "blank lines at the end are the file's";
}

TEST(WhatsAppReaderTest, OtherChatsPastedIntoAMessageStayThere) {
  std::string text;
  for (int i = 10; i < 30; ++i) absl::StrAppend(&text, "13/05/2024, 09:", i, " - Ann: line\n");
  absl::StrAppend(&text, "[20:49, 1/5/2024] Cy: pasted\n[1/5/24, 20:50:12] Dan: too\n",
                  "13/05/2024, 10:00 - Ann: end\n");
  const WhatsAppChat chat = ReadWhatsApp(text);
  ASSERT_THAT(chat.messages, SizeIs(21));
  EXPECT_EQ(chat.messages[19].text,
            "line\n[20:49, 1/5/2024] Cy: pasted\n[1/5/24, 20:50:12] Dan: too");
  EXPECT_THAT(chat.survey.authors, ElementsAre(Pair("Ann", 21)));
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("2 lines")));
}

TEST(WhatsAppReaderTest, LinesMayBeIndentedAllOfThemOrNone) {
  const std::vector<std::string> told = Told(ReadWhatsApp(kTwo));
  for (const absl::string_view blanks : {" ", "    ", "\t"}) {
    const std::string text = absl::StrReplaceAll(kTwo, {{"13/05", absl::StrCat(blanks, "13/05")}});
    EXPECT_TRUE(Looks(text));
    EXPECT_EQ(Told(ReadWhatsApp(text)), told);
  }
  std::string text;
  for (int i = 10; i < 30; ++i) absl::StrAppend(&text, "13/05/2024, 09:", i, " - Ann: line\n");
  absl::StrAppend(&text, "  13/05/2024, 08:00 - Cy: pasted\n");
  const WhatsAppChat chat = ReadWhatsApp(text);
  ASSERT_THAT(chat.messages, SizeIs(20));
  EXPECT_EQ(chat.messages[19].text, "line\n  13/05/2024, 08:00 - Cy: pasted");
}

TEST(WhatsAppReaderTest, FilesOfSeveralFormsAreReadToo) {
  const WhatsAppChat chat = ReadWhatsApp(
      "12/24/19, 11:23 - Ann: a\n1/17/20, 20:49 - Ann: b\n9/24/2019 11:30 p.m. - Ann: c\n"
      "[09/10/22 10:37:00 p.m.] Ann: d\n09-10-2022 10:37:00 p.m. - Ann: e\n"
      "[10.24.21, 15:21:43] Ann: f\n09/10/22, 10:37 p.\u00a0m. - Ann: g\n");
  EXPECT_THAT(Told(chat),
              ElementsAre("2019-12-24 11:23 text Ann: a", "2020-01-17 20:49 text Ann: b",
                          "2019-09-24 23:30 text Ann: c", "2022-09-10 22:37 text Ann: d",
                          "2022-09-10 22:37 text Ann: e", "2021-10-24 15:21 text Ann: f",
                          "2022-09-10 22:37 text Ann: g"));
}

TEST(WhatsAppReaderTest, AnOrderThatIsAssumedIsSaid) {
  const WhatsAppChat chat =
      ReadWhatsApp("03/04/2024, 09:00 - Ann: a\n03/04/2024, 09:01 - Ben: b\n");
  EXPECT_EQ(Minute(chat.messages[0]), "2024-04-03 09:00");
  EXPECT_TRUE(chat.survey.date_order_is_assumed);
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("day-month-year")));
}

TEST(WhatsAppReaderTest, AnEnglishMarkBeforeTheTimeSaysThatTheYearStandsFirst) {
  for (const absl::string_view chat : {"24/8/21 PM 1:28 - Ann: a\n24/8/21 PM 1:30 - Ben: b\n",
                                       "24/8/21, p.m. 1:28 - Ann: a\n24/8/21, p.m. 1:30 - Ben: b\n",
                                       "[24/8/21 PM 1:28:00] Ann: a\n[24/8/21 PM 1:30:00] Ben: b\n",
                                       "24/8/21 오후 1:28 - Ann: a\n24/8/21 오후 1:30 - Ben: b\n",
                                       "[PM 1:28, 24/8/21] Ann: a\n[PM 1:30, 24/8/21] Ben: b\n"}) {
    const WhatsAppChat read = ReadWhatsApp(chat);
    EXPECT_THAT(Told(read),
                ElementsAre("2024-08-21 13:28 text Ann: a", "2024-08-21 13:30 text Ben: b"))
        << chat;
    EXPECT_FALSE(read.survey.date_order_is_assumed) << chat;
  }
  // Behind it, everybody has them; and digits say more than a mark.
  EXPECT_THAT(Told(ReadWhatsApp("24/8/21 1:28 PM - Ann: a\n")),
              ElementsAre("2021-08-24 13:28 text Ann: a"));
  EXPECT_THAT(Told(ReadWhatsApp("24/8/2021 PM 1:28 - Ann: a\n")),
              ElementsAre("2021-08-24 13:28 text Ann: a"));
}

TEST(WhatsAppReaderTest, WhereTheYearIsUncertainThatIsSaid) {
  const WhatsAppChat year = ReadWhatsApp("24/8/21, 13:28 - Ann: a\n24/8/21, 13:30 - Ben: b\n");
  EXPECT_EQ(Minute(year.messages[0]), "2021-08-24 13:28");
  EXPECT_THAT(year.remarks,
              ElementsAre("Nothing in the file tells whether the year stands first or "
                          "last; days were read as day-month-year."));
  const WhatsAppChat day = ReadWhatsApp("3/4/2024, 13:28 - Ann: a\n");
  EXPECT_THAT(day.remarks, ElementsAre("Nothing in the file tells in which order day and month "
                                       "stand; they were read as day-month-year."));
}

TEST(WhatsAppReaderTest, TimesThatCannotBeAreFaults) {
  const WhatsAppChat chat = ReadWhatsApp(
      "13/05/2024, 09:00 - Ann: a\n"
      "14/05/1970, 09:00 - Ann: secret old\n"
      "14/05/2031, 09:00 - Ann: secret new\n"
      "31/02/2024, 09:00 - Ann: secret never\n"
      "12/05/2024, 09:00 - Ann: back\n");
  EXPECT_THAT(Told(chat),
              ElementsAre("2024-05-13 09:00 text Ann: a", "2024-05-12 09:00 text Ann: back"));
  ASSERT_THAT(chat.faults, SizeIs(3));
  EXPECT_EQ(chat.faults[0].fault, "has a time before 2009, when WhatsApp began");
  EXPECT_EQ(chat.faults[0].line, 2);
  EXPECT_EQ(chat.faults[0].raw, "14/05/1970, 09:00 - Ann: secret old");
  EXPECT_EQ(chat.faults[1].fault, "has a time in the future");
  EXPECT_EQ(chat.faults[2].fault, "has a day that is in no calendar, read as day-month-year");
}

TEST(WhatsAppReaderTest, AWordThatMayMeanTheAfternoonIsNotGuessed) {
  const WhatsAppChat chat =
      ReadWhatsApp("13/05/2024, 9:00 xqz - Ann: a\n13/05/2024, 11:00 xqz - Ann: b\n");
  EXPECT_THAT(chat.messages, IsEmpty());
  ASSERT_THAT(chat.faults, SizeIs(2));
  EXPECT_THAT(chat.faults[0].fault, HasSubstr("a word beside its time"));
  // A clock of 24 hours says that it means nothing.
  EXPECT_THAT(Told(ReadWhatsApp("13/05/2024, 9:00 xqz - Ann: a\n13/05/2024, 19:00 xqz - Ann: b\n")),
              ElementsAre("2024-05-13 09:00 text Ann: a", "2024-05-13 19:00 text Ann: b"));
}

TEST(WhatsAppReaderTest, HoursThatAreThereTwiceOrNotAtAll) {
  ChatReaderOptions options = TestOptions();
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Berlin", &options.zone));
  const WhatsAppChat autumn = ReadWhatsApp(
      "27.10.24, 01:50 - Ann: a\n27.10.24, 02:10 - Ann: b\n27.10.24, 02:50 - Ann: c\n"
      "27.10.24, 02:49 - Ann: late\n27.10.24, 02:05 - Ann: d\n27.10.24, 02:04 - Ann: late\n"
      "27.10.24, 03:00 - Ann: e\n",
      options);
  std::vector<std::string> utc;
  for (const ChatMessage& message : autumn.messages) utc.push_back(Minute(message).substr(11));
  EXPECT_THAT(utc, ElementsAre("23:50", "00:10", "00:50", "00:49", "01:05", "01:04", "02:00"));
  const WhatsAppChat spring = ReadWhatsApp(
      "31.03.24, 01:59 - Ann: a\n31.03.24, 02:30 - Ann: b\n31.03.24, 03:31 - Ann: c\n", options);
  utc.clear();
  for (const ChatMessage& message : spring.messages) utc.push_back(Minute(message).substr(11));
  EXPECT_THAT(utc, ElementsAre("00:59", "01:30", "01:31"));
}

TEST(WhatsAppReaderTest, AFileCutInACharacterKeepsWhatThereIs) {
  const std::string text = "13/05/2024, 09:00 - Ann: Hello\n13/05/2024, 09:01 - Ben: 가나";
  for (std::size_t cut = 1; cut <= 2; ++cut) {
    const WhatsAppChat chat = ReadWhatsApp(text.substr(0, text.size() - cut));
    ASSERT_THAT(chat.messages, SizeIs(2)) << cut;
    EXPECT_EQ(chat.messages[1].text, "가");
    EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("line 2")));
  }
}

TEST(WhatsAppReaderTest, BadBytesCostOneMessage) {
  std::string text;
  for (int i = 10; i < 40; ++i) absl::StrAppend(&text, "13/05/2024, 09:", i, " - Ann: 안녕\n");
  absl::StrAppend(&text, "13/05/2024, 10:00 - Ann: \xb0\xa1 secret\n",
                  "13/05/2024, 10:01 - Ann: one\ntwo\xff\nthree\n", "13/05/2024, 10:02 - Ann: a",
                  absl::string_view("\0", 1), "b\n", "13/05/2024, 10:03 - Ann: end\n");
  const WhatsAppChat chat = ReadWhatsApp(text);
  EXPECT_THAT(chat.messages, SizeIs(31));
  ASSERT_THAT(chat.faults, SizeIs(3));
  EXPECT_EQ(chat.faults[0].fault, "holds bytes that are no UTF-8");
  EXPECT_EQ(chat.faults[0].raw, "13/05/2024, 10:00 - Ann: \\xB0\\xA1 secret");
  EXPECT_EQ(chat.faults[1].fault, "holds bytes that are no UTF-8 (line 33)");
  EXPECT_EQ(chat.faults[1].line, 32);
  EXPECT_THAT(chat.faults[2].fault, HasSubstr("NUL"));
}

TEST(WhatsAppReaderTest, FilesOfAnotherEncodingAreRefused) {
  std::string text;
  for (int i = 10; i < 40; ++i)
    absl::StrAppend(&text, "13/05/2024, 09:", i, " - Ann: \xb0\xa1\xb3\xaa\n");
  ExpectRefused(ReadWhatsApp(text), "line 1 holds bytes that are no UTF-8");
}

TEST(WhatsAppReaderTest, WhatStandsBeforeTheFirstMessageIsNotLost) {
  const WhatsAppChat chat = ReadWhatsApp(absl::StrCat("\n\nthe end of a message\n", kTwo));
  EXPECT_THAT(chat.messages, SizeIs(2));
  ASSERT_THAT(chat.faults, SizeIs(1));
  EXPECT_EQ(chat.faults[0].fault, "stands before the first message");
  EXPECT_EQ(chat.faults[0].line, 3);
  EXPECT_EQ(chat.faults[0].raw, "the end of a message");
}

TEST(WhatsAppReaderTest, WhatHoldsNoMessageIsRefused) {
  ExpectRefused(ReadWhatsApp("name,phone\nAnn,1\n"), "holds no message");
  ExpectRefused(ReadWhatsApp("{\"a\":1}\n"), "holds no message");
  EXPECT_FALSE(Looks("name,phone\nAnn,1\n"));
  EXPECT_FALSE(Looks("2024년 1월 3일 오후 2:05, 이름 : 메시지\n"));
  EXPECT_TRUE(Looks(kTwo));
}

TEST(WhatsAppReaderTest, TextsThatAreTooLongAreFaults) {
  std::string text(kTwo);
  absl::StrAppend(&text, "13/05/2024, 10:00 - Ann: ", std::string(2 << 20, 'x'), "\n",
                  "13/05/2024, 10:01 - Ann: start\n");
  for (int i = 0; i < 40; ++i) absl::StrAppend(&text, std::string(50'000, 'y'), "\n");
  absl::StrAppend(&text, "13/05/2024, 10:02 - Ann: end\n");
  const WhatsAppChat chat = ReadWhatsApp(text);
  EXPECT_THAT(chat.messages, SizeIs(3)) << "the two, and the last";
  ASSERT_THAT(chat.faults, SizeIs(2));
  EXPECT_THAT(chat.faults[0].fault, HasSubstr("longer than 1 MiB"));
  EXPECT_THAT(chat.faults[1].fault, HasSubstr("longer than 1 MiB"));
  EXPECT_EQ(chat.messages[2].text, "end");
}

TEST(WhatsAppReaderTest, TenThousandAuthorsAreEnough) {
  std::string text;
  for (int i = 0; i < 10'050; ++i)
    absl::StrAppend(&text, "13/05/2024, 09:00 - Person ", i, ": hi\n");
  const WhatsAppChat chat = ReadWhatsApp(text);
  EXPECT_THAT(chat.messages, SizeIs(10'050));
  EXPECT_THAT(chat.survey.authors, SizeIs(ChatSurvey::kMaxAuthors));
  EXPECT_EQ(chat.survey.messages, 10'050U);
  EXPECT_THAT(chat.remarks, Contains(HasSubstr("10000 people")));
}

TEST(WhatsAppReaderTest, PipesAreReadTwiceToo) {
  std::string text;
  for (int i = 0; i < 30'000; ++i) {
    absl::StrAppend(&text, "13/05/2024, ", 10 + i / 3000, ":", 10 + i % 50, " - ",
                    i % 2 ? "Ann" : "Ben", ": message ", i, "\n");
  }
  for (const std::string& bytes :
       {text, testing::WriteZip({{"_chat.txt", text}}), std::string(kTwo)}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer([&, end = ends[1]] {
      for (absl::string_view left = bytes; !left.empty();) {
        const ssize_t wrote = write(end, left.data(), left.size());
        if (wrote <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(wrote));
      }
      close(end);
    });
    auto source = ByteSource::Open(absl::StrCat("/proc/self/fd/", ends[0]));
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_TRUE(LooksLikeWhatsApp(**source));
    const WhatsAppChat chat = ReadFrom(**source, TestOptions());
    EXPECT_TRUE(chat.status.ok()) << chat.status;
    EXPECT_THAT(chat.messages, SizeIs(bytes == kTwo ? 2 : 30'000));
    writer.join();
    close(ends[0]);
  }
}

TEST(WhatsAppReaderTest, ZipsHoldOneChatBesideItsMedia) {
  const std::string photo(1000, 'p');
  const testing::ZipParts parts = {{"IMG-20240513-WA0001.jpg", photo},
                                   {"WhatsApp Chat with Ben B.txt", std::string(kTwo)},
                                   {"00000012-notes.txt", "13/05/2024, 09:00 - Cy: other\n"},
                                   {"PTT-20240513-WA0002.opus", photo}};
  const std::string zip = testing::WriteZip(parts);
  EXPECT_TRUE(Looks(zip));
  const WhatsAppChat chat = ReadWhatsApp(zip);
  EXPECT_EQ(Told(chat), Told(ReadWhatsApp(kTwo)));
  EXPECT_EQ(chat.survey.chat_name, "Ben B");
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("3 media files")));
  // iOS names the zip, and a folder may be packed again.
  for (const char* name : {"_chat.txt", "WhatsApp Chat - Ben/_chat.txt"}) {
    const WhatsAppChat ios =
        ReadNamed("WhatsApp Chat - Ben B.zip",
                  testing::WriteZip({{name, std::string(kTwo)}, {"__MACOSX/._chat.txt", "x"}}));
    EXPECT_THAT(ios.messages, SizeIs(2));
    EXPECT_EQ(ios.survey.chat_name, "Ben B");
    EXPECT_THAT(ios.remarks, IsEmpty());
  }
  EXPECT_EQ(ReadWhatsApp(testing::WriteZip({{"홍길동님과의 WhatsApp 대화.txt", std::string(kTwo)}}))
                .survey.chat_name,
            "홍길동");
  // A name in a language that is not known.
  EXPECT_THAT(ReadWhatsApp(testing::WriteZip({{"xyz Ben.txt", std::string(kTwo)}})).messages,
              SizeIs(2));
}

TEST(WhatsAppReaderTest, ZipsThatAreNoChatOrMeanHarmAreRefused) {
  const std::string two(kTwo);
  ExpectRefused(ReadWhatsApp(testing::WriteZip({{"a.jpg", "x"}})), "without a chat");
  ExpectRefused(ReadWhatsApp(testing::WriteZip({{"notes.txt", "hello"}})), "without a chat");
  ExpectRefused(
      ReadWhatsApp(testing::WriteZip({{"WhatsApp Chat with Ann.txt", two}, {"_chat.txt", two}})),
      "with 2 chats");
  ExpectRefused(ReadWhatsApp(testing::WriteZip({{"_chat.txt", two}, {"../Ann.txt", "x"}})),
                "lead out of it");
  ExpectRefused(ReadWhatsApp(testing::WriteZip({{"_chat.txt", two}}, "password")), "password");
  const std::string whole = testing::WriteZip({{"_chat.txt", two}});
  ExpectRefused(ReadWhatsApp(whole.substr(0, whole.size() / 2)), "cut off");
  ExpectRefused(ReadWhatsApp(testing::WriteWorkbook({})), "without a chat");
}

TEST(WhatsAppReaderTest, ZipBombsAreRefusedBeforeTheyFillAnything) {
  // 70 MiB of one message's text pack to some 70 KiB.
  const std::string bomb =
      testing::WriteZip({{"_chat.txt", absl::StrCat(kTwo, std::string(70 << 20, 'x'))}});
  ASSERT_LT(bomb.size(), 1U << 20);
  ExpectRefused(ReadWhatsApp(bomb), "unpacks to far more than a chat could hold");
}

TEST(WhatsAppReaderTest, WhatGrowsWhileItIsReadIsReadAsItWas) {
  const NamedFile file("chat.txt", kTwo);
  auto source = ByteSource::Open(file.path());
  ASSERT_TRUE(source.ok());
  auto reader = OpenWhatsApp(**source, TestOptions());
  ASSERT_TRUE(reader.ok());
  std::ofstream(file.path(), std::ios::app) << "13/05/2024, 09:05 - Cy: later\n";
  ChatMessage message;
  int messages = 0;
  while ((*reader)->Next(message).value_or(false)) ++messages;
  EXPECT_EQ(messages, 2);
  EXPECT_EQ((*reader)->bytes_read(), kTwo.size());
}

TEST(WhatsAppReaderTest, RealLookingExports) {
  const std::string folder = absl::StrCat(SEALBOOK_SOURCE_DIR, "/tests/fixtures/chats/whatsapp");
  int read = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (!absl::EndsWith(file.path().string(), ".txt")) continue;
    const std::string expected_path =
        absl::StrCat(file.path().string().substr(0, file.path().string().size() - 4), ".expected");
    auto source = ByteSource::Open(file.path());
    ASSERT_TRUE(source.ok());
    EXPECT_TRUE(LooksLikeWhatsApp(**source)) << file.path();
    const WhatsAppChat chat = ReadFrom(**source, TestOptions());
    std::string told = absl::StrCat("order ", chat.survey.date_order, "\n", "group ",
                                    chat.survey.is_group ? "yes" : "no", "\n");
    for (const ChatMessage& message : chat.messages) {
      absl::StrAppend(&told, message.line, " ", absl::StrReplaceAll(Told(message), {{"\n", "\\n"}}),
                      "\n");
    }
    for (const ChatMessage& fault : chat.faults)
      absl::StrAppend(&told, fault.line, " fault ", fault.fault, "\n");
    std::ifstream expected_file(expected_path);
    const std::string expected{std::istreambuf_iterator<char>(expected_file), {}};
    EXPECT_EQ(told, expected) << file.path();
    ++read;
  }
  EXPECT_GE(read, 6);
}

}  // namespace
}  // namespace sealbook::anonymizer
