// Many contacts in the clear by one permit: what it covers, and what ends the reading.
#include "vault/records/bulk_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_vault.h"
#include "vault/status.h"

// Stands in for the export's control, which tests of the vault do not link.
namespace sealbook::policies {
class ExportControl {
 public:
  static ExportPermit Permit(MemberId member, BookId book, std::vector<ClassId> classes,
                             std::int64_t most = 1'000'000, absl::Time issued = absl::Now()) {
    return ExportPermit(member, book, std::move(classes), most, issued);
  }
};
}  // namespace sealbook::policies

namespace sealbook::records {
namespace {

using policies::ExportControl;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TestVault;

class BulkReaderTest : public ::testing::Test {
 protected:
  BulkReaderTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    Import("11110000", {"seoul"});
    Import("22220000", {"seoul", "busan"});
    Import("33330000", {});
    owner_ = vault_.Unlock("owner");
  }
  ContactNumber Import(absl::string_view tag, const std::vector<std::string>& books) {
    auto importer = vault_.Unlock("service importer");
    auto results = TestVault::Import(*importer, {TestVault::Draft(tag)}, books);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0].contact : 0;
  }
  BookId Book(const char* name) { return owner_->roster().FindBook(name)->id; }
  static ExportPermit Permit(keyring::Keyring& keyring, BookId book = kRootBook,
                             std::vector<ClassId> classes = {ClassId::kProfile},
                             std::int64_t most = 1'000'000) {
    return ExportControl::Permit(keyring.bundle().member, book, std::move(classes), most);
  }
  // The names, in the order in which they came.
  static absl::StatusOr<std::vector<std::string>> Names(keyring::Keyring& keyring,
                                                        ExportPermit permit) {
    ASSIGN_OR_RETURN(const auto reader, BulkReader::Open(keyring, std::move(permit), false));
    std::vector<std::string> names;
    for (;;) {
      ASSIGN_OR_RETURN(const SealedPage page, reader->Next());
      if (page.rows.empty()) return names;
      ASSIGN_OR_RETURN(const auto contacts, OpenPage(page));
      for (const BulkContact& contact : contacts) {
        for (const Field& field : contact.fields) {
          if (field.name == "name") names.push_back(field.value);
        }
      }
    }
  }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> owner_;
};

TEST_F(BulkReaderTest, EveryContactOrOneBook) {
  EXPECT_THAT(*Names(*owner_, Permit(*owner_)),
              ElementsAre("Person 11110000", "Person 22220000", "Person 33330000"));
  EXPECT_THAT(*Names(*owner_, Permit(*owner_, Book("seoul"))),
              ElementsAre("Person 11110000", "Person 22220000"));
  EXPECT_THAT(*Names(*owner_, Permit(*owner_, Book("busan"))), ElementsAre("Person 22220000"));
}

TEST_F(BulkReaderTest, FieldsOfThePermitsClassesAndNoOthers) {
  const auto reader = BulkReader::Open(
      *owner_, Permit(*owner_, Book("busan"), {ClassId::kIdentity, ClassId::kSensitive}), true);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto page = (*reader)->Next();
  ASSERT_TRUE(page.ok()) << page.status();
  const auto contacts = OpenPage(*page);
  ASSERT_TRUE(contacts.ok()) << contacts.status();
  ASSERT_EQ(contacts->size(), 1u);
  EXPECT_THAT(contacts->front().fields,
              ElementsAre(Field{"phone", "+821022220000"}, Field{"email", "22220000@example.com"},
                          Field{"skin", "dry 22220000"}));
  EXPECT_THAT(contacts->front().books, ElementsAre(Book("seoul"), Book("busan")));
}

TEST_F(BulkReaderTest, MorePagesThanOneGiveEachContactOnce) {
  std::vector<ContactDraft> drafts;
  for (int i = 0; i < 2500; ++i) drafts.push_back(TestVault::Draft(absl::StrCat(40'000'000 + i)));
  ASSERT_TRUE(TestVault::Import(*owner_, drafts, {"busan"}).ok());
  const auto names = Names(*owner_, Permit(*owner_, Book("busan")));
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(names->size(), 2501u);
  EXPECT_EQ(std::set<std::string>(names->begin(), names->end()).size(), 2501u);
}

// The keys decide, whatever a permit says: an agent's open no root compartment.
TEST_F(BulkReaderTest, AgentsKeysOpenNothingInBulk) {
  auto mina = vault_.Unlock("mina");
  EXPECT_FALSE(Names(*mina, Permit(*mina)).ok());
  EXPECT_FALSE(Names(*mina, Permit(*mina, Book("seoul"))).ok());
  auto importer = vault_.Unlock("service importer");
  EXPECT_FALSE(Names(*importer, Permit(*importer)).ok());
}

TEST_F(BulkReaderTest, PermitsOfOthersOrRunOutAreRefused) {
  auto ada = vault_.Unlock("ada");
  EXPECT_TRUE(absl::IsPermissionDenied(Names(*ada, Permit(*owner_)).status()));
  for (const absl::Duration age : {absl::Minutes(11), -absl::Minutes(1)}) {
    EXPECT_TRUE(absl::IsPermissionDenied(
        Names(*owner_, ExportControl::Permit(owner_->bundle().member, kRootBook,
                                             {ClassId::kProfile}, 10, absl::Now() - age))
            .status()))
        << age;
  }
  EXPECT_TRUE(absl::IsNotFound(Names(*owner_, Permit(*owner_, BookId{99})).status()));
}

TEST_F(BulkReaderTest, MoreContactsThanAllowedAreRefused) {
  EXPECT_EQ(Names(*owner_, Permit(*owner_, kRootBook, {ClassId::kProfile}, 3))->size(), 3u);
  EXPECT_TRUE(absl::IsPermissionDenied(
      Names(*owner_, Permit(*owner_, kRootBook, {ClassId::kProfile}, 2)).status()));
}

TEST_F(BulkReaderTest, WhoIsDisabledMeanwhileReadsNoFurther) {
  auto ada = vault_.Unlock("ada");
  const auto reader = BulkReader::Open(*ada, Permit(*ada), false);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE(keyring::DisableMember(*owner_, "ada").ok());
  EXPECT_TRUE(absl::IsUnauthenticated((*reader)->Next().status()));
}

TEST_F(BulkReaderTest, WhoseRoleChangedMeanwhileReadsNoFurther) {
  auto ada = vault_.Unlock("ada");
  const auto reader = BulkReader::Open(*ada, Permit(*ada), false);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE(keyring::ChangeRole(*owner_, "ada", "supervisor").ok());
  EXPECT_TRUE(absl::IsPermissionDenied((*reader)->Next().status()));
}

// What somebody planted or changed ends the reading: a list without that customer would look whole.
TEST_F(BulkReaderTest, WhatDoesNotCountIsDataLoss) {
  store::Store& store = owner_->store();
  const auto attack = [&](const char* sql) {
    EXPECT_TRUE(store.database().Execute("SAVEPOINT attack").ok());
    EXPECT_TRUE(store.database().Execute(sql).ok()) << sql;
    const std::vector<ClassId> all = {ClassId::kIdentity, ClassId::kProfile, ClassId::kSensitive};
    const absl::Status status = Names(*owner_, Permit(*owner_, Book("seoul"), all)).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << sql << ": " << status;
    EXPECT_TRUE(store.database().Execute("ROLLBACK TO attack").ok());
    EXPECT_TRUE(store.database().Execute("RELEASE attack").ok());
  };
  // A byte of every value; values of one contact at another; an assignment that nobody signed.
  attack(
      "UPDATE contact SET sealed_values = substr(sealed_values, 1, length(sealed_values) - 1) || "
      "x'00' WHERE number = 2");
  attack(
      "UPDATE contact SET sealed_values = (SELECT sealed_values FROM contact WHERE number = 1) "
      "WHERE number = 2");
  attack(
      "INSERT INTO book_contact SELECT book, 3, session, wraps FROM book_contact WHERE "
      "contact = 1");
  attack("DELETE FROM contact WHERE number = 2");
  EXPECT_THAT(*Names(*owner_, Permit(*owner_, Book("seoul"))),
              ElementsAre("Person 11110000", "Person 22220000"));
}

TEST_F(BulkReaderTest, ValuesByMembersOfABookCount) {
  auto mina = vault_.Unlock("mina");
  ASSERT_TRUE(TestVault::Set(*mina, 2, ClassId::kProfile, {{"name", "By Mina"}}).ok());
  EXPECT_THAT(*Names(*owner_, Permit(*owner_, Book("busan"))), ElementsAre("By Mina"));
}

}  // namespace
}  // namespace sealbook::records
