// The doctor as the list of what can be wrong: each damage is found by the check that it belongs
// to, and what can be mended is.
#include "vault/records/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_vault.h"

namespace sealbook {
namespace {

using records::HealthCheck;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TestVault;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok() && vault_.AddBook("busan").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    auto owner = vault_.Unlock("owner");
    EXPECT_TRUE(TestVault::Import(
                    *owner, {TestVault::Draft("11112222"), TestVault::Draft("33334444")}, {"seoul"})
                    .ok());
    EXPECT_TRUE(TestVault::Import(*owner, {TestVault::Draft("55556666")}, {"busan"}).ok());
  }

  std::vector<HealthCheck> Check(bool repair = false) {
    auto owner = vault_.Unlock("owner");
    auto checks = records::CheckHealth(*owner, {.repair = repair});
    EXPECT_TRUE(checks.ok()) << checks.status();
    return checks.ok() ? *checks : std::vector<HealthCheck>();
  }
  std::vector<std::string> Bad(bool repair = false) {
    std::vector<std::string> names;
    for (const HealthCheck& check : Check(repair)) {
      if (!check.ok) names.push_back(check.name);
    }
    return names;
  }
  // As somebody who holds the database key and may write the file.
  void Damage(const char* sql) {
    auto mina = vault_.Unlock("mina");
    ASSERT_TRUE(mina->store().database().Execute(sql).ok());
    ASSERT_GT(mina->store().database().changes(), 0) << "the damage did nothing";
  }

  TestVault vault_;
};

TEST_F(HealthTest, HealthyVaultIsOkInEveryCheck) {
  const auto checks = Check();
  std::vector<std::string> names;
  for (const HealthCheck& check : checks) {
    EXPECT_TRUE(check.ok) << check.name << ": " << check.detail;
    names.push_back(check.name);
  }
  EXPECT_THAT(names,
              ElementsAre("files", "pages", "members", "sessions", "roster", "grants", "books",
                          "contacts", "index", "chats", "factors", "exports", "audit"));
}

// Somebody else writes and changes every key between two checks, and within one.
TEST_F(HealthTest, WhatOthersWriteMeanwhileIsNoDamageAndNotMended) {
  std::vector<records::ContactDraft> many;
  for (int i = 0; i < 1'000; ++i) many.push_back(TestVault::Draft(absl::StrCat(20'000'000 + i)));
  auto other = vault_.Unlock("owner"), owner = vault_.Unlock("owner");
  ASSERT_TRUE(TestVault::Import(*other, many, {"seoul"}).ok());
  int people = 0;
  for (const bool repair : {false, true}) {
    int told = 0;
    const auto write = [&](const std::string&, std::int64_t) {
      ++told;
      EXPECT_TRUE(keyring::RotateAll(*other).ok());
      EXPECT_TRUE(TestVault::Import(*other, {TestVault::Draft(absl::StrCat(30'000'000 + people++))},
                                    {"seoul"})
                      .ok());
    };
    const auto checks = records::CheckHealth(*owner, {.repair = repair, .progress = write});
    ASSERT_TRUE(checks.ok()) << checks.status();
    EXPECT_GT(told, 1);
    for (const HealthCheck& check : *checks)
      EXPECT_TRUE(check.ok && check.detail.find("removed") == std::string::npos)
          << check.name << ": " << check.detail;
  }
  EXPECT_THAT(Bad(), IsEmpty());
}

TEST_F(HealthTest, AgentSeesWhatItsKeysReach) {
  auto mina = vault_.Unlock("mina");
  const auto checks = records::CheckHealth(*mina, {});
  ASSERT_TRUE(checks.ok()) << checks.status();
  for (const HealthCheck& check : *checks)
    EXPECT_TRUE(check.ok) << check.name << ": " << check.detail;
}

TEST_F(HealthTest, AgentMayNotRepair) {
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(absl::IsPermissionDenied(records::CheckHealth(*mina, {.repair = true}).status()));
}

TEST_F(HealthTest, FileThatEverybodyMayReadIsFound) {
  std::filesystem::permissions(vault_.paths().unlock(), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(Bad(), ElementsAre("files"));
}

TEST_F(HealthTest, DeletedContactIsFound) {
  Damage("DELETE FROM contact WHERE number = 2");
  EXPECT_THAT(Bad(), ::testing::IsSupersetOf({"contacts", "index", "books"}));
}

TEST_F(HealthTest, ContactThatNoSessionCreatedIsFound) {
  Damage(
      "INSERT INTO contact SELECT number + 100, token, identifiers, sealed_values FROM contact "
      "WHERE number = 1");
  EXPECT_THAT(Bad(), ::testing::Contains("contacts"));
}

TEST_F(HealthTest, ChangedTokenIsFound) {
  Damage("UPDATE token SET contact = 2 WHERE contact = 1");
  EXPECT_THAT(Bad(), ElementsAre("contacts"));
}

TEST_F(HealthTest, SwappedValuesAreFound) {
  Damage(
      "UPDATE contact SET sealed_values = (SELECT sealed_values FROM contact WHERE number = 2) "
      "WHERE number = 1");
  EXPECT_THAT(Bad(), ::testing::Contains("contacts"));
}

TEST_F(HealthTest, DeletedSessionIsFound) {
  Damage("DELETE FROM session WHERE number = 1");
  EXPECT_THAT(Bad(), ::testing::IsSupersetOf({"sessions", "contacts"}));
}

TEST_F(HealthTest, MissingGrantIsFound) {
  Damage("DELETE FROM access_grant WHERE member = 3");
  EXPECT_THAT(Bad(), ElementsAre("grants"));
}

TEST_F(HealthTest, PlantedIndexRowIsFoundAndRemoved) {
  Damage(
      "INSERT INTO contact_index VALUES (x'00112233445566778899aabbccddeeff', "
      "x'00112233445566778899aabbccddeeff', 1)");
  EXPECT_THAT(Bad(), ElementsAre("index"));
  EXPECT_THAT(Bad(/*repair=*/true), IsEmpty());
  EXPECT_THAT(Bad(), IsEmpty());
}

TEST_F(HealthTest, DeletedIndexRowIsFound) {
  Damage("DELETE FROM contact_index WHERE contact = 1");
  EXPECT_THAT(Bad(), ElementsAre("index"));
}

TEST_F(HealthTest, PlantedAssignmentIsFoundAndRemoved) {
  Damage("INSERT INTO book_contact VALUES (1, 3, 1, x'')");
  EXPECT_THAT(Bad(), ::testing::Contains("books"));
  EXPECT_THAT(Bad(/*repair=*/true), IsEmpty());
  EXPECT_THAT(Bad(), IsEmpty());
}

TEST_F(HealthTest, DeletedAssignmentIsFound) {
  Damage("DELETE FROM book_contact WHERE book = 1 AND contact = 1");
  EXPECT_THAT(Bad(), ElementsAre("books"));
}

TEST_F(HealthTest, SwappedWrapsAreFound) {
  Damage(
      "UPDATE book_contact SET wraps = (SELECT wraps FROM book_contact WHERE book = 1 AND contact "
      "= 2) "
      "WHERE book = 1 AND contact = 1");
  EXPECT_THAT(Bad(), ElementsAre("books"));
}

TEST_F(HealthTest, ChangedAuditRowIsFound) {
  Damage(
      "UPDATE audit SET record = (SELECT record FROM audit WHERE sequence = 1) WHERE sequence = 2");
  // What the log vouches for cannot be looked at either.
  EXPECT_THAT(Bad(), ElementsAre("factors", "exports", "audit"));
}

TEST_F(HealthTest, EntryOfNobodyIsFoundAndRemoved) {
  auto owner = vault_.Unlock("owner");
  auto file = keyring::UnlockFile::Load(vault_.paths().unlock());
  ASSERT_TRUE(file.ok());
  const keyring::Bundle& own = owner->bundle();
  const keyring::Bundle stranger{.member = MemberId{99},
                                 .must_change = false,
                                 .exchange = crypto::ExchangePair::Generate(),
                                 .signing = crypto::SigningPair::Generate(),
                                 .root = own.root,
                                 .root_pair = std::nullopt};
  ASSERT_TRUE(file->Put(file->EntryId("stranger"), stranger,
                        {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                         .bytes = TestVault::SecretOf("stranger")},
                        testing::kInsecureTestCost, owner->database_key())
                  .ok());
  ASSERT_TRUE(file->Save(vault_.paths().unlock()).ok());
  EXPECT_THAT(Bad(), ElementsAre("members"));
  EXPECT_THAT(Bad(/*repair=*/true), IsEmpty());
  EXPECT_THAT(Bad(), IsEmpty());
}

}  // namespace
}  // namespace sealbook
