// Workbooks (.xlsx, ECMA-376) with nothing in them but the list: each cell is a text of its own
// (inlineStr) in the format "@", so that a phone number stays one when somebody edits it, and there
// are no formulas. libarchive packs them as they come; sizes follow each part (data descriptors),
// so that nothing waits in a file.
#include "anonymizer/workbook_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include "absl/strings/str_cat.h"
#include "anonymizer/list_rows.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kMaxCellUnits = 32'767;  // Excel's limit, in units of UTF-16
// Stands between rows of two sheets in what Render gives; no XML holds it.
constexpr char kSheetBreak = '\x1e';

constexpr absl::string_view kProlog =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
#define MAIN_NAMESPACE "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define OFFICE_NAMESPACE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PACKAGE_NAMESPACE "http://schemas.openxmlformats.org/package/2006/"
#define OFFICE_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml."

constexpr absl::string_view kRelationships =
    "<Relationships xmlns=\"" PACKAGE_NAMESPACE
    "relationships\"><Relationship Id=\"rId1\" Type=\"" OFFICE_NAMESPACE
    "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
// Cells are of style 1, text; those of the header of style 2, bold text.
constexpr absl::string_view kStyles =
    "<styleSheet xmlns=\"" MAIN_NAMESPACE
    "\"><fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz "
    "val=\"11\"/><name val=\"Calibri\"/></font></fonts><fills count=\"2\"><fill><patternFill "
    "patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>"
    "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/>"
    "</cellStyleXfs><cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" "
    "borderId=\"0\" xfId=\"0\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" "
    "xfId=\"0\" applyNumberFormat=\"1\"/><xf numFmtId=\"49\" fontId=\"1\" fillId=\"0\" "
    "borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\"/></cellXfs><cellStyles "
    "count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";

// "A", …, "Z", "AA", …
std::string LettersOf(std::size_t column) {
  std::string letters;
  for (++column; column > 0; column = (column - 1) / 26)
    letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  return letters;
}

std::size_t UnitsOfUtf16(absl::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xc0) != 0x80;
    units += byte >= 0xf0;
  }
  return units;
}

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// "_x0041", which would be taken for the beginning of an escape.
bool LooksEscaped(absl::string_view text) {
  return text.size() >= 6 && text[1] == 'x' && IsHex(text[2]) && IsHex(text[3]) && IsHex(text[4]) &&
         IsHex(text[5]);
}

// Text of an element, with what XML 1.0 does not allow as "_x0001_" (ECMA-376 part 1, 22.9.2.19).
void AppendText(absl::string_view text, std::string& out) {
  std::size_t begin = 0;
  const auto put = [&](std::size_t at, std::size_t bytes, absl::string_view instead) {
    out.append(text.data() + begin, at - begin);
    out.append(instead.data(), instead.size());
    begin = at + bytes;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '&' && c != '<' && c != '>' && c != '_' && c != 0xef && c != 0x7f)
      continue;
    if (c == '&') {
      put(i, 1, "&amp;");
    } else if (c == '<') {
      put(i, 1, "&lt;");
    } else if (c == '>') {
      put(i, 1, "&gt;");
    } else if (c == '_') {
      if (LooksEscaped(text.substr(i))) put(i, 1, "_x005F_");
    } else if (c == 0xef) {
      const absl::string_view wide = text.substr(i, 3);
      if (wide == "\xef\xbf\xbe") put(i, 3, "_xFFFE_");
      if (wide == "\xef\xbf\xbf") put(i, 3, "_xFFFF_");
    } else if (c != '\t' && c != '\n') {
      constexpr char kHex[] = "0123456789ABCDEF";
      const char escape[] = {'_', 'x', '0', '0', kHex[c >> 4], kHex[c & 0xf], '_'};
      put(i, 1, {escape, sizeof(escape)});
    }
  }
  out.append(text.data() + begin, text.size() - begin);
}

// Blanks at the ends, and line breaks, which programs would otherwise leave out.
bool HasSpaces(absl::string_view text) {
  return text.front() == ' ' || text.back() == ' ' ||
         text.find_first_of("\n\t") != absl::string_view::npos;
}

class WorkbookWriter : public ListWriter {
 public:
  WorkbookWriter(std::vector<std::string> columns, ByteSink& sink,
                 const WorkbookWriterLimits& limits)
      : columns_(std::move(columns)), sink_(sink), limits_(limits), archive_(archive_write_new()) {
    for (std::size_t i = 0; i < columns_.size(); ++i) letters_.push_back(LettersOf(i));
  }
  ~WorkbookWriter() override {
    // libarchive writes an end to what was begun, and gives all its memory back only after that;
    // from here on OnWrite drops what it is handed.
    status_.Update(absl::CancelledError("the workbook is given up"));
    archive_write_free(archive_);
  }

  absl::Status Start();
  absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                      std::uint64_t rows_before) const override;
  absl::Status Append(RenderedRows rows) override;
  absl::Status Finish() override;

 private:
  static la_ssize_t OnWrite(archive*, void* self, const void* bytes, std::size_t size);
  absl::Status Failure();
  absl::Status StartPart(const std::string& name);
  absl::Status Put(absl::string_view text);
  absl::Status WritePart(const std::string& name, absl::string_view text);
  absl::Status StartSheet();
  absl::Status EndSheet();
  absl::Status TooLarge() const;

  ListColumns columns_;
  ByteSink& sink_;
  WorkbookWriterLimits limits_;
  std::vector<std::string> letters_;
  archive* archive_;
  absl::Status status_;  // the first failure, after which nothing reaches the sink
  std::size_t sheets_ = 0;
  std::uint64_t sheet_bytes_ = 0, file_bytes_ = 0;
};

la_ssize_t WorkbookWriter::OnWrite(archive*, void* self, const void* bytes, std::size_t size) {
  auto& writer = *static_cast<WorkbookWriter*>(self);
  if (writer.status_.ok()) {
    writer.status_ = writer.sink_.Append({static_cast<const std::uint8_t*>(bytes), size});
    writer.file_bytes_ += size;
  }
  return static_cast<la_ssize_t>(size);
}

absl::Status WorkbookWriter::Failure() {
  status_.Update(absl::InternalError("a workbook cannot be packed"));
  return status_;
}

absl::Status WorkbookWriter::TooLarge() const {
  return WithHint(absl::FailedPreconditionError("the list is too large for a workbook"),
                  "Choose CSV, or fewer fields.");
}

absl::Status WorkbookWriter::Start() {
  const bool made =
      archive_write_set_format_zip(archive_) == ARCHIVE_OK &&
      // The usual level, 6, makes a list a twentieth smaller in four times the time.
      archive_write_set_format_option(archive_, "zip", "compression-level", "3") == ARCHIVE_OK &&
      archive_write_set_format_option(archive_, "zip", "zip64", nullptr) == ARCHIVE_OK &&
      archive_write_set_bytes_per_block(archive_, 64 * 1024) == ARCHIVE_OK &&
      archive_write_set_bytes_in_last_block(archive_, 1) == ARCHIVE_OK &&
      archive_write_open(archive_, this, nullptr, &WorkbookWriter::OnWrite, nullptr) == ARCHIVE_OK;
  if (!made) return Failure();
  // Programs that look at the first part see what kind of file this is.
  RETURN_IF_ERROR(WritePart("_rels/.rels", kRelationships));
  RETURN_IF_ERROR(WritePart("xl/styles.xml", kStyles));
  return StartSheet();
}

absl::Status WorkbookWriter::StartPart(const std::string& name) {
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, name.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0600);
  // Without a size, which nobody knows yet, and without times and owners, which say something about
  // this machine.
  const bool started = archive_write_header(archive_, entry) == ARCHIVE_OK;
  archive_entry_free(entry);
  return started ? absl::OkStatus() : Failure();
}

absl::Status WorkbookWriter::Put(absl::string_view text) {
  while (!text.empty()) {
    const la_ssize_t written = archive_write_data(archive_, text.data(), text.size());
    if (written <= 0) return Failure();
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return status_;
}

absl::Status WorkbookWriter::WritePart(const std::string& name, absl::string_view text) {
  RETURN_IF_ERROR(StartPart(name));
  RETURN_IF_ERROR(Put(kProlog));
  return Put(text);
}

absl::Status WorkbookWriter::StartSheet() {
  ++sheets_;
  std::string head = absl::StrCat(
      kProlog, "<worksheet xmlns=\"", MAIN_NAMESPACE,
      "\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" "
      "activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><cols><col min=\"1\" "
      "max=\"",
      columns_.size(),
      "\" width=\"20\" style=\"1\" customWidth=\"1\"/></cols><sheetData><row r=\"1\">");
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    absl::StrAppend(&head, "<c r=\"", letters_[i], "1\" s=\"2\" t=\"inlineStr\"><is><t>");
    AppendText(columns_.names()[i], head);
    head += "</t></is></c>";
  }
  head += "</row>";
  RETURN_IF_ERROR(StartPart(absl::StrCat("xl/worksheets/sheet", sheets_, ".xml")));
  sheet_bytes_ = head.size();
  return Put(head);
}

absl::Status WorkbookWriter::EndSheet() { return Put("</sheetData></worksheet>"); }

absl::StatusOr<RenderedRows> WorkbookWriter::Render(std::span<const ListedContact> contacts,
                                                    std::uint64_t rows_before) const {
  std::string out;
  RowCells cells(columns_);
  std::uint64_t row = rows_before % limits_.sheet_rows;
  bool break_before = row == 0 && rows_before > 0;
  for (const ListedContact& contact : contacts) {
    RETURN_IF_ERROR(cells.Take(contact));
    Reserve(out, 7 * cells.bytes() + 96 * columns_.size() + 64);
    if (break_before) out += kSheetBreak;
    const std::string number = absl::StrCat(row + 2);  // the header is the first
    out += "<row r=\"";
    out += number;
    out += "\">";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const absl::string_view value = cells[i];
      if (value.empty()) continue;
      if (value.size() > kMaxCellUnits && UnitsOfUtf16(value) > kMaxCellUnits) {
        return DoesNotFit(contact.token, columns_.names()[i],
                          "is longer than the 32,767 characters of a workbook's cell",
                          "Choose CSV, or leave that field out.");
      }
      out += "<c r=\"";
      out += letters_[i];
      out += number;
      out += "\" s=\"1\" t=\"inlineStr\"><is><t";
      if (HasSpaces(value)) out += " xml:space=\"preserve\"";
      out += '>';
      AppendText(value, out);
      out += "</t></is></c>";
    }
    out += "</row>";
    row = (row + 1) % limits_.sheet_rows;
    break_before = row == 0;
  }
  return RenderedRows(std::move(out));
}

absl::Status WorkbookWriter::Append(RenderedRows rows) {
  RETURN_IF_ERROR(status_);
  absl::string_view text = rows.text();
  while (!text.empty()) {
    const std::size_t end = text.find(kSheetBreak);
    const absl::string_view part = text.substr(0, end);
    sheet_bytes_ += part.size();
    if (sheet_bytes_ > limits_.sheet_bytes || file_bytes_ + part.size() > limits_.file_bytes)
      return TooLarge();
    RETURN_IF_ERROR(Put(part));
    if (end == absl::string_view::npos) break;
    RETURN_IF_ERROR(EndSheet());
    RETURN_IF_ERROR(StartSheet());
    text.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

absl::Status WorkbookWriter::Finish() {
  RETURN_IF_ERROR(status_);
  RETURN_IF_ERROR(EndSheet());
  std::string types = absl::StrCat(
      "<Types xmlns=\"", PACKAGE_NAMESPACE,
      "content-types\"><Default Extension=\"rels\" "
      "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default "
      "Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" "
      "ContentType=\"",
      OFFICE_TYPE, "sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"",
      OFFICE_TYPE, "styles+xml\"/>");
  std::string book = absl::StrCat("<workbook xmlns=\"", MAIN_NAMESPACE, "\" xmlns:r=\"",
                                  OFFICE_NAMESPACE, "\"><sheets>");
  std::string relationships = absl::StrCat(
      "<Relationships xmlns=\"", PACKAGE_NAMESPACE, "relationships\"><Relationship Id=\"rId",
      sheets_ + 1, "\" Type=\"", OFFICE_NAMESPACE, "/styles\" Target=\"styles.xml\"/>");
  for (std::size_t i = 1; i <= sheets_; ++i) {
    absl::StrAppend(&types, "<Override PartName=\"/xl/worksheets/sheet", i, ".xml\" ContentType=\"",
                    OFFICE_TYPE, "worksheet+xml\"/>");
    absl::StrAppend(&book, "<sheet name=\"Customers", i == 1 ? "" : absl::StrCat(" ", i),
                    "\" sheetId=\"", i, "\" r:id=\"rId", i, "\"/>");
    absl::StrAppend(&relationships, "<Relationship Id=\"rId", i, "\" Type=\"", OFFICE_NAMESPACE,
                    "/worksheet\" Target=\"worksheets/sheet", i, ".xml\"/>");
  }
  RETURN_IF_ERROR(WritePart("xl/workbook.xml", absl::StrCat(book, "</sheets></workbook>")));
  RETURN_IF_ERROR(
      WritePart("xl/_rels/workbook.xml.rels", absl::StrCat(relationships, "</Relationships>")));
  RETURN_IF_ERROR(WritePart("[Content_Types].xml", absl::StrCat(types, "</Types>")));
  if (archive_write_close(archive_) != ARCHIVE_OK) return Failure();
  return status_;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ListWriter>> MakeWorkbookWriter(std::vector<std::string> columns,
                                                               ByteSink& sink,
                                                               const WorkbookWriterLimits& limits) {
  auto writer = std::make_unique<WorkbookWriter>(std::move(columns), sink, limits);
  RETURN_IF_ERROR(writer->Start());
  return writer;
}

}  // namespace sealbook::anonymizer
