#include "anonymizer/customer_list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "anonymizer/identifiers.h"
#include "policies/policy.h"
#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kRowsToRecognize = 200;

std::string Naming(const Column& column, std::size_t position) {
  constexpr std::size_t kMaxBytes = 64;
  if (column.name.empty() || column.name.size() > kMaxBytes)
    return absl::StrCat("column ", position + 1);
  return absl::StrCat("column '", column.name, "'");
}

// Spreadsheets and shops put an apostrophe before a number so that it stays a text.
absl::string_view WithoutApostrophe(absl::string_view cell) {
  if (cell.size() > 1 && cell[0] == '\'' &&
      (absl::ascii_isdigit(static_cast<unsigned char>(cell[1])) || cell[1] == '+')) {
    return cell.substr(1);
  }
  return cell;
}

bool IsHangulOrHan(absl::string_view text) {
  // Three-byte UTF-8 from U+3040 on: kana, Han, Hangul.
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xe3 && byte <= 0xed;
  });
}

std::string JoinName(const std::string& family, const std::string& given) {
  if (family.empty()) return given;
  if (given.empty()) return family;
  return IsHangulOrHan(family) || IsHangulOrHan(given) ? absl::StrCat(family, given)
                                                       : absl::StrCat(given, " ", family);
}

}  // namespace

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
                                  .looks_like_data = &LooksLikeData});
  if (!table.ok()) return About(bytes->name(), table.status());
  std::unique_ptr<CustomerList> list(
      new CustomerList(std::move(bytes), *std::move(table), options));
  const absl::Status recognized = list->Recognize();
  if (!recognized.ok()) return About(list->bytes_->name(), recognized);
  return list;
}

absl::Status CustomerList::Recognize() {
  std::vector<std::vector<std::string>> sample;
  while (held_.size() < kRowsToRecognize) {
    TableRow row;
    ASSIGN_OR_RETURN(const bool more, table_->Next(row));
    if (!more) break;
    if (row.fault.empty()) sample.push_back(row.cells);
    held_.push_back(std::move(row));
  }
  if (held_.empty()) {
    return WithHint(absl::InvalidArgumentError("has no rows below its header"),
                    "Check that it was saved whole.");
  }
  columns_ = RecognizeColumns(table_->columns(), sample, options_.region);
  return ApplyMappings(options_.mappings, columns_);
}

void CustomerList::AddLateColumns() {
  const std::vector<std::string>& names = table_->columns();
  for (std::size_t i = columns_.size(); i < names.size(); ++i) {
    std::vector<Column> late = RecognizeColumns({names[i]}, {}, options_.region);
    if (late[0].by == RecognizedBy::kNothing) late[0].field = FieldNameFor(names[i], i);
    columns_.push_back(std::move(late[0]));
    SeparateUnknownFields(columns_, i);
  }
}

void CustomerList::AddField(CustomerRow& row, absl::string_view field, std::string value) {
  std::string name(field);
  const auto taken = [&](const records::Field& other) { return other.name == name; };
  for (int number = 2; std::any_of(row.fields.begin(), row.fields.end(), taken); ++number) {
    name = absl::StrCat(policies::BaseField(field), "_", number);
  }
  row.fields.push_back({std::move(name), std::move(value)});
}

absl::Status CustomerList::AddIdentifiers(const Column& column, std::size_t position,
                                          IdentifierKind kind, absl::string_view cell,
                                          CustomerRow& row) {
  CellParts parts = SplitCell(cell);
  for (const std::string& value : parts.values) {
    const absl::Time start = kind == IdentifierKind::kPhone ? absl::Now() : absl::Time();
    auto identifier = NormalizeIdentifier(kind, value, options_.region);
    if (kind == IdentifierKind::kPhone) phone_time_ += absl::Now() - start;
    if (!identifier.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Naming(column, position), " ", identifier.status().message()));
    }
    if (std::find(row.identifiers.begin(), row.identifiers.end(), *identifier) !=
        row.identifiers.end())
      continue;
    AddField(row, FieldOfKind(identifier->kind), identifier->value);
    row.identifiers.push_back(*std::move(identifier));
  }
  if (!parts.note.empty())
    AddField(row, absl::StrCat(policies::BaseField(column.field), "_note"), CleanText(parts.note));
  return absl::OkStatus();
}

absl::Status CustomerList::Convert(TableRow& raw, CustomerRow& row) {
  std::string given, family;
  consents_.Begin();
  for (std::size_t i = 0; i < raw.cells.size(); ++i) {
    const Column& column = columns_[i];
    const absl::string_view cell = WithoutApostrophe(absl::StripAsciiWhitespace(raw.cells[i]));
    if (cell.empty() || column.field == kIgnored) continue;
    if (const auto kind = KindOfField(column.field)) {
      RETURN_IF_ERROR(AddIdentifiers(column, i, *kind, cell, row));
      continue;
    }
    std::string value = CleanText(cell);
    if (value.empty()) continue;
    if (policies::BaseField(column.field) == records::kConsentField) {
      consents_.Take(column, i, std::move(value));
      continue;
    }
    const bool part_of_name = FieldWritten(column) != column.field;
    if (part_of_name && column.field == kGivenName)
      given = std::move(value);
    else if (part_of_name)
      family = std::move(value);
    else
      AddField(row, column.field, std::move(value));
  }
  if (!given.empty() || !family.empty()) AddField(row, "name", JoinName(family, given));
  for (ConsentReader::RowField& field : consents_.Finish(columns_, raw.line))
    AddField(row, field.name, std::move(field.value));
  if (row.fields.empty()) return absl::InvalidArgumentError("holds nothing to keep");
  if (row.identifiers.empty()) {
    // Found again by all that it says, so that a second import adds nothing.
    std::string whole;
    for (const records::Field& field : row.fields) {
      const bool consent = policies::BaseField(field.name) == records::kConsentField;
      absl::StrAppend(&whole, field.name, "\x1f",
                      consent ? WithoutSource(field.value) : field.value, "\x1e");
    }
    row.identifiers.push_back(
        {IdentifierKind::kRow,
         crypto::ToHex(crypto::HashOf("sealbook/row/1", {crypto::AsBytes(whole)}))});
  }
  return absl::OkStatus();
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
  }
  row.cells = std::move(raw.cells);
  return true;
}

}  // namespace sealbook::anonymizer
