// Lists as the tests of the writers see them.
#pragma once

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/list_round_trip.h"

namespace sealbook::anonymizer {

inline constexpr std::int64_t kToken = 2837470195;  // its check digit is right

inline ListedContact Contact(records::Fields fields) {
  return {.token = kToken, .books = {"seoul", "vip"}, .fields = std::move(fields)};
}

inline std::string Write(ListFormat format, const std::vector<std::string>& columns,
                         const std::vector<ListedContact>& contacts) {
  const auto written = testing::WrittenList(format, columns, contacts);
  EXPECT_TRUE(written.ok()) << written.status();
  return written.value_or("");
}

inline testing::ReadBackList ReadList(absl::string_view bytes,
                                      const ListOptions& options = {.region = "KR"}) {
  auto read = testing::ReadBack(bytes, options);
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? *std::move(read) : testing::ReadBackList();
}

}  // namespace sealbook::anonymizer
