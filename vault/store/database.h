// SQLCipher through one small wrapper. Everything that is stored was sealed before it gets here, so
// the engine is never trusted with a clear value; its encryption hides the structure and the
// numbers.
//
//   ASSIGN_OR_RETURN(auto database, Database::Open(path, key, Database::Mode::kReadWrite));
//   ASSIGN_OR_RETURN(auto statement, database->Prepare("SELECT token FROM contact WHERE number =
//   ?")); statement.Bind(1, number); ASSIGN_OR_RETURN(bool row, statement.Step());
//
// Every connection: WAL, synchronous = FULL, temp_store = MEMORY, secure_delete = ON, foreign keys
// off, trusted_schema off, 64 MiB page cache, no extension loading, cipher_memory_security off
// (decision 0003), nothing logged. SQL is written in vault/store/ alone, always as a constant with
// parameters.
//
// One connection belongs to one thread at a time. Several processes may open one file; a writer
// waits up to kBusyTimeout for another and then fails with Unavailable.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "vault/crypto/secret.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sealbook::store {

class Database;

// A prepared statement. Bind what it asks for, Step until false, Reset before the next use.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Indexes begin at 1. Blobs and texts are not copied: they must live until Reset.
  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, ByteView bytes);
  Statement& Bind(int index, absl::string_view text);
  Statement& BindNull(int index);

  // True where there is a row. Unavailable: busy. DataLoss: the file is damaged.
  absl::StatusOr<bool> Step();
  // Step for statements that give no row; resets.
  absl::Status Run();
  void Reset();

  // Columns of the current row, from 0; what they point to lives until the next Step or Reset.
  std::int64_t Int(int column) const;
  ByteView Blob(int column) const;
  absl::string_view Text(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  Database* database_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  static constexpr int kPageCacheKib = 64 * 1024;
  static constexpr absl::Duration kBusyTimeout = absl::Seconds(15);
  // Between two tries; a long writer leaves the lock free for longer between its transactions.
  static constexpr absl::Duration kBusyPause = absl::Milliseconds(2);

  enum class Mode { kReadWrite, kCreate };

  // Opens `path` with SQLCipher's raw key, handed over through the C interface and not in a
  // pragma's text. kCreate makes the file with mode 0660 and fails where it exists. DataLoss: not a
  // database under this key, or damaged. FailedPrecondition: SQLCipher is older than 4.5.
  // Unavailable: busy. NotFound: there is no such file.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const crypto::DatabaseKey& key, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  // Runs constant statements without parameters.
  absl::Status Execute(const char* sql);

  bool InTransaction() const;
  // Encrypts every page anew, in one transaction: after a crash the file is under the old key or
  // the new one. Other connections find "not a database" from then on and must be opened again.
  // Unavailable: another process holds the lock. ResourceExhausted: no room; the old key stays.
  absl::Status Rekey(const crypto::DatabaseKey& key);
  // Number of rows that the last statement changed.
  int changes() const;
  // Writes the WAL's pages into the file and truncates the WAL. Unavailable where readers are in
  // the way.
  absl::Status TruncateWal();
  // From now on the WAL's pages go into the file when CheckpointPast is called and it has grown
  // past so many pages, and not at the commit that makes it so: a writer of large batches does that
  // outside its transactions. Waits for nobody: what others still read stays for the next time.
  void DeferCheckpoints();
  bool checkpoints_deferred() const { return checkpoints_deferred_; }
  absl::Status CheckpointPast(int pages);

 private:
  friend class Statement;
  explicit Database(sqlite3* handle) : handle_(handle) {}
  absl::Status ErrorFor(int code, absl::string_view what) const;
  sqlite3* handle_;
  bool checkpoints_deferred_ = false;
  int wal_pages_ = 0;  // after the last commit; with DeferCheckpoints
};

// While it lives, the connection's commits do not wait for the disk (synchronous = NORMAL). A crash
// of the process loses none; a power cut may undo the newest, one after the other, back to the last
// commit that waited, of whatever connection. So it is for the steps of long work that is begun
// again where it stood, and whose end is a commit that waits. Made and gone outside transactions.
class UnhurriedCommits {
 public:
  static absl::StatusOr<UnhurriedCommits> Begin(Database& database);
  UnhurriedCommits(UnhurriedCommits&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  UnhurriedCommits& operator=(UnhurriedCommits&&) = delete;
  ~UnhurriedCommits();  // aborts where it cannot be ended: nobody may go on without waiting

 private:
  explicit UnhurriedCommits(Database* database) : database_(database) {}
  Database* database_;
};

// BEGIN IMMEDIATE … COMMIT, rolled back where Commit was not called.
class Transaction {
 public:
  // kRead takes a consistent snapshot and no lock.
  enum class Kind { kRead, kWrite };
  static absl::StatusOr<Transaction> Begin(Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

// A part of a transaction that can be undone alone: rolled back where Keep was not called.
class Savepoint {
 public:
  static absl::StatusOr<Savepoint> Begin(Database& database);
  Savepoint(Savepoint&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint();
  absl::Status Keep();

 private:
  explicit Savepoint(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace sealbook::store
