// Epochs of compartments: what a change of the roster means for the keys (docs/format.md,
// "Epochs").
//
// A member holds a compartment where its role holds the class and it is in the book, or its role
// reaches the root book. Whenever a roster version takes a compartment from somebody, the same
// transaction gives it a new epoch: a new pair, granted to those who hold it now, and the older
// secret sealed under the newer one (a link). So nothing that is written from then on opens with
// what was taken along, whatever the number of rows. Those are moved to the new epoch afterwards
// (records/draining.h); then the links go.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"

namespace sealbook::keyring {

// True where `member` is to be granted the compartment, by its role and books in `roster`. A book's
// compartments reach the root book's readers through the root compartment of the class.
bool IsGranted(const Roster& roster, const Member& member, BookId book, ClassId class_id);
// As IsGranted, or through the root compartment of the class.
bool HoldsCompartment(const Roster& roster, const Member& member, BookId book, ClassId class_id);

// Compares `next` with the roster in force, inside the transaction that publishes it: makes the
// compartments that have epoch 0, gives a new epoch to those that somebody loses and to those for
// which `renew` (may be null) is true, and writes grants and links. A member whose X25519 key
// changes loses what it held under the old key.
// PermissionDenied: this member does not hold what it would have to grant.
absl::Status SettleKeys(Keyring& keyring, Roster& next,
                        const std::function<bool(const Compartment&)>& renew);

// The secret of a compartment's older epoch, sealed under that of the epoch after it.
crypto::Bytes SealEpochLink(const VaultId& vault, BookId book, ClassId class_id,
                            std::uint32_t older_epoch, const crypto::ExchangePair& older,
                            const crypto::ExchangePair& newer);
// DataLoss: altered, or of another place.
absl::StatusOr<crypto::ExchangePair> OpenEpochLink(const VaultId& vault,
                                                   const store::EpochLinkRow& row,
                                                   const crypto::ExchangePair& newer);

// A compartment under whose older epochs rows may still stand.
struct Undrained {
  BookId book{};
  ClassId class_id{};
  std::vector<std::uint32_t> epochs;  // ascending
};
// Without (root, `audit`): the log is never written again, so its links stay.
absl::StatusOr<std::vector<Undrained>> ListUndrained(Keyring& keyring);
// How many of those `member` held at such an epoch and does not hold now: what still opens, in a
// later copy of the files, with the keys that it had.
std::size_t UndrainedFrom(const RosterHistory& history, const Member& member,
                          const std::vector<Undrained>& undrained);

}  // namespace sealbook::keyring
