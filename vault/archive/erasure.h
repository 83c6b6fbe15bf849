// The right to be erased: a contact goes from everywhere in the vault at once, and from archives by
// the subject shards, which lose the contact's secret (archive_place.h, SyncShards).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::archive {

struct ErasureRequest {
  ContactNumber contact = 0;
  std::string reason;  // into the log, sealed
  // The identifiers of a contact's fields, normalised, so that nobody imports them again.
  std::function<std::vector<records::IdentifierValue>(const records::Fields& identity)>
      identifiers_of;
  std::vector<std::string> destinations;  // addresses
};

struct Erased {
  std::int64_t token = 0;
  std::int64_t shard_version = 0;  // from which on its shard is without it; 0: it never was in one
  std::string receipt_id, receipt;
  std::vector<std::string> archives;  // names of those that have something of the contact
  std::vector<std::string> pending;   // destinations that the erasure has to reach still
};

// One transaction: rows, wraps, chats, tags and marks go; suppressions, the tombstone, the receipt
// and the log are written. Then the WAL is truncated.
// PermissionDenied: the permit, or the member does not read identities. NotFound.
// FailedPrecondition: the contact is on hold.
absl::StatusOr<Erased> EraseContact(keyring::Keyring& keyring, const PurgePermit& permit,
                                    const ErasureRequest& request, absl::Time now);

// An erasure that has reached every destination but those that were `given_up`: the log's row, and
// a receipt that says so. Its text.
absl::StatusOr<std::string> ConfirmErasure(keyring::Keyring& keyring, ContactNumber contact,
                                           std::int64_t token,
                                           const std::vector<std::string>& destinations,
                                           const std::vector<std::string>& given_up,
                                           absl::Time now);

}  // namespace sealbook::archive
