// The invented customers of bench/support.h as lists of the formats in which lists arrive.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <functional>
#include <map>

#include "absl/strings/str_replace.h"
#include "bench/support.h"

namespace sealbook::bench {

inline std::string ForXml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

// A workbook as spreadsheet programs write it: every text in the table of shared strings, those
// that come again once, in the order of their first use; the sheet before the strings.
class WorkbookWriter {
 public:
  explicit WorkbookWriter(const std::string& path) : archive_(archive_write_new()) {
    archive_write_set_format_zip(archive_);
    archive_write_set_options(archive_, "zip:compression=deflate");
    failed_ = archive_write_open_filename(archive_, path.c_str()) != ARCHIVE_OK;
  }
  ~WorkbookWriter() { archive_write_free(archive_); }
  WorkbookWriter(const WorkbookWriter&) = delete;
  WorkbookWriter& operator=(const WorkbookWriter&) = delete;

  void Part(const char* name, const std::function<void()>& write) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    failed_ |= archive_write_header(archive_, entry) != ARCHIVE_OK;
    write();
    Flush();
    archive_entry_free(entry);
  }
  void Put(absl::string_view text) {
    absl::StrAppend(&block_, text);
    if (block_.size() > 1 << 16) Flush();
  }
  absl::Status Close() {
    failed_ |= archive_write_close(archive_) != ARCHIVE_OK;
    return failed_ ? absl::InternalError("cannot write the workbook") : absl::OkStatus();
  }

 private:
  void Flush() {
    failed_ |= archive_write_data(archive_, block_.data(), block_.size()) < 0;
    block_.clear();
  }
  archive* archive_;
  std::string block_;
  bool failed_ = false;
};

inline absl::Status WriteWorkbook(const std::string& path, std::uint64_t rows) {
  constexpr absl::string_view kProlog =
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
  constexpr absl::string_view kMain = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  constexpr absl::string_view kOffice =
      "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  constexpr absl::string_view kPackage = "http://schemas.openxmlformats.org/package/2006/";
  WorkbookWriter book(path);
  book.Part("[Content_Types].xml", [&] {
    book.Put(absl::StrCat(
        kProlog, "<Types xmlns=\"", kPackage,
        "content-types\"><Default Extension=\"rels\" "
        "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override "
        "PartName=\"/xl/workbook.xml\" ContentType=\"application/"
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override "
        "PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/"
        "vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override "
        "PartName=\"/xl/sharedStrings.xml\" ContentType=\"application/"
        "vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml\"/></Types>"));
  });
  book.Part("_rels/.rels", [&] {
    book.Put(absl::StrCat(kProlog, "<Relationships xmlns=\"", kPackage,
                          "relationships\"><Relationship Id=\"rId1\" Type=\"", kOffice,
                          "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"));
  });
  book.Part("xl/workbook.xml", [&] {
    book.Put(absl::StrCat(kProlog, "<workbook xmlns=\"", kMain, "\" xmlns:r=\"", kOffice,
                          "\"><sheets><sheet name=\"Customers\" sheetId=\"1\" "
                          "r:id=\"rId1\"/></sheets></workbook>"));
  });
  book.Part("xl/_rels/workbook.xml.rels", [&] {
    book.Put(absl::StrCat(kProlog, "<Relationships xmlns=\"", kPackage,
                          "relationships\"><Relationship Id=\"rId1\" Type=\"", kOffice,
                          "/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship "
                          "Id=\"rId2\" Type=\"",
                          kOffice,
                          "/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"));
  });
  // Companies and tags come again; everything else is new in every row.
  const auto each_cell =
      [&](const std::function<void(std::uint64_t row, std::size_t column, const std::string& text,
                                   bool is_new, std::uint64_t index)>& use) {
        std::map<std::string, std::uint64_t> known;
        std::uint64_t next = 0;
        for (std::uint64_t row = 0; row <= rows; ++row) {
          const Cells cells = row == 0 ? HeaderCells() : CellsOf(row - 1);
          for (std::size_t column = 0; column < cells.size(); ++column) {
            std::uint64_t index = next;
            const bool repeats = row > 0 && (column == 3 || column == 4);
            const auto at = repeats ? known.find(cells[column]) : known.end();
            const bool is_new = at == known.end();
            if (is_new) ++next;
            if (is_new && repeats) known[cells[column]] = index;
            if (!is_new) index = at->second;
            use(row, column, cells[column], is_new, index);
          }
        }
      };
  book.Part("xl/worksheets/sheet1.xml", [&] {
    book.Put(absl::StrCat(kProlog, "<worksheet xmlns=\"", kMain, "\"><dimension ref=\"A1:F",
                          rows + 1, "\"/><sheetData>"));
    each_cell(
        [&](std::uint64_t row, std::size_t column, const std::string&, bool, std::uint64_t index) {
          if (column == 0) book.Put(absl::StrCat("<row r=\"", row + 1, "\" spans=\"1:6\">"));
          const char letter[] = {static_cast<char>('A' + column), '\0'};
          book.Put(absl::StrCat("<c r=\"", letter, row + 1, "\" t=\"s\"><v>", index, "</v></c>"));
          if (column == 5) book.Put("</row>");
        });
    book.Put("</sheetData></worksheet>");
  });
  book.Part("xl/sharedStrings.xml", [&] {
    book.Put(absl::StrCat(kProlog, "<sst xmlns=\"", kMain, "\">"));
    each_cell([&](std::uint64_t, std::size_t, const std::string& text, bool is_new, std::uint64_t) {
      if (is_new) book.Put(absl::StrCat("<si><t>", ForXml(text), "</t></si>"));
    });
    book.Put("</sst>");
  });
  return book.Close();
}

// As phones write them: version 3.0.
inline absl::Status WriteCards(const std::string& path, std::uint64_t rows) {
  std::ofstream file(path, std::ios::binary);
  std::string block;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const auto [phone, email, name, company, tags, note] = CellsOf(row);
    absl::StrAppend(&block, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;", name, ";;;\r\nFN:", name,
                    "\r\nTEL;TYPE=CELL:", phone, "\r\nEMAIL;TYPE=INTERNET:", email,
                    "\r\nORG:", company, "\r\nCATEGORIES:", tags, "\r\nNOTE:", note,
                    "\r\nEND:VCARD\r\n");
    if (block.size() < 1 << 16 && row + 1 < rows) continue;
    file.write(block.data(), static_cast<std::streamsize>(block.size()));
    block.clear();
  }
  file.close();
  return file ? absl::OkStatus() : absl::InternalError(absl::StrCat("cannot write ", path));
}

}  // namespace sealbook::bench
