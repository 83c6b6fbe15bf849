// Reads a customer list to its end and checks what is true of every list, however it was made.
#pragma once

#include <unicode/utf8.h>

#include <cstdlib>
#include <iostream>

#include "anonymizer/customer_list.h"
#include "anonymizer/identifiers.h"
#include "tests/fuzz/memory_file.h"

namespace sealbook::fuzz {

inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

// UTF-8 without control characters but line feeds and tabs.
inline bool IsClean(const std::string& text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(bytes, i, size, c);
    if (c < 0 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t')) return false;
  }
  return true;
}

inline void ReadList(const std::uint8_t* data, std::size_t size, anonymizer::TableFormat format) {
  using namespace anonymizer;
  const MemoryFile file(data, size);
  for (const std::optional<TableFormat> asked :
       {std::optional<TableFormat>(), std::optional<TableFormat>(format)}) {
    auto list = CustomerList::Open(file.path(), {.format = asked, .region = "KR"});
    if (!list.ok()) {
      Check(absl::IsInvalidArgument(list.status()), "what cannot be read is an invalid argument");
      continue;
    }
    CustomerRow row;
    std::int64_t last_line = 0;
    for (;;) {
      const auto more = (*list)->Next(row);
      if (!more.ok() || !*more) break;
      // Rows of a workbook say their numbers themselves, which may be the very fault: a rejected
      // one may have the number of the good one below it.
      if ((*list)->format() != TableFormat::kXlsx || row.reject.empty()) {
        Check(row.line > last_line, "lines go up");
        last_line = row.line;
      }
      if (!row.reject.empty()) {
        Check(row.fields.empty() && row.identifiers.empty(), "a rejected row gives nothing");
        continue;
      }
      Check(!row.identifiers.empty() && !row.fields.empty(),
            "a good row is found again and holds something");
      for (std::size_t i = 0; i < row.fields.size(); ++i) {
        Check(!row.fields[i].value.empty(), "a field has a value");
        Check(CheckFieldName(row.fields[i].name).ok(), "a field has a name of its form");
        Check(IsClean(row.fields[i].value), "a value has no control characters");
        for (std::size_t k = 0; k < i; ++k)
          Check(row.fields[i].name != row.fields[k].name, "fields have names of their own");
      }
    }
    for (const Column& column : (*list)->columns()) {
      Check(IsClean(column.name), "a column's name has no control characters");
      Check(column.field == kIgnored || CheckFieldName(column.field).ok(), "a column has a field");
    }
  }
}

}  // namespace sealbook::fuzz
