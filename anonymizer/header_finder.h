// Which row of a table names its columns. Notices may stand above it, it may be missing, and its
// names may be unknown; and then each row below has to fit it.
//
//   HeaderFinder finder(options, HeaderFinder::Rows::kWhole, "line");
//   RETURN_IF_ERROR(finder.Read(next));  // next(row) gives one row after another
//   RETURN_IF_ERROR(finder.Choose());
//   while (finder.TakeHeld(row) || *next(row)) finder.CheckWidth(row);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "anonymizer/table_reader.h"

namespace sealbook::anonymizer {

class HeaderFinder {
 public:
  static constexpr std::size_t kNoticeLines = 20;  // that may stand above the header

  // kWhole: a row has a cell for each column, empty ones too, so that a shorter row was damaged.
  // kFilled: a row ends with its last cell that holds something.
  enum class Rows { kWhole, kFilled };
  // `row_word` is what messages call a row, "line" say.
  HeaderFinder(const TableOptions& options, Rows rows, absl::string_view row_word)
      : looks_like_header_(options.looks_like_header),
        looks_like_data_(options.looks_like_data),
        rows_(rows),
        row_word_(row_word) {}

  // Reads until a header is found that is known, or no further than one may stand. Fails only as
  // `next` fails, which gives the next row and false at the end.
  absl::Status Read(const std::function<absl::StatusOr<bool>(TableRow&)>& next);
  bool has_rows() const { return !head_.empty(); }
  bool knows_header() const { return header_.has_value(); }
  // The rows are of customers, whether or not a header says so.
  bool sees_customers() const { return header_ || first_data_; }

  // Settles which row is the header. InvalidArgument: there are no rows, or the header cannot be
  // read.
  absl::Status Choose();
  const std::vector<std::string>& columns() const { return columns_; }
  std::int64_t header_line() const { return header_line_; }  // 0: there is none

  // The rows below the header that Read has read, one after another; false after the last.
  bool TakeHeld(TableRow& row);
  // Gives `row` a fault where it does not fit the header.
  void CheckWidth(TableRow& row) const;

 private:
  std::optional<std::size_t> UnknownHeader() const;

  bool (*looks_like_header_)(const std::vector<std::string>&);
  bool (*looks_like_data_)(const std::vector<std::string>&);
  Rows rows_;
  absl::string_view row_word_;
  std::vector<TableRow> head_;  // rows that were read to find the header
  std::optional<std::size_t> header_, first_data_;
  std::size_t data_width_ = 0;
  std::size_t first_row_ = 0;
  std::vector<std::string> columns_;
  std::size_t named_ = 0;  // columns, up to the last one with a name; all without a header
  std::int64_t header_line_ = 0;
};

// What is left without the empty cells that spreadsheets put behind a short row.
std::size_t FilledWidth(const std::vector<std::string>& cells);

}  // namespace sealbook::anonymizer
