// What a chunk of a chat holds: one to many messages of one contact and day, in columns, their
// texts compressed with a dictionary that comes with the program, and padded (docs/format.md,
// "Chat chunk").
//
// The functions may be called from any thread; a ChunkPacker or ChunkOpener belongs to one. Each
// keeps some hundred KiB of working memory, so make one and use it for many chunks. What they hold
// themselves is wiped after each chunk; what zstd keeps in its own working memory until the next
// chunk is outside this promise (docs/threat_model.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "vault/crypto/bytes.h"
#include "vault/crypto/secret.h"

namespace sealbook::records {

// Numbers are permanent: they stand in sealed chunks.
enum class ChatDirection : std::uint8_t { kIn = 0, kOut = 1, kNone = 2 };  // kNone: a system line
enum class ChatKind : std::uint8_t { kText = 0, kMedia = 1, kDeleted = 2, kSystem = 3 };

// One message in the clear. Whoever holds one ends it with Wipe.
struct ChatEntry {
  std::int64_t time = 0;  // Unix time, seconds
  ChatDirection direction = ChatDirection::kIn;
  ChatKind kind = ChatKind::kText;
  bool edited = false;
  bool to_the_minute = false;  // the source gave no seconds
  std::string author;          // UTF-8; may be empty
  std::string text;            // UTF-8
  std::string id;              // UTF-8: the service's own; may be empty
  friend bool operator==(const ChatEntry&, const ChatEntry&) = default;
};
void Wipe(std::vector<ChatEntry>& entries);  // wipes their texts, authors and ids, and clears it

// Days of chats are those of UTC, counted from 1970-01-01; before that they are negative. A time
// whose day an int32 does not hold (6 million years away) gives the nearest that it holds.
inline constexpr std::int64_t kSecondsOfDay = 86'400;
std::int32_t DayOf(std::int64_t time);

inline constexpr std::size_t kMaxChunkMessages = 64;
// Of authors, texts and ids in the clear. A chunk that is packed ends before it grows beyond
// kChunkBytes, and a single longer message is a chunk alone; none has more than kMaxChunkBytes, and
// none that has more is opened: so much a hostile chunk can make its reader allocate.
inline constexpr std::size_t kChunkBytes = 16 * 1024;
inline constexpr std::size_t kMaxChunkBytes = 2 << 20;

// The version that chunks are written in. Every version that was ever written is read for ever.
inline constexpr std::uint8_t kChunkVersion = 1;

class ChunkPacker {
 public:
  ChunkPacker();
  ~ChunkPacker();
  ChunkPacker(ChunkPacker&&) noexcept;
  ChunkPacker(const ChunkPacker&) = delete;
  ChunkPacker& operator=(const ChunkPacker&) = delete;

  // How many of `entries` from the first on belong into one chunk: all of one day, at most
  // kMaxChunkMessages, at most kChunkBytes, but at least 1. Of no entries 0.
  static std::size_t Take(std::span<const ChatEntry> entries);

  // Into `out`, whose earlier bytes are wiped; it has PaddedSize of something. Entries keep their
  // order. InvalidArgument: no entries or more than kMaxChunkMessages, of several days or of one
  // that DayOf cannot tell, not UTF-8, a direction or kind that is none, more than kMaxChunkBytes.
  // Internal: zstd failed. Then `out` is empty.
  absl::Status Pack(std::span<const ChatEntry> entries, crypto::SecretBytes& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ChunkOpener {
 public:
  ChunkOpener();
  ~ChunkOpener();
  ChunkOpener(const ChunkOpener&) = delete;
  ChunkOpener& operator=(const ChunkOpener&) = delete;

  // Appends the messages. `day` is that of the chunk's row, to which the times are relative.
  // DataLoss: no chunk, of an unknown version, or larger than kMaxChunkBytes; then `out` is as it
  // was. Internal: no memory for zstd.
  absl::Status Open(ByteView packed, std::int32_t day, std::vector<ChatEntry>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How many bytes `size` bytes are padded to: a multiple of 32, and from 512 on Padmé (Nikitin et
// al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019),
// which adds an eighth at most.
std::size_t PaddedSize(std::size_t size);

// The dictionaries are numbered from 1 and never change (docs/format.md, "Chat chunk", has their
// hashes). Empty: there is none of that number.
inline constexpr std::uint8_t kChatDictionaries = 6;
ByteView ChatDictionary(std::uint8_t number);

}  // namespace sealbook::records
