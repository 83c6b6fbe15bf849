// How lists come and go: standard input, rejected rows that come back, lists that are shredded,
// previews.
#include <gmock/gmock.h>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/terminal.h"
#include "tests/support/command_vault.h"
#include "tests/support/list_round_trip.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ImportModesTest : public VaultTest {
 public:
  Json Import(Words more, const std::string& by = "importer") {
    more.insert(more.begin(), "import");
    return Ask(by, more);
  }
  std::size_t CountCustomers() { return TokensOf("owner").size(); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(Path(name)); }
};

TEST_F(ImportModesTest, StandardInputIsAListLikeAnother) {
  Ran ran = As("importer", {"import", "-", "--book", "seoul", "--json"}, {.stdin_text = kSeoulCsv});
  ASSERT_EQ(ran.exit, 0) << ran;
  EXPECT_EQ(ran.json()["imported"], 6);
  EXPECT_EQ(ran.json()["files"][0]["file"], "standard input");
  ran = As("importer", {"import", "-", "--dry-run"}, {.stdin_text = kSeoulCsv});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("standard input: csv, utf-8"));
  ran = As("importer", {"import", "-"}, {.stdin_text = ""});
  ExpectError(ran, 6);
  EXPECT_THAT(ran.err, HasSubstr("standard input is empty"));
}

TEST_F(ImportModesTest, WhatStandardInputCannotGiveIsWrongUsage) {
  const std::vector<Words> wrong = {{"-", "-"}, {"-", "--strict"}, {"-", "--shred"}};
  for (Words words : wrong) {
    words.insert(words.begin(), "import");
    words.push_back("--json");
    ExpectJsonError(As("importer", words, {.stdin_text = kSeoulCsv}), 2, "usage");
  }
  ExpectJsonError(As("owner", {"import", "-", "--passphrase-file", "-", "--json"},
                     {.stdin_text = PassphraseOf("owner")}),
                  2, "usage");
  EXPECT_EQ(CountCustomers(), 0u);
}

TEST_F(ImportModesTest, RejectedLinesOfJsonComeBackAsTheyWere) {
  const std::string good = "{\"name\":\"A\",\"phone\":\"010-1111-2222\"}\n";
  const Json report = Import(
      {Write("list.jsonl", good + "{\"name\":\"B\",\"phone\":\"12\",\"shoe\":\"7 \\\"x\\\"\"}\n"
                                  "{\"name\":\"C\"\nno json\n{}\n"),
       "--rejects", Path("rejects.jsonl")});
  EXPECT_EQ(report["rejected"], 4);
  EXPECT_EQ(report["rejects_files"], Json({Path("rejects.jsonl")}));
  std::string rejects = ReadFile(Path("rejects.jsonl"));
  EXPECT_EQ(
      rejects,
      "{\"sealbook_line\":2,\"sealbook_reason\":\"column 'phone' is no phone number of region "
      "KR\",\"name\":\"B\",\"phone\":\"12\",\"shoe\":\"7 \\\"x\\\"\"}\n"
      "{\"sealbook_line\":3,\"sealbook_reason\":\"is no JSON\",\"name\":\"C\"\n"
      "no json\n"
      "{\"sealbook_line\":5,\"sealbook_reason\":\"holds nothing to keep\"}\n");
  // Nothing of it is good before it is mended.
  EXPECT_EQ(Import({Path("rejects.jsonl")})["rejected"], 4);
  rejects.replace(rejects.find("\"12\""), 4, "\"010-3333-4444\"");
  EXPECT_EQ(Import({Write("mended.jsonl", rejects)})["imported"], 1);
  const Json found = Ask("owner", {"lookup", "--phone", "010-3333-4444"})["contacts"][0];
  EXPECT_EQ(FieldOf(found, "shoe")["value"], "7 \"x\"");
  EXPECT_EQ(found["fields"].size(), 3u) << found;
}

TEST_F(ImportModesTest, RowsThatCannotBeTakenApartAreKeptAsText) {
  Import({Write("list.csv", "name,phone\nA,010-1111-2222\nB,\"010-3333-4444\nC,010-5555-6666,7\n"),
          "--rejects", Path("rejects.csv")});
  const std::string rejects = ReadFile(Path("rejects.csv"));
  EXPECT_THAT(rejects,
              HasSubstr("\"3\",\"opens a quote that is never closed\",\"B,\"\"010-3333-4444\""));
  EXPECT_THAT(
      rejects,
      HasSubstr("\"4\",\"has 3 cells where the header has 2\",\"\",\"C\",\"010-5555-6666\",\"7\""));
  EXPECT_EQ(Import({Path("rejects.csv")})["rejected"], 2);
  EXPECT_EQ(CountCustomers(), 1u);
}

TEST_F(ImportModesTest, RejectedRowsOfAWorkbookComeBack) {
  const std::string book = absl::StrCat(SEALBOOK_SOURCE_DIR, "/examples/daegu.xlsx");
  EXPECT_EQ(Import({book, "--rejects", Path("rejects.csv")})["rejected"], 2);
  std::string rejects = ReadFile(Path("rejects.csv"));
  rejects.replace(rejects.find("1.01E+09"), 8, "010-1000-2025");
  rejects.replace(rejects.find("\"010-1234\""), 10, "010-1000-2026");
  EXPECT_EQ(Import({Write("mended.csv", rejects)})["imported"], 2);
}

// They become cells of a CSV file, in which "=1+1" would be a formula.
TEST_F(ImportModesTest, RejectedRowsOfAnExportedWorkbookComeBackAsTheyWere) {
  const auto book = WrittenList(anonymizer::ListFormat::kWorkbook, {"name", "phone"},
                                {{.fields = {{"name", "=1+1"}, {"phone", "12"}}},
                                 {.fields = {{"name", "'=1+1"}, {"phone", "13"}}}});
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_EQ(Import({Write("book.xlsx", *book), "--rejects", Path("rejects.csv")})["rejected"], 2);
  std::string rejects = ReadFile(Path("rejects.csv"));
  EXPECT_THAT(rejects, AllOf(HasSubstr("\"'=1+1\""), HasSubstr("\"''=1+1\"")));
  rejects.replace(rejects.find("\"12\""), 4, "010-1000-2025");
  rejects.replace(rejects.find("\"13\""), 4, "010-1000-2026");
  EXPECT_EQ(Import({Write("mended.csv", rejects)})["imported"], 2);
  EXPECT_THAT(As("owner", {"lookup", "010-1000-2025"}).out, HasSubstr(" =1+1"));
  EXPECT_THAT(As("owner", {"lookup", "010-1000-2026"}).out, HasSubstr(" '=1+1"));
}

TEST_F(ImportModesTest, ListsOfOtherColumnsHaveRejectsOfTheirOwn) {
  const Json report =
      Import({Write("a.csv", "name,phone\nA,12\n"), Write("b.csv", "phone,name\n34,B\n"),
              Write("c.csv", "phone,name\n56,C\n"), Write("d.csv", "name,phone\nD,010-1111-2222\n"),
              "--rejects", Path("rejects.csv")});
  EXPECT_EQ(report["rejects_files"], Json({Path("rejects.csv"), Path("rejects-2.csv")}));
  EXPECT_THAT(ReadFile(Path("rejects.csv")), AllOf(HasSubstr("\"A\""), Not(HasSubstr("\"B\""))));
  EXPECT_THAT(ReadFile(Path("rejects-2.csv")), AllOf(HasSubstr("\"B\""), HasSubstr("\"C\"")));
  EXPECT_EQ(ModeOf(Path("rejects-2.csv")), 0600u);
}

TEST_F(ImportModesTest, ShreddedListIsGoneOnceAllOfItIsStored) {
  Write("list.csv", kSeoulCsv);
  const Ran ran = As("importer", {"import", Path("list.csv"), "--shred"});
  ASSERT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("was overwritten and deleted"));
  EXPECT_FALSE(Exists("list.csv"));
  EXPECT_EQ(CountCustomers(), 6u);
}

TEST_F(ImportModesTest, ListWithRowsThatAreNowhereElseStays) {
  Write("list.csv", "name,phone\nA,010-1111-2222\nB,12\n");
  Ran ran = As("importer", {"import", Path("list.csv"), "--shred"});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.err, HasSubstr("was not shredded"));
  EXPECT_THAT(ReadFile(Path("list.csv")), HasSubstr("A,010-1111-2222"));
  const Json report = Import({Path("list.csv"), "--shred", "--rejects", Path("rejects.csv")});
  EXPECT_EQ(report["shredded"], Json({Path("list.csv")}));
  EXPECT_FALSE(Exists("list.csv"));
  EXPECT_THAT(ReadFile(Path("rejects.csv")), HasSubstr("\"B\",\"12\""));
}

TEST_F(ImportModesTest, WhatCannotBeShreddedIsToldBeforeAnythingIsStored) {
  Write("list.csv", kSeoulCsv);
  std::filesystem::create_symlink(Path("list.csv"), Path("link.csv"));
  ExpectJsonError(As("importer", {"import", Path("link.csv"), "--shred", "--json"}), 2, "usage");
  std::filesystem::create_hard_link(Path("list.csv"), Path("other.csv"));
  ExpectJsonError(As("importer", {"import", Path("list.csv"), "--shred", "--json"}), 2, "usage");
  std::filesystem::remove(Path("other.csv"));
  ExpectJsonError(As("importer", {"import", Path("list.csv"), "--shred", "--dry-run", "--json"}), 2,
                  "usage");
  EXPECT_EQ(CountCustomers(), 0u);
  EXPECT_EQ(ReadFile(Path("list.csv")), kSeoulCsv);
  // A list that cannot be read is not shredded either.
  ExpectError(As("importer", {"import", Write("bad.csv", "name,phone\n"), "--shred"}), 6);
  EXPECT_TRUE(Exists("bad.csv"));
}

TEST_F(ImportModesTest, OverwritingThatWasInterruptedIsFinished) {
  const std::string half =
      "sealbook has stored this list\n" + std::string(500, '\0') + "A,010-1111-2222\n";
  const Ran told = As("importer", {"import", Write("list.csv", half)});
  ExpectError(told, 6);
  EXPECT_THAT(told.err, HasSubstr("was stored already"));
  EXPECT_EQ(Import({Path("list.csv"), "--shred"})["shredded"], Json({Path("list.csv")}));
  EXPECT_FALSE(Exists("list.csv"));
}

TEST_F(ImportModesTest, NotesInNamesAreSplitOffAndTold) {
  const std::string file = Write("list.csv",
                                 "이름,연락처\n김 씨-지성 민감성-여드름 에센스 구매,010-1111-2222\n"
                                 "박민수,010-3333-4444\n");
  EXPECT_THAT(As("importer", {"import", file, "--dry-run"}).out,
              HasSubstr("1 with a note in the name"));
  const Ran ran = As("importer", {"import", file, "--book", "seoul"});
  EXPECT_THAT(ran.out, HasSubstr("1 name had a note in them"));
  const Json found = Ask("owner", {"lookup", "--phone", "010-1111-2222"})["contacts"][0];
  EXPECT_EQ(FieldOf(found, "name")["value"], "김 씨");
  EXPECT_EQ(FieldOf(found, "name_note")["value"], "지성 민감성-여드름 에센스 구매");
  // An agent reads the name and not what was noted.
  const Json seen = Ask("mina", {"lookup", "--name", "김 씨"})["contacts"][0];
  EXPECT_EQ(FieldOf(seen, "name")["value"], "김 씨");
  EXPECT_FALSE(seen["fields"].contains("name_note"));
}

TEST_F(ImportModesTest, PreviewFitsATerminalOfEightyColumns) {
  std::string list =
      "이름,연락처,이메일,주소,회사,메모,아주 긴 이름을 가진 알 수 없는 열의 머리글입니다\n";
  for (int i = 0; i < 9; ++i)
    list += absl::StrCat("김하나두리,010-1111-222", i, ",a", i, "@example.com,서울,회사,메모,값\n");
  const auto environment = EnvironmentFor(Member("importer"));
  Terminal terminal({"import", Write("list.csv", list), "--dry-run"}, environment);
  EXPECT_EQ(terminal.Wait(), 0) << terminal.screen();
  int lines = 0;
  for (absl::string_view line : absl::StrSplit(terminal.screen(), '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    // What progress drew over, and the folder's name, which may be long.
    if (const auto drawn = line.rfind('\r'); drawn != absl::string_view::npos)
      line = line.substr(drawn + 1);
    if (absl::StrContains(line, "list.csv")) continue;
    EXPECT_LE(cli::DisplayWidth(line), 80) << line;
    ++lines;
  }
  EXPECT_GT(lines, 15);
  EXPECT_THAT(terminal.screen(), HasSubstr("+82 10-****-2220"));
  EXPECT_THAT(terminal.screen(), AllOf(Not(HasSubstr("김하나두리")), Not(HasSubstr("1111"))));
}

}  // namespace
}  // namespace sealbook::testing
