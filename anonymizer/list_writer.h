// Customer lists as files: CSV, JSON Lines, vCard 4.0 and Excel workbooks, written as a stream
// (docs/lists.md, "Exported lists"). What is written here, the readers beside it read back to the
// same fields, whatever stands in them (anonymizer/exported_list.h).
//
//   ASSIGN_OR_RETURN(auto writer, ListWriter::Create(ListFormat::kCsv, {"name", "phone"}, sink));
//   ASSIGN_OR_RETURN(RenderedRows rows, writer->Render(contacts, rows_before));  // on any thread
//   RETURN_IF_ERROR(writer->Append(std::move(rows)));                            // in order
//   RETURN_IF_ERROR(writer->Finish());
//
// Memory does not grow with the number of rows. The same contacts give the same bytes, on whatever
// machine, but for what a later libarchive or zlib packs otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "vault/byte_sink.h"
#include "vault/crypto/secret.h"
#include "vault/records/contact_codec.h"

namespace sealbook::anonymizer {

enum class ListFormat { kCsv, kJsonLines, kVcard, kWorkbook };

// Columns that are no fields of a contact. No field can be called so (CheckFieldName).
inline constexpr absl::string_view kUidColumn = "uid";      // UID_2837470195; by it a table is
                                                            // known as one of Sealbook's own
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
  RenderedRows(RenderedRows&& other) noexcept : bytes_(std::move(other.bytes_)) {
    crypto::Wipe(other.bytes_);  // short texts are copied
  }
  RenderedRows& operator=(RenderedRows&& other) noexcept {
    if (this == &other) return *this;
    crypto::Wipe(bytes_);
    bytes_ = std::move(other.bytes_);
    crypto::Wipe(other.bytes_);
    return *this;
  }
  ~RenderedRows() { crypto::Wipe(bytes_); }
  absl::string_view text() const { return bytes_; }

 private:
  std::string bytes_;
};

class ListWriter {
 public:
  // What the readers take.
  static constexpr std::size_t kMaxColumns = 1000;

  virtual ~ListWriter() = default;

  // `columns` name fields ("phone", "phone_2", …), kUidColumn and kBooksColumn, each once; what a
  // contact has beside them is left out. `sink` outlives the writer, and gets what stands before
  // the first row at once.
  // FailedPrecondition: the format cannot hold that many columns. InvalidArgument: no name of a
  // field, or one that is there twice.
  static absl::StatusOr<std::unique_ptr<ListWriter>> Create(ListFormat format,
                                                            std::vector<std::string> columns,
                                                            ByteSink& sink);

  // `rows_before`: how many contacts stand before these in the list. May be called from several
  // threads at once. InvalidArgument: a value, named by token and field, does not fit the format.
  virtual absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                              std::uint64_t rows_before) const = 0;
  // In the order of the list; one thread at a time. FailedPrecondition: the list is too large for
  // the format.
  virtual absl::Status Append(RenderedRows rows) = 0;
  // What stands behind the last row. A list without rows is a valid file, too.
  virtual absl::Status Finish() = 0;
};

// "csv", "jsonl", "vcard", "xlsx". InvalidArgument otherwise.
absl::StatusOr<ListFormat> ParseListFormat(absl::string_view name);
absl::string_view NameOf(ListFormat format);
// ".csv", ".jsonl", ".vcf", ".xlsx".
absl::string_view EndingOf(ListFormat format);

}  // namespace sealbook::anonymizer
