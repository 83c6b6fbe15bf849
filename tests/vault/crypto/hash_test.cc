#include "vault/crypto/hash.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto {
namespace {

Bytes Counting(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

std::string Raw(ByteView key, ByteView message, std::size_t size) {
  Bytes out(size);
  internal::Blake2bRaw(key, message, out);
  return ToHex(out);
}

// RFC 7693, appendix A.
TEST(Blake2bTest, UnkeyedVectorMatches) {
  EXPECT_EQ(Raw({}, AsBytes("abc"), 64),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

// The reference implementation's blake2-kat: keys and messages count upwards.
TEST(Blake2bTest, KeyedVectorsMatch) {
  const Bytes key = Counting(64);
  EXPECT_EQ(Raw(key, {}, 64),
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
            "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
  EXPECT_EQ(Raw(key, Counting(1), 64),
            "961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
            "187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd");
  EXPECT_EQ(Raw(key, Counting(2), 64),
            "da2cfbe2d8409a0f38026113884f84b50156371ae304c4430173d08a99d9fb1b"
            "983164a3770706d537f49e0c916d9f32b95cc37a95b99d857436f0232c88a965");
  EXPECT_EQ(Raw(key, Counting(24), 64),
            "5e9c93158d659b2def06b0c3c7565045542662d6eee8a96a89b78ade09fe8b3d"
            "cc096d4fe48815d88d8f82620156602af541955e1f6ca30dce14e254c326b88f");
}

TEST(HashOfTest, MessageIsTheLabelsLengthTheLabelAndTheParts) {
  const Bytes message = Unhex(
      "056c6162656c"
      "0102"
      "03");
  EXPECT_EQ(ToHex(HashOf("label", {Unhex("0102"), Unhex("03")})), Raw({}, message, 32));
  const Bytes key = Counting(32);
  EXPECT_EQ(ToHex(KeyedHash128(key, "label", {Unhex("0102"), Unhex("03")})), Raw(key, message, 16));
}

TEST(HashOfTest, PartsOfSeveralBlocksAreHashedWhole) {
  const Bytes part = Counting(200);
  Bytes message = Unhex("0161");
  for (int i = 0; i < 3; ++i) message.insert(message.end(), part.begin(), part.end());
  EXPECT_EQ(ToHex(HashOf("a", {part, part, part})), Raw({}, message, 32));
}

TEST(HashOfTest, LabelCannotSlideIntoTheParts) {
  EXPECT_NE(HashOf("ab", {AsBytes("c")}), HashOf("a", {AsBytes("bc")}));
  EXPECT_NE(HashOf("a", {}), HashOf("", {AsBytes("a")}));
}

TEST(LabeledHashTest, PartsThatComeOneByOneGiveTheSameHash) {
  const Bytes part(1000, 7);
  LabeledHash hash("label");
  hash.Update({});
  hash.Update(ByteView(part).first(1));
  hash.Update(ByteView(part).subspan(1));
  hash.Update(part);
  EXPECT_EQ(hash.Finish(), HashOf("label", {part, part}));
  EXPECT_EQ(LabeledHash("").Finish(), HashOf("", {}));
}

TEST(LabeledHashDeathTest, LabelTooLongForItsLengthEndsTheProcess) {
  EXPECT_DEATH(LabeledHash(std::string(256, 'x')), "");
}

TEST(HashOfDeathTest, LabelTooLongForItsLengthEndsTheProcess) {
  const std::string label(256, 'l');
  EXPECT_DEATH(HashOf(label, {}), "");
  HashOf(label.substr(1), {});
}

TEST(KeyedHash128Test, OtherKeyOrLabelOrPartIsAnotherHash) {
  const Bytes key = Counting(32);
  Bytes other_key = key;
  other_key[31] ^= 1;
  const Bytes part = {1};
  const Bytes other_part = {2};
  const Hash128 hash = KeyedHash128(key, "label", {part});
  EXPECT_NE(KeyedHash128(other_key, "label", {part}), hash);
  EXPECT_NE(KeyedHash128(key, "lapel", {part}), hash);
  EXPECT_NE(KeyedHash128(key, "label", {other_part}), hash);
  EXPECT_EQ(KeyedHash128(key, "label", {part}), hash);
}

TEST(KeyedHash128DeathTest, NoKeyOrAShortOneEndsTheProcess) {
  EXPECT_DEATH(KeyedHash128({}, "label", {}), "");
  EXPECT_DEATH(KeyedHash128(Counting(15), "label", {}), "");
  EXPECT_DEATH(KeyedHash128(Counting(65), "label", {}), "");
}

TEST(DeriveKeyTest, KeyIsTheKeyedHash) {
  const ValueKey from = ValueKey::CopyOf(Counting(32));
  const WrapKey key = DeriveKey<WrapPurpose>(from, "label", {Unhex("0102")});
  EXPECT_EQ(ToHex(key.ExposeBytes()), Raw(Counting(32), Unhex("056c6162656c0102"), 32));
}

}  // namespace
}  // namespace sealbook::crypto
