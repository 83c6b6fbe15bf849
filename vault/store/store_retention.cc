// Store's tables of retention and of erased contacts.
#include "absl/strings/str_cat.h"
#include "vault/store/store_inl.h"

namespace sealbook::store {
namespace {

ArchiveRow ReadArchive(Statement& select) {
  return {.run = select.Int(0),
          .state = static_cast<int>(select.Int(1)),
          .label = std::string(select.Text(2)),
          .first_day = static_cast<std::int32_t>(select.Int(3)),
          .last_day = static_cast<std::int32_t>(select.Int(4)),
          .purged = select.Int(5),
          .signature = Copy(select.Blob(6))};
}

ArchiveKeyRow ReadArchiveKey(Statement& select) {
  return {.contact = select.Int(0),
          .day = static_cast<std::int32_t>(select.Int(1)),
          .sequence = select.Int(2),
          .run = select.Int(3),
          .session = select.Int(4),
          .due = static_cast<std::int32_t>(select.Int(5))};
}

}  // namespace

absl::Status Store::PutArchive(const ArchiveRow& row) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO archive (run, state, label, first_day, last_day, "
                "purged, signature) VALUES (?, ?, ?, ?, ?, ?, ?)");
  put->Bind(1, row.run).Bind(2, std::int64_t{row.state}).Bind(3, absl::string_view(row.label));
  put->Bind(4, std::int64_t{row.first_day}).Bind(5, std::int64_t{row.last_day});
  put->Bind(6, row.purged).Bind(7, ByteView(row.signature));
  return put->Run();
}

absl::StatusOr<bool> Store::GetArchive(std::int64_t run, ArchiveRow& row) {
  USE_STATEMENT(select,
                "SELECT run, state, label, first_day, last_day, purged, signature FROM archive "
                "WHERE run = ?");
  select->Bind(1, run);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) row = ReadArchive(*select);
  return found;
}

absl::StatusOr<std::int64_t> Store::AdvanceArchive(std::int64_t run, int state,
                                                   std::int64_t purged) {
  USE_STATEMENT(update,
                "UPDATE archive SET state = max(state, ?), purged = purged + ? WHERE run = ? "
                "RETURNING purged");
  update->Bind(1, std::int64_t{state}).Bind(2, purged).Bind(3, run);
  ASSIGN_OR_RETURN(const bool found, update->Step());
  if (!found) return absl::NotFoundError("there is no such archive");
  return update->Int(0);
}

absl::Status Store::DeleteArchive(std::int64_t run) {
  USE_STATEMENT(remove, "DELETE FROM archive WHERE run = ?");
  remove->Bind(1, run);
  return remove->Run();
}

absl::Status Store::EachArchive(
    const std::function<absl::StatusOr<bool>(const ArchiveRow&)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT run, state, label, first_day, last_day, purged, "
                                      "signature FROM archive ORDER BY run"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(ReadArchive(select)));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<std::int64_t> Store::LastArchiveRun() {
  USE_STATEMENT(select, "SELECT coalesce(max(run), 0) FROM archive");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::RenumberArchive(std::int64_t run, std::int64_t next) {
  for (const char* sql : {"UPDATE archive SET run = ?2 WHERE run = ?1",
                          "UPDATE archive_key SET run = ?2 WHERE run = ?1"}) {
    ASSIGN_OR_RETURN(Statement update, database_->Prepare(sql));
    update.Bind(1, run).Bind(2, next);
    RETURN_IF_ERROR(update.Run());
  }
  return absl::OkStatus();
}

absl::Status Store::PutArchiveKey(const ArchiveKeyRow& row) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO archive_key (contact, day, sequence, run, session, due) "
                "VALUES (?, ?, ?, ?, ?, ?)");
  put->Bind(1, row.contact).Bind(2, std::int64_t{row.day}).Bind(3, row.sequence);
  put->Bind(4, row.run).Bind(5, row.session).Bind(6, std::int64_t{row.due});
  return put->Run();
}

absl::StatusOr<bool> Store::GetArchiveKey(ContactNumber contact, std::int32_t day,
                                          std::int64_t sequence, ArchiveKeyRow& row) {
  USE_STATEMENT(select,
                "SELECT contact, day, sequence, run, session, due FROM archive_key "
                "WHERE contact = ? AND day = ? AND sequence = ?");
  select->Bind(1, contact).Bind(2, std::int64_t{day}).Bind(3, sequence);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) row = ReadArchiveKey(*select);
  return found;
}

absl::Status Store::MarkArchiveKeyGone(ContactNumber contact, std::int32_t day,
                                       std::int64_t sequence) {
  USE_STATEMENT(update,
                "UPDATE archive_key SET due = ? WHERE contact = ? AND day = ? AND sequence = ?");
  update->Bind(1, std::int64_t{ArchiveKeyRow::kGone}).Bind(2, contact).Bind(3, std::int64_t{day});
  update->Bind(4, sequence);
  return update->Run();
}

absl::Status Store::DeleteArchiveKey(ContactNumber contact, std::int32_t day,
                                     std::int64_t sequence) {
  USE_STATEMENT(remove, "DELETE FROM archive_key WHERE contact = ? AND day = ? AND sequence = ?");
  remove->Bind(1, contact).Bind(2, std::int64_t{day}).Bind(3, sequence);
  return remove->Run();
}

absl::Status Store::EachArchiveKey(
    const ArchiveKeyRow& after,
    const std::function<absl::StatusOr<bool>(const ArchiveKeyRow&)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT contact, day, sequence, run, session, due FROM archive_key "
                         "WHERE (contact, day, sequence) > (?, ?, ?) "
                         "ORDER BY contact, day, sequence"));
  select.Bind(1, after.contact).Bind(2, std::int64_t{after.day}).Bind(3, after.sequence);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(ReadArchiveKey(select)));
    if (!more) return absl::OkStatus();
  }
}

absl::Status Store::EachArchiveKeyOf(
    ContactNumber contact, const std::function<absl::Status(const ArchiveKeyRow&)>& visit) {
  USE_STATEMENT(select,
                "SELECT contact, day, sequence, run, session, due FROM archive_key "
                "WHERE contact = ? ORDER BY day, sequence");
  select->Bind(1, contact);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(ReadArchiveKey(*select)));
  }
}

absl::StatusOr<bool> Store::HasArchiveKeys(ContactNumber contact) {
  USE_STATEMENT(select, "SELECT 1 FROM archive_key WHERE contact = ? AND due >= 0 LIMIT 1");
  select->Bind(1, contact);
  return select->Step();
}

absl::Status Store::PutArchiveSubjects(std::int64_t run, ContactNumber first, ByteView contacts) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO archive_subject (run, first, contacts) VALUES (?, ?, ?)");
  put->Bind(1, run).Bind(2, first).Bind(3, contacts);
  return put->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::FindArchiveSubjects(std::int64_t run,
                                                                        ContactNumber contact) {
  USE_STATEMENT(select,
                "SELECT contacts FROM archive_subject WHERE run = ? AND first <= ? "
                "ORDER BY first DESC LIMIT 1");
  select->Bind(1, run).Bind(2, contact);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::EachArchiveSubjects(
    std::int64_t run, const std::function<absl::Status(ByteView contacts)>& visit) {
  ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT contacts FROM archive_subject "
                                                        "WHERE run = ? ORDER BY first"));
  select.Bind(1, run);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Blob(0)));
  }
}

absl::Status Store::DeleteArchiveSubjects(std::int64_t run) {
  USE_STATEMENT(remove, "DELETE FROM archive_subject WHERE run = ?");
  remove->Bind(1, run);
  return remove->Run();
}

absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> Store::GetSubjectShard(std::int64_t shard) {
  USE_STATEMENT(select, "SELECT version, contacts FROM subject_shard WHERE shard = ?");
  select->Bind(1, shard);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::pair{std::int64_t{0}, crypto::Bytes{}};
  return std::pair{select->Int(0), Copy(select->Blob(1))};
}

absl::Status Store::PutSubjectShard(std::int64_t shard, std::int64_t version, ByteView contacts) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO subject_shard (shard, version, contacts) VALUES (?, ?, ?)");
  put->Bind(1, shard).Bind(2, version).Bind(3, contacts);
  return put->Run();
}

absl::Status Store::EachSubjectShard(
    const std::function<absl::Status(std::int64_t shard, std::int64_t version)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT shard, version FROM subject_shard ORDER BY shard"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Int(0), select.Int(1)));
  }
}

absl::StatusOr<int> Store::GetRemoteFile(absl::string_view destination, absl::string_view path) {
  USE_STATEMENT(select, "SELECT state FROM remote_file WHERE destination = ? AND path = ?");
  select->Bind(1, destination).Bind(2, path);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? static_cast<int>(select->Int(0)) : 0;
}

absl::Status Store::PutRemoteFile(absl::string_view destination, absl::string_view path,
                                  int state) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO remote_file (destination, path, state) VALUES (?, ?, ?)");
  put->Bind(1, destination).Bind(2, path).Bind(3, std::int64_t{state});
  return put->Run();
}

absl::Status Store::DeleteRemoteFile(absl::string_view destination, absl::string_view path) {
  USE_STATEMENT(remove, "DELETE FROM remote_file WHERE destination = ? AND path = ?");
  remove->Bind(1, destination).Bind(2, path);
  return remove->Run();
}

absl::Status Store::SetRemoteFiles(absl::string_view destination, int state) {
  USE_STATEMENT(put, "UPDATE remote_file SET state = ? WHERE destination = ?");
  put->Bind(1, std::int64_t{state}).Bind(2, destination);
  return put->Run();
}

absl::Status Store::EachRemoteFile(
    absl::string_view destination, absl::string_view prefix,
    const std::function<absl::Status(absl::string_view destination, absl::string_view path,
                                     int state)>& visit) {
  // Ranges of the key: there are thousands of shards. Paths are ASCII.
  const std::string behind = absl::StrCat(std::string(prefix), "\x7f");
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare(destination.empty()
                                          ? "SELECT destination, path, state FROM remote_file "
                                            "WHERE path >= ?2 AND path < ?3 AND ?1 = '' "
                                            "ORDER BY destination, path"
                                          : "SELECT destination, path, state FROM remote_file "
                                            "WHERE destination = ?1 AND path >= ?2 AND path < ?3 "
                                            "ORDER BY path"));
  select.Bind(1, destination).Bind(2, prefix).Bind(3, absl::string_view(behind));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Text(0), select.Text(1), static_cast<int>(select.Int(2))));
  }
}

absl::Status Store::PutSubjectMark(ContactNumber contact, int kind, absl::string_view label,
                                   ByteView document) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO subject_mark (contact, kind, label, document) "
                "VALUES (?, ?, ?, ?)");
  put->Bind(1, contact).Bind(2, std::int64_t{kind}).Bind(3, label).Bind(4, document);
  return put->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetSubjectMark(ContactNumber contact,
                                                                   int kind) {
  USE_STATEMENT(select, "SELECT document FROM subject_mark WHERE contact = ? AND kind = ?");
  select->Bind(1, contact).Bind(2, std::int64_t{kind});
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::DeleteSubjectMark(ContactNumber contact, int kind) {
  USE_STATEMENT(remove, "DELETE FROM subject_mark WHERE contact = ? AND kind = ?");
  remove->Bind(1, contact).Bind(2, std::int64_t{kind});
  return remove->Run();
}

absl::Status Store::EachSubjectMark(
    const std::function<absl::Status(ContactNumber, int kind, absl::string_view label,
                                     ByteView document)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT contact, kind, label, document FROM subject_mark "
                                      "ORDER BY contact, kind"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(
        visit(select.Int(0), static_cast<int>(select.Int(1)), select.Text(2), select.Blob(3)));
  }
}

absl::StatusOr<std::optional<std::string>> Store::LabelOf(ContactNumber contact, int kind) {
  USE_STATEMENT(select, "SELECT label FROM subject_mark WHERE contact = ? AND kind = ?");
  select->Bind(1, contact).Bind(2, std::int64_t{kind});
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::nullopt;
  return std::string(select->Text(0));
}

absl::StatusOr<bool> Store::HasSubjectMarks() {
  USE_STATEMENT(select, "SELECT 1 FROM subject_mark LIMIT 1");
  return select->Step();
}

absl::Status Store::InsertTombstone(ContactNumber contact, std::int64_t token,
                                    std::int64_t shard_version, ByteView document) {
  USE_STATEMENT(insert,
                "INSERT INTO tombstone (contact, token, shard_version, document, confirmed) "
                "VALUES (?, ?, ?, ?, 0)");
  insert->Bind(1, contact).Bind(2, token).Bind(3, shard_version).Bind(4, document);
  return insert->Run();
}

absl::Status Store::EachTombstone(
    const std::function<absl::Status(ContactNumber, std::int64_t token, std::int64_t shard_version,
                                     ByteView document, bool confirmed)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT contact, token, shard_version, document, confirmed "
                                      "FROM tombstone ORDER BY contact"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(
        visit(select.Int(0), select.Int(1), select.Int(2), select.Blob(3), select.Int(4) != 0));
  }
}

absl::Status Store::ConfirmTombstone(ContactNumber contact) {
  USE_STATEMENT(update, "UPDATE tombstone SET confirmed = 1 WHERE contact = ?");
  update->Bind(1, contact);
  return update->Run();
}

absl::StatusOr<bool> Store::HasTombstone(std::int64_t token) {
  USE_STATEMENT(select, "SELECT 1 FROM tombstone WHERE token = ? LIMIT 1");
  select->Bind(1, token);
  return select->Step();
}

absl::Status Store::PutSuppression(const crypto::Hash128& hash) {
  USE_STATEMENT(put, "INSERT OR IGNORE INTO suppression (hash) VALUES (?)");
  put->Bind(1, ByteView(hash));
  return put->Run();
}

absl::StatusOr<bool> Store::HasSuppression(const crypto::Hash128& hash) {
  USE_STATEMENT(select, "SELECT 1 FROM suppression WHERE hash = ?");
  select->Bind(1, ByteView(hash));
  return select->Step();
}

absl::StatusOr<std::int64_t> Store::CountSuppressions() {
  USE_STATEMENT(select, "SELECT count(*) FROM suppression");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::DeleteContact(const ContactRow& row, const std::vector<BookId>& books) {
  std::vector<std::int32_t> days;
  RETURN_IF_ERROR(EachChatDayBack(row.number, [&](std::int32_t day) -> absl::StatusOr<bool> {
    days.push_back(day);
    return true;
  }));
  // Those too of which only an archive's list knows.
  RETURN_IF_ERROR(EachArchiveKeyOf(row.number, [&](const ArchiveKeyRow& key) {
    days.push_back(key.day);
    return absl::OkStatus();
  }));
  for (const std::int32_t day : days) RETURN_IF_ERROR(DeleteChats(day, row.number));
  for (const BookId book : books) {
    RETURN_IF_ERROR(DeleteChatWraps(book, row.number));
    RETURN_IF_ERROR(DeleteBookContact(book, row.number));
  }
  for (const char* sql :
       {"DELETE FROM archive_key WHERE contact = ?", "DELETE FROM chat_tag WHERE contact = ?",
        "DELETE FROM chat_key WHERE contact = ?", "DELETE FROM subject WHERE contact = ?",
        "DELETE FROM subject_mark WHERE contact = ?", "DELETE FROM contact WHERE number = ?"}) {
    ASSIGN_OR_RETURN(Statement remove, database_->Prepare(sql));
    remove.Bind(1, row.number);
    RETURN_IF_ERROR(remove.Run());
  }
  USE_STATEMENT(remove, "DELETE FROM token WHERE token = ?");
  remove->Bind(1, row.token);
  return remove->Run();
}

}  // namespace sealbook::store
