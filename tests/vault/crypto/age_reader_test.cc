#include "vault/crypto/age_reader.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/vault/crypto/age_support.h"

namespace sealbook::crypto {
namespace {

constexpr std::size_t kSealedChunk = kAgeChunk + kAgeTag;

class AgeReaderTest : public testing::Test {
 protected:
  AgeReaderTest() {
    MemorySink sink;
    auto writer = AgeWriter::ForRecipients(sink, recipients_, {.threads = 1}).value();
    EXPECT_TRUE(writer->Append(plaintext_).ok());
    EXPECT_TRUE(writer->Finish().ok());
    file_ = std::move(sink.bytes);
    payload_at_ = writer->header().size();
  }
  AgeOutcome Read(ByteView file, int threads = 1) const {
    return ReadAge(SourceOf(file), {.identities = identities_, .threads = threads});
  }
  // Says that a damaged file is an error of `code`, and that what was released are whole chunks
  // that the true file begins with: at most `chunks`.
  void ExpectDamaged(ByteView file, absl::StatusCode code, std::size_t chunks,
                     const std::string& what) const {
    for (const int threads : {1, 2}) {
      const AgeOutcome outcome = Read(file, threads);
      EXPECT_EQ(outcome.status.code(), code) << what << ": " << outcome.status;
      EXPECT_EQ(outcome.released.size(), std::min(chunks * kAgeChunk, plaintext_.size())) << what;
      EXPECT_TRUE(std::equal(outcome.released.begin(), outcome.released.end(), plaintext_.begin()))
          << what;
    }
  }
  // Where a chunk begins in the file.
  std::ptrdiff_t ChunkAt(std::size_t number) const {
    return static_cast<std::ptrdiff_t>(payload_at_ + number * kSealedChunk);
  }

  const std::vector<ExchangePair> identities_ = OneIdentity();
  const std::vector<ExchangePublic> recipients_ = {ExchangePair::Generate().public_key(),
                                                   identities_[0].public_key()};
  // Two batches and a half: three whole chunks of the third, and some bytes.
  const std::size_t chunks_ = 36;
  const Bytes plaintext_ = AgePattern(35 * kAgeChunk + 100);
  Bytes file_;
  std::size_t payload_at_ = 0;
};

TEST_F(AgeReaderTest, WholeFileIsRead) {
  const AgeOutcome outcome = Read(file_);
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_TRUE(outcome.released == plaintext_);
}

TEST_F(AgeReaderTest, NoByteOfTheHeaderMayChange) {
  for (std::size_t at = 0; at < payload_at_; ++at) {
    for (const std::uint8_t change : {0x01, 0x20, 0x80}) {
      Bytes file = file_;
      file[at] ^= change;
      const AgeOutcome outcome = Read(file);
      EXPECT_FALSE(outcome.status.ok()) << at;
      EXPECT_TRUE(outcome.released.empty()) << at;
      // The nonce is the first thing that the MAC does not cover: the chunks do.
      EXPECT_EQ(outcome.opened, at >= payload_at_ - 16) << at;
    }
  }
}

TEST_F(AgeReaderTest, NoChunkMayChange) {
  for (const std::size_t chunk : {0U, 1U, 15U, 16U, 17U, 34U, 35U}) {
    const std::size_t size = chunk == 35 ? 100 + kAgeTag : kSealedChunk;
    for (const std::size_t at : {std::size_t{0}, size / 2, size - kAgeTag, size - 1}) {
      Bytes file = file_;
      file[static_cast<std::size_t>(ChunkAt(chunk)) + at] ^= 1;
      ExpectDamaged(file, absl::StatusCode::kDataLoss, chunk, absl::StrCat(chunk, ", ", at));
    }
  }
}

TEST_F(AgeReaderTest, CutHeaderIsInvalidArgument) {
  for (std::size_t size = 0; size < payload_at_; ++size) {
    const AgeOutcome outcome = Read(ByteView(file_).first(size));
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kInvalidArgument) << size;
    EXPECT_FALSE(outcome.opened);
  }
}

TEST_F(AgeReaderTest, CutPayloadIsDataLoss) {
  for (const std::size_t chunk : {0U, 1U, 15U, 16U, 32U, 35U}) {
    for (const std::size_t more : {0U, 1U, 15U, 16U, 17U, 100U}) {
      const std::size_t size = static_cast<std::size_t>(ChunkAt(chunk)) + more;
      if (size >= file_.size()) continue;
      ExpectDamaged(ByteView(file_).first(size), absl::StatusCode::kDataLoss, chunk,
                    absl::StrCat(chunk, " and ", more));
    }
  }
}

TEST_F(AgeReaderTest, SomethingBehindTheEndIsDataLoss) {
  for (const std::size_t more : {1U, 16U, 100U, 70000U}) {
    Bytes file = file_;
    file.resize(file.size() + more);
    ExpectDamaged(file, absl::StatusCode::kDataLoss, 35, absl::StrCat(more));
  }
  Bytes twice = file_;
  twice.insert(twice.end(), file_.begin(), file_.end());
  ExpectDamaged(twice, absl::StatusCode::kDataLoss, 35, "twice");
}

TEST_F(AgeReaderTest, FullLastChunkWithSomethingBehindItIsDataLoss) {
  const Bytes plaintext = AgePattern(16 * kAgeChunk);
  for (const std::size_t more : {1U, 16U, 65552U}) {
    Bytes file = WriteAge(recipients_, plaintext, {}).value();
    file.resize(file.size() + more);
    const AgeOutcome outcome = Read(file);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(outcome.released == plaintext);  // each chunk authentic
  }
}

TEST_F(AgeReaderTest, ChunksThatAreMovedAreDataLoss) {
  Bytes swapped = file_;
  std::swap_ranges(swapped.begin() + ChunkAt(3), swapped.begin() + ChunkAt(4),
                   swapped.begin() + ChunkAt(20));
  ExpectDamaged(swapped, absl::StatusCode::kDataLoss, 3, "swapped");
  Bytes dropped = file_;
  dropped.erase(dropped.begin() + ChunkAt(16), dropped.begin() + ChunkAt(17));
  ExpectDamaged(dropped, absl::StatusCode::kDataLoss, 16, "dropped");
  Bytes doubled = file_;
  doubled.insert(doubled.begin() + ChunkAt(2), file_.begin() + ChunkAt(1),
                 file_.begin() + ChunkAt(2));
  ExpectDamaged(doubled, absl::StatusCode::kDataLoss, 2, "doubled");
}

TEST_F(AgeReaderTest, ChunksOfAnotherFileAreDataLoss) {
  const Bytes other = WriteAge(recipients_, plaintext_, {}).value();
  Bytes mixed = file_;
  std::copy(other.begin() + ChunkAt(5), other.begin() + ChunkAt(6), mixed.begin() + ChunkAt(5));
  ExpectDamaged(mixed, absl::StatusCode::kDataLoss, 5, "mixed");
}

TEST_F(AgeReaderTest, ErrorsStick) {
  Bytes file = file_;
  file[static_cast<std::size_t>(ChunkAt(1))] ^= 1;
  auto reader = AgeReader::Open(SourceOf(file), {.identities = identities_}).value();
  Bytes buffer(100000);
  ASSERT_TRUE(reader->Read(buffer).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader->Read(buffer).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(AgeReaderTest, EndStays) {
  auto reader = AgeReader::Open(SourceOf(file_), {.identities = identities_}).value();
  MemorySink sink;
  ASSERT_TRUE(reader->CopyTo(sink).ok());
  std::array<std::uint8_t, 10> buffer;
  EXPECT_EQ(reader->Read(buffer).value(), 0U);
  EXPECT_EQ(reader->Read(buffer).value(), 0U);
}

TEST_F(AgeReaderTest, ErrorsOfSourceAndSinkAreTheirs) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{10}, payload_at_, file_.size()}) {
    for (const int threads : {1, 2}) {
      EXPECT_EQ(
          ReadAge(SourceOf(file_, SIZE_MAX, at), {.identities = identities_, .threads = threads})
              .status.code(),
          absl::StatusCode::kUnavailable);
    }
  }
  // What came before the error is released.
  EXPECT_EQ(ReadAge(SourceOf(file_, SIZE_MAX, static_cast<std::size_t>(ChunkAt(17))),
                    {.identities = identities_})
                .released.size(),
            16 * kAgeChunk);
  auto reader = AgeReader::Open(SourceOf(file_), {.identities = identities_}).value();
  MemorySink full;
  full.room = kAgeChunk;
  EXPECT_EQ(reader->CopyTo(full).code(), absl::StatusCode::kResourceExhausted);
  full.room = SIZE_MAX;
  EXPECT_EQ(reader->CopyTo(full).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(AgeReaderTest, ReaderMayBeLeftAtAnyTime) {
  for (int i = 0; i < 20; ++i) {
    auto reader = AgeReader::Open(SourceOf(file_), {.identities = identities_}).value();
    std::array<std::uint8_t, 10> buffer;
    if (i % 2 == 0) {
      EXPECT_TRUE(reader->Read(buffer).ok());
    }
  }
}

TEST_F(AgeReaderTest, WithoutItsIdentityItIsUnauthenticated) {
  const std::vector<ExchangePair> others = OneIdentity();
  const SecretBytes passphrase = SecretBytes::CopyOf(AsBytes("open"));
  EXPECT_EQ(ReadAge(SourceOf(file_), {.identities = others}).status.code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReadAge(SourceOf(file_), {.passphrase = &passphrase}).status.code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReadAge(SourceOf(file_), {}).status.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(AgeReaderTest, AnyOfSeveralIdentitiesOpens) {
  std::vector<ExchangePair> several;
  for (int i = 0; i < 3; ++i) several.push_back(ExchangePair::Generate());
  several.push_back(ExchangePair::FromSecret(identities_[0].secret().Duplicate()));
  EXPECT_TRUE(ReadAge(SourceOf(file_), {.identities = several}).released == plaintext_);
}

TEST_F(AgeReaderTest, BoundsOfTheHeaderAreInvalidArgument) {
  const std::string version = "age-encryption.org/v1\n";
  std::string stanzas = version, body = version + "-> grease\n", line = version + "-> ";
  for (std::size_t i = 0; i <= AgeReader::kMaxStanzas; ++i) stanzas += "-> a\n\n";
  stanzas += "--- " + std::string(43, 'A') + "\n" + std::string(100, 'x');
  while (body.size() < 2 * AgeReader::kMaxHeaderBytes) body += std::string(64, 'A') + "\n";
  line += std::string(2 * AgeReader::kMaxHeaderBytes, 'a');
  for (const std::string& text : {stanzas, body, line}) {
    std::size_t asked = 0;
    AgeSource source = SourceOf(AsBytes(text));
    const auto counting = [&](std::span<std::uint8_t> out) {
      asked += out.size();
      return source(out);
    };
    EXPECT_EQ(ReadAge(counting, {.identities = identities_}).status.code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_LE(asked, 2 * AgeReader::kMaxHeaderBytes);
  }
}

TEST_F(AgeReaderTest, WhatIsNoAgeFileIsInvalidArgument) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("PK\3\4"), std::string(5000, ' '),
        std::string(5000, 'x'), std::string("age-encryption.org/v2\n-> X25519 a\n"),
        std::string("-----BEGIN PGP MESSAGE-----\n"), std::string("-")}) {
    EXPECT_EQ(ReadAge(SourceOf(AsBytes(text)), {.identities = identities_}).status.code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(AgeReaderTest, DamagedArmorIsRefused) {
  const Bytes armored = WriteAge(recipients_, AgePattern(1000), {.armor = true}).value();
  const std::string text(AsText(armored));
  const auto read = [&](const std::string& file) { return Read(AsBytes(file)); };
  ASSERT_TRUE(read(text).status.ok());
  EXPECT_TRUE(read("\n \r\n" + absl::StrReplaceAll(text, {{"\n", "\r\n"}}) + " \n\n").status.ok());
  for (const std::string& bad :
       {text + "x", "x" + text, " " + text, text + text, std::string(1100, '\n') + text,
        text + std::string(1100, '\n'), text.substr(0, text.size() - 36),
        text.substr(0, text.size() - 5), absl::StrReplaceAll(text, {{"\n", "\n\n"}}),
        absl::StrReplaceAll(text, {{"\n", " \n"}}), absl::StrReplaceAll(text, {{"END", "BEGIN"}}),
        absl::StrReplaceAll(text, {{"AGE", "PGP"}})}) {
    const AgeOutcome outcome = read(bad);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_TRUE(outcome.released.empty());
  }
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {  // the last line needs no end
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(read(changed).status.ok()) << at;
    EXPECT_FALSE(read(text.substr(0, at)).status.ok()) << at;
  }
}

}  // namespace
}  // namespace sealbook::crypto
