#include "vault/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "vault/store/schema.h"

namespace sealbook::store {
namespace {

using ::testing::ElementsAre;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/vault.db";
    auto store = Store::Create(path_, key_);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  std::unique_ptr<Store> Open() {
    auto store = Store::Open(path_, key_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static std::int64_t Ask(Store& store, absl::string_view sql) {
    auto statement = store.database().Prepare(sql);
    EXPECT_TRUE(statement.ok()) << sql;
    EXPECT_TRUE(*statement->Step()) << sql;
    return statement->Int(0);
  }
  static ContactRow Row(ContactNumber number) {
    return {number,
            1000000000 + number,
            crypto::Bytes(16, static_cast<std::uint8_t>(number)),
            {1, 2, 3}};
  }

  std::string root_, path_;
  crypto::DatabaseKey key_ = crypto::DatabaseKey::Random();
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, CreateMakesTheNewestSchema) {
  EXPECT_EQ(Ask(*store_, "PRAGMA user_version"), Store::kSchemaVersion);
  EXPECT_EQ(Migrations().size(), std::size_t{Store::kSchemaVersion});
  EXPECT_EQ(*store_->CountContacts(), 0);
  EXPECT_EQ(*store_->LastSession(), 0);
  EXPECT_EQ(*store_->LastRosterVersion(), 0u);
  EXPECT_EQ(store_->LastAudit()->first, 0);
}

TEST_F(StoreTest, CreateOverAVaultIsRefused) {
  ASSERT_TRUE(store_->InsertToken(1, 1).ok());
  EXPECT_FALSE(Store::Create(path_, key_).ok());
  EXPECT_EQ(*Open()->CountTokens(), 1);
}

TEST_F(StoreTest, OpenBringsAnOlderFileToTheNewestSchema) {
  const std::string older = root_ + "/older.db";
  {
    auto database = Database::Open(older, key_, Database::Mode::kCreate);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 0").ok());
    ASSERT_TRUE((*database)->TruncateWal().ok());
  }
  auto store = Store::Open(older, key_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Ask(**store, "PRAGMA user_version"), Store::kSchemaVersion);
  EXPECT_TRUE((*store)->InsertContact(Row(1)).ok());
}

TEST_F(StoreTest, MigrationThatFailsLeavesTheFileAsItWas) {
  const std::string older = root_ + "/older.db";
  {
    auto database = Database::Open(older, key_, Database::Mode::kCreate);
    ASSERT_TRUE(database.ok());
    // In the way of the last table of the first migration.
    ASSERT_TRUE((*database)->Execute("CREATE TABLE audit (mine INTEGER)").ok());
  }
  EXPECT_FALSE(Store::Open(older, key_).ok());
  auto database = Database::Open(older, key_, Database::Mode::kReadWrite);
  ASSERT_TRUE(database.ok());
  EXPECT_FALSE((*database)->Prepare("SELECT * FROM counter").ok());
  auto version = (*database)->Prepare("PRAGMA user_version");
  ASSERT_TRUE(*version->Step());
  EXPECT_EQ(version->Int(0), 0);
}

TEST_F(StoreTest, TwoThatMigrateAtOnceMigrateOnce) {
  const std::string older = root_ + "/older.db";
  {
    auto database = Database::Open(older, key_, Database::Mode::kCreate);
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 0").ok());
  }
  std::vector<absl::Status> statuses(4);
  std::vector<std::thread> threads;
  for (absl::Status& status : statuses) {
    threads.emplace_back([&] { status = Store::Open(older, key_).status(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
  auto store = Store::Open(older, key_);
  EXPECT_EQ(Ask(**store, "SELECT count(*) FROM counter"), 1);
}

TEST_F(StoreTest, NewerSchemaIsRefused) {
  ASSERT_TRUE(
      store_->database()
          .Execute(absl::StrCat("PRAGMA user_version = ", Store::kSchemaVersion + 1).c_str())
          .ok());
  store_.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(Store::Open(path_, key_).status()));
}

TEST_F(StoreTest, ReservedNumbersAreNobodyElses) {
  EXPECT_EQ(*store_->NextContact(), 1);
  auto other = Open();
  EXPECT_EQ(*store_->ReserveContacts(10), 1);
  EXPECT_EQ(*other->ReserveContacts(1), 11);
  EXPECT_EQ(*store_->ReserveContacts(5), 12);
  EXPECT_EQ(*other->NextContact(), 17);
  EXPECT_EQ(*Open()->NextContact(), 17);  // reserved for good, written or not
}

TEST_F(StoreTest, MissingCounterIsDataLoss) {
  ASSERT_TRUE(store_->database().Execute("DELETE FROM counter").ok());
  EXPECT_TRUE(absl::IsDataLoss(store_->NextContact().status()));
  EXPECT_TRUE(absl::IsDataLoss(store_->ReserveContacts(1).status()));
}

TEST_F(StoreTest, TransactionWithoutCommitLeavesNothing) {
  {
    auto transaction = store_->BeginWrite();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(store_->InsertContact(Row(1)).ok());
    ASSERT_TRUE(store_->InsertToken(7, 1).ok());
    EXPECT_EQ(*store_->CountContacts(), 1);
  }
  EXPECT_EQ(*store_->CountContacts(), 0);
  EXPECT_EQ(*store_->FindToken(7), std::nullopt);
}

TEST_F(StoreTest, ContactsComeBackAsTheyWereWritten) {
  for (const ContactNumber number : {3, 1, 2}) ASSERT_TRUE(store_->InsertContact(Row(number)).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertContact(Row(2))));
  ContactRow changed = Row(2);
  changed.token = 99;  // for life: an update leaves it
  changed.values = {9};
  ASSERT_TRUE(store_->UpdateContact(changed).ok());
  ContactRow row;
  ASSERT_TRUE(*store_->GetContact(2, row));
  EXPECT_EQ(row.token, 1000000002);
  EXPECT_THAT(row.values, ElementsAre(9));
  EXPECT_EQ(row.identifiers, crypto::Bytes(16, 2));
  EXPECT_FALSE(*store_->GetContact(4, row));
  EXPECT_EQ(*store_->CountContacts(), 3);

  std::vector<ContactNumber> seen;
  const auto visit = [&](const ContactRow& each) -> absl::StatusOr<bool> {
    seen.push_back(each.number);
    return seen.size() < 2;
  };
  ASSERT_TRUE(store_->EachContact(1, visit).ok());
  EXPECT_THAT(seen, ElementsAre(1, 2));  // in order, and no further than was asked
  seen = {0};
  ASSERT_TRUE(store_->EachContact(3, visit).ok());
  EXPECT_THAT(seen, ElementsAre(0, 3));
  EXPECT_TRUE(
      absl::IsCancelled(store_->EachContact(1, [](const ContactRow&) -> absl::StatusOr<bool> {
        return absl::CancelledError("enough");
      })));
}

TEST_F(StoreTest, TokenOfTwoContactsIsAlreadyExists) {
  ASSERT_TRUE(store_->InsertToken(2837470195, 1).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertToken(2837470195, 2)));
  EXPECT_EQ(*store_->FindToken(2837470195), ContactNumber{1});
  EXPECT_EQ(*store_->FindToken(2837470196), std::nullopt);
  EXPECT_EQ(*store_->CountTokens(), 1);
}

TEST_F(StoreTest, IndexHashOfTwoContactsIsAlreadyExists) {
  const IndexRow row{.hash = {1, 2}, .tag = {3, 4}, .contact = 5};
  ASSERT_TRUE(store_->InsertIndex(row).ok());
  EXPECT_TRUE(
      absl::IsAlreadyExists(store_->InsertIndex({.hash = {1, 2}, .tag = {9}, .contact = 6})));
  IndexRow found;
  ASSERT_TRUE(*store_->FindIndex(row.hash, found));
  EXPECT_EQ(found.tag, row.tag);
  EXPECT_EQ(found.contact, 5);
  EXPECT_FALSE(*store_->FindIndex({1, 3}, found));
  ASSERT_TRUE(store_->DeleteIndex(row.hash).ok());
  EXPECT_FALSE(*store_->FindIndex(row.hash, found));
}

TEST_F(StoreTest, RecentIndexRowIsFoundLikeAnyOther) {
  const IndexRow row{.hash = {1, 2}, .tag = {3, 4}, .contact = 5};
  ASSERT_TRUE(store_->InsertRecentIndex(row, /*known_new=*/false).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertRecentIndex(row, false)));
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertIndex(row)));
  IndexRow found;
  ASSERT_TRUE(*store_->FindIndex(row.hash, found));
  EXPECT_EQ(found.tag, row.tag);
  EXPECT_EQ(found.contact, 5);
  int rows = 0;
  ASSERT_TRUE(store_->EachIndex([&](const IndexRow&) { return ++rows, absl::OkStatus(); }).ok());
  EXPECT_EQ(rows, 1);
  ASSERT_TRUE(store_->DeleteIndex(row.hash).ok());
  EXPECT_FALSE(*store_->FindIndex(row.hash, found));
}

TEST_F(StoreTest, RecentIndexRowOfAHashThatIsThereIsAlreadyExists) {
  ASSERT_TRUE(store_->InsertIndex({.hash = {7}, .tag = {1}, .contact = 5}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(
      store_->InsertRecentIndex({.hash = {7}, .tag = {2}, .contact = 6}, false)));
}

TEST_F(StoreTest, MergingMovesEveryRecentIndexRowOnce) {
  for (int i = 0; i < 256; ++i) {
    crypto::Hash128 first{}, last;
    last.fill(0xff);
    first[0] = last[0] = static_cast<std::uint8_t>(i);
    ASSERT_TRUE(store_->InsertRecentIndex({.hash = first, .tag = {1}, .contact = i}, true).ok());
    ASSERT_TRUE(store_->InsertRecentIndex({.hash = last, .tag = {2}, .contact = i}, true).ok());
  }
  EXPECT_EQ(*store_->CountRecentIndex(), 512);
  for (int slice = 0; slice < Store::kIndexSlices; ++slice) {
    ASSERT_TRUE(store_->MergeRecentIndex(slice).ok());
    EXPECT_EQ(*store_->CountRecentIndex(), 512 - 512 / Store::kIndexSlices * (slice + 1));
  }
  std::set<crypto::Hash128> hashes;
  ASSERT_TRUE(store_
                  ->EachIndex([&](const IndexRow& row) {
                    EXPECT_EQ(row.contact, row.hash[0]);
                    hashes.insert(row.hash);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(hashes.size(), 512u);
  IndexRow found;
  EXPECT_TRUE(*store_->FindIndex({0x80}, found));
}

TEST_F(StoreTest, DataVersionTellsThatAnotherConnectionWrote) {
  const std::int64_t before = *store_->DataVersion();
  ASSERT_TRUE(store_->InsertToken(1, 1).ok());
  EXPECT_EQ(*store_->DataVersion(), before);
  ASSERT_TRUE((*Store::Open(path_, key_))->InsertToken(2, 2).ok());
  EXPECT_NE(*store_->DataVersion(), before);
}

TEST_F(StoreTest, IndexTagOfAnotherLengthReadsAsZeros) {
  ASSERT_TRUE(store_->InsertIndex({.hash = {1}, .tag = {3}, .contact = 5}).ok());
  ASSERT_TRUE(store_->database().Execute("UPDATE contact_index SET tag = x'0304'").ok());
  IndexRow found;
  ASSERT_TRUE(*store_->FindIndex({1}, found));
  EXPECT_EQ(found.tag, crypto::Hash128{});
  int rows = 0;
  ASSERT_TRUE(store_
                  ->EachIndex([&](const IndexRow& each) {
                    EXPECT_EQ(each.tag, crypto::Hash128{});
                    ++rows;
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(rows, 1);
}

TEST_F(StoreTest, BookRowsBelongToBookAndContact) {
  const BookId seoul{1}, busan{2};
  ASSERT_TRUE(store_->InsertContact(Row(4)).ok());
  ASSERT_TRUE(store_->PutBookContact({seoul, 4, 7, {1}}).ok());
  ASSERT_TRUE(store_->PutBookContact({seoul, 2, 7, {2}}).ok());
  ASSERT_TRUE(store_->PutBookContact({busan, 4, 8, {3}}).ok());
  ASSERT_TRUE(store_->PutBookContact({seoul, 4, 9, {4}}).ok());  // replaces
  EXPECT_EQ(*store_->CountBookContacts(seoul), 2);
  BookContactRow row;
  ASSERT_TRUE(*store_->GetBookContact(seoul, 4, row));
  EXPECT_EQ(row.session, 9);
  EXPECT_THAT(row.wraps, ElementsAre(4));

  std::vector<ContactNumber> seen;
  ASSERT_TRUE(store_
                  ->EachBookContact(seoul, 0,
                                    [&](const BookContactRow& each) -> absl::StatusOr<bool> {
                                      EXPECT_EQ(each.book, seoul);
                                      seen.push_back(each.contact);
                                      return true;
                                    })
                  .ok());
  EXPECT_THAT(seen, ElementsAre(2, 4));
  // Joined: an assigned contact that is missing is visited all the same, without a row of its own.
  std::vector<std::pair<ContactNumber, std::int64_t>> joined;
  ASSERT_TRUE(store_
                  ->EachAssigned(seoul, 0,
                                 [&](const BookContactRow& book,
                                     const ContactRow& contact) -> absl::StatusOr<bool> {
                                   joined.emplace_back(book.contact, contact.token);
                                   return true;
                                 })
                  .ok());
  EXPECT_THAT(joined, ElementsAre(std::pair(2, 0), std::pair(4, 1000000004)));

  std::vector<BookId> books;
  ASSERT_TRUE(store_
                  ->EachBookNumber([&](BookId book) {
                    books.push_back(book);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(books, ::testing::UnorderedElementsAre(seoul, busan));

  ASSERT_TRUE(store_->DeleteBookContact(seoul, 4).ok());
  EXPECT_FALSE(*store_->GetBookContact(seoul, 4, row));
  EXPECT_TRUE(*store_->GetBookContact(busan, 4, row));
}

TEST_F(StoreTest, GrantsAreFoundByAllFourParts) {
  const GrantRow grant{MemberId{1}, BookId{2}, ClassId::kProfile, 3, {4}};
  ASSERT_TRUE(store_->PutGrant(grant).ok());
  EXPECT_EQ(*store_->GetGrant(grant.member, grant.book, grant.class_id, grant.epoch),
            crypto::Bytes{4});
  EXPECT_EQ(*store_->GetGrant(MemberId{9}, grant.book, grant.class_id, grant.epoch), std::nullopt);
  EXPECT_EQ(*store_->GetGrant(grant.member, BookId{9}, grant.class_id, grant.epoch), std::nullopt);
  EXPECT_EQ(*store_->GetGrant(grant.member, grant.book, ClassId::kAudit, grant.epoch),
            std::nullopt);
  EXPECT_EQ(*store_->GetGrant(grant.member, grant.book, grant.class_id, 9), std::nullopt);
}

TEST_F(StoreTest, NumberedRowsAreWrittenOnceAndReadInOrder) {
  const crypto::Bytes a = {1}, b = {2};
  ASSERT_TRUE(store_->InsertSession(2, b).ok());
  ASSERT_TRUE(store_->InsertSession(1, a).ok());
  ASSERT_TRUE(store_->InsertRoster(1, a).ok());
  ASSERT_TRUE(store_->InsertAudit(1, a).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertSession(2, a)));
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertRoster(1, b)));
  EXPECT_TRUE(absl::IsAlreadyExists(store_->InsertAudit(1, b)));
  EXPECT_EQ(*store_->LastSession(), 2);
  EXPECT_EQ(*store_->GetSession(2), b);
  EXPECT_EQ(*store_->GetSession(3), std::nullopt);
  EXPECT_EQ(*store_->LastRosterVersion(), 1u);
  EXPECT_EQ(*store_->LastAudit(), (std::pair<std::int64_t, crypto::Bytes>{1, a}));
  EXPECT_EQ(*store_->GetAudit(1), a);
  EXPECT_EQ(*store_->GetAudit(2), std::nullopt);
  std::vector<std::int64_t> seen;
  const auto visit = [&](std::int64_t number, ByteView) {
    seen.push_back(number);
    return absl::OkStatus();
  };
  ASSERT_TRUE(store_->EachSession(1, visit).ok());
  ASSERT_TRUE(store_->EachSession(2, visit).ok());
  EXPECT_THAT(seen, ElementsAre(1, 2, 2));
}

TEST_F(StoreTest, AuditRowsAreVisitedBackFromTheNewestUntilTheVisitorHasEnough) {
  std::vector<std::int64_t> seen;
  const auto visit_until = [&](std::int64_t last) {
    seen.clear();
    return store_->EachAuditBack(
        [&, last](std::int64_t sequence, ByteView record) -> absl::StatusOr<bool> {
          EXPECT_EQ(record.size(), 1u);
          EXPECT_EQ(record[0], sequence);
          seen.push_back(sequence);
          return sequence > last;
        });
  };
  ASSERT_TRUE(visit_until(0).ok());
  EXPECT_THAT(seen, ElementsAre());
  for (const std::uint8_t sequence : {2, 1, 3}) {
    ASSERT_TRUE(store_->InsertAudit(sequence, crypto::Bytes{sequence}).ok());
  }
  ASSERT_TRUE(visit_until(0).ok());
  EXPECT_THAT(seen, ElementsAre(3, 2, 1));
  ASSERT_TRUE(visit_until(2).ok());
  EXPECT_THAT(seen, ElementsAre(3, 2));
  // A visitor's error ends it, and inside a transaction the next row can be written afterwards.
  auto transaction = store_->BeginWrite();
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(
      absl::IsDataLoss(store_->EachAuditBack([](std::int64_t, ByteView) -> absl::StatusOr<bool> {
        return absl::DataLossError("altered");
      })));
  EXPECT_TRUE(store_->InsertAudit(4, crypto::Bytes{4}).ok());
  EXPECT_TRUE(transaction->Commit().ok());
}

TEST_F(StoreTest, PolicyIsFoundByItsHash) {
  const crypto::Hash256 hash = {1}, other = {2};
  ASSERT_TRUE(store_->PutPolicy(hash, "text").ok());
  ASSERT_TRUE(store_->PutPolicy(hash, "text").ok());
  EXPECT_EQ(*store_->GetPolicy(hash), "text");
  EXPECT_TRUE(absl::IsNotFound(store_->GetPolicy(other).status()));
}

TEST_F(StoreTest, VisitThatStopsEarlyHoldsNoSnapshot) {
  for (ContactNumber number = 1; number <= 3; ++number)
    ASSERT_TRUE(store_->InsertContact(Row(number)).ok());
  ASSERT_TRUE(
      store_->EachContact(1, [](const ContactRow&) -> absl::StatusOr<bool> { return false; }).ok());
  ContactRow row;
  ASSERT_TRUE(*store_->GetContact(1, row));  // a cached statement that is not stepped to its end
  auto other = Open();
  auto statement = other->database().Prepare("PRAGMA busy_timeout = 0");
  ASSERT_TRUE(*statement->Step());
  statement->Reset();
  EXPECT_TRUE(other->InsertContact(Row(9)).ok());
  EXPECT_TRUE(other->database().TruncateWal().ok());
}

TEST_F(StoreTest, CheckPagesFindsADamagedPage) {
  {
    auto transaction = store_->BeginWrite();
    for (ContactNumber number = 1; number <= 100; ++number) {
      ContactRow row = Row(number);
      row.values.assign(2000, 7);
      ASSERT_TRUE(store_->InsertContact(row).ok());
    }
    ASSERT_TRUE(transaction->Commit().ok());
  }
  ASSERT_TRUE(store_->database().TruncateWal().ok());
  EXPECT_TRUE(store_->CheckPages().ok());
  store_.reset();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(30 * 4096 + 100);
    file << "damage";
  }
  EXPECT_TRUE(absl::IsDataLoss(Open()->CheckPages()));
}

}  // namespace
}  // namespace sealbook::store
