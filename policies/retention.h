// Retention by the policy: what has expired, where it goes, whether the clock can be believed; and
// the permit without which the vault purges nothing (vault/archive/retention_job.h does the work).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policies/policy.h"
#include "vault/archive/retention_job.h"

namespace sealbook::policies {

// The job's options as the policy has them: rules, recipients, quorum. Destinations, progress and
// interruption are the caller's. InvalidArgument: the policy's recipients.
absl::StatusOr<archive::JobOptions> RetentionOptions(const Policy& policy, absl::Time now);

// Where the policy names no destination: the vault's own folder `archives`, wherever the vault is.
inline constexpr absl::string_view kOwnFolder = "vault:///archives";

// The addresses to which archives go: the policy's, or kOwnFolder, which is no independent server.
struct Destinations {
  std::vector<std::string> urls;
  bool independent = false;  // the policy names them
};
Destinations DestinationsOf(const Policy& policy);

// Longer than this, nobody used the vault; or the clock was set ahead.
inline constexpr absl::Duration kLongestPause = absl::Hours(24 * 31);

// Whether expiry can be told by the clock: it is not behind the log, and within the last days of
// the log, or between it and now, there is no gap longer than kLongestPause, unless `accept_pause`.
// FailedPrecondition otherwise. Takes some twenty reads of the log, however long it is.
absl::Status CheckClock(keyring::Keyring& keyring, absl::Time now, bool accept_pause);

}  // namespace sealbook::policies
