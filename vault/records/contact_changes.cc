#include "vault/records/contact_changes.h"

#include <algorithm>

#include "vault/keyring/session_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/records/sealing.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// How many of the contacts `change` says it changed. Where it is none, nothing is written.
using ChangeOne = absl::StatusOr<bool> (*)(keyring::Keyring&, keyring::SessionWriter&,
                                           ContactReader&, BookId, store::ContactRow&);
absl::StatusOr<std::int64_t> ChangeAll(keyring::Keyring& keyring, BookId book,
                                       const std::vector<ContactNumber>& contacts,
                                       const audit::Event& event, ChangeOne change) {
  RETURN_IF_ERROR(MayAssign(keyring));
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  auto session = keyring::SessionWriter::Open(keyring);
  ContactReader reader(keyring);
  std::int64_t changed = 0;
  for (const ContactNumber contact : contacts) {
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring.store().GetContact(contact, row));
    if (!found) return absl::NotFoundError("no such contact");
    ASSIGN_OR_RETURN(const bool one, change(keyring, session, reader, book, row));
    if (one) ++changed;
  }
  if (changed == 0) return 0;
  RETURN_IF_ERROR(session.Insert());
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), event));
  RETURN_IF_ERROR(transaction.Commit());
  return changed;
}

}  // namespace

absl::Status ChangeContact(keyring::Keyring& keyring, ContactNumber number,
                           const MakeChange& make_change, const audit::Event& event) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  auto session = keyring::SessionWriter::Open(keyring);
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, keyring.store().GetContact(number, row));
  if (!found) return absl::NotFoundError("no such contact");
  ASSIGN_OR_RETURN(const ContactChange change, make_change(row));
  for (const ClassFields& fields : change.classes) {
    if (!keyring.role().Writes(fields.class_id)) {
      return WithHint(absl::PermissionDeniedError("this role may not change that field"),
                      "Ask an admin.");
    }
  }
  if (!change.removed.empty() || !change.added.empty()) {
    ASSIGN_OR_RETURN(const IdentifierIndex index, IdentifierIndex::Open(keyring));
    const auto listed_in = [&](const crypto::Hash128& hash,
                               const std::vector<IdentifierValue>& identifiers) {
      return std::any_of(identifiers.begin(), identifiers.end(),
                         [&](const IdentifierValue& identifier) {
                           return index.HashesOf(identifier.kind, identifier.value).Contains(hash);
                         });
    };
    std::vector<IdentifierHashes> hashes;
    for (const crypto::Hash128& hash : ListedHashes(row)) {
      if (listed_in(hash, change.removed) || listed_in(hash, change.added)) continue;
      // The list in the row is unsealed: what stays must be this contact's by the index as well.
      ASSIGN_OR_RETURN(const auto owner, index.Find(hash));
      if (owner != number)
        return absl::DataLossError("an identifier of this contact is not in the index");
      hashes.push_back({.current = hash, .older = {}});
    }
    for (const IdentifierValue& identifier : change.added) {
      hashes.push_back(index.HashesOf(identifier.kind, identifier.value));
    }
    RETURN_IF_ERROR(ReplaceIdentifiers(keyring, index, row, hashes));
  }
  RETURN_IF_ERROR(RewriteClasses(keyring, session, row, change.classes));
  RETURN_IF_ERROR(session.Insert());
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), event));
  return transaction.Commit();
}

absl::Status MayAssign(keyring::Keyring& keyring) {
  if (keyring.role().Has(keyring::Power::kAssign)) return absl::OkStatus();
  return WithHint(absl::PermissionDeniedError("this role may not assign contacts to books"),
                  "Ask an admin.");
}

absl::StatusOr<AssignResult> AssignContacts(keyring::Keyring& keyring, BookId book,
                                            const std::vector<ContactNumber>& contacts,
                                            const audit::Event& event) {
  ASSIGN_OR_RETURN(const std::int64_t assigned,
                   ChangeAll(keyring, book, contacts, event,
                             [](auto& keys, auto& session, auto& reader, BookId to, auto& row) {
                               return AssignOne(keys, session, reader, to, row);
                             }));
  return AssignResult{assigned, static_cast<std::int64_t>(contacts.size()) - assigned};
}

absl::StatusOr<UnassignResult> UnassignContacts(keyring::Keyring& keyring, BookId book,
                                                const std::vector<ContactNumber>& contacts,
                                                const audit::Event& event) {
  ASSIGN_OR_RETURN(const std::int64_t unassigned,
                   ChangeAll(keyring, book, contacts, event,
                             [](auto& keys, auto& session, auto& reader, BookId from, auto& row) {
                               return UnassignOne(keys, session, reader, from, row);
                             }));
  return UnassignResult{unassigned, static_cast<std::int64_t>(contacts.size()) - unassigned};
}

}  // namespace sealbook::records
