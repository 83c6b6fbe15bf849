// Workbooks that are refused, and why: other files, damage, bombs, and what leads out of them.
#include "absl/strings/str_replace.h"
#include "tests/anonymizer/workbook_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::HasSubstr;
using testing::PartsOf;
using testing::WorkbookText;
using testing::WriteWorkbook;
using testing::WriteZip;
using testing::ZipParts;

TEST(WorkbookRefusalsTest, OtherFilesAreNamed) {
  const std::string odd = "<a/>";
  ExpectRefused(WriteZip({{"xl/workbook.bin", odd}}), "is a binary workbook (.xlsb)");
  ExpectRefused(WriteZip({{"mimetype", odd}, {"content.xml", odd}}), "(.ods)");
  ExpectRefused(WriteZip({{"Index/Document.iwa", odd}}), "Numbers");
  ExpectRefused(WriteZip({{"word/document.xml", odd}}), "is a text document");
  ExpectRefused(WriteZip({{"list.csv", "name,phone"}}), "is a zip file, but no workbook");
  ExpectRefused(WriteZip({{"xl/workbook.xml", odd}}), "is a zip file, but no workbook");
  const auto forced = ReadTable("name,phone\n", {.format = TableFormat::kXlsx});
  EXPECT_THAT(std::string(forced.status().message()), HasSubstr("is no workbook"));
}

TEST(WorkbookRefusalsTest, EveryTruncationIsRefused) {
  const std::string whole = WriteWorkbook({{{kHeader + kCustomer}}});
  for (std::size_t size = 4; size < whole.size(); size += 1 + whole.size() / 97) {
    SCOPED_TRACE(size);
    ExpectRefused(whole.substr(0, size), "cut off");
  }
  EXPECT_THAT(std::string(ReadTable(whole.substr(0, whole.size() - 30)).status().message()),
              HasSubstr("is a workbook that was cut off"));
}

TEST(WorkbookRefusalsTest, AlteredBytesAreNoticed) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  std::string whole = WriteZip(parts);
  // In the packed bytes of the sheet, behind its name.
  const std::size_t at = whole.find("sheet1.xml");
  int noticed = 0;
  for (std::size_t i = 40; i < 140; i += 10) {
    std::string altered = whole;
    altered[at + i] = static_cast<char>(altered[at + i] ^ 0x10);
    const auto table = ReadTable(altered);
    noticed += !table.ok() || !table->end.ok() ? 1 : 0;
  }
  EXPECT_EQ(noticed, 10);
}

TEST(WorkbookRefusalsTest, SheetsThatStopAreRefused) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  std::string& xml = PartIn(parts, "xl/worksheets/sheet1.xml");
  const std::string whole = xml;
  xml = whole.substr(0, whole.find("</sheetData>"));
  ExpectRefused(WriteZip(parts), "sheet 1 below row 2 is cut off");
  xml = whole.substr(0, whole.find("010"));
  ExpectRefused(WriteZip(parts), "sheet 1 below row 1 is cut off");
  xml = "<worksheet/>";
  ExpectRefused(WriteZip(parts), "sheet 1 holds no table");
  xml = absl::StrReplaceAll(whole, {{"<sheetData>", absl::string_view("<sheetData>\0", 12)}});
  ExpectRefused(WriteZip(parts), "sheet 1 holds a NUL byte");
}

TEST(WorkbookRefusalsTest, DocumentTypesAreRefusedInEveryPart) {
  const std::string bomb =
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
  const ZipParts sound = PartsOf(
      {.sheets = {{kHeader + kCustomer}}, .strings = "<si><t>a</t></si>", .styles = "<cellXfs/>"});
  for (const absl::string_view name :
       {"_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml",
        "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"}) {
    SCOPED_TRACE(name);
    ZipParts parts = sound;
    std::string& xml = PartIn(parts, name);
    xml.insert(xml.find("?>") + 2, bomb);
    ExpectRefused(WriteZip(parts), "has a document type");
  }
  ZipParts parts = sound;
  std::string& xml = PartIn(parts, "xl/worksheets/sheet1.xml");
  xml = testing::Encode(bomb + xml, Encoding::kUtf16Le, true);
  ExpectRefused(WriteZip(parts), "has a document type");
}

TEST(WorkbookRefusalsTest, ZipBombsAreRefused) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer + std::string(100 << 20, ' ')}}});
  ExpectRefused(WriteZip(parts), "sheet 1 below row 2 unpacks to far more than a list could hold");
  parts = PartsOf({.sheets = {{kHeader}}, .styles = std::string(20 << 20, ' ')});
  ExpectRefused(WriteZip(parts), "its list of styles is far too long");
}

TEST(WorkbookRefusalsTest, RowsWithoutAnEndAreRefused) {
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < (101 << 20)) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>('a' + (state >> 28));
  }
  ExpectRefused(WriteWorkbook({{{kHeader + "<row><c><v>" + noise + "</v></c></row>"}}}),
                "goes on for more than 100 MB without an end");
}

TEST(WorkbookRefusalsTest, NamesThatLeaveTheArchiveAreRefused) {
  for (const absl::string_view name :
       {"../evil.xml", "xl/../../evil", "/etc/evil", "..\\evil", "C:/evil", "xl/.."}) {
    SCOPED_TRACE(name);
    ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
    parts.emplace_back(name, "x");
    ExpectRefused(WriteZip(parts), "names that lead out of it");
  }
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  std::string& links = PartIn(parts, "xl/_rels/workbook.xml.rels");
  links = absl::StrReplaceAll(links, {{"worksheets/sheet1.xml", "../../etc/passwd"}});
  ExpectRefused(WriteZip(parts), "has no rows in any sheet");
}

TEST(WorkbookRefusalsTest, PartsThatAreThereTwiceAreRefused) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  parts.emplace_back("XL/Worksheets/sheet1.xml", PartIn(parts, "xl/worksheets/sheet1.xml"));
  ExpectRefused(WriteZip(parts), "sheet 1 is there more than once");
}

TEST(WorkbookRefusalsTest, PasswordsAreNamed) {
  ExpectRefused(WriteZip(PartsOf({{{kHeader + kCustomer}}}), "secret"),
                "is protected by a password");
}

TEST(WorkbookRefusalsTest, TooManyEntriesOrSheetsAreRefused) {
  ZipParts parts = PartsOf({{{kHeader + kCustomer}}});
  for (int i = 0; i < 10'000; ++i) parts.emplace_back(absl::StrCat("e", i), "");
  ExpectRefused(WriteZip(parts), "far too many files");
  WorkbookText book;
  book.sheets.resize(1001);
  ExpectRefused(WriteWorkbook(book), "its list of sheets has far too many");
}

TEST(WorkbookRefusalsTest, MissingPartsAreNamed) {
  for (const auto& [name, what] : std::vector<std::pair<std::string, std::string>>{
           {"xl/worksheets/sheet1.xml", "sheet 1 is missing"},
           {"xl/sharedStrings.xml", "its list of texts is missing"},
           {"xl/_rels/workbook.xml.rels", "does not say where sheet 1 stands"}}) {
    ZipParts parts = PartsOf({.sheets = {{kHeader + kCustomer}}, .strings = "<si><t>a</t></si>"});
    std::erase_if(parts, [&name = name](const auto& part) { return part.first == name; });
    ExpectRefused(WriteZip(parts), what);
  }
}

TEST(WorkbookRefusalsTest, WorkbookWithoutVisibleRowsIsRefused) {
  ExpectRefused(WriteWorkbook({{{""}, {"<row r=\"3\"/>"}}}), "has no rows in any sheet");
  ExpectRefused(WriteWorkbook({{{""}, {kHeader + kCustomer, "x", "state=\"hidden\""}}}),
                "that is not hidden");
}

}  // namespace
}  // namespace sealbook::anonymizer
