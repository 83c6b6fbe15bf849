// Customer lists as files: CSV, JSON Lines, vCard 4.0 and Excel workbooks, written as a stream.
// What is written here, the readers beside it read back to the same fields.
//
//   ASSIGN_OR_RETURN(auto writer, ListWriter::Create(ListFormat::kCsv, {"name", "phone"}, sink));
//   ASSIGN_OR_RETURN(RenderedRows rows, writer->Render(contacts, rows_before));  // on any thread
//   RETURN_IF_ERROR(writer->Append(std::move(rows)));                            // in order
//   RETURN_IF_ERROR(writer->Finish());
//
// Memory does not grow with the number of rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/byte_sink.h"
#include "vault/records/contact_codec.h"

namespace sealbook::anonymizer {

enum class ListFormat { kCsv, kJsonLines, kVcard, kWorkbook };

// Columns that are no fields of a contact.
inline constexpr absl::string_view kUidColumn = "uid";      // UID_2837470195
inline constexpr absl::string_view kBooksColumn = "books";  // names, with "; " between them

// One contact as it goes into a list.
struct ListedContact {
  std::int64_t token = 0;
  std::vector<std::string> books;  // names
  records::Fields fields;
};

// A part of a file that was rendered and is not written yet. Wiped when it goes.
class RenderedRows {
 public:
  explicit RenderedRows(std::string bytes) : bytes_(std::move(bytes)) {}
  RenderedRows(RenderedRows&&) noexcept = default;
  RenderedRows& operator=(RenderedRows&&) noexcept;
  ~RenderedRows();
  absl::string_view text() const { return bytes_; }

 private:
  std::string bytes_;
};

class ListWriter {
 public:
  virtual ~ListWriter() = default;

  // `columns` name fields ("phone", "phone_2", …), kUidColumn and kBooksColumn, each once; what a
  // contact has beside them is left out. `sink` outlives the writer.
  // FailedPrecondition: the format cannot hold that many columns.
  static absl::StatusOr<std::unique_ptr<ListWriter>> Create(ListFormat format,
                                                            std::vector<std::string> columns,
                                                            ByteSink& sink);

  // `rows_before`: how many contacts stand before these in the list. May be called from several
  // threads at once. InvalidArgument: a value, named by token and field, does not fit the format.
  virtual absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                              std::uint64_t rows_before) const = 0;
  // In the order of the list; one thread at a time.
  virtual absl::Status Append(RenderedRows rows) = 0;
  // What stands behind the last row. A list without rows is a valid file, too.
  virtual absl::Status Finish() = 0;
};

// "csv", "jsonl", "vcard", "xlsx". InvalidArgument otherwise.
absl::StatusOr<ListFormat> ParseListFormat(absl::string_view name);
absl::string_view NameOf(ListFormat format);

}  // namespace sealbook::anonymizer
