// SQLCipher under our settings: that they are in force and not only asked for, and what each kind
// of damage and of competition is told as.
#include "vault/store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "vault/crypto/secret.h"

namespace sealbook::store {
namespace {

constexpr std::size_t kPageBytes = 4096;

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/vault.db";
  }
  ~DatabaseTest() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<Database> Create() {
    auto database = Database::Open(path_, key_, Database::Mode::kCreate);
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }
  std::unique_ptr<Database> Open() {
    auto database = Database::Open(path_, key_, Database::Mode::kReadWrite);
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }
  absl::Status TryOpen() {
    return Database::Open(path_, key_, Database::Mode::kReadWrite).status();
  }
  // A second connection that does not wait kBusyTimeout for the first.
  std::unique_ptr<Database> OpenImpatient() {
    auto database = Open();
    EXPECT_EQ(Ask(*database, "PRAGMA busy_timeout = 0"), "0");
    return database;
  }
  // A table of many pages, all of them in the file itself.
  void FillAndClose() {
    auto database = Create();
    ASSERT_TRUE(
        database
            ->Execute("CREATE TABLE row (number INTEGER PRIMARY KEY, bytes BLOB);"
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
                      "INSERT INTO row SELECT i, randomblob(3000) FROM n")
            .ok());
    ASSERT_TRUE(database->TruncateWal().ok());
  }
  std::string Contents() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void FlipByte(std::size_t offset) {
    std::string bytes = Contents();
    ASSERT_LT(offset, bytes.size());
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  static std::string Ask(Database& database, absl::string_view sql) {
    auto statement = database.Prepare(sql);
    EXPECT_TRUE(statement.ok()) << sql << statement.status();
    if (!statement.ok()) return "?";
    const auto row = statement->Step();
    EXPECT_TRUE(row.ok()) << sql << row.status();
    return row.ok() && *row ? std::string(statement->Text(0)) : "";
  }
  static absl::Status ReadAll(Database& database) {
    auto statement = database.Prepare("SELECT number, bytes FROM row");
    if (!statement.ok()) return statement.status();
    for (;;) {
      const auto row = statement->Step();
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
    }
  }

  std::string root_, path_;
  crypto::DatabaseKey key_ = crypto::DatabaseKey::Random();
};

TEST_F(DatabaseTest, SettingsAreInForce) {
  Create();
  auto database = Open();
  EXPECT_EQ(Ask(*database, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(Ask(*database, "PRAGMA synchronous"), "2");  // FULL
  EXPECT_EQ(Ask(*database, "PRAGMA temp_store"), "2");   // MEMORY
  EXPECT_EQ(Ask(*database, "PRAGMA secure_delete"), "1");
  EXPECT_EQ(Ask(*database, "PRAGMA foreign_keys"), "0");
  EXPECT_EQ(Ask(*database, "PRAGMA trusted_schema"), "0");
  EXPECT_EQ(Ask(*database, "PRAGMA cache_size"), "-65536");
  // No mapping of the file: SQLCipher needs its pages in its own memory (no answer: not built in).
  EXPECT_THAT(Ask(*database, "PRAGMA mmap_size"), ::testing::AnyOf("0", ""));
}

// As draining and imports are: transactions of some length, with hardly anything between them.
TEST_F(DatabaseTest, AWriterGetsTheLockBetweenTheTransactionsOfALongOne) {
  Create();
  std::atomic<bool> begun = false, got_it = false;
  int transactions_waited = 0;
  std::thread long_writer([&] {
    auto database = Open();
    for (int i = 0; i < 50 && !got_it; ++i) {
      {
        auto transaction = Transaction::Begin(*database, Transaction::Kind::kWrite);
        EXPECT_TRUE(transaction.ok()) << transaction.status();
        begun = true;
        absl::SleepFor(absl::Milliseconds(200));
      }
      absl::SleepFor(2 * Database::kBusyPause);
      ++transactions_waited;
    }
  });
  auto database = Open();
  while (!begun) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(Transaction::Begin(*database, Transaction::Kind::kWrite).ok());
  got_it = true;
  long_writer.join();
  EXPECT_LT(transactions_waited, 10);  // one or two, on a machine that is not busy
}

TEST_F(DatabaseTest, PagesAreEncryptedAndAuthenticated) {
  auto database = Create();
  EXPECT_EQ(Ask(*database, "PRAGMA cipher_page_size"), "4096");
  EXPECT_EQ(Ask(*database, "PRAGMA cipher_use_hmac"), "1");
  EXPECT_EQ(Ask(*database, "PRAGMA cipher_hmac_algorithm"), "HMAC_SHA512");
  EXPECT_EQ(Ask(*database, "PRAGMA cipher_plaintext_header_size"), "0");
  EXPECT_EQ(Ask(*database, "PRAGMA cipher_memory_security"), "0");
}

TEST_F(DatabaseTest, NothingOfARowIsInTheFilesInTheClear) {
  const std::string marker = "marker-5550199-marker";
  auto database = Create();
  ASSERT_TRUE(database->Execute("CREATE TABLE marked_table (text TEXT)").ok());
  {
    auto insert = database->Prepare("INSERT INTO marked_table VALUES (?)");
    ASSERT_TRUE(insert.ok());
    ASSERT_TRUE(insert->Bind(1, absl::string_view(marker)).Run().ok());
  }
  EXPECT_EQ(Ask(*database, "SELECT text FROM marked_table"), marker);  // the positive control
  std::size_t bytes = 0;
  for (int round = 0; round < 2; ++round) {  // in the WAL, then in the file
    for (const auto& entry : std::filesystem::directory_iterator(root_)) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      bytes += text.size();
      for (const absl::string_view clear :
           {absl::string_view(marker), absl::string_view("marked_table"),
            absl::string_view("SQLite format 3")}) {
        EXPECT_EQ(text.find(std::string(clear)), std::string::npos) << entry.path() << " " << clear;
      }
    }
    ASSERT_TRUE(database->TruncateWal().ok());
  }
  EXPECT_GT(bytes, 2 * kPageBytes);
}

TEST_F(DatabaseTest, SchemaCannotBeWrittenByStatements) {
  auto database = Create();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a)").ok());
  database->Execute("PRAGMA writable_schema = ON").IgnoreError();
  EXPECT_FALSE(database->Execute("UPDATE sqlite_master SET sql = 'CREATE TABLE t (b)'").ok());
  EXPECT_FALSE(database->Execute("SELECT load_extension('/nowhere')").ok());
}

TEST_F(DatabaseTest, FilesAreForTheGroupWhateverTheUmask) {
  const mode_t before = umask(0077);
  auto database = Create();
  EXPECT_TRUE(database->Execute("CREATE TABLE t (a)").ok());
  umask(before);
  std::vector<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(root_)) {
    struct stat info;
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0660u) << entry.path();
    seen.push_back(entry.path().filename());
  }
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre("vault.db", "vault.db-wal", "vault.db-shm"));
}

TEST_F(DatabaseTest, CreateLeavesAnExistingFileAlone) {
  std::ofstream(path_) << "something else";
  EXPECT_FALSE(Database::Open(path_, key_, Database::Mode::kCreate).ok());
  EXPECT_EQ(Contents(), "something else");
}

TEST_F(DatabaseTest, MissingFileIsNotFoundAndIsNotMade) {
  EXPECT_TRUE(absl::IsNotFound(TryOpen()));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DatabaseTest, WrongKeyIsDataLoss) {
  FillAndClose();
  EXPECT_TRUE(absl::IsDataLoss(
      Database::Open(path_, crypto::DatabaseKey::Random(), Database::Mode::kReadWrite).status()));
  EXPECT_TRUE(ReadAll(*Open()).ok());  // and did no harm
}

TEST_F(DatabaseTest, KeyThatDiffersInOneBitIsDataLoss) {
  FillAndClose();
  crypto::Bytes bytes(key_.ExposeBytes().begin(), key_.ExposeBytes().end());
  bytes[31] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(
      Database::Open(path_, crypto::DatabaseKey::CopyOf(bytes), Database::Mode::kReadWrite)
          .status()));
}

TEST_F(DatabaseTest, EmptyFileIsDataLossAndNotANewDatabase) {
  std::ofstream(path_).flush();
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
  EXPECT_EQ(std::filesystem::file_size(path_), 0u);
}

TEST_F(DatabaseTest, FileThatIsNoDatabaseIsDataLoss) {
  std::ofstream(path_) << std::string(3 * kPageBytes, 'x');
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

TEST_F(DatabaseTest, DamagedFirstPageIsDataLoss) {
  FillAndClose();
  FlipByte(100);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

TEST_F(DatabaseTest, ChangedByteOfAnyPageIsDataLossWhereItIsRead) {
  FillAndClose();
  const std::size_t pages = Contents().size() / kPageBytes;
  ASSERT_GT(pages, 30u);
  // In the contents, and in the initialisation vector and HMAC at the page's end.
  for (const std::size_t offset : {pages / 2 * kPageBytes + 77, (pages / 2 + 1) * kPageBytes - 1,
                                   (pages - 1) * kPageBytes, pages * kPageBytes - 80}) {
    FlipByte(offset);
    auto database = Open();
    EXPECT_TRUE(absl::IsDataLoss(ReadAll(*database))) << offset;
    database.reset();
    FlipByte(offset);
  }
  EXPECT_TRUE(ReadAll(*Open()).ok());  // the positive control
}

TEST_F(DatabaseTest, PagesThatChangedPlacesAreDataLoss) {
  FillAndClose();
  std::string bytes = Contents();
  std::swap_ranges(bytes.begin() + 10 * kPageBytes, bytes.begin() + 11 * kPageBytes,
                   bytes.begin() + 20 * kPageBytes);
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_TRUE(absl::IsDataLoss(ReadAll(*Open())));
}

TEST_F(DatabaseTest, CutFileIsDataLoss) {
  FillAndClose();
  std::filesystem::resize_file(path_,
                               std::filesystem::file_size(path_) / 2 / kPageBytes * kPageBytes);
  const absl::Status opened = TryOpen();
  EXPECT_TRUE(absl::IsDataLoss(opened.ok() ? ReadAll(*Open()) : opened));
}

TEST_F(DatabaseTest, SecondWriterIsUnavailable) {
  auto first = Create();
  ASSERT_TRUE(first->Execute("CREATE TABLE t (a)").ok());
  auto second = OpenImpatient();
  {
    auto writing = Transaction::Begin(*first, Transaction::Kind::kWrite);
    ASSERT_TRUE(writing.ok());
    EXPECT_TRUE(
        absl::IsUnavailable(Transaction::Begin(*second, Transaction::Kind::kWrite).status()));
    EXPECT_TRUE(absl::IsUnavailable(second->Execute("INSERT INTO t VALUES (1)")));
  }
  EXPECT_TRUE(Transaction::Begin(*second, Transaction::Kind::kWrite).ok());
}

TEST_F(DatabaseTest, ReaderKeepsItsSnapshotBesideAWriter) {
  auto first = Create();
  ASSERT_TRUE(first->Execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)").ok());
  auto second = OpenImpatient();
  auto reading = Transaction::Begin(*second, Transaction::Kind::kRead);
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(Ask(*second, "SELECT count(*) FROM t"), "1");
  auto writing = Transaction::Begin(*first, Transaction::Kind::kWrite);
  ASSERT_TRUE(writing.ok());
  ASSERT_TRUE(first->Execute("INSERT INTO t VALUES (2)").ok());
  ASSERT_TRUE(writing->Commit().ok());
  EXPECT_EQ(Ask(*second, "SELECT count(*) FROM t"), "1");
  ASSERT_TRUE(reading->Commit().ok());
  EXPECT_EQ(Ask(*second, "SELECT count(*) FROM t"), "2");
}

TEST_F(DatabaseTest, TruncateWalIsUnavailableWhileSomebodyReads) {
  auto first = Create();
  ASSERT_TRUE(first->Execute("CREATE TABLE t (a)").ok());
  auto second = OpenImpatient();
  {
    auto reading = Transaction::Begin(*first, Transaction::Kind::kRead);
    ASSERT_TRUE(reading.ok());
    EXPECT_EQ(Ask(*first, "SELECT count(*) FROM t"), "0");
    ASSERT_TRUE(second->Execute("INSERT INTO t VALUES (1)").ok());
    EXPECT_TRUE(absl::IsUnavailable(second->TruncateWal()));
  }
  EXPECT_TRUE(second->TruncateWal().ok());
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0u);
}

TEST_F(DatabaseTest, TransactionWithoutCommitIsRolledBack) {
  auto database = Create();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a)").ok());
  {
    auto transaction = Transaction::Begin(*database, Transaction::Kind::kWrite);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES (1)").ok());
    EXPECT_EQ(database->changes(), 1);
    const Transaction moved = *std::move(transaction);  // ends once, with the last holder
    EXPECT_EQ(Ask(*database, "SELECT count(*) FROM t"), "1");
  }
  EXPECT_EQ(Ask(*database, "SELECT count(*) FROM t"), "0");
  auto transaction = Transaction::Begin(*database, Transaction::Kind::kWrite);
  ASSERT_TRUE(transaction.ok());
  ASSERT_TRUE(database->Execute("INSERT INTO t VALUES (1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Ask(*Open(), "SELECT count(*) FROM t"), "1");
}

TEST_F(DatabaseTest, SavepointUndoesItsOwnPartOnly) {
  auto database = Create();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a)").ok());
  auto transaction = Transaction::Begin(*database, Transaction::Kind::kWrite);
  ASSERT_TRUE(transaction.ok());
  ASSERT_TRUE(database->Execute("INSERT INTO t VALUES ('before')").ok());
  {
    auto undone = Savepoint::Begin(*database);
    ASSERT_TRUE(undone.ok());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES ('undone')").ok());
  }
  {
    auto kept = Savepoint::Begin(*database);
    ASSERT_TRUE(kept.ok());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES ('kept')").ok());
    ASSERT_TRUE(kept->Keep().ok());
  }
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Ask(*database, "SELECT group_concat(a) FROM t"), "before,kept");
}

TEST_F(DatabaseTest, InnerSavepointThatIsKeptGoesWithTheOuterOne) {
  auto database = Create();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a)").ok());
  auto transaction = Transaction::Begin(*database, Transaction::Kind::kWrite);
  ASSERT_TRUE(transaction.ok());
  {
    auto outer = Savepoint::Begin(*database);
    ASSERT_TRUE(outer.ok());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES ('outer')").ok());
    {
      auto inner = Savepoint::Begin(*database);
      ASSERT_TRUE(inner.ok());
      ASSERT_TRUE(database->Execute("INSERT INTO t VALUES ('inner')").ok());
      ASSERT_TRUE(inner->Keep().ok());
    }
    EXPECT_EQ(Ask(*database, "SELECT count(*) FROM t"), "2");
  }
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Ask(*database, "SELECT count(*) FROM t"), "0");
}

TEST_F(DatabaseTest, StatementGivesBackWhatWasBound) {
  auto database = Create();
  auto statement = database->Prepare("SELECT ?, ?, ?, ?, ?");
  ASSERT_TRUE(statement.ok());
  const crypto::Bytes bytes = {0, 1, 0, 255};
  statement->Bind(1, std::int64_t{-7})
      .Bind(2, ByteView(bytes))
      .Bind(3, absl::string_view("a\0b", 3));
  statement->Bind(4, ByteView()).BindNull(5);
  ASSERT_TRUE(*statement->Step());
  EXPECT_EQ(statement->Int(0), -7);
  EXPECT_TRUE(std::ranges::equal(statement->Blob(1), bytes));
  EXPECT_EQ(statement->Text(2), absl::string_view("a\0b", 3));
  EXPECT_FALSE(statement->IsNull(3));  // an empty blob is not NULL
  EXPECT_TRUE(statement->IsNull(4));
  EXPECT_FALSE(*statement->Step());
  statement->Reset();
  ASSERT_TRUE(*statement->Step());
  EXPECT_TRUE(statement->IsNull(0));  // Reset forgets what was bound
}

TEST_F(DatabaseTest, RunOfAStatementThatGivesARowIsAnError) {
  auto database = Create();
  auto statement = database->Prepare("SELECT 1");
  ASSERT_TRUE(statement.ok());
  EXPECT_FALSE(statement->Run().ok());
}

TEST_F(DatabaseTest, ErrorsQuoteNoValues) {
  auto database = Create();
  ASSERT_TRUE(
      database->Execute("CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES ('5550199')")
          .ok());
  const absl::Status exists = database->Execute("INSERT INTO t VALUES ('5550199')");
  EXPECT_TRUE(absl::IsAlreadyExists(exists));
  const absl::Status syntax = database->Execute("SELECT 5550199 FROM 5550199");
  EXPECT_FALSE(syntax.ok());
  for (const absl::Status& status : {exists, syntax}) {
    EXPECT_FALSE(absl::StrContains(status.ToString(), "5550199")) << status;
  }
}

}  // namespace
}  // namespace sealbook::store
