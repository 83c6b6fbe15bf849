#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/anonymizer/table_fixture.h"
#include "tests/support/encodings.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using testing::Encode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Rows = std::vector<std::vector<std::string>>;

Table Read(absl::string_view bytes, TableOptions options = {}) {
  auto table = ReadTable(bytes, options);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *std::move(table) : Table();
}

// A table as a spreadsheet writes it.
std::string Write(const Rows& rows, char delimiter, absl::string_view end, bool quote_all) {
  std::string out;
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& cell : row) {
      const bool needed =
          cell.find_first_of(absl::StrCat("\"\n", std::string(1, delimiter))) != std::string::npos;
      const std::string text = absl::StrReplaceAll(cell, {{"\"", "\"\""}, {"\n", end}});
      cells.push_back(quote_all || needed ? absl::StrCat("\"", text, "\"") : text);
    }
    absl::StrAppend(&out, absl::StrJoin(cells, std::string(1, delimiter)), end);
  }
  return out;
}

TEST(CsvReaderTest, EveryEncodingLineEndDelimiterAndQuotingGivesTheSameRows) {
  const Rows rows = {{"이름", "연락처", "메모"},
                     {"가을", "+821012345678", "says \"hello\", twice"},
                     {"Autumn; Ltd", "+8613812345678", "first line\nsecond line\n\nfourth"},
                     {"秋|子", "", "tab\there"},
                     {"😀", "+819012345678", ""},
                     {"\"quoted\"", "1", ","}};
  int combinations = 0;
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
        for (const char delimiter : {',', ';', '\t', '|'}) {
          for (const bool quote_all : {true, false}) {
            SCOPED_TRACE(absl::StrCat(NameOf(encoding), mark ? " marked " : " ", end.size(),
                                      end[0] == '\r' ? "r" : "n", " delimiter ",
                                      static_cast<int>(delimiter), quote_all ? " quoted" : ""));
            const Table table =
                Read(Encode(Write(rows, delimiter, end, quote_all), encoding, mark));
            EXPECT_EQ(table.delimiter, delimiter);
            EXPECT_EQ(table.format, delimiter == '\t' ? TableFormat::kTsv : TableFormat::kCsv);
            EXPECT_EQ(table.columns, rows[0]);
            EXPECT_EQ(table.rows, Rows(rows.begin() + 1, rows.end()));
            EXPECT_THAT(table.faults, IsEmpty());
            EXPECT_THAT(table.lines, ElementsAre(2, 3, 7, 8, 9));
            ++combinations;
          }
        }
      }
    }
  }
  EXPECT_EQ(combinations, 144);
}

TEST(CsvReaderTest, DelimiterLineOfExcelIsFollowed) {
  for (const absl::string_view first : {"sep=;", "SEP=;", "\xef\xbb\xbfsep=;"}) {
    const Table table = Read(absl::StrCat(first, "\r\nname;phone\r\na, b;1\r\n"));
    EXPECT_EQ(table.delimiter, ';');
    EXPECT_EQ(table.header_line, 2);
    EXPECT_THAT(table.columns, ElementsAre("name", "phone"));
    EXPECT_THAT(table.rows, ElementsAre(ElementsAre("a, b", "1")));
  }
  for (const char delimiter : {',', '|', '\t', '#'}) {
    const std::string d(1, delimiter);
    const Table table = Read(absl::StrCat("sep=", d, "\nname", d, "phone\na", d, "1\n"));
    EXPECT_EQ(table.delimiter, delimiter);
    EXPECT_THAT(table.rows, ElementsAre(ElementsAre("a", "1")));
  }
}

TEST(CsvReaderTest, NamedDelimiterGoesBeforeWhatIsFound) {
  const Table table = Read("name;phone,note\na;1,x\n", {.delimiter = ','});
  EXPECT_THAT(table.columns, ElementsAre("name;phone", "note"));
  for (const char bad : {'"', '\n', '\r', ' '}) {
    const auto refused = ReadTable("a,b\n", {.delimiter = bad});
    EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  }
}

TEST(CsvReaderTest, CommasInsideCellsDoNotHideASemicolon) {
  const Table table =
      Read("name;address;phone\na;Road 1, Town;1\nb;Road 2, Town;2\nc;Road 3, Town, Land;3\n");
  EXPECT_EQ(table.delimiter, ';');
  EXPECT_THAT(table.rows, SizeIs(3));
}

TEST(CsvReaderTest, ListWithoutHeaderKeepsItsFirstRow) {
  const Table table = Read("가을,010-1234-5678,a@example.com\n겨울,010-2345-6789,b@example.com\n");
  EXPECT_EQ(table.header_line, 0);
  EXPECT_THAT(table.columns, ElementsAre("", "", ""));
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.lines, ElementsAre(1, 2));
}

TEST(CsvReaderTest, OneColumnOfNumbersIsAList) {
  const Table table = Read("01012345678\n01023456789\n\n01034567890\n");
  EXPECT_EQ(table.header_line, 0);
  EXPECT_THAT(table.columns, ElementsAre(""));
  EXPECT_THAT(table.rows, SizeIs(3));
  EXPECT_THAT(table.lines, ElementsAre(1, 2, 4));
}

TEST(CsvReaderTest, HeaderBelowUpToTwentyLinesOfNoticeIsFound) {
  for (const int lines : {1, 5, 20}) {
    std::string notice;
    for (int i = 0; i < lines; ++i)
      absl::StrAppend(&notice, "※ 개인정보 취급에 주의하세요 ", i, "\n");
    const Table table =
        Read(absl::StrCat(notice, "구매자명,구매자연락처,우편번호\n가을,010-1234-5678,12345\n"));
    EXPECT_EQ(table.header_line, lines + 1);
    EXPECT_THAT(table.columns, ElementsAre("구매자명", "구매자연락처", "우편번호"));
    EXPECT_THAT(table.rows, SizeIs(1));
  }
}

TEST(CsvReaderTest, DatesAndTelephonesInANoticeAreNoCustomers) {
  for (const absl::string_view notice :
       {"2024-01-01 ~ 2024-01-31", "2024-01-01 ~ 2024-01-31,,,", "문의,02-1234-5678,,"}) {
    const Table table = Read(
        absl::StrCat(notice, "\n이름,연락처,이메일,메모\n가을,010-1234-5678,a@example.com,x\n"));
    EXPECT_EQ(table.header_line, 2) << notice;
    EXPECT_THAT(table.rows, SizeIs(1));
  }
}

TEST(CsvReaderTest, UnknownHeaderBelowANoticeIsFoundByItsWidth) {
  const Table table = Read("customers of May\nAaa,Bbb,Ccc\nx,010-1234-5678,y\n");
  EXPECT_EQ(table.header_line, 2);
  EXPECT_THAT(table.columns, ElementsAre("Aaa", "Bbb", "Ccc"));
}

TEST(CsvReaderTest, NoticeAboveCustomersWithoutHeaderIsAFaultAndNoHeader) {
  const Table table = Read("customers of May\nx,010-1234-5678,y\nz,010-2345-6789,y\n");
  EXPECT_EQ(table.header_line, 0);
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.faults, ElementsAre(HasSubstr("1 has 1 cells")));
}

TEST(CsvReaderTest, UnknownHeaderIsTheFirstRow) {
  const Table table = Read("Aaa,Bbb\nx,010-1234-5678\n");
  EXPECT_EQ(table.header_line, 1);
  EXPECT_THAT(table.columns, ElementsAre("Aaa", "Bbb"));
}

TEST(CsvReaderTest, DuplicateAndEmptyNamesStay) {
  const Table table = Read(
      "name,phone,phone,,note,,\na,1,2,3,4\nb,1,2,3,4,,\nc,1,2,3,4,5\nd,1,2,3,4,5,6,,\ne,1,2,3\n");
  EXPECT_THAT(table.columns, ElementsAre("name", "phone", "phone", "", "note", "", ""));
  EXPECT_THAT(table.lines, ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(table.rows[3], ElementsAre("d", "1", "2", "3", "4", "5", "6"));
  EXPECT_THAT(table.faults, ElementsAre("6 has 4 cells where the header has 7"));
}

TEST(CsvReaderTest, RaggedRowsAreNamedAndTheOthersStay) {
  const Table table = Read("name,phone,note\na,1,x\nb,2\nc,3,x,more\nd,4,x,,,\ne,5,x\n");
  EXPECT_THAT(table.lines, ElementsAre(2, 5, 6));
  EXPECT_THAT(table.faults, ElementsAre("3 has 2 cells where the header has 3",
                                        "4 has 4 cells where the header has 3"));
}

TEST(CsvReaderTest, BlankAndEmptyRowsArePassedOver) {
  const Table table = Read("\n\nname,phone\n\n   \na,1\n,\n,,,,,\n\"\",\"\"\nb,2\n\n");
  EXPECT_EQ(table.header_line, 3);
  EXPECT_THAT(table.lines, ElementsAre(6, 10));
  EXPECT_THAT(table.faults, IsEmpty());
}

TEST(CsvReaderTest, QuoteThatIsNeverClosedCostsItsRowAlone) {
  std::string text = "name,phone\na,1\n\"b,2\n";
  for (int i = 0; i < 500; ++i) absl::StrAppend(&text, "c", i, ",", i, "\n");
  const Table table = Read(text);
  EXPECT_THAT(table.faults, ElementsAre("3 opens a quote that is never closed"));
  ASSERT_THAT(table.rows, SizeIs(501));
  EXPECT_EQ(table.lines.back(), 503);
  EXPECT_THAT(table.rows.back(), ElementsAre("c499", "499"));
}

TEST(CsvReaderTest, QuoteThatIsNeverClosedInTheLastRowCostsThatRow) {
  const Table table = Read("name,phone\na,1\nb,\"2");
  EXPECT_THAT(table.rows, SizeIs(1));
  EXPECT_THAT(table.faults, ElementsAre("3 opens a quote that is never closed"));
}

TEST(CsvReaderTest, OpenQuoteDoesNotSwallowRowsUpToTheNextQuotedCell) {
  // Without care the second row becomes a value that runs over two lines, and a customer is gone.
  for (const absl::string_view text :
       {"name,phone\na,\"1\nb,2\nc,\"3\"\nd,4\n", "name,phone\na,\"1\nb,2\n\"c\",3\nd,4\n"}) {
    const Table table = Read(text);
    EXPECT_THAT(table.faults, ElementsAre("2 opens a quote that is never closed"));
    EXPECT_THAT(table.rows,
                ElementsAre(ElementsAre("b", "2"), ElementsAre("c", "3"), ElementsAre("d", "4")));
    EXPECT_THAT(table.lines, ElementsAre(3, 4, 5));
  }
}

TEST(CsvReaderTest, OpenQuoteDoesNotHideTheDelimiter) {
  std::string text = "a;010-1234-5678;x\n\"a;1;x\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "b;0101234", 5000 + i, ";y, z\n");
  EXPECT_EQ(Read(text).delimiter, ';');
}

TEST(CsvReaderTest, ManyOpenQuotesEndTheReadingWithASentence) {
  std::string text = "name,phone\n";
  for (int i = 0; i < 40'000; ++i) absl::StrAppend(&text, i % 201 == 0 ? "\"x" : "x", ",", i, "\n");
  const Table table = Read(text);
  EXPECT_TRUE(absl::IsInvalidArgument(table.end)) << table.end;
  EXPECT_THAT(std::string(table.end.message()), HasSubstr("a quote that is never closed"));
}

TEST(CsvReaderTest, FaultyHeaderIsToldAndNoCustomerTakenForIt) {
  const auto table = ReadTable("Aaa,\"Bbb\nx,010-1234-5678\ny,010-2345-6789\n");
  EXPECT_TRUE(absl::IsInvalidArgument(table.status())) << table.status();
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("line 1 opens a quote"));
}

TEST(CsvReaderTest, QuotesInsideAPlainCellAreText) {
  const Table table = Read("name,phone\na \"b\" c,1\n5\" pipe,2\n\"x\" ,3\n");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("a \"b\" c", "1"), ElementsAre("5\" pipe", "2"),
                                      ElementsAre("x", "3")));
}

TEST(CsvReaderTest, FaultyLineInsideAQuotedCellCostsThatRow) {
  const Table table =
      Read(absl::string_view("name,phone\na,1\nb,2\n\"c\nx\0y\n\",3\nd,4\ne,5\n", 37));
  EXPECT_THAT(table.faults[0], HasSubstr("4 opens a quote"));
  EXPECT_THAT(table.faults[1], HasSubstr("5 holds a NUL"));
  EXPECT_THAT(table.rows.back(), ElementsAre("e", "5"));
}

TEST(CsvReaderTest, HugeCellCostsItsRow) {
  const Table table =
      Read(absl::StrCat("name,phone\na,1\nb,", std::string(TableReader::kMaxCellBytes + 1, '7'),
                        "\nc,", std::string(TableReader::kMaxCellBytes, '7'), "\n"));
  EXPECT_THAT(table.faults, ElementsAre("3 has a cell longer than 64 KiB"));
  EXPECT_THAT(table.lines, ElementsAre(2, 4));
}

TEST(CsvReaderTest, ThousandColumnsAreReadAndOneMoreIsRefused) {
  const auto wide = [](int columns) {
    std::string text;
    for (const absl::string_view cell : {"name", "0101234567"}) {
      for (int i = 0; i < columns; ++i) absl::StrAppend(&text, i > 0 ? "," : "", cell);
      text += '\n';
    }
    return text;
  };
  EXPECT_THAT(Read(wide(1000)).rows, SizeIs(1));
  EXPECT_THAT(Read(absl::StrCat("name,phone", std::string(5000, ','), "\na,0101234567",
                                std::string(5000, ','), "\n"))
                  .rows,
              SizeIs(1));
  const auto refused = ReadTable(wide(1001));
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("more than 1000 cells"));
}

TEST(CsvReaderTest, FileOfBlanksHasNoRows) {
  for (const absl::string_view text : {"\n\n\n", ",,,\n,,,\n", "sep=;\n", "\xef\xbb\xbf"}) {
    const auto table = ReadTable(text);
    EXPECT_TRUE(absl::IsInvalidArgument(table.status())) << table.status();
  }
}

TEST(CsvReaderTest, OtherFormatsAreNamed) {
  for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"[{\"phone\":\"1\"},{\"phone\":\"2\"}]", "JSON array"},
           {"[\n  {\n    \"phone\": \"1\"\n  },\n  {\n    \"phone\": \"2\"\n  }\n]\n",
            "JSON array"}}) {
    const auto table = ReadTable(text);
    EXPECT_TRUE(absl::IsInvalidArgument(table.status())) << table.status();
    EXPECT_THAT(std::string(table.status().message()), HasSubstr(word));
    EXPECT_THAT(HintOf(table.status()), Not(IsEmpty()));
  }
}

TEST(CsvReaderTest, BracketAtTheBeginningIsNoArray) {
  EXPECT_THAT(Read("[VIP] name,phone\na,0101234567\n").rows, SizeIs(1));
}

TEST(CsvReaderTest, FormatsAreNamedAsTheyAreParsed) {
  for (const TableFormat format : {TableFormat::kCsv, TableFormat::kTsv, TableFormat::kJsonLines}) {
    EXPECT_EQ(*ParseTableFormat(NameOf(format)), format);
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseTableFormat("ods").status()));
}

TEST(CsvReaderTest, LineThatCannotBeTakenApartIsKeptAsItStands) {
  const Table table =
      Read(Encode("이름,전화\n김하나,1\n이두리,2\n박세찬,3\n", Encoding::kCp949, false) +
           "\xb1\xe8\xb0,4\n\"open,5\n6,7\n" + "정유진,8\n" + "ragged\n");
  EXPECT_THAT(table.raws, ElementsAre("", "", "", "김\\xB0,4", "\"open,5", "", "정유진,8", ""));
  EXPECT_THAT(table.faults, SizeIs(4));
}

}  // namespace
}  // namespace sealbook::anonymizer
