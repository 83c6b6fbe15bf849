// A customer list out of the vault and into a sink, in one of the formats of list_writer.h: read by
// an ExportPermit, opened and rendered on two threads, in the order in which the customers came in.
// Memory does not grow with their number.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "anonymizer/list_writer.h"
#include "vault/records/bulk_reader.h"

namespace sealbook::anonymizer {

struct ListExportOptions {
  ListFormat format = ListFormat::kCsv;
  // The columns, in their order, and no others. Empty: "uid" and every field that any customer has,
  // known ones first; then all are read once more beforehand, to see which those are.
  std::vector<std::string> columns;
  // Of `total` customers at most, `done` are behind; `looking` while the columns are looked for.
  std::function<void(bool looking, std::int64_t done, std::int64_t total)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};

struct ListExportReport {
  std::int64_t rows = 0;
  std::vector<std::string> columns;
  // Of the columns that were asked for, those in which nothing stands: a mistyped name, perhaps.
  std::vector<std::string> empty_columns;
};

// Cancelled: interrupted. Unavailable: a column came in while the list was written. Otherwise the
// errors of records::BulkReader, ListWriter and the sink.
absl::StatusOr<ListExportReport> ExportList(keyring::Keyring& keyring, ExportPermit permit,
                                            const ListExportOptions& options, ByteSink& sink);

// Known fields first and in the order in which people expect them, the others by name; "phone_10"
// behind "phone_9".
std::vector<std::string> InColumnOrder(std::vector<std::string> fields);

}  // namespace sealbook::anonymizer
