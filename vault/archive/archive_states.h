// What the vault knows of its archives and of their places (docs/format.md, "Retention").
//
// An archive goes planned -> spooled -> uploaded -> verified -> purged -> done. Each state is
// written when what it says is on the disk, and each can be entered again after a crash:
//   planned    its keys are fixed: the chunks that it will have, in the table archive_key
//   spooled    it stands in the vault's spool, synced, with its signature
//   uploaded   it stands at enough destinations, as far as they say
//   verified   it was read back from enough of them, byte for byte
//   purged     what it has, and nobody holds, is gone from the live store
//   done       it was verified at every destination, and is gone from the spool
//   destroyed  it is gone from every destination; its tags with it
// Nobody relies on `verified` alone: whoever purges has read it back in the same process
// (VerifiedArchive), so that nobody who writes a state into the file takes anything away.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"

namespace sealbook::archive {

enum class ArchiveState : int {
  kPlanned = 1,
  kSpooled = 2,
  kUploaded = 3,
  kVerified = 4,
  kPurged = 5,
  kDone = 6,
  kDestroyed = 7,
};
absl::string_view NameOf(ArchiveState state);

// A file at a destination.
enum class RemoteState : int {
  kUnknown = 0,
  kBegun = 1,     // being written: something of it may be there
  kVerified = 2,  // read back, byte for byte
  kLeaving = 3,   // being deleted: it may be there still
  kGivenUp = 4,   // at a destination that was given up (giving_up.h)
};

// The folders of a destination.
inline constexpr absl::string_view kTombstoneFolder = "tombstones";
inline constexpr absl::string_view kCheckpointFolder = "checkpoints";
inline constexpr absl::string_view kEscrowPath = "escrow.key.age";
inline constexpr std::size_t kMaxEscrowBytes = 64 * 1024;

std::string TombstonePath(std::int64_t token);
// What a checkpoint of a log that ends with this row begins with; behind it stands something
// random.
std::string CheckpointPrefix(std::int64_t log_entry);
// The vault's folder of archives that are on their way.
std::string SpoolFolder(const keyring::VaultPaths& paths);

// Days are those of UTC since 1970-01-01.
std::int32_t DayOfTime(absl::Time time);
std::string FormatDay(std::int32_t day);  // 2026-11-26

// Ascending numbers of contacts as a block of `archive_subject`: differences as varints.
crypto::Bytes PackContacts(const std::vector<ContactNumber>& contacts);
// Where `block` is damaged, what can be read of it.
std::vector<ContactNumber> UnpackContacts(ByteView block);
inline constexpr std::size_t kContactsPerBlock = 1000;

// The runs whose archive has chats of this contact, whether they are still planned or long done.
absl::StatusOr<std::vector<std::int64_t>> ArchivesOf(keyring::Keyring& keyring,
                                                     ContactNumber contact);

}  // namespace sealbook::archive
