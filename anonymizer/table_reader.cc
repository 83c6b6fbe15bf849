#include "anonymizer/table_reader.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/vcard_charsets.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

absl::string_view NameOf(TableFormat format) {
  switch (format) {
    case TableFormat::kCsv:
      return "csv";
    case TableFormat::kTsv:
      return "tsv";
    case TableFormat::kJsonLines:
      return "jsonl";
    case TableFormat::kXlsx:
      return "xlsx";
    case TableFormat::kVcard:
      return "vcard";
  }
  return "";
}

absl::StatusOr<TableFormat> ParseTableFormat(absl::string_view name) {
  for (const TableFormat format : {TableFormat::kCsv, TableFormat::kTsv, TableFormat::kJsonLines,
                                   TableFormat::kXlsx, TableFormat::kVcard}) {
    if (absl::EqualsIgnoreCase(name, NameOf(format))) return format;
  }
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the format '", name, "' is not read")),
                  "Use csv, tsv, jsonl, xlsx or vcard.");
}

namespace {

// What other programs' files begin with.
struct Signature {
  absl::string_view bytes, what, hint;
};
constexpr absl::string_view kSaveAsCsv =
    "Open it in its own program, save it as .xlsx or as "
    "\"CSV UTF-8\", and import that.";
const Signature kForeign[] = {
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
     "is an old workbook (.xls) or one that is protected by a password",
     "Open it in a spreadsheet program, save it as .xlsx without a password, and import that."},
    {"\x89PNG\r\n\x1a\n", "is a picture, not a list", "Choose the list itself."},
    {"\xff\xd8\xff", "is a picture, not a list", "Choose the list itself."},
    {"GIF8", "is a picture, not a list", "Choose the list itself."},
    {"%PDF-", "is a PDF, not a list", kSaveAsCsv},
    {"{\\rtf", "is a text document, not a list", kSaveAsCsv},
    {"\x1f\x8b", "is compressed with gzip", "Unpack it first."},
    {"Rar!", "is a RAR archive", "Unpack it first."},
    {"7z\xbc\xaf\x27\x1c", "is a 7z archive", "Unpack it first."},
    {"\x28\xb5\x2f\xfd", "is compressed with zstd", "Unpack it first."},
    {kShreddingMark, "was stored already, and its overwriting was interrupted",
     "Delete it, or run the import with --shred again."},
    {"SQLite format 3", "is a database, not a list", "Export the table as CSV and import that."},
};

bool BeginsVcard(absl::string_view head) {
  constexpr std::size_t kBytes = 4096;
  std::string text;
  Decoder(VcardForm(head)).Decode(head.substr(0, kBytes), false, text);
  absl::string_view begin = text;
  absl::ConsumePrefix(&begin, "\xef\xbb\xbf");
  return absl::StartsWithIgnoreCase(absl::StripLeadingAsciiWhitespace(begin), "BEGIN:VCARD");
}

// Shops export tables of web pages, and call them .xls.
bool IsWebPage(absl::string_view head) {
  if (const auto mark = FindByteOrderMark(head)) head.remove_prefix(mark->bytes);
  constexpr std::size_t kEnough = 1024;
  const std::string text =
      absl::AsciiStrToLower(absl::StripLeadingAsciiWhitespace(head.substr(0, kEnough)));
  for (const absl::string_view begin :
       {"<html", "<!doctype", "<table", "<head", "<meta", "<style"}) {
    if (absl::StartsWith(text, begin)) return true;
  }
  return absl::StartsWith(text, "<?xml");
}

absl::Status RefuseForeign(absl::string_view head) {
  if (IsWebPage(head)) {
    return WithHint(absl::InvalidArgumentError(
                        "is a web page or an XML file, whatever its name ends with, and no list"),
                    "Open it in a spreadsheet program, save it as .xlsx, and import that.");
  }
  for (const Signature& foreign : kForeign) {
    if (absl::StartsWith(head, foreign.bytes))
      return WithHint(absl::InvalidArgumentError(foreign.what), foreign.hint);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> OpenTable(ByteSource& bytes,
                                                       const TableOptions& options) {
  RETURN_IF_ERROR(RefuseForeign(bytes.head()));
  const bool zip = absl::StartsWith(bytes.head(), "PK\x03\x04");
  if (options.format == TableFormat::kXlsx || (!options.format && zip))
    return OpenWorkbook(bytes, options);
  if (zip) {
    return WithHint(absl::InvalidArgumentError("is a workbook or a zip file, not text"),
                    "Leave --format out, or unpack the zip file first.");
  }
  if (options.format == TableFormat::kVcard || (!options.format && BeginsVcard(bytes.head())))
    return OpenVcards(bytes, options);
  std::optional<Encoding> encoding = options.encoding;
  if (!encoding && BeginsExportedJson(bytes.head())) encoding = Encoding::kUtf8;
  ASSIGN_OR_RETURN(auto source, TextSource::Open(bytes, encoding));
  if (options.format == TableFormat::kJsonLines) return OpenJsonLines(std::move(source));
  if (options.format) return OpenCsv(std::move(source), *options.format, options);
  for (const TextLine& line : source->sample()) {
    const absl::string_view text = absl::StripAsciiWhitespace(line.text);
    if (text.empty()) continue;
    if (absl::StartsWith(text, "{")) return OpenJsonLines(std::move(source));
    absl::string_view inside = text;
    if (absl::ConsumePrefix(&inside, "[") &&
        (absl::StripAsciiWhitespace(inside).empty() ||
         absl::StartsWith(absl::StripAsciiWhitespace(inside), "{"))) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat("line ", line.number, " begins a JSON array")),
          "Write one object a line (JSON Lines), with 'jq -c .[]' say.");
    }
    break;
  }
  return OpenCsv(std::move(source), TableFormat::kCsv, options);
}

}  // namespace sealbook::anonymizer
