#include "vault/crypto/age_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/vault/crypto/age_support.h"

namespace sealbook::crypto {
namespace {

constexpr std::size_t kMeg = 1 << 20;
// Around chunks, around batches of 1 MiB, and more batches than are under way at once.
constexpr std::size_t kSizes[] = {
    0,        1,    47,       48,       65535,        65536,        65537,
    kMeg - 1, kMeg, kMeg + 1, 2 * kMeg, 9 * kMeg - 1, 20 * kMeg + 3};

class AgeWriterTest : public testing::Test {
 protected:
  AgeOutcome Read(ByteView file, int threads = 1) {
    return ReadAge(SourceOf(file), {.identities = identities_, .threads = threads});
  }
  const std::vector<ExchangePair> identities_ = OneIdentity();
  const std::vector<ExchangePublic> recipients_ = {identities_[0].public_key()};
};

TEST_F(AgeWriterTest, EverySizeMakesTheRoundTrip) {
  for (const std::size_t size : kSizes) {
    const Bytes plaintext = AgePattern(size);
    for (const int threads : {1, 2}) {
      for (const bool armor : {false, true}) {
        const absl::StatusOr<Bytes> file =
            WriteAge(recipients_, plaintext, {.armor = armor, .threads = threads});
        ASSERT_TRUE(file.ok()) << file.status();
        const AgeOutcome outcome = Read(*file, threads);
        EXPECT_TRUE(outcome.status.ok()) << outcome.status << " at " << size;
        EXPECT_TRUE(outcome.released == plaintext) << size << ", " << threads << ", " << armor;
      }
    }
  }
}

TEST_F(AgeWriterTest, PiecesOfTheCallerDoNotMatter) {
  const Bytes plaintext = AgePattern(3 * kAgeChunk + 11);
  for (const std::size_t piece : {1000UL, 65535UL, 65536UL, 65537UL}) {
    const Bytes file = WriteAge(recipients_, plaintext, {}, piece).value();
    for (const std::size_t read : {1UL, 65535UL, 65537UL, kMeg}) {
      const AgeOutcome outcome = ReadAge(SourceOf(file, 999), {.identities = identities_}, read);
      EXPECT_TRUE(outcome.status.ok() && outcome.released == plaintext) << piece << ", " << read;
    }
  }
}

TEST_F(AgeWriterTest, ArmorIsLinesOf64Characters) {
  // Sizes that end within a line, at its end, and with each padding.
  for (std::size_t size = 0; size < 50; ++size) {
    const Bytes file = WriteAge(recipients_, AgePattern(size), {.armor = true}).value();
    const std::string text(AsText(file));
    EXPECT_THAT(text, testing::StartsWith("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    EXPECT_THAT(text, testing::EndsWith("\n-----END AGE ENCRYPTED FILE-----\n"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("\n\n")));
    const std::size_t body = 35, second = text.find('\n', body);
    EXPECT_EQ(second - body, 64U);
    EXPECT_TRUE(Read(file).released == AgePattern(size)) << size;
  }
}

TEST_F(AgeWriterTest, HeaderApartStandsInFrontOfWhatTheSinkGot) {
  const Bytes plaintext = AgePattern(kAgeChunk + 5);
  MemorySink sink;
  auto writer = AgeWriter::ForRecipients(sink, recipients_, {.header_apart = true}).value();
  const Bytes header(writer->header().begin(), writer->header().end());
  ASSERT_TRUE(writer->Append(plaintext).ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->header().size(), header.size());
  EXPECT_EQ(sink.bytes.size(), plaintext.size() + 2 * kAgeTag);
  // Without the header it is nothing to anybody.
  EXPECT_EQ(Read(sink.bytes).status.code(), absl::StatusCode::kInvalidArgument);
  Bytes file = header;
  file.insert(file.end(), sink.bytes.begin(), sink.bytes.end());
  EXPECT_TRUE(Read(file).released == plaintext);
  // The nonce belongs to it: with another one nothing opens.
  file[header.size() - 1] ^= 1;
  const AgeOutcome other = Read(file);
  EXPECT_EQ(other.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(other.released.empty());
}

TEST_F(AgeWriterTest, HeaderIsWhatTheFileBeginsWith) {
  MemorySink sink;
  auto writer = AgeWriter::ForRecipients(sink, recipients_, {}).value();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(std::equal(writer->header().begin(), writer->header().end(), sink.bytes.begin()));
  EXPECT_EQ(sink.bytes.size(), writer->header().size() + kAgeTag);
}

TEST_F(AgeWriterTest, ArmorWithTheHeaderApartIsInvalidArgument) {
  MemorySink sink;
  EXPECT_EQ(AgeWriter::ForRecipients(sink, recipients_, {.armor = true, .header_apart = true})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(AgeWriterTest, UnfinishedFileIsDataLoss) {
  for (const std::size_t size : {0UL, 1UL, kAgeChunk, 3 * kMeg, 12 * kMeg + 7}) {
    for (const int threads : {1, 2}) {
      MemorySink sink;
      {
        auto writer = AgeWriter::ForRecipients(sink, recipients_, {.threads = threads}).value();
        ASSERT_TRUE(writer->Append(AgePattern(size)).ok());
      }
      const AgeOutcome outcome = Read(sink.bytes);
      EXPECT_EQ(outcome.status.code(), absl::StatusCode::kDataLoss) << size;
      EXPECT_EQ(outcome.released.size() % kMeg, 0U);
    }
  }
}

TEST_F(AgeWriterTest, SinkErrorSticks) {
  for (const int threads : {1, 2}) {
    for (const bool armor : {false, true}) {
      MemorySink sink;
      sink.room = 5 * kMeg / 2;
      auto writer =
          AgeWriter::ForRecipients(sink, recipients_, {.armor = armor, .threads = threads}).value();
      const Bytes piece = AgePattern(kMeg / 3);
      absl::Status status;
      for (int i = 0; i < 60 && status.ok(); ++i) status = writer->Append(piece);
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
      sink.room = SIZE_MAX;
      const std::size_t written = sink.bytes.size();
      EXPECT_EQ(writer->Append(piece).code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(sink.bytes.size(), written);
    }
  }
}

TEST_F(AgeWriterTest, SinkErrorAtTheHeaderAndAtTheEndIsTold) {
  MemorySink sink;
  sink.room = 10;
  EXPECT_EQ(AgeWriter::ForRecipients(sink, recipients_, {}).status().code(),
            absl::StatusCode::kResourceExhausted);
  sink.room = 300;
  auto writer = AgeWriter::ForRecipients(sink, recipients_, {}).value();
  ASSERT_TRUE(writer->Append(AgePattern(1000)).ok());
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(AgeWriterTest, NothingCanBeAppendedOnceFinished) {
  MemorySink sink;
  auto writer = AgeWriter::ForRecipients(sink, recipients_, {}).value();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->Append(AgePattern(1)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(AgePassphraseTest, MakesTheRoundTrip) {
  const SecretBytes passphrase = SecretBytes::CopyOf(AsBytes("열려라 참깨"));
  const SecretBytes wrong = SecretBytes::CopyOf(AsBytes("another"));
  const SecretBytes empty;
  const std::vector<ExchangePair> identities = OneIdentity();
  MemorySink sink;
  auto writer =
      AgeWriter::ForPassphrase(sink, passphrase, {.armor = true}, kInsecureTestWorkFactor).value();
  ASSERT_TRUE(writer->Append(AgePattern(100)).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const auto code = [&](const AgeReaderOptions& options) {
    return ReadAge(SourceOf(sink.bytes), options).status.code();
  };
  EXPECT_TRUE(ReadAge(SourceOf(sink.bytes), {.identities = identities, .passphrase = &passphrase})
                  .released == AgePattern(100));
  EXPECT_EQ(code({.passphrase = &wrong}), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(code({.passphrase = &empty}), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(code({.identities = identities}), absl::StatusCode::kUnauthenticated);
  // A limit below the file's factor costs nothing: it is refused before scrypt runs.
  EXPECT_EQ(code({.passphrase = &passphrase, .max_work_factor = kInsecureTestWorkFactor - 1}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.passphrase = &passphrase, .max_work_factor = 0}),
            absl::StatusCode::kInvalidArgument);
}

TEST(AgePassphraseTest, EmptyOrWithAFactorOutOfBoundsIsInvalidArgument) {
  const SecretBytes passphrase = SecretBytes::CopyOf(AsBytes("one"));
  MemorySink sink;
  for (const int factor : {-1, 0, AgeWriter::kMaxWorkFactor + 1, 64}) {
    EXPECT_EQ(AgeWriter::ForPassphrase(sink, passphrase, {}, factor).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(AgeWriter::ForPassphrase(sink, SecretBytes(), {}, 1).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(sink.bytes.empty());
}

}  // namespace
}  // namespace sealbook::crypto
