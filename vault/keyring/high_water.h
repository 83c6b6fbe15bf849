// High-water marks: the newest roster version, session and audit row that this OS user has seen,
// kept outside the vault ($XDG_STATE_HOME/sealbook/<vault id>.json), so that a vault put back to an
// older state is noticed.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/hash.h"
#include "vault/keyring/roster.h"

namespace sealbook::keyring {

struct HighWater {
  std::uint64_t roster_version = 0;
  crypto::Hash256 roster_hash{};
  std::int64_t session = 0;
  crypto::Hash256 session_hash{};
  std::int64_t taking = -1;  // the newest session up to that one that took something away, 0: none;
                             // -1: not known
  std::int64_t audit = 0;
  crypto::Hash256 audit_hash{};
};

// $XDG_STATE_HOME/sealbook, or ~/.local/state/sealbook; empty where neither is known.
std::string StateDirectory();

// nullopt: nothing seen yet. DataLoss: the file is damaged.
absl::StatusOr<std::optional<HighWater>> LoadHighWater(const VaultId& vault);
absl::Status SaveHighWater(const VaultId& vault, const HighWater& marks);
std::string HighWaterPath(const VaultId& vault);

}  // namespace sealbook::keyring
