#include "vault/keyring/administration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/test_vault.h"
#include "vault/keyring/session_writer.h"

namespace sealbook::keyring {
namespace {

using testing::kInsecureTestCost;
using testing::TestPolicy;
using testing::TestVault;

std::vector<std::string> ActsOf(Keyring& keyring) {
  std::vector<std::string> acts;
  EXPECT_TRUE(keyring.store()
                  .EachAudit(1,
                             [&](std::int64_t, ByteView bytes) {
                               acts.push_back(audit::Record::Parse(bytes)->act);
                               return absl::OkStatus();
                             })
                  .ok());
  return acts;
}

class AdministrationTest : public ::testing::Test {
 protected:
  AdministrationTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("boss", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
  }
  std::uint64_t Version() { return vault_.Unlock("owner")->roster().version; }
  // Nothing was published, and nobody got an entry or an audit row.
  template <typename Act>
  void ExpectNoChange(Act&& act) {
    auto owner = vault_.Unlock("owner");
    const auto version = owner->roster().version;
    const auto entries = UnlockFile::Load(vault_.paths().unlock())->entries().size();
    const auto acts = ActsOf(*owner).size();
    act();
    ASSERT_TRUE(owner->Refresh().ok());
    EXPECT_EQ(owner->roster().version, version);
    EXPECT_EQ(UnlockFile::Load(vault_.paths().unlock())->entries().size(), entries);
    EXPECT_EQ(ActsOf(*owner).size(), acts);
  }
  TestVault vault_;
};

TEST_F(AdministrationTest, AddedMemberUnlocksWithHisRoleAndMustChangeThePassphrase) {
  auto mina = vault_.Unlock("mina");
  EXPECT_EQ(mina->self().name, "mina");
  EXPECT_EQ(mina->role().name, "agent");
  EXPECT_TRUE(mina->bundle().must_change);
  EXPECT_FALSE(mina->bundle().root_pair.has_value());
  EXPECT_FALSE(vault_.Unlock("boss")->bundle().root_pair.has_value());
  EXPECT_FALSE(vault_.Unlock("owner")->bundle().must_change);
  EXPECT_THAT(ActsOf(*mina),
              ::testing::ElementsAre("init", "book.add", "member.add", "member.add"));
}

TEST_F(AdministrationTest, MemberHoldsTheClearanceTimesTheBooks) {
  ASSERT_TRUE(vault_.AddBook("busan").ok());
  auto mina = vault_.Unlock("mina");
  const BookId seoul = mina->roster().FindBook("seoul")->id,
               busan = mina->roster().FindBook("busan")->id;
  for (const ClassId class_id : {ClassId::kMasked, ClassId::kProfile, ClassId::kChat}) {
    EXPECT_TRUE(mina->Holds(seoul, class_id));
    EXPECT_FALSE(mina->Holds(busan, class_id));
    EXPECT_FALSE(mina->Holds(kRootBook, class_id));
  }
  for (const ClassId class_id : {ClassId::kIdentity, ClassId::kSensitive})
    EXPECT_FALSE(mina->Holds(seoul, class_id));
  auto boss = vault_.Unlock("boss");
  EXPECT_TRUE(boss->Holds(kRootBook, ClassId::kIdentity));
  EXPECT_TRUE(boss->Holds(busan, ClassId::kIdentity));  // through the root compartment
  EXPECT_TRUE(absl::IsNotFound(boss->CompartmentPair(busan, ClassId::kAudit).status()));
}

TEST_F(AdministrationTest, AgentChangesNothing) {
  ExpectNoChange([&] {
    EXPECT_TRUE(absl::IsPermissionDenied(vault_.AddMember("friend", "agent", {}, "mina")));
    auto mina = vault_.Unlock("mina");
    EXPECT_TRUE(absl::IsPermissionDenied(AddBook(*mina, "mine")));
    EXPECT_TRUE(absl::IsPermissionDenied(AddBookMember(*mina, "seoul", "boss")));
    EXPECT_TRUE(absl::IsPermissionDenied(ApplyPolicy(*mina, TestPolicy())));
    bool asked = false;
    EXPECT_TRUE(absl::IsPermissionDenied(PublishRoster(*mina, {.act = "forged"}, [&](Roster&) {
      asked = true;
      return absl::OkStatus();
    })));
    EXPECT_FALSE(asked);
  });
}

TEST_F(AdministrationTest, ServiceAccountsChangeNothing) {
  ASSERT_TRUE(vault_.AddMember("service importer", "importer").ok());
  EXPECT_TRUE(
      absl::IsPermissionDenied(vault_.AddMember("friend", "agent", {}, "service importer")));
}

TEST_F(AdministrationTest, AdminAddsAgentsAndNoAdmins) {
  EXPECT_TRUE(vault_.AddMember("jun", "agent", {"seoul"}, "boss").ok());
  EXPECT_TRUE(vault_.Unlock("jun")->Holds(vault_.Unlock("jun")->roster().FindBook("seoul")->id,
                                          ClassId::kProfile));
  ExpectNoChange([&] {
    EXPECT_TRUE(absl::IsPermissionDenied(vault_.AddMember("second", "admin", {}, "boss")));
    EXPECT_TRUE(absl::IsPermissionDenied(vault_.AddMember("second", "owner", {}, "boss")));
  });
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("second").status()));
}

TEST_F(AdministrationTest, WrongRequestsAreToldApartAndChangeNothing) {
  ExpectNoChange([&] {
    EXPECT_TRUE(absl::IsAlreadyExists(vault_.AddMember("mina", "agent")));
    EXPECT_TRUE(absl::IsNotFound(vault_.AddMember("jun", "wizard")));
    EXPECT_TRUE(absl::IsNotFound(vault_.AddMember("jun", "agent", {"seoul", "nowhere"})));
    EXPECT_TRUE(absl::IsFailedPrecondition(vault_.AddMember("jun", "importer")));
    EXPECT_TRUE(absl::IsFailedPrecondition(vault_.AddMember("service jun", "agent")));
    EXPECT_TRUE(absl::IsAlreadyExists(vault_.AddBook("seoul")));
    EXPECT_TRUE(absl::IsInvalidArgument(vault_.AddBook(" seoul")));
    auto owner = vault_.Unlock("owner");
    EXPECT_TRUE(absl::IsNotFound(AddBookMember(*owner, "nowhere", "mina")));
    EXPECT_TRUE(absl::IsNotFound(AddBookMember(*owner, "seoul", "nobody")));
    EXPECT_TRUE(absl::IsNotFound(AddBookMember(*owner, "seoul", "recovery code")));
    EXPECT_TRUE(absl::IsAlreadyExists(AddBookMember(*owner, "seoul", "mina")));
  });
}

TEST_F(AdministrationTest, EntryThatACrashLeftIsReplaced) {
  // unlock.json is written before the roster version is committed.
  auto file = *UnlockFile::Load(vault_.paths().unlock());
  auto mina = vault_.Unlock("mina");
  const Bundle stray{.member = MemberId{77},
                     .exchange = crypto::ExchangePair::Generate(),
                     .signing = crypto::SigningPair::Generate(),
                     .root = mina->bundle().root,
                     .root_pair = std::nullopt};
  ASSERT_TRUE(
      file.Put(file.EntryId("jun"), stray,
               {.kind = UnlockSecret::Kind::kPassphrase, .bytes = TestVault::SecretOf("jun")},
               kInsecureTestCost, mina->database_key())
          .ok());
  ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("jun").status()));  // counts for nothing
  ASSERT_TRUE(vault_.AddMember("jun", "agent").ok());
  EXPECT_EQ(vault_.Unlock("jun")->self().name, "jun");
}

TEST_F(AdministrationTest, ChangedPassphraseIsTheOnlyOne) {
  {
    auto mina = vault_.Unlock("mina");
    ASSERT_TRUE(ChangePassphrase(*mina, TestVault::SecretOf("her own"), kInsecureTestCost).ok());
  }
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("mina").status()));
  const auto unlocked =
      Keyring::Unlock(vault_.paths(), {.name = "mina",
                                       .secret = {.kind = UnlockSecret::Kind::kPassphrase,
                                                  .bytes = TestVault::SecretOf("her own")}});
  ASSERT_TRUE(unlocked.ok()) << unlocked.status();
  EXPECT_FALSE((*unlocked)->bundle().must_change);
  EXPECT_TRUE((*unlocked)->Holds((*unlocked)->roster().FindBook("seoul")->id, ClassId::kProfile));
  EXPECT_THAT(ActsOf(**unlocked), ::testing::Contains("member.passwd"));
}

TEST_F(AdministrationTest, OwnersNewPassphraseKeepsTheRootKey) {
  ASSERT_TRUE(
      ChangePassphrase(*vault_.Unlock("owner"), TestVault::SecretOf("new"), kInsecureTestCost)
          .ok());
  auto owner = Keyring::Unlock(vault_.paths(), {.name = "owner",
                                                .secret = {.kind = UnlockSecret::Kind::kPassphrase,
                                                           .bytes = TestVault::SecretOf("new")}});
  ASSERT_TRUE(owner.ok()) << owner.status();
  EXPECT_TRUE((*owner)->bundle().root_pair.has_value());
  EXPECT_TRUE(AddBook(**owner, "busan").ok());
}

TEST_F(AdministrationTest, ChangeThatFailsPublishesNothing) {
  ExpectNoChange([&] {
    auto owner = vault_.Unlock("owner");
    const store::GrantRow grant{MemberId{99}, kRootBook, ClassId::kProfile, 1, {1}};
    EXPECT_TRUE(absl::IsCancelled(PublishRoster(*owner, {.act = "x"}, [&](Roster& next) {
      next.books.push_back({BookId{50}, "half"});
      EXPECT_TRUE(owner->store().PutGrant(grant).ok());
      return absl::CancelledError("changed her mind");
    })));
    EXPECT_EQ(*owner->store().GetGrant(grant.member, grant.book, grant.class_id, grant.epoch),
              std::nullopt);
  });
}

TEST_F(AdministrationTest, KeyringThatIsBehindSeesTheNewestVersionFirst) {
  auto one = vault_.Unlock("owner"), other = vault_.Unlock("boss");
  const auto version = one->roster().version;
  ASSERT_TRUE(AddBook(*one, "busan").ok());
  EXPECT_EQ(other->roster().version, version);
  EXPECT_TRUE(absl::IsAlreadyExists(AddBook(*other, "busan")));  // it knows of the other's
  ASSERT_TRUE(AddBook(*other, "daegu").ok());
  EXPECT_EQ(other->roster().version, version + 2);
  EXPECT_NE(other->roster().FindBook("busan")->id, other->roster().FindBook("daegu")->id);
  ASSERT_TRUE(one->Refresh().ok());
  EXPECT_EQ(one->history().current_hash(), other->history().current_hash());
}

TEST_F(AdministrationTest, TwoKeyringsAtOnceLoseNoChange) {
  const auto version = Version();
  auto one = vault_.Unlock("owner"), other = vault_.Unlock("boss");
  const auto add = [](Keyring& keyring, absl::string_view prefix) {
    for (int i = 0; i < 5; ++i) {
      const absl::Status added = AddBook(keyring, absl::StrCat(prefix, i));
      EXPECT_TRUE(added.ok()) << added;
    }
  };
  std::thread first([&] { add(*one, "one "); }), second([&] { add(*other, "other "); });
  first.join();
  second.join();
  auto owner = vault_.Unlock("owner");
  EXPECT_EQ(owner->roster().version, version + 10);
  std::set<BookId> books;
  for (const Book& book : owner->roster().books) books.insert(book.id);
  EXPECT_EQ(books.size(), 11u);
  for (const BookId book : books) EXPECT_TRUE(owner->Holds(book, ClassId::kProfile));
  const auto acts = ActsOf(*owner);
  EXPECT_EQ(std::count(acts.begin(), acts.end(), "book.add"), 11);
}

TEST_F(AdministrationTest, VersionNamesTheNewestSession) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(TestVault::Import(*owner, {TestVault::Draft("11112222")}, {"seoul"}).ok());
  ASSERT_TRUE(AddBook(*owner, "busan").ok());
  EXPECT_EQ(owner->roster().session_head, 1);
  EXPECT_EQ(owner->roster().session_head_hash, HashOfSession(**owner->store().GetSession(1)));
}

TEST_F(AdministrationTest, DisabledMemberUnlocksNoMoreAndHisOpenKeyringIsTold) {
  auto mina = vault_.Unlock("mina");
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(PublishRoster(*owner, {.act = "member.disable"}, [&](Roster& next) {
                for (Member& member : next.members)
                  member.active = member.active && member.name != "mina";
                return absl::OkStatus();
              }).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(mina->Refresh()));
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("mina").status()));
}

TEST_F(AdministrationTest, PolicyIsAppliedWithItsLockOutLimits) {
  CompiledPolicy policy = TestPolicy();
  policy.text = "another policy";
  policy.lockout.after = 1;
  auto owner = vault_.Unlock("owner");
  EXPECT_EQ(*CurrentPolicyText(*owner), "test policy");
  ASSERT_TRUE(ApplyPolicy(*owner, policy).ok());
  EXPECT_EQ(*CurrentPolicyText(*owner), "another policy");
  EXPECT_EQ(owner->roster().policy_hash, HashOfPolicy("another policy"));
  Lockout lockout(vault_.paths().lockout());
  ASSERT_TRUE(lockout.RecordFailure("0", absl::Now()).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(lockout.Admit("0", absl::Now()).status()));
}

TEST_F(AdministrationTest, PolicyWithoutARoleThatMembersHaveIsRefused) {
  CompiledPolicy policy = TestPolicy();
  std::erase_if(policy.roles, [](const RoleDefinition& role) { return role.name == "agent"; });
  ExpectNoChange(
      [&] { EXPECT_TRUE(absl::IsPermissionDenied(ApplyPolicy(*vault_.Unlock("owner"), policy))); });
}

TEST_F(AdministrationTest, AdminsPolicyChangesNoRoleThatSignsRosters) {
  const auto with = [](absl::string_view role, std::uint32_t powers) {
    CompiledPolicy policy = TestPolicy();
    policy.text = absl::StrCat("policy with other powers of ", role);
    for (RoleDefinition& each : policy.roles) {
      if (each.name == role) each.powers = powers;
    }
    return policy;
  };
  auto boss = vault_.Unlock("boss");
  const std::uint32_t signs = static_cast<std::uint32_t>(Power::kSignRoster);
  EXPECT_TRUE(absl::IsPermissionDenied(ApplyPolicy(*boss, with("agent", signs))));
  EXPECT_TRUE(absl::IsPermissionDenied(ApplyPolicy(*boss, with("admin", signs))));
  EXPECT_TRUE(absl::IsPermissionDenied(ApplyPolicy(*boss, with("owner", signs))));
  EXPECT_TRUE(
      ApplyPolicy(*boss, with("agent", static_cast<std::uint32_t>(Power::kWriteChats))).ok());
}

TEST_F(AdministrationTest, AlteredOrMissingPolicyIsDataLoss) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(owner->store().database().Execute("UPDATE policy SET text = 'all is allowed'").ok());
  EXPECT_TRUE(absl::IsDataLoss(CurrentPolicyText(*owner).status()));
  ASSERT_TRUE(owner->store().database().Execute("DELETE FROM policy").ok());
  EXPECT_TRUE(absl::IsDataLoss(CurrentPolicyText(*owner).status()));
}

}  // namespace
}  // namespace sealbook::keyring
