#include "anonymizer/header_finder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

std::size_t FilledWidth(const std::vector<std::string>& cells) {
  std::size_t width = cells.size();
  while (width > 0 && cells[width - 1].empty()) --width;
  return width;
}

// The header is the first row with known names. What stands above it is notice, unless it is a
// customer: a row with values and as many cells as a header below it would have.
absl::Status HeaderFinder::Read(const std::function<absl::StatusOr<bool>(TableRow&)>& next) {
  while (!header_ && head_.size() <= kNoticeLines) {
    TableRow row;
    ASSIGN_OR_RETURN(const bool more, next(row));
    if (!more) break;
    head_.push_back(std::move(row));
    const TableRow& last = head_.back();
    if (!last.fault.empty()) continue;
    const std::size_t width = FilledWidth(last.cells);
    const bool header = looks_like_header_ != nullptr && looks_like_header_(last.cells);
    // A notice may be as wide as the list ("in charge, a name, a number").
    constexpr std::size_t kWideHeader = 3;
    if (width < data_width_ || (width == data_width_ && !(header && width >= kWideHeader)))
      continue;
    if (header) {
      header_ = head_.size() - 1;
    } else if (looks_like_data_ != nullptr && looks_like_data_(last.cells)) {
      // A notice may hold a number too, but not beside other cells.
      if (!first_data_ || data_width_ == 1) first_data_ = head_.size() - 1;
      data_width_ = width;
    }
  }
  return absl::OkStatus();
}

absl::Status HeaderFinder::Choose() {
  if (head_.empty()) {
    return WithHint(absl::InvalidArgumentError("has no rows"), "Check that it was saved whole.");
  }
  std::optional<std::size_t> header = header_;
  if (!header && first_data_ != std::size_t{0}) header = UnknownHeader();
  if (header) {
    const TableRow& row = head_[*header];
    if (!row.fault.empty()) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat(row_word_, " ", row.line, " ", row.fault)),
          "The first row must name the columns.");
    }
    columns_ = row.cells;
    header_line_ = row.line;
    if (columns_.size() > TableReader::kMaxColumns) columns_.resize(TableReader::kMaxColumns);
    named_ = FilledWidth(columns_);
    first_row_ = *header + 1;
    return absl::OkStatus();
  }
  std::size_t width = head_[first_data_.value_or(0)].cells.size();
  if (rows_ == Rows::kFilled) {
    for (const TableRow& row : head_) width = std::max(width, row.cells.size());
  }
  columns_.resize(std::min(width, TableReader::kMaxColumns));
  named_ = columns_.size();
  return absl::OkStatus();
}

// Without a known name in sight: the first row names the columns, or the first of several cells
// where the customers below have several. nullopt: only notice stands above the customers.
std::optional<std::size_t> HeaderFinder::UnknownHeader() const {
  for (std::size_t i = 0; i < first_data_.value_or(head_.size()); ++i) {
    // A row that cannot be read may have been the header: that is told, and no other row taken for
    // it.
    if (!head_[i].fault.empty() || FilledWidth(head_[i].cells) > 1) return i;
  }
  if (first_data_ && data_width_ > 1) return std::nullopt;
  return 0;
}

bool HeaderFinder::TakeHeld(TableRow& row) {
  if (first_row_ >= head_.size()) return false;
  row = std::move(head_[first_row_++]);
  return true;
}

void HeaderFinder::CheckWidth(TableRow& row) const {
  if (!row.fault.empty()) return;
  while (row.cells.size() > columns_.size() && row.cells.back().empty()) row.cells.pop_back();
  // Columns without a name at the end of a header may be there or not.
  const bool short_row = rows_ == Rows::kWhole && row.cells.size() < named_;
  if (short_row || row.cells.size() > columns_.size()) {
    row.fault =
        absl::StrCat("has ", row.cells.size(), " cells where the header has ", columns_.size());
  }
  for (const std::string& cell : row.cells) {
    if (cell.size() > TableReader::kMaxCellBytes) row.fault = "has a cell longer than 64 KiB";
  }
}

}  // namespace sealbook::anonymizer
