// Tables as tests read them: columns, rows and faults of a file with given bytes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "anonymizer/columns.h"
#include "anonymizer/table_reader.h"
#include "tests/support/temporary_file.h"

namespace sealbook::anonymizer {

struct Table {
  TableFormat format{};
  char delimiter = '\0';
  std::int64_t header_line = 0;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // the good ones
  std::vector<std::int64_t> lines;             // of the good ones
  std::vector<std::string> faults;             // "LINE FAULT"
  std::vector<std::string> raws;               // of all rows, in their order
  absl::Status end;                            // not OK: the file could not be read to its end
  std::vector<std::string> remarks;
};

inline absl::StatusOr<Table> ReadTable(absl::string_view bytes, TableOptions options = {}) {
  const testing::TemporaryFile file(bytes);
  auto source = ByteSource::Open(file.path());
  if (!source.ok()) return source.status();
  options.looks_like_header = &LooksLikeHeader;
  options.looks_like_data = &LooksLikeData;
  auto reader = OpenTable(**source, options);
  if (!reader.ok()) return reader.status();
  Table table{.format = (*reader)->format(),
              .delimiter = (*reader)->delimiter(),
              .header_line = (*reader)->header_line()};
  TableRow row;
  for (;;) {
    const auto more = (*reader)->Next(row);
    if (!more.ok()) table.end = more.status();
    if (!more.ok() || !*more) break;
    table.raws.push_back(row.raw);
    if (row.fault.empty()) {
      table.rows.push_back(row.cells);
      table.lines.push_back(row.line);
    } else {
      table.faults.push_back(absl::StrCat(row.line, " ", row.fault));
    }
  }
  table.columns = (*reader)->columns();
  table.remarks = (*reader)->remarks();
  return table;
}

}  // namespace sealbook::anonymizer
