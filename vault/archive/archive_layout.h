// The bytes of an archive's plaintext that its writer and its reader share (docs/format.md,
// "Archive"). Nothing else includes this.
#pragma once

#include "absl/strings/string_view.h"
#include "vault/archive/archive_format.h"
#include "vault/crypto/bytes.h"

namespace sealbook::archive::internal {

inline constexpr absl::string_view kArchiveMagic = "sealbook-archive";
inline constexpr absl::string_view kArchiveEnd = "sealbook-arc-end";
inline constexpr std::uint16_t kArchiveVersion = 1;
inline constexpr absl::string_view kContentLabel = "sealbook/archive-content/1";

inline constexpr std::size_t kFixedHeaderBytes = 16 + 2 + 16 + 8 + 4 + 4 + 4;
inline constexpr std::size_t kDictionaryBytes = 1 + 32;
inline constexpr std::size_t kMaxDictionaries = 255;
inline constexpr std::size_t kIndexEntryBytes = 4 * 8;
inline constexpr std::size_t kFooterBytes = 4 * 8 + 32 + 16;

// Items of a frame, the first byte of each.
enum class Item : std::uint8_t { kContact = 1, kKey = 2, kChunk = 3, kEnd = 4 };
inline constexpr std::size_t kContactItemBytes = 8 + 8 + 32;  // without that byte, as all here
inline constexpr std::size_t kKeyItemBytes = 8 + 32 + 72;
inline constexpr std::size_t kChunkItemBytes = 4 + 4 + 1 + 1 + 4;  // and the chunk
inline constexpr std::size_t kEndItemBytes = 8 + 8;
// A contact, a key, the smallest chunk, the end.
inline constexpr std::size_t kMinFrameBytes =
    4 + kContactItemBytes + kKeyItemBytes + kChunkItemBytes + kMinSealedChunkBytes + kEndItemBytes;

inline constexpr std::size_t kKeySlots = 256;

// All of a header, with the dictionaries that this program knows.
crypto::Bytes EncodeHeader(const ArchiveHeader& header);
// Of the fixed part: the header and how many dictionaries follow. DataLoss: not one.
absl::StatusOr<std::pair<ArchiveHeader, std::uint32_t>> DecodeFixedHeader(ByteView bytes);
// DataLoss: out of order, or another dictionary than ours under one of our numbers.
absl::Status CheckDictionaries(ByteView bytes, std::uint32_t count);

// Nothing, or what about them no vault holds.
absl::string_view WrongWith(const ArchiveHeader& header);
absl::string_view WrongWith(const ArchiveContact& contact);
absl::string_view WrongWith(const ArchiveKey& key);
absl::string_view WrongWith(const ArchiveChunk& chunk);

}  // namespace sealbook::archive::internal
