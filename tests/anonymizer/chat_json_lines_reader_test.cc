#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/anonymizer/chat_fixture.h"
#include "tests/support/encodings.h"
#include "vault/records/token.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::string_view kGood =
    R"({"phone":"010-1234-5678","time":"2024-01-03T14:05:06+09:00","direction":"in","text":"x"})";

Chat ReadJsonLines(absl::string_view bytes) {
  ChatReaderOptions options = TestChatOptions();
  options.format = ChatFormat::kJsonLines;
  auto chat = ReadChat(bytes, options);
  EXPECT_TRUE(chat.ok()) << chat.status();
  return chat.ok() ? *std::move(chat) : Chat();
}

// A line with these keys beside those that each needs, as its fault or "good".
std::string FaultOf(absl::string_view phone, absl::string_view time, absl::string_view direction,
                    absl::string_view text) {
  const Chat chat =
      ReadJsonLines(absl::StrCat(kGood, "\n", R"({"phone":)", phone, R"(,"time":)", time,
                                 R"(,"direction":)", direction, R"(,"text":)", text, "}\n"));
  return chat.rejects.empty() ? "good" : chat.rejects[0].fault;
}
std::string FaultOfTimeText(absl::string_view time) {
  return FaultOf(R"("+821012345678")", absl::StrCat("\"", time, "\""), R"("in")", R"("x")");
}

TEST(ChatJsonLinesReaderTest, LinesAreMessages) {
  const std::string token = records::FormatToken(records::MakeToken(10));
  const Chat chat = ReadJsonLines(absl::StrCat(
      kGood, "\n\n", R"({"uid":")", token,
      R"(","time":"2024-01-03T05:05:06.999Z","direction":"out",)",
      R"("author":"~ 박 상담","text":"둘\r\n셋","id":"m1"})", "\r\n",
      R"({"whatsapp_id":"821012345678","phone":"+82 10 1234 5678","time":"2024-01-03 14:05:06z",)",
      R"("direction":"in","text":"y","author":null})", "\n",
      R"({"whatsapp_id":"KR.1349120865530","phone":"+82 10 1234 5678",)",
      R"("time":"2024-01-03t14:05:06+09:00","direction":"in","text":"z"})"));
  EXPECT_THAT(chat.faults(), IsEmpty());
  EXPECT_THAT(
      DescribeAll(chat),
      ElementsAre("1 2024-01-03 14:05:06 text : x", "3 2024-01-03 14:05:06 text 박 상담: 둘|셋",
                  "4 2024-01-03 23:05:06 text : y", "5 2024-01-03 14:05:06 text : z"));
  EXPECT_EQ(chat.messages[0].customer[0].value, "+821012345678");
  EXPECT_EQ(chat.messages[0].outgoing, false);
  EXPECT_EQ(chat.messages[1].token, token);
  EXPECT_EQ(chat.messages[1].outgoing, true);
  EXPECT_EQ(chat.messages[1].id, "m1");
  EXPECT_THAT(chat.messages[1].customer, IsEmpty());
  EXPECT_THAT(chat.messages[2].customer, SizeIs(1));
  EXPECT_THAT(chat.messages[3].customer, SizeIs(2));
  EXPECT_THAT(chat.remarks, IsEmpty());
}

TEST(ChatJsonLinesReaderTest, TimesWithoutZoneOrOfOtherFormsAreFaults) {
  EXPECT_EQ(FaultOfTimeText("2024-01-03T14:05:06"), "has a time without its zone");
  EXPECT_EQ(FaultOfTimeText("2024-01-03T14:05:06.5"), "has a time without its zone");
  for (const absl::string_view time :
       {"2024-01-03", "2024-01-03T14:05Z", "14:05", "2024-13-03T14:05:06Z", "2024-02-30T14:05:06Z",
        "2024-01-03T25:05:06Z", "1704258300", "infinite-future", "2024-01-03T14:05:06+0900",
        "2024-01-03T14:05:06KST", "2024-01-03T14:05:06.Z", "2024/01/03T14:05:06Z",
        "2024-01-03T14:05:06Z ", "+2024-01-03T14:05:06Z"}) {
    EXPECT_EQ(FaultOfTimeText(time), "has a time that is not written as RFC 3339") << time;
  }
  EXPECT_EQ(FaultOfTimeText("1970-01-01T00:00:00Z"), "has a time before 2009");
  EXPECT_EQ(FaultOfTimeText("2026-01-01T00:00:01Z"), "has a time in the future");
  EXPECT_EQ(FaultOfTimeText("2026-01-01T00:00:00Z"), "good");
}

TEST(ChatJsonLinesReaderTest, MissingAndWrongValuesAreFaults) {
  const absl::string_view phone = R"("+821012345678")", time = R"("2024-01-03T14:05:06Z")",
                          in = R"("in")", text = R"("x")";
  EXPECT_EQ(FaultOf(phone, time, in, text), "good");
  EXPECT_EQ(FaultOf("821012345678", time, in, text), "has a phone that is no text");
  EXPECT_EQ(FaultOf("null", time, in, text),
            "names no customer: it has no phone, uid or whatsapp_id");
  EXPECT_THAT(FaultOf(R"("12")", time, in, text), HasSubstr("has a phone that "));
  EXPECT_EQ(FaultOf(phone, "1704258300", in, text), "has a time that is no text");
  EXPECT_EQ(FaultOf(phone, "null", in, text), "has no time");
  EXPECT_EQ(FaultOf(phone, time, R"("IN")", text), "has a direction that is neither in nor out");
  EXPECT_EQ(FaultOf(phone, time, "true", text), "has a direction that is no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"("")"), "has no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"("\n\u200e\n")"), "has no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"(["x"])"), "has a text that is no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"({"body":"x"})"), "has a text that is no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"("a\u0000b")"), "holds a NUL, so it is no text");
  EXPECT_EQ(FaultOf(phone, time, in, R"("x","text":"y")"), "names the key text twice");
  EXPECT_EQ(FaultOf(phone, time, in, R"("x","uid":"UID_123")"),
            "has a uid that is no token, or a mistyped one");
  EXPECT_THAT(FaultOf(phone, time, in, R"("x","whatsapp_id":"!")"),
              HasSubstr("has a whatsapp_id that "));
}

TEST(ChatJsonLinesReaderTest, KeysThatAreNotReadAreTold) {
  const std::string other =
      absl::StrReplaceAll(kGood, {{"{", R"({"channel":{"a":[1,{"text":"inner"}]},"n":1,)"}});
  const Chat chat = ReadJsonLines(absl::StrCat(kGood, "\n", other, "\n", other, "\n"));
  EXPECT_THAT(chat.faults(), IsEmpty());
  EXPECT_EQ(chat.messages[1].text, "x");
  EXPECT_THAT(chat.remarks,
              ElementsAre(HasSubstr("2 lines have keys that are not read, line 2 first")));
}

TEST(ChatJsonLinesReaderTest, BadLinesAreNamedAndTheOthersStay) {
  const Chat chat = ReadJsonLines(absl::StrCat(
      kGood, "\n", kGood.substr(0, 40), "\n[1]\n7\nno\n{}\n", kGood, kGood, "\n", R"({"phone":")",
      "\xed\x95", "\"}\n", kGood, "\n", absl::string_view("{\"a\0", 4), "\n", kGood, "\n",
      std::string((1 << 20) + 1, ' '), "\n", kGood));
  EXPECT_THAT(chat.messages, SizeIs(4));
  EXPECT_THAT(
      chat.faults(),
      ElementsAre("2 is no JSON", "3 is no JSON object", "4 is no JSON object", "5 is no JSON",
                  "6 has no time", "7 is no JSON", HasSubstr("8 holds bytes that are no UTF-8"),
                  HasSubstr("10 holds a NUL byte"), "12 is longer than 1 MiB"));
  EXPECT_EQ(chat.rejects[0].raw, kGood.substr(0, 40));
  EXPECT_EQ(chat.rejects[6].raw, "{\"phone\":\"\\xED\\x95\"}");
}

TEST(ChatJsonLinesReaderTest, DepthCostsNothing) {
  const Chat chat =
      ReadJsonLines(absl::StrCat(kGood, "\n", R"({"x":)", std::string(1'000'000, '['), "\n",
                                 std::string(1'000'000, '['), "\n", kGood, "\n"));
  EXPECT_THAT(chat.messages, SizeIs(2));
  EXPECT_THAT(chat.rejects, SizeIs(2));
}

TEST(ChatJsonLinesReaderTest, EncodingsGiveTheSameMessages) {
  const std::string text = absl::StrReplaceAll(kGood, {{"\"x\"", "\"가을😀\""}});
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    const Chat chat = ReadJsonLines(testing::Encode(text + "\n" + text, encoding, true));
    ASSERT_THAT(chat.messages, SizeIs(2));
    EXPECT_EQ(chat.messages[1].text, "가을😀");
  }
}

// JSON is UTF-8: what else it could be is not guessed.
TEST(ChatJsonLinesReaderTest, OtherEncodingsAreRefusedOrFaultsOfTheirLines) {
  const std::string korean = absl::StrReplaceAll(kGood, {{"\"x\"", "\"가을 하늘\""}});
  const std::string old = testing::Encode(korean, Encoding::kCp949, false);
  const Chat chat = ReadJsonLines(absl::StrCat(korean, "\n", old, "\n", korean, "\n"));
  EXPECT_THAT(chat.messages, SizeIs(2));
  EXPECT_THAT(chat.faults(), ElementsAre(HasSubstr("2 holds bytes that are no UTF-8")));
  const absl::Status all = ReadChat(absl::StrCat(old, "\n", old, "\n")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(all)) << all;
  EXPECT_THAT(std::string(all.message()), HasSubstr("line 1 holds bytes that are no UTF-8"));
}

}  // namespace
}  // namespace sealbook::anonymizer
