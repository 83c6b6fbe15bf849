#include "anonymizer/exported_list.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/columns.h"
#include "anonymizer/list_writer.h"
#include "vault/records/token.h"

namespace sealbook::anonymizer {
namespace {

bool Holds(const std::vector<std::string>& cells, absl::string_view name) {
  return std::find(cells.begin(), cells.end(), name) != cells.end();
}

bool HoldsTokens(const std::vector<std::vector<std::string>>& sample, std::size_t column) {
  std::size_t tokens = 0;
  for (const std::vector<std::string>& row : sample) {
    if (column >= row.size()) continue;
    const absl::string_view cell = absl::StripAsciiWhitespace(row[column]);
    if (cell.empty()) continue;
    if (!records::ParseToken(cell).ok()) return false;
    ++tokens;
  }
  return tokens > 0;
}

}  // namespace

bool IsBesideFields(absl::string_view header) {
  return header == kUidColumn || header == kBooksColumn;
}

bool IsExportedHeader(const std::vector<std::string>& cells) {
  return Holds(cells, kUidColumn) &&
         std::all_of(cells.begin(), cells.end(), [](const std::string& cell) {
           return cell.empty() || IsBesideFields(cell) || CheckFieldName(cell).ok();
         });
}

bool BeginsExportedJson(absl::string_view head) {
  const absl::string_view line = head.substr(0, head.find('\n'));
  // Quotes inside of values have a backslash in front.
  return absl::StartsWith(line, "{") &&
         absl::StrContains(line, absl::StrCat("\"", kUidColumn, "\":\"", records::kTokenPrefix));
}

std::vector<bool> ExactColumns(const std::vector<std::string>& headers,
                               const std::vector<std::vector<std::string>>& sample) {
  std::vector<bool> exact(headers.size());
  const auto uid = std::find(headers.begin(), headers.end(), kUidColumn);
  if (uid == headers.end() ||
      !HoldsTokens(sample, static_cast<std::size_t>(uid - headers.begin()))) {
    return exact;
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    // The second of one name is somebody's own.
    exact[i] = (IsBesideFields(headers[i]) || CheckFieldName(headers[i]).ok()) &&
               seen.insert(headers[i]).second;
  }
  return exact;
}

bool BeginsFormula(absl::string_view cell) {
  if (cell.empty()) return false;
  if (absl::string_view("=+-@\t\r\n").find(cell[0]) != absl::string_view::npos) return true;
  for (const absl::string_view wide : {"＝", "＋", "－", "＠"}) {
    if (absl::StartsWith(cell, wide)) return true;
  }
  return false;
}

bool NeedsApostrophe(absl::string_view value) {
  const std::size_t behind = value.find_first_not_of('\'');
  return behind != absl::string_view::npos && BeginsFormula(value.substr(behind));
}

absl::string_view WithoutApostrophe(absl::string_view cell) {
  if (!absl::StartsWith(cell, "'") || !NeedsApostrophe(cell)) return cell;
  return cell.substr(1);
}

}  // namespace sealbook::anonymizer
