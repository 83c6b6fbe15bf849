#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/anonymizer/chat_fixture.h"
#include "tests/support/encodings.h"
#include "tests/support/workbook.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::string_view kJsonLine =
    R"({"phone":"+821012345678","time":"2024-01-03T14:05:06Z","direction":"in","text":"x"})";
constexpr absl::string_view kWebhook =
    R"({"object":"whatsapp_business_account","entry":[{"changes":[]}]})";

// The format's name, or "!" and why it is refused.
std::string FormatOf(absl::string_view bytes, std::optional<ChatFormat> asked = std::nullopt) {
  ChatReaderOptions options = TestChatOptions();
  options.format = asked;
  const auto chat = ReadChat(bytes, options);
  if (!chat.ok()) {
    EXPECT_NE(HintOf(chat.status()), "") << chat.status();
    return absl::StrCat("!", chat.status().message());
  }
  return std::string(NameOf(chat->format));
}

TEST(ChatDetectionTest, NamesOfFormatsAreReadAsTheyAreWritten) {
  for (const ChatFormat format : {ChatFormat::kWhatsApp, ChatFormat::kKakaoTalk,
                                  ChatFormat::kWebhook, ChatFormat::kJsonLines}) {
    const auto parsed = ParseChatFormat(NameOf(format));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, format);
  }
  EXPECT_EQ(*ParseChatFormat("WhatsApp"), ChatFormat::kWhatsApp);
  EXPECT_TRUE(absl::IsInvalidArgument(ParseChatFormat("telegram").status()));
}

TEST(ChatDetectionTest, EachFormIsFoundByItsContent) {
  for (const auto& [bytes, format] :
       std::initializer_list<std::pair<absl::string_view, const char*>>{
           {"24/8/21 오후 1:28 - 김하나: 안녕\n24/8/21 오후 1:29 - 박: 네\n", "whatsapp"},
           {"[2024. 1. 3. 오후 2:05:01] 김하나: 안녕\n[2024. 1. 3. 오후 2:06:01] 박: 네\n",
            "whatsapp"},
           {"1/3/24, 2:05 PM - Hana: hi\n", "whatsapp"},
           {"[1/3/24, 2:05:09 PM] Hana: hi\n", "whatsapp"},
           {"2024년 1월 3일 오후 2:05, 김하나 : 안녕\n", "kakaotalk"},
           {"2024. 1. 3. 오후 2:05, 김하나 : 안녕\n", "kakaotalk"},
           {"2:05pm, January 3, 2024, Hana : hi\n", "kakaotalk"},
           {"Jan 3, 2024, 2:05 PM, Hana : hi\n", "kakaotalk"},
           {"--------------- 2024년 3월 11일 월요일 ---------------\n[이] [오전 9:12] 안녕\n",
            "kakaotalk"},
           {"Date,User,Message\n2024-01-03 14:05:00,\"이\",\"안녕\"\n", "kakaotalk"},
           {kWebhook, "webhook"},
           {R"([{"object":"page","entry":[]}])", "webhook"},
           {R"({"field":"messages","value":{}})", "webhook"},
           {R"({"contacts":[],"messages":[]})", "webhook"},
           {"\r\n {\r\n \"object\": \"whatsapp_business_account\"", "webhook"},
           {kJsonLine, "jsonl"},
           {R"({"text":"x","uid":"UID_1"})", "jsonl"}}) {
    EXPECT_EQ(FormatOf(bytes), format) << bytes;
    // With blank lines and a mark in front.
    EXPECT_EQ(FormatOf(absl::StrCat("\xef\xbb\xbf\n", bytes)), format) << bytes;
  }
}

TEST(ChatDetectionTest, PastedPieceOfAnotherAppDoesNotDecide) {
  const std::string kakaotalk = "2024년 1월 3일 오후 2:05, 김하나 : 안녕\n";
  const std::string whatsapp = "24/8/21 오후 1:28 - 김하나: 보세요\n";
  EXPECT_EQ(FormatOf(absl::StrCat(whatsapp, kakaotalk, whatsapp)), "whatsapp");
  EXPECT_EQ(FormatOf(absl::StrCat(kakaotalk, whatsapp, kakaotalk)), "kakaotalk");
  EXPECT_EQ(
      FormatOf("저장한 날짜 : 2015. 8. 3. 오전 12:15\n\n2015. 7. 9. 오후 8:34: 박님이 나갔습니다.\n"
               "2015. 7. 9. 오후 8:34, 박 : 1\n"),
      "kakaotalk");
  EXPECT_EQ(FormatOf(absl::StrCat("앞이 잘린 메시지\n", kakaotalk)), "kakaotalk");
}

TEST(ChatDetectionTest, EncodingsDoNotHideTheForm) {
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    EXPECT_EQ(FormatOf(testing::Encode(kWebhook, encoding, true)), "webhook");
    EXPECT_EQ(FormatOf(testing::Encode(kJsonLine, encoding, true)), "jsonl");
    EXPECT_EQ(FormatOf(testing::Encode("2024년 1월 3일 오후 2:05, 김 : 안녕\n", encoding, true)),
              "kakaotalk");
  }
}

TEST(ChatDetectionTest, FirstObjectMayBeLongerThanTheHead) {
  const std::string filler(100'000, 'x');
  EXPECT_EQ(FormatOf(absl::StrCat(R"({"object":"whatsapp_business_account","entry":[{"id":")",
                                  filler, R"(","changes":[]}]})")),
            "webhook");
}

TEST(ChatDetectionTest, WhatIsNoChatIsRefusedWithWhatItIs) {
  EXPECT_THAT(FormatOf("hello\nworld\n"), HasSubstr("!is no chat"));
  EXPECT_THAT(FormatOf("name,phone\nKim,010-1234-5678\n"), HasSubstr("!is no chat"));
  EXPECT_THAT(FormatOf(R"({"name":"Kim","phone":"010-1234-5678"})"),
              HasSubstr("!is JSON, but neither webhooks of WhatsApp nor chats"));
  EXPECT_THAT(FormatOf(R"({"id":"1","messages":[{"from":"x","text":"y"}]})"),
              HasSubstr("!is JSON, but"));
  EXPECT_THAT(FormatOf(absl::StrCat("[", kJsonLine, "]")), HasSubstr("!is a JSON array"));
  EXPECT_THAT(FormatOf("%PDF-1.7\n"), HasSubstr("!is a PDF"));
  EXPECT_THAT(FormatOf("\x89PNG\r\n\x1a\n"), HasSubstr("!is a picture"));
  EXPECT_THAT(FormatOf("\x1f\x8b\x08"), HasSubstr("!is compressed with gzip"));
  EXPECT_THAT(FormatOf(absl::string_view("SQLite format 3\0", 16)), HasSubstr("!is a database"));
  EXPECT_THAT(FormatOf(testing::WriteZip({{"a.txt", "hello"}})),
              HasSubstr("!is a zip file without a chat of WhatsApp"));
  // What is wrong with a zip is told as WhatsApp's reader tells it.
  EXPECT_THAT(FormatOf("PK\x03\x04"), HasSubstr("cut off"));
  EXPECT_THAT(FormatOf(testing::WriteZip({{"_chat.txt", "hello"}, {"../a.jpg", "x"}})),
              HasSubstr("lead out of it"));
}

TEST(ChatDetectionTest, FormatThatIsAskedForIsNotLookedFor) {
  EXPECT_THAT(FormatOf(kJsonLine, ChatFormat::kKakaoTalk), HasSubstr("!is no export of KakaoTalk"));
  EXPECT_EQ(FormatOf("hello\n", ChatFormat::kJsonLines), "jsonl");
  EXPECT_EQ(FormatOf("hello\n", ChatFormat::kWebhook), "webhook");
  ChatReaderOptions options = TestChatOptions();
  options.format = ChatFormat::kWebhook;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ReadChat(testing::WriteZip({{"a.txt", "hello"}}), options).status()));
}

TEST(ChatDetectionTest, RefusalsHoldNothingOfTheFile) {
  for (const absl::string_view bytes : {"MARKER 010-1234-5678\n", R"({"MARKER":"MARKER"})",
                                        "[MARKER]", "{MARKER}", R"([{"MARKER":1}])"}) {
    EXPECT_THAT(FormatOf(bytes), Not(HasSubstr("MARKER")));
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
