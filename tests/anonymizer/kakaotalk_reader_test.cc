#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/anonymizer/chat_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

Chat ReadExport(absl::string_view bytes) {
  auto chat = ReadChat(bytes);
  EXPECT_TRUE(chat.ok()) << chat.status();
  if (!chat.ok()) return {};
  EXPECT_EQ(chat->format, ChatFormat::kKakaoTalk);
  EXPECT_TRUE(chat->end.ok()) << chat->end;
  return *std::move(chat);
}

TEST(KakaoTalkReaderTest, AndroidInKorean) {
  const Chat chat = ReadExport(
      "김하나 님과 카카오톡 대화\r\n"
      "저장한 날짜 : 2024년 1월 5일 오전 9:00\r\n"
      "\r\n"
      "\r\n"
      "2024년 1월 3일 오후 2:05\r\n"
      "2024년 1월 3일 오후 2:05, 김하나 : 안녕하세요\r\n"
      "2024년 1월 3일 오후 12:30, 회원님 : 네 : 그래요\r\n"
      "둘째 줄\r\n"
      "\r\n"
      "넷째 줄\r\n"
      "2024년 1월 3일 오후 11:59, 김하나 : 사진\r\n"
      "\r\n"
      "2024년 1월 4일 오전 12:00\r\n"
      "2024년 1월 4일 오전 12:00, 김하나님이 나갔습니다.\r\n"
      "2024년 1월 4일 오전 12:01, 회원님 : 삭제된 메시지입니다.\r\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("6 2024-01-03 14:05:00 text 김하나: 안녕하세요",
                          "7 2024-01-03 12:30:00 text 회원님: 네 : 그래요|둘째 줄||넷째 줄",
                          "11 2024-01-03 23:59:00 media 김하나: 사진",
                          "14 2024-01-04 00:00:00 system : 김하나님이 나갔습니다.",
                          "15 2024-01-04 00:01:00 deleted 회원님: 삭제된 메시지입니다."));
  EXPECT_THAT(chat.faults(), IsEmpty());
  EXPECT_EQ(chat.survey->chat_name, "김하나");
  EXPECT_THAT(chat.survey->authors, ElementsAre(Pair("김하나", 2), Pair("회원님", 2)));
  EXPECT_EQ(chat.survey->self, "회원님");
  EXPECT_EQ(chat.survey->messages, 4u);
  EXPECT_EQ(chat.survey->system_lines, 1u);
  EXPECT_EQ(chat.survey->media, 1u);
  EXPECT_EQ(chat.survey->deleted, 1u);
  EXPECT_FALSE(chat.survey->is_group);  // the other one left
  EXPECT_EQ(chat.survey->date_order, "");
}

TEST(KakaoTalkReaderTest, OneOfTwoMayLeave) {
  const std::string two =
      "2024년 1월 3일 오후 2:05, 샵 : 안녕하세요\n2024년 1월 3일 오후 2:06, 김떠남 : 네\n";
  const auto is_group = [&](absl::string_view more) {
    return ReadExport(absl::StrCat(two, more)).survey->is_group;
  };
  const std::string at = "2024년 1월 4일 오후 12:01, ";
  EXPECT_FALSE(is_group(at + "김떠남님이 나갔습니다.\n"));
  EXPECT_FALSE(is_group(at + "김떠남님이 나갔습니다.\n" + at + "김떠남님이 들어왔습니다.\n"));
  EXPECT_TRUE(is_group(at + "박셋님이 나갔습니다.\n"));
  EXPECT_TRUE(is_group(at + "샵님이 박셋님을 초대했습니다.\n"));
  EXPECT_TRUE(is_group(at + "박셋님을 내보냈습니다.\n"));
  // The other one wrote nothing.
  const Chat silent = ReadExport(
      "김떠남 님과 카카오톡 대화\n저장한 날짜 : 2024년 1월 5일 오후 3:00\n\n"
      "2024년 1월 3일 오후 2:05, 샵 : 안녕하세요\n2024년 1월 4일 오후 12:01, 김떠남님이 "
      "나갔습니다.\n");
  EXPECT_FALSE(silent.survey->is_group);
  const Chat english = ReadExport(
      "8:34pm, July 9, 2015, you : hello\n8:34pm, July 9, 2015, Hana : hi\n"
      "8:35pm, July 9, 2015, Hana has left this chatroom.\n");
  EXPECT_FALSE(english.survey->is_group);
}

TEST(KakaoTalkReaderTest, AndroidInEnglish) {
  const Chat chat = ReadExport(
      "KakaoTalk Chats with Hana,Park,Lee (4)\n"
      "Date Saved : 1:01am, August 3, 2015\n"
      "\n"
      "\n"
      "8:34pm, July 9, 2015\n"
      "8:34pm, July 9, 2015, Park invited Hana and Lee.\n"
      "8:34pm, July 9, 2015, you : hello\n"
      "12:05am, July 10, 2015, Hana : <Photo>\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("6 2015-07-09 20:34:00 system : Park invited Hana and Lee.",
                          "7 2015-07-09 20:34:00 text you: hello",
                          "8 2015-07-10 00:05:00 media Hana: <Photo>"));
  EXPECT_EQ(chat.survey->chat_name, "Hana,Park,Lee");
  EXPECT_EQ(chat.survey->self, "you");
  EXPECT_TRUE(chat.survey->is_group);
}

TEST(KakaoTalkReaderTest, PhoneInKoreanWithDots) {
  const Chat chat = ReadExport(
      "상담방 (4명)과 카카오톡 대화-1.txt\n"
      "저장한 날짜 : 2015. 8. 3. 오전 12:15\n"
      "\n\n\n"
      "2015년 7월 9일 목요일\n"
      "2015. 7. 9. 오후 8:34: 박님이 김님과 이님을 초대했습니다.\n"
      "2015. 7. 9. 오후 8:34, 박 : 1.\n2. 둘\n"
      "\n"
      "2015년 7월 10일 금요일\n"
      "2015. 7. 10. 오전 12:50, 회원님 : 이모티콘\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("7 2015-07-09 20:34:00 system : 박님이 김님과 이님을 초대했습니다.",
                          "8 2015-07-09 20:34:00 text 박: 1.|2. 둘",
                          "12 2015-07-10 00:50:00 media 회원님: 이모티콘"));
  EXPECT_EQ(chat.survey->chat_name, "상담방");
}

TEST(KakaoTalkReaderTest, PhoneInEnglishWithNamedMonths) {
  const Chat chat = ReadExport(
      "KakaoTalk Chats with Team (4 people)-1.txt\n"
      "Date Saved : Aug 3, 2015, 12:20 AM\n\n\n\n"
      "Thursday, July 9, 2015\n"
      "Jul 9, 2015, 8:34 PM: Park invited Hana and Lee.\n"
      "Jul 9, 2015, 8:34 PM, Park : hello\n"
      "Jul 9, 2015 at 8:35\u202fPM, You : photo\n"
      "Sept 3, 2015, 20:35, You : late\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("7 2015-07-09 20:34:00 system : Park invited Hana and Lee.",
                          "8 2015-07-09 20:34:00 text Park: hello",
                          "9 2015-07-09 20:35:00 media You: photo",
                          "10 2015-09-03 20:35:00 text You: late"));
  const Chat british =
      ReadExport("Date Saved : 3 Aug 2015, 00:20\n\n9 Jul 2015 at 08:34, Kim, A : x\n");
  EXPECT_THAT(DescribeAll(british), ElementsAre("3 2015-07-09 08:34:00 text Kim, A: x"));
}

TEST(KakaoTalkReaderTest, ComputerInKorean) {
  const Chat chat = ReadExport(
      "\xef\xbb\xbf상담 님과 카카오톡 대화\r\n"
      "저장한 날짜 : 2024-03-12 09:00:00\r\n"
      "\r\n"
      "--------------- 2024년 3월 11일 월요일 ---------------\r\n"
      "이하나님이 들어왔습니다.\r\n"
      "운영정책을 위반한 메시지로 신고 접수 시 카카오톡 이용에 제한이 있을 수 있습니다.\r\n"
      "[김[대리]] [오전 9:12] 파일: 견적 (1).pdf\r\n"
      "[이하나] [오후 12:00] 첫 줄\r\n"
      "\r\n"
      "[셋째] 줄\r\n"
      "박둘님이 나갔습니다.\r\n"
      "[이하나] [오후 1:00] \r\n"
      "--------------- 2024년 3월 12일 화요일 ---------------\r\n"
      "[이하나] [14:05] 사진 3장\r\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("5 2024-03-11 00:00:00 system : 이하나님이 들어왔습니다.",
                          "6 2024-03-11 00:00:00 system : 운영정책을 위반한 메시지로 신고 접수 시 "
                          "카카오톡 이용에 제한이 있을 수 있습니다.",
                          "7 2024-03-11 09:12:00 media 김[대리]: 파일: 견적 (1).pdf",
                          "8 2024-03-11 12:00:00 text 이하나: 첫 줄||[셋째] 줄",
                          "11 2024-03-11 12:00:00 system : 박둘님이 나갔습니다.",
                          "12 2024-03-11 13:00:00 text 이하나: ",
                          "14 2024-03-12 14:05:00 media 이하나: 사진 3장"));
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("3 notices of the app have no time")));
}

TEST(KakaoTalkReaderTest, ComputerInEnglish) {
  const Chat chat = ReadExport(
      "Team with KakaoTalk Chats\nDate Saved : 2015-08-03 00:47:14\n\n"
      "--------------- Saturday, August 1, 2015 ---------------\n"
      "Park invited Hana.\n"
      "[Hana] [2:37 PM] hello\n"
      "[Park] [12:05 AM] photo\n");
  EXPECT_THAT(DescribeAll(chat), ElementsAre("5 2015-08-01 00:00:00 system : Park invited Hana.",
                                             "6 2015-08-01 14:37:00 text Hana: hello",
                                             "7 2015-08-01 00:05:00 media Park: photo"));
  EXPECT_EQ(chat.survey->chat_name, "Team");
}

TEST(KakaoTalkReaderTest, NoticeQuotedInTheMiddleOfAMessageStaysInIt) {
  const Chat chat = ReadExport(
      "--------------- 2024년 3월 11일 월요일 ---------------\n"
      "[가] [오전 9:12] 보세요\n"
      "박둘님이 나갔습니다.\n"
      "라고 나와요\n");
  EXPECT_THAT(
      DescribeAll(chat),
      ElementsAre("2 2024-03-11 09:12:00 text 가: 보세요|박둘님이 나갔습니다.|라고 나와요"));
}

TEST(KakaoTalkReaderTest, CsvOfMac) {
  const Chat chat = ReadExport(
      "Date,User,Message\n"
      "2015-07-09 20:34:26,\"박\",\"박 invited 김 and.\"\n"
      "2015-07-09 20:34:26,\"박\",\"줄\n\n2015-07-09 20:34:26,\"\"가\"\",\"\"나\"\"\"\n"
      "2015-07-09 20:35:00,\"김, 이\",\"(Photo)\"\n"
      "2015-07-09 20:36:00,\"박\",\"그는 \"안녕\" 했다\n둘째\"\n"
      "2015-07-09 20:37:00,박,no quotes\n"
      "2015-07-09 20:38:00,\"박\",\"박님이 나갔습니다.\"\n"
      "2015-07-09 20:39:00,\"\",\"채팅방 관리자가 메시지를 가렸습니다.\"\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("2 2015-07-09 20:34:26 system : 박 invited 김 and.",
                          "3 2015-07-09 20:34:26 text 박: 줄||2015-07-09 20:34:26,\"가\",\"나\"",
                          "6 2015-07-09 20:35:00 media 김, 이: (Photo)",
                          "7 2015-07-09 20:36:00 text 박: 그는 \"안녕\" 했다|둘째",
                          "9 2015-07-09 20:37:00 text 박: no quotes",
                          "10 2015-07-09 20:38:00 system : 박님이 나갔습니다.",
                          "11 2015-07-09 20:39:00 system : 채팅방 관리자가 메시지를 가렸습니다."));
  EXPECT_THAT(chat.faults(), IsEmpty());
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("1 message has quotes")));
}

TEST(KakaoTalkReaderTest, CsvCutInAQuoteIsAFault) {
  const Chat chat = ReadExport(
      "Date,User,Message\n2015-07-09 20:34:26,\"박\",\"하나\"\n2015-07-09 20:35:26,\"박\",\"둘");
  EXPECT_THAT(chat.messages, SizeIs(1));
  EXPECT_THAT(chat.faults(), ElementsAre("3 opens a quote that is never closed"));
  EXPECT_EQ(chat.rejects[0].raw, "2015-07-09 20:35:26,\"박\",\"둘");
}

TEST(KakaoTalkReaderTest, OtherFormsInsideAMessageAreText) {
  const Chat chat = ReadExport(
      "2024년 1월 3일 오후 2:05, 김 : 이것 보세요\n"
      "[이] [오전 9:12] 안녕\n"
      "2024. 1. 3. 오후 2:05, 박 : 네\n"
      "--------------- 2024년 3월 11일 월요일 ---------------\n"
      "2024년 1월 3일 수요일\n"
      "2024년 1월 3일 오후 2:05\n"
      "2024년 1월 3일 오후 2:06, 김 : 끝\n");
  EXPECT_THAT(chat.messages, SizeIs(2));
  EXPECT_THAT(chat.messages[0].text, HasSubstr("[이] [오전 9:12] 안녕\n2024. 1. 3."));
  EXPECT_THAT(chat.messages[0].text, HasSubstr("2024년 1월 3일 수요일\n2024년 1월 3일 오후 2:05"));
}

TEST(KakaoTalkReaderTest, DateBehindAnEmptyLineOfAMessageIsText) {
  const Chat chat = ReadExport(
      "2024년 1월 3일 오후 2:05, 김 : 언제요?\n"
      "\n"
      "2024년 1월 3일 오후 2:05\n"
      "2024년 1월 3일 수요일\n"
      "둘 중 하나\n"
      "\n"
      "2024년 1월 4일 오전 9:00\n"
      "2024년 1월 4일 오전 9:00, 김 : 끝\n");
  EXPECT_THAT(DescribeAll(chat),
              ElementsAre("1 2024-01-03 14:05:00 text 김: 언제요?||2024년 1월 3일 오후 "
                          "2:05|2024년 1월 3일 수요일|둘 중 하나",
                          "8 2024-01-04 09:00:00 text 김: 끝"));
  EXPECT_THAT(chat.faults(), IsEmpty());
}

TEST(KakaoTalkReaderTest, DaysWithoutAnEmptyLineAboveThem) {
  const Chat chat = ReadExport(
      "김 님과 카카오톡 대화\n저장한 날짜 : 2024년 1월 8일 오전 9:00\n"
      "2024년 1월 3일 수요일\n"
      "2024년 1월 3일 오후 2:05, 김 : 하나\n"
      "2024년 1월 4일 목요일\n"
      "2024년 1월 4일 오후 2:05, 김 : 둘\n"
      "2024년 1월 5일 오전 8:00\n"
      "2024년 1월 5일 오전 8:00, 김 : 이 날이요\n"
      "2024년 1월 5일 금요일\n"
      "2024년 1월 5일 오전 8:01, 김 : 아니면\n"
      "2024년 1월 6일 토요일\n"
      "2024년 1월 7일 오전 9:00, 김 : 언제\n"
      "2024년 1월 8일 오전 8:00\n"
      "2024년 1월 8일 오전 8:30, 김 : 끝\n"
      "2024년 1월 9일 화요일\n");
  EXPECT_THAT(
      DescribeAll(chat),
      ElementsAre("4 2024-01-03 14:05:00 text 김: 하나", "6 2024-01-04 14:05:00 text 김: 둘",
                  "8 2024-01-05 08:00:00 text 김: 이 날이요|2024년 1월 5일 금요일",
                  "10 2024-01-05 08:01:00 text 김: 아니면|2024년 1월 6일 토요일",
                  "12 2024-01-07 09:00:00 text 김: 언제|2024년 1월 8일 오전 8:00",
                  "14 2024-01-08 08:30:00 text 김: 끝|2024년 1월 9일 화요일"));
  EXPECT_THAT(chat.faults(), IsEmpty());
}

TEST(KakaoTalkReaderTest, TimesThatCannotBeAreFaults) {
  const Chat chat = ReadExport(
      "2024년 1월 3일 오후 2:05, 김 : 하나\n"
      "2024년 2월 30일 오후 2:05, 김 : 둘\n"
      "2024년 1월 3일 오후 14:05, 김 : 셋\n"
      "2024년 1월 3일 25:05, 김 : 넷\n"
      "1970년 1월 1일 오전 9:00, 김 : 다섯\n"
      "2026년 1월 2일 오전 9:00, 김 : 여섯\n");
  EXPECT_THAT(DescribeAll(chat), ElementsAre("1 2024-01-03 14:05:00 text 김: 하나"));
  EXPECT_THAT(chat.faults(), ElementsAre("2 has a day or a time that does not exist",
                                         "3 has a day or a time that does not exist",
                                         "4 has a day or a time that does not exist",
                                         "5 has a time before 2009", "6 has a time in the future"));
  EXPECT_EQ(chat.rejects[0].raw, "2024년 2월 30일 오후 2:05, 김 : 둘");
  EXPECT_EQ(chat.survey->messages, 1u);
}

TEST(KakaoTalkReaderTest, ComputerWithoutItsDayIsAFault) {
  const Chat chat = ReadExport(
      "김 님과 카카오톡 대화\n저장한 날짜 : 2024-03-12 09:00:00\n"
      "[이] [오전 9:12] 위\n"
      "--------------- 2024년 2월 30일 금요일 ---------------\n"
      "[이] [오전 9:12] 없는 날\n"
      "--------------- 2024년 3월 11일 월요일 ---------------\n"
      "[이] [오전 9:12] 아래\n");
  EXPECT_THAT(chat.faults(), ElementsAre("3 has no line with its day above it",
                                         "5 has a day or a time that does not exist"));
  EXPECT_THAT(chat.messages, SizeIs(1));
}

TEST(KakaoTalkReaderTest, BytesThatAreNoTextCostTheirMessage) {
  const Chat chat = ReadExport(
      absl::StrCat("2024년 1월 3일 오후 2:05, 김 : 하나\n"
                   "2024년 1월 3일 오후 2:06, 김 : 둘\xed\x95\n"
                   "2024년 1월 3일 오후 2:07, 김 : 셋\n"
                   "셋 계속\xff\n"
                   "셋 끝\n"
                   "2024년 1월 3일 오후 2:08, 김 : 넷\n"
                   "2024년 1월 3일 오후 2:09, 김 : 다",
                   absl::string_view("\0", 1), "섯\n2024년 1월 3일 오후 2:10, 김 : 여섯\xec\n"));
  EXPECT_THAT(DescribeAll(chat), ElementsAre("1 2024-01-03 14:05:00 text 김: 하나",
                                             "6 2024-01-03 14:08:00 text 김: 넷"));
  ASSERT_THAT(chat.rejects, SizeIs(4));
  EXPECT_THAT(chat.faults()[0], HasSubstr("2 holds bytes that are no UTF-8"));
  EXPECT_THAT(chat.faults()[1],
              HasSubstr("3 has a line that cannot be read: line 4 holds bytes that are no UTF-8"));
  EXPECT_THAT(chat.faults()[2], HasSubstr("7 holds a NUL byte"));
  EXPECT_THAT(chat.faults()[3], HasSubstr("8 holds bytes that are no UTF-8"));
  EXPECT_EQ(chat.rejects[1].raw, "2024년 1월 3일 오후 2:07, 김 : 셋\n셋 계속\\xFF\n셋 끝");
  EXPECT_TRUE(chat.rejects[1].text.empty());
}

TEST(KakaoTalkReaderTest, AFileCutInACharacterKeepsWhatThereIs) {
  const absl::string_view phone = "2024년 1월 3일 오후 2:05, 회원님 : 안녕\n";
  const absl::string_view dots = "2024. 1. 3. 오후 2:05, 회원님 : 안녕\n";
  const absl::string_view computer =
      "--------------- 2024년 3월 11일 월요일 ---------------\n[회원님] [오후 2:05] 안녕\n";
  const absl::string_view csv = "Date,User,Message\n2024-01-03 14:05:09,\"Shop\",\"안녕\"\n";
  struct Cut {
    absl::string_view before, last;
  };
  for (const Cut& cut : {Cut{phone, "2024년 1월 3일 오후 2:06, 김잘림 : 가나"},
                         Cut{phone, "2024년 1월 3일 오후 2:06, 김잘림 : 가\n나"},
                         Cut{dots, "2024. 1. 3. 오후 2:06, 김잘림 : 가나"},
                         Cut{computer, "[김잘림] [오후 2:06] 가나"},
                         Cut{csv, "2024-01-03 14:06:09,\"김잘림\",\"가나"}}) {
    const std::string whole = absl::StrCat(cut.before, cut.last);
    std::vector<std::string> files = {whole.substr(0, whole.size() - 1),
                                      whole.substr(0, whole.size() - 2)};
    for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
      files.push_back(testing::Encode(whole, encoding, true));
      files.back().pop_back();
    }
    files.push_back(testing::Encode(whole, Encoding::kCp949, false));
    files.back().pop_back();
    for (const std::string& file : files) {
      const Chat chat = ReadExport(file);
      ASSERT_THAT(chat.messages, SizeIs(2)) << cut.last;
      EXPECT_THAT(chat.faults(), IsEmpty());
      EXPECT_EQ(chat.messages[1].author, "김잘림");
      EXPECT_EQ(chat.messages[1].text.substr(0, 3), "가");
      EXPECT_LE(chat.messages[1].text.size(), 4U);
      EXPECT_THAT(chat.survey->authors, SizeIs(2));
      EXPECT_THAT(chat.remarks, Contains(HasSubstr("ends in the middle of a character, in line")));
    }
  }
  // What is cut off before its text is no part of the message above, and nothing the app says.
  for (const Cut& cut :
       {Cut{phone, "2024년"}, Cut{phone, "2024년 1월 13일 오후"}, Cut{dots, "2024. 1. 13. 오후"},
        Cut{phone, "2024년 1월 3일 오후 2:06, 김잘림"}, Cut{dots, "2024. 1. 3. 오후 2:06, 김잘림"},
        Cut{computer, "[김잘림"}, Cut{computer, "[김잘림] [오후"},
        Cut{computer, "--------------- 2024년 3월"}, Cut{csv, "2024-01-03 14:06:09,\"김잘림"}}) {
    const std::string whole = absl::StrCat(cut.before, cut.last);
    const Chat chat = ReadExport(whole.substr(0, whole.size() - 1));
    ASSERT_THAT(chat.messages, SizeIs(1)) << cut.last;
    EXPECT_EQ(chat.messages[0].text, "안녕");
    EXPECT_THAT(chat.faults(), ElementsAre(HasSubstr("is cut off by the file's end"))) << cut.last;
    EXPECT_THAT(chat.remarks, Contains(HasSubstr("ends in the middle of a character")));
  }
}

TEST(KakaoTalkReaderTest, LinesBeforeTheFirstMessageAreFaultsEach) {
  const Chat chat = ReadExport(
      "김 님과 카카오톡 대화\n저장한 날짜 : 2024년 1월 5일 오전 9:00\n\n"
      "앞이 잘린 메시지\n또 한 줄\n"
      "2024년 1월 3일 오후 2:05, 김 : 하나\n");
  EXPECT_THAT(chat.faults(), ElementsAre("4 stands before the first message",
                                         "5 stands before the first message"));
  EXPECT_EQ(chat.rejects[0].raw, "앞이 잘린 메시지");
}

TEST(KakaoTalkReaderTest, HugeMessageIsAFaultAndTheOthersStay) {
  std::string text = "2024년 1월 3일 오후 2:05, 김 : 하나\n2024년 1월 3일 오후 2:06, 김 : 둘\n";
  for (int i = 0; i < 1200; ++i) absl::StrAppend(&text, std::string(1000, 'x'), "\n");
  absl::StrAppend(&text, "2024년 1월 3일 오후 2:07, 김 : ", std::string(1 << 20, 'y'),
                  "\n계속\n2024년 1월 3일 오후 2:08, 김 : 끝\n");
  const Chat chat = ReadExport(text);
  EXPECT_THAT(chat.faults(), ElementsAre(HasSubstr("2 is longer than 1 MiB")));
  EXPECT_THAT(chat.messages, SizeIs(2));
}

TEST(KakaoTalkReaderTest, EncodingsGiveTheSameMessages) {
  const std::string text =
      "김하나 님과 카카오톡 대화\n저장한 날짜 : 2024년 1월 5일 오전 9:00\n\n"
      "2024년 1월 3일 오후 2:05, 김하나 : 안녕하세요\n"
      "2024년 1월 3일 오후 2:06, 박둘 : 주문한 물건은 언제 오나요\n";
  const std::vector<std::string> expected = DescribeAll(ReadExport(text));
  EXPECT_THAT(expected, SizeIs(2));
  EXPECT_EQ(DescribeAll(ReadExport("\xef\xbb\xbf" + text)), expected);
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be})
    EXPECT_EQ(DescribeAll(ReadExport(testing::Encode(text, encoding, true))), expected);
  const Chat old = ReadExport(testing::Encode(text, Encoding::kCp949, false));
  EXPECT_EQ(DescribeAll(old), expected);
  EXPECT_THAT(old.remarks, ElementsAre(HasSubstr("CP949")));
}

TEST(KakaoTalkReaderTest, PipeGivesWhatAFileGives) {
  std::string text = "2024년 1월 3일 오후 2:05, 김 : 하나\n";
  for (int i = 0; i < 9000; ++i)
    absl::StrAppend(&text, "2024년 1월 4일 오후 2:05, 이름", i % 7, " : 메시지 ", i, "\n계속\n");
  const Chat from_file = ReadExport(text);
  const auto from_pipe = ReadChatThroughPipe(text);
  ASSERT_TRUE(from_pipe.ok()) << from_pipe.status();
  EXPECT_EQ(from_pipe->messages.size(), 9001u);
  EXPECT_EQ(DescribeAll(*from_pipe), DescribeAll(from_file));
  EXPECT_EQ(from_pipe->survey->authors, from_file.survey->authors);
}

TEST(KakaoTalkReaderTest, WhatLooksLikeAPlaceholderOnlyPartlyIsText) {
  for (const absl::string_view media :
       {"사진", "<사진 읽지 않음>", "사진 2장", "동영상", "이모티콘", "(이모티콘)", "음성메시지",
        "파일: a.xlsx", "연락처: 홍", "Photo", "(Emoticon)", "Video", "Voice Note", "File: a.pdf",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.jpg"}) {
    const Chat chat = ReadExport(absl::StrCat("2024년 1월 3일 오후 2:05, 김 : ", media, "\n"));
    ASSERT_THAT(chat.messages, SizeIs(1));
    EXPECT_EQ(KindName(chat.messages[0].kind), "media") << media;
    EXPECT_EQ(chat.messages[0].text, media);
  }
  for (const absl::string_view text :
       {"사진 보내주세요", "사진!", "파일: ", "my photo", "사진\n사진 봐", "photo 3 please",
        "0123456789abcdef.jpg", "삭제된 메시지입니다만"}) {
    const Chat chat = ReadExport(absl::StrCat("2024년 1월 3일 오후 2:05, 김 : ", text, "\n"));
    ASSERT_THAT(chat.messages, SizeIs(1));
    EXPECT_EQ(KindName(chat.messages[0].kind), "text") << text;
  }
}

TEST(KakaoTalkReaderTest, MarksAndBlanksAroundNamesAreNoneOfThem) {
  const Chat chat = ReadExport(
      "\u200e2024년 1월 3일 오후\u00a02:05, \u202a김 하나\u202c : \u200e안녕\u200e\n"
      "2024년 1월 3일 오후 2:06,  : 이름이 없음\n");
  EXPECT_THAT(DescribeAll(chat), ElementsAre("1 2024-01-03 14:05:00 text 김 하나: 안녕",
                                             "2 2024-01-03 14:06:00 system : 이름이 없음"));
}

}  // namespace
}  // namespace sealbook::anonymizer
