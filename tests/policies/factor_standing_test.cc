// Which enrolment counts: what another admin's agreement is needed for, and what of it is believed.
#include "policies/factor_standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/policy_text.h"
#include "tests/support/factor_member.h"

namespace sealbook::policies {
namespace {

using keyring::FactorKind;
using sealbook::testing::FactorMember;
using sealbook::testing::PolicyVault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kPause = absl::Minutes(1);

class FactorStandingTest : public ::testing::Test {
 protected:
  FactorStandingTest() : owner_(vault_, "owner"), now_(absl::Now()) {}

  FactorMember Join(absl::string_view name, absl::string_view role) {
    vault_.AddMember(name, role);
    FactorMember member(vault_, name);
    EXPECT_TRUE(owner_.keyring().Refresh().ok());
    return member;
  }
  void Pass(absl::Duration time = kPause) { now_ += time; }
  static bool Counts(FactorMember& member) {
    const auto has = HasFactor(member.keyring(), member.policy());
    EXPECT_TRUE(has.ok()) << has.status();
    return has.ok() && *has;
  }
  void ExpectWaits(FactorMember& member) {
    const absl::Status status = member.Check(now_).status();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("waits for another admin"));
    EXPECT_FALSE(Counts(member));
  }
  crypto::Bytes Row(FactorMember& member, FactorKind kind) {
    const auto row = owner_.keyring().store().GetSecondFactor(member.id(), static_cast<int>(kind));
    EXPECT_TRUE(row.ok() && *row);
    return row.ok() && *row ? **row : crypto::Bytes();
  }
  // As somebody who holds the database key and may write the file.
  void PutRow(FactorMember& member, FactorKind kind, const crypto::Bytes& document) {
    ASSERT_TRUE(owner_.keyring()
                    .store()
                    .PutSecondFactor(member.id(), static_cast<int>(kind), document)
                    .ok());
  }
  // An agreement to what waits, as `signer`'s own program would write it. `logged`: with its row in
  // the log.
  void Agree(FactorMember& signer, FactorMember& member, bool logged) {
    keyring::Keyring& keyring = signer.keyring();
    const auto state = keyring::FactorState::Parse(
        Row(member, FactorKind::kState),
        keyring::FactorOwner::Of(owner_.keyring().roster(), member.keyring().self()));
    ASSERT_TRUE(state.ok()) << state.status();
    if (logged) {
      auto transaction = keyring.store().BeginWrite();
      ASSERT_TRUE(transaction.ok());
      ASSERT_TRUE(audit::Append(keyring.store(), keyring.AuditAuthor(),
                                {.act = std::string(keyring::kFactorApproveAct),
                                 .token = audit::TokenOfMember(member.id())})
                      .ok());
      ASSERT_TRUE(transaction->Commit().ok());
    }
    const audit::Head head = *audit::ReadHead(keyring.store());
    const keyring::Countersignature agreement{.vault = keyring.roster().vault,
                                              .member = member.id(),
                                              .signer = signer.id(),
                                              .roster_version = keyring.roster().version,
                                              .time_ms = absl::ToUnixMillis(now_),
                                              .enrollment = state->next,
                                              .audit_sequence = head.sequence,
                                              .audit_hash = head.hash};
    PutRow(member, FactorKind::kAgreement, agreement.Sign(keyring.bundle().signing));
  }

  PolicyVault vault_;
  FactorMember owner_;
  absl::Time now_;
};

TEST_F(FactorStandingTest, UnconfirmedCountsForNobody) {
  ASSERT_TRUE(owner_.Begin(now_).ok());
  EXPECT_FALSE(Counts(owner_));
  EXPECT_TRUE(absl::IsUnauthenticated(owner_.Check(now_).status()));
  EXPECT_THAT(owner_.SeenBy(owner_), ElementsAre("totp unconfirmed"));
}

TEST_F(FactorStandingTest, FirstAdminNeedsNobody) {
  FactorMember ada = Join("ada", "admin");
  owner_.Enroll(now_);
  EXPECT_TRUE(Counts(owner_));
  EXPECT_THAT(owner_.SeenBy(ada), ElementsAre("totp active"));
}

TEST_F(FactorStandingTest, NextAdminWaitsForTheFirst) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin");
  const std::string id = ada.Enroll(now_);
  Pass();
  ExpectWaits(ada);
  EXPECT_THAT(ada.SeenBy(owner_), ElementsAre("totp waiting"));
  const auto approved = owner_.Approve(id, now_);
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_EQ(approved->member, ada.id());
  EXPECT_TRUE(Counts(ada));
  EXPECT_TRUE(ada.Use(now_).ok());
  // The agreement has become a part of the member's own state.
  EXPECT_EQ(
      *owner_.keyring().store().GetSecondFactor(ada.id(), static_cast<int>(FactorKind::kAgreement)),
      std::nullopt);
  Pass();
  EXPECT_TRUE(ada.Use(now_).ok());
  EXPECT_THAT(ada.SeenBy(owner_), ElementsAre("totp active"));
}

TEST_F(FactorStandingTest, OldAuthenticatorCountsUntilTheNewOneIsAgreedTo) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin");
  ASSERT_TRUE(owner_.Approve(ada.Enroll(now_), now_ + kPause).ok());
  Pass(2 * kPause);
  const auto code = ada.Check(now_);
  ASSERT_TRUE(code.ok()) << code.status();
  const auto id = ada.Begin(now_, &*code);
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(ada.Confirm(now_).ok());
  Pass();
  EXPECT_TRUE(absl::IsUnauthenticated(ada.Check(now_).status()));
  EXPECT_TRUE(ada.Use(ada.OlderCodeAt(now_), now_).ok());
  ASSERT_TRUE(owner_.Approve(*id, now_).ok());
  Pass();
  EXPECT_TRUE(absl::IsUnauthenticated(ada.Check(ada.OlderCodeAt(now_), now_).status()));
  EXPECT_TRUE(ada.Use(now_).ok());
}

TEST_F(FactorStandingTest, WhoIsNoAdminNeedsNobody) {
  owner_.Enroll(now_);
  for (const char* role : {"agent", "supervisor", "auditor"}) {
    FactorMember member = Join(role, role);
    member.Enroll(now_);
    EXPECT_TRUE(Counts(member)) << role;
  }
}

TEST_F(FactorStandingTest, PolicyMayAskForNobody) {
  const Policy policy =
      Parsed(With(vault_.policy().text(), "countersign = true", "countersign = false"));
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin");
  ada.Follow(policy);
  ada.Enroll(now_);
  EXPECT_TRUE(Counts(ada));
  // What nobody was asked for then is no agreement where one is needed again.
  ada.Follow(vault_.policy());
  Pass();
  ExpectWaits(ada);
}

// Attack: the agreement to one authenticator laid beside another.
TEST_F(FactorStandingTest, AgreementToAnotherEnrolmentDoesNotCount) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  ASSERT_TRUE(owner_.Approve(ada.Enroll(now_), now_ + kPause).ok());
  const crypto::Bytes agreement = Row(ada, FactorKind::kAgreement);
  Pass(2 * kPause);
  const auto code = ada.Check(now_);
  ASSERT_TRUE(code.ok() && ada.Begin(now_, &*code).ok() && ada.Confirm(now_).ok());
  Pass();
  PutRow(ada, FactorKind::kAgreement, agreement);
  EXPECT_TRUE(absl::IsUnauthenticated(ada.Check(now_).status()));
  EXPECT_TRUE(ada.Check(ada.OlderCodeAt(now_), now_).ok());
  // Nor beside another member's.
  bea.Enroll(now_);
  Pass();
  PutRow(bea, FactorKind::kAgreement, agreement);
  EXPECT_TRUE(absl::IsDataLoss(bea.Check(now_).status()));
}

TEST_F(FactorStandingTest, AgreementWithoutItsRowInTheLogDoesNotCount) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  ASSERT_TRUE(owner_.Approve(bea.Enroll(now_), now_ + kPause).ok());
  ada.Enroll(now_ + kPause);
  Pass(2 * kPause);
  Agree(bea, ada, /*logged=*/false);
  ExpectWaits(ada);
  Agree(bea, ada, /*logged=*/true);
  EXPECT_TRUE(Counts(ada));
}

// As an approval of an export: who agreed must still be one who may, until it was used once.
TEST_F(FactorStandingTest, AgreementOfWhoWasDisabledSinceCountsOnlyWhereItWasUsed) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin"), cho = Join("cho", "admin");
  ASSERT_TRUE(owner_.Approve(ada.Enroll(now_), now_ + kPause).ok());
  const std::string of_bea = bea.Enroll(now_ + kPause), of_cho = cho.Enroll(now_ + kPause);
  Pass(2 * kPause);
  ASSERT_TRUE(ada.Approve(of_bea, now_).ok());
  ASSERT_TRUE(bea.Use(now_).ok());
  Pass();
  ASSERT_TRUE(ada.Approve(of_cho, now_).ok());
  ASSERT_TRUE(keyring::DisableMember(owner_.keyring(), "ada").ok());
  Pass();
  EXPECT_TRUE(bea.Use(now_).ok());
  ExpectWaits(cho);
  ASSERT_TRUE(owner_.Approve(of_cho, now_).ok());
  EXPECT_TRUE(cho.Use(now_).ok());
}

TEST_F(FactorStandingTest, AgreementOfWhoLostTheRightSinceCountsNoMore) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  ASSERT_TRUE(owner_.Approve(ada.Enroll(now_), now_ + kPause).ok());
  const std::string id = bea.Enroll(now_ + kPause);
  Pass(2 * kPause);
  ASSERT_TRUE(ada.Approve(id, now_).ok());
  ASSERT_TRUE(keyring::ChangeRole(owner_.keyring(), "ada", "supervisor").ok());
  ExpectWaits(bea);
}

// Attack: who was disabled kept their keys and the database's, and dates an agreement back.
TEST_F(FactorStandingTest, AgreementDatedBackByWhoIsDisabledDoesNotCount) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  ASSERT_TRUE(owner_.Approve(ada.Enroll(now_), now_ + kPause).ok());
  bea.Enroll(now_ + kPause);
  Pass(2 * kPause);
  ASSERT_TRUE(keyring::DisableMember(owner_.keyring(), "ada").ok());
  Agree(ada, bea, /*logged=*/false);
  ExpectWaits(bea);
  // With a row of the log that names the version of the time when ada was an admin.
  Agree(ada, bea, /*logged=*/true);
  ExpectWaits(bea);
}

// Attack: an agent, who may not agree to anything, signs and logs an agreement.
TEST_F(FactorStandingTest, AgreementOfAnAgentIsDataLoss) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin"), mina = Join("mina", "agent");
  ada.Enroll(now_);
  Pass();
  Agree(mina, ada, /*logged=*/true);
  EXPECT_TRUE(absl::IsDataLoss(ada.Check(now_).status()));
  EXPECT_THAT(ada.SeenBy(owner_), ElementsAre("totp damaged"));
}

// Attack: the only one who could agree has their rows damaged, so that nobody is asked.
TEST_F(FactorStandingTest, DamagedFactorOfTheOtherAdminStillAsks) {
  owner_.Enroll(now_);
  FactorMember ada = Join("ada", "admin");
  PutRow(owner_, FactorKind::kState, {1, 2, 3});
  const auto begun = ada.Begin(now_);
  ASSERT_TRUE(begun.ok()) << begun.status();
  const auto confirmed = ada.Confirm(now_);
  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  EXPECT_TRUE(confirmed->waits);
  Pass();
  ExpectWaits(ada);
}

TEST_F(FactorStandingTest, PromotedAgentsFactorWaits) {
  owner_.Enroll(now_);
  FactorMember mina = Join("mina", "agent");
  const std::string id = mina.Enroll(now_);
  EXPECT_TRUE(Counts(mina));
  Pass();
  ASSERT_TRUE(keyring::ChangeRole(owner_.keyring(), "mina", "admin").ok());
  ASSERT_TRUE(mina.keyring().Refresh().ok());
  ExpectWaits(mina);
  EXPECT_THAT(mina.SeenBy(owner_), ElementsAre("totp waiting"));
  ASSERT_TRUE(owner_.Approve(id, now_).ok());
  EXPECT_TRUE(Counts(mina));
  EXPECT_TRUE(mina.Use(now_).ok());
}

// The same where the owner has no factor: nobody could agree.
TEST_F(FactorStandingTest, PromotedAgentsFactorCountsWhereNobodyCouldAgree) {
  FactorMember mina = Join("mina", "agent");
  mina.Enroll(now_);
  Pass();
  ASSERT_TRUE(keyring::ChangeRole(owner_.keyring(), "mina", "admin").ok());
  ASSERT_TRUE(mina.keyring().Refresh().ok());
  EXPECT_TRUE(Counts(mina));
  EXPECT_TRUE(mina.Use(now_).ok());
}

TEST_F(FactorStandingTest, WaitingEndsWhereNobodyIsLeftToAgree) {
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  ada.Enroll(now_);
  bea.Enroll(now_);
  Pass();
  ExpectWaits(bea);
  ASSERT_TRUE(keyring::ChangeRole(owner_.keyring(), "ada", "supervisor").ok());
  ASSERT_TRUE(bea.keyring().Refresh().ok());
  EXPECT_TRUE(Counts(bea));
}

TEST_F(FactorStandingTest, AdminsAreWhoHasARightThatReachesOthers) {
  keyring::Member member = owner_.keyring().self();
  for (const char* role : {"owner", "admin"}) {
    member.role = role;
    EXPECT_TRUE(IsFactorAdmin(vault_.policy(), member)) << role;
  }
  for (const char* role : {"agent", "supervisor", "auditor", "importer", "retention", "nobody"}) {
    member.role = role;
    EXPECT_FALSE(IsFactorAdmin(vault_.policy(), member)) << role;
  }
  // Whoever exports is one, whatever else they may.
  const Policy policy =
      Parsed(With(vault_.policy().text(), "may = [\"audit\"]", "may = [\"export\"]"));
  member.role = "auditor";
  EXPECT_TRUE(IsFactorAdmin(policy, member));
}

}  // namespace
}  // namespace sealbook::policies
