#include <zstd.h>

#include <algorithm>
#include <iterator>

#include "vault/records/chat_codec.h"
#include "vault/records/chat_columns.h"
#include "vault/records/chat_dictionary.h"
#include "vault/records/message_id.h"
#include "vault/records/varint.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using namespace internal;

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

absl::Status NoChunk() { return absl::DataLossError("a chunk of a chat that cannot be read"); }

}  // namespace

struct ChunkOpener::State {
  Scratch texts, frame;
  std::vector<Voice> voices;
  struct Message {
    std::int64_t second = 0;
    std::size_t voice = 0;
    ByteView id, text;
  };
  std::vector<Message> messages;
  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> zstd;

  bool ReadTimes(VarintReader& in, std::int64_t unit);
  bool ReadVoices(VarintReader& in);
  // The texts in the clear, each with its end.
  absl::StatusOr<ByteView> Decompress(ByteView rest_of_frame, ChatDictionaryNumber number);
  // Cuts as many texts as there are messages off the front of `bytes`; false: there are fewer.
  bool ReadTexts(ByteView& bytes);
  bool FitsAndIsUtf8() const;
  absl::Status Open(ByteView packed, std::int32_t day, std::vector<ChatEntry>& out);
  void Wipe() {
    texts.Wipe();
    frame.Wipe();
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
    if (voice.direction() > ChatDirection::kNone) return false;
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

absl::StatusOr<ByteView> ChunkOpener::State::Decompress(ByteView rest_of_frame,
                                                        ChatDictionaryNumber number) {
  if (ChatDictionary(static_cast<std::uint8_t>(number)).empty()) return NoChunk();
  if (zstd == nullptr) zstd.reset(ZSTD_createDCtx());
  const ZSTD_DDict* dictionary = OpeningDictionary(number);
  if (zstd == nullptr || dictionary == nullptr) return absl::InternalError("no memory for zstd");
  crypto::Bytes& whole = frame.Begin(sizeof kMagic + rest_of_frame.size());
  whole.assign(std::begin(kMagic), std::end(kMagic));
  whole.insert(whole.end(), rest_of_frame.begin(), rest_of_frame.end());
  // Both "unknown" and "error" are beyond any bound.
  const unsigned long long size = ZSTD_getFrameContentSize(whole.data(), whole.size());
  if (size > kMaxChunkBytes + kMaxChunkMessages) return NoChunk();
  // One frame, and nothing behind it.
  if (ZSTD_findFrameCompressedSize(whole.data(), whole.size()) != whole.size()) return NoChunk();
  crypto::Bytes& out = texts.Begin(static_cast<std::size_t>(size));
  out.resize(static_cast<std::size_t>(size));
  const std::size_t done = ZSTD_decompress_usingDDict(zstd.get(), out.data(), out.size(),
                                                      whole.data(), whole.size(), dictionary);
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
  const std::uint8_t version = in.U8(), packing = in.U8();
  if (version != kChunkVersion ||
      !ReadTimes(in, (packing & kWholeMinutes) != 0 ? kSecondsOfMinute : 1) || !ReadVoices(in))
    return NoChunk();
  const auto number = static_cast<ChatDictionaryNumber>(packing & ~kWholeMinutes);

  ByteView padding;
  if (number != ChatDictionaryNumber::kNone) {
    const ByteView compressed = in.Raw(in.Varint());
    if (!in.ok()) return NoChunk();
    ASSIGN_OR_RETURN(ByteView clear, Decompress(compressed, number));
    if (!ReadTexts(clear) || !clear.empty()) return NoChunk();
    padding = in.rest();
  } else {
    padding = in.rest();
    if (!ReadTexts(padding)) return NoChunk();
  }
  if (packed.size() != PaddedSize(packed.size() - padding.size()) ||
      std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; }) || !FitsAndIsUtf8())
    return NoChunk();

  for (const Message& message : messages) {
    const Voice& voice = voices[message.voice];
    out.push_back({.time = std::int64_t{day} * kSecondsOfDay + message.second,
                   .direction = voice.direction(),
                   .kind = voice.kind(),
                   .edited = voice.edited(),
                   .to_the_minute = voice.to_the_minute(),
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

}  // namespace sealbook::records
