// The first step of an archive: which chunks it will have (archive_states.h, "planned").
//
// Keys are fixed before a byte of the archive is written, so that whatever happens afterwards (a
// message that arrives late for the same day, an erasure, a crash) it is known to the row what the
// archive has, and what not.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"

namespace sealbook::archive {

struct PlanOptions {
  // Of customers under this label; under "" of all who are under none of `labels`.
  std::string label;
  std::set<std::string> labels;  // those of which the policy knows
  std::int32_t before_day = 0;   // chats of earlier days have expired
  std::int64_t max_messages = 0;
  std::set<ContactNumber> skip;  // customers that are left where they are
  std::function<bool()> interrupted = nullptr;
};

// An archive has chats of one month at most, so that it can be destroyed in time, and so many that
// the lists that it needs in memory stay small.
inline constexpr std::int64_t kMaxPlannedChunks = 500'000;
inline constexpr std::int64_t kMaxPlannedBytes = 512 << 20;

struct PlannedArchive {
  std::int64_t run = 0;
  std::int64_t chunks = 0, messages = 0;
};
// Plans one archive of the oldest chats that have expired, in short transactions. nullopt: nothing
// has. Cancelled: interrupted; what was planned stays planned.
absl::StatusOr<std::optional<PlannedArchive>> PlanArchive(keyring::Keyring& keyring,
                                                          const PlanOptions& options);

// Whether PlanArchive would find something. Inside a view of the vault.
absl::StatusOr<bool> AnyExpired(store::Store& store, const PlanOptions& options);

// What would be planned, without planning it.
struct Expired {
  std::int64_t messages = 0, chunks = 0, bytes = 0;
  std::int64_t held = 0;  // messages that have expired and stay, since their customers are on hold
  std::int32_t first_day = 0, last_day = 0;
};
absl::StatusOr<Expired> CountExpired(keyring::Keyring& keyring, const PlanOptions& options);

}  // namespace sealbook::archive
