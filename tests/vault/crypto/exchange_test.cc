#include "vault/crypto/exchange.h"

#include <gtest/gtest.h>

#include "tests/vault/crypto/hex.h"
#include "vault/crypto/hash.h"

namespace sealbook::crypto {
namespace {

// RFC 7748, section 6.1.
constexpr char kAliceSecret[] = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr char kAlicePublic[] = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr char kBobSecret[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
constexpr char kBobPublic[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
constexpr char kShared[] = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

// The points of small order and their other encodings below 2^255.
constexpr const char* kSmallOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

ExchangePublic Point(absl::string_view hex) { return {UnhexArray<32>(hex)}; }
ExchangePair Pair(absl::string_view secret) {
  return ExchangePair::FromSecret(ExchangeSecret::CopyOf(Unhex(secret)));
}
std::string Multiply(absl::string_view scalar, absl::string_view point) {
  Bytes out(32);
  EXPECT_TRUE(internal::X25519(Unhex(scalar), Point(point), out));
  return ToHex(out);
}

// RFC 7748, section 5.2.
TEST(X25519Test, PublishedVectorsMatch) {
  EXPECT_EQ(Multiply("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(Multiply("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519Test, ThousandIterationsMatch) {
  Bytes scalar = Unhex("0900000000000000000000000000000000000000000000000000000000000000");
  ExchangePublic point = Point(ToHex(scalar));
  for (int i = 1; i <= 1000; ++i) {
    Bytes out(32);
    ASSERT_TRUE(internal::X25519(scalar, point, out));
    std::copy(scalar.begin(), scalar.end(), point.bytes.begin());
    scalar = out;
    if (i == 1) {
      ASSERT_EQ(ToHex(scalar), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(ToHex(scalar), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(ExchangePairTest, PublishedPairsMatch) {
  EXPECT_EQ(ToHex(Pair(kAliceSecret).public_key().bytes), kAlicePublic);
  EXPECT_EQ(ToHex(Pair(kBobSecret).public_key().bytes), kBobPublic);
  EXPECT_EQ(Multiply(kAliceSecret, kBobPublic), kShared);
  EXPECT_EQ(Multiply(kBobSecret, kAlicePublic), kShared);
}

TEST(ExchangePairTest, GeneratedPairsDiffer) {
  EXPECT_NE(ExchangePair::Generate().public_key(), ExchangePair::Generate().public_key());
}

TEST(SessionSecretTest, WriterAndReaderAgree) {
  const ExchangePair session = ExchangePair::Generate();
  const ExchangePair compartment = ExchangePair::Generate();
  const auto written = session.SessionSecretAsWriter(compartment.public_key());
  const auto read = compartment.SessionSecretAsReader(session.public_key());
  ASSERT_TRUE(written.ok() && read.ok());
  EXPECT_TRUE(EqualInConstantTime(written->ExposeBytes(), read->ExposeBytes()));
}

// label "sealbook/session/1", the RFC's shared secret, Alice as the session, Bob as the
// compartment; hashed by another implementation (Python's hashlib).
TEST(SessionSecretTest, ExactBytesMatch) {
  const auto secret = Pair(kAliceSecret).SessionSecretAsWriter(Point(kBobPublic));
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(ToHex(secret->ExposeBytes()),
            "3d94ca5b9a0c53d7c2910ead468b89f0bd40bed0707c4dd081837da1258ba59c");
}

TEST(SessionSecretTest, SidesAreNotInterchangeable) {
  const ExchangePair a = ExchangePair::Generate();
  const ExchangePair b = ExchangePair::Generate();
  EXPECT_FALSE(EqualInConstantTime(a.SessionSecretAsWriter(b.public_key())->ExposeBytes(),
                                   b.SessionSecretAsWriter(a.public_key())->ExposeBytes()));
}

TEST(SessionSecretTest, AnotherCompartmentHasAnotherSecret) {
  const ExchangePair session = ExchangePair::Generate();
  const ExchangePair mine = ExchangePair::Generate();
  const ExchangePair other = ExchangePair::Generate();
  const auto written = session.SessionSecretAsWriter(mine.public_key());
  const auto read = other.SessionSecretAsReader(session.public_key());
  EXPECT_FALSE(EqualInConstantTime(written->ExposeBytes(), read->ExposeBytes()));
}

TEST(SessionSecretTest, PointsOfSmallOrderAreInvalidArgument) {
  const ExchangePair pair = ExchangePair::Generate();
  for (const char* const hex : kSmallOrder) {
    EXPECT_EQ(pair.SessionSecretAsWriter(Point(hex)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << hex;
    EXPECT_EQ(pair.SessionSecretAsReader(Point(hex)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << hex;
  }
}

TEST(IsUsablePointTest, OnlyPointsOfSmallOrderAreNot) {
  for (const char* const hex : kSmallOrder) EXPECT_FALSE(IsUsablePoint(Point(hex))) << hex;
  EXPECT_TRUE(IsUsablePoint(Point(kAlicePublic)));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(IsUsablePoint(ExchangePair::Generate().public_key()));
}

TEST(SealedBoxTest, OwnerOpens) {
  const ExchangePair owner = ExchangePair::Generate();
  for (const std::size_t size : {0, 1, 32, 5000}) {
    const Bytes plaintext(size, 0x5c);
    const absl::StatusOr<SecretBytes> opened =
        OpenSealedToPublic(owner, SealToPublic(owner.public_key(), plaintext));
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_TRUE(EqualInConstantTime(opened->ExposeBytes(), plaintext)) << size;
  }
}

TEST(SealedBoxTest, SealingTwiceGivesOtherBytes) {
  const ExchangePair owner = ExchangePair::Generate();
  EXPECT_NE(SealToPublic(owner.public_key(), Bytes(32)),
            SealToPublic(owner.public_key(), Bytes(32)));
}

TEST(SealedBoxTest, AnotherPairIsDataLoss) {
  const Bytes sealed = SealToPublic(ExchangePair::Generate().public_key(), Bytes(32));
  EXPECT_EQ(OpenSealedToPublic(ExchangePair::Generate(), sealed).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(SealedBoxTest, EveryChangedByteAndTruncationIsDataLoss) {
  const ExchangePair owner = ExchangePair::Generate();
  const Bytes sealed = SealToPublic(owner.public_key(), Bytes(8, 1));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_EQ(OpenSealedToPublic(owner, changed).status().code(), absl::StatusCode::kDataLoss) << i;
    EXPECT_EQ(OpenSealedToPublic(owner, ByteView(sealed).first(i)).status().code(),
              absl::StatusCode::kDataLoss)
        << i;
  }
}

TEST(SealedBoxDeathTest, PointOfSmallOrderEndsTheProcess) {
  EXPECT_DEATH(SealToPublic(Point(kSmallOrder[1]), Bytes(32)), "");
}

}  // namespace
}  // namespace sealbook::crypto
