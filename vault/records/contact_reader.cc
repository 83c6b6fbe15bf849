#include "vault/records/contact_reader.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/aead.h"
#include "vault/keyring/epochs.h"
#include "vault/records/at_token.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// How many rows are read in one view of the vault.
constexpr int kPageRows = 500;

absl::Status NotThere() {
  return WithHint(absl::NotFoundError("no such contact among those assigned to you"),
                  "Check the token or number; 'sealbook list' shows your contacts.");
}

const ValueEntry* Find(const std::vector<ValueEntry>& entries, ClassId class_id) {
  const auto at = std::find_if(entries.begin(), entries.end(),
                               [&](const ValueEntry& e) { return e.class_id == class_id; });
  return at == entries.end() ? nullptr : &*at;
}

}  // namespace

absl::StatusOr<std::vector<store::BookContactRow>> ContactReader::AssignedBooks(
    ContactNumber number) {
  std::vector<store::BookContactRow> rows;
  const keyring::Roster& roster = keyring_.roster();
  const bool root = keyring_.role().root_scope;
  for (const keyring::Book& book : roster.books) {
    if (!root && !roster.IsMember(book.id, keyring_.bundle().member)) continue;
    store::BookContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetBookContact(book.id, number, row));
    if (!found) continue;
    RETURN_IF_ERROR(keyring_.sessions().CheckAssignment(book.id, number, row.session));
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<ContactNumber> ContactReader::FindToken(std::int64_t token) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  ASSIGN_OR_RETURN(const auto number, keyring_.store().FindToken(token));
  if (!number) return NotThere();
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(*number, row));
  const auto books = AssignedBooks(*number);
  if (!books.ok()) return AtToken(token, books.status());
  if (!keyring_.role().root_scope && books->empty()) return NotThere();
  if (!found || row.token != token)
    return AtToken(token, absl::DataLossError("the token's row was altered or moved"));
  return *number;
}

absl::StatusOr<ContactNumber> ContactReader::FindIdentifier(IdentifierKind kind,
                                                            absl::string_view value) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  ASSIGN_OR_RETURN(const IdentifierIndex index, IdentifierIndex::Open(keyring_));
  ASSIGN_OR_RETURN(const auto number, index.Find(index.HashesOf(kind, value)));
  if (!number) return NotThere();
  return *number;
}

// A session's record does not say what was written under it, and who was taken out of a book may
// have kept its secret: so what came through a book counts while that epoch of it is there.
absl::StatusOr<bool> ContactReader::EpochStands(const ValueEntry& entry, BookId book) {
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(entry.session));
  const keyring::Compartment* then =
      keyring_.history().Version(session->roster_version)->FindCompartment(book, entry.class_id);
  const keyring::Compartment* now = keyring_.roster().FindCompartment(book, entry.class_id);
  if (then == nullptr || now == nullptr) return false;
  if (then->epoch == now->epoch) return true;
  const absl::Status opens = keyring_.CompartmentPair(book, entry.class_id, then->epoch).status();
  if (opens.ok() || absl::IsDataLoss(opens)) return opens.ok();
  if (!absl::IsPermissionDenied(opens)) return opens;
  // Another book's: whether the link is right is for its readers to see.
  ASSIGN_OR_RETURN(const auto link,
                   keyring_.store().GetEpochLink(book, entry.class_id, then->epoch));
  return link.has_value();
}

absl::Status ContactReader::CheckWriter(const store::ContactRow& row, const ValueEntry& entry) {
  return keyring_.sessions().CheckWriter(
      entry.session, row.number, entry.class_id, [&](BookId book) -> absl::StatusOr<std::int64_t> {
        store::BookContactRow assigned;
        ASSIGN_OR_RETURN(const bool found,
                         keyring_.store().GetBookContact(book, row.number, assigned));
        if (!found) return 0;
        ASSIGN_OR_RETURN(const bool stands, EpochStands(entry, book));
        return stands ? assigned.session : 0;
      });
}

// A wrap counts when whoever wrote the value made it, or a member who may assign, or one who held
// the book's key and so could open whatever it is for: everybody knows a book's public key, so
// anybody could wrap a key of their own for its readers.
absl::Status ContactReader::CheckWrap(std::int64_t written, BookId book, ClassId class_id,
                                      std::int64_t wrapped) {
  if (wrapped == written) return absl::OkStatus();
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(wrapped));
  const keyring::Roster* roster = keyring_.history().Version(session->roster_version);
  const keyring::Member& signer = *roster->FindMember(session->member);
  const keyring::RoleDefinition* role = roster->RoleOf(signer);
  if (role != nullptr && role->Has(keyring::Power::kAssign)) return absl::OkStatus();
  if (keyring::HoldsCompartment(*roster, signer, book, class_id)) return absl::OkStatus();
  return absl::DataLossError(
      "a book's key was wrapped by a member who neither assigns nor reads there");
}

absl::StatusOr<crypto::ValueKey> ContactReader::KeyOf(
    const store::ContactRow& row, const ValueEntry& entry,
    const std::vector<store::BookContactRow>& books) {
  if (keyring_.role().root_scope) {
    ASSIGN_OR_RETURN(const keyring::SessionKeys* keys,
                     keyring_.ReadKeys(entry.session, kRootBook, entry.class_id));
    return crypto::DeriveValueKey(keys->secret, row.number, entry.class_id, entry.revision);
  }
  absl::Status reason = absl::PermissionDeniedError("this member holds no key to that");
  for (const store::BookContactRow& book : books) {
    ASSIGN_OR_RETURN(const std::vector<WrapEntry> wraps, DecodeWraps(book.wraps));
    for (const WrapEntry& wrap : wraps) {
      if (wrap.class_id != entry.class_id) continue;
      auto key = OpenWrap(row, entry, book.book, wrap);
      if (key.ok()) return key;
      reason = key.status();
    }
  }
  return reason;
}

absl::StatusOr<crypto::ValueKey> ContactReader::OpenWrap(const store::ContactRow& row,
                                                         const ValueEntry& entry, BookId book,
                                                         const WrapEntry& wrap) {
  if (wrap.revision != entry.revision) {
    return absl::DataLossError("a book's key is of another revision than the value");
  }
  RETURN_IF_ERROR(CheckWrap(entry.session, book, entry.class_id, wrap.session));
  ASSIGN_OR_RETURN(const keyring::SessionKeys* keys,
                   keyring_.ReadKeys(wrap.session, book, wrap.class_id));
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(wrap.session));
  const Place place{.vault = keyring_.roster().vault,
                    .contact = row.number,
                    .token = row.token,
                    .class_id = wrap.class_id,
                    .revision = wrap.revision,
                    .session = session->ephemeral,
                    .book = book};
  return crypto::OpenKey<crypto::ValuePurpose>(keys->wrap, place.ForWrap(), wrap.sealed);
}

absl::Status ContactReader::CheckWraps(const store::ContactRow& row,
                                       const store::BookContactRow& book) {
  ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
  ASSIGN_OR_RETURN(const std::vector<WrapEntry> wraps, DecodeWraps(book.wraps));
  for (const ValueEntry& entry : values) {
    if (!keyring_.Holds(book.book, entry.class_id)) continue;
    const auto wrap = std::find_if(wraps.begin(), wraps.end(), [&](const WrapEntry& w) {
      return w.class_id == entry.class_id;
    });
    if (wrap == wraps.end()) return absl::DataLossError("a book lacks the key of a class");
    RETURN_IF_ERROR(OpenWrap(row, entry, book.book, *wrap).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::ValueKey> ContactReader::OpenValueKey(const store::ContactRow& row,
                                                             const ValueEntry& entry) {
  ASSIGN_OR_RETURN(const auto books, AssignedBooks(row.number));
  return KeyOf(row, entry, books);
}

absl::StatusOr<std::optional<Fields>> ContactReader::OpenClassIn(
    const store::ContactRow& row, const std::vector<ValueEntry>& values,
    const std::vector<store::BookContactRow>& books, ClassId class_id) {
  const ValueEntry* entry = Find(values, class_id);
  if (entry == nullptr) return std::nullopt;
  RETURN_IF_ERROR(CheckWriter(row, *entry));
  ASSIGN_OR_RETURN(const crypto::ValueKey key, KeyOf(row, *entry, books));
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(entry->session));
  const Place place{.vault = keyring_.roster().vault,
                    .contact = row.number,
                    .token = row.token,
                    .class_id = class_id,
                    .revision = entry->revision,
                    .session = session->ephemeral,
                    .book = kRootBook};
  ASSIGN_OR_RETURN(const crypto::SecretBytes bytes,
                   crypto::Open(key, place.ForValue(), entry->sealed));
  ASSIGN_OR_RETURN(Fields fields, DecodeFields(bytes.ExposeBytes()));
  return fields;
}

absl::StatusOr<std::optional<Fields>> ContactReader::OpenClass(const store::ContactRow& row,
                                                               ClassId class_id) {
  ASSIGN_OR_RETURN(std::vector<ClassFields> opened, OpenClasses(row, {class_id}));
  if (opened.empty()) return std::nullopt;
  return std::move(opened.front().fields);
}

absl::StatusOr<std::vector<ClassFields>> ContactReader::OpenClasses(
    const store::ContactRow& row, const std::vector<ClassId>& classes) {
  std::vector<ClassFields> out;
  if (classes.empty()) return out;
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  ASSIGN_OR_RETURN(const auto values, DecodeValues(row.values));
  ASSIGN_OR_RETURN(const auto books, AssignedBooks(row.number));
  for (const ClassId class_id : classes) {
    auto fields = OpenClassIn(row, values, books, class_id);
    if (!fields.ok()) return AtToken(row.token, fields.status());
    if (*fields) out.push_back({class_id, **std::move(fields)});
  }
  return out;
}

absl::StatusOr<Contact> ContactReader::Open(const ReadPermit& permit, const store::ContactRow& row,
                                            const std::vector<store::BookContactRow>& books) {
  Contact contact{.number = row.number, .token = row.token, .books = {}, .fields = {}};
  for (const store::BookContactRow& book : books) {
    contact.books.push_back(keyring_.roster().FindBook(book.book)->name);
  }
  const auto values = DecodeValues(row.values);
  if (!values.ok()) return AtToken(row.token, values.status());
  for (const ClassId class_id : keyring_.roster().DataClasses()) {
    const bool masked = class_id == ClassId::kMasked;
    if (masked ? !permit.AllowsMasked() : !permit.AllowsClear(class_id)) continue;
    const auto fields = OpenClassIn(row, *values, books, class_id);
    if (!fields.ok()) return AtToken(row.token, fields.status());
    if (!*fields) continue;
    for (const Field& field : **fields) {
      if (field.name == kRowField) continue;
      contact.fields.push_back(
          {field.name, field.value, masked ? Form::kMasked : Form::kClear, class_id});
    }
  }
  // The masked rendering stands in only for what is not shown clear.
  std::set<std::string> clear;
  for (const ShownField& field : contact.fields) {
    if (field.form == Form::kClear) clear.insert(field.name);
  }
  std::erase_if(contact.fields, [&](const ShownField& field) {
    return field.form == Form::kMasked && clear.contains(field.name);
  });
  return contact;
}

absl::StatusOr<Contact> ContactReader::Read(const ReadPermit& permit, ContactNumber number) {
  if (permit.member() != keyring_.bundle().member || !permit.Covers(number, absl::Now())) {
    return absl::PermissionDeniedError("the permit is for something else, or has run out");
  }
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(number, row));
  if (!found) return NotThere();
  const auto books = AssignedBooks(number);
  if (!books.ok()) return AtToken(row.token, books.status());
  if (!keyring_.role().root_scope && books->empty()) return NotThere();
  return Open(permit, row, *books);
}

absl::Status ContactReader::EachRow(
    const ReadPermit& permit, std::optional<BookId> book,
    const std::function<absl::StatusOr<bool>(const store::ContactRow&,
                                             const std::vector<store::BookContactRow>&)>& visit) {
  if (permit.member() != keyring_.bundle().member || !permit.CoversAll(absl::Now())) {
    return absl::PermissionDeniedError("the permit is for something else, or has run out");
  }
  absl::Status first_damage;
  bool more = true;
  const auto one = [&](const store::ContactRow& row,
                       absl::StatusOr<std::vector<store::BookContactRow>> books) -> absl::Status {
    absl::Status status = books.status();
    if (status.ok()) {
      absl::StatusOr<bool> result = visit(row, *books);
      if (result.ok()) {
        more = *result;
        return absl::OkStatus();
      }
      status = result.status();
    }
    if (!absl::IsDataLoss(status)) return status;
    if (first_damage.ok()) first_damage = AtToken(row.token, status);
    return absl::OkStatus();
  };
  // Page by page, each with the roster of its moment: whoever is disabled meanwhile reads no
  // further, and what another process writes under new epochs is read as it then stands.
  const auto in_pages =
      [&](const std::function<absl::Status(ContactNumber & last, int& rows)>& page)
      -> absl::Status {
    ContactNumber last = 0;
    for (int rows = kPageRows; more && rows == kPageRows;) {
      ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
      rows = 0;
      RETURN_IF_ERROR(page(last, rows));
    }
    return absl::OkStatus();
  };
  const bool root = keyring_.role().root_scope;
  if (root && !book) {
    RETURN_IF_ERROR(in_pages([&](ContactNumber& last, int& rows) {
      return keyring_.store().EachContact(
          last + 1, [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
            last = row.number;
            RETURN_IF_ERROR(one(row, AssignedBooks(row.number)));
            return more && ++rows < kPageRows;
          });
    }));
    return first_damage;
  }
  std::vector<BookId> books;
  if (book) {
    if (!root && !keyring_.roster().IsMember(*book, keyring_.bundle().member)) {
      return absl::NotFoundError("no such book among yours");
    }
    books = {*book};
  } else {
    books = keyring_.roster().BooksOf(keyring_.bundle().member);
  }
  const auto one_assigned = [&](std::size_t i, const store::BookContactRow& assigned,
                                const store::ContactRow& row) -> absl::Status {
    // A contact of several books was visited with the first of them.
    for (std::size_t j = 0; j < i; ++j) {
      store::BookContactRow other;
      ASSIGN_OR_RETURN(const bool seen,
                       keyring_.store().GetBookContact(books[j], row.number, other));
      if (seen) return absl::OkStatus();
    }
    if (row.token == 0) return one(row, absl::DataLossError("an assigned contact is missing"));
    if (books.size() > 1 || root) return one(row, AssignedBooks(row.number));
    const absl::Status counts =
        keyring_.sessions().CheckAssignment(assigned.book, row.number, assigned.session);
    if (!counts.ok()) return one(row, counts);
    return one(row, std::vector<store::BookContactRow>{assigned});
  };
  for (std::size_t i = 0; i < books.size() && more; ++i) {
    RETURN_IF_ERROR(in_pages([&](ContactNumber& last, int& rows) {
      // Taken out of the book meanwhile: the rest of it is not theirs any more.
      if (!root && !keyring_.roster().IsMember(books[i], keyring_.bundle().member))
        return absl::OkStatus();
      return keyring_.store().EachAssigned(
          books[i], last,
          [&](const store::BookContactRow& assigned,
              const store::ContactRow& row) -> absl::StatusOr<bool> {
            last = row.number;
            RETURN_IF_ERROR(one_assigned(i, assigned, row));
            return more && ++rows < kPageRows;
          });
    }));
  }
  return first_damage;
}

absl::Status ContactReader::Each(const ReadPermit& permit, std::optional<BookId> book,
                                 const std::function<absl::StatusOr<bool>(const Contact&)>& visit) {
  return EachRow(permit, book,
                 [&](const store::ContactRow& row,
                     const std::vector<store::BookContactRow>& books) -> absl::StatusOr<bool> {
                   ASSIGN_OR_RETURN(const Contact contact, Open(permit, row, books));
                   return visit(contact);
                 });
}

absl::Status ContactReader::EachClass(
    const ReadPermit& permit, std::optional<BookId> book, ClassId class_id,
    const std::function<absl::StatusOr<bool>(ContactNumber, std::int64_t, const Fields&)>& visit) {
  if (class_id == ClassId::kMasked ? !permit.AllowsMasked() : !permit.AllowsClear(class_id)) {
    return absl::PermissionDeniedError("the permit does not cover this class");
  }
  return EachRow(permit, book,
                 [&](const store::ContactRow& row,
                     const std::vector<store::BookContactRow>& books) -> absl::StatusOr<bool> {
                   ASSIGN_OR_RETURN(const auto values, DecodeValues(row.values));
                   ASSIGN_OR_RETURN(const auto fields, OpenClassIn(row, values, books, class_id));
                   if (!fields) return true;
                   return visit(row.number, row.token, *fields);
                 });
}

}  // namespace sealbook::records
