// A chunk of a chat that somebody else sealed: whatever the bytes, opening ends, takes no more
// memory than a chunk may, and gives messages of that day that come back when they are packed
// again, or none at all. Padding and frames of zstd are not to be guessed, so the input is tried
// padded too, and once more as lines of which messages are made.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "vault/records/chat_codec.h"

namespace {

using sealbook::ByteView;
using sealbook::records::ChatEntry;

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

struct Codec {
  sealbook::records::ChunkPacker packer;
  sealbook::records::ChunkOpener opener;
};
Codec& TheCodec() {
  static auto* const codec = new Codec;
  return *codec;
}

void PackAgain(const std::vector<ChatEntry>& entries, std::int32_t day) {
  sealbook::crypto::SecretBytes packed;
  Must(TheCodec().packer.Pack(entries, packed).ok());
  Must(sealbook::records::PaddedSize(packed.size()) == packed.size());
  std::vector<ChatEntry> again;
  Must(TheCodec().opener.Open(packed.ExposeBytes(), day, again).ok() && again == entries);
}

void OpenAny(ByteView data) {
  constexpr std::int32_t kDay = -3;
  std::vector<ChatEntry> entries(1);
  const absl::Status status = TheCodec().opener.Open(data, kDay, entries);
  Must(entries[0] == ChatEntry());
  if (!status.ok()) {
    Must(absl::IsDataLoss(status) && entries.size() == 1);
    return;
  }
  entries.erase(entries.begin());
  Must(!entries.empty() && entries.size() <= sealbook::records::kMaxChunkMessages);
  std::size_t bytes = 0;
  for (const ChatEntry& entry : entries) {
    Must(sealbook::records::DayOf(entry.time) == kDay);
    bytes += entry.author.size() + entry.text.size() + entry.id.size();
  }
  Must(bytes <= sealbook::records::kMaxChunkBytes);
  PackAgain(entries, kDay);
}

// Messages made of the bytes: the first of each line says of which kind, authors and ids are the
// lines before it.
void PackAny(ByteView data) {
  std::vector<ChatEntry> entries;
  std::string last;
  while (!data.empty() && entries.size() < sealbook::records::kMaxChunkMessages) {
    const auto end = static_cast<std::size_t>(
        std::find(data.begin(), data.end(), std::uint8_t{'\n'}) - data.begin());
    const ByteView line = data.first(end);
    data = data.subspan(std::min(end + 1, data.size()));
    const std::uint8_t kind = line.empty() ? std::uint8_t{0} : line[0];
    ChatEntry entry;
    entry.time = 20'000 * sealbook::records::kSecondsOfDay + kind * 337 % 86'400;
    entry.direction = static_cast<sealbook::records::ChatDirection>(kind % 3);
    entry.kind = static_cast<sealbook::records::ChatKind>(kind >> 2 & 3);
    entry.edited = (kind & 16) != 0;
    entry.to_the_minute = (kind & 32) != 0;
    entry.text = std::string(line.begin(), line.end());
    if ((kind & 64) != 0) entry.author = last;
    if ((kind & 8) != 0) entry.id = last;
    last = entry.text;
    entries.push_back(std::move(entry));
  }
  sealbook::crypto::SecretBytes packed;
  const absl::Status status = TheCodec().packer.Pack(entries, packed);
  if (status.ok()) {
    PackAgain(entries, 20'000);
  } else {
    Must(absl::IsInvalidArgument(status) && packed.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  OpenAny({data, size});
  // As it is, it would have to be as long as what is padded.
  sealbook::crypto::Bytes padded(data, data + size);
  padded.resize(sealbook::records::PaddedSize(size));
  OpenAny(padded);
  PackAny({data, size});
  return 0;
}
