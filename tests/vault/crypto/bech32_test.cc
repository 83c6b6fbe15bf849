#include "vault/crypto/bech32.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto::internal {
namespace {

// BIP 173, "Test vectors".
TEST(Bech32Test, PublishedValidTextsAreTaken) {
  for (
      const char* const text :
      {"A12UEL5L", "a12uel5l",
       "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
       "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
       "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
       "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"}) {
    EXPECT_TRUE(Bech32ChecksumIsValid(text)) << text;
  }
}

TEST(Bech32Test, PublishedInvalidTextsAreRefused) {
  for (const char* const text : {"\x20"
                                 "1nwldj5",
                                 "\x7f"
                                 "1axkwrx",
                                 "\x80"
                                 "1eym55h",
                                 "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3",
                                 "de1lg7wt\xff", "A1G7SGD8", "10a06t8", "1qzzfhee"}) {
    EXPECT_FALSE(Bech32ChecksumIsValid(text)) << text;
    EXPECT_EQ(DecodeBech32(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

// age lifts BIP 173's limit of 90 characters, the only fault of this one.
TEST(Bech32Test, LongTextIsTaken) {
  EXPECT_TRUE(Bech32ChecksumIsValid(
      "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
      "1569pvx"));
}

TEST(Bech32Test, MixedCaseIsRefused) {
  for (const char* const text :
       {"A12uEL5L", "a12UEL5L", "A12uel5l", "aBcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"}) {
    EXPECT_FALSE(Bech32ChecksumIsValid(text)) << text;
  }
}

TEST(Bech32Test, PublishedDataMatch) {
  const auto decoded = DecodeBech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->prefix, "abcdef");
  EXPECT_EQ(ToHex(decoded->data.ExposeBytes()), "00443214c74254b635cf84653a56d7c675be77df");
  EXPECT_EQ(EncodeBech32("abcdef", decoded->data.ExposeBytes()).ExposeText(),
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
  EXPECT_EQ(EncodeBech32("a", {}).ExposeText(), "a12uel5l");
}

TEST(Bech32Test, UpperCaseHasALowerCasePrefix) { EXPECT_EQ(DecodeBech32("A12UEL5L")->prefix, "a"); }

TEST(Bech32Test, EveryLengthMakesTheRoundTrip) {
  for (std::size_t size = 0; size <= 70; ++size) {
    Bytes data(size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(255 - 37 * i);
    const SecretBytes text = EncodeBech32("age", data);
    const auto decoded = DecodeBech32(text.ExposeText());
    ASSERT_TRUE(decoded.ok()) << size;
    EXPECT_EQ(decoded->prefix, "age");
    EXPECT_EQ(ToHex(decoded->data.ExposeBytes()), ToHex(data));
  }
}

TEST(Bech32Test, EveryOtherCharacterIsRefused) {
  const std::string text = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string other = text;
      other[i] = static_cast<char>(c);
      EXPECT_EQ(DecodeBech32(other).ok(), other == text) << other;
    }
  }
}

// "a1", `symbols` and their checksum, whatever bits they hold: computed as BIP 173 writes it down,
// over the expanded prefix "a" (3, 0, 1).
std::string WithChecksum(const std::string& symbols) {
  const std::string alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  std::vector<std::uint32_t> values = {3, 0, 1};
  for (const char c : symbols) values.push_back(static_cast<std::uint32_t>(alphabet.find(c)));
  values.insert(values.end(), 6, 0);
  constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
  std::uint32_t sum = 1;
  for (const std::uint32_t value : values) {
    const std::uint32_t top = sum >> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (int i = 0; i < 5; ++i) sum ^= ((top >> i) & 1) != 0 ? kGenerator[i] : 0;
  }
  sum ^= 1;
  std::string text = "a1" + symbols;
  for (int shift = 25; shift >= 0; shift -= 5) text.push_back(alphabet[(sum >> shift) & 31]);
  return text;
}

// One value must not have two texts. One symbol is never a whole byte; of all pairs of symbols one
// in four leaves nothing but zeros over.
TEST(Bech32Test, BitsLeftOverAreRefused) {
  ASSERT_EQ(WithChecksum(""), "a12uel5l");
  const std::string alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  int valid = 0;
  int taken = 0;
  for (const char first : alphabet) {
    const std::string one = WithChecksum({first});
    EXPECT_TRUE(Bech32ChecksumIsValid(one));
    EXPECT_FALSE(DecodeBech32(one).ok()) << one;
    for (const char second : alphabet) {
      const std::string two = WithChecksum({first, second});
      valid += Bech32ChecksumIsValid(two) ? 1 : 0;
      taken += DecodeBech32(two).ok() ? 1 : 0;
    }
  }
  EXPECT_EQ(valid, 1024);
  EXPECT_EQ(taken, 256);
}

}  // namespace
}  // namespace sealbook::crypto::internal
