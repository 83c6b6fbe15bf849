// Contacts written as a list and read back, for tests and fuzz targets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/customer_list.h"
#include "anonymizer/encodings.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/list_writer.h"
#include "tests/fuzz/memory_file.h"
#include "vault/crypto/bytes.h"

namespace sealbook::testing {

inline constexpr anonymizer::ListFormat kListFormats[] = {
    anonymizer::ListFormat::kCsv, anonymizer::ListFormat::kJsonLines,
    anonymizer::ListFormat::kVcard, anonymizer::ListFormat::kWorkbook};

class StringSink : public ByteSink {
 public:
  absl::Status Append(ByteView bytes) override {
    text.append(crypto::AsText(bytes).data(), bytes.size());
    return absl::OkStatus();
  }
  std::string text;
};

// In batches of `batch` contacts.
inline absl::Status WriteInBatches(anonymizer::ListWriter& writer,
                                   std::span<const anonymizer::ListedContact> contacts,
                                   std::size_t batch) {
  for (std::size_t at = 0; at < contacts.size(); at += batch) {
    auto rows = writer.Render(contacts.subspan(at, std::min(batch, contacts.size() - at)), at);
    if (!rows.ok()) return rows.status();
    const absl::Status appended = writer.Append(*std::move(rows));
    if (!appended.ok()) return appended;
  }
  return writer.Finish();
}

// With tokens, by which a list is known as an exported one; vCards need none.
inline std::vector<std::string> WithTokens(anonymizer::ListFormat format,
                                           std::vector<std::string> columns) {
  if (format != anonymizer::ListFormat::kVcard &&
      std::find(columns.begin(), columns.end(), anonymizer::kUidColumn) == columns.end()) {
    columns.insert(columns.begin(), std::string(anonymizer::kUidColumn));
  }
  return columns;
}

inline absl::StatusOr<std::string> WrittenList(
    anonymizer::ListFormat format, const std::vector<std::string>& columns,
    const std::vector<anonymizer::ListedContact>& contacts, std::size_t batch = 3) {
  StringSink sink;
  auto writer = anonymizer::ListWriter::Create(format, WithTokens(format, columns), sink);
  if (!writer.ok()) return writer.status();
  const absl::Status written = WriteInBatches(**writer, contacts, batch);
  if (!written.ok()) return written;
  return sink.text;
}

using FieldMap = std::map<std::string, std::string>;

struct ReadBackList {
  std::vector<FieldMap> rows;  // the good ones
  std::vector<std::vector<records::IdentifierValue>> identifiers;
  std::vector<std::string> rejects;
  std::vector<std::string> remarks;
  std::vector<std::int64_t> lines;
};

inline absl::StatusOr<ReadBackList> ReadBack(absl::string_view bytes,
                                             const anonymizer::ListOptions& options = {
                                                 .region = "KR"}) {
  const fuzz::MemoryFile file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  auto list = anonymizer::CustomerList::Open(file.path(), options);
  if (!list.ok()) return list.status();
  ReadBackList out;
  anonymizer::CustomerRow row;
  for (;;) {
    const auto more = (*list)->Next(row);
    if (!more.ok()) return more.status();
    if (!*more) break;
    if (!row.reject.empty()) {
      out.rejects.push_back(absl::StrCat(row.line, " ", row.reject));
      continue;
    }
    FieldMap fields;
    for (records::Field& field : row.fields) fields[field.name] = std::move(field.value);
    out.rows.push_back(std::move(fields));
    out.identifiers.push_back(row.identifiers);
    out.lines.push_back(row.line);
  }
  out.remarks = (*list)->remarks();
  return out;
}

// What of a contact is in a list of those columns.
inline FieldMap FieldsIn(const anonymizer::ListedContact& contact,
                         const std::vector<std::string>& columns) {
  FieldMap fields;
  for (const records::Field& field : contact.fields) {
    if (std::find(columns.begin(), columns.end(), field.name) != columns.end())
      fields[field.name] = field.value;
  }
  return fields;
}

// What the contacts of a vault look like: clean texts, and identifiers in their one form. `bytes`
// may be anything; empty: there is no such value.
inline std::string ValueFor(absl::string_view field, absl::string_view bytes) {
  std::string text =
      anonymizer::CleanText(anonymizer::ToEscapedUtf8(bytes, anonymizer::Encoding::kUtf8));
  if (anonymizer::CleanText(text) != text) return "";
  const auto kind = anonymizer::KindOfField(field);
  if (!kind) return text;
  const auto identifier = anonymizer::NormalizeIdentifier(*kind, text, "KR");
  if (!identifier.ok() || identifier->kind != *kind) return "";
  const auto again = anonymizer::NormalizeIdentifier(*kind, identifier->value, "KR");
  return again.ok() && *again == *identifier ? identifier->value : "";
}

}  // namespace sealbook::testing
