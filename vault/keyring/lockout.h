// Wrong passphrases: each one makes the next try wait, and after some the name is locked for a
// while. And locks that the policy orders (a burst of reveals), which a right passphrase does not
// open.
//
// Before unlocking, the policy cannot be read, so its limits are copied into lockout.json, beside
// the counts. The file lists entry ids (unlock_file.h), no names. Whoever may write the vault's
// directory can reset it: against a copy of the files Argon2id is what protects. Failures wait in
// the file until the next member who unlocks writes them into the audit log.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/keyring/files.h"

namespace sealbook::keyring {

struct LockoutLimits {
  int after = 5;
  absl::Duration lasts = absl::Minutes(15);
};

struct FailedUnlock {
  std::string entry_id;  // empty: a name that is no member's
  absl::Time time;
};

class Lockout {
 public:
  explicit Lockout(std::string path) : path_(std::move(path)) {}

  // After a wrong try the next ones are made one at a time, so that many at once count as many.
  // Held until the try is recorded; nothing to hold where there was no wrong one.
  absl::StatusOr<std::optional<FileLock>> WaitForTurn(const std::string& entry_id);

  // How long to wait before the next try may be made: zero in most cases.
  // Unauthenticated: locked out; the message says for how long.
  // Call it with the turn of WaitForTurn.
  absl::StatusOr<absl::Duration> Admit(const std::string& entry_id, absl::Time now);
  // An empty id, of a name that is no member's, goes into the audit log and counts against nobody.
  absl::Status RecordFailure(const std::string& entry_id, absl::Time now);
  // Forgets the failures of this entry and hands over what is not in the audit log yet. The caller
  // calls ForgetPending once those are committed.
  absl::StatusOr<std::vector<FailedUnlock>> RecordSuccess(const std::string& entry_id);
  absl::Status ForgetPending(std::size_t count);

  // Refuses this entry until then, whatever its passphrase; an earlier lock that lasts longer
  // stays. The end is a time and no duration: a clock set back makes it longer and not shorter.
  absl::Status Lock(const std::string& entry_id, absl::Time until);
  // Unauthenticated: such a lock is on; the message says for how long. Admit asks it too; this is
  // for who was admitted already.
  absl::Status CheckLock(const std::string& entry_id, absl::Time now);
  // Ends a lock of either kind, and forgets this entry's wrong tries. False: there was nothing.
  absl::StatusOr<bool> Unlock(const std::string& entry_id);

  absl::Status SetLimits(const LockoutLimits& limits);

 private:
  std::string path_;
};

}  // namespace sealbook::keyring
