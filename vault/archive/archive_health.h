// Archives and what is known of them, held against "What counts" (docs/format.md): a part of what
// `doctor` looks at. What stands at the destinations is for `archive verify --remote`.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/records/health.h"

namespace sealbook::archive {

// Checks "retention": archives' signatures, the keys of what they have, the spool, holds and
// labels, tombstones, and the counts by which chat keys go.
absl::StatusOr<records::HealthCheck> CheckArchives(keyring::Keyring& keyring,
                                                   const std::function<bool()>& interrupted);

}  // namespace sealbook::archive
