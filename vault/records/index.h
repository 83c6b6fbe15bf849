// The one index of identifiers (docs/format.md, "Index row"): keyed hashes that whoever holds the
// compartment (root, index) can make, and nobody else. Phone numbers are few enough to try them
// all, so holders of the key can test numbers: roles have it that create contacts, and no others.
//
// The key is that of the compartment's epoch. While rows of older epochs are there (draining.h
// moves them), an identifier is looked for under each epoch's key and written under the newest.
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

// A row without any identifier is found again by all that it says (kRow). Its value, a hash of
// that, stands as a field of its own among the contact's sealed ones and is never shown: so whoever
// moves the index to another key can do without the list that the row came from.
inline constexpr absl::string_view kRowField = "\x01row";

// Under which an identifier may stand in the index.
struct IdentifierHashes {
  crypto::Hash128 current{};
  std::vector<crypto::Hash128> older;  // of epochs that are not drained yet, newest first

  bool Contains(const crypto::Hash128& hash) const;
};

// The hashes that a contact's row lists.
std::vector<crypto::Hash128> ListedHashes(const store::ContactRow& row);

class IdentifierIndex {
 public:
  // PermissionDenied: the member does not hold the index key.
  static absl::StatusOr<IdentifierIndex> Open(keyring::Keyring& keyring);

  // Under the newest key.
  crypto::Hash128 HashOf(IdentifierKind kind, absl::string_view value) const;
  IdentifierHashes HashesOf(IdentifierKind kind, absl::string_view value) const;
  store::IndexRow MakeRow(const crypto::Hash128& hash, ContactNumber contact) const;
  // nullopt: nobody has it. DataLoss: a row that was altered, moved or planted.
  absl::StatusOr<std::optional<ContactNumber>> Find(const crypto::Hash128& hash) const;
  absl::StatusOr<std::optional<ContactNumber>> Find(const IdentifierHashes& hashes) const;
  // DataLoss: its tag does not bind it to its contact.
  absl::Status Check(const store::IndexRow& row) const;
  // Whether its tag is one of the newest key.
  bool IsNewest(const store::IndexRow& row) const;
  // The epoch of the newest key.
  std::uint32_t epoch() const { return epoch_; }

 private:
  struct Keys {
    crypto::IndexHashKey hash;
    crypto::IndexTagKey tag;
  };
  IdentifierIndex(keyring::Keyring& keyring, std::uint32_t epoch, std::vector<Keys> keys)
      : keyring_(&keyring), epoch_(epoch), keys_(std::move(keys)) {}

  keyring::Keyring* keyring_;
  std::uint32_t epoch_;
  std::vector<Keys> keys_;  // newest first
};

}  // namespace sealbook::records
