#include "anonymizer/customer_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/name_notes.h"
#include "policies/policy.h"
#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kRowsToRecognize = 200;
constexpr std::size_t kBytesToRecognize = 16 << 20;  // cards may come with their pictures

}  // namespace

std::size_t SourceRow::bytes() const {
  std::size_t bytes = raw.size();
  for (const std::string& cell : cells) bytes += cell.size();
  return bytes;
}

absl::StatusOr<std::unique_ptr<CustomerList>> CustomerList::Open(const std::string& path,
                                                                 const ListOptions& options) {
  if (!options.region.empty() && !IsRegion(options.region)) {
    return WithHint(absl::FailedPreconditionError("that is no region"),
                    "Use a country's two letters, KR or CN say.");
  }
  ASSIGN_OR_RETURN(auto bytes, ByteSource::Open(path, options.interrupted));
  auto table = OpenTable(*bytes, {.format = options.format,
                                  .encoding = options.encoding,
                                  .delimiter = options.delimiter,
                                  .looks_like_header = &LooksLikeHeader,
                                  .looks_like_data = &LooksLikeData,
                                  .is_exported = &IsExportedHeader});
  if (!table.ok()) return About(bytes->name(), table.status());
  std::unique_ptr<CustomerList> list(
      new CustomerList(std::move(bytes), *std::move(table), options));
  const absl::Status recognized = list->Recognize();
  if (!recognized.ok()) return About(list->bytes_->name(), recognized);
  return list;
}

absl::Status CustomerList::Recognize() {
  std::vector<std::vector<std::string>> sample;
  std::size_t bytes = 0;
  while (held_.size() < kRowsToRecognize && bytes < kBytesToRecognize) {
    TableRow row;
    ASSIGN_OR_RETURN(const bool more, table_->Next(row));
    if (!more) break;
    bytes += row.raw.size();
    for (const std::string& cell : row.cells) bytes += cell.size();
    if (row.fault.empty()) sample.push_back(row.cells);
    held_.push_back(std::move(row));
  }
  if (held_.empty()) {
    return WithHint(absl::InvalidArgumentError("has no rows below its header"),
                    "Check that it was saved whole.");
  }
  const std::vector<bool> exact = ExactColumns(table_->columns(), sample);
  exported_ = std::find(exact.begin(), exact.end(), true) != exact.end();
  columns_ = RecognizeColumns(table_->columns(), sample, options_.region,
                              exported_ ? exact : ExactOnes(0));
  Remark();
  return ApplyMappings(options_.mappings, columns_);
}

// What could not be decided is told.
void CustomerList::Remark() {
  const bool known_name = std::any_of(columns_.begin(), columns_.end(), [](const Column& column) {
    return column.by == RecognizedBy::kName;
  });
  if (table_->header_line() > 0 && !known_name) {
    remarks_.push_back(absl::StrCat(
        table_->format() == TableFormat::kXlsx ? "row " : "line ", table_->header_line(),
        " was taken for the names of the columns, of which none is known; if it is a customer, put "
        "a line with names above it"));
  }
  const bool identifies = std::any_of(columns_.begin(), columns_.end(), [](const Column& column) {
    return KindOfField(FieldWritten(column)).has_value();
  });
  const bool mapped = std::any_of(
      options_.mappings.begin(), options_.mappings.end(), [](const std::string& mapping) {
        return KindOfField(mapping.substr(mapping.rfind('=') + 1)).has_value();
      });
  if (!identifies && !mapped) {
    remarks_.push_back(
        "no column of phones, emails or ids was found, so that these customers are found by name "
        "only; '--map COLUMN=phone' tells one");
  }
}

std::vector<std::string> CustomerList::remarks() const {
  std::vector<std::string> all = table_->remarks();
  std::vector<absl::string_view> left_out;
  for (const Column& column : columns_) {
    if (column.exact && column.field == kIgnored && IsBesideFields(column.name))
      left_out.push_back(column.name);
  }
  if (!left_out.empty()) {
    all.push_back(
        absl::StrCat("an exported list: '", absl::StrJoin(left_out, "' and '"), "' ",
                     left_out.size() == 1 ? "was" : "were",
                     " left out, since customers get ids of this vault, and books by --book"));
  }
  all.insert(all.end(), remarks_.begin(), remarks_.end());
  return all;
}

// Columns that the format itself calls fields; of a table of our own, those that came late.
std::vector<bool> CustomerList::ExactOnes(std::size_t from) const {
  const std::vector<std::string>& names = table_->columns();
  std::vector<bool> exact(names.size());
  for (std::size_t i = from; i < names.size(); ++i) {
    const bool named =
        exported_ && std::find(names.begin(), names.begin() + i, names[i]) == names.begin() + i;
    exact[i] = table_->is_exact(i) ||
               (named && (IsBesideFields(names[i]) || CheckFieldName(names[i]).ok()));
  }
  return exact;
}

void CustomerList::AddLateColumns() {
  const std::vector<std::string>& names = table_->columns();
  if (columns_.size() == names.size()) return;
  const std::vector<bool> exact = ExactOnes(columns_.size());
  for (std::size_t i = columns_.size(); i < names.size(); ++i) {
    std::vector<Column> late = RecognizeColumns({names[i]}, {}, options_.region, {exact[i]});
    if (late[0].by == RecognizedBy::kNothing) late[0].field = FieldNameFor(names[i], i);
    columns_.push_back(std::move(late[0]));
    SeparateUnknownFields(columns_, i);
  }
}

absl::StatusOr<bool> CustomerList::Next(CustomerRow& row) {
  row = {};
  TableRow raw;
  if (held_position_ < held_.size()) {
    raw = std::move(held_[held_position_++]);
  } else {
    ASSIGN_OR_RETURN(const bool more, table_->Next(raw));
    if (!more) return false;
  }
  AddLateColumns();
  row.line = raw.line;
  row.reject = raw.fault;
  if (row.reject.empty()) {
    const absl::Status converted = Convert(raw, row);
    if (!converted.ok()) row.reject = std::string(converted.message());
  }
  if (!row.reject.empty()) {
    row.identifiers.clear();
    row.fields.clear();
  } else if (row.has_name_note) {
    ++notes_in_names_;
  }
  row.source = {std::move(raw.cells), std::move(raw.raw)};
  return true;
}

}  // namespace sealbook::anonymizer
