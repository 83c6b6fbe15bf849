#include "vault/crypto/age_range_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/vault/crypto/age_support.h"
#include "vault/crypto/age_file.h"

namespace sealbook::crypto {
namespace {

constexpr std::size_t kMiB = 1 << 20;

struct Counter {
  std::size_t reads = 0, bytes = 0;
  std::size_t fail_at = SIZE_MAX, piece = SIZE_MAX;
};
RandomAccess AccessTo(ByteView file, Counter* counter = nullptr) {
  return {.size = file.size(),
          .read_at = [=](std::uint64_t offset,
                         std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
            if (counter != nullptr && counter->reads >= counter->fail_at) {
              return absl::UnavailableError("the source fails");
            }
            std::size_t size =
                offset > file.size() ? 0 : std::min(out.size(), file.size() - std::size_t{offset});
            if (counter != nullptr) {
              size = std::min(size, counter->piece);
              ++counter->reads;
              counter->bytes += size;
            }
            std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
            return size;
          }};
}

class AgeRangeReaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(PrepareProcess().ok()); }

  Bytes Encrypt(ByteView plaintext, const AgeWriterOptions& options = {.threads = 1}) {
    const ExchangePublic recipient = identities_[0].public_key();
    return *WriteAge({&recipient, 1}, plaintext, options);
  }
  absl::StatusOr<std::unique_ptr<AgeRangeReader>> Open(ByteView file, Counter* counter = nullptr) {
    return AgeRangeReader::Open(AccessTo(file, counter), {.identities = identities_, .check = {}});
  }
  absl::StatusOr<Bytes> ReadAll(ByteView file) {
    ASSIGN_OR_RETURN(const auto reader, Open(file));
    Bytes out(static_cast<std::size_t>(reader->size()));
    RETURN_IF_ERROR(reader->Read(0, out));
    return out;
  }

  std::vector<ExchangePair> identities_ = OneIdentity();
};

TEST_F(AgeRangeReaderTest, AnyPartIsThatOfTheWhole) {
  std::mt19937 dice(1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kAgeChunk - 1, kAgeChunk,
                                 kAgeChunk + 1, 2 * kAgeChunk, 3 * kMiB + 5}) {
    const Bytes plaintext = AgePattern(size);
    const Bytes file = Encrypt(plaintext);
    const auto reader = Open(file);
    ASSERT_TRUE(reader.ok()) << size << reader.status();
    EXPECT_EQ((*reader)->size(), size);
    EXPECT_EQ(*ReadAll(file), plaintext);
    for (int i = 0; i < 60; ++i) {
      const std::size_t at = dice() % (size + 1);
      const std::size_t most = size - at;
      Bytes out(i % 3 == 0 ? std::min<std::size_t>(most, 40) : dice() % (most + 1));
      ASSERT_TRUE((*reader)->Read(at, out).ok());
      ASSERT_TRUE(
          std::equal(out.begin(), out.end(), plaintext.begin() + static_cast<std::ptrdiff_t>(at)))
          << size << " from " << at << ", " << out.size();
    }
  }
}

TEST_F(AgeRangeReaderTest, BehindTheEndIsOutOfRange) {
  const auto reader = *Open(Encrypt(AgePattern(100)));
  Bytes out(1);
  EXPECT_TRUE(absl::IsOutOfRange(reader->Read(100, out)));
  EXPECT_TRUE(absl::IsOutOfRange(reader->Read(UINT64_MAX, out)));
  out.resize(101);
  EXPECT_TRUE(absl::IsOutOfRange(reader->Read(0, out)));
  EXPECT_TRUE(reader->Read(100, std::span<std::uint8_t>()).ok());
}

TEST_F(AgeRangeReaderTest, ReadsTheChunksThatAreNeededAndEachOnce) {
  const Bytes file = Encrypt(AgePattern(20 * kAgeChunk + 100));
  Counter counter;
  const auto reader = *Open(file, &counter);
  EXPECT_EQ(counter.reads, 2u) << "the header and the last chunk";
  Bytes out(10);
  counter = {};
  for (std::size_t at = 5 * kAgeChunk; at < 6 * kAgeChunk; at += 1000) {
    ASSERT_TRUE(reader->Read(at, out).ok());
  }
  EXPECT_EQ(counter.reads, 1u + 0u);
  EXPECT_EQ(counter.bytes, AgeRangeReader::kBlockBytes);
  counter = {};
  out.resize(8 * kAgeChunk);
  ASSERT_TRUE(reader->Read(7 * kAgeChunk, out).ok());
  EXPECT_EQ(counter.reads, 1u) << "many at once";
  EXPECT_EQ(counter.bytes, 8 * AgeRangeReader::kBlockBytes);
}

TEST_F(AgeRangeReaderTest, EveryChangedByteOfASmallFileIsNoticed) {
  const Bytes file = Encrypt(AgePattern(300));
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= 1;
    EXPECT_FALSE(ReadAll(changed).ok()) << at;
  }
}

TEST_F(AgeRangeReaderTest, ACutFileIsNoticedBeforeAnythingIsRead) {
  const Bytes file = Encrypt(AgePattern(2 * kAgeChunk + 50));
  for (std::size_t size = 0; size < file.size(); size += size < 400 ? 1 : 997) {
    const absl::Status status = Open(ByteView(file).first(size)).status();
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status)) << size << status;
  }
  // At a chunk's very end, and with a chunk that is empty.
  const std::size_t header = file.size() - (2 * kAgeChunk + 50 + 3 * kAgeTag);
  for (const std::size_t chunks : {1, 2}) {
    const std::size_t size = header + chunks * AgeRangeReader::kBlockBytes;
    EXPECT_TRUE(absl::IsDataLoss(Open(ByteView(file).first(size)).status()));
    EXPECT_TRUE(absl::IsDataLoss(Open(ByteView(file).first(size + kAgeTag)).status()));
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_TRUE(absl::IsDataLoss(Open(longer).status()));
}

TEST_F(AgeRangeReaderTest, SwappedChunksDoNotOpen) {
  const Bytes file = Encrypt(AgePattern(3 * kAgeChunk + 50));
  const std::size_t header = file.size() - (3 * kAgeChunk + 50 + 4 * kAgeTag);
  Bytes swapped = file;
  const auto at = [&](std::size_t chunk) {
    return swapped.begin() +
           static_cast<std::ptrdiff_t>(header + chunk * AgeRangeReader::kBlockBytes);
  };
  std::swap_ranges(at(0), at(1), at(1));
  const auto reader = *Open(swapped);
  Bytes out(10);
  EXPECT_TRUE(absl::IsDataLoss(reader->Read(0, out)));
  EXPECT_TRUE(absl::IsDataLoss(reader->Read(kAgeChunk, out)));
  EXPECT_TRUE(reader->Read(2 * kAgeChunk, out).ok()) << "what was not touched is read";
}

TEST_F(AgeRangeReaderTest, OtherFilesAreNone) {
  EXPECT_TRUE(absl::IsInvalidArgument(Open({}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open(Bytes(100'000)).status()));
  const Bytes armored = Encrypt(AgePattern(100), {.armor = true, .threads = 1});
  EXPECT_TRUE(absl::IsInvalidArgument(Open(armored).status()));
  Bytes blanks = Encrypt(AgePattern(100));
  blanks.insert(blanks.begin(), '\n');
  EXPECT_TRUE(absl::IsInvalidArgument(Open(blanks).status()));
  const auto others = OneIdentity();
  EXPECT_TRUE(absl::IsUnauthenticated(
      AgeRangeReader::Open(AccessTo(Encrypt(AgePattern(9))), {.identities = others, .check = {}})
          .status()));
  // A passphrase's: nobody is asked, and nothing is derived.
  MemorySink sink;
  const auto writer = *AgeWriter::ForPassphrase(sink, SecretBytes::CopyOf(AsBytes("open")),
                                                {.threads = 1}, kInsecureTestWorkFactor);
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Open(sink.bytes).status()));
}

TEST_F(AgeRangeReaderTest, ManyRecipientsMakeALongHeader) {
  std::vector<ExchangePublic> recipients;
  for (int i = 0; i < 19; ++i) recipients.push_back(ExchangePair::Generate().public_key());
  recipients.push_back(identities_[0].public_key());
  const Bytes plaintext = AgePattern(70'000);
  EXPECT_EQ(*ReadAll(*WriteAge(recipients, plaintext, {.threads = 1})), plaintext);
}

TEST_F(AgeRangeReaderTest, EachBlockIsAskedAboutBeforeItIsUsed) {
  const Bytes file = Encrypt(AgePattern(2 * kAgeChunk + 50));
  const std::size_t header = file.size() - (2 * kAgeChunk + 50 + 3 * kAgeTag);
  std::vector<std::uint64_t> asked;
  std::uint64_t refused = UINT64_MAX;
  const auto check = [&](std::uint64_t number, ByteView block) -> absl::Status {
    asked.push_back(number);
    const std::size_t at = number == 0 ? 0 : header + (number - 1) * AgeRangeReader::kBlockBytes;
    const std::size_t size = number == 0   ? header
                             : number == 3 ? 50 + kAgeTag
                                           : AgeRangeReader::kBlockBytes;
    EXPECT_TRUE(std::ranges::equal(block, ByteView(file).subspan(at, size))) << number;
    return number == refused ? absl::DataLossError("not that one") : absl::OkStatus();
  };
  const auto reader =
      *AgeRangeReader::Open(AccessTo(file), {.identities = identities_, .check = check});
  EXPECT_THAT(asked, ::testing::ElementsAre(0, 3));
  Bytes out(100);
  ASSERT_TRUE(reader->Read(kAgeChunk, out).ok());
  EXPECT_THAT(asked, ::testing::ElementsAre(0, 3, 2));
  refused = 1;
  EXPECT_TRUE(absl::IsDataLoss(reader->Read(0, out)));
  for (const std::uint64_t number : {0, 3}) {
    refused = number;
    EXPECT_TRUE(absl::IsDataLoss(
        AgeRangeReader::Open(AccessTo(file), {.identities = identities_, .check = check})
            .status()));
  }
}

TEST_F(AgeRangeReaderTest, SourcesMayGiveLittleAndFail) {
  const Bytes plaintext = AgePattern(kAgeChunk + 50);
  const Bytes file = Encrypt(plaintext);
  Counter counter{.piece = 777};
  const auto reader = *Open(file, &counter);
  Bytes out(plaintext.size());
  ASSERT_TRUE(reader->Read(0, out).ok());
  EXPECT_EQ(out, plaintext);
  counter = {.fail_at = 0};
  EXPECT_TRUE(absl::IsUnavailable(reader->Read(0, out)));
  for (std::size_t fail_at = 0; fail_at < 2; ++fail_at) {
    counter = {.fail_at = fail_at};
    EXPECT_TRUE(absl::IsUnavailable(Open(file, &counter).status()));
  }
  // Shorter than it said.
  RandomAccess lying = AccessTo(file);
  lying.size += 10;
  EXPECT_TRUE(absl::IsDataLoss(
      AgeRangeReader::Open(lying, {.identities = identities_, .check = {}}).status()));
}

TEST(AgeIdentitiesTest, AFileMayHoldSeveral) {
  ASSERT_TRUE(PrepareProcess().ok());
  const auto a = ExchangePair::Generate(), b = ExchangePair::Generate();
  const std::string first(FormatAgeIdentity(a).ExposeText()),
      second(FormatAgeIdentity(b).ExposeText());
  const auto parse = [](absl::string_view text) {
    return ParseAgeIdentities(SecretBytes::CopyOf(AsBytes(text)));
  };
  const auto both = parse("# created: today\n# public key: …\n" + first + "\r\n\n" + second);
  ASSERT_TRUE(both.ok()) << both.status();
  ASSERT_EQ(both->size(), 2u);
  EXPECT_EQ((*both)[0].public_key(), a.public_key());
  EXPECT_EQ((*both)[1].public_key(), b.public_key());
  for (const std::string& text :
       {std::string(), std::string("# nothing\n"), first + "\nand more\n", " " + first,
        first.substr(1), FormatAgeRecipient(a.public_key())}) {
    const absl::Status status = parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("SECRET")));
  }
  std::string many;
  for (std::size_t i = 0; i <= kMaxAgeIdentities; ++i) many += first + "\n";
  EXPECT_TRUE(absl::IsInvalidArgument(parse(many).status()));
}

}  // namespace
}  // namespace sealbook::crypto
