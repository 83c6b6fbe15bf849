// Customer lists: what is found in them, what goes into the vault, and what is told about the rest.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"
#include "tests/support/encodings.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ImportTest : public VaultTest {
 public:
  Json Import(Words more, const std::string& by = "importer") {
    more.insert(more.begin(), "import");
    return Ask(by, more);
  }
  std::size_t CountCustomers() { return TokensOf("owner").size(); }
  static std::string Example(const std::string& name) {
    return absl::StrCat(SEALBOOK_SOURCE_DIR, "/examples/", name);
  }
  static std::map<std::string, std::string> ColumnsOf(const Json& report) {
    std::map<std::string, std::string> columns;
    for (const Json& column : report["columns"]) {
      EXPECT_EQ(column.size(), 3u);
      columns[column["column"].get<std::string>()] =
          absl::StrCat(column["field"].get<std::string>(), "/", column["class"].get<std::string>());
    }
    return columns;
  }
};

TEST_F(ImportTest, TheExamplesGoInOnceAndTheReportSaysHow) {
  Json report = Import({Example("seoul.csv"), "--book", "seoul"});
  for (const char* key : {"rows", "imported", "updated", "duplicates", "unassigned", "rejected",
                          "rejects", "columns", "seconds"}) {
    EXPECT_TRUE(report.contains(key)) << key;
  }
  std::int64_t rows = report["rows"];
  EXPECT_EQ(report["rows"], report["imported"].get<int>() + report["duplicates"].get<int>() +
                                report["rejected"].get<int>());
  EXPECT_GT(report["rejected"], 0);
  EXPECT_EQ(report["rejects"].size(), report["rejected"]);
  for (const Json& reject : report["rejects"])
    EXPECT_TRUE(reject["line"].is_number_integer() && reject["reason"].is_string());
  const std::map<std::string, std::string> columns = ColumnsOf(report);
  EXPECT_EQ(columns.at("이름"), "name/profile");
  EXPECT_EQ(columns.at("연락처"), "phone/identity");
  EXPECT_EQ(columns.at("이메일"), "email/identity");
  EXPECT_EQ(columns.at("주소"), "address/identity");
  EXPECT_EQ(columns.at("생년월일"), "birth_date/sensitive");
  EXPECT_EQ(columns.at("피부타입"), "피부타입/sensitive");
  std::int64_t imported = report["imported"];
  report = Import({Example("shenzhen.csv"), "--book", "shenzhen", "--region", "CN"});
  rows += report["rows"].get<std::int64_t>();
  imported += report["imported"].get<std::int64_t>();
  report = Import({Example("newyork.jsonl")});
  EXPECT_EQ(rows + report["rows"].get<std::int64_t>(), 1000);
  imported += report["imported"].get<std::int64_t>();
  EXPECT_EQ(CountCustomers(), static_cast<std::size_t>(imported));
  for (const char* name : {"seoul.csv", "newyork.jsonl"})
    EXPECT_EQ(Import({Example(name)})["imported"], 0);
  EXPECT_EQ(CountCustomers(), static_cast<std::size_t>(imported));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(ImportTest, FormatsEncodingsAndDelimitersAreFoundOrTold) {
  struct Case {
    const char* text;
    const char* format;
    const char* delimiter;
  };
  const Case cases[] = {{"이름,전화\n김하나,010-1234-%04d\n", "csv", ","},
                        {"이름;전화\r\n\"김;하나\";010-1234-%04d\r\n", "csv", ";"},
                        {"이름|전화\n김하나|010-1234-%04d\n", "csv", "|"},
                        {"이름\t전화\n김하나\t010-1234-%04d\n", "tsv", "tab"},
                        {"{\"이름\":\"김하나\",\"전화\":\"010-1234-%04d\"}\n", "jsonl", nullptr}};
  const std::tuple<anonymizer::Encoding, bool, const char*> encodings[] = {
      {anonymizer::Encoding::kUtf8, false, "utf-8"},
      {anonymizer::Encoding::kUtf8, true, "utf-8"},
      {anonymizer::Encoding::kUtf16Le, true, "utf-16le"},
      {anonymizer::Encoding::kUtf16Be, true, "utf-16be"},
      {anonymizer::Encoding::kUtf16Le, false, "utf-16le"},
      {anonymizer::Encoding::kCp949, false, "cp949"}};
  int number = 1000;
  std::size_t expected = 0;
  for (const Case& one : cases) {
    for (const auto& [encoding, mark, encoding_name] : encodings) {
      std::string text = one.text;
      text.replace(text.find("%04d"), 4, absl::StrCat(++number));
      const std::string file = Write("list", Encode(text, encoding, mark));
      const Ran ran = As("importer", {"import", file, "--json"});
      ASSERT_EQ(ran.exit, 0) << one.text << encoding_name << ran;
      EXPECT_EQ(ran.json()["imported"], 1) << one.text << encoding_name;
      ++expected;
      Words told = {file, "--format", one.format, "--encoding", encoding_name};
      if (one.delimiter != nullptr) told.insert(told.end(), {"--delimiter", one.delimiter});
      const Json again = Import(told);
      EXPECT_EQ(again["duplicates"], 1) << one.text << encoding_name;
      EXPECT_EQ(ColumnsOf(again).at("전화"), "phone/identity");
    }
  }
  EXPECT_EQ(CountCustomers(), expected);
}

TEST_F(ImportTest, MapSaysWhatAColumnIs) {
  const std::string file = Write("list.csv", "A,B,이름\nKim Hana,010-1234-5678,서울\n");
  const Json report = Import({file, "--map", "A=name", "--map", "2=phone", "--map", "이름=city"});
  const std::map<std::string, std::string> columns = ColumnsOf(report);
  EXPECT_EQ(columns.at("A"), "name/profile");
  EXPECT_EQ(columns.at("B"), "phone/identity");
  EXPECT_EQ(columns.at("이름"), "city/sensitive");
  const Json found = Ask("owner", {"lookup", "--phone", "010 1234 5678"})["contacts"][0];
  EXPECT_EQ(FieldOf(found, "name")["value"], "Kim Hana");
  EXPECT_EQ(FieldOf(found, "city")["value"], "서울");
  // Left out, and named wrongly.
  Write("list.csv", "name,phone,secret\nLee,010-8888-1234,hush\n");
  EXPECT_FALSE(ColumnsOf(Import({file, "--map", "secret=ignore"})).contains("secret"));
  for (const char* wrong : {"nowhere=name", "9=name", "phone", "phone=Bad Name", "=name"}) {
    const Ran ran = As("importer", {"import", file, "--map", wrong, "--json"});
    EXPECT_TRUE(ran.exit == 2 || ran.exit == 6) << ran;
    ExpectJsonError(ran, ran.exit, ran.exit == 2 ? "usage" : "bad_input");
  }
}

TEST_F(ImportTest, WrongOptionsAreWrongUsage) {
  const std::string file = Write("list.csv", kSeoulCsv);
  const std::vector<Words> wrong = {
      {"--format", "docx"},        {"--encoding", "ebcdic"},
      {"--delimiter", "abc"},      {"--delimiter", ""},
      {"--on-duplicate", "panic"}, {"--region", "Korea"},
      {"--rejects", file},         {"--rejects", Path("none/rejects.csv")}};
  for (Words words : wrong) {
    words.insert(words.begin(), {"import", file, "--json"});
    ExpectJsonError(As("importer", words), 2, "usage");
  }
  EXPECT_EQ(ReadFile(file), kSeoulCsv);
  ExpectJsonError(As("importer", {"import", "--json"}), 2, "usage");
  ExpectJsonError(As("importer", {"import", file, "--book", "busan", "--json"}), 5, "not_found");
  EXPECT_EQ(CountCustomers(), 0u);
}

TEST_F(ImportTest, DryRunWritesNothingAndShowsNoValue) {
  const std::string file = Write("seoul.csv", std::string(kSeoulCsv) + "나쁜,12,,,,,\n");
  const Ran json = As("importer", {"import", file, "--dry-run", "--json"});
  ASSERT_EQ(json.exit, 0) << json;
  EXPECT_EQ(json.err, "");
  ExpectNothingPersonal(json);
  const Json report = json.json();
  EXPECT_EQ(report["rows"], 7);
  EXPECT_EQ(report["imported"], 0);
  EXPECT_EQ(report["rejected"], 1);
  EXPECT_EQ(report["rejects"][0]["line"], 8);
  EXPECT_EQ(ColumnsOf(report).at("연락처"), "phone/identity");
  EXPECT_EQ(report["preview"][0]["name"], "김**");
  EXPECT_EQ(report["preview"][0]["phone"], "+82 10-****-5678");
  const Ran text = As("importer", {"import", file, "--dry-run"});
  EXPECT_EQ(text.exit, 0);
  ExpectNothingPersonal(text);
  EXPECT_THAT(text.out, HasSubstr("csv, utf-8, ',' between cells"));
  EXPECT_THAT(text.out, HasSubstr("Nothing was written."));
  EXPECT_EQ(CountCustomers(), 0u);
  // What is known already is counted.
  ImportCustomers();
  EXPECT_EQ(Import({file, "--dry-run"})["duplicates"], 6);
}

TEST_F(ImportTest, BadRowsAreToldByLineWithoutTheirValuesAndTheGoodOnesKept) {
  const std::string file = Write("list.csv",
                                 "name,phone,email\n"
                                 "Good One,010-1111-2222,\n"
                                 "Bad Phone,SECRET12,\n"
                                 "Bad Mail,,secret-at-example\n"
                                 "\"two\nlines\",010-1111-3333,\n"
                                 "Too,many,cells,in,this,row\n"
                                 "Bad Text \xff\xfe,010-1111-4444,\n"
                                 "Good Two,010-1111-5555,two@example.com\n");
  const Ran ran = As("importer", {"import", file, "--json"});
  ASSERT_EQ(ran.exit, 0) << ran;
  const Json report = ran.json();
  EXPECT_EQ(report["rows"], 7);
  EXPECT_EQ(report["imported"], 3);
  std::set<std::int64_t> lines;
  for (const Json& reject : report["rejects"]) lines.insert(reject["line"].get<std::int64_t>());
  EXPECT_EQ(lines, (std::set<std::int64_t>{3, 4, 7, 8}));
  EXPECT_THAT(ran.out, Not(HasSubstr("SECRET")));
  EXPECT_THAT(ran.out, Not(HasSubstr("secret-at")));
  const Ran text = As("importer", {"import", file});
  EXPECT_THAT(text.out, HasSubstr("list.csv line 3: "));
  EXPECT_THAT(text.out + text.err, Not(HasSubstr("SECRET")));
}

TEST_F(ImportTest, RejectsFileIsForItsOwnerAndGoesInOnceMended) {
  const std::string file = Write("list.csv",
                                 "이름,연락처,메모\n"
                                 "김하나,010-1111-2222,\"인용 \"\"부호\"\"\"\n"
                                 "박두리,1234,\"쉼표, 줄\n바꿈\"\n"
                                 "최세나,,\n");
  const Json report = Import({file, "--rejects", Path("rejects.csv")});
  EXPECT_EQ(report["imported"].get<int>() + report["rejected"].get<int>(), 3);
  EXPECT_EQ(ModeOf(Path("rejects.csv")), 0600u);
  std::string rejects = ReadFile(Path("rejects.csv"));
  EXPECT_THAT(rejects, HasSubstr("sealbook_line"));
  EXPECT_THAT(rejects, HasSubstr("\"3\""));
  ASSERT_NE(rejects.find("\"1234\""), std::string::npos) << rejects;
  rejects.replace(rejects.find("\"1234\""), 6, "010-7777-1234");
  const Json mended = Import({Write("mended.csv", rejects)});
  EXPECT_GE(mended["imported"], 1) << mended;
  const Json found = Ask("owner", {"lookup", "--phone", "010-7777-1234"})["contacts"][0];
  EXPECT_EQ(FieldOf(found, "name")["value"], "박두리");
  EXPECT_EQ(FieldOf(found, "note")["value"], "쉼표, 줄\n바꿈");
  // What the rejects file says of the rows is no customer's field.
  EXPECT_EQ(found["fields"].size(), 3u) << found;
}

TEST_F(ImportTest, RejectsFileThatIsALinkIsNotFollowed) {
  Write("precious", "precious");
  std::filesystem::create_symlink(Path("precious"), Path("rejects.csv"));
  ExpectJsonError(As("importer", {"import", Write("list.csv", kSeoulCsv), "--rejects",
                                  Path("rejects.csv"), "--json"}),
                  2, "usage");
  EXPECT_EQ(ReadFile(Path("precious")), "precious");
}

TEST_F(ImportTest, StrictWritesNothingWhereARowIsBad) {
  const std::string file =
      Write("list.csv", "name,phone\nGood,010-1111-2222\nBad,SECRET12\nBad,SECRET34\n");
  const Ran ran = As("importer", {"import", file, "--strict"});
  ExpectError(ran, 6);
  EXPECT_THAT(ran.err, HasSubstr("list.csv line 3"));
  EXPECT_THAT(ran.err, Not(HasSubstr("SECRET")));
  ExpectJsonError(
      As("importer", {"import", Write("good.csv", kSeoulCsv), file, "--strict", "--json"}), 6,
      "bad_input");
  EXPECT_EQ(CountCustomers(), 0u);
  EXPECT_EQ(Import({Path("good.csv"), "--strict"})["imported"], 6);
}

TEST_F(ImportTest, FilesThatAreNoListAreBadInput) {
  const std::pair<std::string, std::string> files[] = {
      {"empty.csv", ""},
      {"blank.csv", "\n\n\n"},
      {"header.csv", "name,phone\n"},
      {"program", std::string("\x7f"
                              "ELF\2\1\1\0\0\0\0\0",
                              12)},
      {"nul.csv", std::string(4096, '\0')},
      {"book.xlsx", std::string("PK\3\4\x14\0\6\0", 8) + std::string(100, '\1')},
      // "氏名,電話" and two names in Shift_JIS.
      {"old.csv",
       "\x8e\x81\x96\xbc,\x93\x64\x98\x62\n\x8d\xb2\x93\xa1,010-1234-5678\n"
       "\x97\xe9\x96\xd8,010-1234-5679\n"},
      {"random", std::string("\x93\xfe\x01\xff\x80\x99\xa0\xb1\xc2\xd3\xe4\xf5", 12)}};
  for (const auto& [name, contents] : files) {
    const Ran ran = As("importer", {"import", Write(name, contents)});
    EXPECT_EQ(ran.exit, 6) << name << ran;
    EXPECT_THAT(ran.err, HasSubstr(name)) << ran;
    EXPECT_EQ(ran.out, "") << name;
  }
  ExpectJsonError(As("importer", {"import", Path("none.csv"), "--json"}), 6, "bad_input");
  ExpectJsonError(As("importer", {"import", root(), "--json"}), 6, "bad_input");
  EXPECT_EQ(CountCustomers(), 0u);
}

TEST_F(ImportTest, HostileListsCostTheirRowsAndNotTheProgram) {
  std::string list = "name,phone\n";
  list += "\"" + std::string(2'000'000, 'x') + "\",010-1111-0001\n";  // a cell of 2 MB
  list += "Good,010-1111-0002\n";
  list += "\x1b[2J\u202eevil,010-1111-0003\n";  // control characters
  list += "=HYPERLINK(\"http://x\"),010-1111-0004\n";
  for (int i = 0; i < 2000; ++i) list += ",";  // too many cells
  list += "\nLast,010-1111-0005\n";
  const Ran ran = As("importer", {"import", Write("list.csv", list)});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_LT(ran.out.size(), 2000u);
  EXPECT_EQ(As("owner", {"lookup", "--phone", "010-1111-0002"}).exit, 0);
  EXPECT_EQ(As("owner", {"lookup", "--phone", "010-1111-0005"}).exit, 0);
  const Ran shown = As("owner", {"lookup", "--phone", "010-1111-0003"});
  EXPECT_EQ(shown.exit, 0);
  EXPECT_THAT(shown.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown.out, Not(HasSubstr("\u202e")));
  // A quote that is never closed.
  const Ran open =
      As("importer",
         {"import", Write("open.csv", "name,phone\nGood,010-1111-0006\n\"Bad,010-1111-0007\n")});
  EXPECT_TRUE(open.exit == 0 || open.exit == 6) << open;
  // A file's own name.
  const Ran named = As("importer", {"import", Write("a\x1b[31m.csv", "")});
  EXPECT_EQ(named.exit, 6);
  EXPECT_THAT(named.err, Not(HasSubstr("\x1b")));
}

TEST_F(ImportTest, SeveralFilesAreOneReportAndABadOneStopsAfterTheGood) {
  const std::string one = Write("one.csv", kSeoulCsv), two = Write("two.csv", kShenzhenCsv);
  const Json report = Import({one, two, "--region", "KR"});
  EXPECT_EQ(report["rows"], 10);
  EXPECT_GT(report["columns"].size(), 7u);
  const Ran ran = As("importer", {"import", Write("three.csv", "name,phone\nNew,010-5555-1234\n"),
                                  Write("empty.csv", "")});
  EXPECT_EQ(ran.exit, 6) << ran;
  EXPECT_THAT(ran.out, HasSubstr("three.csv: 1 row, 1 imported."));
  EXPECT_THAT(ran.err, HasSubstr("empty.csv"));
  EXPECT_EQ(As("owner", {"lookup", "--phone", "010-5555-1234"}).exit, 0);
}

TEST_F(ImportTest, DuplicatesAreSkippedOrReplaced) {
  const std::string file = Write(
      "list.csv",
      "name,phone,company,note\nKim,010-1111-2222,Old Inc,keep\nKim,+82 10 1111 2222,Other,x\n");
  Json report = Import({file, "--book", "seoul"}, "owner");
  EXPECT_EQ(report["imported"], 1);
  EXPECT_EQ(report["duplicates"], 1);
  const std::string token = TokenOf("Kim");
  Write("list.csv", "name,phone,company\nKim Two,010-1111-2222,New Inc\n");
  report = Import({file}, "owner");
  EXPECT_EQ(report["duplicates"], 1);
  EXPECT_EQ(report["other_names"], 1);
  EXPECT_EQ(report["other_name_lines"], Json::array({2}));
  EXPECT_EQ(FieldOf(Ask("owner", {"show", token})["contacts"][0], "company")["value"], "Old Inc");
  report = Import({file, "--on-duplicate", "replace"}, "owner");
  EXPECT_EQ(report["updated"], 1);
  EXPECT_EQ(report["imported"], 0);
  const Json contact = Ask("mina", {"show", token})["contacts"][0];
  EXPECT_EQ(FieldOf(contact, "company")["value"], "New Inc");
  EXPECT_EQ(FieldOf(contact, "name")["value"], "Kim Two");
  EXPECT_EQ(CountCustomers(), 1u);
}

TEST_F(ImportTest, RowsWhoseIdentifiersBelongToDifferentCustomersAreRejected) {
  ImportCustomers();
  const Json report =
      Import({Write("list.csv", "name,phone,email\nMix,010-1234-5678,seojun@example.com\n")});
  EXPECT_EQ(report["rejected"], 1);
  EXPECT_EQ(report["rejects"][0]["line"], 2);
}

TEST_F(ImportTest, KnownCustomersAreAssignedByWhoReadsThemAndCountedByWhoDoesNot) {
  Import({Write("list.csv", "name,phone\nKim,010-1111-2222\n"), "--book", "seoul"});
  EXPECT_EQ(Import({Path("list.csv"), "--book", "shenzhen"})["unassigned"], 1);
  EXPECT_EQ(TokensOf("wei").size(), 0u);
  const Json report = Import({Path("list.csv"), "--book", "shenzhen"}, "owner");
  EXPECT_EQ(report["unassigned"], 0);
  EXPECT_EQ(report["assigned"], 1);
  EXPECT_EQ(TokensOf("wei").size(), 1u);
}

TEST_F(ImportTest, TheImporterReadsNoCustomer) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  const std::vector<Words> commands = {
      {"lookup", token},
      {"lookup", "--phone", "010-1234-5678"},
      {"lookup", "--name", "김"},
      {"list"},
      {"list", "--book", "seoul"},
      {"show", token},
      {"set", token, "note=x"},
      {"audit", "log"},
      {"audit", "verify"},
      {"member", "add", "x", "--role", "agent"},
      {"policy", "apply", Write("p.toml", As("owner", {"policy", "show"}).out)}};
  for (Words words : commands) {
    words.push_back("--json");
    const Ran ran = As("importer", words);
    ExpectJsonError(ran, 3, "permission_denied");
    ExpectNothingPersonal(ran);
  }
  // The same for who is there and who is not.
  EXPECT_EQ(As("importer", {"show", token}).err, As("importer", {"show", NobodysToken()}).err);
}

TEST_F(ImportTest, OnlyThoseWhoMayImport) {
  const std::string file = Write("list.csv", kSeoulCsv);
  for (const char* member : {"mina", "sora", "audra"}) {
    ExpectJsonError(As(member, {"import", file, "--json"}), 3, "permission_denied");
    ExpectJsonError(As(member, {"import", file, "--dry-run", "--json"}), 3, "permission_denied");
  }
  EXPECT_EQ(CountCustomers(), 0u);
}

TEST_F(ImportTest, ColumnsNamesWithControlCharactersAreShownCleaned) {
  const Ran ran = As(
      "importer",
      {"import", Write("list.csv", "name,phone,\x1b[31mred\nKim,010-1111-2222,x\n"), "--dry-run"});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sealbook::testing
