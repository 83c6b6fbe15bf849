#include "vault/store/store.h"

#include "absl/strings/str_cat.h"
#include "vault/status.h"
#include "vault/store/schema.h"
#include "vault/store/store_inl.h"

namespace sealbook::store {
absl::StatusOr<std::unique_ptr<Store>> Store::Create(const std::string& path,
                                                     const crypto::DatabaseKey& key) {
  ASSIGN_OR_RETURN(auto database, Database::Open(path, key, Database::Mode::kCreate));
  std::unique_ptr<Store> store(new Store(path, std::move(database)));
  RETURN_IF_ERROR(store->Migrate());
  return store;
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& path,
                                                   const crypto::DatabaseKey& key) {
  ASSIGN_OR_RETURN(auto database, Database::Open(path, key, Database::Mode::kReadWrite));
  std::unique_ptr<Store> store(new Store(path, std::move(database)));
  RETURN_IF_ERROR(store->Migrate());
  return store;
}

absl::Status Store::Reopen(const crypto::DatabaseKey& key) {
  ASSIGN_OR_RETURN(auto database, Database::Open(path_, key, Database::Mode::kReadWrite));
  if (database_->checkpoints_deferred()) database->DeferCheckpoints();
  statements_.clear();
  database_ = std::move(database);
  return absl::OkStatus();
}

absl::Status Store::Migrate() {
  const auto version = [this]() -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(Statement statement, database_->Prepare("PRAGMA user_version"));
    ASSIGN_OR_RETURN(const bool row, statement.Step());
    return row ? static_cast<int>(statement.Int(0)) : 0;
  };
  ASSIGN_OR_RETURN(int current, version());
  if (current == kSchemaVersion) return absl::OkStatus();
  if (current < kSchemaVersion) {
    ASSIGN_OR_RETURN(Transaction transaction, BeginWrite());
    ASSIGN_OR_RETURN(current, version());  // another process may have been first
    for (; current < kSchemaVersion; ++current) {
      RETURN_IF_ERROR(database_->Execute(Migrations()[static_cast<std::size_t>(current)]));
    }
    RETURN_IF_ERROR(database_->Execute(absl::StrCat("PRAGMA user_version = ", current).c_str()));
    RETURN_IF_ERROR(transaction.Commit());
  }
  if (current > kSchemaVersion) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "this vault has schema version ", current, ", made by a newer Sealbook")),
                    "Update Sealbook on this machine.");
  }
  return absl::OkStatus();
}

absl::StatusOr<Statement*> Store::Cached(const char* sql) {
  auto& slot = statements_[sql];
  if (slot == nullptr) {
    ASSIGN_OR_RETURN(Statement statement, database_->Prepare(sql));
    slot = std::make_unique<Statement>(std::move(statement));
  }
  return slot.get();
}

absl::Status Store::CheckPages() {
  for (const char* pragma : {"PRAGMA cipher_integrity_check", "PRAGMA integrity_check(1)"}) {
    ASSIGN_OR_RETURN(Statement statement, database_->Prepare(pragma));
    ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (row && statement.Text(0) != "ok") {
      return absl::DataLossError("vault.db: pages are damaged");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> Store::DataVersion() {
  USE_STATEMENT(select, "PRAGMA data_version");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::InsertRoster(std::uint64_t version, ByteView document) {
  USE_STATEMENT(insert, "INSERT INTO roster (version, document) VALUES (?, ?)");
  insert->Bind(1, static_cast<std::int64_t>(version)).Bind(2, document);
  return insert->Run();
}

absl::StatusOr<std::uint64_t> Store::LastRosterVersion() {
  USE_STATEMENT(select, "SELECT coalesce(max(version), 0) FROM roster");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? static_cast<std::uint64_t>(select->Int(0)) : 0;
}

absl::Status Store::EachRoster(std::uint64_t from,
                               const std::function<absl::Status(std::uint64_t, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT version, document FROM roster WHERE version >= ? "
                                      "ORDER BY version"));
  select.Bind(1, static_cast<std::int64_t>(from));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(static_cast<std::uint64_t>(select.Int(0)), select.Blob(1)));
  }
}

absl::Status Store::PutPolicy(const crypto::Hash256& hash, absl::string_view text) {
  USE_STATEMENT(insert, "INSERT OR IGNORE INTO policy (hash, text) VALUES (?, ?)");
  insert->Bind(1, ByteView(hash)).Bind(2, text);
  return insert->Run();
}

absl::StatusOr<std::string> Store::GetPolicy(const crypto::Hash256& hash) {
  USE_STATEMENT(select, "SELECT text FROM policy WHERE hash = ?");
  select->Bind(1, ByteView(hash));
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return absl::NotFoundError("the policy that the roster names is missing");
  return std::string(select->Text(0));
}

absl::Status Store::PutGrant(const GrantRow& row) {
  USE_STATEMENT(insert,
                "INSERT OR REPLACE INTO access_grant (member, book, class, epoch, sealed) "
                "VALUES (?, ?, ?, ?, ?)");
  insert->Bind(1, Number(row.member)).Bind(2, Number(row.book)).Bind(3, Number(row.class_id));
  insert->Bind(4, std::int64_t{row.epoch}).Bind(5, ByteView(row.sealed));
  return insert->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetGrant(MemberId member, BookId book,
                                                             ClassId class_id,
                                                             std::uint32_t epoch) {
  USE_STATEMENT(select,
                "SELECT sealed FROM access_grant WHERE member = ? AND book = ? AND class = ? "
                "AND epoch = ?");
  select->Bind(1, Number(member)).Bind(2, Number(book)).Bind(3, Number(class_id));
  select->Bind(4, std::int64_t{epoch});
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::EachGrant(const std::function<absl::Status(const GrantRow&)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT member, book, class, epoch, sealed FROM access_grant"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit({.member = MemberId{static_cast<std::uint32_t>(select.Int(0))},
                           .book = BookId{static_cast<std::uint32_t>(select.Int(1))},
                           .class_id = ClassId{static_cast<std::uint8_t>(select.Int(2))},
                           .epoch = static_cast<std::uint32_t>(select.Int(3)),
                           .sealed = Copy(select.Blob(4))}));
  }
}

absl::Status Store::DeleteGrantsBefore(BookId book, ClassId class_id, std::uint32_t epoch) {
  USE_STATEMENT(remove, "DELETE FROM access_grant WHERE book = ? AND class = ? AND epoch < ?");
  remove->Bind(1, Number(book)).Bind(2, Number(class_id)).Bind(3, std::int64_t{epoch});
  return remove->Run();
}

absl::Status Store::PutRekeyRequest(MemberId member, ByteView document) {
  USE_STATEMENT(insert, "INSERT OR REPLACE INTO rekey_request (member, document) VALUES (?, ?)");
  insert->Bind(1, Number(member)).Bind(2, document);
  return insert->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetRekeyRequest(MemberId member) {
  USE_STATEMENT(select, "SELECT document FROM rekey_request WHERE member = ?");
  select->Bind(1, Number(member));
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::DeleteRekeyRequest(MemberId member) {
  USE_STATEMENT(remove, "DELETE FROM rekey_request WHERE member = ?");
  remove->Bind(1, Number(member));
  return remove->Run();
}

absl::Status Store::PutEpochLink(const EpochLinkRow& row) {
  USE_STATEMENT(insert,
                "INSERT OR REPLACE INTO epoch_link (book, class, epoch, sealed) "
                "VALUES (?, ?, ?, ?)");
  insert->Bind(1, Number(row.book)).Bind(2, Number(row.class_id));
  insert->Bind(3, std::int64_t{row.epoch}).Bind(4, ByteView(row.sealed));
  return insert->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetEpochLink(BookId book, ClassId class_id,
                                                                 std::uint32_t epoch) {
  USE_STATEMENT(select, "SELECT sealed FROM epoch_link WHERE book = ? AND class = ? AND epoch = ?");
  select->Bind(1, Number(book)).Bind(2, Number(class_id)).Bind(3, std::int64_t{epoch});
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::DeleteEpochLink(BookId book, ClassId class_id, std::uint32_t epoch) {
  USE_STATEMENT(remove, "DELETE FROM epoch_link WHERE book = ? AND class = ? AND epoch = ?");
  remove->Bind(1, Number(book)).Bind(2, Number(class_id)).Bind(3, std::int64_t{epoch});
  return remove->Run();
}

absl::Status Store::DeleteEpochLinks(BookId book, ClassId class_id) {
  USE_STATEMENT(remove, "DELETE FROM epoch_link WHERE book = ? AND class = ?");
  remove->Bind(1, Number(book)).Bind(2, Number(class_id));
  return remove->Run();
}

absl::Status Store::EachEpochLink(const std::function<absl::Status(const EpochLinkRow&)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT book, class, epoch, sealed FROM epoch_link "
                                      "ORDER BY book, class, epoch"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit({.book = BookId{static_cast<std::uint32_t>(select.Int(0))},
                           .class_id = ClassId{static_cast<std::uint8_t>(select.Int(1))},
                           .epoch = static_cast<std::uint32_t>(select.Int(2)),
                           .sealed = Copy(select.Blob(3))}));
  }
}

absl::Status Store::InsertSession(std::int64_t number, ByteView record) {
  USE_STATEMENT(insert, "INSERT INTO session (number, record) VALUES (?, ?)");
  insert->Bind(1, number).Bind(2, record);
  return insert->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetSession(std::int64_t number) {
  USE_STATEMENT(select, "SELECT record FROM session WHERE number = ?");
  select->Bind(1, number);
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::StatusOr<std::int64_t> Store::LastSession() {
  USE_STATEMENT(select, "SELECT coalesce(max(number), 0) FROM session");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::Status Store::EachSession(std::int64_t from,
                                const std::function<absl::Status(std::int64_t, ByteView)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT number, record FROM session WHERE number >= ? ORDER BY number"));
  select.Bind(1, from);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Int(0), select.Blob(1)));
  }
}

absl::StatusOr<ContactNumber> Store::NextContact() {
  USE_STATEMENT(select, "SELECT next FROM counter WHERE name = 'contact'");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return absl::DataLossError("vault.db: the counter of contacts is missing");
  return select->Int(0);
}

absl::Status Store::InsertAudit(std::int64_t sequence, ByteView record) {
  USE_STATEMENT(insert, "INSERT INTO audit (sequence, record) VALUES (?, ?)");
  insert->Bind(1, sequence).Bind(2, record);
  return insert->Run();
}

absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> Store::LastAudit() {
  USE_STATEMENT(select, "SELECT sequence, record FROM audit ORDER BY sequence DESC LIMIT 1");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::pair<std::int64_t, crypto::Bytes>{0, {}};
  return std::pair<std::int64_t, crypto::Bytes>{select->Int(0), Copy(select->Blob(1))};
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetAudit(std::int64_t sequence) {
  USE_STATEMENT(select, "SELECT record FROM audit WHERE sequence = ?");
  select->Bind(1, sequence);
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::EachAudit(std::int64_t from,
                              const std::function<absl::Status(std::int64_t, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare(
                       "SELECT sequence, record FROM audit WHERE sequence >= ? ORDER BY sequence"));
  select.Bind(1, from);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Int(0), select.Blob(1)));
  }
}

absl::Status Store::EachAuditBack(
    const std::function<absl::StatusOr<bool>(std::int64_t, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT sequence, record FROM audit ORDER BY sequence DESC"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(select.Int(0), select.Blob(1)));
    if (!more) return absl::OkStatus();
  }
}

}  // namespace sealbook::store
