#include "vault/records/chat_codec.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <zstd.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "tests/support/held_out_chats.h"
#include "vault/crypto/random.h"
#include "vault/records/chat_dictionary.h"

namespace sealbook::records {
namespace {

using crypto::Bytes;

constexpr std::int32_t kDay = 20'000;
constexpr std::int64_t kMidnight = kDay * kSecondsOfDay;

std::string Id(const Bytes& raw) { return absl::StrCat("wamid.", crypto::ToBase64(raw)); }
// The form of the Cloud API's ids: head, number of digits, digits, zero.
std::string DigitsId(absl::string_view phone, absl::string_view digits) {
  crypto::ByteWriter raw;
  raw.Raw(Bytes{0x1c, 0x18}).U8(static_cast<std::uint8_t>(phone.size()));
  raw.Raw(crypto::AsBytes(phone)).Raw(Bytes{0x15, 0x02, 0x00, 0x12, 0x18});
  raw.U8(static_cast<std::uint8_t>(digits.size())).Raw(crypto::AsBytes(digits)).U8(0);
  return Id(raw.bytes());
}

class ChatCodecTest : public ::testing::Test {
 protected:
  Bytes Pack(const std::vector<ChatEntry>& entries) {
    crypto::SecretBytes packed;
    const absl::Status status = packer_.Pack(entries, packed);
    EXPECT_TRUE(status.ok()) << status;
    return {packed.ExposeBytes().begin(), packed.ExposeBytes().end()};
  }
  absl::Status Open(ByteView packed, std::vector<ChatEntry>& out, std::int32_t day = kDay) {
    return opener_.Open(packed, day, out);
  }
  // What is left of `entries` after packing and opening.
  std::vector<ChatEntry> Back(const std::vector<ChatEntry>& entries, std::int32_t day = kDay) {
    std::vector<ChatEntry> out;
    const absl::Status status = Open(Pack(entries), out, day);
    EXPECT_TRUE(status.ok()) << status;
    return out;
  }
  absl::Status PackStatus(const std::vector<ChatEntry>& entries) {
    crypto::SecretBytes packed(7);
    const absl::Status status = packer_.Pack(entries, packed);
    EXPECT_EQ(packed.empty(), !status.ok());
    return status;
  }
  // A chunk of `bytes` and the padding that belongs to it.
  bool Opens(Bytes bytes) {
    bytes.resize(PaddedSize(bytes.size()));
    std::vector<ChatEntry> out(1);
    const absl::Status status = Open(bytes, out);
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    EXPECT_EQ(out.size() > 1, status.ok());
    return status.ok();
  }

  ChunkPacker packer_;
  ChunkOpener opener_;
};

std::vector<ChatEntry> SomeEntries() {
  return {{.time = kMidnight + 3661, .author = "민아", .text = "안녕하세요, 내일 예약 되나요?"},
          {.time = kMidnight + 3600,
           .direction = ChatDirection::kOut,
           .edited = true,
           .author = "Shop",
           .text = "네, 11시에 가능합니다. 10분 일찍 오세요!",
           .id = DigitsId("821055550123", "3EB0C767D26F8B2A6E41")},
          {.time = kMidnight + 86'399,
           .direction = ChatDirection::kNone,
           .kind = ChatKind::kSystem,
           .text = "메시지와 통화는 종단간 암호화됩니다."},
          {.time = kMidnight,
           .kind = ChatKind::kDeleted,
           .to_the_minute = true,
           .author = "민아",
           .id = "b0a6f3d2-1f0e-4a9c-9a57-0c8b1f6d2e11"}};
}
// A chunk by hand: version 1, as it is, two messages in one voice. Parts are replaced in tests.
struct ByHand {
  std::uint8_t version = 1, packing = 0;
  Bytes count = {2}, times = {5, 2}, voices = {1, 0x00, 1, 'M'}, index, ids;
  Bytes texts = {'a', 0xff, 'b', 0xff};
  Bytes bytes() const {
    Bytes out = {version, packing};
    for (const Bytes* part : {&count, &times, &voices, &index, &ids, &texts})
      out.insert(out.end(), part->begin(), part->end());
    return out;
  }
};

// Round trips.

TEST_F(ChatCodecTest, MessagesComeBackInTheirOrder) {
  EXPECT_EQ(Back(SomeEntries()), SomeEntries());
}

TEST_F(ChatCodecTest, EveryMarkComesBack) {
  std::vector<ChatEntry> entries;
  for (int direction = 0; direction < 3; ++direction) {
    for (int kind = 0; kind < 4; ++kind) {
      for (int flags = 0; flags < 4; ++flags) {
        entries.push_back({.time = kMidnight + direction * 1000 + kind * 100 + flags,
                           .direction = static_cast<ChatDirection>(direction),
                           .kind = static_cast<ChatKind>(kind),
                           .edited = flags % 2 == 1,
                           .to_the_minute = flags >= 2});
      }
    }
  }
  ASSERT_EQ(entries.size(), 48u);
  EXPECT_EQ(Back(entries), entries);
}

TEST_F(ChatCodecTest, NastyTextsComeBack) {
  const std::vector<std::string> texts = {
      "",
      " ",
      "\n\n",
      std::string("a\0b", 3),
      std::string(1, '\0'),
      "\xf4\x8f\xbf\xbf",                              // U+10FFFF
      "\xef\xbf\xbf\xef\xbb\xbf",                      // a noncharacter, a byte order mark
      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",  // joined
      "\xe2\x80\xae txt.exe",                          // right to left from here
      "\xcc\x81\xcc\x81\xcc\x81",                      // marks without a letter
      "=cmd|' /C calc'!A0",
      std::string(5000, 'a'),
      std::string(300, '\x01'),
      "wamid.",
  };
  std::vector<ChatEntry> entries;
  for (const std::string& text : texts) {
    const ChatEntry entry = {.time = kMidnight, .author = text, .text = text, .id = text};
    EXPECT_EQ(Back({entry}), std::vector<ChatEntry>{entry});
    entries.push_back(entry);
  }
  EXPECT_EQ(Back(entries), entries);
}

TEST_F(ChatCodecTest, RandomTextsOfManySizesComeBack) {
  const std::vector<std::string> letters = {"a", "é", "한", "글", "中", "の", "م", "क", "\n", "😀"};
  for (int round = 0; round < 300; ++round) {
    std::vector<ChatEntry> entries(1 + crypto::RandomBelow(kMaxChunkMessages));
    for (ChatEntry& entry : entries) {
      entry.time = kMidnight + static_cast<std::int64_t>(crypto::RandomBelow(kSecondsOfDay));
      entry.direction = static_cast<ChatDirection>(crypto::RandomBelow(3));
      for (std::uint64_t i = crypto::RandomBelow(60); i > 0; --i)
        entry.text += letters[crypto::RandomBelow(letters.size())];
      entry.author = letters[crypto::RandomBelow(3)];
    }
    ASSERT_EQ(Back(entries), entries);
  }
}

TEST_F(ChatCodecTest, IdsComeBackWhateverTheirForm) {
  const std::string good = DigitsId("15555550100", "3A7F6A1234567890ABCD");
  const std::vector<std::string> ids = {
      good,
      DigitsId("15555550100", "3A7F6A1234567890ABCE"),
      DigitsId("821055550123", "00"),
      DigitsId("821055550123", "3a7f6a1234567890abcd"),  // not as they are written
      DigitsId("821055550123", "ABC"),                   // an odd number of them
      good.substr(0, good.size() - 1),                   // base64 that is none
      good + "=",
      absl::StrCat(good, "\n"),
      "wamid.AB==",  // stray bits
      "wamid.AA==",
      "WAMID.AAAA",
      Id({0, 1, 2, 255}),
      Id({2, 'A', 'B', 0}),  // nothing but digits
      Id({2, 'A', 'B', 1}),
      Id(Bytes(192, 7)),
      Id(Bytes(193, 7)),
      "false_821055550123@c.us_3EB0",
      "1",
  };
  std::vector<ChatEntry> entries;
  for (const std::string& id : ids) {
    const ChatEntry entry = {.time = kMidnight + 1, .id = id};
    EXPECT_EQ(Back({entry}), std::vector<ChatEntry>{entry}) << id;
    entries.push_back(entry);
  }
  EXPECT_EQ(Back(entries), entries);
}

TEST_F(ChatCodecTest, AnIdOfWhatsAppCostsHalfItsDigits) {
  std::vector<ChatEntry> entries(10, {.time = kMidnight, .text = "ok"});
  const std::size_t without = Pack(entries).size();
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i].id = DigitsId("821055550123", absl::StrCat("3EB0C767D26F8B2A6E4", i));
  // Ten bytes each, the head once, and padding.
  EXPECT_LE(Pack(entries).size(), without + 10 * 10 + 26 + 32);
}

TEST_F(ChatCodecTest, OpeningAppends) {
  std::vector<ChatEntry> out;
  ASSERT_TRUE(Open(Pack(SomeEntries()), out).ok());
  ASSERT_TRUE(Open(Pack({{.time = kMidnight, .text = "last"}}), out).ok());
  ASSERT_EQ(out.size(), SomeEntries().size() + 1);
  EXPECT_EQ(out.back().text, "last");
  Wipe(out);
  EXPECT_TRUE(out.empty());
}

// Days and times.

TEST_F(ChatCodecTest, DaysBeginAtMidnightBefore1970Too) {
  EXPECT_EQ(DayOf(0), 0);
  EXPECT_EQ(DayOf(86'399), 0);
  EXPECT_EQ(DayOf(86'400), 1);
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DayOf(-86'400), -1);
  EXPECT_EQ(DayOf(-86'401), -2);
  EXPECT_EQ(DayOf(std::numeric_limits<std::int64_t>::max()),
            std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(DayOf(std::numeric_limits<std::int64_t>::min()),
            std::numeric_limits<std::int32_t>::min());
}

TEST_F(ChatCodecTest, FirstAndLastSecondOfAnyDayComeBack) {
  for (const std::int64_t day : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{kDay},
                                 std::int64_t{std::numeric_limits<std::int32_t>::max()},
                                 std::int64_t{std::numeric_limits<std::int32_t>::min()}}) {
    // From the last to the first: the longest step back, and forth again.
    const std::vector<ChatEntry> entries = {{.time = day * kSecondsOfDay + 86'399},
                                            {.time = day * kSecondsOfDay},
                                            {.time = day * kSecondsOfDay + 86'399}};
    EXPECT_EQ(Back(entries, static_cast<std::int32_t>(day)), entries) << day;
    const std::vector<ChatEntry> minutes = {{.time = day * kSecondsOfDay + 86'340},
                                            {.time = day * kSecondsOfDay}};
    EXPECT_EQ(Back(minutes, static_cast<std::int32_t>(day)), minutes) << day;
  }
}

TEST_F(ChatCodecTest, TimesBelongToTheDayOfTheRow) {
  EXPECT_EQ(Back({{.time = 5}}, -7)[0].time, 5 - 7 * kSecondsOfDay);
}

TEST_F(ChatCodecTest, TimesOutsideTheDayAreDataLoss) {
  EXPECT_TRUE(Opens(ByHand{.times = {0xff, 0xa2, 0x05, 0}}.bytes()));             // 86,399
  EXPECT_FALSE(Opens(ByHand{.times = {0x80, 0xa3, 0x05, 0}}.bytes()));            // 86,400
  EXPECT_FALSE(Opens(ByHand{.times = {0xff, 0xa2, 0x05, 2}}.bytes()));            // and one more
  EXPECT_FALSE(Opens(ByHand{.times = {0, 1}}.bytes()));                           // one back from 0
  EXPECT_TRUE(Opens(ByHand{.packing = 0x80, .times = {0x9f, 0x0b, 0}}.bytes()));  // 1,439
  EXPECT_FALSE(Opens(ByHand{.packing = 0x80, .times = {0xa0, 0x0b, 0}}.bytes()));  // 1,440
  Bytes huge(9, 0xff);
  huge.back() = 0x7f;
  Bytes step = {5};
  step.insert(step.end(), huge.begin(), huge.end());
  EXPECT_FALSE(Opens(ByHand{.times = step}.bytes()));
  huge.push_back(2);
  EXPECT_FALSE(Opens(ByHand{.times = huge}.bytes()));
}

// What is not packed.

TEST_F(ChatCodecTest, WhatIsNoChunkIsNotPacked) {
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({})));
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus(std::vector<ChatEntry>(kMaxChunkMessages + 1))));
  EXPECT_TRUE(PackStatus(std::vector<ChatEntry>(kMaxChunkMessages)).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.time = -1}, {.time = 0}})));
  EXPECT_TRUE(
      absl::IsInvalidArgument(PackStatus({{.time = std::numeric_limits<std::int64_t>::max()}})));
  EXPECT_TRUE(
      absl::IsInvalidArgument(PackStatus({{.time = std::numeric_limits<std::int64_t>::min()}})));
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.direction = ChatDirection{3}}})));
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.kind = ChatKind{4}}})));
}

TEST_F(ChatCodecTest, WhatIsNotUtf8IsNotPacked) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.author = bad}})));
    EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.text = bad}})));
    EXPECT_TRUE(absl::IsInvalidArgument(PackStatus({{.id = bad}})));
  }
}

TEST_F(ChatCodecTest, TheLongestMessageComesBackAndALongerOneIsNotPacked) {
  std::vector<ChatEntry> entries = {{.time = kMidnight}};
  entries[0].text.assign(kMaxChunkBytes - 1, 'x');
  entries[0].author = "y";
  EXPECT_EQ(Back(entries), entries);
  entries[0].id = "z";
  EXPECT_TRUE(absl::IsInvalidArgument(PackStatus(entries)));
}

// What is packed together.

TEST_F(ChatCodecTest, TakeEndsWithTheDay) {
  std::vector<ChatEntry> entries(5, {.time = -1});
  entries[3].time = 0;
  entries[4].time = -1;
  EXPECT_EQ(ChunkPacker::Take(entries), 3u);
  EXPECT_EQ(ChunkPacker::Take({}), 0u);
}

TEST_F(ChatCodecTest, TakeEndsWithTheNumberOfMessages) {
  EXPECT_EQ(ChunkPacker::Take(std::vector<ChatEntry>(kMaxChunkMessages)), kMaxChunkMessages);
  EXPECT_EQ(ChunkPacker::Take(std::vector<ChatEntry>(kMaxChunkMessages + 1)), kMaxChunkMessages);
}

TEST_F(ChatCodecTest, TakeEndsBeforeTheBytesButTakesOneMessage) {
  std::vector<ChatEntry> entries(3);
  entries[0].text.assign(kChunkBytes - 2, 'x');
  entries[1].author = "a";
  entries[2].id = "b";
  EXPECT_EQ(ChunkPacker::Take(entries), 3u);
  entries[2].id = "bc";
  EXPECT_EQ(ChunkPacker::Take(entries), 2u);
  entries[0].text.assign(kChunkBytes + 1, 'x');
  EXPECT_EQ(ChunkPacker::Take(entries), 1u);
  entries[0].text.clear();
  entries[1].text.assign(kChunkBytes + 1, 'x');
  EXPECT_EQ(ChunkPacker::Take(entries), 1u);
}

// Padding.

TEST_F(ChatCodecTest, PaddedSizesAreThoseOfTheFormat) {
  EXPECT_EQ(PaddedSize(0), 0u);
  EXPECT_EQ(PaddedSize(1), 32u);
  EXPECT_EQ(PaddedSize(32), 32u);
  EXPECT_EQ(PaddedSize(33), 64u);
  EXPECT_EQ(PaddedSize(511), 512u);
  EXPECT_EQ(PaddedSize(512), 512u);
  EXPECT_EQ(PaddedSize(513), 544u);
  EXPECT_EQ(PaddedSize(1023), 1024u);
  EXPECT_EQ(PaddedSize(1025), 1088u);
  EXPECT_EQ(PaddedSize(100'000), 100'352u);
  for (std::size_t size = 512; size < 5'000'000; size += 1 + size / 50) {
    const std::size_t padded = PaddedSize(size);
    ASSERT_GE(padded, size);
    ASSERT_LE(padded, size + size / 8);
    ASSERT_EQ(PaddedSize(padded), padded) << size;
  }
}

TEST_F(ChatCodecTest, SizesOfChunksTellLittle) {
  for (std::size_t size = 0; size < 3000; size += 7) {
    std::string text(size, ' ');
    for (char& letter : text) letter = static_cast<char>('a' + crypto::RandomBelow(26));
    const std::size_t packed = Pack({{.time = kMidnight, .text = text}}).size();
    ASSERT_EQ(packed % 32, 0u);
    ASSERT_EQ(PaddedSize(packed), packed);
  }
}

TEST_F(ChatCodecTest, OtherPaddingIsDataLoss) {
  const Bytes good = Pack(SomeEntries());
  ASSERT_TRUE(Opens(good));
  ASSERT_EQ(good.back(), 0);
  std::vector<ChatEntry> out;
  Bytes bytes = good;
  bytes.back() = 1;
  EXPECT_TRUE(absl::IsDataLoss(Open(bytes, out)));
  bytes = good;
  bytes.resize(good.size() + 32);
  EXPECT_TRUE(absl::IsDataLoss(Open(bytes, out)));
  bytes.resize(good.size() - 1);
  EXPECT_TRUE(absl::IsDataLoss(Open(bytes, out)));
  EXPECT_TRUE(out.empty());
}

// Hostile bytes. Chunks are sealed, so only who holds a key can write these.

TEST_F(ChatCodecTest, ChunkByHandOpens) {
  Bytes bytes = ByHand{}.bytes();
  bytes.resize(PaddedSize(bytes.size()));
  std::vector<ChatEntry> out;
  ASSERT_TRUE(Open(bytes, out).ok());
  EXPECT_EQ(out, (std::vector<ChatEntry>{{.time = kMidnight + 5, .author = "M", .text = "a"},
                                         {.time = kMidnight + 6, .author = "M", .text = "b"}}));
}

TEST_F(ChatCodecTest, OtherVersionsAndDictionariesAreDataLoss) {
  EXPECT_FALSE(Opens(ByHand{.version = 0}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.version = 2}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.packing = kChatDictionaries + 1}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.packing = 0x7f}.bytes()));
}

TEST_F(ChatCodecTest, HostileCountsAreDataLoss) {
  EXPECT_FALSE(Opens(ByHand{.count = {0}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.count = {1}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.count = {3}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.count = {65}}.bytes()));
  EXPECT_FALSE(
      Opens(ByHand{.count = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {0}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0x00, 0xff, 0xff, 0x7f, 'M'}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {3, 0, 0, 0, 0, 0, 0}, .index = {0}}.bytes()));
}

TEST_F(ChatCodecTest, HostileVoicesAreDataLoss) {
  EXPECT_TRUE(Opens(ByHand{.voices = {2, 0, 0, 1, 0}, .index = {2}}.bytes()));
  // Not in the order of their first message; one that nobody has; bits behind the last.
  EXPECT_FALSE(Opens(ByHand{.voices = {2, 0, 0, 1, 0}, .index = {1}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {2, 0, 0, 1, 0}, .index = {0}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {2, 0, 0, 1, 0}, .index = {6}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 3, 0}}.bytes()));        // no such direction
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0, 1, 0xff}}.bytes()));  // not UTF-8
}

TEST_F(ChatCodecTest, HostileIdsAreDataLoss) {
  EXPECT_TRUE(Opens(ByHand{.voices = {1, 0x40, 0}, .ids = {1, 'x', 1, 'y'}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0x40, 0}, .ids = {0, 1, 'y'}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0x40, 0}, .ids = {1, 0xff, 1, 'y'}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0x40, 0}, .ids = {0xff, 0xff, 3, 'x'}}.bytes()));
  EXPECT_TRUE(Opens(ByHand{.voices = {1, 0xc0, 0, 2, 9, 2}, .ids = {0xab, 0xcd}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0xc0, 0, 0}, .ids = {0xab, 0xcd}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0xc0, 0, 1, 0}, .ids = {0xab, 0xcd}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.voices = {1, 0xc0, 0, 1, 3}, .ids = {0xab, 0xcd}}.bytes()));
}

TEST_F(ChatCodecTest, HostileTextsAreDataLoss) {
  EXPECT_FALSE(Opens(ByHand{.texts = {'a', 0xff, 'b'}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.texts = {'a', 0xff, 'b', 0xff, 0xff}}.bytes()));
  EXPECT_FALSE(Opens(ByHand{.texts = {0xc3, 0xff, 'b', 0xff}}.bytes()));
}

// The texts of ByHand as zstd packs them, without the magic number unless told otherwise.
Bytes Frame(const Bytes& clear, bool size = true, int dictionary = 1, std::size_t skip = 4) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, size ? 1 : 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
  ZSTD_CCtx_refCDict(context, PackingDictionary(static_cast<ChatDictionaryNumber>(dictionary)));
  Bytes out(ZSTD_compressBound(clear.size()));
  out.resize(ZSTD_compress2(context, out.data(), out.size(), clear.data(), clear.size()));
  ZSTD_freeCCtx(context);
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(skip));
  return out;
}
Bytes WithLength(const Bytes& frame) {
  Bytes out;
  std::size_t size = frame.size();
  for (; size >= 0x80; size >>= 7) out.push_back(static_cast<std::uint8_t>(size | 0x80));
  out.push_back(static_cast<std::uint8_t>(size));
  out.insert(out.end(), frame.begin(), frame.end());
  return out;
}

TEST_F(ChatCodecTest, HostileFramesAreDataLoss) {
  const Bytes clear = {'a', 0xff, 'b', 0xff};
  const auto opens = [&](const Bytes& texts) {
    return Opens(ByHand{.packing = 1, .texts = texts}.bytes());
  };
  EXPECT_TRUE(opens(WithLength(Frame(clear))));
  EXPECT_FALSE(opens(WithLength(Frame(clear, /*size=*/false))));
  EXPECT_FALSE(opens(WithLength(Frame(clear, true, 1, /*skip=*/0))));
  EXPECT_FALSE(opens(WithLength(Frame({'a', 0xff}))));
  EXPECT_FALSE(opens(WithLength(Frame({'a', 0xff, 'b', 0xff, 'c', 0xff}))));
  EXPECT_FALSE(opens(WithLength(Frame({'a', 0xff, 'b', 0xff, 'c'}))));
  EXPECT_FALSE(opens(WithLength({})));
  // A second frame behind it, and one that is skipped.
  Bytes twice = Frame(clear);
  const Bytes second = Frame({}, true, 1, 0);
  twice.insert(twice.end(), second.begin(), second.end());
  EXPECT_FALSE(opens(WithLength(twice)));
  Bytes skipped = Frame(clear);
  skipped.insert(skipped.end(), {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0});
  EXPECT_FALSE(opens(WithLength(skipped)));
}

TEST_F(ChatCodecTest, BombsAreDataLossBeforeTheyAreUnpacked) {
  // 100 MiB of one text, and one that only says so.
  Bytes clear(100 << 20, 'x');
  clear.back() = 0xff;
  Bytes frame = Frame(clear);
  ASSERT_LT(frame.size(), 20'000u);
  EXPECT_FALSE(
      Opens(ByHand{.packing = 1, .count = {1}, .times = {0}, .texts = WithLength(frame)}.bytes()));
  // A single segment whose content size takes 8 bytes.
  frame = {0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 1, 0, 0};
  EXPECT_FALSE(
      Opens(ByHand{.packing = 1, .count = {1}, .times = {0}, .texts = WithLength(frame)}.bytes()));
}

TEST_F(ChatCodecTest, AuthorsAndIdHeadsThatManyShareAreCountedForEach) {
  // 64 messages of one author of 40,000 bytes are more than a chunk may hold.
  const auto opens = [&](std::size_t author_bytes) {
    Bytes voices = {1, 0};
    const Bytes author = WithLength(Bytes(author_bytes, 'M'));
    voices.insert(voices.end(), author.begin(), author.end());
    return Opens(
        ByHand{.count = {64}, .times = Bytes(64, 0), .voices = voices, .texts = Bytes(64, 0xff)}
            .bytes());
  };
  EXPECT_TRUE(opens(kMaxChunkBytes / 64));
  EXPECT_FALSE(opens(kMaxChunkBytes / 64 + 1));
  EXPECT_FALSE(opens(40'000));
  Bytes voices = {1, 0xc0, 0};
  Bytes head(30'000, 7);
  head.back() = 2;
  head = WithLength(head);
  voices.insert(voices.end(), head.begin(), head.end());
  EXPECT_FALSE(Opens(ByHand{.count = {64},
                            .times = Bytes(64, 0),
                            .voices = voices,
                            .ids = Bytes(64, 1),
                            .texts = Bytes(64, 0xff)}
                         .bytes()));
}

TEST_F(ChatCodecTest, EveryCutIsDataLoss) {
  for (const Bytes& good : {Pack(SomeEntries()), Pack({{.time = kMidnight, .text = "x"}})}) {
    for (std::size_t size = 0; size < good.size(); ++size) {
      std::vector<ChatEntry> out;
      ASSERT_TRUE(absl::IsDataLoss(Open(ByteView(good).first(size), out))) << size;
      ASSERT_TRUE(out.empty());
    }
  }
}

TEST_F(ChatCodecTest, EveryByteFlippedIsDataLossOrMessagesOfThatDay) {
  const Bytes good = Pack(SomeEntries());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bytes = good;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1 << bit));
      std::vector<ChatEntry> out;
      const absl::Status status = Open(bytes, out);
      ASSERT_TRUE(status.ok() || absl::IsDataLoss(status)) << at;
      ASSERT_EQ(out.empty(), !status.ok());
      for (const ChatEntry& entry : out) ASSERT_EQ(DayOf(entry.time), kDay);
      // What opens is what can be packed.
      if (status.ok()) {
        ASSERT_EQ(Back(out), out);
      }
    }
  }
}

// What they take.

// At rest a message may take 80 bytes: beside these, nonce, tag, row and duplicate tag.
constexpr double kMaxBytesAMessage = 33;

TEST_F(ChatCodecTest, MessagesThatNoDictionaryKnowsAreSmall) {
  const std::vector<HeldOutChat> chats =
      HeldOutChats(SEALBOOK_SOURCE_DIR "/tests/fixtures/chat_codec/held_out.txt");
  std::size_t packed = 0, text = 0, messages = 0;
  for (const HeldOutChat& chat : chats) {
    EXPECT_EQ(Back(chat.entries), chat.entries);
    packed += Pack(chat.entries).size();
    messages += chat.entries.size();
    for (const ChatEntry& entry : chat.entries) text += entry.text.size();
  }
  EXPECT_GE(static_cast<double>(text) / static_cast<double>(messages), 45);
  EXPECT_LE(static_cast<double>(packed) / static_cast<double>(messages), kMaxBytesAMessage);
}

TEST_F(ChatCodecTest, TextsThatDoNotCompressTakeWhatTheyAre) {
  std::string noise(200, ' ');
  for (char& letter : noise) letter = static_cast<char>(crypto::RandomBelow(128));
  // Version, packing, count, time, voice: 7 bytes; the text's end.
  EXPECT_LE(Pack({{.time = kMidnight, .text = noise}}).size(), PaddedSize(200 + 8));
}

// Dictionaries.

TEST(ChatDictionaryTest, AreThoseOfTheFormat) {
  // As in docs/format.md. A dictionary that was released never changes: chunks are packed with it.
  const char* const hashes[] = {
      "d6be792c6527a4ec2e644a0c9c3d414f63abcd94df15ebbe16e954d0c259bab4",
      "e74ef12ead1f7abd0755a60af2bdd94a14d15b4961730f3570ffa43fd027870e",
      "b9ce9335172d98b2dd37aee57cca25321d2937c1a701be00aafca35edb13a621",
      "b4efd0fdd0fd5e6b13d18f3e0673cabb62677f0ba555e0d1760db03371296e5c",
      "b24704d3ea270b9fea97cf7b0150c59f5654128d662a84ff1b4380452badd290",
      "19a36938cb8b7d0e9e0289892ef0ee629ea18fb50548e7e7a9d6ad41451288ca",
  };
  ASSERT_EQ(std::size(hashes), kChatDictionaries);
  for (std::uint8_t number = 1; number <= kChatDictionaries; ++number) {
    Bytes hash(32);
    const ByteView bytes = ChatDictionary(number);
    crypto_generichash(hash.data(), hash.size(), bytes.data(), bytes.size(), nullptr, 0);
    EXPECT_EQ(crypto::ToHex(hash), hashes[number - 1]) << int{number};
  }
  EXPECT_TRUE(ChatDictionary(0).empty());
  EXPECT_TRUE(ChatDictionary(kChatDictionaries + 1).empty());
  EXPECT_EQ(PackingDictionary(ChatDictionaryNumber::kNone), nullptr);
  EXPECT_EQ(OpeningDictionary(ChatDictionaryNumber{kChatDictionaries + 1}), nullptr);
}

TEST(ChatDictionaryTest, IsThatOfTheScript) {
  const auto of = [](absl::string_view text) { return DictionaryFor(crypto::AsBytes(text)); };
  EXPECT_EQ(of(""), ChatDictionaryNumber::kLatin);
  EXPECT_EQ(of("12:30 👍"), ChatDictionaryNumber::kLatin);
  EXPECT_EQ(of("¿Cuánto cuesta el envío?"), ChatDictionaryNumber::kLatin);
  EXPECT_EQ(of("Когда вы открыты?"), ChatDictionaryNumber::kLatin);
  EXPECT_EQ(of("iPhone 15 케이스 있나요?"), ChatDictionaryNumber::kKorean);
  EXPECT_EQ(of("ㅋㅋㅋ ok"), ChatDictionaryNumber::kKorean);
  EXPECT_EQ(of("予約をお願いします"), ChatDictionaryNumber::kJapanese);
  EXPECT_EQ(of("コーヒー"), ChatDictionaryNumber::kJapanese);
  EXPECT_EQ(of("我想预约明天下午"), ChatDictionaryNumber::kChinese);
  EXPECT_EQ(of("請問有現貨嗎"), ChatDictionaryNumber::kChinese);
  EXPECT_EQ(of("متى يصل الطلب؟"), ChatDictionaryNumber::kArabic);
  EXPECT_EQ(of("ऑर्डर कब आएगा?"), ChatDictionaryNumber::kDevanagari);
  EXPECT_EQ(of("Your order for 김 has been shipped"), ChatDictionaryNumber::kLatin);
}

}  // namespace
}  // namespace sealbook::records
