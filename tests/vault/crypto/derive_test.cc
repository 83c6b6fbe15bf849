#include "vault/crypto/derive.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto {
namespace {

template <typename KeyType>
KeyType Counting() {
  Bytes bytes(kKeyBytes);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return KeyType::CopyOf(bytes);
}

template <typename KeyType>
std::string Hex(const KeyType& key) {
  return ToHex(key.ExposeBytes());
}

// From the key 00 01 … 1f, by another implementation (Python's hashlib). These bytes are the
// format: what is stored opens with them alone.
TEST(DeriveTest, ExactBytesMatch) {
  const auto session = Counting<SessionSecret>();
  const auto exchange = Counting<ExchangeSecret>();
  EXPECT_EQ(Hex(DeriveValueKey(session, 0x0102030405060708, ClassId::kProfile, 0x0a0b0c0d)),
            "64743a54dead1e23091b90b204cd7ed50832b5bc59ee828e162187201d6ff142");
  EXPECT_EQ(Hex(DeriveWrapKey(session)),
            "cab25a51d8cb54871eeda3f14a1b953083126fec367c6d5e77cbe64722b78734");
  EXPECT_EQ(Hex(DeriveIndexHashKey(exchange)),
            "d239cda50191f8f6bed45139072b1c88a1c5b9f1f17dfa04c0b83f624e8d33da");
  EXPECT_EQ(Hex(DeriveIndexTagKey(exchange)),
            "74f1f568ea2e1d4f9df34ade3f08027b3c46a446c0962845a75a304e5146107a");
  EXPECT_EQ(Hex(DeriveEpochLinkKey(exchange)),
            "e43cac44686fc7f911fd7b0b8c15e8b9b82e65969da9e9741e5d23e8640c9a18");
}

TEST(DeriveTest, EveryPlaceHasAKeyOfItsOwn) {
  const SessionSecret session = SessionSecret::Random();
  std::set<std::string> keys;
  int derived = 0;
  for (const ContactNumber contact :
       {ContactNumber{1}, ContactNumber{2}, ContactNumber{256}, ContactNumber{1} << 40}) {
    for (const ClassId class_id : {ClassId::kIdentity, ClassId::kMasked, ClassId::kLastCustom}) {
      for (const std::uint32_t revision : {0U, 1U, 256U, UINT32_MAX}) {
        keys.insert(Hex(DeriveValueKey(session, contact, class_id, revision)));
        ++derived;
      }
    }
  }
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(derived));
}

TEST(DeriveTest, OtherSessionHasOtherKeys) {
  EXPECT_NE(Hex(DeriveWrapKey(SessionSecret::Random())),
            Hex(DeriveWrapKey(SessionSecret::Random())));
}

}  // namespace
}  // namespace sealbook::crypto
