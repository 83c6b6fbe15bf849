#include "vault/crypto/signature.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto {
namespace {

// RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc).
struct Vector {
  const char* seed;
  const char* verify_key;
  const char* message;
  const char* signature;
};
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
     "ebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431"
     "e0303dca179c138ac17ad9bef1177331a704"},
};

const Bytes kMessage = Unhex("00112233");

TEST(Ed25519Test, PublishedVectorsMatch) {
  for (const Vector& vector : kVectors) {
    const Bytes seed = Unhex(vector.seed);
    const Bytes message = Unhex(vector.message);
    const VerifyKey key{UnhexArray<32>(vector.verify_key)};
    const Signature signature = internal::SignRaw(seed, message);
    EXPECT_EQ(ToHex(signature), vector.signature);
    EXPECT_TRUE(internal::VerifyRaw(key, message, signature)) << vector.seed;
    EXPECT_EQ(SigningPair::FromSeed(SigningSeed::CopyOf(seed)).verify_key(), key);
  }
}

TEST(SignatureTest, SignedBytesAreTheLabelsLengthTheLabelAndTheMessage) {
  const SigningPair pair = SigningPair::Generate();
  const Signature signature = pair.Sign("label", kMessage);
  EXPECT_TRUE(internal::VerifyRaw(pair.verify_key(), Unhex("056c6162656c00112233"), signature));
  EXPECT_EQ(signature, internal::SignRaw(pair.seed().ExposeBytes(), Unhex("056c6162656c00112233")));
}

TEST(SignatureTest, SignatureVerifies) {
  const SigningPair pair = SigningPair::Generate();
  EXPECT_TRUE(Verify(pair.verify_key(), "label", kMessage, pair.Sign("label", kMessage)));
  EXPECT_TRUE(Verify(pair.verify_key(), "", {}, pair.Sign("", {})));
}

TEST(SignatureTest, OtherLabelMessageOrKeyDoesNotVerify) {
  const SigningPair pair = SigningPair::Generate();
  const Signature signature = pair.Sign("label", kMessage);
  EXPECT_FALSE(Verify(pair.verify_key(), "lapel", kMessage, signature));
  EXPECT_FALSE(Verify(pair.verify_key(), "", kMessage, signature));
  EXPECT_FALSE(Verify(pair.verify_key(), "label", {}, signature));
  EXPECT_FALSE(Verify(pair.verify_key(), "label", Unhex("00112234"), signature));
  EXPECT_FALSE(Verify(SigningPair::Generate().verify_key(), "label", kMessage, signature));
}

TEST(SignatureTest, LabelCannotSlideIntoTheMessage) {
  const SigningPair pair = SigningPair::Generate();
  EXPECT_FALSE(Verify(pair.verify_key(), "a", AsBytes("bc"), pair.Sign("ab", AsBytes("c"))));
}

TEST(SignatureTest, EveryChangedBitDoesNotVerify) {
  const SigningPair pair = SigningPair::Generate();
  const Signature signature = pair.Sign("label", kMessage);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    EXPECT_FALSE(Verify(pair.verify_key(), "label", kMessage, changed)) << bit;
  }
}

TEST(SignatureTest, KeyOfSmallOrderVerifiesNothing) {
  // With the neutral element as key, R the neutral element and S zero, the bare equation holds for
  // every message.
  VerifyKey neutral{};
  neutral.bytes[0] = 1;
  Signature forged{};
  forged[0] = 1;
  EXPECT_FALSE(Verify(neutral, "label", kMessage, forged));
  EXPECT_FALSE(Verify(VerifyKey{}, "label", kMessage, Signature{}));
}

TEST(SignatureTest, ThreadsSignAtTheSameTime) {
  // They share one piece of guarded memory.
  std::vector<std::thread> threads;
  std::array<int, 4> bad{};
  for (std::size_t thread = 0; thread < bad.size(); ++thread) {
    threads.emplace_back([&bad, thread] {
      for (int i = 0; i < 50; ++i) {
        const SigningPair pair = SigningPair::Generate();
        if (!Verify(pair.verify_key(), "label", kMessage, pair.Sign("label", kMessage))) {
          ++bad[thread];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, (std::array<int, 4>{}));
}

}  // namespace
}  // namespace sealbook::crypto
