#include "vault/store/database.h"

#include <fcntl.h>
#include <sqlcipher/sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::store {
namespace {

// SQLCipher takes a raw key as x'<64 hex digits>'. Written into memory that is wiped.
crypto::SecretBytes RawKeyText(const crypto::DatabaseKey& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  crypto::SecretBytes text(2 + 2 * crypto::kKeyBytes + 1);
  auto out = text.ExposeMutable();
  out[0] = 'x';
  out[1] = '\'';
  std::size_t at = 2;
  for (const std::uint8_t byte : key.ExposeBytes()) {
    out[at++] = static_cast<std::uint8_t>(kDigits[byte >> 4]);
    out[at++] = static_cast<std::uint8_t>(kDigits[byte & 15]);
  }
  out[at] = '\'';
  return text;
}

absl::Status CreateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0660);
  if (fd < 0) {
    return absl::InternalError(absl::StrCat("cannot make ", path, ": ", std::strerror(errno)));
  }
  // The mode is the vault's decision, not the umask's: several OS users of one group work on it.
  const bool done = fchmod(fd, 0660) == 0;
  close(fd);
  return done ? absl::OkStatus()
              : absl::InternalError(absl::StrCat("cannot set the mode of ", path));
}

// SQLite's own handler asks ever more seldom, up to every 100 ms, and so misses the moments between
// the transactions of a long writer. `asked`: how often it was called for this lock.
int WaitWhileBusy(void*, int asked) {
  if (asked >= Database::kBusyTimeout / Database::kBusyPause) return 0;
  absl::SleepFor(Database::kBusyPause);
  return 1;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(other.statement_) {
  other.statement_ = nullptr;
}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statement_, other.statement_);
  return *this;
}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}
Statement& Statement::Bind(int index, ByteView bytes) {
  // A null pointer would bind NULL, and an empty blob is not that.
  sqlite3_bind_blob64(statement_, index,
                      bytes.empty() ? "" : static_cast<const void*>(bytes.data()), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}
Statement& Statement::Bind(int index, absl::string_view text) {
  sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}
Statement& Statement::BindNull(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  absl::Status error = database_->ErrorFor(code, "the vault's database");
  sqlite3_reset(statement_);
  return error;
}

absl::Status Statement::Run() {
  ASSIGN_OR_RETURN(const bool row, Step());
  Reset();
  return row ? absl::InternalError("a statement gave a row that nobody asked for")
             : absl::OkStatus();
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
ByteView Statement::Blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  return {static_cast<const std::uint8_t*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
absl::string_view Statement::Text(int column) const { return crypto::AsText(Blob(column)); }
bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const crypto::DatabaseKey& key,
                                                         Mode mode) {
  if (mode == Mode::kCreate) {
    RETURN_IF_ERROR(CreateFile(path));
  } else {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) {
      return absl::NotFoundError(absl::StrCat("there is no ", path));
    }
    // SQLite takes an empty file for a new database; here it is a vault that lost its contents.
    if (info.st_size == 0) return absl::DataLossError(absl::StrCat(path, " is empty"));
  }
  sqlite3* handle = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                             nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return database->ErrorFor(code, path);
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return WithHint(
        absl::InternalError(absl::StrCat(path, " cannot be written")),
        "Every command writes the audit log: give this user write access to the vault's "
        "directory and files.");
  }
  sqlite3_busy_handler(handle, &WaitWhileBusy, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  {
    const crypto::SecretBytes text = RawKeyText(key);
    code = sqlite3_key(handle, text.ExposeBytes().data(), static_cast<int>(text.size()));
    if (code != SQLITE_OK) return database->ErrorFor(code, path);
  }
  RETURN_IF_ERROR(database->Execute("PRAGMA cipher_log_level = NONE"));
  RETURN_IF_ERROR(database->Execute("PRAGMA cipher_memory_security = OFF"));
  {
    ASSIGN_OR_RETURN(Statement version, database->Prepare("PRAGMA cipher_version"));
    ASSIGN_OR_RETURN(const bool row, version.Step());
    int major = 0, minor = 0;
    const std::string text(row ? version.Text(0) : "");
    if (std::sscanf(text.c_str(), "%d.%d", &major, &minor) != 2 || major < 4 ||
        (major == 4 && minor < 5)) {
      return WithHint(absl::FailedPreconditionError(
                          absl::StrCat("SQLCipher 4.5 or later is needed, found \"", text, "\"")),
                      "On Debian 12 it comes from bookworm-backports: run scripts/setup.");
    }
  }
  RETURN_IF_ERROR(database->Execute("PRAGMA temp_store = MEMORY"));
  RETURN_IF_ERROR(database->Execute("PRAGMA trusted_schema = OFF"));
  RETURN_IF_ERROR(database->Execute("PRAGMA secure_delete = ON"));
  RETURN_IF_ERROR(database->Execute("PRAGMA mmap_size = 0"));
  // The first statement that reads the file: a wrong key or damage shows here.
  RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode = WAL"));
  RETURN_IF_ERROR(database->Execute("PRAGMA synchronous = FULL"));
  RETURN_IF_ERROR(database->Execute(absl::StrCat("PRAGMA cache_size = -", kPageCacheKib).c_str()));
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorFor(code, "the vault's database");
  return Statement(this, statement);
}

absl::Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorFor(code, "the vault's database");
}

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::Status Database::Rekey(const crypto::DatabaseKey& key) {
  const crypto::SecretBytes text = RawKeyText(key);
  const int code = sqlite3_rekey(handle_, text.ExposeBytes().data(), static_cast<int>(text.size()));
  return code == SQLITE_OK ? absl::OkStatus() : ErrorFor(code, "the vault's database");
}

int Database::changes() const { return sqlite3_changes(handle_); }

absl::Status Database::TruncateWal() {
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorFor(code, "the vault's write-ahead log");
}

void Database::DeferCheckpoints() {
  checkpoints_deferred_ = true;
  // In the place of SQLite's own hook, which makes the automatic checkpoints.
  const auto note = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Database*>(self)->wal_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_, note, this);
}

absl::Status Database::CheckpointPast(int pages) {
  if (wal_pages_ <= pages) return absl::OkStatus();
  wal_pages_ = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return absl::OkStatus();
  return ErrorFor(code, "the vault's write-ahead log");
}

absl::Status Database::ErrorFor(int code, absl::string_view what) const {
  // SQLite's own message could quote a value: only the kind of error is told.
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return WithHint(
          absl::UnavailableError(absl::StrCat(what, " is busy: another process writes")),
          "Try again in a moment.");
    case SQLITE_NOTADB:
      return WithHint(
          absl::DataLossError(absl::StrCat(what, " does not open with this vault's key")),
          "It was damaged or replaced: put vault.db and unlock.json of the same backup back.");
    case SQLITE_CORRUPT:
      return WithHint(absl::DataLossError(absl::StrCat(what, " is damaged")),
                      "Put the last backup back, or run 'sealbook doctor' to see what is left.");
    case SQLITE_FULL:
      return WithHint(absl::ResourceExhaustedError(absl::StrCat("the disk is full: ", what)),
                      "Nothing was lost. Make room and run the command again.");
    case SQLITE_IOERR:
      if (const int error = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
          error == ENOSPC || error == EDQUOT || error == EFBIG) {
        return WithHint(
            absl::ResourceExhaustedError(absl::StrCat(
                error == ENOSPC ? "the disk is full: " : "the system lets it grow no more: ",
                what)),
            error == ENOSPC
                ? "Nothing was lost. Make room and run the command again."
                : "Nothing was lost. Raise the quota or 'ulimit -f' and run the command again.");
      }
      return WithHint(absl::InternalError(absl::StrCat(what, " cannot be read or written (",
                                                       sqlite3_errstr(code), ")")),
                      "Nothing was lost. Look at the disk and run the command again.");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return WithHint(
          absl::InternalError(absl::StrCat(what, " cannot be opened for writing")),
          "Every command writes the audit log: give this user write access to the vault's "
          "directory and files.");
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(absl::StrCat("a row of ", what, " exists"));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError("out of memory");
    default:
      return absl::InternalError(absl::StrCat(what, ": ", sqlite3_errstr(code)));
  }
}

absl::StatusOr<UnhurriedCommits> UnhurriedCommits::Begin(Database& database) {
  RETURN_IF_ERROR(database.Execute("PRAGMA synchronous = NORMAL"));
  return UnhurriedCommits(&database);
}
UnhurriedCommits::~UnhurriedCommits() {
  if (database_ != nullptr && !database_->Execute("PRAGMA synchronous = FULL").ok()) std::abort();
}

absl::StatusOr<Transaction> Transaction::Begin(Database& database, Kind kind) {
  RETURN_IF_ERROR(database.Execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
  return Transaction(&database);
}
Transaction::~Transaction() {
  // A failed ROLLBACK means that SQLite rolled back by itself already.
  if (database_ != nullptr) database_->Execute("ROLLBACK").IgnoreError();
}
absl::Status Transaction::Commit() {
  RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return absl::OkStatus();
}

absl::StatusOr<Savepoint> Savepoint::Begin(Database& database) {
  RETURN_IF_ERROR(database.Execute("SAVEPOINT part"));
  return Savepoint(&database);
}
Savepoint::~Savepoint() {
  if (database_ == nullptr) return;
  database_->Execute("ROLLBACK TO part").IgnoreError();
  database_->Execute("RELEASE part").IgnoreError();
}
absl::Status Savepoint::Keep() {
  RETURN_IF_ERROR(database_->Execute("RELEASE part"));
  database_ = nullptr;
  return absl::OkStatus();
}

}  // namespace sealbook::store
