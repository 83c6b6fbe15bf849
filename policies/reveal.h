// Reveals: one value in the clear, within the role's daily budget and not in a burst, each on
// record before it is seen.
//
//   ASSIGN_OR_RETURN(const ReadPermit permit, permits.Reveal(member, role, number, field));
//   …                      // whether the field is there at all, which costs nothing
//   ASSIGN_OR_RETURN(const int left, RecordReveal(keyring, policy, reveal, absl::Now()));
//   …                      // now it may be shown
//
// What was revealed is counted in the signed audit log: a counter in a file of its own could be set
// back by whoever may write the directory. A day is the last 24 hours, so that neither a time zone
// nor midnight gives a second budget; rows dated after now count as well, so that a clock set back
// gives nothing. A clock set forward looks like time that passes, here and in the log.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policies/policy.h"
#include "vault/keyring/keyring.h"

namespace sealbook::policies {

struct Reveal {
  std::int64_t token = 0;
  std::string field;
  std::string detail;  // JSON for the audit log: the field and the reason, never the value
};

// Counts and records in one write transaction, so that processes at the same time share one budget;
// gives how many are left. Where it fails, the value must not be shown:
// PermissionDenied: the role may not reveal this, or its budget is used up; the message says when
// the next one is free.
// Unauthenticated: it would be one more than the policy's burst. The member is locked from now on
// (keyring/lockout.h), and that is in the log; or was locked since this command unlocked the vault.
// DataLoss: a row that counts was altered.
absl::StatusOr<int> RecordReveal(keyring::Keyring& keyring, const Policy& policy,
                                 const Reveal& reveal, absl::Time now);

}  // namespace sealbook::policies
