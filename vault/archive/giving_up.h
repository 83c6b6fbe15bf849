// Destinations that the policy names no more: what the vault brought there, and the word of an
// admin that one of them exists no more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"

namespace sealbook::archive {

struct LeftDestination {
  std::string url;
  std::int64_t files = 0;  // that were brought there and not deleted
};
// Those that are none of `urls` and were not given up.
absl::StatusOr<std::vector<LeftDestination>> LeftDestinations(keyring::Keyring& keyring,
                                                              const std::vector<std::string>& urls);

// The archives that stand at `url` and nowhere else, with chats that are gone from here.
absl::StatusOr<std::vector<std::string>> OnlyAt(keyring::Keyring& keyring, const std::string& url);

// Nothing waits for the destination any more: neither erasures nor the destruction of archives. One
// transaction with its entry in the log, which has `reason`, sealed. A destination that comes back
// into the policy is looked at again as a whole.
absl::Status GiveUpDestination(keyring::Keyring& keyring, const std::string& url,
                               const std::string& reason);

}  // namespace sealbook::archive
