// Where rejected rows go, and what no option of `import` may destroy.
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOneBad[] = "name,phone\nA,010-1111-2222\nB,12\n";
constexpr char kNoneBad[] = "name,phone\nC,010-3333-4444\n";

class ImportRejectsTest : public VaultTest {
 public:
  Json Import(Words more, const std::string& by = "importer") {
    more.insert(more.begin(), "import");
    return Ask(by, more);
  }
  Ran Try(Words more, const std::string& by = "importer") {
    more.insert(more.begin(), "import");
    more.push_back("--json");
    return As(by, more);
  }
  std::size_t CountCustomers() { return TokensOf("owner").size(); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(Path(name)); }
  // Nothing is left of what was under way.
  void ExpectNoTemporaries() {
    for (const auto& entry : std::filesystem::directory_iterator(root()))
      EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".sealbook-")));
  }
};

TEST_F(ImportRejectsTest, WhatIsNoRejectsFileIsNeverTouched) {
  const std::string list = Write("list.csv", kOneBad);
  const std::string other = Write("other.csv", "name,phone\nprecious,1\n");
  for (const std::string& target :
       {other, VaultPath("vault.db"), VaultPath("vault.db-wal"), VaultPath("new.csv"),
        Path("owner.passphrase"), Path("importer.key"), root(), std::string("/dev/null"),
        Path("")}) {
    const bool file = std::filesystem::is_regular_file(target);
    const std::string before = file ? ReadFile(target) : std::string();
    ExpectJsonError(Try({list, "--rejects", target}), 2, "usage");
    EXPECT_TRUE(!file || ReadFile(target) == before) << target;
  }
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  ExpectJsonError(Try({list, "--rejects", Path("pipe")}), 2, "usage");
  EXPECT_EQ(CountCustomers(), 0u);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
  ExpectNoTemporaries();
}

TEST_F(ImportRejectsTest, EarlierRejectsStayWhereTheNextImportFailsOrHasNone) {
  const std::string rejects = Path("rejects.csv");
  Import({Write("list.csv", kOneBad), "--rejects", rejects});
  const std::string earlier = ReadFile(rejects);
  EXPECT_THAT(earlier, HasSubstr("\"B\",\"12\""));
  EXPECT_EQ(Import({Write("good.csv", kNoneBad), "--rejects", rejects})["rejects_files"],
            Json::array());
  EXPECT_EQ(ReadFile(rejects), earlier);
  ExpectJsonError(Try({Write("bad.csv", ""), "--rejects", rejects}), 6, "bad_input");
  EXPECT_EQ(ReadFile(rejects), earlier);
  // One with rejected rows that fails later has a file of its own.
  const std::string second = Write("second.csv", "name,phone\nX,34\n");
  ExpectJsonError(Try({second, Path("bad.csv"), "--rejects", rejects}), 6, "bad_input");
  EXPECT_EQ(ReadFile(rejects), earlier);
  EXPECT_THAT(ReadFile(Path("rejects-2.csv")), HasSubstr("\"X\",\"34\""));
  // One that ends well replaces it.
  Import({second, "--rejects", rejects});
  EXPECT_THAT(ReadFile(rejects), AllOf(HasSubstr("\"X\""), Not(HasSubstr("\"B\""))));
  EXPECT_EQ(ModeOf(rejects), 0600u);
  ExpectNoTemporaries();
}

TEST_F(ImportRejectsTest, NoFileIsMadeWhereNoRowIsRejected) {
  Import({Write("good.csv", kNoneBad), "--rejects", Path("rejects.csv")});
  EXPECT_FALSE(Exists("rejects.csv"));
}

TEST_F(ImportRejectsTest, RejectsOfShreddedListsAreNeverReplaced) {
  const std::string rejects = Path("rejects.csv");
  Json report = Import({Write("a.csv", kOneBad), "--rejects", rejects, "--shred"});
  EXPECT_EQ(report["shredded"].size(), 1u);
  report = Import({Write("b.csv", "name,phone\nD,56\n"), "--rejects", rejects, "--shred"});
  EXPECT_EQ(report["rejects_files"], Json({Path("rejects-2.csv")}));
  EXPECT_THAT(ReadFile(rejects), HasSubstr("\"B\",\"12\""));
  EXPECT_THAT(ReadFile(Path("rejects-2.csv")), HasSubstr("\"D\",\"56\""));
}

TEST_F(ImportRejectsTest, NumberedFilesOverwriteNothingAndEndAsTheirFormatDoes) {
  Write("rejects-2.csv", "unrelated");
  std::filesystem::create_directory(Path("rejects-3.csv"));
  Json report = Import({Write("a.csv", "name,phone\nA,12\n"), Write("b.csv", "phone,name\n34,B\n"),
                        Write("c.jsonl", "{\"name\":\"C\",\"phone\":\"56\"}\n"), "--rejects",
                        Path("rejects.csv")});
  EXPECT_EQ(report["rejects_files"],
            Json({Path("rejects.csv"), Path("rejects-4.csv"), Path("rejects-5.jsonl")}));
  EXPECT_EQ(ReadFile(Path("rejects-2.csv")), "unrelated");
  EXPECT_THAT(ReadFile(Path("rejects-5.jsonl")), HasSubstr("{\"sealbook_line\":1,"));
}

TEST_F(ImportRejectsTest, RejectsOfEachFormatAreKnownAgain) {
  const std::pair<const char*, const char*> lists[] = {
      {"list.csv", kOneBad},
      {"list.jsonl", "{\"name\":\"A\",\"phone\":\"010-1111-2222\"}\nno json\n{\"phone\":\"12\"}\n"},
      {"list.vcf",
       "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nTEL:+82 10-1111-2222\r\nEND:VCARD\r\n"
       "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:B\r\nTEL:12\r\nEND:VCARD\r\n"}};
  for (const auto& [name, text] : lists) {
    const std::string rejects = Path(absl::StrCat("rejects-of-", name));
    for (int i = 0; i < 2; ++i) {
      const Json report = Import({Write(name, text), "--rejects", rejects});
      EXPECT_EQ(report["rejects_files"], Json({rejects})) << report;
    }
  }
}

TEST_F(ImportRejectsTest, WhatAKilledRunLeftGoesAndWhatIsInUseStays) {
  Write(".rejects.csv.sealbook-1", "half a ro");
  const std::string used = Write(".rejects.csv.sealbook-2", "of a run that is under way");
  const int fd = open(used.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  Import({Write("good.csv", kNoneBad), "--rejects", Path("rejects.csv")});
  EXPECT_FALSE(Exists(".rejects.csv.sealbook-1"));
  EXPECT_TRUE(Exists(".rejects.csv.sealbook-2"));
  close(fd);
  Import({Write("list.csv", kOneBad), "--rejects", Path("rejects.csv")});
  EXPECT_TRUE(Exists("rejects.csv"));
  ExpectNoTemporaries();
}

TEST_F(ImportRejectsTest, AListIsNamedOnce) {
  const std::string list = Write("list.csv", kOneBad);
  std::filesystem::create_symlink(list, Path("again.csv"));
  ExpectJsonError(Try({list, list, "--shred"}), 2, "usage");
  ExpectJsonError(Try({list, Path("again.csv")}), 2, "usage");
  EXPECT_EQ(CountCustomers(), 0u);
  EXPECT_EQ(ReadFile(list), kOneBad);
}

TEST_F(ImportRejectsTest, ReplacedNamesAreToldByLine) {
  Import({Write("list.csv", "name,phone\nKim,010-1111-2222\nLee,010-3333-4444\n")}, "owner");
  Write("list.csv",
        "name,phone\nKim Two,010-1111-2222\nLee,010-3333-4444\nNew,010-5555-6666\nNewer,"
        "010-5555-6666\n");
  Ran ran = As("owner", {"import", Path("list.csv"), "--on-duplicate", "replace"});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("2 known with another name, in line 2, 5; the name of the list "
                                 "was written."));
  // An importer cannot compare those that were there before, and is told so.
  const Json report = Import(
      {Write("more.csv", "name,phone\nKim 3,010-1111-2222\nX,010-7777-1111\nY,010-7777-1111\n"),
       "--on-duplicate", "replace"});
  EXPECT_EQ(report["other_names"], 1);
  EXPECT_EQ(report["other_name_lines"], Json({4}));
  EXPECT_EQ(report["names_unread"], 1);
  ran = As("importer", {"import", Path("more.csv")});
  EXPECT_THAT(ran.out, HasSubstr("3 names of customers known before could not be compared"));
}

TEST_F(ImportRejectsTest, ListWithAnotherNameOfAKnownCustomerIsNotShredded) {
  Import({Write("list.csv", "name,phone\nKim,010-1111-2222\n")}, "owner");
  Write("list.csv", "name,phone\nKim Two,010-1111-2222\n");
  for (const char* how : {"skip", "merge"}) {
    const Ran ran = As("owner", {"import", Path("list.csv"), "--on-duplicate", how, "--shred"});
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_THAT(ran.err, HasSubstr("was not shredded: customers of it are known with another"));
    EXPECT_TRUE(Exists("list.csv"));
  }
  EXPECT_EQ(Import({Path("list.csv"), "--on-duplicate", "replace", "--shred"}, "owner")["shredded"],
            Json({Path("list.csv")}));
}

TEST_F(ImportRejectsTest, StrictFindsRowsOfDifferentCustomersBeforehand) {
  Import(
      {Write("known.csv",
             "name,phone,email\nK,010-1111-0001,k@example.com\nL,010-1111-0002,l@example.com\n")});
  const std::string with_vault =
      Write("vault.csv", "name,phone,email\nNew,010-2222-0001,\nMix,010-1111-0001,l@example.com\n");
  const std::string with_itself = Write("itself.csv",
                                        "name,phone,email\nA,010-2222-0001,a@example.com\n"
                                        "B,010-2222-0002,b@example.com\nA,010-2222-0001,\n"
                                        "C,010-2222-0001,b@example.com\n");
  for (const auto& [file, line] : {std::pair(with_vault, 3), std::pair(with_itself, 5)}) {
    const Ran ran = As("importer", {"import", file, "--strict"});
    ExpectError(ran, 6);
    EXPECT_THAT(ran.err, HasSubstr(absl::StrCat("line ", line,
                                                ": has identifiers that belong to "
                                                "different customers")));
    EXPECT_EQ(CountCustomers(), 2u);
    EXPECT_EQ(Import({file, "--dry-run"})["rejected"], 1);
    const Ran dry = Try({file, "--dry-run", "--strict"});
    EXPECT_EQ(dry.exit, 6);
    EXPECT_EQ(dry.json()["error"]["code"], "bad_input");
    EXPECT_EQ(dry.json()["rejects"][0]["line"], line);
    const Ran text = As("importer", {"import", file, "--dry-run", "--strict"});
    EXPECT_EQ(text.exit, 6);
    EXPECT_THAT(text.err, HasSubstr("1 row is bad; nothing was written."));
  }
}

TEST_F(ImportRejectsTest, StrictFindsRowsOfDifferentCustomersAmongSeveralLists) {
  const std::string a = Write("a.csv", "name,phone,email\nA,010-2222-0001,a@example.com\n");
  const std::string b = Write("b.csv", "name,phone,email\nB,010-2222-0002,b@example.com\n");
  const std::string c = Write("c.csv", "name,phone,email\nC,010-2222-0001,b@example.com\n");
  ExpectJsonError(Try({a, b, c, "--strict"}), 6, "bad_input");
  EXPECT_EQ(CountCustomers(), 0u);
  EXPECT_EQ(Import({a, b, c, "--dry-run"})["rejects"],
            Json::array({{{"line", 2},
                          {"reason", "has identifiers that belong to different customers"},
                          {"file", c}}}));
  EXPECT_EQ(Import({a, b, "--strict"})["imported"], 2);
}

TEST_F(ImportRejectsTest, StrictTakesWhatAnImportWouldTake) {
  // Replacing gives identifiers up, and another row may have them: before, and after.
  Import({Write("known.csv", "name,phone,email\nK,010-1111-0001,k@example.com\n")});
  const std::string list = Write("list.csv",
                                 "name,phone,email\nK,010-1111-0001,new@example.com\n"
                                 "M,010-1111-0002,k@example.com\nM,010-1111-0003,k@example.com\n"
                                 "N,010-1111-0002,n@example.com\n");
  const Json dry = Import({list, "--on-duplicate", "replace", "--dry-run"});
  EXPECT_EQ(dry["rejected"], 0) << dry;
  const Json report = Import({list, "--on-duplicate", "replace", "--strict"});
  EXPECT_EQ(report["rejected"], 0) << report;
  EXPECT_EQ(CountCustomers(), 3u);
}

TEST_F(ImportRejectsTest, ReportThatCannotBeWrittenIsToldOnStandardError) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const Ran ran =
      As("importer", {"import", Write("good.csv", kNoneBad), "--json"}, {.stdout_fd = full});
  close(full);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("standard output could not be written"));
}

TEST_F(ImportRejectsTest, SeveralListsAreToldApart) {
  const std::string a = Write("a.csv", "name,phone\nA,12\nB,010-1111-2222\nC,010-1111-2222\n");
  const std::string b = Write("b.csv", "name,phone\nD,34\n");
  const Json report = Import({a, b});
  EXPECT_EQ(report["rejects"][1]["file"], b);
  EXPECT_EQ(report["columns"][0]["file"], a);
  EXPECT_EQ(report["other_name_rows"], Json::array({{{"file", a}, {"line", 4}}}));
  EXPECT_EQ(Import({a, b, "--dry-run"})["rejects"][1]["file"], b);
}

}  // namespace
}  // namespace sealbook::testing
