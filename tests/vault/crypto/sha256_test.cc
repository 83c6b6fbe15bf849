#include "vault/crypto/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace sealbook::crypto {
namespace {

std::string HashInParts(absl::string_view text, std::size_t part) {
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += part)
    hash.Update(AsBytes(text.substr(at, part)));
  return ToHex(hash.Finish());
}

// FIPS 180-4's examples.
TEST(Sha256Test, PublishedVectors) {
  EXPECT_EQ(HashInParts("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HashInParts("abc", 3),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HashInParts("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, PartsMakeNoDifference) {
  const std::string text(1000, 'a');
  const std::string whole = HashInParts(text, text.size());
  for (const std::size_t part : {1, 7, 63, 64, 65, 999}) EXPECT_EQ(HashInParts(text, part), whole);
}

}  // namespace
}  // namespace sealbook::crypto
