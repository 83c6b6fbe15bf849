#include "vault/crypto/hkdf.h"

#include <gtest/gtest.h>

#include "tests/vault/crypto/hex.h"

namespace sealbook::crypto::internal {
namespace {

std::string Hkdf(ByteView input_key, ByteView salt, ByteView info, std::size_t size) {
  Bytes out(size);
  HkdfSha256(input_key, salt, info, out);
  return ToHex(out);
}

Bytes Range(int first, int last) {
  Bytes bytes;
  for (int i = first; i <= last; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

// RFC 5869, appendix A.1 to A.3: short, long, and without salt and info.
TEST(HkdfSha256Test, PublishedVectorsMatch) {
  EXPECT_EQ(Hkdf(Bytes(22, 0x0b), Range(0x00, 0x0c), Range(0xf0, 0xf9), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(Hkdf(Range(0x00, 0x4f), Range(0x60, 0xaf), Range(0xb0, 0xff), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(Hkdf(Bytes(22, 0x0b), {}, {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256Test, ShorterOutputIsTheBeginningOfALonger) {
  const std::string whole = Hkdf(Bytes(16, 1), Bytes(16, 2), AsBytes("info"), 255 * 32);
  for (const std::size_t size : {0, 1, 31, 32, 33, 64, 65}) {
    EXPECT_EQ(Hkdf(Bytes(16, 1), Bytes(16, 2), AsBytes("info"), size), whole.substr(0, 2 * size));
  }
}

TEST(HkdfSha256DeathTest, OutputBeyondTheCounterEndsTheProcess) {
  EXPECT_DEATH(Hkdf({}, {}, {}, 255 * 32 + 1), "");
}

// RFC 4231, test cases 2 and 6 (a key longer than a block).
TEST(HmacSha256Test, PublishedVectorsMatch) {
  EXPECT_EQ(ToHex(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(ToHex(HmacSha256(Bytes(131, 0xaa),
                             AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace sealbook::crypto::internal
