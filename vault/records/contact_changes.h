// Changes of contacts that are there, a few at a time: their fields, and the books that they are
// in. Each call is one session and one transaction with its audit row.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vault/audit/log.h"
#include "vault/keyring/keyring.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::records {

// A change of one contact by whoever may write the classes concerned.
struct ContactChange {
  std::vector<ClassFields> classes;  // whole new contents; an empty class is removed
  // Identifiers that go and come. Need the index key where there are any.
  std::vector<IdentifierValue> removed = {}, added = {};
};
// What to change, given the contact as it stands: called inside the transaction, so that of two who
// change a contact at once neither undoes the other.
using MakeChange = std::function<absl::StatusOr<ContactChange>(const store::ContactRow&)>;
// Seals the changed classes again under a new session and wraps them for every book that the
// contact is in, so that every book reads the new value. `event` is written in the same
// transaction. AlreadyExists: an identifier belongs to another contact. NotFound, DataLoss.
absl::Status ChangeContact(keyring::Keyring& keyring, ContactNumber number,
                           const MakeChange& make_change, const audit::Event& event);

// PermissionDenied: the role may not assign contacts to books.
absl::Status MayAssign(keyring::Keyring& keyring);

// Assigns contacts that this member reads to a book. NotFound for the first that is not there.
struct AssignResult {
  std::int64_t assigned = 0, already = 0;
};
absl::StatusOr<AssignResult> AssignContacts(keyring::Keyring& keyring, BookId book,
                                            const std::vector<ContactNumber>& contacts,
                                            const audit::Event& event);

// Takes contacts out of a book: their wraps for it go, and no key of the book opens what is written
// of them from then on. What members of the book wrote into them is written again, since it would
// count no more. PermissionDenied: this member does not reach every contact.
struct UnassignResult {
  std::int64_t unassigned = 0, already = 0;  // already: not in the book
};
absl::StatusOr<UnassignResult> UnassignContacts(keyring::Keyring& keyring, BookId book,
                                                const std::vector<ContactNumber>& contacts,
                                                const audit::Event& event);

}  // namespace sealbook::records
