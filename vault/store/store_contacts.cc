// Store's large tables: contacts, their tokens and index, and which books they are in.
#include "vault/store/store_inl.h"

namespace sealbook::store {

absl::StatusOr<ContactNumber> Store::ReserveContacts(std::int64_t count) {
  ASSIGN_OR_RETURN(Transaction transaction, BeginWrite());
  ASSIGN_OR_RETURN(const ContactNumber first, NextContact());
  {
    USE_STATEMENT(update, "UPDATE counter SET next = next + ? WHERE name = 'contact'");
    update->Bind(1, count);
    RETURN_IF_ERROR(update->Run());
  }
  RETURN_IF_ERROR(transaction.Commit());
  return first;
}

absl::Status Store::InsertContact(const ContactRow& row) {
  USE_STATEMENT(insert,
                "INSERT INTO contact (number, token, identifiers, sealed_values) "
                "VALUES (?, ?, ?, ?)");
  insert->Bind(1, row.number).Bind(2, row.token).Bind(3, ByteView(row.identifiers));
  insert->Bind(4, ByteView(row.values));
  return insert->Run();
}

absl::Status Store::UpdateContact(const ContactRow& row) {
  USE_STATEMENT(update, "UPDATE contact SET identifiers = ?, sealed_values = ? WHERE number = ?");
  update->Bind(1, ByteView(row.identifiers)).Bind(2, ByteView(row.values)).Bind(3, row.number);
  return update->Run();
}

absl::StatusOr<bool> Store::GetContact(ContactNumber number, ContactRow& row) {
  USE_STATEMENT(select, "SELECT token, identifiers, sealed_values FROM contact WHERE number = ?");
  select->Bind(1, number);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return false;
  row = {number, select->Int(0), Copy(select->Blob(1)), Copy(select->Blob(2))};
  return true;
}

absl::Status Store::EachContact(
    ContactNumber from, const std::function<absl::StatusOr<bool>(const ContactRow&)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT number, token, identifiers, sealed_values FROM contact "
                         "WHERE number >= ? ORDER BY number"));
  select.Bind(1, from);
  ContactRow contact;  // one for all: there may be millions
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    contact.number = select.Int(0);
    contact.token = select.Int(1);
    CopyTo(select.Blob(2), contact.identifiers);
    CopyTo(select.Blob(3), contact.values);
    ASSIGN_OR_RETURN(const bool more, visit(contact));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<std::int64_t> Store::CountContacts() {
  USE_STATEMENT(select, "SELECT count(*) FROM contact");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::InsertToken(std::int64_t token, ContactNumber contact) {
  USE_STATEMENT(insert, "INSERT INTO token (token, contact) VALUES (?, ?)");
  insert->Bind(1, token).Bind(2, contact);
  return insert->Run();
}

absl::StatusOr<std::optional<ContactNumber>> Store::FindToken(std::int64_t token) {
  USE_STATEMENT(select, "SELECT contact FROM token WHERE token = ?");
  select->Bind(1, token);
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return select->Int(0);
}

absl::StatusOr<std::int64_t> Store::CountTokens() {
  USE_STATEMENT(select, "SELECT count(*) FROM token");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::InsertIndex(const IndexRow& row) {
  USE_STATEMENT(insert,
                "INSERT INTO contact_index (hash, tag, contact) SELECT ?1, ?2, ?3 "
                "WHERE NOT EXISTS (SELECT 1 FROM contact_index_recent WHERE hash = ?1)");
  insert->Bind(1, ByteView(row.hash)).Bind(2, ByteView(row.tag)).Bind(3, row.contact);
  RETURN_IF_ERROR(insert->Run());
  return database_->changes() == 1 ? absl::OkStatus()
                                   : absl::AlreadyExistsError("an index row exists");
}

absl::Status Store::InsertRecentIndex(const IndexRow& row, bool known_new) {
  if (!known_new) {
    USE_STATEMENT(select, "SELECT 1 FROM contact_index WHERE hash = ?");
    select->Bind(1, ByteView(row.hash));
    ASSIGN_OR_RETURN(const bool found, select->Step());
    if (found) return absl::AlreadyExistsError("an index row exists");
  }
  USE_STATEMENT(insert, "INSERT INTO contact_index_recent (hash, tag, contact) VALUES (?, ?, ?)");
  insert->Bind(1, ByteView(row.hash)).Bind(2, ByteView(row.tag)).Bind(3, row.contact);
  return insert->Run();
}

absl::StatusOr<std::int64_t> Store::CountRecentIndex() {
  USE_STATEMENT(select, "SELECT count(*) FROM contact_index_recent");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::MergeRecentIndex(int slice) {
  static_assert(256 % kIndexSlices == 0);
  const auto bound = [](int at) {
    // Shorter than a hash, a bound stands before all hashes that begin with it; the last one after
    // all.
    return at == kIndexSlices
               ? crypto::Bytes(17, 0xff)
               : crypto::Bytes(1, static_cast<std::uint8_t>(at * (256 / kIndexSlices)));
  };
  const crypto::Bytes from = slice == 0 ? crypto::Bytes() : bound(slice), to = bound(slice + 1);
  {
    USE_STATEMENT(insert,
                  "INSERT OR IGNORE INTO contact_index (hash, tag, contact) "
                  "SELECT hash, tag, contact FROM contact_index_recent WHERE hash >= ? AND hash < "
                  "? ORDER BY hash");
    insert->Bind(1, ByteView(from)).Bind(2, ByteView(to));
    RETURN_IF_ERROR(insert->Run());
  }
  USE_STATEMENT(remove, "DELETE FROM contact_index_recent WHERE hash >= ? AND hash < ?");
  remove->Bind(1, ByteView(from)).Bind(2, ByteView(to));
  return remove->Run();
}

absl::StatusOr<bool> Store::FindIndex(const crypto::Hash128& hash, IndexRow& row) {
  USE_STATEMENT(select,
                "SELECT tag, contact FROM contact_index_recent WHERE hash = ?1 UNION ALL "
                "SELECT tag, contact FROM contact_index WHERE hash = ?1 LIMIT 1");
  select->Bind(1, ByteView(hash));
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return false;
  row = {hash, CopyArray<16>(select->Blob(0)), select->Int(1)};
  return true;
}

absl::Status Store::DeleteIndex(const crypto::Hash128& hash) {
  {
    USE_STATEMENT(recent, "DELETE FROM contact_index_recent WHERE hash = ?");
    recent->Bind(1, ByteView(hash));
    RETURN_IF_ERROR(recent->Run());
  }
  USE_STATEMENT(remove, "DELETE FROM contact_index WHERE hash = ?");
  remove->Bind(1, ByteView(hash));
  return remove->Run();
}

absl::Status Store::EachIndex(const std::function<absl::Status(const IndexRow&)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT hash, tag, contact FROM contact_index UNION ALL "
                                      "SELECT hash, tag, contact FROM contact_index_recent"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(
        visit({CopyArray<16>(select.Blob(0)), CopyArray<16>(select.Blob(1)), select.Int(2)}));
  }
}

absl::Status Store::PutBookContact(const BookContactRow& row) {
  USE_STATEMENT(insert,
                "INSERT OR REPLACE INTO book_contact (book, contact, session, wraps) "
                "VALUES (?, ?, ?, ?)");
  insert->Bind(1, Number(row.book)).Bind(2, row.contact).Bind(3, row.session);
  insert->Bind(4, ByteView(row.wraps));
  return insert->Run();
}

absl::StatusOr<bool> Store::GetBookContact(BookId book, ContactNumber contact,
                                           BookContactRow& row) {
  USE_STATEMENT(select, "SELECT session, wraps FROM book_contact WHERE book = ? AND contact = ?");
  select->Bind(1, Number(book)).Bind(2, contact);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return false;
  row = {book, contact, select->Int(0), Copy(select->Blob(1))};
  return true;
}

absl::Status Store::DeleteBookContact(BookId book, ContactNumber contact) {
  USE_STATEMENT(remove, "DELETE FROM book_contact WHERE book = ? AND contact = ?");
  remove->Bind(1, Number(book)).Bind(2, contact);
  return remove->Run();
}

absl::Status Store::EachBookContact(
    BookId book, ContactNumber after,
    const std::function<absl::StatusOr<bool>(const BookContactRow&)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT contact, session, wraps FROM book_contact "
                                      "WHERE book = ? AND contact > ? ORDER BY contact"));
  select.Bind(1, Number(book)).Bind(2, after);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more,
                     visit({book, select.Int(0), select.Int(1), Copy(select.Blob(2))}));
    if (!more) return absl::OkStatus();
  }
}

absl::Status Store::EachAssigned(
    BookId book, ContactNumber after,
    const std::function<absl::StatusOr<bool>(const BookContactRow&, const ContactRow&)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT b.contact, b.session, b.wraps, c.token, c.identifiers, "
                         "c.sealed_values FROM book_contact b LEFT JOIN contact c "
                         "ON c.number = b.contact WHERE b.book = ? AND b.contact > ? "
                         "ORDER BY b.contact"));
  select.Bind(1, Number(book)).Bind(2, after);
  BookContactRow assigned{.book = book, .contact = 0, .session = 0, .wraps = {}};
  ContactRow contact;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    assigned.contact = contact.number = select.Int(0);
    assigned.session = select.Int(1);
    CopyTo(select.Blob(2), assigned.wraps);
    contact.token = select.Int(3);
    CopyTo(select.Blob(4), contact.identifiers);
    CopyTo(select.Blob(5), contact.values);
    ASSIGN_OR_RETURN(const bool more, visit(assigned, contact));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<std::int64_t> Store::CountBookContacts(BookId book) {
  USE_STATEMENT(select, "SELECT count(*) FROM book_contact WHERE book = ?");
  select->Bind(1, Number(book));
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::EachBookNumber(const std::function<absl::Status(BookId)>& visit) {
  ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT DISTINCT book FROM book_contact"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(BookId{static_cast<std::uint32_t>(select.Int(0))}));
  }
}

}  // namespace sealbook::store
