// What the tests of workbooks share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/anonymizer/table_fixture.h"
#include "tests/support/workbook.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

inline const std::string kHeader = testing::InlineRow({"이름", "연락처", "메모"});
inline const std::string kCustomer = testing::InlineRow({"가을", "010-1234-5678", "vip"});

inline Table Read(const std::string& bytes, TableOptions options = {}) {
  auto table = ReadTable(bytes, options);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *std::move(table) : Table();
}
inline Table Read(const testing::WorkbookText& book) { return Read(testing::WriteWorkbook(book)); }
inline Table ReadRows(absl::string_view rows) { return Read({{{absl::StrCat(kHeader, rows)}}}); }
inline Table ReadParts(const testing::ZipParts& parts) { return Read(testing::WriteZip(parts)); }

inline std::string& PartIn(testing::ZipParts& parts, absl::string_view name) {
  for (auto& [part, bytes] : parts) {
    if (part == name) return bytes;
  }
  ADD_FAILURE() << "no part " << name;
  return parts[0].second;
}

// Refused when it is opened or before its end, with a hint, and all the same without what it holds.
inline void ExpectRefused(const std::string& bytes, absl::string_view why) {
  auto table = ReadTable(bytes);
  const absl::Status status = table.ok() ? table->end : table.status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(std::string(why)));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("가을")));
  EXPECT_FALSE(HintOf(status).empty()) << status;
}

}  // namespace sealbook::anonymizer
