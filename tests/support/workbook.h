// Zip files and workbooks for tests, made in memory from the text of their parts.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sealbook::testing {

using ZipParts = std::vector<std::pair<std::string, std::string>>;  // names and bytes

inline std::string WriteZip(const ZipParts& parts, const char* passphrase = nullptr) {
  std::string out;
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_set_bytes_per_block(zip, 0);
  if (passphrase != nullptr && (archive_write_set_options(zip, "zip:encryption=zipcrypt") != 0 ||
                                archive_write_set_passphrase(zip, passphrase) != 0))
    std::abort();
  const auto append = [](archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
  };
  if (archive_write_open(zip, &out, nullptr, append, nullptr) != ARCHIVE_OK) std::abort();
  for (const auto& [name, bytes] : parts) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    if (archive_write_header(zip, entry) != ARCHIVE_OK ||
        archive_write_data(zip, bytes.data(), bytes.size()) !=
            static_cast<la_ssize_t>(bytes.size()))
      std::abort();
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  return out;
}

// What the parts of a workbook have in common.
struct WorkbookNames {
  std::string main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  std::string relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
};
inline const WorkbookNames kStrictNames = {
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://purl.oclc.org/ooxml/officeDocument/relationships"};

struct SheetText {
  std::string rows;  // what stands in <sheetData>
  std::string name = "Sheet";
  std::string attributes = "";  // of its entry in the workbook: state="hidden"
};

struct WorkbookText {
  std::vector<SheetText> sheets;
  std::string strings = "";     // what stands in <sst>
  std::string styles = "";      // what stands in <styleSheet>
  std::string properties = "";  // <workbookPr …/>
  WorkbookNames names = {};
};

// The parts as Excel names them, to be altered before they are written.
inline ZipParts PartsOf(const WorkbookText& book) {
  const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n";
  const std::string& main = book.names.main;
  const std::string package = "http://schemas.openxmlformats.org/package/2006/relationships";
  std::string sheets, relationships;
  const auto relate = [&](const std::string& id, absl::string_view type, absl::string_view target) {
    absl::StrAppend(&relationships, "<Relationship Id=\"", id, "\" Type=\"",
                    book.names.relationships, "/", type, "\" Target=\"", target, "\"/>");
  };
  ZipParts parts = {
      {"[Content_Types].xml",
       head + "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"},
      {"_rels/.rels",
       absl::StrCat(head, "<Relationships xmlns=\"", package,
                    "\"><Relationship Id=\"rId1\" Type=\"", book.names.relationships,
                    "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>")}};
  for (std::size_t i = 1; i <= book.sheets.size(); ++i) {
    const SheetText& sheet = book.sheets[i - 1];
    absl::StrAppend(&sheets, "<sheet name=\"", sheet.name, "\" sheetId=\"", i, "\" ",
                    sheet.attributes, " r:id=\"rId", i, "\"/>");
    relate(absl::StrCat("rId", i), "worksheet", absl::StrCat("worksheets/sheet", i, ".xml"));
    parts.emplace_back(absl::StrCat("xl/worksheets/sheet", i, ".xml"),
                       absl::StrCat(head, "<worksheet xmlns=\"", main, "\"><sheetData>", sheet.rows,
                                    "</sheetData></worksheet>"));
  }
  if (!book.strings.empty()) {
    relate("rIdS", "sharedStrings", "sharedStrings.xml");
    parts.emplace_back("xl/sharedStrings.xml",
                       absl::StrCat(head, "<sst xmlns=\"", main, "\">", book.strings, "</sst>"));
  }
  if (!book.styles.empty()) {
    relate("rIdT", "styles", "styles.xml");
    parts.emplace_back("xl/styles.xml", absl::StrCat(head, "<styleSheet xmlns=\"", main, "\">",
                                                     book.styles, "</styleSheet>"));
  }
  parts.emplace_back(
      "xl/workbook.xml",
      absl::StrCat(head, "<workbook xmlns=\"", main, "\" xmlns:r=\"", book.names.relationships,
                   "\">", book.properties, "<sheets>", sheets, "</sheets></workbook>"));
  parts.emplace_back("xl/_rels/workbook.xml.rels",
                     absl::StrCat(head, "<Relationships xmlns=\"", package, "\">", relationships,
                                  "</Relationships>"));
  return parts;
}
inline std::string WriteWorkbook(const WorkbookText& book) { return WriteZip(PartsOf(book)); }

// A cell with its text inside, and one row of such cells.
inline std::string InlineCell(absl::string_view text) {
  return absl::StrCat("<c t=\"inlineStr\"><is><t>", text, "</t></is></c>");
}
inline std::string InlineRow(const std::vector<std::string>& cells) {
  std::string row = "<row>";
  for (const std::string& cell : cells) row += InlineCell(cell);
  return row + "</row>";
}

}  // namespace sealbook::testing
