// Contacts made from bytes, written in each format and read back: the same fields. A line of text
// is a line of the input; "=NAME" begins a column's name, "-" a contact, and "NAME value" with "\n"
// as
// "\x01" gives a contact that field.
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "anonymizer/columns.h"
#include "anonymizer/exported_list.h"
#include "tests/support/list_round_trip.h"

namespace {

using sealbook::anonymizer::ListedContact;
using sealbook::anonymizer::ListFormat;
using sealbook::testing::FieldMap;

[[noreturn]] void Fail(ListFormat format, const char* what) {
  std::cerr << "does not hold for " << sealbook::anonymizer::NameOf(format) << ": " << what << "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxContacts = 12, kMaxColumns = 12;
  std::vector<std::string> columns;
  std::vector<ListedContact> contacts;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  for (const absl::string_view line : absl::StrSplit(input, '\n')) {
    if (absl::StartsWith(line, "=")) {
      const std::string name(line.substr(1));
      const bool good = sealbook::anonymizer::IsBesideFields(name) ||
                        sealbook::anonymizer::CheckFieldName(name).ok();
      if (good && columns.size() < kMaxColumns &&
          std::find(columns.begin(), columns.end(), name) == columns.end())
        columns.push_back(name);
    } else if (absl::StartsWith(line, "-")) {
      if (contacts.size() == kMaxContacts) break;
      contacts.push_back({.token = 2837470195, .books = {"seoul"}, .fields = {}});
    } else if (!contacts.empty()) {
      const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
      const std::string name(parts[0]);
      auto& fields = contacts.back().fields;
      const bool there = std::any_of(fields.begin(), fields.end(),
                                     [&](const auto& field) { return field.name == name; });
      if (parts.size() < 2 || there || !sealbook::anonymizer::CheckFieldName(name).ok()) continue;
      std::string value =
          sealbook::testing::ValueFor(name, absl::StrReplaceAll(parts[1], {{"\x01", "\n"}}));
      if (!value.empty()) fields.push_back({name, std::move(value)});
    }
  }
  std::vector<FieldMap> expected;
  for (const ListedContact& contact : contacts) {
    FieldMap fields = sealbook::testing::FieldsIn(contact, columns);
    if (!fields.empty()) expected.push_back(std::move(fields));
  }
  if (columns.empty()) return 0;
  for (const ListFormat format : sealbook::testing::kListFormats) {
    const auto written = sealbook::testing::WrittenList(format, columns, contacts);
    if (!written.ok()) {
      const bool too_long = absl::StrContains(written.status().message(), "32,767");
      if (format == ListFormat::kWorkbook && too_long) continue;
      Fail(format, "a list is written");
    }
    const auto read = sealbook::testing::ReadBack(*written);
    if (!read.ok()) {
      if (!expected.empty()) Fail(format, "it is read");
      continue;
    }
    // Who has nothing in these columns is a row with nothing to keep, or no card.
    if (read->rejects.size() > contacts.size() - expected.size()) Fail(format, "no row is lost");
    if (read->rows != expected) Fail(format, "its rows come back with the same fields");
  }
  return 0;
}
