#include "anonymizer/table_reader.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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
  }
  return "";
}

absl::StatusOr<TableFormat> ParseTableFormat(absl::string_view name) {
  for (const TableFormat format : {TableFormat::kCsv, TableFormat::kTsv, TableFormat::kJsonLines}) {
    if (absl::EqualsIgnoreCase(name, NameOf(format))) return format;
  }
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the format '", name, "' is not read")),
                  "Use csv, tsv or jsonl.");
}

absl::StatusOr<std::unique_ptr<TableReader>> OpenTable(TextSource& source,
                                                       const TableOptions& options) {
  if (options.format == TableFormat::kJsonLines) return OpenJsonLines(source);
  if (options.format) return OpenCsv(source, *options.format, options);
  for (const TextLine& line : source.sample()) {
    const absl::string_view text = absl::StripAsciiWhitespace(line.text);
    if (text.empty()) continue;
    if (absl::StartsWith(text, "{")) return OpenJsonLines(source);
    absl::string_view inside = text;
    if (absl::ConsumePrefix(&inside, "[") &&
        (absl::StripAsciiWhitespace(inside).empty() ||
         absl::StartsWith(absl::StripAsciiWhitespace(inside), "{"))) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat("line ", line.number, " begins a JSON array")),
          "Write one object a line (JSON Lines), with 'jq -c .[]' say.");
    }
    if (absl::StartsWithIgnoreCase(text, "BEGIN:VCARD")) {
      return WithHint(
          absl::InvalidArgumentError("this is a file of vCards, which are not read yet"),
          "Export the list as CSV and import that.");
    }
    break;
  }
  return OpenCsv(source, TableFormat::kCsv, options);
}

}  // namespace sealbook::anonymizer
