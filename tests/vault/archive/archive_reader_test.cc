#include "vault/archive/archive_reader.h"

#include "tests/vault/archive/archive_fixture.h"
#include "vault/archive/archive_layout.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::AccessTo;
using testing::ArchivedPerson;
using testing::kArchiveDay;
using testing::Messages;
using testing::Person;
using testing::ReadCounter;

class ArchiveReaderTest : public ArchiveTest {
 protected:
  void SetUp() override {
    // Frames stand in another order than the index.
    people_.push_back(Person(3, 2837470195));
    people_.push_back(Person(7, 1000000009));
    people_.push_back(Person(2000, 9000000009));
  }
  std::vector<ArchivedPerson> people_;
};

TEST_F(ArchiveReaderTest, FindsWhoIsThereAndNobodyElse) {
  const auto file = keys_.WriteSmall(people_);
  const auto reader = *Open(file);
  std::vector<std::int64_t> tokens;
  ASSERT_TRUE(reader
                  ->EachContact([&](const ArchiveEntry& entry) -> absl::StatusOr<bool> {
                    tokens.push_back(entry.token);
                    EXPECT_EQ(reader->Find(entry.token).value(), entry);
                    return true;
                  })
                  .ok());
  EXPECT_THAT(tokens, ::testing::ElementsAre(2837470195, 1000000009, 9000000009));
  for (const ArchivedPerson& person : people_) {
    const auto entry = *reader->Find(person.token);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->contact, person.contact);
    EXPECT_EQ(testing::TextsOf(*reader, person)->size(), 5u);
  }
  for (const std::int64_t token : {INT64_MIN, std::int64_t{0}, std::int64_t{1000000008},
                                   std::int64_t{1000000010}, std::int64_t{5000000000}, INT64_MAX}) {
    EXPECT_EQ(*reader->Find(token), std::nullopt) << token;
  }
}

TEST_F(ArchiveReaderTest, VisitorsEndTheReading) {
  const auto file = keys_.WriteSmall(people_);
  const auto reader = *Open(file);
  int seen = 0;
  EXPECT_TRUE(
      reader->EachContact([&](const ArchiveEntry&) -> absl::StatusOr<bool> { return ++seen < 2; })
          .ok());
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(absl::IsCancelled(reader->EachContact(
      [](const ArchiveEntry&) -> absl::StatusOr<bool> { return absl::CancelledError("enough"); })));
  const auto stop = [](const ArchiveContact&, const ArchivedChunk&) {
    return absl::CancelledError("enough");
  };
  EXPECT_TRUE(absl::IsCancelled(reader->EachChunk(**reader->Find(2837470195), stop)));
  EXPECT_TRUE(absl::IsCancelled(reader->VerifyAll(stop)));
}

TEST_F(ArchiveReaderTest, VerifyingShowsEveryChunkWithItsKey) {
  const auto file = keys_.WriteSmall(people_);
  std::vector<std::string> seen;
  ASSERT_TRUE((*Open(file))
                  ->VerifyAll([&](const ArchiveContact& contact, const ArchivedChunk& chunk) {
                    EXPECT_EQ(chunk.chunk.session, chunk.key.session);
                    seen.push_back(absl::StrCat(contact.contact, " ", chunk.chunk.day, " ",
                                                chunk.chunk.sequence, " ", chunk.chunk.messages,
                                                " ", chunk.key.session));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(seen,
              ::testing::ElementsAre("3 20000 1 2 1", "3 20000 2 1 2", "3 20003 1 2 1",
                                     "7 20000 1 2 1", "7 20000 2 1 2", "7 20003 1 2 1",
                                     "2000 20000 1 2 1", "2000 20000 2 1 2", "2000 20003 1 2 1"));
}

TEST_F(ArchiveReaderTest, AWrongIdentityIsUnauthenticated) {
  const auto file = keys_.WriteSmall(people_);
  const auto other = crypto::ExchangePair::Generate();
  EXPECT_TRUE(absl::IsUnauthenticated(
      ArchiveReader::Open(AccessTo(file.bytes), {&other, 1}, file.signature).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(
      ArchiveReader::Open(AccessTo(file.bytes), {}, file.signature).status()));
  // Among several, the right one is found.
  std::vector<crypto::ExchangePair> several;
  several.push_back(crypto::ExchangePair::Generate());
  several.push_back(crypto::ExchangePair::FromSecret(keys_.identity.secret().Duplicate()));
  EXPECT_TRUE(ArchiveReader::Open(AccessTo(file.bytes), several, file.signature).ok());
}

// The file, changed by whoever has it; the signature is the true one.
TEST_F(ArchiveReaderTest, EveryChangedByteOfTheFileIsNoticed) {
  const auto file = keys_.WriteSmall({people_[1]});
  for (std::size_t at = 0; at < file.bytes.size(); ++at) {
    auto changed = file;
    changed.bytes[at] ^= 0x10;
    EXPECT_TRUE(absl::IsDataLoss(Open(changed).status())) << at;
  }
}

TEST_F(ArchiveReaderTest, EveryCutOfTheFileIsNoticedAndEverythingBehind) {
  const auto file = keys_.WriteSmall({people_[1]});
  for (std::size_t size = 0; size < file.bytes.size(); ++size) {
    auto cut = file;
    cut.bytes.resize(size);
    EXPECT_TRUE(absl::IsDataLoss(Open(cut).status())) << size;
    // A source that says it has all, and has not.
    crypto::RandomAccess lying = AccessTo(cut.bytes);
    lying.size = file.bytes.size();
    EXPECT_TRUE(
        absl::IsDataLoss(ArchiveReader::Open(lying, {&keys_.identity, 1}, file.signature).status()))
        << size;
  }
  auto longer = file;
  longer.bytes.push_back(0);
  EXPECT_TRUE(absl::IsDataLoss(Open(longer).status()));
}

TEST_F(ArchiveReaderTest, AnotherArchiveThatIsWholeInItselfIsNotTaken) {
  // To the same recipients, by whoever knows them: an older run, and the same people once more.
  const auto file = keys_.WriteSmall(people_);
  for (const std::int64_t run : {2, 1}) {
    auto other = keys_.WriteSmall(people_, run);
    ASSERT_TRUE(Open(other).ok());
    other.signature = file.signature;
    EXPECT_TRUE(absl::IsDataLoss(Open(other).status())) << run;
  }
}

TEST_F(ArchiveReaderTest, AChangedChunkIsNoticedWhenItIsReadAndOnlyThen) {
  // Several age chunks; the frames of two people are in chunks of their own.
  const Bytes filling(60'000, 7);
  const auto file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    for (const ArchivedPerson& person : people_) {
      testing::Must(writer.BeginContact(person.ForArchive()));
      testing::Must(
          keys_.AddChunk(writer, person, 1, kArchiveDay, 1, Messages(kArchiveDay, {"text"})));
      for (int i = 2; i < 6; ++i) {
        testing::Must(writer.AddChunk(
            {.day = kArchiveDay, .sequence = i, .messages = 1, .session = 1, .sealed = filling}));
      }
    }
  });
  auto changed = file;
  // In the middle of the second frame.
  const auto entry = *(*Open(file))->Find(people_[1].token);
  changed.bytes[static_cast<std::size_t>(
      file.signature.digest.header_bytes +
      (entry->offset + entry->length / 2) / 65536 * crypto::AgeRangeReader::kBlockBytes + 9)] ^= 1;
  const auto reader = *Open(changed);
  const auto none = [](const ArchiveContact&, const ArchivedChunk&) { return absl::OkStatus(); };
  EXPECT_TRUE(reader->EachChunk(**reader->Find(people_[0].token), none).ok());
  EXPECT_TRUE(absl::IsDataLoss(reader->EachChunk(*entry, none)));
  EXPECT_TRUE(reader->EachChunk(**reader->Find(people_[2].token), none).ok());
  EXPECT_TRUE(absl::IsDataLoss(reader->VerifyAll()));
}

TEST_F(ArchiveReaderTest, OnePersonsReadingTouchesNothingElse) {
  // 5,000 people in some 40 age chunks: an index of three chunks.
  std::vector<ArchivedPerson> some;
  const Bytes sealed(kMinSealedChunkBytes + 200, 1);
  const auto file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    const crypto::ExchangePublic subject = people_[0].subject.public_key();
    for (std::int64_t i = 1; i <= 5'000; ++i) {
      testing::Must(
          writer.BeginContact({.contact = i, .token = 1'000'000'000 + 10 * i, .subject = subject}));
      testing::Must(writer.AddKey({.session = 1, .ephemeral = {}, .sealed = {}}));
      testing::Must(writer.AddChunk(
          {.day = kArchiveDay, .sequence = 1, .messages = 3, .session = 1, .sealed = sealed}));
    }
  });
  const std::size_t age_chunks = file.signature.digest.blocks.size() - 1;
  ASSERT_GT(age_chunks, 35u);
  ReadCounter counter;
  const auto reader = *Open(file, &counter);
  // Header of the file; last chunk (footer); first chunk (the archive's header).
  EXPECT_LE(counter.reads, 3u);
  EXPECT_LE(counter.bytes, 4096u + 2 * 65'552u);
  for (const std::int64_t i : {1, 2'500, 3'777, 5'000}) {
    counter.reads = counter.bytes = 0;
    const auto entry = *reader->Find(1'000'000'000 + 10 * i);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->contact, i);
    int chunks = 0;
    ASSERT_TRUE(reader
                    ->EachChunk(*entry,
                                [&](const ArchiveContact&, const ArchivedChunk&) {
                                  ++chunks;
                                  return absl::OkStatus();
                                })
                    .ok());
    EXPECT_EQ(chunks, 1);
    // Of the index at most its chunks, one after the other; of the frames one or two.
    EXPECT_LE(counter.reads, 6u) << i;
    EXPECT_LE(counter.bytes, 6 * 65'552u) << i;
  }
  counter.reads = counter.bytes = 0;
  ASSERT_TRUE(reader->VerifyAll().ok());
  EXPECT_LE(counter.bytes, file.bytes.size() + 8 * 65'552u) << "everything once, the index twice";
  EXPECT_LT(counter.reads, age_chunks) << "many at once";
}

TEST_F(ArchiveReaderTest, SourcesMayGiveLittleAndFail) {
  const auto file = keys_.WriteSmall(people_);
  ReadCounter slow{.piece = 100};
  const auto reader = Open(file, &slow);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->VerifyAll().ok());
  for (std::size_t fail_at = 0; fail_at < 60; ++fail_at) {
    ReadCounter failing{.fail_at = fail_at, .piece = 100};
    const auto broken = Open(file, &failing);
    absl::Status status = broken.status();
    if (broken.ok()) {
      failing.fail_at = failing.reads;
      // What is kept in memory needs no reading; the rest says what the source says.
      status = (*broken)->VerifyAll();
      if (status.ok()) continue;
    }
    EXPECT_TRUE(IsUnreachable(status)) << fail_at << status;
  }
}

}  // namespace
}  // namespace sealbook::archive
