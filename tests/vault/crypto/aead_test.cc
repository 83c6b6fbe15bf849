#include "vault/crypto/aead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto {
namespace {

using ::testing::Each;
using ::testing::Eq;

// draft-irtf-cfrg-xchacha-03, A.3.1.
constexpr char kVectorPlaintext[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";
constexpr char kVectorKey[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
constexpr char kVectorAssociated[] = "50515253c0c1c2c3c4c5c6c7";
constexpr char kVectorSealed[] =
    "404142434445464748494a4b4c4d4e4f5051525354555657"
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39"
    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3ff"
    "f9"
    "21f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49";

const Bytes kPlace = Unhex("0102030405");
const Bytes kPlaintext = Unhex("00112233445566778899");

TEST(AeadTest, PublishedVectorOpens) {
  Bytes out(sizeof(kVectorPlaintext) - 1);
  ASSERT_TRUE(
      internal::OpenInto(Unhex(kVectorKey), Unhex(kVectorAssociated), Unhex(kVectorSealed), out));
  EXPECT_EQ(AsText(out), kVectorPlaintext);
}

TEST(AeadTest, SealedOpensAtItsPlace) {
  const ValueKey key = ValueKey::Random();
  for (const std::size_t size : {0, 1, 15, 16, 17, 63, 64, 65, 100'000}) {
    const Bytes plaintext(size, 0x5c);
    const Bytes sealed = Seal(key, kPlace, plaintext);
    EXPECT_EQ(sealed.size(), size + kSealOverheadBytes);
    const absl::StatusOr<SecretBytes> opened = Open(key, kPlace, sealed);
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_TRUE(EqualInConstantTime(opened->ExposeBytes(), plaintext)) << size;
  }
}

TEST(AeadTest, EmptyPlaceIsAPlaceToo) {
  const ValueKey key = ValueKey::Random();
  const Bytes sealed = Seal(key, {}, kPlaintext);
  EXPECT_TRUE(Open(key, {}, sealed).ok());
  EXPECT_FALSE(Open(key, kPlace, sealed).ok());
}

TEST(AeadTest, SealAppendLeavesWhatIsThere) {
  const ValueKey key = ValueKey::Random();
  Bytes out = {7, 7};
  SealAppend(key, kPlace, kPlaintext, out);
  ASSERT_EQ(out.size(), 2 + kPlaintext.size() + kSealOverheadBytes);
  EXPECT_THAT(ByteView(out).first(2), Each(Eq(7)));
  EXPECT_TRUE(Open(key, kPlace, ByteView(out).subspan(2)).ok());
}

TEST(AeadTest, NoNonceComesTwice) {
  const ValueKey key = ValueKey::Random();
  std::set<Bytes> nonces;
  for (int i = 0; i < 10'000; ++i) {
    const Bytes sealed = Seal(key, kPlace, {});
    EXPECT_TRUE(nonces.emplace(sealed.begin(), sealed.begin() + 24).second);
  }
}

TEST(AeadTest, OtherPlaceIsDataLoss) {
  const ValueKey key = ValueKey::Random();
  const Bytes sealed = Seal(key, kPlace, kPlaintext);
  for (std::size_t i = 0; i < kPlace.size(); ++i) {
    Bytes place = kPlace;
    place[i] ^= 1;
    EXPECT_EQ(Open(key, place, sealed).status().code(), absl::StatusCode::kDataLoss) << i;
  }
  EXPECT_FALSE(Open(key, {}, sealed).ok());
  EXPECT_FALSE(Open(key, ByteView(kPlace).first(4), sealed).ok());
}

TEST(AeadTest, OtherKeyIsDataLoss) {
  const Bytes sealed = Seal(ValueKey::Random(), kPlace, kPlaintext);
  EXPECT_EQ(Open(ValueKey::Random(), kPlace, sealed).status().code(), absl::StatusCode::kDataLoss);
}

TEST(AeadTest, EveryChangedBitIsDataLoss) {
  const ValueKey key = ValueKey::Random();
  const Bytes sealed = Seal(key, kPlace, kPlaintext);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    EXPECT_EQ(Open(key, kPlace, changed).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
}

TEST(AeadTest, EveryTruncationIsDataLoss) {
  const ValueKey key = ValueKey::Random();
  const Bytes sealed = Seal(key, kPlace, kPlaintext);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(Open(key, kPlace, ByteView(sealed).first(size)).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(Open(key, kPlace, longer).ok());
}

TEST(AeadTest, WhatDoesNotOpenLeavesNoPlaintext) {
  const Bytes key(kKeyBytes, 1);
  Bytes sealed;
  internal::SealAppend(key, kPlace, kPlaintext, sealed);
  sealed.back() ^= 1;
  Bytes out(kPlaintext.size(), 0xee);
  EXPECT_FALSE(internal::OpenInto(key, kPlace, sealed, out));
  EXPECT_NE(out, kPlaintext);
}

TEST(AeadTest, SpaceOfAnotherSizeIsRefused) {
  const Bytes key(kKeyBytes, 1);
  Bytes sealed;
  internal::SealAppend(key, kPlace, kPlaintext, sealed);
  Bytes smaller(kPlaintext.size() - 1);
  Bytes larger(kPlaintext.size() + 1);
  EXPECT_FALSE(internal::OpenInto(key, kPlace, sealed, smaller));
  EXPECT_FALSE(internal::OpenInto(key, kPlace, sealed, larger));
}

TEST(OpenKeyTest, SealedKeyOpens) {
  const WrapKey wrap = WrapKey::Random();
  const ValueKey value = ValueKey::Random();
  const Bytes sealed = Seal(wrap, kPlace, value.ExposeBytes());
  const absl::StatusOr<ValueKey> opened = OpenKey<ValuePurpose>(wrap, kPlace, sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(EqualInConstantTime(opened->ExposeBytes(), value.ExposeBytes()));
}

TEST(OpenKeyTest, OtherPlaceOrLengthIsDataLoss) {
  const WrapKey wrap = WrapKey::Random();
  const Bytes sealed = Seal(wrap, kPlace, Bytes(kKeyBytes));
  EXPECT_EQ(OpenKey<ValuePurpose>(wrap, {}, sealed).status().code(), absl::StatusCode::kDataLoss);
  // These open as values; they are no keys.
  for (const std::size_t size : {std::size_t{0}, kKeyBytes - 1, kKeyBytes + 1}) {
    const Bytes no_key = Seal(wrap, kPlace, Bytes(size));
    ASSERT_TRUE(Open(wrap, kPlace, no_key).ok());
    EXPECT_EQ(OpenKey<ValuePurpose>(wrap, kPlace, no_key).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
}

}  // namespace
}  // namespace sealbook::crypto
