// What the writers of lists share: contacts as the cells of their columns.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "anonymizer/list_writer.h"

namespace sealbook::anonymizer {

// Which field stands in which column. Immutable; any thread.
class ListColumns {
 public:
  explicit ListColumns(std::vector<std::string> names);
  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }

 private:
  friend class RowCells;
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, std::size_t> fields_;
  std::size_t uid_ = kNone, books_ = kNone;
};

// The cells of one contact after the other. Belongs to one thread.
class RowCells {
 public:
  explicit RowCells(const ListColumns& columns) : columns_(columns), cells_(columns.size()) {}
  ~RowCells() { crypto::Wipe(books_); }

  // InvalidArgument: a value that is no text, or one field twice.
  absl::Status Take(const ListedContact& contact);
  // For each column; empty where the contact has nothing. Valid as long as the contact.
  absl::string_view operator[](std::size_t column) const { return cells_[column]; }
  std::size_t bytes() const { return bytes_; }  // of all cells

 private:
  std::size_t PlaceOf(const std::string& field, std::size_t position);

  const ListColumns& columns_;
  std::vector<absl::string_view> cells_;
  std::vector<std::size_t>
      places_;  // of the fields of the contact before, which mostly has the same
  std::string uid_, books_;
  std::size_t bytes_ = 0;
};

// Room for `more` bytes behind `out`; what it leaves behind in memory is wiped.
void Reserve(std::string& out, std::size_t more);

// "UID_2837470195: the field 'note' IS", with a hint.
absl::Status DoesNotFit(std::int64_t token, absl::string_view field, absl::string_view is,
                        absl::string_view hint);

// Of a format whose file is its rows, one behind the other, and nothing at the end.
class PlainListWriter : public ListWriter {
 public:
  PlainListWriter(std::vector<std::string> columns, ByteSink& sink)
      : columns_(std::move(columns)), sink_(sink) {}
  absl::Status Append(RenderedRows rows) override;
  absl::Status Finish() override { return absl::OkStatus(); }

 protected:
  const ListColumns& columns() const { return columns_; }

 private:
  ListColumns columns_;
  ByteSink& sink_;
};

// The writers; `columns` are checked.
std::unique_ptr<ListWriter> MakeCsvWriter(std::vector<std::string> columns, ByteSink& sink);
std::unique_ptr<ListWriter> MakeJsonLinesWriter(std::vector<std::string> columns, ByteSink& sink);
std::unique_ptr<ListWriter> MakeVcardWriter(std::vector<std::string> columns, ByteSink& sink);

}  // namespace sealbook::anonymizer
