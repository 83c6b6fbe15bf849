#include "anonymizer/list_writer.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/columns.h"
#include "anonymizer/encodings.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/list_rows.h"
#include "anonymizer/workbook_writer.h"
#include "vault/crypto/bytes.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr absl::string_view kSeparator = "; ";  // between names of books

struct Named {
  ListFormat format;
  absl::string_view name, ending;
};
constexpr Named kFormats[] = {{ListFormat::kCsv, "csv", ".csv"},
                              {ListFormat::kJsonLines, "jsonl", ".jsonl"},
                              {ListFormat::kVcard, "vcard", ".vcf"},
                              {ListFormat::kWorkbook, "xlsx", ".xlsx"}};

}  // namespace

absl::StatusOr<ListFormat> ParseListFormat(absl::string_view name) {
  for (const Named& one : kFormats) {
    if (absl::EqualsIgnoreCase(name, one.name)) return one.format;
  }
  return WithHint(absl::InvalidArgumentError("lists are not written in that format"),
                  "Use csv, jsonl, vcard or xlsx.");
}

absl::string_view NameOf(ListFormat format) {
  return kFormats[static_cast<std::size_t>(format)].name;
}

absl::string_view EndingOf(ListFormat format) {
  return kFormats[static_cast<std::size_t>(format)].ending;
}

absl::StatusOr<std::unique_ptr<ListWriter>> ListWriter::Create(ListFormat format,
                                                               std::vector<std::string> columns,
                                                               ByteSink& sink) {
  absl::flat_hash_set<absl::string_view> seen;
  for (const std::string& column : columns) {
    if (!IsBesideFields(column)) RETURN_IF_ERROR(CheckFieldName(column));
    if (!seen.insert(column).second) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat("'", column, "' is named twice")),
                      "Name each field once.");
    }
  }
  if (columns.size() > kMaxColumns) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat("a list has at most ", kMaxColumns,
                                                               " columns, and ", columns.size(),
                                                               " would be written")),
                    "Choose fewer fields, or write two lists.");
  }
  switch (format) {
    case ListFormat::kWorkbook:
      return MakeWorkbookWriter(std::move(columns), sink);
    case ListFormat::kVcard:
      return MakeVcardWriter(std::move(columns), sink);
    case ListFormat::kJsonLines:
      return MakeJsonLinesWriter(std::move(columns), sink);
    case ListFormat::kCsv:
      break;
  }
  auto writer = MakeCsvWriter(columns, sink);
  // With the mark, spreadsheets read UTF-8.
  RETURN_IF_ERROR(sink.Append(
      crypto::AsBytes(absl::StrCat("\xef\xbb\xbf", absl::StrJoin(columns, ","), "\r\n"))));
  return writer;
}

absl::Status PlainListWriter::Append(RenderedRows rows) {
  return sink_.Append(crypto::AsBytes(rows.text()));
}

ListColumns::ListColumns(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == kUidColumn)
      uid_ = i;
    else if (names_[i] == kBooksColumn)
      books_ = i;
    else
      fields_[names_[i]] = i;
  }
}

std::size_t RowCells::PlaceOf(const std::string& field, std::size_t position) {
  if (position < places_.size() && places_[position] != ListColumns::kNone &&
      columns_.names_[places_[position]] == field)
    return places_[position];
  const auto at = columns_.fields_.find(field);
  if (places_.size() <= position) places_.resize(position + 1, ListColumns::kNone);
  return places_[position] = at == columns_.fields_.end() ? ListColumns::kNone : at->second;
}

absl::Status RowCells::Take(const ListedContact& contact) {
  std::fill(cells_.begin(), cells_.end(), absl::string_view());
  bytes_ = 0;
  const auto take = [&](std::size_t place, absl::string_view name,
                        absl::string_view value) -> absl::Status {
    if (!cells_[place].empty())
      return DoesNotFit(contact.token, name, "is there twice", "Repair the vault.");
    const bool text = (IsAscii(value) || IsUtf8(value)) && !absl::StrContains(value, '\0');
    if (!text) {
      return DoesNotFit(contact.token, name, "is no text that a list can hold",
                        "Leave that field out, or set it anew.");
    }
    cells_[place] = value;
    bytes_ += value.size();
    return absl::OkStatus();
  };
  for (std::size_t i = 0; i < contact.fields.size(); ++i) {
    const records::Field& field = contact.fields[i];
    const std::size_t place = PlaceOf(field.name, i);
    if (place != ListColumns::kNone) RETURN_IF_ERROR(take(place, field.name, field.value));
  }
  if (columns_.uid_ != ListColumns::kNone) {
    uid_ = records::FormatToken(contact.token);
    RETURN_IF_ERROR(take(columns_.uid_, kUidColumn, uid_));
  }
  if (columns_.books_ != ListColumns::kNone) {
    books_ = absl::StrJoin(contact.books, kSeparator);
    RETURN_IF_ERROR(take(columns_.books_, kBooksColumn, books_));
  }
  return absl::OkStatus();
}

void Reserve(std::string& out, std::size_t more) {
  if (out.capacity() - out.size() >= more) return;
  std::string grown;
  grown.reserve(std::max(2 * out.capacity(), out.size() + more));
  grown.append(out);
  crypto::Wipe(out);
  out = std::move(grown);
}

absl::Status DoesNotFit(std::int64_t token, absl::string_view field, absl::string_view is,
                        absl::string_view hint) {
  return WithHint(absl::InvalidArgumentError(
                      absl::StrCat(records::FormatToken(token), ": its field '", field, "' ", is)),
                  hint);
}

}  // namespace sealbook::anonymizer
