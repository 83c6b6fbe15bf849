// The test vectors of age (C2SP/CCTV, age/README.md): one file, one failure, one expectation. They
// are not part of this repository; SEALBOOK_AGE_VECTORS in the environment names their folder, and
// `../shared/vectors/age` beside the sources is looked for otherwise.
#include <gtest/gtest.h>
#include <sodium.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/vault/crypto/age_support.h"
#include "vault/crypto/age_file.h"

namespace sealbook::crypto {
namespace {

struct Vector {
  bool known = true;  // all its keys
  std::string expect, payload;
  std::vector<ExchangePair> identities;
  std::vector<SecretBytes> passphrases;
  Bytes file;
};

Bytes Inflate(ByteView compressed) {
  Bytes out(32 << 20);
  uLongf size = out.size();
  EXPECT_EQ(uncompress(out.data(), &size, compressed.data(), compressed.size()), Z_OK);
  out.resize(size);
  return out;
}

Vector ReadVector(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Vector vector;
  bool compressed = false;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(": ");
    const std::string key = line.substr(0, colon), value = line.substr(colon + 2);
    if (key == "expect") {
      vector.expect = value;
    } else if (key == "payload") {
      vector.payload = value;
    } else if (key == "identity" && absl::StartsWith(value, "AGE-SECRET-KEY-1")) {
      vector.identities.push_back(ParseAgeIdentity(value).value());
    } else if (key == "passphrase") {
      vector.passphrases.push_back(SecretBytes::CopyOf(AsBytes(value)));
    } else if (key == "compressed" && value == "zlib") {
      compressed = true;
    } else if (key != "armored" && key != "comment" && key != "file key") {
      vector.known = false;
    }
  }
  vector.file.assign(std::istreambuf_iterator<char>(file), {});
  if (compressed) vector.file = Inflate(vector.file);
  return vector;
}

std::string Sha256(ByteView bytes) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), bytes.data(), bytes.size());
  return ToHex(hash);
}

void ExpectAsTheVectorSays(const Vector& vector, const AgeOutcome& outcome) {
  const absl::StatusCode code = outcome.status.code();
  if (vector.expect == "success") {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(Sha256(outcome.released), vector.payload);
  } else if (vector.expect == "payload failure") {
    EXPECT_TRUE(outcome.opened) << outcome.status;
    EXPECT_EQ(code, absl::StatusCode::kDataLoss) << outcome.status;
    EXPECT_EQ(Sha256(outcome.released), vector.payload);
  } else {
    EXPECT_TRUE(outcome.released.empty());
    if (vector.expect == "armor failure") {
      EXPECT_EQ(code, absl::StatusCode::kInvalidArgument) << outcome.status;
      return;
    }
    EXPECT_FALSE(outcome.opened);
    if (vector.expect == "header failure") {
      EXPECT_EQ(code, absl::StatusCode::kInvalidArgument) << outcome.status;
    } else if (vector.expect == "no match") {
      EXPECT_EQ(code, absl::StatusCode::kUnauthenticated) << outcome.status;
    } else if (vector.expect == "HMAC failure") {
      EXPECT_EQ(code, absl::StatusCode::kDataLoss) << outcome.status;
    } else {
      ADD_FAILURE() << "an expectation that this test does not know: " << vector.expect;
    }
  }
}

TEST(AgeVectorsTest, EveryVectorHasItsOutcome) {
  const char* named = std::getenv("SEALBOOK_AGE_VECTORS");
  const std::filesystem::path folder =
      named != nullptr ? named : SEALBOOK_SOURCE_DIR "/../shared/vectors/age";
  if (!std::filesystem::is_directory(folder)) {
    ASSERT_EQ(named, nullptr) << "SEALBOOK_AGE_VECTORS names no folder";
    GTEST_SKIP() << "the test vectors of age are not here; SEALBOOK_AGE_VECTORS names their folder";
  }
  int run = 0, passed_over = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    SCOPED_TRACE(name);
    // Post-quantum recipients are no part of what is read.
    if (absl::StartsWith(name, "hybrid") || absl::StartsWith(name, "armor_hybrid")) continue;
    const Vector vector = ReadVector(entry.path());
    if (!vector.known) {
      ++passed_over;
      continue;
    }
    ++run;
    for (const int threads : {1, 2}) {
      const AgeReaderOptions options{
          .identities = vector.identities,
          .passphrase = vector.passphrases.empty() ? nullptr : &vector.passphrases.front(),
          .threads = threads};
      ExpectAsTheVectorSays(vector, ReadAge(SourceOf(vector.file), options));
      // In small pieces on both sides.
      ExpectAsTheVectorSays(vector, ReadAge(SourceOf(vector.file, 13), options, 4099));
    }
  }
  EXPECT_GE(run, 100);
  RecordProperty("run", run);
  std::printf("%d vectors, %d passed over for keys that are not known\n", run, passed_over);
}

}  // namespace
}  // namespace sealbook::crypto
