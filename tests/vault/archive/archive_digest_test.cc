#include "vault/archive/archive_digest.h"

#include "tests/vault/archive/archive_fixture.h"
#include "vault/crypto/age_range_reader.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::BytesSink;

constexpr std::size_t kBlock = crypto::AgeRangeReader::kBlockBytes;

Bytes Pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 65536);
  return bytes;
}

ArchiveDigest DigestOf(ByteView bytes, std::size_t header, std::size_t piece) {
  BytesSink out;
  DigestSink sink(out);
  const Bytes all(bytes.begin(), bytes.end());
  EXPECT_TRUE(sink.Append(bytes.first(header)).ok());
  sink.EndHeader();
  for (ByteView rest = bytes.subspan(header); !rest.empty();) {
    const std::size_t size = std::min(piece, rest.size());
    EXPECT_TRUE(sink.Append(rest.first(size)).ok());
    rest = rest.subspan(size);
  }
  EXPECT_EQ(out.bytes, all) << "what comes out is what goes in";
  return sink.Finish();
}

TEST(DigestSinkTest, BlocksAreThoseOfTheFileHoweverItComes) {
  for (const std::size_t payload :
       {std::size_t{16}, kBlock - 1, kBlock, kBlock + 17, 3 * kBlock, 3 * kBlock + 100}) {
    const Bytes bytes = Pattern(200 + payload);
    const ArchiveDigest whole = DigestOf(bytes, 200, SIZE_MAX);
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, kBlock, kBlock + 1}) {
      EXPECT_EQ(DigestOf(bytes, 200, piece), whole) << payload << " in pieces of " << piece;
    }
    EXPECT_EQ(whole.size, bytes.size());
    EXPECT_EQ(whole.header_bytes, 200u);
    crypto::Sha256 sha256;
    sha256.Update(bytes);
    EXPECT_EQ(whole.sha256, sha256.Finish());
    ASSERT_EQ(whole.blocks.size(), 1 + (payload + kBlock - 1) / kBlock);
    EXPECT_EQ(whole.blocks[0],
              crypto::HashOf("sealbook/archive-block/1", {Bytes(8), ByteView(bytes).first(200)}));
    EXPECT_EQ(whole.blocks[1],
              crypto::HashOf("sealbook/archive-block/1",
                             {Bytes{0, 0, 0, 0, 0, 0, 0, 1},
                              ByteView(bytes).subspan(200, std::min(payload, kBlock))}));
  }
}

TEST(DigestSinkTest, TheHashOfTheFileCoversSizesAndBlocks) {
  const ArchiveDigest digest = DigestOf(Pattern(200 + 2 * kBlock), 200, SIZE_MAX);
  ArchiveDigest other = digest;
  EXPECT_EQ(other.Hash(), digest.Hash());
  ++other.size;
  EXPECT_NE(other.Hash(), digest.Hash());
  other = digest;
  ++other.header_bytes;
  EXPECT_NE(other.Hash(), digest.Hash());
  other = digest;
  std::swap(other.blocks[1], other.blocks[2]);
  EXPECT_NE(other.Hash(), digest.Hash());
  other = digest;
  other.blocks.pop_back();
  EXPECT_NE(other.Hash(), digest.Hash());
}

TEST(DigestSinkTest, ErrorsBehindItComeThrough) {
  BytesSink out;
  out.room = 100;
  DigestSink sink(out);
  EXPECT_TRUE(sink.Append(Pattern(100)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(sink.Append(Pattern(1))));
}

absl::Status Check(const ArchiveDigest& expected, ByteView bytes, std::size_t piece) {
  ArchiveChecker checker(expected);
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    RETURN_IF_ERROR(checker.Append(bytes.first(size)));
    bytes = bytes.subspan(size);
  }
  RETURN_IF_ERROR(checker.Finish());
  return checker.checked_bytes() == expected.size ? absl::OkStatus()
                                                  : absl::InternalError("not all was checked");
}

TEST(ArchiveCheckerTest, TakesTheFileAndNoOther) {
  const Bytes bytes = Pattern(200 + kBlock + 300);
  const ArchiveDigest digest = DigestOf(bytes, 200, SIZE_MAX);
  for (const std::size_t piece : {std::size_t{777}, std::size_t{32768}, bytes.size()}) {
    EXPECT_TRUE(Check(digest, bytes, piece).ok()) << piece;
    // Cut anywhere near an edge, or with something behind it.
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{199}, std::size_t{200}, std::size_t{201},
          200 + kBlock - 1, 200 + kBlock, 200 + kBlock + 1, bytes.size() - 1}) {
      EXPECT_TRUE(absl::IsDataLoss(Check(digest, ByteView(bytes).first(size), piece))) << size;
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_TRUE(absl::IsDataLoss(Check(digest, longer, piece)));
    longer.resize(bytes.size() + kBlock);
    EXPECT_TRUE(absl::IsDataLoss(Check(digest, longer, piece)));
  }
  for (std::size_t at = 0; at < bytes.size(); at += at < 300 || at > 65'700 ? 7 : 4999) {
    Bytes changed = bytes;
    changed[at] ^= 1;
    EXPECT_TRUE(absl::IsDataLoss(Check(digest, changed, 20'000))) << at;
  }
}

TEST(ArchiveCheckerTest, AnErrorSticks) {
  const Bytes bytes = Pattern(1000);
  const ArchiveDigest digest = DigestOf(bytes, 200, SIZE_MAX);
  ArchiveChecker checker(digest);
  EXPECT_TRUE(absl::IsDataLoss(checker.Append(Bytes(200))));
  EXPECT_TRUE(absl::IsDataLoss(checker.Append(bytes)));
  EXPECT_TRUE(absl::IsDataLoss(checker.Finish()));
}

}  // namespace
}  // namespace sealbook::archive
