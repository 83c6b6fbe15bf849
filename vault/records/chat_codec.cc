#include "vault/records/chat_codec.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "vault/records/chat_columns.h"

namespace sealbook::records {

std::int64_t internal::FloorDay(std::int64_t time) {
  return time / kSecondsOfDay - (time % kSecondsOfDay < 0 ? 1 : 0);
}

bool internal::IsUtf8(ByteView text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] < 0x80) {
      ++i;
      continue;
    }
    UChar32 character;
    U8_NEXT(text.data(), i, text.size(), character);
    if (character < 0) return false;
  }
  return true;
}

void Wipe(std::vector<ChatEntry>& entries) {
  for (ChatEntry& entry : entries) {
    crypto::Wipe(entry.author);
    crypto::Wipe(entry.text);
    crypto::Wipe(entry.id);
  }
  entries.clear();
}

std::int32_t DayOf(std::int64_t time) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(internal::FloorDay(time), std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max()));
}

std::size_t PaddedSize(std::size_t size) {
  std::size_t step = 32;
  if (size >= 512) {
    // Padmé: no more bits of the length are seen than its exponent has, plus one.
    const auto exponent = static_cast<unsigned>(std::bit_width(size) - 1);
    const auto seen = static_cast<unsigned>(std::bit_width(exponent));
    step = std::size_t{1} << (exponent - seen);
  }
  return (size + step - 1) / step * step;
}

<<<<<<< HEAD
ByteView ChatDictionary(std::uint8_t version) {
  if (version != 1) return {};
  return {internal::kChatDictionary1, internal::kChatDictionary1Bytes};
}

// Packing.

struct ChunkPacker::State {
  Scratch columns, texts, frame;
  std::vector<MessageId> ids = std::vector<MessageId>(kMaxChunkMessages);
  std::vector<Voice> voices;
  std::vector<std::uint8_t> voice_of;
  std::unique_ptr<ZSTD_CCtx, FreeContext> zstd;

  absl::Status Check(std::span<const ChatEntry> entries);
  void PutTimes(std::span<const ChatEntry> entries, std::int64_t unit, crypto::Bytes& out);
  void PutVoices(std::span<const ChatEntry> entries, crypto::Bytes& out);
  // The frame without its magic number; empty where the texts as they are take no more.
  absl::StatusOr<ByteView> Compress(const crypto::Bytes& clear);
  absl::Status Pack(std::span<const ChatEntry> entries, crypto::SecretBytes& out);
  void Wipe() {
    columns.Clear(0);
    texts.Clear(0);
    frame.Clear(0);
  }
};

ChunkPacker::ChunkPacker() : state_(std::make_unique<State>()) {}
ChunkPacker::~ChunkPacker() = default;
ChunkPacker::ChunkPacker(ChunkPacker&&) noexcept = default;

std::size_t ChunkPacker::Take(std::span<const ChatEntry> entries) {
  std::size_t count = 0, bytes = 0;
  for (const ChatEntry& entry : entries.first(std::min(entries.size(), kMaxChunkMessages))) {
    bytes += ClearSize(entry);
    if (count > 0 &&
        (bytes > kChunkBytes || FloorDay(entry.time) != FloorDay(entries.front().time)))
      break;
    ++count;
  }
  return count;
}

absl::Status ChunkPacker::State::Check(std::span<const ChatEntry> entries) {
  if (entries.empty()) return NotPackable("a chunk holds one message at least");
  if (entries.size() > kMaxChunkMessages) return NotPackable("too many messages for one chunk");
  const std::int64_t day = FloorDay(entries.front().time);
  if (day != DayOf(entries.front().time)) return NotPackable("a message's time is out of range");
  std::size_t bytes = 0;
  for (const ChatEntry& entry : entries) {
    if (FloorDay(entry.time) != day) return NotPackable("a chunk holds messages of one day");
    if (entry.direction > ChatDirection::kNone || entry.kind > ChatKind::kSystem)
      return NotPackable("a message of no known direction or kind");
    if (!IsUtf8(entry.author) || !IsUtf8(entry.text) || !IsUtf8(entry.id))
      return NotPackable("a message is not UTF-8");
    bytes += ClearSize(entry);
    if (bytes > kMaxChunkBytes) return NotPackable("too long for a chunk");
  }
  return absl::OkStatus();
}

void ChunkPacker::State::PutTimes(std::span<const ChatEntry> entries, std::int64_t unit,
                                  crypto::Bytes& out) {
  std::int64_t last = 0;
  for (const ChatEntry& entry : entries) {
    const std::int64_t now = (entry.time - FloorDay(entry.time) * kSecondsOfDay) / unit;
    PutVarint(out,
              &entry == &entries.front() ? static_cast<std::uint64_t>(now) : ZigZag(now - last));
    last = now;
  }
}

void ChunkPacker::State::PutVoices(std::span<const ChatEntry> entries, crypto::Bytes& out) {
  voices.clear();
  voice_of.clear();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ids[i].Split(entries[i].id);
    const Voice voice{.marks = MarksOf(entries[i], ids[i].form()),
                      .author = crypto::AsBytes(entries[i].author),
                      .id_head = ids[i].head()};
    const auto at = std::ranges::find(voices, voice);
    voice_of.push_back(static_cast<std::uint8_t>(at - voices.begin()));
    if (at == voices.end()) voices.push_back(voice);
  }

  PutVarint(out, voices.size());
  for (const Voice& voice : voices) {
    out.push_back(voice.marks);
    PutBytes(out, voice.author);
    if (voice.id_form() == IdForm::kDigits) PutBytes(out, voice.id_head);
  }
  const unsigned width = IndexBits(voices.size());
  unsigned bits = 0, count = 0;
  for (const std::uint8_t index : voice_of) {
    bits |= unsigned{index} << count;
    count += width;
    for (; count >= 8; count -= 8, bits >>= 8) out.push_back(static_cast<std::uint8_t>(bits));
  }
  if (count > 0) out.push_back(static_cast<std::uint8_t>(bits));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ByteView rest = ids[i].rest();
    if (ids[i].form() == IdForm::kText || ids[i].form() == IdForm::kWamid) {
      PutBytes(out, rest);
    } else {
      out.insert(out.end(), rest.begin(), rest.end());
    }
  }
}

absl::StatusOr<ByteView> ChunkPacker::State::Compress(const crypto::Bytes& clear) {
  if (zstd == nullptr) {
    zstd.reset(ZSTD_createCCtx());
    if (zstd == nullptr || PackingDictionary() == nullptr ||
        ZSTD_isError(ZSTD_CCtx_refCDict(zstd.get(), PackingDictionary())) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_contentSizeFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_checksumFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_dictIDFlag, 0))) {
      zstd.reset();
      return absl::InternalError("zstd cannot be set up");
    }
  }
  crypto::Bytes& out = frame.Clear(ZSTD_compressBound(clear.size()));
  out.resize(ZSTD_compressBound(clear.size()));
  const std::size_t size =
      ZSTD_compress2(zstd.get(), out.data(), out.size(), clear.data(), clear.size());
  if (ZSTD_isError(size) || size < sizeof kMagic ||
      std::memcmp(out.data(), kMagic, sizeof kMagic) != 0)
    return absl::InternalError("zstd failed");
  const ByteView rest = ByteView(out).first(size).subspan(sizeof kMagic);
  const std::size_t length_bytes = (static_cast<std::size_t>(std::bit_width(rest.size())) + 6) / 7;
  return rest.size() + length_bytes < clear.size() ? rest : ByteView();
}

absl::Status ChunkPacker::State::Pack(std::span<const ChatEntry> entries,
                                      crypto::SecretBytes& out) {
  RETURN_IF_ERROR(Check(entries));
  std::size_t text_bytes = 0, other_bytes = 64;
  bool whole_minutes = true;
  for (const ChatEntry& entry : entries) {
    text_bytes += entry.text.size() + 1;
    other_bytes += entry.author.size() + entry.id.size() + 32;  // and varints, marks, index
    whole_minutes = whole_minutes && entry.time % kSecondsOfMinute == 0;
  }
  crypto::Bytes& clear = texts.Clear(text_bytes);
  for (const ChatEntry& entry : entries) {
    const ByteView text = crypto::AsBytes(entry.text);
    clear.insert(clear.end(), text.begin(), text.end());
    clear.push_back(kTextEnd);
  }
  ASSIGN_OR_RETURN(const ByteView packed, Compress(clear));

  crypto::Bytes& head = columns.Clear(other_bytes);
  head.push_back(kChunkVersion);
  head.push_back(static_cast<std::uint8_t>((packed.empty() ? 0 : kCompressed) |
                                           (whole_minutes ? kWholeMinutes : 0)));
  PutVarint(head, entries.size());
  PutTimes(entries, whole_minutes ? kSecondsOfMinute : 1, head);
  PutVoices(entries, head);
  if (!packed.empty()) PutVarint(head, packed.size());

  const ByteView tail = packed.empty() ? ByteView(clear) : packed;
  out = crypto::SecretBytes(PaddedSize(head.size() + tail.size()));
  std::ranges::copy(head, out.ExposeMutable().begin());
  std::ranges::copy(tail, out.ExposeMutable().subspan(head.size()).begin());
  return absl::OkStatus();
}

absl::Status ChunkPacker::Pack(std::span<const ChatEntry> entries, crypto::SecretBytes& out) {
  out = crypto::SecretBytes();
  absl::Status status = state_->Pack(entries, out);
  state_->Wipe();
  return status;
}

// Opening.

struct ChunkOpener::State {
  Scratch texts, frame;
  std::vector<Voice> voices;
  struct Message {
    std::int64_t second = 0;
    std::size_t voice = 0;
    ByteView id, text;
  };
  std::vector<Message> messages;
  std::unique_ptr<ZSTD_DCtx, FreeContext> zstd;

  bool ReadTimes(VarintReader& in, std::int64_t unit);
  bool ReadVoices(VarintReader& in);
  // The texts in the clear, each with its end.
  absl::StatusOr<ByteView> Decompress(ByteView rest_of_frame);
  // Cuts as many texts as there are messages off the front of `bytes`; false: there are fewer.
  bool ReadTexts(ByteView& bytes);
  bool FitsAndIsUtf8() const;
  absl::Status Open(ByteView packed, std::int32_t day, std::vector<ChatEntry>& out);
  void Wipe() {
    texts.Clear(0);
    frame.Clear(0);
  }
};

ChunkOpener::ChunkOpener() : state_(std::make_unique<State>()) {}
ChunkOpener::~ChunkOpener() = default;

bool ChunkOpener::State::ReadTimes(VarintReader& in, std::int64_t unit) {
  const std::uint64_t count = in.Varint();
  if (count == 0 || count > kMaxChunkMessages) return false;
  messages.assign(static_cast<std::size_t>(count), Message());
  std::int64_t now = 0;
  for (Message& message : messages) {
    const std::uint64_t step = in.Varint();
    // Checked before it is added, so that nothing overflows.
    if (step > 2 * std::uint64_t{kSecondsOfDay}) return false;
    now = &message == &messages.front() ? static_cast<std::int64_t>(step) : now + UnZigZag(step);
    if (now < 0 || now >= kSecondsOfDay / unit) return false;
    message.second = now * unit;
  }
  return in.ok();
}

bool ChunkOpener::State::ReadVoices(VarintReader& in) {
  const std::uint64_t count = in.Varint();
  if (count == 0 || count > messages.size()) return false;
  voices.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    Voice voice{.marks = in.U8()};
    voice.author = in.Raw(in.Varint());
    if (voice.id_form() == IdForm::kDigits) {
      voice.id_head = in.Raw(in.Varint());
      if (DigitBytes(voice.id_head) == 0) return false;
    }
    if ((voice.marks & kDirectionBits) > static_cast<unsigned>(ChatDirection::kNone)) return false;
    voices.push_back(voice);
  }

  const unsigned width = IndexBits(voices.size());
  const ByteView bits = in.Raw((messages.size() * width + 7) / 8);
  if (!in.ok()) return false;
  const auto bit = [&](std::size_t at) { return std::size_t{bits[at / 8]} >> (at % 8) & 1; };
  std::size_t at = 0, seen = 0;
  for (Message& message : messages) {
    for (unsigned i = 0; i < width; ++i) message.voice |= bit(at++) << i;
    // In the order of their first message.
    if (message.voice > seen) return false;
    if (message.voice == seen) ++seen;
  }
  if (seen != voices.size()) return false;
  for (; at < 8 * bits.size(); ++at) {
    if (bit(at) != 0) return false;
  }

  for (Message& message : messages) {
    const Voice& voice = voices[message.voice];
    switch (voice.id_form()) {
      case IdForm::kNone:
        break;
      case IdForm::kText:
      case IdForm::kWamid:
        message.id = in.Raw(in.Varint());
        if (message.id.empty()) return false;
        break;
      case IdForm::kDigits:
        message.id = in.Raw(DigitBytes(voice.id_head));
        break;
    }
  }
  return in.ok();
}

absl::StatusOr<ByteView> ChunkOpener::State::Decompress(ByteView rest_of_frame) {
  if (zstd == nullptr) {
    zstd.reset(ZSTD_createDCtx());
    if (zstd == nullptr || OpeningDictionary() == nullptr) {
      zstd.reset();
      return absl::InternalError("zstd cannot be set up");
    }
  }
  crypto::Bytes& whole = frame.Clear(sizeof kMagic + rest_of_frame.size());
  whole.assign(std::begin(kMagic), std::end(kMagic));
  whole.insert(whole.end(), rest_of_frame.begin(), rest_of_frame.end());
  // Both "unknown" and "error" are beyond any bound.
  const unsigned long long size = ZSTD_getFrameContentSize(whole.data(), whole.size());
  if (size > kMaxChunkBytes + kMaxChunkMessages) return NoChunk();
  // One frame, and nothing behind it.
  if (ZSTD_findFrameCompressedSize(whole.data(), whole.size()) != whole.size()) return NoChunk();
  crypto::Bytes& out = texts.Clear(static_cast<std::size_t>(size));
  out.resize(static_cast<std::size_t>(size));
  const std::size_t done = ZSTD_decompress_usingDDict(
      zstd.get(), out.data(), out.size(), whole.data(), whole.size(), OpeningDictionary());
  if (ZSTD_isError(done) || done != out.size()) return NoChunk();
  return ByteView(out);
}

bool ChunkOpener::State::ReadTexts(ByteView& bytes) {
  for (Message& message : messages) {
    const auto end = std::ranges::find(bytes, kTextEnd);
    if (end == bytes.end()) return false;
    const auto size = static_cast<std::size_t>(end - bytes.begin());
    message.text = bytes.first(size);
    bytes = bytes.subspan(size + 1);
  }
  return true;
}

bool ChunkOpener::State::FitsAndIsUtf8() const {
  std::size_t bytes = 0;
  for (const Message& message : messages) {
    const Voice& voice = voices[message.voice];
    bytes += voice.author.size() + message.text.size() +
             JoinedIdSize(voice.id_form(), voice.id_head, message.id);
    if (bytes > kMaxChunkBytes || !IsUtf8(message.text)) return false;
    if (voice.id_form() == IdForm::kText && !IsUtf8(message.id)) return false;
  }
  return std::ranges::all_of(voices, [](const Voice& voice) { return IsUtf8(voice.author); });
}

absl::Status ChunkOpener::State::Open(ByteView packed, std::int32_t day,
                                      std::vector<ChatEntry>& out) {
  VarintReader in(packed);
  const std::uint8_t version = in.U8(), flags = in.U8();
  if (version != kChunkVersion || (flags & ~(kCompressed | kWholeMinutes)) != 0) return NoChunk();
  if (!ReadTimes(in, (flags & kWholeMinutes) != 0 ? kSecondsOfMinute : 1) || !ReadVoices(in))
    return NoChunk();

  ByteView padding;
  if ((flags & kCompressed) != 0) {
    const ByteView compressed = in.Raw(in.Varint());
    if (!in.ok()) return NoChunk();
    ASSIGN_OR_RETURN(ByteView clear, Decompress(compressed));
    if (!ReadTexts(clear) || !clear.empty()) return NoChunk();
    padding = in.rest();
  } else {
    padding = in.rest();
    if (!ReadTexts(padding)) return NoChunk();
  }
  if (packed.size() != PaddedSize(packed.size() - padding.size()) ||
      std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; }) || !FitsAndIsUtf8())
    return NoChunk();

  out.reserve(out.size() + messages.size());
  for (const Message& message : messages) {
    const Voice& voice = voices[message.voice];
    out.push_back({.time = std::int64_t{day} * kSecondsOfDay + message.second,
                   .direction = static_cast<ChatDirection>(voice.marks & kDirectionBits),
                   .kind = static_cast<ChatKind>(voice.marks >> 2 & 3),
                   .edited = (voice.marks >> 4 & 1) != 0,
                   .to_the_minute = (voice.marks >> 5 & 1) != 0,
                   .author = std::string(crypto::AsText(voice.author)),
                   .text = std::string(crypto::AsText(message.text)),
                   .id = JoinId(voice.id_form(), voice.id_head, message.id)});
  }
  return absl::OkStatus();
}

absl::Status ChunkOpener::Open(ByteView packed, std::int32_t day, std::vector<ChatEntry>& out) {
  absl::Status status = state_->Open(packed, day, out);
  state_->Wipe();
  return status;
}

=======
>>>>>>> codec
}  // namespace sealbook::records
