// chat import, show, search: each format end to end, who may, and what is refused.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"
#include "tests/support/workbook.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAndroid[] =
    "24/8/21 오후 1:27 - 메시지와 통화는 종단간 암호화됩니다.\n"
    "24/8/21 오후 1:28 - 김서연: 안녕하세요\n가격이 궁금해요\n"
    "24/8/21 오후 1:29 - 별빛상사: 네, 만원입니다\n"
    "24/8/21 오후 1:30 - 김서연: <미디어 파일 제외됨>\n";
constexpr char kAndroidMore[] = "24/8/22 오전 9:00 - 별빛상사: Guten Morgen\n";
constexpr char kIos[] =
    "[2024-03-15, 21:12:05] Chloé Ingram: Is the serum back?\n"
    "[2024-03-15, 21:13:05] 별빛상사: Yes\n";
constexpr char kKakao[] =
    "이하늘 님과 카카오톡 대화\n저장한 날짜 : 2024년 3월 12일 오전 9:00\n\n"
    "2024년 3월 11일 오후 2:05, 이하늘 : 배송은요?\n"
    "2024년 3월 11일 오후 2:06, 회원님 : 내일이요\n";
constexpr char kWebhook[] =
    R"({"object":"whatsapp_business_account","entry":[{"id":"10","changes":[{"value":{)"
    R"("messaging_product":"whatsapp","metadata":{"display_phone_number":"8221234567",)"
    R"("phone_number_id":"106"},"contacts":[{"profile":{"name":"박 하늘"},"wa_id":"821044441111"}],)"
    R"("messages":[{"from":"821044441111","id":"wamid.A","timestamp":"1704258300","type":"text",)"
    R"("text":{"body":"영업하시나요"}}]},"field":"messages"}]}]})";
constexpr char kLines[] =
    R"({"phone":"+82 10-9876-5678","time":"2024-05-01T09:00:00+09:00","direction":"in","text":"Hallo"})"
    "\n"
    R"({"phone":"+82 10-9876-5678","time":"2024-05-01T09:01:00+09:00","direction":"out","author":"Mina","text":"Moin"})"
    "\n";

class ChatTest : public VaultTest {
 public:
  ChatTest() { ImportCustomers(); }

  Json Chat(const std::string& member, Words words) {
    words.insert(words.begin(), {"chat", "import"});
    return Ask(member, std::move(words));
  }
  // "in text" of each message, as `member` is shown them.
  std::vector<std::string> Shown(const std::string& member, const std::string& uid,
                                 Words more = {}) {
    more.insert(more.begin(), {"chat", "show", uid, "--json"});
    const Ran ran = As(member, more);
    EXPECT_EQ(ran.exit, 0) << ran;
    std::vector<std::string> out;
    for (const Json& line : ran.lines())
      out.push_back(
          absl::StrCat(line["direction"].get<std::string>(), " ", line["text"].get<std::string>()));
    return out;
  }
};

TEST_F(ChatTest, ExportOfAPhoneIsTheCustomersAndTwiceAddsNothing) {
  const std::string file = Write("KakaoTalk.txt", kAndroid);
  const Json first = Chat("owner", {file, "--me", "별빛상사", "--timezone", "Asia/Seoul"});
  EXPECT_EQ(first["messages"], 4);
  EXPECT_EQ(first["imported"], 4);
  EXPECT_EQ(first["duplicates"], 0);
  EXPECT_EQ(first["rejected"], 0);
  EXPECT_EQ(first["contacts_created"], 0);  // she is on the list
  EXPECT_EQ(first["format"], "whatsapp");
  EXPECT_THAT(first["date_order"].get<std::string>(), HasSubstr("year"));
  const Json again = Chat("owner", {file, "--me", "별빛상사", "--timezone", "Asia/Seoul"});
  EXPECT_EQ(again["imported"], 0);
  EXPECT_EQ(again["duplicates"], 4);
  const Json longer = Chat("owner", {Write("longer.txt", std::string(kAndroid) + kAndroidMore),
                                     "--me", "별빛상사", "--timezone", "Asia/Seoul"});
  EXPECT_EQ(longer["imported"], 1);
  EXPECT_EQ(longer["duplicates"], 4);

  const std::string uid = TokenOf("김서연");
  const Ran ran = As("mina", {"chat", "show", uid, "--json"});
  ASSERT_EQ(ran.exit, 0) << ran;
  const std::vector<Json> lines = ran.lines();
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_EQ(lines[0]["kind"], "system");
  EXPECT_EQ(lines[0]["direction"], "none");
  EXPECT_EQ(lines[1], Json::parse(R"({"time":"2024-08-21T04:28:00Z","direction":"in","author":"",)"
                                  R"("text":"안녕하세요\n가격이 궁금해요"})"));
  EXPECT_EQ(lines[2]["author"], "별빛상사");
  EXPECT_EQ(lines[2]["direction"], "out");
  EXPECT_EQ(lines[3]["kind"], "media");
  EXPECT_THAT(Shown("mina", uid, {"--limit", "1"}), ElementsAre("out Guten Morgen"));
}

TEST_F(ChatTest, EveryFormatIsFoundAndReadAlsoFromAPipe) {
  const struct {
    std::string name, bytes, format, customer, shown;
    Words options;
  } files[] = {
      {"ios.txt", kIos, "whatsapp", "Chloé Ingram", "in Is the serum back?", {"--me", "별빛상사"}},
      {"WhatsApp Chat - Chloé Ingram.zip",
       WriteZip({{"_chat.txt", kIos}, {"PHOTO.jpg", "\xff\xd8"}}),
       "whatsapp",
       "Chloé Ingram",
       "in Is the serum back?",
       {}},
      {"kakao.txt", kKakao, "kakaotalk", "이하늘", "in 배송은요?", {}},
      {"hook.json", kWebhook, "webhook", "박 하늘", "in 영업하시나요", {}},
      {"lines.jsonl", kLines, "jsonl", "김서준", "in Hallo", {}}};
  for (const auto& file : files) {
    Words words = file.options;
    words.insert(words.begin(), Write(file.name, file.bytes));
    const Json json = Chat("owner", words);
    EXPECT_EQ(json["format"], file.format) << json;
    EXPECT_EQ(json["rejected"], 0) << json;
    EXPECT_EQ(json["contacts_created"], 0) << json;
    EXPECT_THAT(Shown("mina", TokenOf(file.customer)).front(), file.shown);
    if (file.name.find("WhatsApp") != std::string::npos) {
      // The app put the customer's name into the file's.
      EXPECT_THAT(json["file"].get<std::string>(), Not(HasSubstr("Chlo")));
      EXPECT_EQ(json["imported"], 0);  // the same chat as the text before
      continue;
    }
    words[0] = "-";
    words.insert(words.begin(), {"chat", "import"});
    words.push_back("--json");
    const Ran piped = As("owner", words, {.stdin_text = file.bytes});
    ASSERT_EQ(piped.exit, 0) << piped;
    EXPECT_EQ(piped.json()["format"], file.format);
    EXPECT_EQ(piped.json()["imported"], 0);
  }
  EXPECT_THAT(Shown("jun", TokenOf("김서준")), ElementsAre("in Hallo", "out Moin"));
}

TEST_F(ChatTest, AgentReadsOwnCustomersAndNoOthers) {
  Chat("owner", {Write("lines.jsonl", kLines)});
  const std::string uid = TokenOf("김서준");
  EXPECT_THAT(Shown("mina", uid), SizeIs(2));
  EXPECT_THAT(Shown("sora", uid), SizeIs(2));
  // For a contact that is there but not yours, the same answer.
  const Ran other = As("wei", {"chat", "show", uid});
  ExpectError(other, 5);
  EXPECT_EQ(other.err, As("wei", {"chat", "show", NobodysToken()}).err);
  ExpectJsonError(As("wei", {"chat", "search", "Hallo", "--uid", uid, "--json"}), 5, "not_found");
  const Ran searched = As("wei", {"chat", "search", "Hallo", "--json"});
  EXPECT_EQ(searched.exit, 0) << searched;
  EXPECT_EQ(searched.out, "");
  for (const char* member : {"audra", "importer"}) {
    ExpectError(As(member, {"chat", "show", uid}), 3);
    ExpectError(As(member, {"chat", "show", NobodysToken()}), 3);
    ExpectError(As(member, {"chat", "search", "Hallo"}), 3);
  }
  ExpectError(As("mina", {"chat", "show", "UID_1"}), 2);
  ExpectError(As("mina", {"chat", "show", uid, "--limit", "0"}), 2);
  EXPECT_EQ(CountActs("chat.show"), 2);
  EXPECT_EQ(CountActs("chat.show", "denied"), 4);
  EXPECT_EQ(CountActs("chat.show", "not_found"), 2);
}

TEST_F(ChatTest, SearchFoldsCaseAndWidthAndShowsWhoseItIs) {
  Chat("owner", {Write("lines.jsonl", kLines)});
  Chat("owner", {Write("ios.txt", kIos), "--me", "별빛상사"});
  Chat("owner", {Write("kakao.txt", kKakao)});
  const auto search = [&](const std::string& text, Words more = {}) {
    more.insert(more.begin(), {"chat", "search", text, "--json"});
    const Ran ran = As("mina", more);
    EXPECT_EQ(ran.exit, 0) << ran;
    return ran.lines();
  };
  const std::vector<Json> found = search("ＳＥＲＵＭ BACK");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0]["uid"], TokenOf("Chloé Ingram"));
  EXPECT_EQ(found[0]["text"], "Is the serum back?");
  EXPECT_EQ(found[0]["time"].get<std::string>().substr(0, 10), "2024-03-15");
  EXPECT_THAT(search("배송"), SizeIs(1));  // Jamo by Jamo
  EXPECT_THAT(search("o"), SizeIs(2));
  EXPECT_THAT(search("o", {"--limit", "1"}), SizeIs(1));
  EXPECT_THAT(search("o", {"--uid", TokenOf("Chloé Ingram")}), IsEmpty());
  EXPECT_THAT(search("nowhere"), IsEmpty());
  ExpectError(As("mina", {"chat", "search", " "}), 2);
  // The log has counts, and neither the text nor whose it is.
  for (const Json& line : AuditLog()) {
    if (line["act"] != "chat.search") continue;
    EXPECT_THAT(line.dump(), Not(HasSubstr("배송")));
    EXPECT_TRUE(line["detail"].contains("messages")) << line;
  }
}

TEST_F(ChatTest, ImporterWritesAndReadsNothing) {
  const Json json = Chat("importer", {Write("hook.json", kWebhook), "--book", "seoul"});
  EXPECT_EQ(json["imported"], 1);
  EXPECT_EQ(json["contacts_created"], 0);
  EXPECT_THAT(Shown("mina", TokenOf("박 하늘")), ElementsAre("in 영업하시나요"));
  const Json fresh =
      Chat("importer", {Write("ios.txt", kIos), "--me", "별빛상사", "--book", "seoul"});
  EXPECT_EQ(fresh["contacts_created"], 1);  // it may not see that she is on the list
  EXPECT_THAT(fresh["remarks"].dump(), HasSubstr("may not read"));
  EXPECT_EQ(Chat("importer", {Path("ios.txt"), "--me", "별빛상사"})["imported"], 0);
}

TEST_F(ChatTest, WhoMayNotImportIsRefused) {
  const std::string file = Write("lines.jsonl", kLines);
  for (const char* member : {"mina", "sora", "audra"}) {
    ExpectError(As(member, {"chat", "import", file}), 3);
    ExpectError(As(member, {"chat", "import", file, "--dry-run"}), 3);
  }
  EXPECT_THAT(Shown("owner", TokenOf("김서준")), IsEmpty());
}

TEST_F(ChatTest, BadFilesAreNamedWithoutWhatStandsInThem) {
  const std::string named = "WhatsApp Chat with 김서연.txt";
  const struct {
    std::string name, bytes;
    Words options;
    int exit;
  } files[] = {{"empty.txt", "", {}, 6},
               {"prose.txt", "nothing of a chat\nat all\n", {}, 6},
               {"other.json", R"({"object":"page","x":[{"y":1}]})", {"--format", "kakaotalk"}, 6},
               {"tree.json", R"({"a":{"b":1}})", {}, 6},
               {"bomb.zip", WriteZip({{"../_chat.txt", kIos}}), {}, 6},
               {"two.txt", kAndroid, {}, 6},
               {"two.txt", kAndroid, {"--me", "somebody else"}, 6},
               {named, std::string("\xff\xd8\xff", 3), {}, 6},
               {"two.txt", kAndroid, {"--format", "kakaotalk"}, 6},
               {"two.txt", kAndroid, {"--format", "signal"}, 2},
               {"two.txt", kAndroid, {"--timezone", "Mars/Olympus"}, 2},
               {"two.txt", kAndroid, {"--me", "별빛상사", "--without-me"}, 2},
               {"two.txt", kAndroid, {"--me", "별빛상사", "--book", "nowhere"}, 5},
               {"two.txt", kAndroid, {"--me", "별빛상사", "--contact", "UID_1"}, 2},
               {"two.txt", kAndroid, {"--me", "별빛상사", "--contact", NobodysToken()}, 5},
               {"lines.jsonl", kLines, {"--once"}, 2}};
  for (const auto& file : files) {
    Words words = {"chat", "import", Write(file.name, file.bytes)};
    words.insert(words.end(), file.options.begin(), file.options.end());
    const Ran ran = As("owner", words);
    ExpectError(ran, file.exit);
    ExpectNothingPersonal(ran);
    words.push_back("--json");
    EXPECT_EQ(As("owner", words).exit, file.exit);
  }
  ExpectError(As("owner", {"chat", "import"}), 2);
  ExpectError(As("owner", {"chat", "import", Path("nowhere.txt")}), 6);
  ExpectError(As("owner", {"chat", "import", "-", "-"}), 2);
}

TEST_F(ChatTest, WebhookOfAnotherProductIsRejectedByItsLine) {
  const std::string other = Write("other.json", R"({"object":"page","entry":[{"x":1}]})");
  const Ran ran = As("owner", {"chat", "import", other, "--json"});
  EXPECT_EQ(ran.exit, 6) << ran;  // nothing of it could be taken
  const Json json = ran.json();
  EXPECT_EQ(json["error"]["code"], "bad_input");
  EXPECT_THAT(json["error"]["hint"].get<std::string>(), Not(IsEmpty()));
  EXPECT_EQ(json["imported"], 0);
  EXPECT_EQ(json["rejected"], 1);
  EXPECT_EQ(json["rejects"][0]["line"], 1);
  const Ran told = As("owner", {"chat", "import", other});
  EXPECT_EQ(told.exit, 6);
  EXPECT_THAT(told.err, HasSubstr("no message of the file could be taken"));
}

TEST_F(ChatTest, WhatCannotBeTakenIsToldByLineAndKeptToBeMended) {
  const std::string bad =
      std::string(kLines) +
      R"({"phone":"+82 10-9876-5678","time":"1970-01-01T00:00:00Z","direction":"in","text":"old"})"
      "\n"
      R"({"uid":")" +
      NobodysToken() + R"(","time":"2024-05-01T10:00:00Z","direction":"in","text":"whose?"})" +
      "\n" +
      R"({"phone":"+82 10-9876-5678","whatsapp_id":"19145550189","time":"2024-05-01T10:00:00Z",)" +
      R"("direction":"in","text":"both"})" + "\nno json\n";
  const Json json = Chat("owner", {Write("bad.jsonl", bad), "--rejects", Path("rejects.jsonl")});
  EXPECT_EQ(json["messages"], 6);
  EXPECT_EQ(json["imported"], 2);
  EXPECT_EQ(json["rejected"], 4);
  ASSERT_THAT(json["rejects"], SizeIs(4));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(json["rejects"][static_cast<std::size_t>(i)]["line"], i + 3);
  EXPECT_THAT(json["rejects"].dump(), AllOf(HasSubstr("before 2009"), Not(HasSubstr("9876"))));
  EXPECT_EQ(json["rejects_files"], Json({Path("rejects.jsonl")}));
  std::string kept = ReadFile(Path("rejects.jsonl"));
  EXPECT_THAT(kept, AllOf(HasSubstr("\"old\""), HasSubstr("whose?"), HasSubstr("\"both\"")));
  // Mended, they are read as they are: the customer of the last one is the one of the phone.
  for (const std::string& gone :
       {std::string("no json\n"), std::string(R"("whatsapp_id":"19145550189",)")}) {
    const auto at = kept.find(gone);
    ASSERT_NE(at, std::string::npos) << kept;
    kept.erase(at, gone.size());
  }
  EXPECT_EQ(Chat("owner", {Write("mended.jsonl", kept)})["imported"], 1);
}

TEST_F(ChatTest, GroupsNeedToKnowWhoTheCompanyIs) {
  const std::string group = Write("group.txt",
                                  "2024-01-02, 10:00 - 별빛상사 created group \"Club\"\n"
                                  "2024-01-02, 10:01 - 별빛상사: welcome\n"
                                  "2024-01-02, 10:02 - 김서연: hello\n"
                                  "2024-01-02, 10:03 - 이하늘: hi\n"
                                  "2024-01-02, 10:04 - 별빛상사: how are you?\n");
  const Ran unknown = As("owner", {"chat", "import", group});
  ExpectError(unknown, 6);
  EXPECT_THAT(unknown.err, HasSubstr("--me"));
  const Json json = Chat("owner", {group, "--me", "별빛상사"});
  EXPECT_EQ(json["imported"], 5);
  EXPECT_EQ(json["contacts_created"], 0);
  EXPECT_THAT(Shown("mina", TokenOf("이하늘")), ElementsAre("in hi", "out how are you?"));
  EXPECT_THAT(Shown("mina", TokenOf("김서연")), SizeIs(3));
}

TEST_F(ChatTest, DryRunShowsWhatWasFoundAndWritesNothing) {
  const std::string file = Write("export.txt", kAndroid);
  const std::int64_t rows = static_cast<std::int64_t>(AuditLog().size());
  const Ran text = As("owner", {"chat", "import", file, "--me", "별빛상사", "--dry-run"});
  EXPECT_EQ(text.exit, 0) << text;
  ExpectNothingPersonal(text);
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("whatsapp, a chat of two, 2 authors"),
                    HasSubstr("4 messages: 2 of customers, 1 of the company, 1 of the app"),
                    HasSubstr("1 customer, of whom 0 are new"), HasSubstr("dates: ")));
  const Json json = Chat("owner", {file, "--me", "별빛상사", "--dry-run"});
  EXPECT_EQ(json["messages"], 4);
  EXPECT_EQ(json["imported"], 0);
  EXPECT_EQ(json["contacts_created"], 0);
  EXPECT_EQ(json["group"], false);
  EXPECT_THAT(Shown("owner", TokenOf("김서연")), IsEmpty());
  EXPECT_EQ(CountActs("chat.import"), 0);
  EXPECT_GT(static_cast<std::int64_t>(AuditLog().size()), rows);  // what the test itself asked
}

TEST_F(ChatTest, SeveralFilesAreOneAnswer) {
  const Json json = Chat("owner", {Write("lines.jsonl", kLines), Write("hook.json", kWebhook)});
  EXPECT_EQ(json["messages"], 3);
  EXPECT_EQ(json["imported"], 3);
  ASSERT_THAT(json["files"], SizeIs(2));
  EXPECT_EQ(json["files"][1]["format"], "webhook");
}

TEST_F(ChatTest, BadFileDoesNotKeepTheOthersOut) {
  const std::string bad = Write("bad.txt", "no chat at all\n");
  const Words files = {"chat",
                       "import",
                       Write("lines.jsonl", kLines),
                       bad,
                       Path("nothing.jsonl"),
                       Write("hook.json", kWebhook)};
  Words as_json = files;
  as_json.push_back("--json");
  const Ran ran = As("owner", as_json);
  EXPECT_EQ(ran.exit, 6) << ran;
  const Json json = ran.json();
  EXPECT_EQ(json["error"]["code"], "bad_input");
  EXPECT_EQ(json["imported"], 3);
  ASSERT_THAT(json["files"], SizeIs(4));
  EXPECT_FALSE(json["files"][0].contains("error"));
  EXPECT_THAT(json["files"][1]["error"]["message"].get<std::string>(), HasSubstr("bad.txt"));
  EXPECT_TRUE(json["files"][2].contains("error"));
  EXPECT_EQ(json["files"][3]["imported"], 1);
  const Ran text = As("owner", files);
  EXPECT_EQ(text.exit, 6);
  EXPECT_THAT(text.err, AllOf(HasSubstr("bad.txt"), HasSubstr("nothing.jsonl")));
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("lines.jsonl: 2 messages"), HasSubstr("hook.json: 1 message")));
}

// Which clock the times were taken for is told: another one would make other messages of them.
TEST_F(ChatTest, ZoneIsTold) {
  const std::string file = Write("export.txt", kAndroid);
  const Ran named = As("owner", {"chat", "import", file, "--me", "별빛상사", "--timezone",
                                 "Asia/Seoul", "--dry-run"});
  EXPECT_THAT(named.out, AllOf(HasSubstr("times: as of Asia/Seoul\n"), HasSubstr("from 2024-")));
  const Ran assumed = As("owner", {"chat", "import", file, "--me", "별빛상사"});
  EXPECT_THAT(assumed.out, HasSubstr("this machine's zone"));
  const Json json = Chat("owner", {file, "--me", "별빛상사", "--timezone", "Asia/Seoul"});
  EXPECT_EQ(json["timezone"], "Asia/Seoul");
  EXPECT_EQ(json["timezone_assumed"], false);
  EXPECT_EQ(Chat("owner", {Write("lines.jsonl", kLines)})["timezone"], nullptr);
}

TEST_F(ChatTest, TerminalShowsDaysAndFitsItsColumns) {
  std::string lines = kLines;
  lines += R"({"phone":"+82 10-9876-5678","time":"2024-05-02T00:00:00Z","direction":"in","text":")";
  for (int i = 0; i < 30; ++i) lines += "말씀 ";
  lines += "\\u001b[2Jend\"}\n";
  Chat("owner", {Write("long.jsonl", lines)});
  const std::string uid = TokenOf("김서준");
  RunOptions options = Member("mina");
  options.environment["TZ"] = "UTC";
  Terminal terminal({"chat", "show", uid}, EnvironmentFor(options));
  EXPECT_EQ(terminal.Wait(), 0) << terminal.screen();
  const std::string& screen = terminal.screen();
  EXPECT_THAT(screen, AllOf(HasSubstr("── 2024-05-01 ──"), HasSubstr("00:00  ‹ Hallo"),
                            HasSubstr("00:01  › Mina: Moin"), HasSubstr("── 2024-05-02 ──"),
                            Not(HasSubstr("\x1b[2J"))));
  std::istringstream in(screen);
  int wrapped = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.find("말씀") == std::string::npos) continue;
    ++wrapped;
    // A syllable takes three bytes and two columns, a blank one of each.
    const auto blanks = static_cast<std::size_t>(std::count(line.begin(), line.end(), ' '));
    EXPECT_LE((line.size() - blanks) / 3 * 2 + blanks, 80u + 2u) << line;
  }
  EXPECT_EQ(wrapped, 3);
}

// Live messages come one by one; whoever reads them all may write them again together.
TEST_F(ChatTest, CompactWritesWhatCameOneByOneAgainAndLosesNothing) {
  std::string uid;
  std::vector<std::string> texts;
  for (int i = 0; i < 9; ++i) {
    const std::string text = absl::StrCat("message ", i);
    const std::string file =
        Write(absl::StrCat("live-", i, ".jsonl"),
              absl::StrCat(R"({"phone":"+82 10-9876-5678","time":"2024-05-01T09:0)", i,
                           R"(:00Z","direction":"in","text":")", text, "\"}\n"));
    EXPECT_EQ(Chat("owner", {file, "--format", "jsonl"})["imported"], 1);
    texts.push_back("in " + text);
  }
  const Json found = Ask("owner", {"lookup", "--phone", "+82 10-9876-5678"});
  uid = found["contacts"][0]["uid"];
  EXPECT_EQ(Shown("owner", uid), texts);
  const Json report = Ask("owner", {"chat", "compact"});
  EXPECT_EQ(report["messages"], 9);
  EXPECT_EQ(report["chunks_before"], 9);
  EXPECT_EQ(report["chunks_after"], 1);
  EXPECT_EQ(Shown("owner", uid), texts);
  EXPECT_EQ(Ask("owner", {"chat", "compact"})["messages"], 0);
  EXPECT_TRUE(Ask("owner", {"doctor"})["ok"].get<bool>());
}

}  // namespace
}  // namespace sealbook::testing
