// What a chunk of a chat holds: one to many messages of one contact and day, packed, compressed
// with a dictionary that comes with the program, and padded (docs/format.md, "Chat chunk").
//
// Stateless functions may be called from any thread; a ChunkPacker or ChunkOpener belongs to one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "vault/crypto/bytes.h"
#include "vault/crypto/secret.h"

namespace sealbook::records {

// Numbers are permanent: they stand in sealed chunks.
enum class ChatDirection : std::uint8_t { kIn = 0, kOut = 1, kNone = 2 };  // kNone: a system line
enum class ChatKind : std::uint8_t { kText = 0, kMedia = 1, kDeleted = 2, kSystem = 3 };

// One message in the clear. Wiped when it goes, as far as std::string lets it.
struct ChatEntry {
  std::int64_t time = 0;  // Unix time, seconds
  ChatDirection direction = ChatDirection::kIn;
  ChatKind kind = ChatKind::kText;
  bool edited = false;
  bool to_the_minute = false;  // the source gave no seconds
  std::string author;          // may be empty
  std::string text;            // UTF-8
  std::string id;              // the service's own; may be empty
  friend bool operator==(const ChatEntry&, const ChatEntry&) = default;
};

// Days of chats are those of UTC, counted from 1970-01-01.
inline constexpr std::int64_t kSecondsOfDay = 86'400;
std::int32_t DayOf(std::int64_t time);

inline constexpr std::size_t kMaxChunkMessages = 64;
// Of the packed messages, before compression: a chunk ends before it grows beyond this, and a
// single longer message is a chunk alone.
inline constexpr std::size_t kChunkBytes = 16 * 1024;
inline constexpr std::size_t kMaxChunkBytes = 2 << 20;

// The version of format and dictionary that chunks are written in; each has a dictionary for ever.
inline constexpr std::uint8_t kChunkVersion = 1;

class ChunkPacker {
 public:
  ChunkPacker();
  ~ChunkPacker();
  // How many of `entries` from the first on belong into one chunk. At least 1. All are of one day.
  static std::size_t Take(std::span<const ChatEntry> entries);
  // Into `out`, which is wiped before: version, length, zstd frame or the bytes as they are where
  // that is shorter, padding. Internal: zstd failed.
  absl::Status Pack(std::span<const ChatEntry> entries, crypto::SecretBytes& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ChunkOpener {
 public:
  ChunkOpener();
  ~ChunkOpener();
  // Appends the messages. `day` is that of the chunk's row. DataLoss: no chunk, one of another day,
  // or larger than kMaxChunkBytes.
  absl::Status Open(ByteView packed, std::int32_t day, std::vector<ChatEntry>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How many bytes `size` bytes are padded to: a multiple of 32, and from 512 on Padmé (Nikitin et
// al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019),
// which adds an eighth at most.
std::size_t PaddedSize(std::size_t size);

// BLAKE2b-256 of a version's dictionary, for docs/format.md and archives' headers.
ByteView ChatDictionary(std::uint8_t version);  // empty: no such version

}  // namespace sealbook::records
