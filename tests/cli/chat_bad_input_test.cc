// chat import of files that are not as they should be: each is refused with the reason, or what is
// bad in it is counted and told by its line; nothing is guessed silently, nothing is lost, and
// nothing of the file is shown.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"
#include "tests/support/workbook.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kChat[] =
    "24/8/21 오후 1:28 - 김서연: 안녕하세요\n"
    "24/8/21 오후 1:29 - 별빛상사: 네, 만원입니다\n"
    "24/8/21 오후 1:30 - 김서연: 가격";
constexpr char kKakao[] =
    "이하늘 님과 카카오톡 대화\n저장한 날짜 : 2024년 3월 12일 오전 9:00\n\n"
    "2024년 3월 11일 오후 2:05, 이하늘 : 배송은요?\n"
    "2024년 3월 11일 오후 2:06, 회원님 : 내일이요\n";

std::string Line(const std::string& time, const std::string& text = "Hallo") {
  return absl::StrCat(R"({"phone":"+82 10-9876-5678","time":")", time,
                      R"(","direction":"in","text":")", text, "\"}\n");
}
std::string Hook(const std::string& timestamp, const std::string& from = "821044441111",
                 const std::string& id = "wamid.A") {
  return absl::StrCat(
      R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{)"
      R"("messaging_product":"whatsapp","contacts":[{"profile":{"name":"박 하늘"},"wa_id":")",
      from, R"("}],"messages":[{"from":")", from, R"(","id":")", id, R"(","timestamp":")",
      timestamp, R"(","type":"text","text":{"body":"영업하시나요"}}]},"field":"messages"}]}]})",
      "\n");
}

class ChatBadInputTest : public VaultTest {
 public:
  ChatBadInputTest() { ImportCustomers(); }

  Ran Import(const std::string& name, const std::string& bytes, Words options = {}) {
    options.insert(options.begin(), {"chat", "import", Write(name, bytes), "--timezone", "UTC"});
    const Ran ran = As("owner", options);
    ExpectNothingPersonal(ran);
    return ran;
  }
  // What an import as JSON tells; it ends well.
  Json Told(const std::string& name, const std::string& bytes, Words options = {}) {
    options.push_back("--json");
    const Ran ran = Import(name, bytes, std::move(options));
    EXPECT_EQ(ran.exit, 0) << ran;
    return ran.json();
  }
  // So many messages are there, and the bad ones are those of `lines`, each with a word of its
  // reason.
  void ExpectRejects(const Json& told, int imported,
                     const std::vector<std::pair<int, std::string>>& lines) {
    EXPECT_EQ(told["imported"], imported) << told;
    EXPECT_EQ(told["rejected"], lines.size()) << told;
    ASSERT_THAT(told["rejects"], SizeIs(lines.size())) << told;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(told["rejects"][i]["line"], lines[i].first) << told;
      EXPECT_THAT(told["rejects"][i]["reason"].get<std::string>(), HasSubstr(lines[i].second));
    }
  }
};

TEST_F(ChatBadInputTest, CutInTheMiddleOfACharacter) {
  const std::string chat(kChat);
  const Json whatsapp = Told("a.txt", chat.substr(0, chat.size() - 1), {"--me", "별빛상사"});
  ExpectRejects(whatsapp, 3, {});
  EXPECT_THAT(whatsapp["remarks"].dump(),
              HasSubstr("ends in the middle of a character, in line 3"));
  const std::string zip = WriteZip({{"_chat.txt", chat.substr(0, chat.size() - 1)}});
  EXPECT_THAT(Told("a.zip", zip, {"--me", "별빛상사"})["remarks"].dump(), HasSubstr("in line 3"));

  const std::string kakao(kKakao);
  const std::string cut = kakao.substr(0, kakao.size() - 2);  // of the last syllable, its last byte
  const Json kept = Told("k.txt", cut);
  ExpectRejects(kept, 2, {});
  EXPECT_THAT(kept["remarks"].dump(), HasSubstr("ends in the middle of a character, in line 5"));
  const std::string line = Line("2024-05-01T09:00:00Z", "가격");
  ExpectRejects(Told("l.jsonl", line + line.substr(0, line.size() - 4)), 1, {{2, ""}});
  const std::string hook = Hook("1704258300", "821044441111", "wamid.B");
  ExpectRejects(Told("h.json", Hook("1704258300") + hook.substr(0, hook.find("시나") + 4)), 1,
                {{2, ""}});
}

TEST_F(ChatBadInputTest, MixedEncodings) {
  const std::string cp949 = "24/8/21 오후 1:31 - 별빛상사: \xb3\xd7\n";
  const std::string chat = absl::StrCat(kChat, "\n", cp949, "24/8/21 오후 1:32 - 김서연: ok\n");
  ExpectRejects(Told("a.txt", chat, {"--me", "별빛상사"}), 4, {{4, "no UTF-8"}});
  // All of it in another encoding than WhatsApp writes.
  std::string latin;
  for (int i = 0; i < 20; ++i)
    absl::StrAppend(&latin, "1/2/2024, 10:", 10 + i, " - Ann: f\xfcr dich\n");
  const Ran foreign = Import("latin.txt", latin);
  ExpectError(foreign, 6);
  EXPECT_THAT(foreign.err, AllOf(HasSubstr("latin.txt"), HasSubstr("line 1"), HasSubstr("UTF-8")));
  // A piece of UTF-16 behind UTF-8.
  std::string wide;
  for (const char c : std::string("24/8/21 PM 1:33 - x: y\n")) wide += {c, '\0'};
  const Json pieces = Told("wide.txt", absl::StrCat(kChat, "\n", wide), {"--me", "별빛상사"});
  EXPECT_GE(pieces["rejected"], 1) << pieces;
  // It stands behind the message of line 3, which is no text then.
  EXPECT_EQ(pieces["rejects"][0]["line"], 3) << pieces;
  EXPECT_THAT(pieces["rejects"][0]["reason"].get<std::string>(),
              AllOf(HasSubstr("NUL"), HasSubstr("line 4")));

  ExpectRejects(
      Told("k.txt", absl::StrCat(kKakao, "2024년 3월 11일 오후 2:07, 이하늘 : \xb3\xd7\n")), 2,
      {{6, "no UTF-8"}});
  const std::string old = Line("2024-05-01T09:01:00Z", "\xb3\xd7\xb3\xd7");
  ExpectRejects(Told("l.jsonl", Line("2024-05-01T09:00:00Z", "가격") + old), 1, {{2, "no UTF-8"}});
  const Ran all = Import("old.jsonl", old + old);
  ExpectError(all, 6);
  EXPECT_THAT(all.err, HasSubstr("old.jsonl line 1 holds bytes that are no UTF-8"));
}

TEST_F(ChatBadInputTest, ZipsThatMeanHarm) {
  const std::string chat(kChat);
  ZipParts many;
  for (int i = 0; i < 100'001; ++i) many.emplace_back(absl::StrCat(i, ".jpg"), "");
  std::string nested = WriteZip({{"_chat.txt", chat}});
  for (int depth = 0; depth < 3; ++depth) nested = WriteZip({{"WhatsApp Chat.zip", nested}});
  const struct {
    std::string name, bytes, told;
  } zips[] = {
      {"ratio.zip", WriteZip({{"_chat.txt", chat + std::string(70 << 20, 'x')}}),
       "unpacks to far more than a chat could hold"},
      // The only text, which has to be looked into.
      {"first.zip", WriteZip({{"a.txt", std::string(70 << 20, 'x')}}),
       "a text that unpacks to far more"},
      {"count.zip", WriteZip(many), "far too many files"},
      {"nested.zip", nested, "without a chat"},
      {"up.zip", WriteZip({{"_chat.txt", chat}, {"../../.bashrc", "x"}}), "lead out of it"},
      {"root.zip", WriteZip({{"/etc/_chat.txt", chat}}), "lead out of it"},
      {"back.zip", WriteZip({{"..\\..\\_chat.txt", chat}}), "lead out of it"},
      {"secret.zip", WriteZip({{"_chat.txt", chat}}, "password"), "password"},
      {"two.zip", WriteZip({{"_chat.txt", chat}, {"a/_chat.txt", chat}}), "2 chats"},
      {"same.zip", WriteZip({{"_chat.txt", chat}, {"_chat.txt", chat}}), "2 chats"},
      {"cut.zip", WriteZip({{"_chat.txt", chat}, {"a.jpg", "x"}}).substr(0, 120), "cut off"}};
  for (const auto& zip : zips) {
    const Ran ran = Import(zip.name, zip.bytes, {"--me", "별빛상사"});
    ExpectError(ran, 6);
    EXPECT_THAT(ran.err, AllOf(HasSubstr(zip.name), HasSubstr(zip.told), Not(HasSubstr("list")),
                               Not(HasSubstr("xlsx"))));
  }
  EXPECT_FALSE(std::filesystem::exists(Path(".bashrc")));
}

TEST_F(ChatBadInputTest, WebhooksOfOtherProducts) {
  const struct {
    std::string bytes, told;
  } hooks[] = {
      {R"({"object":"page","entry":[{"id":"1","messaging":[{"message":{"text":"x"}}]}]})",
       "Messenger"},
      {R"({"object":"instagram","entry":[{"id":"1","messaging":[]}]})", "Instagram"},
      {R"({"object":"user","entry":[{"id":"1","changed_fields":["photos"]}]})", ""},
      {R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"leadgen","value":{}}]}]})",
       ""}};
  int line = 1;
  std::string all = Hook("1704258300");
  std::vector<std::pair<int, std::string>> rejects;
  for (const auto& hook : hooks) {
    all += hook.bytes + "\n";
    ++line;
    // The last one is another event of the same product: counted, and no message.
    if (line < 5) rejects.emplace_back(line, hook.told);
  }
  ExpectRejects(Told("all.json", all), 1, rejects);
  // Of programs that are not Meta's.
  for (const char* other : {R"({"event":"message","update_id":1,"chat":{"id":1,"text":"x"}})",
                            R"({"payload":[{"text":"x"}]})"}) {
    const Ran ran = Import("other.json", other);
    ExpectError(ran, 6);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("other.json"), HasSubstr("neither webhooks of WhatsApp")));
  }
}

TEST_F(ChatBadInputTest, TimesLongAgoAndInTheFuture) {
  const std::string next =
      absl::StrCat(absl::ToCivilYear(absl::Now(), absl::UTCTimeZone()).year() + 1);
  const std::string dates =
      "2024-01-02, 10:00 - 김서연: one\n2024-01-02, 10:01 - 별빛상사: two\n"
      "1970-01-01, 00:00 - 김서연: old\n" +
      next +
      "-12-31, 23:59 - 김서연: new\n"
      "2024-01-02, 10:02 - 김서연: three\n2024-01-02, 10:02 - 김서연: four\n";
  ExpectRejects(Told("a.txt", dates, {"--me", "별빛상사"}), 4, {{3, "before 2009"}, {4, "future"}});
  ExpectRejects(Told("l.jsonl", Line("2024-05-01T09:00:00Z") + Line("1970-01-01T00:00:00Z") +
                                    Line(next + "-12-31T00:00:00Z")),
                1, {{2, "before 2009"}, {3, "future"}});
  ExpectRejects(Told("h.json", Hook("1704258300") + Hook("0", "821044441111", "wamid.B") +
                                   Hook("99999999999", "821044441111", "wamid.C") +
                                   Hook("-1", "821044441111", "wamid.D")),
                1, {{2, ""}, {3, ""}, {4, ""}});
  ExpectRejects(Told("k.txt", absl::StrCat(kKakao, "1970년 1월 1일 오전 9:00, 이하늘 : old\n", next,
                                           "년 12월 31일 오전 9:00, 이하늘 : new\n")),
                2, {{6, "before 2009"}, {7, "future"}});
}

TEST_F(ChatBadInputTest, TwoCustomersOfOneName) {
  Must("owner",
       {"import", Write("more.csv", "name,phone\n김서연,010-5555-0001\n"), "--book", "seoul"});
  const Ran ran = Import("a.txt", kChat, {"--me", "별빛상사"});
  ExpectError(ran, 6);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("a.txt"), HasSubstr("several customers"), HasSubstr("UID_"),
                             HasSubstr("--contact")));
  const auto at = ran.err.find("UID_");
  const Json told = Told("a.txt", kChat, {"--me", "별빛상사", "--contact", ran.err.substr(at, 14)});
  ExpectRejects(told, 3, {});
  EXPECT_EQ(told["contacts_created"], 0);
}

TEST_F(ChatBadInputTest, GroupWithoutMe) {
  const std::string group =
      "2024-01-02, 10:00 - 별빛상사 created group \"Club\"\n2024-01-02, 10:01 - 김서연: hello\n"
      "2024-01-02, 10:02 - 이하늘: hi\n2024-01-02, 10:03 - 김서연: bye\n";
  for (const Words& options : {Words{}, Words{"--me", "somebody else"}}) {
    const Ran ran = Import("group.txt", group, options);
    ExpectError(ran, 6);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("group.txt"), HasSubstr("group"), HasSubstr("--me"),
                               HasSubstr("--without-me")));
  }
  const Json told = Told("group.txt", group, {"--without-me"});
  ExpectRejects(told, 4, {});
  EXPECT_THAT(told["remarks"].dump(), HasSubstr("1 message"));
}

}  // namespace
}  // namespace sealbook::testing
