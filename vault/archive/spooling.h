// From a plan to a file: the second step of an archive (archive_states.h, "spooled").
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "vault/archive/archive_signature.h"
#include "vault/archive/archive_states.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_keys.h"

namespace sealbook::archive {

struct SpoolOptions {
  std::vector<crypto::ExchangePublic> recipients;
  std::function<void(std::uint64_t chunks)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};

struct SpoolReport {
  bool empty = false;  // nothing of the plan was left; the archive is gone
  // Customers whose chats do not count, and were left where they are.
  std::vector<ContactNumber> damaged;
};

// Writes the planned archive `run` into the spool, with its signature in the archive's row; the
// shards of its customers get a new version where they lack one of them. Moves what is sealed, and
// opens none of it. Beforehand whatever stands in the spool under that name goes.
// Cancelled: interrupted. ResourceExhausted: the disk is full. In both cases it is still planned.
absl::Status SpoolArchive(keyring::Keyring& keyring, std::int64_t run, const SpoolOptions& options,
                          absl::Time now, SpoolReport& report);

// The path in the spool.
std::string SpoolPath(const keyring::VaultPaths& paths, const std::string& name);
// The digest of what stands there is `digest`; so an archive that was damaged on this machine's own
// disk is noticed before it goes anywhere. NotFound: there is no such file. DataLoss: it differs.
absl::Status CheckSpooled(const std::string& path, const ArchiveDigest& digest);

// Who signs what this member makes.
ArchiveSigner SignerOf(const keyring::Keyring& keyring, absl::Time now);
// The key of a signature's member, by the rosters: an active member with the right to archive
// or to erase.
SignerKey RosterSigners(const keyring::Keyring& keyring);

}  // namespace sealbook::archive
