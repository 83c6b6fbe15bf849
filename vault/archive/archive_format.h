// What the archives' writer, reader and signature speak about (docs/format.md, "Archive"), and how
// the files beside a vault are called.
//
// An archive is an age file to the archives' recipients. Inside, sorted by number, a *frame* for
// each contact: its chat keys as they are wrapped to its subject key, and its chunks as they stood
// in the vault. So it is written by an account that reads no word of it, and read with the offline
// identity and the contact's record in a subject shard; without that record nobody reads its frame.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/signature.h"
#include "vault/ids.h"
#include "vault/keyring/roster.h"

namespace sealbook::archive {

struct ArchiveHeader {
  keyring::VaultId vault{};
  std::int64_t run = 0;  // from 1
  // Days (records::DayOf) between which all chunks stand, both included.
  std::int32_t first_day = 0, last_day = 0;
  friend bool operator==(const ArchiveHeader&, const ArchiveHeader&) = default;
};

struct ArchiveTotals {
  std::uint64_t contacts = 0, chunks = 0, messages = 0;
  friend bool operator==(const ArchiveTotals&, const ArchiveTotals&) = default;
};

struct ArchiveContact {
  ContactNumber contact = 0;  // from 1
  std::int64_t token = 0;     // above 0
  crypto::ExchangePublic subject;
  friend bool operator==(const ArchiveContact&, const ArchiveContact&) = default;
};

// A row of `chat_key`: a chat key sealed to the subject key.
struct ArchiveKey {
  std::int64_t session = 0;          // from 1: the one that wrote the chunks and wrapped the key
  crypto::ExchangePublic ephemeral;  // its E
  std::array<std::uint8_t, 72> sealed{};
  friend bool operator==(const ArchiveKey&, const ArchiveKey&) = default;
};

// A row of `chat`.
struct ArchiveChunk {
  std::int32_t day = 0;
  std::int64_t sequence = 0;   // 1 to kMaxSequence
  std::uint32_t messages = 0;  // 1 to records::kMaxChunkMessages
  std::int64_t session = 0;    // that of its key
  ByteView sealed;             // kMinSealedChunkBytes to kMaxSealedChunkBytes
};
inline constexpr std::int64_t kMaxSequence = 0xffff'ffff;
inline constexpr std::size_t kMinSealedChunkBytes = 40 + 32;
// records::kMaxChunkBytes in the clear, columns, padding and the seal take less.
inline constexpr std::size_t kMaxSealedChunkBytes = 4 << 20;

// What one archive holds at most. Whoever plans a run stays below.
inline constexpr std::uint64_t kMaxArchiveContacts = 1 << 20;  // 32 MiB of a writer's memory
inline constexpr std::uint64_t kMaxArchiveBytes = std::uint64_t{64} << 30;  // of the age file

// Who signed a file, and when. What counts is not this but the key that a SignerKey gives.
struct ArchiveSigner {
  MemberId member{};
  std::uint64_t roster_version = 0;  // in which the member has `key`
  absl::Time time;                   // whole milliseconds
  crypto::VerifyKey key{};
  friend bool operator==(const ArchiveSigner&, const ArchiveSigner&) = default;
};

// The key that a file by `signer` must be signed with: from the rosters, or one that the reader was
// given. An error is the answer of whoever asked: DataLoss, say, for a member who may not archive.
using SignerKey = std::function<absl::StatusOr<crypto::VerifyKey>(const ArchiveSigner& signer)>;
// One that is known whoever the signer claims to be.
SignerKey TheKey(const crypto::VerifyKey& key);

// "<vault id>-<last day as yyyy-mm-dd>-<run>.sba.age"; the signature stands in name + ".sig".
std::string ArchiveName(const ArchiveHeader& header);
inline constexpr absl::string_view kSignatureSuffix = ".sig";
struct ArchiveNameParts {
  keyring::VaultId vault{};
  std::int32_t last_day = 0;
  std::int64_t run = 0;
};
// Nothing: no archive is called that.
std::optional<ArchiveNameParts> ParseArchiveName(absl::string_view name);

// "subjects/000012.v3".
inline constexpr absl::string_view kShardFolder = "subjects";
std::string ShardName(std::uint32_t number, std::uint64_t version);
struct ShardNameParts {
  std::uint32_t number = 0;
  std::uint64_t version = 0;
};
// With or without the folder. Nothing: no shard is called that.
std::optional<ShardNameParts> ParseShardName(absl::string_view name);

}  // namespace sealbook::archive
