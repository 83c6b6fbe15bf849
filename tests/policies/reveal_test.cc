// Reveals are counted in the audit log, over the last 24 hours and what is dated later, by all
// processes together; a burst locks.
#include "policies/reveal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/support/policy_vault.h"
#include "vault/keyring/lockout.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

using ::testing::HasSubstr;
using testing::PolicyVault;

Reveal Phone() { return {.token = 2837470195, .field = "phone", .detail = "{}"}; }

class RevealTest : public ::testing::Test {
 protected:
  // A vault whose supervisors, sora and dana, have this budget and burst.
  void Make(int daily, int burst) {
    sora_.reset(), owner_.reset();
    vault_.emplace("KR", [&](std::string& text) {
      text =
          absl::StrReplaceAll(text, {{"reveal_daily = 20", absl::StrCat("reveal_daily = ", daily)},
                                     {"\nburst = 10", absl::StrCat("\nburst = ", burst)}});
    });
    vault_->AddBook("seoul");
    vault_->AddMember("sora", "supervisor", {"seoul"});
    vault_->AddMember("dana", "supervisor", {"seoul"});
    sora_ = vault_->Unlock("sora");
    owner_ = vault_->Unlock("owner");
  }
  // How many are left, with the clock so far from where it is.
  absl::StatusOr<int> Take(keyring::Keyring& keyring, absl::Duration clock = {},
                           const Reveal& reveal = Phone()) {
    return RecordReveal(keyring, vault_->policy(), reveal, absl::Now() + clock);
  }
  bool Denied(keyring::Keyring& keyring, absl::Duration clock = {}) {
    const absl::Status status = Take(keyring, clock).status();
    EXPECT_TRUE(status.ok() || absl::IsPermissionDenied(status)) << status;
    return absl::IsPermissionDenied(status);
  }
  int Count(absl::string_view act) {
    int count = 0;
    EXPECT_TRUE(owner_->store()
                    .EachAudit(1,
                               [&](std::int64_t, ByteView row) {
                                 if (audit::Record::Parse(row)->act == act) ++count;
                                 return absl::OkStatus();
                               })
                    .ok());
    return count;
  }
  void Write(keyring::Keyring& keyring, const audit::Event& event) {
    auto transaction = keyring.store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(audit::Append(keyring.store(), keyring.AuditAuthor(), event).ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  // A row of sora's with another time than now, as docs/format.md has it ("Audit row").
  void WriteAt(absl::Time time, absl::string_view act) {
    constexpr absl::string_view kLabel = "sealbook/audit/1";
    auto transaction = sora_->store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    const audit::Head head = *audit::ReadHead(sora_->store());
    const audit::Author author = sora_->AuditAuthor();
    crypto::ByteWriter out;
    out.Text(kLabel).U64(static_cast<std::uint64_t>(head.sequence + 1));
    out.U64(static_cast<std::uint64_t>(absl::ToUnixMillis(time)));
    out.U32(static_cast<std::uint32_t>(author.member)).U64(author.roster_version).Text(act).U64(0);
    out.Text("done").Variable({}).Raw(head.hash);
    const crypto::Hash256 hash = crypto::HashOf(kLabel, {out.bytes()});
    out.Raw(hash).Raw(author.signing->Sign(kLabel, hash));
    ASSERT_TRUE(sora_->store().InsertAudit(head.sequence + 1, out.bytes()).ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  absl::Status Admitted(absl::string_view name) {
    keyring::Lockout lockout(sora_->paths().lockout());
    return lockout.Admit(keyring::UnlockFile(sora_->roster().vault).EntryId(name), absl::Now())
        .status();
  }

  std::optional<PolicyVault> vault_;
  std::unique_ptr<keyring::Keyring> sora_, owner_;
};

TEST_F(RevealTest, BudgetCountsDownAndIsThenDeniedWithTheTimeOfTheNext) {
  Make(3, 100);
  for (const int left : {2, 1, 0}) EXPECT_EQ(*Take(*sora_), left);
  const absl::Status denied = Take(*sora_).status();
  EXPECT_TRUE(absl::IsPermissionDenied(denied));
  EXPECT_THAT(std::string(denied.message()), AllOf(HasSubstr("budget of 3"), HasSubstr("UTC")));
  EXPECT_NE(HintOf(denied), "");
  EXPECT_EQ(Count("reveal"), 3);
  // It is each member's own.
  EXPECT_EQ(*Take(*vault_->Unlock("dana")), 2);
}

TEST_F(RevealTest, WindowIsTheLastTwentyFourHours) {
  Make(2, 100);
  EXPECT_EQ(*Take(*sora_), 1);
  EXPECT_EQ(*Take(*sora_), 0);
  EXPECT_TRUE(Denied(*sora_, absl::Hours(23) + absl::Minutes(59)));
  EXPECT_EQ(*Take(*sora_, absl::Hours(24) + absl::Minutes(1)), 1);
}

TEST_F(RevealTest, ClockSetBackGivesNoSecondBudget) {
  Make(2, 100);
  EXPECT_EQ(*Take(*sora_), 1);
  EXPECT_EQ(*Take(*sora_), 0);
  for (const int days : {1, 2, 400}) EXPECT_TRUE(Denied(*sora_, -absl::Hours(24 * days)));
}

// With the clock set back she writes a row that looks older than the day.
TEST_F(RevealTest, OldRowOfOnesOwnDoesNotHideTheRevealsBehindIt) {
  Make(2, 100);
  EXPECT_EQ(*Take(*sora_), 1);
  EXPECT_EQ(*Take(*sora_), 0);
  WriteAt(absl::Now() - absl::Hours(100), "list");
  EXPECT_TRUE(Denied(*sora_));
  // A reveal that is dated back by so much is one of that day, and not of this.
  Make(2, 100);
  WriteAt(absl::Now() - absl::Hours(100), "reveal");
  WriteAt(absl::Now() + absl::Hours(100), "reveal");
  EXPECT_EQ(*Take(*sora_), 0);
  EXPECT_TRUE(Denied(*sora_));
}

TEST_F(RevealTest, OnlyWhatWasDoneCounts) {
  Make(2, 100);
  Write(*sora_, {.act = "reveal", .outcome = "denied"});
  Write(*sora_, {.act = "reveal", .outcome = "not_found"});
  Write(*sora_, {.act = "lookup"});
  Write(*owner_, {.act = "reveal"});
  EXPECT_EQ(*Take(*sora_), 1);
}

TEST_F(RevealTest, RoleThatMayNotIsDeniedAndNothingIsWritten) {
  Make(2, 100);
  vault_->AddMember("mina", "agent", {"seoul"});
  auto mina = vault_->Unlock("mina");
  EXPECT_TRUE(Denied(*mina));
  EXPECT_EQ(Count("reveal"), 0);
  EXPECT_EQ(*Take(*owner_), 19);  // the default of roles that say nothing
}

TEST_F(RevealTest, SeveralAtOnceShareOneBudget) {
  Make(5, 100);
  std::atomic<int> revealed = 0, denied = 0;
  std::vector<std::unique_ptr<keyring::Keyring>> keyrings;
  for (int i = 0; i < 3; ++i) keyrings.push_back(vault_->Unlock("sora"));
  std::vector<std::thread> threads;
  for (auto& keyring : keyrings) {
    threads.emplace_back([&] {
      for (int i = 0; i < 4; ++i) {
        const auto left = Take(*keyring);
        ++(left.ok() ? revealed : denied);
        EXPECT_TRUE(left.ok() || absl::IsPermissionDenied(left.status())) << left.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(revealed, 5);
  EXPECT_EQ(denied, 7);
  EXPECT_EQ(Count("reveal"), 5);
}

TEST_F(RevealTest, BurstLocksTheMemberAndIsInTheLog) {
  Make(100, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(Admitted("sora").ok());
  auto other = vault_->Unlock("sora");  // admitted before the lock
  const absl::Status burst = Take(*sora_).status();
  EXPECT_TRUE(absl::IsUnauthenticated(burst)) << burst;
  EXPECT_THAT(std::string(burst.message()), HasSubstr("60 minutes"));
  EXPECT_NE(HintOf(burst), "");
  EXPECT_TRUE(absl::IsUnauthenticated(Admitted("sora")));
  EXPECT_TRUE(Admitted("dana").ok());
  EXPECT_EQ(Count("reveal"), 3);
  EXPECT_EQ(Count("member.lock"), 1);
  // A command that had unlocked the vault in time reveals nothing either, and does not lock anew.
  EXPECT_TRUE(absl::IsUnauthenticated(Take(*other).status()));
  EXPECT_EQ(Count("reveal"), 3);
  EXPECT_EQ(Count("member.lock"), 1);
}

TEST_F(RevealTest, WhoIsFreedBeginsANewBurstAndNoNewBudget) {
  Make(5, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Take(*sora_).status()));
  keyring::Lockout lockout(sora_->paths().lockout());
  ASSERT_TRUE(*lockout.Unlock(keyring::UnlockFile(sora_->roster().vault).EntryId("sora")));
  EXPECT_EQ(*Take(*sora_), 1);
  EXPECT_EQ(*Take(*sora_), 0);
  EXPECT_TRUE(Denied(*sora_));
  EXPECT_TRUE(Admitted("sora").ok());
}

TEST_F(RevealTest, SlowRevealsAreNoBurst) {
  Make(100, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(Take(*sora_, absl::Minutes(11)).ok());
  EXPECT_TRUE(Admitted("sora").ok());
}

TEST_F(RevealTest, BurstBeyondTheBudgetIsDeniedAndLocksNobody) {
  Make(2, 2);
  EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(Denied(*sora_));
  EXPECT_TRUE(Admitted("sora").ok());
}

TEST_F(RevealTest, RowsThatWereTakenAwayOrAlteredAreNoticed) {
  Make(3, 100);
  EXPECT_TRUE(Take(*sora_).ok());
  EXPECT_TRUE(Take(*sora_).ok());
  const std::int64_t last = sora_->store().LastAudit()->first;
  ASSERT_TRUE(sora_->store()
                  .database()
                  .Execute(absl::StrCat("DELETE FROM audit WHERE sequence = ", last - 1).c_str())
                  .ok());
  EXPECT_TRUE(absl::IsDataLoss(Take(*sora_).status()));
  EXPECT_EQ(Count("reveal"), 1);
}

// Somebody with the database key, and without hers, would free her from a burst.
TEST_F(RevealTest, LockRowThatSheDidNotSignIsNoticed) {
  Make(100, 3);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Take(*sora_).ok());
  auto dana = vault_->Unlock("dana");
  audit::Author forger = dana->AuditAuthor();
  forger.member = sora_->bundle().member;
  ASSERT_TRUE(audit::Append(dana->store(), forger, {.act = "member.lock"}).ok());
  EXPECT_TRUE(absl::IsDataLoss(Take(*sora_).status()));
}

}  // namespace
}  // namespace sealbook::policies
