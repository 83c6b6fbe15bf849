// The vault's health: everything that is stored, held against "What counts" (docs/format.md), as
// far as this member's keys reach; and the repair of what can be taken away or made again without
// loss.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"

namespace sealbook::records {

struct HealthCheck {
  std::string name;  // "contacts"
  bool ok = true;
  std::string detail;  // what was looked at, or the first fault and how many
};

struct HealthOptions {
  // Removes entries without a place in the roster, rows that do not count, and makes missing index
  // rows again. For members who may change the roster.
  bool repair = false;
  std::function<void(const std::string& check, std::int64_t rows)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};

// A check that could not be made is a fault. Cancelled: interrupted.
absl::StatusOr<std::vector<HealthCheck>> CheckHealth(keyring::Keyring& keyring,
                                                     const HealthOptions& options);

}  // namespace sealbook::records
