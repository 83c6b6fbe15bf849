#include "vault/archive/archive_reader.h"

#include <malloc.h>

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
    people_.push_back(Person(7, 1000000009));
    people_.push_back(Person(3, 2837470195));
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
  EXPECT_THAT(tokens, ::testing::ElementsAre(1000000009, 2837470195, 9000000009));
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
              ::testing::ElementsAre("7 20000 1 2 1", "7 20000 2 1 2", "7 20003 1 2 1",
                                     "3 20000 1 2 1", "3 20000 2 1 2", "3 20003 1 2 1",
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
    EXPECT_TRUE(absl::IsAborted(status)) << fail_at << status;
  }
}

// ---- Signed by a writer that lies, or has a fault. Every place of the plaintext is tried.

class LyingArchiveTest : public ArchiveReaderTest {
 protected:
  void SetUp() override {
    ArchiveReaderTest::SetUp();
    people_.pop_back();
    file_ = keys_.WriteSmall(people_);
    plaintext_ = PlaintextOf(file_);
  }
  std::size_t FooterAt() const { return plaintext_.size() - internal::kFooterBytes; }
  // The footer's hash made right again.
  void FixHash(Bytes& plaintext) {
    const std::size_t at = plaintext.size() - 48;
    const auto hash = crypto::HashOf("sealbook/archive-content/1", {ByteView(plaintext).first(at)});
    std::copy(hash.begin(), hash.end(), plaintext.begin() + static_cast<std::ptrdiff_t>(at));
  }
  absl::Status Read(ByteView plaintext, const ArchiveTotals& totals) {
    const auto sealed = keys_.SealPlaintext(plaintext, file_.signature.header, totals);
    ASSIGN_OR_RETURN(const auto reader, Open(sealed));
    return ReadEverything(*reader, people_);
  }
  absl::Status Read(ByteView plaintext) { return Read(plaintext, file_.signature.totals); }
  std::uint64_t Number(std::size_t at) const {
    return crypto::ByteReader(ByteView(plaintext_).subspan(at)).U64();
  }
  static void Put(Bytes& bytes, std::size_t at, std::uint64_t value) {
    const Bytes encoded = crypto::ByteWriter().U64(value).Take();
    std::copy(encoded.begin(), encoded.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }

  testing::FinishedFile file_;
  Bytes plaintext_;
};

TEST_F(LyingArchiveTest, TheTrueOneIsTheControl) {
  Bytes again = plaintext_;
  FixHash(again);
  EXPECT_EQ(again, plaintext_);
  EXPECT_TRUE(Read(plaintext_).ok());
}

TEST_F(LyingArchiveTest, EveryChangedByteIsNoticedThoughTheHashIsRight) {
  // The session's number is for the vault, which compares E; nothing here depends on it. And a
  // dictionary that is not ours may be there.
  std::vector<bool> free(plaintext_.size());
  const std::size_t header = internal::kFixedHeaderBytes + 6 * internal::kDictionaryBytes;
  free[header - internal::kDictionaryBytes] = true;  // 6 becomes 7
  for (std::size_t at = header; at < FooterAt();) {  // the items
    switch (static_cast<internal::Item>(plaintext_[at])) {
      case internal::Item::kContact:
        at += 1 + internal::kContactItemBytes;
        break;
      case internal::Item::kKey:
        for (std::size_t i = 0; i < 8; ++i) free[at + 1 + i] = true;
        at += 1 + internal::kKeyItemBytes;
        break;
      case internal::Item::kChunk:
        at += 1 + internal::kChunkItemBytes +
              crypto::ByteReader(ByteView(plaintext_).subspan(at + 11)).U32();
        break;
      default:
        at = at + 1 + internal::kEndItemBytes;
        if (at == Number(FooterAt())) at = FooterAt();
    }
  }
  std::size_t tried = 0;
  for (std::size_t at = 0; at < plaintext_.size(); ++at) {
    for (const bool fix : {true, false}) {
      if (fix && (free[at] || (at >= plaintext_.size() - 48 && at < plaintext_.size() - 16))) {
        continue;
      }
      // A high bit and a low one.
      Bytes changed = plaintext_;
      changed[at] ^= at % 2 == 0 ? 0x80 : 0x01;
      if (fix) FixHash(changed);
      const absl::Status status = Read(changed);
      EXPECT_TRUE(absl::IsDataLoss(status)) << at << (fix ? " with its hash: " : ": ") << status;
      ++tried;
    }
  }
  EXPECT_GT(tried, 2'000u);
}

TEST_F(LyingArchiveTest, EveryCutIsNoticedAndEverythingBetween) {
  for (std::size_t size = 0; size < plaintext_.size(); size += 3) {
    EXPECT_TRUE(absl::IsDataLoss(Read(ByteView(plaintext_).first(size)))) << size;
  }
  for (std::size_t at = 0; at < plaintext_.size(); at += 5) {
    Bytes changed = plaintext_;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
    FixHash(changed);
    EXPECT_TRUE(absl::IsDataLoss(Read(changed))) << at;
    changed = plaintext_;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), 0);
    FixHash(changed);
    EXPECT_TRUE(absl::IsDataLoss(Read(changed))) << at;
  }
}

TEST_F(LyingArchiveTest, TotalsThatLieAreNoticedWhoeverAgreesWithThem) {
  for (const std::size_t field : {0, 1, 2}) {
    for (const std::uint64_t wrong : std::initializer_list<std::uint64_t>{0, 1, 1000, UINT64_MAX}) {
      Bytes changed = plaintext_;
      Put(changed, FooterAt() + 8 + 8 * field, wrong);
      FixHash(changed);
      ArchiveTotals totals = file_.signature.totals;
      (field == 0 ? totals.contacts : field == 1 ? totals.chunks : totals.messages) = wrong;
      EXPECT_TRUE(absl::IsDataLoss(Read(changed, totals))) << field << " " << wrong;
      EXPECT_TRUE(absl::IsDataLoss(Read(plaintext_, totals))) << field << " " << wrong;
    }
  }
}

TEST_F(LyingArchiveTest, AnIndexThatPointsElsewhereIsNoticed) {
  const auto index = static_cast<std::size_t>(Number(FooterAt()));
  const std::size_t second = index + internal::kIndexEntryBytes;
  const std::uint64_t first_offset = Number(index + 16), first_length = Number(index + 24);
  const std::uint64_t second_offset = Number(second + 16);
  struct Lie {
    std::size_t at;
    std::uint64_t value;
  };
  for (const Lie lie :
       {Lie{index + 16, second_offset}, Lie{second + 16, first_offset}, Lie{index + 16, 0},
        Lie{index + 16, UINT64_MAX}, Lie{index + 16, UINT64_MAX - first_length + 1},
        Lie{index + 16, index}, Lie{index + 24, UINT64_MAX}, Lie{index + 24, 0},
        Lie{index + 24, first_length - 1}, Lie{index + 24, first_length + 1},
        Lie{index + 24, 2 * first_length}, Lie{FooterAt(), 0}, Lie{FooterAt(), UINT64_MAX},
        Lie{FooterAt(), index - 32}}) {
    Bytes changed = plaintext_;
    Put(changed, lie.at, lie.value);
    FixHash(changed);
    EXPECT_TRUE(absl::IsDataLoss(Read(changed))) << lie.at << " " << lie.value;
  }
  // Whoever asks for a place that is none gets nothing either.
  const auto reader = *Open(file_);
  const auto none = [](const ArchiveContact&, const ArchivedChunk&) { return absl::OkStatus(); };
  for (const ArchiveEntry& entry :
       {ArchiveEntry{1000000009, 7, second_offset, first_length},
        ArchiveEntry{1000000009, 7, UINT64_MAX, 500}, ArchiveEntry{1000000009, 7, 0, 500},
        ArchiveEntry{1000000009, 7, first_offset, UINT64_MAX},
        ArchiveEntry{1000000009, 8, first_offset, first_length},
        ArchiveEntry{2837470195, 7, first_offset, first_length}, ArchiveEntry{}}) {
    EXPECT_TRUE(absl::IsDataLoss(reader->EachChunk(entry, none))) << entry.offset;
  }
}

TEST_F(LyingArchiveTest, FramesThatChangedPlacesAreNoticed) {
  const auto index = static_cast<std::size_t>(Number(FooterAt()));
  const auto begin = static_cast<std::size_t>(Number(index + 16));
  const auto middle = static_cast<std::size_t>(Number(index + internal::kIndexEntryBytes + 16));
  const auto rotate = [](Bytes& bytes, std::size_t a, std::size_t b, std::size_t c) {
    std::rotate(bytes.begin() + static_cast<std::ptrdiff_t>(a),
                bytes.begin() + static_cast<std::ptrdiff_t>(b),
                bytes.begin() + static_cast<std::ptrdiff_t>(c));
  };
  // The frames; the index with them, its offsets right; so all but the order is true.
  Bytes changed = plaintext_;
  rotate(changed, begin, middle, index);
  FixHash(changed);
  EXPECT_TRUE(absl::IsDataLoss(Read(changed)));
  rotate(changed, index, index + internal::kIndexEntryBytes, FooterAt());
  Put(changed, index + 16, begin);
  Put(changed, index + internal::kIndexEntryBytes + 16, begin + (index - middle));
  FixHash(changed);
  EXPECT_TRUE(absl::IsDataLoss(Read(changed)));
}

TEST_F(LyingArchiveTest, ATokenTwiceIsNoticed) {
  const auto index = static_cast<std::size_t>(Number(FooterAt()));
  const std::size_t second = index + internal::kIndexEntryBytes;
  Bytes changed = plaintext_;
  Put(changed, second, 1000000009);
  Put(changed, static_cast<std::size_t>(Number(second + 16)) + 1, 1000000009);
  FixHash(changed);
  const auto sealed = keys_.SealPlaintext(changed, file_.signature.header, file_.signature.totals);
  const auto reader = *Open(sealed);
  EXPECT_TRUE(absl::IsDataLoss(reader->VerifyAll()));
  EXPECT_TRUE(absl::IsDataLoss(
      reader->EachContact([](const ArchiveEntry&) -> absl::StatusOr<bool> { return true; })));
}

TEST_F(LyingArchiveTest, EnormousLengthsTakeNoMemory) {
  const auto index = static_cast<std::size_t>(Number(FooterAt()));
  const auto frame = static_cast<std::size_t>(Number(index + 16));
  const std::size_t length =
      frame + 1 + internal::kContactItemBytes + 1 + internal::kKeyItemBytes + 1 + 10;
  for (const std::uint32_t wrong : {0xffff'ffffu, 0x7fff'ffffu, 0x0040'0001u, 0x0040'0000u}) {
    Bytes changed = plaintext_;
    const Bytes encoded = crypto::ByteWriter().U32(wrong).Take();
    std::copy(encoded.begin(), encoded.end(),
              changed.begin() + static_cast<std::ptrdiff_t>(length));
    FixHash(changed);
    const std::size_t before = mallinfo2().uordblks;
    EXPECT_TRUE(absl::IsDataLoss(Read(changed))) << wrong;
    EXPECT_LT(mallinfo2().uordblks, before + (1 << 20));
  }
}

TEST_F(LyingArchiveTest, AnotherDictionaryUnderANumberOfOursIsNoticed) {
  Bytes changed = plaintext_;
  changed[internal::kFixedHeaderBytes + 5] ^= 1;
  FixHash(changed);
  EXPECT_TRUE(absl::IsDataLoss(Read(changed)));
  // One that this program does not know may be there: another chunk may need it.
  changed = plaintext_;
  changed[internal::kFixedHeaderBytes + 5 * internal::kDictionaryBytes] = 200;
  changed[internal::kFixedHeaderBytes + 5 * internal::kDictionaryBytes + 5] ^= 1;
  FixHash(changed);
  EXPECT_TRUE(Read(changed).ok());
}

TEST_F(LyingArchiveTest, ALaterVersionIsNotRead) {
  Bytes changed = plaintext_;
  changed[17] = 2;
  FixHash(changed);
  EXPECT_TRUE(absl::IsDataLoss(Read(changed)));
}

}  // namespace
}  // namespace sealbook::archive
