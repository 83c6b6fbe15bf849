// Archives that were signed by a writer that lies, or has a fault: every place of what an archive
// holds is changed, and what is inside is noticed to be wrong, by whoever reads it.

#include <malloc.h>

#include "tests/vault/archive/archive_fixture.h"
#include "vault/archive/archive_layout.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::ArchivedPerson;
using testing::Person;

class LyingArchiveTest : public ArchiveTest {
 protected:
  void SetUp() override {
    people_.push_back(Person(3, 1000000009));
    people_.push_back(Person(7, 2837470195));
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

  std::vector<ArchivedPerson> people_;
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
       {ArchiveEntry{1000000009, 3, second_offset, first_length},
        ArchiveEntry{1000000009, 3, UINT64_MAX, 500}, ArchiveEntry{1000000009, 3, 0, 500},
        ArchiveEntry{1000000009, 3, first_offset, UINT64_MAX},
        ArchiveEntry{1000000009, 8, first_offset, first_length},
        ArchiveEntry{2837470195, 3, first_offset, first_length}, ArchiveEntry{}}) {
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
  // The frames; then the index's offsets with them, so that all but the order is true.
  Bytes changed = plaintext_;
  rotate(changed, begin, middle, index);
  FixHash(changed);
  EXPECT_TRUE(absl::IsDataLoss(Read(changed)));
  Put(changed, index + 16, begin + (index - middle));
  Put(changed, index + internal::kIndexEntryBytes + 16, begin);
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
