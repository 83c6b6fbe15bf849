#include "vault/crypto/passphrase.h"

#include <gtest/gtest.h>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto {
namespace {

// Far too cheap for a passphrase.
constexpr PassphraseCost kWeakCostForTests{.memory_kib = PassphraseCost::kMinMemoryKib,
                                           .passes = 1};

std::string Stretched(absl::string_view passphrase, const Salt& salt, const PassphraseCost& cost) {
  const absl::StatusOr<UnlockKey> key = StretchPassphrase(AsBytes(passphrase), salt, cost);
  return key.ok() ? ToHex(key->ExposeBytes()) : std::string(key.status().message());
}

// Those of libsodium's own test (test/default/pwhash_argon2id.c, tv3) that have one lane, 16 bytes
// of salt and 32 of output; OpenSSL's Argon2id gives the same. RFC 9106's vector has a secret and
// associated data, which libsodium does not offer.
TEST(StretchPassphraseTest, PublishedVectorsMatch) {
  EXPECT_EQ(Stretched("", UnhexArray<16>("6c0f356abb225f2b1ddd66d34739843b"),
                      {.memory_kib = 4882, .passes = 2}),
            "366f1004cfbb447d435e8f6bbe9e5cc0a10e38e7c3da0e89bb19578a1a0d7291");
  EXPECT_EQ(Stretched("^T5H$JYt39n%K*j:W]!1s?vg!:jGi]Ax?..l7[p0v:1jHTpla9;]bUN;?bWyCbtqg ",
                      UnhexArray<16>("3e412031362d62797465732073616c74"),
                      {.memory_kib = 4096, .passes = 19}),
            "96d07fb9ed643ed04c0467eccac3293e2804ea188d10a67dbecf2f2cd5434060");
}

TEST(StretchPassphraseTest, EverythingCounts) {
  const Salt salt{1, 2, 3};
  Salt other_salt = salt;
  other_salt.back() ^= 1;
  const std::string key = Stretched("passphrase", salt, kWeakCostForTests);
  EXPECT_EQ(Stretched("passphrase", salt, kWeakCostForTests), key);
  EXPECT_NE(Stretched("passphrasf", salt, kWeakCostForTests), key);
  EXPECT_NE(Stretched("passphrase ", salt, kWeakCostForTests), key);
  EXPECT_NE(Stretched("passphrase", other_salt, kWeakCostForTests), key);
  EXPECT_NE(Stretched("passphrase", salt, {.memory_kib = 8, .passes = 2}), key);
  EXPECT_NE(Stretched("passphrase", salt, {.memory_kib = 9, .passes = 1}), key);
}

TEST(StretchPassphraseTest, ZeroBytesAreBytes) {
  EXPECT_NE(Stretched(absl::string_view("a\0b", 3), {}, kWeakCostForTests),
            Stretched("a", {}, kWeakCostForTests));
}

TEST(StretchPassphraseTest, CostOutsideItsBoundsIsInvalidArgument) {
  const PassphraseCost hostile[] = {
      {.memory_kib = PassphraseCost::kMinMemoryKib - 1, .passes = 1},
      {.memory_kib = 0, .passes = 1},
      {.memory_kib = PassphraseCost::kMaxMemoryKib + 1, .passes = 1},
      {.memory_kib = UINT32_MAX, .passes = 1},
      {.memory_kib = 8, .passes = 0},
      {.memory_kib = 8, .passes = PassphraseCost::kMaxPasses + 1},
      {.memory_kib = 8, .passes = UINT32_MAX},
  };
  for (const PassphraseCost& cost : hostile) {
    EXPECT_EQ(StretchPassphrase(AsBytes("passphrase"), {}, cost).status().code(),
              absl::StatusCode::kInvalidArgument)
        << cost.memory_kib << " KiB, " << cost.passes;
  }
  EXPECT_TRUE(StretchPassphrase(AsBytes("passphrase"), {}, kWeakCostForTests).ok());
  EXPECT_TRUE(StretchPassphrase(AsBytes("passphrase"), {},
                                {.memory_kib = 8, .passes = PassphraseCost::kMaxPasses})
                  .ok());
}

TEST(PassphraseCostTest, DefaultIsWhatPeopleGet) {
  EXPECT_EQ(PassphraseCost{}.memory_kib, 256U * 1024);
  EXPECT_EQ(PassphraseCost{}.passes, 3U);
}

}  // namespace
}  // namespace sealbook::crypto
