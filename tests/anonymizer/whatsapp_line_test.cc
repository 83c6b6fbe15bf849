// Single lines taken apart. Whole chats: whatsapp_reader_test.cc; all forms:
// whatsapp_score_test.cc.
#include "anonymizer/whatsapp_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "anonymizer/half_days.h"
#include "anonymizer/whatsapp_words.h"

namespace sealbook::anonymizer {
namespace {

// "18 3 2022 14:56:00|rest"; "-" where the line begins no message.
std::string Start(absl::string_view line) {
  const auto start = ParseLineStart(line);
  if (!start) return "-";
  return absl::StrCat(start->date.numbers[0], " ", start->date.numbers[1], " ",
                      start->date.numbers[2],
                      absl::StrFormat(" %02d:%02d", start->hour, start->minute),
                      start->second < 0 ? "" : absl::StrFormat(":%02d", start->second),
                      start->unknown_word ? "?" : "", "|", line.substr(start->rest));
}

TEST(WhatsAppLineTest, LinesOfManyPhones) {
  EXPECT_EQ(Start("18/03/2022, 14:56 - Ann: hi"), "18 3 2022 14:56|Ann: hi");
  EXPECT_EQ(Start("[3/18/22, 2:56:01 PM] Ann: hi"), "3 18 22 14:56:01|Ann: hi");
  EXPECT_EQ(Start("\u200e[3/18/22, 2:56:01\u202fPM] Ann: \u200ehi"),
            "3 18 22 14:56:01|Ann: \u200ehi");
  EXPECT_EQ(Start("24/8/21 오후 1:28 - 홍길동: 네"), "24 8 21 13:28|홍길동: 네");
  EXPECT_EQ(Start("24/8/21 PM 1:28 - A: b"), "24 8 21 13:28|A: b");
  EXPECT_EQ(Start("[2023. 12. 31. 오후 11:58:02] A: b"), "2023 12 31 23:58:02|A: b");
  EXPECT_EQ(Start("[2024/2/9 下午8:01:15] A: b"), "2024 2 9 20:01:15|A: b");
  EXPECT_EQ(Start("28/3/2025, 9:29 p.\u00a0m. - A: b"), "28 3 2025 21:29|A: b");
  EXPECT_EQ(Start("30/08/25 18.00 - A: b"), "30 8 25 18:00|A: b");
  EXPECT_EQ(Start("2023-12-20, 5:46 p.m. - A: b"), "2023 12 20 17:46|A: b");
  EXPECT_EQ(Start("\u200f[15/03/2024, 9:12:05 م] A: b"), "15 3 2024 21:12:05|A: b");
  EXPECT_EQ(Start("[١٨/٣/٢٠٢٢، ٢:٥٦:٠٠ م] A: b"), "18 3 2022 14:56:00|A: b");
  EXPECT_EQ(Start("02.05.18 à 18:00 - A: b"), "2 5 18 18:00|A: b");
  EXPECT_EQ(Start("18.3.2022 klo 14.56 - A: b"), "18 3 2022 14:56|A: b");
  EXPECT_EQ(Start("2021-01-14 19 h 35 - A: b"), "2021 1 14 19:35|A: b");
  EXPECT_EQ(Start("[2021-01-14 19 h 35 min 02 s] A: b"), "2021 1 14 19:35:02|A: b");
  EXPECT_EQ(Start("[14:56:01, 18/3/2022] A: b"), "18 3 2022 14:56:01|A: b");
  EXPECT_EQ(Start("09/12/2012 17:03:48: Ann B: hi"), "9 12 2012 17:03:48|Ann B: hi");
  EXPECT_EQ(Start("[3/18/2565 BE, 14:56:01] A: b"), "3 18 2022 14:56:01|A: b");
  EXPECT_EQ(Start("[3/18/R4, 14:56:01] A: b"), "3 18 2022 14:56:01|A: b");
  EXPECT_EQ(Start("[令和6年2月9日 20:01:15] A: b"), "2024 2 9 20:01:15|A: b");
  EXPECT_EQ(Start("[113/2/9 下午8:01:15] A: b"), "2024 2 9 20:01:15|A: b");
  EXPECT_EQ(Start("2024年1月2日 03:04 - A: b"), "2024 1 2 03:04|A: b");
  EXPECT_EQ(Start("[18.03.22 г., 14:56:00 ч.] A: b"), "18 3 22 14:56:00|A: b");
  EXPECT_EQ(Start("18/03/2022, 14:56 – "), "18 3 2022 14:56|");
  EXPECT_EQ(Start("18/03/2022, 14:56 -"), "18 3 2022 14:56|");
}

TEST(WhatsAppLineTest, MidnightAndNoonOfClocksOfTwelveHours) {
  EXPECT_EQ(Start("1/2/24, 12:05 AM - A: b"), "1 2 24 00:05|A: b");
  EXPECT_EQ(Start("1/2/24, 12:05 PM - A: b"), "1 2 24 12:05|A: b");
  EXPECT_EQ(Start("1/2/24, 0:05 PM - A: b"), "1 2 24 12:05|A: b");
  EXPECT_EQ(Start("1/2/24, 13:05 PM - A: b"), "1 2 24 13:05|A: b");
  EXPECT_EQ(Start("1/2/24, 24:05 - A: b"), "1 2 24 00:05|A: b");
  EXPECT_EQ(Start("[2024/2/9 中午12:05:15] A: b"), "2024 2 9 12:05:15|A: b");
  EXPECT_EQ(Start("[2024/2/9 中午11:05:15] A: b"), "2024 2 9 11:05:15|A: b");
  EXPECT_EQ(Start("[2024/2/9 中午1:05:15] A: b"), "2024 2 9 13:05:15|A: b");
  EXPECT_EQ(Start("[2024/2/9 凌晨12:05:15] A: b"), "2024 2 9 00:05:15|A: b");
  EXPECT_EQ(Start("[2024/2/9 晚上11:05:15] A: b"), "2024 2 9 23:05:15|A: b");
  EXPECT_EQ(Start("[2024/2/9 深夜1:05:15] A: b"), "2024 2 9 01:05:15|A: b");
}

TEST(WhatsAppLineTest, WhatPeopleWriteBeginsNoMessage) {
  for (const absl::string_view line : {"",
                                       "hello",
                                       "12/05 - lunch",
                                       "12/05/2024 - lunch at 3",
                                       "1.2.3",
                                       "10:30 - standup",
                                       "[1] first",
                                       "[12/05/2024] no time",
                                       "2024-01-02 03:04 and more - so: it",
                                       "1/2/24, 25:00 - A: b",
                                       "1/2/24, 10:60 - A: b",
                                       "1/2/24, 10:5 - A: b",
                                       "1/2/24 10:00-11:00 - A: b",
                                       "+82 10-1234-5678: call",
                                       "1/2/24, 10:00",
                                       "1/2/24, 10:00, Ann : hi",
                                       "18/03-2022, 14:56 - A: b",
                                       "20240102, 10:00 - A: b",
                                       "1234567890",
                                       "[1/2/24, 10:00 Ann: hi",
                                       "1/2/2/24, 10:00 - A: b",
                                       "http://a/1/2/24, 10:00 - A: b",
                                       "[홍길동] [오전 9:12] 네",
                                       "2024년 1월 3일 오후 2:05, 이름 : 메시지",
                                       "2024. 1. 3. 오후 2:05, 이름 : 메시지",
                                       "--------------- 2024년 3월 11일 월요일 ---------------"}) {
    EXPECT_EQ(Start(line), "-") << line;
  }
}

TEST(WhatsAppLineTest, AWordThatIsNotKnownIsTold) {
  EXPECT_EQ(Start("1/2/24, 3:05 xqz - A: b"), "1 2 24 03:05?|A: b");
  EXPECT_EQ(Start("[1/2/24 xqz 3:05:01] A: b"), "1 2 24 03:05:01?|A: b");
  EXPECT_EQ(Start("1/2/24, 3:05 we meet there again - A: b"), "-");
}

TEST(WhatsAppLineTest, LinesThatAreCutAnywhereDoNoHarm) {
  for (const absl::string_view line :
       {"\u200f[١٨/٣/٢٠٢٢، ٢:٥٦:٠٠\u00a0م] علي: مرحبا", "[令和6年2月9日 下午 8時01分15秒] A: b",
        "28/3/2025, 9:29 p.\u00a0m. - ~\u202fAnn: b"}) {
    for (std::size_t size = 0; size <= line.size(); ++size) {
      const auto start = ParseLineStart(line.substr(0, size));
      EXPECT_LE(start ? start->rest : 0, size);
    }
  }
}

TEST(WhatsAppLineTest, ColonsAndAuthors) {
  EXPECT_EQ(FindColons("Ann: hi: there").count, 2U);
  EXPECT_EQ(FindColons("Ann:\u200ehi").count, 1U);
  EXPECT_EQ(FindColons("Ann:").count, 1U);
  EXPECT_EQ(FindColons("http://a 10:30").count, 0U);
  const auto may = [](absl::string_view rest) {
    return MayBeAuthor(rest, FindColons(rest).all[0]);
  };
  EXPECT_TRUE(may("Ann: hi"));
  EXPECT_TRUE(may("Dwayne \"Rock\" J: hi"));
  EXPECT_FALSE(may("Ann changed the subject from \"A: B\" to \"C\""));
  EXPECT_FALSE(may("Ann created group “Sales: 2024”"));
  EXPECT_FALSE(may("Ann hat den Betreff zu „Büro: Mai“ geändert"));
  EXPECT_FALSE(may(absl::StrCat(std::string(150, 'x'), ": hi")));
  EXPECT_FALSE(may("\u200e: hi"));
  EXPECT_EQ(CleanAuthor("~\u202fMax"), "Max");
  EXPECT_EQ(CleanAuthor("\u202a+49\u00a0170\u00a01234567\u202c"), "+49\u00a0170\u00a01234567");
  EXPECT_EQ(CleanAuthor("~ Max "), "Max");
  EXPECT_EQ(CleanAuthor("~"), "~");
  EXPECT_EQ(CleanAuthor("\u200fنورة\u200f"), "نورة");
}

TEST(WhatsAppWordsTest, PlaceholdersInManyLanguages) {
  for (const absl::string_view text :
       {"<Media omitted>", "<media omitted>", "<미디어 파일 제외됨>", "<省略多媒体文件>",
        "image omitted", "Bild weggelassen", "bild weggelassen", "изображение отсутствует",
        "IMG-20240101-WA0001.jpg (file attached)",
        "IMG-20240101-WA0001.jpg (in a language that is not known)",
        "price list.pdf (archivo adjunto)", "<attached: 00000012-PHOTO-2024-01-01-10-00-00.jpg>",
        "<какое-то слово: 00000012-PHOTO.jpg>", "Price list.pdf • 2 pages document omitted",
        "Some file.txt \u200edocument omitted", "a.pdf • 2 страницы документ отсутствует",
        "<Media omitted>\nwith a text below"}) {
    EXPECT_TRUE(IsMediaPlaceholder(text)) << text;
  }
  for (const absl::string_view text :
       {"", "hi", "<3", "<b>", "the image omitted here", "see a.pdf (the second page)",
        "(file attached)x", "I saw: a.jpg"}) {
    EXPECT_FALSE(IsMediaPlaceholder(text)) << text;
  }
  for (const absl::string_view text :
       {"This message was deleted", "This message was deleted.", "이 메시지는 삭제되었습니다",
        "此訊息已刪除", "You deleted this message", "Se eliminó este mensaje.",
        "このメッセージは削除されました。", "This message was deleted by admin Ann."}) {
    EXPECT_TRUE(IsDeletedPlaceholder(text)) << text;
  }
  EXPECT_FALSE(IsDeletedPlaceholder("This message was deleted\nbut I wrote it"));
  EXPECT_EQ(EditedMarkBytes("hi <This message was edited>"), 26U);
  EXPECT_EQ(EditedMarkBytes("hi \u200e<words of a language that nobody knows>"), 43U);
  EXPECT_EQ(EditedMarkBytes("hi <b>"), 0U);
  EXPECT_EQ(EditedMarkBytes("\u200e<attached: 1.jpg>"), 0U);
  EXPECT_TRUE(IsNotice("Messages and calls are end-to-end encrypted."));
  EXPECT_FALSE(IsNotice("Message me tonight"));
}

TEST(WhatsAppWordsTest, NamesOfFilesHoldTheChats) {
  EXPECT_EQ(ChatNameOf("/tmp/WhatsApp Chat with Ann B.txt"), "Ann B");
  EXPECT_EQ(ChatNameOf("WhatsApp Chat - Ann.zip"), "Ann");
  EXPECT_EQ(ChatNameOf("WhatsApp Chat with Ann (2).txt"), "Ann");
  EXPECT_EQ(ChatNameOf("WhatsApp_Chat_with_Ann_B.txt"), "Ann B");
  EXPECT_EQ(ChatNameOf("홍길동님과의 WhatsApp 대화.txt"), "홍길동");
  EXPECT_EQ(ChatNameOf("与王伟的 WhatsApp 对话.txt"), "王伟");
  EXPECT_EQ(ChatNameOf("WhatsApp 與 王偉 的對話.txt"), "王偉");
  EXPECT_EQ(ChatNameOf("Chat de WhatsApp con Luz.txt"), "Luz");
  EXPECT_EQ(ChatNameOf("Ann ile WhatsApp Sohbeti.txt"), "Ann");
  EXPECT_EQ(ChatNameOf("_chat.txt"), std::nullopt);
  EXPECT_EQ(ChatNameOf("notes.txt"), std::nullopt);
  EXPECT_EQ(ChatNameOf("WhatsApp Chat with .txt"), std::nullopt);
  EXPECT_EQ(ChatNameOf("WhatsApp Chat with Ann.pdf"), std::nullopt);
}

TEST(HalfDaysTest, SpacesDotsAndCapitalsMakeNoDifference) {
  for (const absl::string_view mark :
       {"PM", "pm", "p.m.", "p. m.", "P.\u00a0M.", "p.\u202fm.", "오후", "下午", "μ.μ.", "à 오후",
        "klo ip.", "e pasdites", "ÖS", "dé pm"}) {
    const HalfDay half = FindHalfDay(mark).half;
    if (mark == absl::string_view("dé pm")) {
      EXPECT_EQ(half, HalfDay::kUnknown);
    } else {
      EXPECT_EQ(half, HalfDay::kAfternoon) << mark;
    }
  }
  EXPECT_EQ(FindHalfDay(" , ").half, HalfDay::kNone);
  EXPECT_EQ(FindHalfDay("à").half, HalfDay::kNone);
  EXPECT_TRUE(FindHalfDay("오전").year_first);
  EXPECT_FALSE(FindHalfDay("AM").year_first);
}

}  // namespace
}  // namespace sealbook::anonymizer
