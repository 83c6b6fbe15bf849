// The parts of writing that bulk import, changes of one contact and assignments share.
#pragma once

#include <vector>

#include "vault/keyring/session_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/records/contact_writer.h"

namespace sealbook::records {

// One class sealed under a new value key, and that key wrapped for each of some books. Sessions get
// their numbers later, inside the transaction: `session` is 0 until then.
struct SealedClass {
  ValueEntry value;
  std::vector<WrapEntry> wraps;  // in the order of the books
};
absl::StatusOr<SealedClass> SealClass(keyring::SessionWriter& session,
                                      const keyring::VaultId& vault, ContactNumber contact,
                                      std::int64_t token, ClassId class_id, std::uint32_t revision,
                                      const Fields& fields, const std::vector<BookId>& books);

// The wrap of a value key for one book.
absl::StatusOr<WrapEntry> WrapFor(keyring::SessionWriter& session, const keyring::VaultId& vault,
                                  ContactNumber contact, std::int64_t token, ClassId class_id,
                                  std::uint32_t revision, BookId book, const crypto::ValueKey& key);

// Inside a write transaction: puts new contents of some classes into a contact's row, and their
// wraps into the row of every book whose assignment of the contact counts. DataLoss: one that does
// not count is there; nothing is wrapped for anybody then. `assigned` are books that AssignOne put
// the contact into under this session, which is not there yet to be asked.
absl::Status RewriteClasses(keyring::Keyring& keyring, keyring::SessionWriter& session,
                            store::ContactRow& row, const std::vector<ClassFields>& classes,
                            const std::vector<BookId>& assigned = {});

// Inside a write transaction: makes the index rows of a contact those of `identifiers`, under the
// newest key. AlreadyExists: one belongs to another contact.
absl::Status ReplaceIdentifiers(keyring::Keyring& keyring, const IdentifierIndex& index,
                                store::ContactRow& row,
                                const std::vector<IdentifierHashes>& identifiers);

// Inside a write transaction: assigns a contact, wrapping all of its classes' keys, which `reader`
// must be able to open. False: it was assigned already.
absl::StatusOr<bool> AssignOne(keyring::Keyring& keyring, keyring::SessionWriter& session,
                               ContactReader& reader, BookId book, const store::ContactRow& row);

// Inside a write transaction: takes a contact out of a book. What was written through that book is
// written again under `session`, whose member `reader` reads for. False: it was not in it.
absl::StatusOr<bool> UnassignOne(keyring::Keyring& keyring, keyring::SessionWriter& session,
                                 ContactReader& reader, BookId book, store::ContactRow& row);

}  // namespace sealbook::records
