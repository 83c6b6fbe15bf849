// The one index of identifiers (docs/format.md, "Index row"): keyed hashes that whoever holds the
// compartment (root, index) can make, and nobody else. Phone numbers are few enough to try them
// all, so holders of the key can test numbers: roles have it that create contacts, and no others.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/store/store.h"

namespace sealbook::records {

struct IdentifierValue {
  IdentifierKind kind{};
  std::string value;  // normalised (anonymizer/identifiers.h)
  friend bool operator==(const IdentifierValue&, const IdentifierValue&) = default;
};

class IdentifierIndex {
 public:
  // PermissionDenied: the member does not hold the index key.
  static absl::StatusOr<IdentifierIndex> Open(keyring::Keyring& keyring);

  crypto::Hash128 HashOf(IdentifierKind kind, absl::string_view value) const;
  store::IndexRow MakeRow(const crypto::Hash128& hash, ContactNumber contact) const;
  // nullopt: nobody has it. DataLoss: a row that was altered, moved or planted.
  absl::StatusOr<std::optional<ContactNumber>> Find(const crypto::Hash128& hash) const;
  // DataLoss: its tag does not bind it to its contact.
  absl::Status Check(const store::IndexRow& row) const;

 private:
  IdentifierIndex(keyring::Keyring& keyring, crypto::IndexHashKey hash_key,
                  crypto::IndexTagKey tag_key)
      : keyring_(&keyring), hash_key_(std::move(hash_key)), tag_key_(std::move(tag_key)) {}
  crypto::Hash128 TagOf(const crypto::Hash128& hash, ContactNumber contact) const;

  keyring::Keyring* keyring_;
  crypto::IndexHashKey hash_key_;
  crypto::IndexTagKey tag_key_;
};

}  // namespace sealbook::records
