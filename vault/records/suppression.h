// People who must not come back: keyed hashes of the identifiers of whoever was erased
// (docs/format.md, "Suppression"). The key is derived from that of the chats' tags, which whoever
// creates contacts holds and which is never changed: the clear values are gone.
#pragma once

#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/records/index.h"

namespace sealbook::records {

inline constexpr char kSuppressedReason[] =
    "has an identifier of somebody who was erased, and must not be imported again";

class Suppressions {
 public:
  // nullopt: nobody is suppressed. PermissionDenied: the member does not hold the index's secret.
  static absl::StatusOr<std::optional<Suppressions>> Open(keyring::Keyring& keyring);
  // Inside a write transaction.
  static absl::Status Add(keyring::Keyring& keyring, std::span<const IdentifierValue> identifiers);

  absl::StatusOr<bool> Contains(const IdentifierValue& identifier) const;

 private:
  Suppressions(keyring::Keyring& keyring, crypto::SuppressionKey key)
      : keyring_(&keyring), key_(std::move(key)) {}

  keyring::Keyring* keyring_;
  crypto::SuppressionKey key_;
};

}  // namespace sealbook::records
