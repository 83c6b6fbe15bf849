#include "policies/one_time_code.h"

#include <gtest/gtest.h>

#include <set>

namespace sealbook::policies {
namespace {

// The secret of RFC 4226's appendix D and RFC 6238's appendix B (SHA-1).
const ByteView kRfcSecret = crypto::AsBytes("12345678901234567890");

std::string Hotp(std::uint64_t counter, int digits = kTotpDigits) {
  const auto code = HotpCode(kRfcSecret, counter, digits);
  return code.ok() ? std::string(code->ExposeText()) : code.status().ToString();
}
std::string Normalized(absl::string_view typed) {
  const auto code = OneTimeCode::Parse(typed);
  return code.ok() ? std::string(code->text().ExposeText()) : "";
}

TEST(HotpTest, VectorsOfRfc4226) {
  const char* const codes[] = {"755224", "287082", "359152", "969429", "338314",
                               "254676", "287922", "162583", "399871", "520489"};
  for (std::uint64_t counter = 0; counter < 10; ++counter) EXPECT_EQ(Hotp(counter), codes[counter]);
}

TEST(TotpTest, VectorsOfRfc6238) {
  const std::pair<std::int64_t, const char*> vectors[] = {
      {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
      {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
  for (const auto& [seconds, code] : vectors)
    EXPECT_EQ(Hotp(TotpStepAt(absl::FromUnixSeconds(seconds)), 8), code) << seconds;
}

TEST(TotpTest, OneStepOfDriftEitherWayAndNoMore) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'015);
  const std::uint64_t step = TotpStepAt(now);
  for (int drift = -3; drift <= 3; ++drift) {
    const std::uint64_t at = step + static_cast<std::uint64_t>(drift);
    const auto found = FindTotpStep(kRfcSecret, crypto::AsBytes(Hotp(at)), now, 0);
    ASSERT_TRUE(found.ok()) << found.status();
    if (drift >= -1 && drift <= 1) {
      EXPECT_EQ(*found, at) << drift;
    } else {
      EXPECT_EQ(*found, std::nullopt) << drift;
    }
  }
}

TEST(OneTimeCodeTest, SpacesAndFullWidthDigitsMakeNoDifference) {
  for (const char* typed : {"123456", "123 456", " 1 2 3 4 5 6\t",
                            "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93"
                            "\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96",
                            "123\xc2\xa0"
                            "456",
                            "123\xe3\x80\x80"
                            "456",
                            "123-456"}) {
    EXPECT_EQ(Normalized(typed), "123456") << typed;
  }
}

TEST(OneTimeCodeTest, WhatIsNoCodeIsRefused) {
  for (const std::string& typed :
       {std::string(), std::string("12345"), std::string("1234567"), std::string("12345a"),
        std::string("\xff\xfe"), std::string(1000, '1'), std::string("123456\0", 7)}) {
    EXPECT_TRUE(absl::IsUnauthenticated(OneTimeCode::Parse(typed).status())) << typed.size();
  }
}

TEST(RecoveryCodeTest, EightyBitsThatReadBackAsTyped) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const crypto::SecretBytes code = MakeFactorRecoveryCode();
    const std::string text(code.ExposeText());
    EXPECT_EQ(text.size(), 19u);  // 16 characters of 5 bits each, in four groups
    const auto parsed = OneTimeCode::Parse(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->kind(), OneTimeCode::Kind::kRecovery);
    EXPECT_EQ(parsed->text().size(), 16u);
    EXPECT_TRUE(seen.insert(text).second);
  }
}

}  // namespace
}  // namespace sealbook::policies
