#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "vault/records/chat_codec.h"
#include "vault/records/chat_columns.h"
#include "vault/records/chat_dictionary.h"
#include "vault/records/message_id.h"
#include "vault/records/varint.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using namespace internal;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

std::size_t ClearSize(const ChatEntry& entry) {
  return entry.author.size() + entry.text.size() + entry.id.size();
}
bool IsUtf8(absl::string_view text) { return internal::IsUtf8(crypto::AsBytes(text)); }

void PutBytes(crypto::Bytes& out, ByteView bytes) {
  PutVarint(out, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

absl::Status NotPackable(absl::string_view what) { return absl::InvalidArgumentError(what); }

}  // namespace

struct ChunkPacker::State {
  Scratch columns, texts, frame;
  std::vector<MessageId> ids = std::vector<MessageId>(kMaxChunkMessages);
  std::vector<Voice> voices;
  std::vector<std::uint8_t> voice_of;
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> zstd;

  absl::Status Check(std::span<const ChatEntry> entries);
  void PutTimes(std::span<const ChatEntry> entries, std::int64_t unit, crypto::Bytes& out);
  void PutVoices(std::span<const ChatEntry> entries, crypto::Bytes& out);
  // The frame without its magic number; empty where the texts as they are take no more.
  absl::StatusOr<ByteView> Compress(const crypto::Bytes& clear, ChatDictionaryNumber number);
  absl::Status Pack(std::span<const ChatEntry> entries, crypto::SecretBytes& out);
  void Wipe() {
    columns.Wipe();
    texts.Wipe();
    frame.Wipe();
    for (MessageId& id : ids) id.Wipe();
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
    const Voice voice{.marks = Voice::MarksOf(entries[i], ids[i].form()),
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

absl::StatusOr<ByteView> ChunkPacker::State::Compress(const crypto::Bytes& clear,
                                                      ChatDictionaryNumber number) {
  if (zstd == nullptr) {
    zstd.reset(ZSTD_createCCtx());
    if (zstd == nullptr ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_contentSizeFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_checksumFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_dictIDFlag, 0))) {
      zstd.reset();
      return absl::InternalError("zstd cannot be set up");
    }
  }
  const ZSTD_CDict* dictionary = PackingDictionary(number);
  // Without a dictionary zstd would go on, and nothing would open what it makes.
  if (dictionary == nullptr || ZSTD_isError(ZSTD_CCtx_refCDict(zstd.get(), dictionary)))
    return absl::InternalError("zstd has no dictionary");
  crypto::Bytes& out = frame.Begin(ZSTD_compressBound(clear.size()));
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
  crypto::Bytes& clear = texts.Begin(text_bytes);
  for (const ChatEntry& entry : entries) {
    const ByteView text = crypto::AsBytes(entry.text);
    clear.insert(clear.end(), text.begin(), text.end());
    clear.push_back(kTextEnd);
  }
  const ChatDictionaryNumber number = DictionaryFor(clear);
  ASSIGN_OR_RETURN(const ByteView packed, Compress(clear, number));

  crypto::Bytes& head = columns.Begin(other_bytes);
  head.push_back(kChunkVersion);
  head.push_back(static_cast<std::uint8_t>(
      static_cast<unsigned>(packed.empty() ? ChatDictionaryNumber::kNone : number) |
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

}  // namespace sealbook::records
