#include "anonymizer/workbook_reader.h"

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/anonymizer/workbook_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InlineCell;
using testing::InlineRow;
using ::testing::IsEmpty;
using testing::PartsOf;
using ::testing::SizeIs;
using testing::WorkbookText;
using testing::WriteWorkbook;
using testing::WriteZip;
using testing::ZipParts;

TEST(WorkbookReaderTest, SharedAndInlineStringsAreTexts) {
  const Table table = Read(
      {.sheets = {{kHeader +
                   "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c><c r=\"B2\" t=\"s\"><v> 0 "
                   "</v></c><c r=\"C2\" t=\"inlineStr\"><is><t>a &lt;b&gt; &#51060;</t></is></c>"
                   "</row>"}},
       .strings = "<si><t>010-1234-5678</t></si><si><t>가을 😀</t></si>"});
  EXPECT_EQ(table.format, TableFormat::kXlsx);
  EXPECT_EQ(table.header_line, 1);
  EXPECT_THAT(table.columns, ElementsAre("이름", "연락처", "메모"));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("가을 😀", "010-1234-5678", "a <b> 이")));
}

TEST(WorkbookReaderTest, RunsAreJoinedAndReadingsAreLeftOut) {
  const std::string rich =
      "<r><rPr><b/></rPr><t>田</t></r><r><t xml:space=\"preserve\"> </t></r>"
      "<r><t>中</t></r><rPh sb=\"0\" eb=\"1\"><t>タ</t></rPh><phoneticPr fontId=\"1\"/>";
  const Table table =
      Read({.sheets = {{kHeader + "<row><c t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is>" + rich +
                        "</is></c></row>"}},
            .strings = "<si>" + rich + "</si>"});
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("田 中", "田 中")));
}

TEST(WorkbookReaderTest, ResultsOfFormulasAreRead) {
  const Table table = ReadRows(
      "<row><c t=\"str\"><f>A1&amp;B1</f><v>joined_x0041_</v></c><c><f>1+1</f><v>2</v></c>"
      "<c t=\"b\"><v>1</v></c></row>"
      "<row><c t=\"b\"><v>0</v></c></row>");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("joinedA", "2", "TRUE"), ElementsAre("FALSE")));
}

TEST(WorkbookReaderTest, ErrorsAndMissingResultsAreEmptyAndCounted) {
  const Table table = ReadRows(
      "<row><c t=\"e\"><v>#N/A</v></c><c><v>1</v></c><c t=\"e\"><f>A9</f><v>#REF!</v></c></row>"
      "<row><c><v>2</v></c><c><f>1+1</f></c></row>");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("", "1"), ElementsAre("2")));
  EXPECT_THAT(table.faults, IsEmpty());
  EXPECT_THAT(table.remarks, Contains(HasSubstr("2 cells hold errors")));
  EXPECT_THAT(table.remarks, Contains(HasSubstr("1 cell holds a formula without a result")));
}

TEST(WorkbookReaderTest, EscapedCharactersAreUndone) {
  const Table table =
      ReadRows(InlineRow({"a_x0041_b", "_x005F_x0041_", "one_x000D_\ntwo_x000D_three"}) +
               InlineRow({"_xD83D__xDE00_", "_xD83D_", "_x00g0_ _x041"}));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("aAb", "_x0041_", "one\ntwo\nthree"),
                                      ElementsAre("😀", "\xef\xbf\xbd", "_x00g0_ _x041")));
}

TEST(WorkbookReaderTest, NumbersKeepTheirDigits) {
  const Table table = Read(
      {.sheets = {{kHeader + "<row><c><v>821012345678</v></c><c><v>8.21012345678E+11</v></c>"
                             "<c t=\"n\" s=\"1\"><v>1012345678</v></c></row>"}},
       .styles = "<numFmts><numFmt numFmtId=\"164\" formatCode=\"000\\-0000\\-0000\"/></numFmts>"
                 "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs>"});
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("821012345678", "8.21012345678E+11", "1012345678")));
}

// One row of numbers in the style of that built-in format, or of that code.
std::vector<std::string> Dates(const std::vector<std::string>& numbers, int id,
                               absl::string_view code = "", bool since_1904 = false) {
  std::string row = "<row>";
  for (const std::string& number : numbers) row += "<c s=\"1\"><v>" + number + "</v></c>";
  const Table table = Read(
      {.sheets = {{kHeader + row + "</row>"}},
       .styles = absl::StrCat("<numFmts><numFmt numFmtId=\"164\" formatCode=\"", code,
                              "\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
                              "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"",
                              id, "\"/></cellXfs>"),
       .properties = since_1904 ? "<workbookPr date1904=\"1\"/>" : "<workbookPr/>"});
  EXPECT_THAT(table.rows, SizeIs(1)) << absl::StrJoin(table.faults, "\n");
  return table.rows.empty() ? std::vector<std::string>() : table.rows[0];
}

TEST(WorkbookReaderTest, DatesOfBothSystemsAreWrittenOut) {
  EXPECT_THAT(Dates({"45413", "45413.395833333336", "0.5"}, 14),
              ElementsAre("2024-05-01", "2024-05-01T09:30:00", "12:00:00"));
  EXPECT_THAT(Dates({"1", "59", "60"}, 14), ElementsAre("1900-01-01", "1900-02-28", "1900-02-29"));
  EXPECT_THAT(Dates({"61", "2958465", "45412.999999999"}, 14),
              ElementsAre("1900-03-01", "9999-12-31", "2024-05-01"));
  EXPECT_THAT(Dates({"43951", "0", "43951.5"}, 14, "", true),
              ElementsAre("2024-05-01", "1904-01-01", "2024-05-01T12:00:00"));
}

TEST(WorkbookReaderTest, NumbersThatAreNoDatesStay) {
  EXPECT_THAT(Dates({"-1", "2958466", "1E+300"}, 14), ElementsAre("-1", "2958466", "1E+300"));
  EXPECT_THAT(Dates({"0", "nan", "x"}, 14), ElementsAre("0", "nan", "x"));
}

TEST(WorkbookReaderTest, EachFormatOfDatesIsKnown) {
  for (int id = 0; id < 100; ++id) {
    SCOPED_TRACE(id);
    const bool date = (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
                      (id >= 50 && id <= 58);
    EXPECT_THAT(Dates({"45413"}, id), ElementsAre(date ? "2024-05-01" : "45413"));
  }
}

TEST(WorkbookReaderTest, CodesOfFormatsTellDates) {
  for (const absl::string_view code :
       {"yyyy\\-mm\\-dd;@", "[$-412]yyyy&quot;년&quot; m&quot;월&quot; d&quot;일&quot;;@", "mmm",
        "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "D.M.YY", "h:mm AM/PM", "mm:ss.0"})
    EXPECT_THAT(Dates({"45413"}, 164, code), ElementsAre("2024-05-01")) << code;
  for (const absl::string_view code :
       {"General", "Standard", "0.00E+00", "#,##0&quot;days&quot;", "[Red]0;[Magenta]-0",
        "0\\d\\a\\y", "000-0000-0000", "_d0*m", "@", "0;yyyy", "&quot;open dmy"})
    EXPECT_THAT(Dates({"45413"}, 164, code), ElementsAre("45413")) << code;
}

TEST(WorkbookReaderTest, DatesThatAreWrittenOutStay) {
  const Table table = ReadRows(
      "<row><c t=\"d\"><v>2024-05-01T00:00:00.000Z</v></c><c t=\"d\"><v>2024-05-01</v></c>"
      "<c t=\"d\"><v>2024-05-01T09:30:00</v></c></row>");
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("2024-05-01", "2024-05-01", "2024-05-01T09:30:00")));
}

TEST(WorkbookReaderTest, PlacesMayBeMissingAndCellsToo) {
  const Table table = ReadRows(
      "<row r=\"5\"><c r=\"B5\"><v>1</v></c><c><v>2</v></c></row>"
      "<row><c><v>3</v></c></row>"
      "<row r=\"9\"/><row r=\"10\"><c r=\"A10\" s=\"4\"/></row><row r=\"11\"><c r=\"c11\"><v>4</v>"
      "</c></row>");
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("", "1", "2"), ElementsAre("3"), ElementsAre("", "", "4")));
  EXPECT_THAT(table.lines, ElementsAre(5, 6, 11));
}

TEST(WorkbookReaderTest, WhatIsOutOfOrderIsAFault) {
  const Table table = ReadRows(
      "<row r=\"5\"><c r=\"A5\"><v>1</v></c></row><row r=\"4\"><c r=\"A4\"><v>2</v></c></row>"
      "<row r=\"6\"><c r=\"B6\"><v>3</v></c><c r=\"A6\"><v>4</v></c></row>"
      "<row r=\"7\"><c r=\"A8\"><v>5</v></c></row><row r=\"8\"><c r=\"7A\"><v>6</v></c></row>"
      "<row r=\"-1\"><c><v>7</v></c></row><row r=\"9\"><c><v>8</v></c></row>");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1"), ElementsAre("8")));
  EXPECT_THAT(table.faults,
              ElementsAre("4 stands below row 5", "6 has cells that are out of order",
                          "7 has a cell of another row", "8 has a cell without a sound place",
                          "9 has no row's number"));
}

TEST(WorkbookReaderTest, RowsFitTheHeader) {
  const Table table = ReadRows(InlineRow({"a"}) + InlineRow({"a", "b", "c", "d"}) +
                               "<row><c r=\"A4\"><v>1</v></c><c r=\"ALM4\"><v>2</v></c></row>");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("a")));
  EXPECT_THAT(table.faults,
              ElementsAre("3 has 4 cells where the header has 3", "4 has more than 1000 cells"));
}

TEST(WorkbookReaderTest, WithoutAHeaderTheWidestOfTheFirstRowsCounts) {
  const Table table = Read(
      {{{InlineRow({"가을", "010-1234-5678"}) + InlineRow({"겨울", "010-1234-5679", "note"})}}});
  EXPECT_EQ(table.header_line, 0);
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.columns, SizeIs(3));
}

TEST(WorkbookReaderTest, NoticesMayStandAboveTheHeader) {
  const Table table = Read({{{InlineRow({"notice"}) + "<row/>" + kHeader + kCustomer}}});
  EXPECT_EQ(table.header_line, 3);
  EXPECT_THAT(table.rows, SizeIs(1));
}

TEST(WorkbookReaderTest, MarkupOfEveryKindIsPassedOver) {
  const Table table = ReadRows(
      "<!-- <row><c><v>1</v></c></row> --><?pi </row> ?><row a=\"x>y\" spans='1:3'>"
      "<c><!-- </row> --><v>2<!-- -->3</v></c>"
      "<c t=\"inlineStr\"><is><t><![CDATA[</row><b>]]> &amp;</t></is></c><?x </row>?></row >");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("23", "</row><b> &")));
  EXPECT_THAT(table.faults, IsEmpty());
}

TEST(WorkbookReaderTest, PrefixesAndStrictNamesAreRead) {
  WorkbookText book{.sheets = {{kHeader + kCustomer}}, .names = testing::kStrictNames};
  EXPECT_THAT(Read(book).rows, SizeIs(1));
  ZipParts parts = PartsOf(book);
  for (const absl::string_view name : {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}) {
    std::string& xml = PartIn(parts, name);
    xml = absl::StrReplaceAll(xml, {{"</", "</x:"},
                                    {"<", "<x:"},
                                    {"<?", "<?"},
                                    {"xmlns=", "xmlns:x="},
                                    {"r:id", "rel:id"},
                                    {"xmlns:r=", "xmlns:rel="}});
  }
  EXPECT_THAT(ReadParts(parts).rows, ElementsAre(ElementsAre("가을", "010-1234-5678", "vip")));
}

TEST(WorkbookReaderTest, PartsMayStandElsewhere) {
  for (const auto& [target, part] : std::vector<std::pair<std::string, std::string>>{
           {"/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"},
           {"./other/../sheet.xml", "xl/sheet.xml"},
           {"../data/Sheet.XML", "data/sheet.xml"},
           {"worksheets\\sheet1.xml", "xl\\worksheets\\sheet1.xml"}}) {
    SCOPED_TRACE(target);
    ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
    std::string& links = PartIn(parts, "xl/_rels/workbook.xml.rels");
    links = absl::StrReplaceAll(links, {{"worksheets/sheet1.xml", target}});
    for (auto& [name, bytes] : parts) {
      if (name == "xl/worksheets/sheet1.xml") name = part;
    }
    EXPECT_THAT(ReadParts(parts).rows, SizeIs(1));
  }
}

TEST(WorkbookReaderTest, Utf16PartsAreRead) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  std::string& xml = PartIn(parts, "xl/worksheets/sheet1.xml");
  const std::string text = absl::StrReplaceAll(xml, {{"UTF-8", "UTF-16"}});
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      xml = testing::Encode(text, encoding, mark);
      EXPECT_THAT(ReadParts(parts).rows, ElementsAre(ElementsAre("가을", "010-1234-5678", "vip")));
    }
  }
  xml = absl::StrReplaceAll(text, {{"UTF-16", "EUC-KR"}});
  ExpectRefused(WriteZip(parts), "sheet 1 is in another encoding than UTF-8");
}

TEST(WorkbookReaderTest, LongRowsAreFaultsAndTheRestIsRead) {
  const std::string much(2 << 20, 'x');
  const Table table = ReadRows("<row r=\"2\"><c><v>" + much + "</v></c></row>" + kCustomer +
                               InlineRow({std::string(70'000, 'y')}) + kCustomer +
                               "<row r=\"6\" a=\"'>'\"><!--" + much + much + "--></row>");
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.faults, ElementsAre("2 is longer than 1 MiB", "4 has a cell longer than 64 KiB",
                                        "6 is longer than 1 MiB"));
}

TEST(WorkbookReaderTest, UnsoundRowsAreFaultsAndTheRestIsRead) {
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<a>";
  const Table table = ReadRows("<row><c><v>1</c></row>" + kCustomer + "<row>" + deep + "</row>" +
                               "<row><c t=\"inlineStr\"><is><t>a&#0;b</t></is></c></row>" +
                               "<row><c t=\"inlineStr\"><is><t>\xff\xfe</t></is></c></row>" +
                               "<row><c t=\"zz\"><v>1</v></c></row>" +
                               "<row><c t=\"s\"><v>7</v></c></row>" + kCustomer);
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.faults, ElementsAre("2 is no sound XML", "4 is no sound XML",
                                        "5 is no sound XML", "6 has a cell that is no text",
                                        "7 has a cell of a kind that is not known",
                                        "8 has a cell whose text is missing"));
}

TEST(WorkbookReaderTest, UnusableStringsAreFaultsOfTheirRows) {
  const Table table =
      Read({.sheets = {{kHeader + "<row><c t=\"s\"><v>0</v></c></row><row><c t=\"s\"><v>1</v></c>"
                                  "</row><row><c t=\"s\"><v>2</v></c></row>"}},
            .strings = "<si><t>" + std::string(70'000, 'x') + "</t></si><si><t>good</t></si>" +
                       "<si><t>bad</si>"});
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("good")));
  EXPECT_THAT(table.faults, SizeIs(2));
}

TEST(WorkbookReaderTest, TheSheetOfCustomersIsFound) {
  const Table table = Read({.sheets = {{kHeader + kCustomer, "Old", "state=\"hidden\""},
                                       {kHeader + kCustomer, "Older", "state=\"veryHidden\""},
                                       {InlineRow({"2024", "sales"}), "Sum"},
                                       {"", "Empty"},
                                       {kHeader + InlineRow({"봄", "010-2222-3333", "x"}),
                                        "고객\n" + std::string(50, 'n')},
                                       {kHeader + kCustomer, "More"}}});
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("봄", "010-2222-3333", "x")));
  EXPECT_THAT(
      table.remarks,
      ElementsAre("sheet 5 of 6 ('고객 " + std::string(37, 'n') + "…') was read",
                  "sheet 6 looks like customers too and was not read; save it as a file of its own "
                  "to import it",
                  "sheet 3 does not look like customers and was not read",
                  "sheets 1 and 2 are hidden and were not read", "sheet 4 is empty"));
}

TEST(WorkbookReaderTest, ASheetWithAKnownHeaderGoesBeforeOneWithLongNumbers) {
  const Table table = Read({{{InlineRow({"total", "20240501123"})}, {kHeader + kCustomer}}});
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("가을", "010-1234-5678", "vip")));
}

TEST(WorkbookReaderTest, HiddenRowsAreReadAndCounted) {
  const Table table = ReadRows("<row hidden=\"1\">" + InlineCell("a") + "</row>" + kCustomer +
                               "<row hidden=\"true\">" + InlineCell("b") + "</row>");
  EXPECT_THAT(table.rows, SizeIs(3));
  EXPECT_THAT(table.remarks, Contains("2 hidden rows were read like the others"));
}

TEST(WorkbookReaderTest, ChartsAreNoTables) {
  ZipParts parts = PartsOf({{{""}, {kHeader + kCustomer}}});
  std::string& links = PartIn(parts, "xl/_rels/workbook.xml.rels");
  links = absl::StrReplaceAll(links, {{"worksheet\" Target=\"worksheets/sheet1",
                                       "chartsheet\" Target=\"worksheets/sheet1"}});
  const Table table = ReadParts(parts);
  EXPECT_THAT(table.rows, SizeIs(1));
  EXPECT_THAT(table.remarks, Contains("sheet 1 holds no table"));
}

TEST(WorkbookReaderTest, OptionsOfTextDoNotFit) {
  const std::string book = WriteWorkbook({{{kHeader + kCustomer}}});
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadTable(book, {.encoding = Encoding::kUtf8}).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadTable(book, {.delimiter = ';'}).status()));
}

TEST(WorkbookReaderTest, StringsBeyondMemoryComeFromTheSealedFile) {
  constexpr int kRows = 20'000;
  std::string strings, rows = kHeader;
  for (int i = 0; i < kRows; ++i) {
    absl::StrAppend(&strings, "<si><t>text ", i, "</t></si>");
    // Forwards, backwards, and one that is used again and again.
    absl::StrAppend(&rows, "<row><c t=\"s\"><v>", i, "</v></c><c t=\"s\"><v>", kRows - 1 - i,
                    "</v></c><c t=\"s\"><v>7</v></c></row>");
  }
  const testing::TemporaryFile file(WriteWorkbook({.sheets = {{rows}}, .strings = strings}));
  for (const std::size_t limit : {std::size_t{0}, std::size_t{100'000}}) {
    auto bytes = ByteSource::Open(file.path());
    ASSERT_TRUE(bytes.ok());
    auto reader = OpenWorkbook(**bytes, {.looks_like_header = &LooksLikeHeader},
                               WorkbookLimits{.string_bytes = limit});
    ASSERT_TRUE(reader.ok()) << reader.status();
    TableRow row;
    std::uint64_t last = 0;
    for (int i = 0; i < kRows; ++i) {
      const auto more = (*reader)->Next(row);
      ASSERT_TRUE(more.ok() && *more) << more.status();
      ASSERT_THAT(row.cells, ElementsAre(absl::StrCat("text ", i),
                                         absl::StrCat("text ", kRows - 1 - i), "text 7"));
      ASSERT_GE((*reader)->bytes_read(), last);
      last = (*reader)->bytes_read();
    }
    EXPECT_FALSE(*(*reader)->Next(row));
    EXPECT_EQ((*reader)->bytes_read(), (*bytes)->bytes_total());
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
