#include "vault/archive/archive_format.h"

#include <gtest/gtest.h>

namespace sealbook::archive {
namespace {

ArchiveHeader HeaderOf(std::int32_t last_day, std::int64_t run) {
  ArchiveHeader header{.run = run, .last_day = last_day};
  for (std::size_t i = 0; i < header.vault.size(); ++i) {
    header.vault[i] = static_cast<std::uint8_t>(0xf0 + i);
  }
  return header;
}

TEST(ArchiveNameTest, IsVaultDayAndRun) {
  EXPECT_EQ(ArchiveName(HeaderOf(20000, 12)),
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff-2024-10-04-12.sba.age");
  EXPECT_EQ(ArchiveName(HeaderOf(-1, 1)), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff-1969-12-31-1.sba.age");
}

TEST(ArchiveNameTest, EveryNameIsParsedBack) {
  for (const std::int32_t day : {20000, 0, -1, -800'000, INT32_MAX, INT32_MIN, 2'932'897}) {
    for (const std::int64_t run : {std::int64_t{1}, std::int64_t{907}, INT64_MAX}) {
      const ArchiveHeader header = HeaderOf(day, run);
      const auto parts = ParseArchiveName(ArchiveName(header));
      ASSERT_TRUE(parts.has_value()) << ArchiveName(header);
      EXPECT_EQ(parts->vault, header.vault);
      EXPECT_EQ(parts->last_day, day);
      EXPECT_EQ(parts->run, run);
    }
  }
}

TEST(ArchiveNameTest, OtherSpellingsAreNone) {
  const std::string hex = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
  ASSERT_TRUE(ParseArchiveName(hex + "-2024-10-04-12.sba.age").has_value());
  for (const std::string& name :
       {std::string(), std::string(".sba.age"), hex, hex + "-2024-10-04-12.sba.age.sig",
        hex + "-2024-10-04-12.SBA.age", hex + "-2024-10-04-012.sba.age",
        hex + "-2024-10-04-+12.sba.age", hex + "-2024-10-04-0.sba.age",
        hex + "-2024-10-04--12.sba.age", hex + "-2024-10-4-12.sba.age",
        hex + "-2024-13-04-12.sba.age", hex + "-2024-02-30-12.sba.age", hex + "-12.sba.age",
        hex + "-2024-10-04-99999999999999999999.sba.age", hex + "-99999999-10-04-1.sba.age",
        "F0" + hex.substr(2) + "-2024-10-04-12.sba.age", "/" + hex + "-2024-10-04-12.sba.age",
        hex + "-2024-10-04-" + std::string(200, '1') + ".sba.age"}) {
    EXPECT_FALSE(ParseArchiveName(name).has_value()) << name;
  }
}

TEST(ShardNameTest, IsNumberAndVersion) {
  EXPECT_EQ(ShardName(12, 3), "subjects/000012.v3");
  EXPECT_EQ(ShardName(12'345'678, 1), "subjects/12345678.v1");
  for (const std::string name : {"subjects/000012.v3", "000012.v3"}) {
    const auto parts = ParseShardName(name);
    ASSERT_TRUE(parts.has_value()) << name;
    EXPECT_EQ(parts->number, 12u);
    EXPECT_EQ(parts->version, 3u);
  }
  const auto largest = ParseShardName(ShardName(UINT32_MAX, UINT64_MAX));
  ASSERT_TRUE(largest.has_value());
  EXPECT_EQ(largest->number, UINT32_MAX);
  EXPECT_EQ(largest->version, UINT64_MAX);
}

TEST(ShardNameTest, OtherSpellingsAreNone) {
  for (const std::string name :
       {"", "000012", "000012.v", "000012.v0", "000012.v03", "12.v3", "0000012.v3", "000012.v-3",
        "-00012.v3", "subject/000012.v3", "subjects/subjects/000012.v3", "000012.v3.new",
        "99999999999.v1", "000012.v99999999999999999999999", "subjects/"}) {
    EXPECT_FALSE(ParseShardName(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace sealbook::archive
