#include "vault/records/sealing.h"

#include <algorithm>

#include "vault/crypto/aead.h"
#include "vault/records/chat_keys.h"
#include "vault/status.h"

namespace sealbook::records {

absl::StatusOr<WrapEntry> WrapFor(keyring::SessionWriter& session, const keyring::VaultId& vault,
                                  ContactNumber contact, std::int64_t token, ClassId class_id,
                                  std::uint32_t revision, BookId book,
                                  const crypto::ValueKey& key) {
  ASSIGN_OR_RETURN(const crypto::WrapKey* wrap_key, session.Wrap(book, class_id));
  const Place place{.vault = vault,
                    .contact = contact,
                    .token = token,
                    .class_id = class_id,
                    .revision = revision,
                    .session = session.ephemeral(),
                    .book = book};
  WrapEntry wrap{.class_id = class_id, .session = 0, .revision = revision, .sealed = {}};
  wrap.sealed = crypto::Seal(*wrap_key, place.ForWrap(), key.ExposeBytes());
  return wrap;
}

absl::StatusOr<SealedClass> SealClass(keyring::SessionWriter& session,
                                      const keyring::VaultId& vault, ContactNumber contact,
                                      std::int64_t token, ClassId class_id, std::uint32_t revision,
                                      const Fields& fields, const std::vector<BookId>& books) {
  ASSIGN_OR_RETURN(const crypto::SessionSecret* secret, session.RootSecret(class_id));
  const crypto::ValueKey key = crypto::DeriveValueKey(*secret, contact, class_id, revision);
  const Place place{.vault = vault,
                    .contact = contact,
                    .token = token,
                    .class_id = class_id,
                    .revision = revision,
                    .session = session.ephemeral(),
                    .book = kRootBook};
  SealedClass out;
  out.value = {.class_id = class_id, .session = 0, .revision = revision, .sealed = {}};
  crypto::Bytes plaintext = EncodeFields(fields);
  out.value.sealed = crypto::Seal(key, place.ForValue(), plaintext);
  crypto::Wipe(plaintext.data(), plaintext.size());
  out.wraps.reserve(books.size());
  for (const BookId book : books) {
    ASSIGN_OR_RETURN(WrapEntry wrap,
                     WrapFor(session, vault, contact, token, class_id, revision, book, key));
    out.wraps.push_back(std::move(wrap));
  }
  return out;
}

absl::Status RewriteClasses(keyring::Keyring& keyring, keyring::SessionWriter& session,
                            store::ContactRow& row, const std::vector<ClassFields>& classes,
                            const std::vector<BookId>& assigned_now) {
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  ASSIGN_OR_RETURN(std::vector<ValueEntry> values, DecodeValues(row.values));
  // Only assignments that count: to wrap for a planted one would hand the new value to its planter.
  std::vector<BookId> books;
  std::vector<store::BookContactRow> book_rows;
  std::vector<std::vector<WrapEntry>> book_wraps;
  for (const keyring::Book& book : keyring.roster().books) {
    store::BookContactRow assigned;
    ASSIGN_OR_RETURN(const bool found,
                     keyring.store().GetBookContact(book.id, row.number, assigned));
    if (!found) continue;
    if (std::find(assigned_now.begin(), assigned_now.end(), book.id) == assigned_now.end())
      RETURN_IF_ERROR(keyring.sessions().CheckAssignment(book.id, row.number, assigned.session));
    ASSIGN_OR_RETURN(std::vector<WrapEntry> wraps, DecodeWraps(assigned.wraps));
    books.push_back(book.id);
    book_wraps.push_back(std::move(wraps));
    book_rows.push_back(std::move(assigned));
  }
  for (const ClassFields& changed : classes) {
    const auto old = std::find_if(values.begin(), values.end(), [&](const ValueEntry& e) {
      return e.class_id == changed.class_id;
    });
    // An emptied class keeps its entry, with no fields: its revision must not begin anew, since a
    // key comes from contact, class and revision.
    if (old == values.end() && changed.fields.empty()) continue;
    const std::uint32_t revision = old == values.end() ? 1 : old->revision + 1;
    ASSIGN_OR_RETURN(SealedClass sealed,
                     SealClass(session, keyring.roster().vault, row.number, row.token,
                               changed.class_id, revision, changed.fields, books));
    sealed.value.session = number;
    if (old == values.end()) {
      values.push_back(std::move(sealed.value));
    } else {
      *old = std::move(sealed.value);
    }
    for (std::size_t i = 0; i < books.size(); ++i) {
      std::erase_if(book_wraps[i],
                    [&](const WrapEntry& wrap) { return wrap.class_id == changed.class_id; });
      sealed.wraps[i].session = number;
      book_wraps[i].push_back(std::move(sealed.wraps[i]));
    }
  }
  row.values = EncodeValues(values);
  RETURN_IF_ERROR(keyring.store().UpdateContact(row));
  for (std::size_t i = 0; i < books.size(); ++i) {
    book_rows[i].wraps = EncodeWraps(book_wraps[i]);
    RETURN_IF_ERROR(keyring.store().PutBookContact(book_rows[i]));
  }
  return absl::OkStatus();
}

absl::Status ReplaceIdentifiers(keyring::Keyring& keyring, const IdentifierIndex& index,
                                store::ContactRow& row,
                                const std::vector<IdentifierHashes>& identifiers) {
  for (const IdentifierHashes& identifier : identifiers) {
    ASSIGN_OR_RETURN(const auto owner, index.Find(identifier));
    if (owner && *owner != row.number) {
      return WithHint(absl::AlreadyExistsError("an identifier belongs to another contact"),
                      "Look it up to find the other contact.");
    }
  }
  for (const crypto::Hash128& old : ListedHashes(row)) {
    if (std::any_of(identifiers.begin(), identifiers.end(),
                    [&](const IdentifierHashes& identifier) { return identifier.current == old; }))
      continue;
    // The list in the row is unsealed: it may only take away rows that are this contact's.
    store::IndexRow found;
    ASSIGN_OR_RETURN(const bool there, keyring.store().FindIndex(old, found));
    if (there && found.contact == row.number) RETURN_IF_ERROR(keyring.store().DeleteIndex(old));
  }
  row.identifiers.clear();
  for (const IdentifierHashes& identifier : identifiers) {
    const crypto::Hash128& hash = identifier.current;
    row.identifiers.insert(row.identifiers.end(), hash.begin(), hash.end());
    store::IndexRow found;
    ASSIGN_OR_RETURN(const bool there, keyring.store().FindIndex(hash, found));
    if (!there) RETURN_IF_ERROR(keyring.store().InsertIndex(index.MakeRow(hash, row.number)));
  }
  return keyring.store().UpdateContact(row);
}

absl::StatusOr<bool> AssignOne(keyring::Keyring& keyring, keyring::SessionWriter& session,
                               ContactReader& reader, BookId book, const store::ContactRow& row) {
  store::BookContactRow assigned;
  ASSIGN_OR_RETURN(const bool found, keyring.store().GetBookContact(book, row.number, assigned));
  if (found) {
    RETURN_IF_ERROR(keyring.sessions().CheckAssignment(book, row.number, assigned.session));
    return false;
  }
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
  ASSIGN_OR_RETURN(auto books_before, reader.AssignedBooks(row.number));
  std::vector<WrapEntry> wraps;
  for (const ValueEntry& entry : values) {
    RETURN_IF_ERROR(reader.CheckWriter(row, entry));
    ASSIGN_OR_RETURN(const crypto::ValueKey key, reader.OpenValueKey(row, entry));
    ASSIGN_OR_RETURN(WrapEntry wrap, WrapFor(session, keyring.roster().vault, row.number, row.token,
                                             entry.class_id, entry.revision, book, key));
    wrap.session = number;
    wraps.push_back(std::move(wrap));
  }
  RETURN_IF_ERROR(keyring.store().PutBookContact(
      {.book = book, .contact = row.number, .session = number, .wraps = EncodeWraps(wraps)}));
  const ChatOwner owner{row.number, row.token};
  ChatKeys chats(keyring);
  chats.Turn(owner, std::move(books_before));
  RETURN_IF_ERROR(WrapChatKeys(keyring, session, chats, owner, book).status());
  session.Cover(keyring::CoverageKind::kAssigned, book, row.number);
  return true;
}

absl::StatusOr<bool> UnassignOne(keyring::Keyring& keyring, keyring::SessionWriter& session,
                                 ContactReader& reader, BookId book, store::ContactRow& row) {
  store::BookContactRow assigned;
  ASSIGN_OR_RETURN(const bool found, keyring.store().GetBookContact(book, row.number, assigned));
  if (!found) return false;
  // A planted row goes without a trace in the session: nothing was taken that counted.
  const bool counted = keyring.sessions().CheckAssignment(book, row.number, assigned.session).ok();
  std::vector<ClassFields> again;
  ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
  for (const ValueEntry& entry : values) {
    if (!counted) break;
    // What does not count is left for its readers to find: it must keep nobody in the book.
    const auto writing = keyring.sessions().Get(entry.session);
    if (absl::IsDataLoss(writing.status())) continue;
    RETURN_IF_ERROR(writing.status());
    const keyring::Roster* roster = keyring.history().Version((*writing)->roster_version);
    const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember((*writing)->member));
    if (role != nullptr && role->root_scope) continue;
    if (!keyring.role().MayWriteAgain(entry.class_id)) {
      return WithHint(absl::PermissionDeniedError(
                          "members of the book wrote into this contact, and this role may not "
                          "write that again"),
                      "Ask an admin.");
    }
    auto fields = reader.OpenClass(row, entry.class_id);
    if (absl::IsDataLoss(fields.status())) continue;
    RETURN_IF_ERROR(fields.status());
    if (*fields) again.push_back({entry.class_id, **std::move(fields)});
  }
  RETURN_IF_ERROR(keyring.store().DeleteBookContact(book, row.number));
  RETURN_IF_ERROR(keyring.store().DeleteChatWraps(book, row.number));
  if (!counted) return true;
  ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t number, session.Number());
  session.Cover(keyring::CoverageKind::kTakenAway, book, row.number);
  if (!again.empty()) RETURN_IF_ERROR(RewriteClasses(keyring, session, row, again));
  return true;
}

}  // namespace sealbook::records
