// The one place where expired chats are deleted: what stands in an archive that was read back.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/archive_signature.h"
#include "vault/archive/archive_states.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"

namespace sealbook::archive {

class ArchivePlace;

// Proof that this process has read an archive back from one destination, and found every byte as it
// was signed. Only ArchivePlace::Verify makes one.
class VerifiedArchive {
 public:
  std::int64_t run() const { return run_; }
  const std::string& destination() const { return destination_; }

 private:
  friend class ArchivePlace;
  VerifiedArchive(std::int64_t run, std::string destination)
      : run_(run), destination_(std::move(destination)) {}
  std::int64_t run_;
  std::string destination_;
};

struct PurgeOptions {
  std::int32_t today = 0;
  std::size_t quorum = 1;  // at so many destinations it must have been verified
  std::function<void(std::int64_t messages)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};

struct PurgeReport {
  std::int64_t messages = 0, chunks = 0;
  std::int64_t held = 0;   // messages that the archive has and that stay, on hold or restored
  std::string receipt_id;  // hexadecimal; empty where nothing was purged
};

// Deletes the chunks that the archive has, by its list of keys and never by their day, in short
// transactions: all but those of customers on hold at that moment. The last one writes the receipt
// and the log. Their chat keys are left to SweepChatKeys.
// PermissionDenied: the permit. FailedPrecondition: not verified at `quorum` destinations.
// Cancelled: interrupted; what is gone is gone.
absl::StatusOr<PurgeReport> PurgeArchived(keyring::Keyring& keyring, const PurgePermit& permit,
                                          const ArchiveSignature& archive,
                                          const std::vector<VerifiedArchive>& proof,
                                          const PurgeOptions& options, absl::Time now);

// Deletes the chat keys, and their wraps, under which nothing stands any more. In the order of
// contacts, for all that was purged since the last time: each key stands on another page, so that a
// sweep of a month takes hardly longer than one of a day. In short transactions; may be called
// again after any interruption (Cancelled).
absl::Status SweepChatKeys(keyring::Keyring& keyring, const std::function<bool()>& interrupted);

}  // namespace sealbook::archive
