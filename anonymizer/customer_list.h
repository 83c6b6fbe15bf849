// A customer list, row by row: which columns it has, which identifiers and fields each row gives,
// and which rows cannot be used and why. Streams; holds one row at a time.
//
//   ASSIGN_OR_RETURN(auto list, CustomerList::Open(path, options));
//   CustomerRow row;
//   while (*list->Next(row)) { if (row.reject.empty()) …; }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "anonymizer/columns.h"
#include "anonymizer/consents.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/table_reader.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::anonymizer {

struct ListOptions {
  std::optional<TableFormat> format;
  std::optional<Encoding> encoding;
  std::optional<char> delimiter;
  std::vector<std::string> mappings;            // "COLUMN=FIELD"
  std::string region;                           // for numbers without a country code
  std::function<bool()> interrupted = nullptr;  // asked while a pipe is silent
};

// What a row was read from, as the file has it (anonymizer/table_reader.h): cells, or one text.
struct SourceRow {
  std::vector<std::string> cells;
  std::string raw;
  // False where it was too long to be kept.
  bool kept() const { return !cells.empty() || !raw.empty(); }
  std::size_t bytes() const;
};

struct CustomerRow {
  std::int64_t line = 0;
  std::vector<records::IdentifierValue> identifiers;  // at least one, kRow where there is no other
  records::Fields fields;                             // "phone", "phone_2", "name", …
  std::string reject;                                 // a clause; empty for a good row
  SourceRow source;
  bool has_name_note = false;  // a note was split off the name (anonymizer/name_notes.h)
};

class CustomerList {
 public:
  // `path` "-" is standard input. InvalidArgument: no list that can be read; FailedPrecondition:
  // options that do not fit.
  static absl::StatusOr<std::unique_ptr<CustomerList>> Open(const std::string& path,
                                                            const ListOptions& options);

  const std::string& name() const { return bytes_->name(); }  // for messages
  std::optional<Encoding> encoding() const { return table_->encoding(); }
  TableFormat format() const { return table_->format(); }
  char delimiter() const { return table_->delimiter(); }
  std::int64_t header_line() const { return table_->header_line(); }
  // What people should know of what was found, a sentence each; all of it once all rows were read.
  std::vector<std::string> remarks() const;
  // JSON Lines may bring more of them as it goes.
  const std::vector<Column>& columns() const { return columns_; }

  // False at the end.
  absl::StatusOr<bool> Next(CustomerRow& row);

  std::uint64_t bytes_read() const { return table_->bytes_read(); }
  std::uint64_t bytes_total() const { return bytes_->bytes_total(); }
  // Of the rows so far: in how many a note was hidden in the name (anonymizer/name_notes.h).
  std::int64_t notes_in_names() const { return notes_in_names_; }
  // What phone numbers took of this thread's time.
  absl::Duration phone_time() const { return phone_time_; }

 private:
  CustomerList(std::unique_ptr<ByteSource> bytes, std::unique_ptr<TableReader> table,
               ListOptions options)
      : bytes_(std::move(bytes)),
        table_(std::move(table)),
        options_(std::move(options)),
        consents_(bytes_->name()) {}
  absl::Status Recognize();
  std::vector<bool> ExactOnes(std::size_t from) const;
  void AddLateColumns();
  absl::Status Convert(TableRow& raw, CustomerRow& row);
  absl::Status AddIdentifiers(const Column& column, std::size_t position, IdentifierKind kind,
                              absl::string_view cell, CustomerRow& row);
  struct Parts;  // of names and addresses, of one row
  absl::Status ConvertCell(const Column& column, std::size_t position, absl::string_view cell,
                           Parts& parts, CustomerRow& row);
  absl::Status ConvertExact(const Column& column, std::size_t position, absl::string_view cell,
                            CustomerRow& row);
  void AddName(std::string name, CustomerRow& row);
  void AddExtensions(CustomerRow& row);
  void AddPartsOfName(const std::string& family, const std::string& given, CustomerRow& row);
  void Remark();
  static void AddField(CustomerRow& row, absl::string_view field, std::string value);

  std::unique_ptr<ByteSource> bytes_;
  std::unique_ptr<TableReader> table_;
  ListOptions options_;
  std::vector<Column> columns_;
  bool exported_ = false;       // a table of our own: columns that are called like fields are those
  std::vector<TableRow> held_;  // rows that were read to recognise the columns
  std::size_t held_position_ = 0;
  std::vector<PhoneAndExtension> extensions_;  // of the row under way
  std::vector<std::string> remarks_;
  std::int64_t notes_in_names_ = 0;
  absl::Duration phone_time_;
  ConsentReader consents_;
};

}  // namespace sealbook::anonymizer
