// Rows of a table, whatever the file's form: a reader for each form, and one interface for those
// who consume rows. Readers know nothing of columns' meanings.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "anonymizer/text_source.h"

namespace sealbook::anonymizer {

enum class TableFormat { kCsv, kTsv, kJsonLines, kXlsx, kVcard };
absl::string_view NameOf(TableFormat format);
// InvalidArgument: a format that is not read.
absl::StatusOr<TableFormat> ParseTableFormat(absl::string_view name);

struct TableRow {
  std::int64_t line = 0;           // where it begins
  std::vector<std::string> cells;  // UTF-8; those that the row has
  std::string fault;               // a clause why the row cannot be used; empty where it can
  // What the row was read from, where its cells do not say it all: a line of JSON, a card, a line
  // that could not be taken apart. Bytes that are no text of the file's encoding stand there as
  // "\\xB0". Empty where it is too long to be kept.
  std::string raw;
};

class TableReader {
 public:
  static constexpr std::size_t kMaxColumns = 1000;
  static constexpr std::size_t kMaxCellBytes = 64 * 1024;

  virtual ~TableReader() = default;
  // False at the end. Empty rows are passed over. InvalidArgument: the file cannot be read any
  // further.
  virtual absl::StatusOr<bool> Next(TableRow& row) = 0;
  // For each cell of the rows so far; a reader of JSON Lines may find more as it goes.
  virtual const std::vector<std::string>& columns() const = 0;
  virtual std::int64_t header_line() const = 0;  // 0: there is none
  virtual TableFormat format() const = 0;
  virtual char delimiter() const { return '\0'; }
  // nullopt: the format says itself how it is written.
  virtual std::optional<Encoding> encoding() const { return std::nullopt; }
  // What else people should know of what was found, one sentence each: which sheet was read, what
  // was passed over. Complete once all rows were read.
  virtual std::vector<std::string> remarks() const { return {}; }
  // How far the reader is in the file: bytes of `bytes_total` of its source.
  virtual std::uint64_t bytes_read() const = 0;
  // The format itself says that this column holds a field, by its name, as it is
  // (anonymizer/exported_list.h).
  virtual bool is_exact(std::size_t /*column*/) const { return false; }
};

struct TableOptions {
  std::optional<TableFormat> format;
  std::optional<Encoding> encoding;
  std::optional<char> delimiter;
  // True where the row of names is recognised as one (anonymizer/columns.h).
  bool (*looks_like_header)(const std::vector<std::string>& cells) = nullptr;
  // True where a row holds a customer's values, so that it cannot be a row of names.
  bool (*looks_like_data)(const std::vector<std::string>& cells) = nullptr;
  // True where a row of names is one that Sealbook writes (anonymizer/exported_list.h).
  bool (*is_exported)(const std::vector<std::string>& cells) = nullptr;
};

// With this a file begins that `import --shred` was interrupted in overwriting.
inline constexpr absl::string_view kShreddingMark = "sealbook has stored this list\n";

// Finds out what the file is. `bytes` outlives the reader.
// InvalidArgument: a kind of file that is not read, or no table; a clause with the line, where
// there is one. FailedPrecondition: options that do not fit the file.
absl::StatusOr<std::unique_ptr<TableReader>> OpenTable(ByteSource& bytes,
                                                       const TableOptions& options);

// The readers themselves.
absl::StatusOr<std::unique_ptr<TableReader>> OpenCsv(std::unique_ptr<TextSource> source,
                                                     TableFormat format,
                                                     const TableOptions& options);
absl::StatusOr<std::unique_ptr<TableReader>> OpenJsonLines(std::unique_ptr<TextSource> source);
absl::StatusOr<std::unique_ptr<TableReader>> OpenWorkbook(ByteSource& bytes,
                                                          const TableOptions& options);
absl::StatusOr<std::unique_ptr<TableReader>> OpenVcards(ByteSource& bytes,
                                                        const TableOptions& options);

}  // namespace sealbook::anonymizer
