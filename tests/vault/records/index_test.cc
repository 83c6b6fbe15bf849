#include "vault/records/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/test_vault.h"

namespace sealbook::records {
namespace {

using testing::TestVault;

class IdentifierIndexTest : public ::testing::Test {
 protected:
  IdentifierIndexTest()
      : keyring_(vault_.Unlock("owner")), index_(*IdentifierIndex::Open(*keyring_)) {}
  crypto::Hash128 Phone(absl::string_view number) const {
    return index_.HashOf(IdentifierKind::kPhone, number);
  }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> keyring_;
  IdentifierIndex index_;
};

TEST_F(IdentifierIndexTest, RolesThatCreateContactsHoldTheKeyAndNoOthers) {
  ASSERT_TRUE(vault_.AddBook("seoul").ok());
  for (const auto& [name, role, holds] :
       {std::tuple("boss", "admin", true), std::tuple("service importer", "importer", true),
        std::tuple("sujin", "supervisor", false), std::tuple("mina", "agent", false),
        std::tuple("service retention", "retention", false)}) {
    ASSERT_TRUE(vault_.AddMember(name, role, {"seoul"}).ok()) << name;
    auto member = vault_.Unlock(name);
    const auto index = IdentifierIndex::Open(*member);
    EXPECT_EQ(index.ok(), holds) << name;
    EXPECT_TRUE(holds || absl::IsPermissionDenied(index.status())) << name;
  }
}

TEST_F(IdentifierIndexTest, EveryHolderFindsTheSame) {
  ASSERT_TRUE(vault_.AddMember("service importer", "importer").ok());
  auto importer = vault_.Unlock("service importer");
  const auto theirs = IdentifierIndex::Open(*importer);
  ASSERT_TRUE(theirs.ok());
  ASSERT_TRUE(
      importer->store()
          .InsertIndex(theirs->MakeRow(theirs->HashOf(IdentifierKind::kPhone, "+821011112222"), 5))
          .ok());
  const auto found = index_.Find(Phone("+821011112222"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, ContactNumber{5});
}

TEST_F(IdentifierIndexTest, HashesDifferByKindAndValue) {
  std::set<crypto::Hash128> hashes;
  int made = 0;
  for (const IdentifierKind kind :
       {IdentifierKind::kPhone, IdentifierKind::kEmail, IdentifierKind::kWhatsAppId,
        IdentifierKind::kJid, IdentifierKind::kUsername, IdentifierKind::kRow}) {
    for (const char* value : {"", "a", "A", "+821011112222", "+82101111222", "\x01+821011112222"}) {
      hashes.insert(index_.HashOf(kind, value));
      ++made;
    }
  }
  EXPECT_EQ(hashes.size(), static_cast<std::size_t>(made));
  EXPECT_EQ(Phone("+821011112222"), Phone("+821011112222"));
}

TEST_F(IdentifierIndexTest, AnotherVaultsHashesAreOthers) {
  const TestVault other;
  auto keyring = other.Unlock("owner");
  const auto index = IdentifierIndex::Open(*keyring);
  ASSERT_TRUE(index.ok());
  EXPECT_NE(index->HashOf(IdentifierKind::kPhone, "+821011112222"), Phone("+821011112222"));
  EXPECT_TRUE(absl::IsDataLoss(index->Check(index_.MakeRow(Phone("+821011112222"), 5))));
}

TEST_F(IdentifierIndexTest, UnknownIsNobody) {
  const auto found = index_.Find(Phone("+821011112222"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, std::nullopt);
}

TEST_F(IdentifierIndexTest, RowThatWasMadeHereCounts) {
  for (const ContactNumber contact : {1, 256, 1'000'000}) {
    EXPECT_TRUE(index_.Check(index_.MakeRow(Phone("+821011112222"), contact)).ok()) << contact;
  }
}

TEST_F(IdentifierIndexTest, EveryAlteredBitIsDataLoss) {
  const store::IndexRow good = index_.MakeRow(Phone("+821011112222"), 5);
  for (std::size_t bit = 0; bit < 128; ++bit) {
    store::IndexRow row = good;
    row.tag[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(index_.Check(row))) << bit;
    row = good;
    row.hash[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(index_.Check(row))) << bit;
  }
  for (std::size_t bit = 0; bit < 63; ++bit) {
    store::IndexRow row = good;
    row.contact ^= std::int64_t{1} << bit;
    EXPECT_TRUE(absl::IsDataLoss(index_.Check(row))) << bit;
  }
}

TEST_F(IdentifierIndexTest, MovedPlantedOrExchangedRowIsDataLossWhenFound) {
  store::Store& store = keyring_->store();
  const crypto::Hash128 a = Phone("+821011112222"), b = Phone("+821033334444"),
                        c = Phone("+821055556666");
  store::IndexRow row = index_.MakeRow(a, 5);
  row.contact = 6;
  ASSERT_TRUE(store.InsertIndex(row).ok());
  EXPECT_TRUE(absl::IsDataLoss(index_.Find(a).status()));
  row = index_.MakeRow(a, 5);
  row.hash = b;  // the tag of another identifier of the same contact
  ASSERT_TRUE(store.InsertIndex(row).ok());
  EXPECT_TRUE(absl::IsDataLoss(index_.Find(b).status()));
  ASSERT_TRUE(store.InsertIndex({c, crypto::Hash128{}, 5}).ok());
  EXPECT_TRUE(absl::IsDataLoss(index_.Find(c).status()));
}

TEST_F(IdentifierIndexTest, TagOfAnotherLengthIsDataLoss) {
  const store::IndexRow row = index_.MakeRow(Phone("+821011112222"), 5);
  ASSERT_TRUE(keyring_->store().InsertIndex(row).ok());
  ASSERT_TRUE(keyring_->store()
                  .database()
                  .Execute("UPDATE contact_index SET tag = substr(tag, 1, 15)")
                  .ok());
  EXPECT_TRUE(absl::IsDataLoss(index_.Find(row.hash).status()));
}

}  // namespace
}  // namespace sealbook::records
