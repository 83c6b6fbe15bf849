// Second factors enrolled, confirmed, agreed to and removed, with the clock in the test's hands;
// and what is not given away without a code.
#include "policies/factor_enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "tests/support/factor_member.h"

namespace sealbook::policies {
namespace {

using keyring::FactorKind;
using ::testing::ElementsAre;
using testing::FactorMember;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PolicyVault;

constexpr absl::Duration kTick = absl::Minutes(1);

class FactorEnrollmentTest : public ::testing::Test {
 protected:
  FactorEnrollmentTest() : owner_(vault_, "owner"), now_(absl::Now()) {}

  FactorMember Join(absl::string_view name, absl::string_view role) {
    vault_.AddMember(name, role);
    FactorMember member(vault_, name);
    EXPECT_TRUE(owner_.keyring().Refresh().ok());
    return member;
  }
  // An admin whose factor the owner has agreed to; a minute each passes for both.
  FactorMember JoinAgreed(absl::string_view name) {
    FactorMember member = Join(name, "admin");
    const std::string id = member.Enroll(now_);
    Pass();
    const auto approved = owner_.Approve(id, now_);
    EXPECT_TRUE(approved.ok()) << approved.status();
    Pass();
    return member;
  }
  void EnrollOwner() {
    owner_.Enroll(now_);
    Pass();
  }
  void Pass(absl::Duration time = kTick) { now_ += time; }
  int Count(absl::string_view act) {
    int count = 0;
    EXPECT_TRUE(audit::EachBack(owner_.keyring().store(),
                                [&](const audit::Record& row) -> absl::StatusOr<bool> {
                                  if (row.act == act) ++count;
                                  return true;
                                })
                    .ok());
    return count;
  }
  std::optional<crypto::Bytes> Row(FactorMember& member, FactorKind kind) {
    const auto row = owner_.keyring().store().GetSecondFactor(member.id(), static_cast<int>(kind));
    EXPECT_TRUE(row.ok()) << row.status();
    return row.ok() ? *row : std::nullopt;
  }
  static void ExpectNoCode(const absl::Status& status, absl::string_view because) {
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(because)));
  }

  PolicyVault vault_;
  FactorMember owner_;
  absl::Time now_;
};

TEST_F(FactorEnrollmentTest, CountsOnceACodeOfItWasConfirmed) {
  ASSERT_TRUE(owner_.Begin(now_).ok());
  ExpectNoCode(owner_.Check(now_).status(), "not confirmed");
  EXPECT_FALSE(*HasFactor(owner_.keyring(), vault_.policy()));
  ExpectNoCode(
      ConfirmTotp(owner_.keyring(), vault_.policy(), owner_.WrongCode(now_), now_).status(),
      "does not confirm");
  EXPECT_FALSE(*HasFactor(owner_.keyring(), vault_.policy()));
  ASSERT_TRUE(owner_.Confirm(now_).ok());
  EXPECT_TRUE(*HasFactor(owner_.keyring(), vault_.policy()));
  // Once is enough, and its code is spent.
  EXPECT_TRUE(absl::IsFailedPrecondition(owner_.Confirm(now_).status()));
  ExpectNoCode(owner_.Use(now_), "used before");
  EXPECT_EQ(Count("factor.confirm"), 1);
}

TEST_F(FactorEnrollmentTest, NothingBegunIsNothingToConfirm) {
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ConfirmTotp(owner_.keyring(), vault_.policy(), "123456", now_).status()));
}

TEST_F(FactorEnrollmentTest, BegunAnewTheOneBeforeConfirmsNothing) {
  ASSERT_TRUE(owner_.Begin(now_).ok());
  ASSERT_TRUE(owner_.Begin(now_).ok());
  ExpectNoCode(
      ConfirmTotp(owner_.keyring(), vault_.policy(), owner_.OlderCodeAt(now_), now_).status(),
      "does not confirm");
  EXPECT_TRUE(owner_.Confirm(now_).ok());
}

TEST_F(FactorEnrollmentTest, AnotherAuthenticatorNeedsACodeOfTheOneThatCounts) {
  EnrollOwner();
  ExpectNoCode(owner_.Begin(now_).status(), "needs a one-time code");
  const auto code = owner_.Check(now_);
  ASSERT_TRUE(code.ok()) << code.status();
  ASSERT_TRUE(owner_.Begin(now_, &*code).ok());
  // Spent with it; until the new one is confirmed, the old one counts.
  ExpectNoCode(owner_.Begin(now_, &*code).status(), "used before");
  Pass();
  EXPECT_TRUE(owner_.Use(owner_.OlderCodeAt(now_), now_).ok());
  Pass();
  ASSERT_TRUE(owner_.Confirm(now_).ok());
  Pass();
  ExpectNoCode(owner_.Check(owner_.OlderCodeAt(now_), now_).status(), "wrong");
  EXPECT_TRUE(owner_.Use(now_).ok());
}

TEST_F(FactorEnrollmentTest, ServiceAccountsHaveNone) {
  vault_.AddMember("service importer", "importer");
  FactorMember importer(vault_, "service importer");
  EXPECT_TRUE(absl::IsFailedPrecondition(importer.Begin(now_).status()));
}

// Whoever guesses at a new authenticator guesses no longer than at one that counts.
TEST_F(FactorEnrollmentTest, WrongConfirmationsLock) {
  ASSERT_TRUE(owner_.Begin(now_).ok());
  const auto confirm = [&](const std::string& code) {
    return ConfirmTotp(owner_.keyring(), vault_.policy(), code, now_).status();
  };
  for (int i = 0; i < 5; ++i) ExpectNoCode(confirm(owner_.WrongCode(now_)), "does not confirm");
  ExpectNoCode(confirm(owner_.CodeAt(now_)), "refused for 15 minutes");
  EXPECT_EQ(Count("factor.lock"), 1);
  Pass(absl::Minutes(15));
  EXPECT_TRUE(confirm(owner_.CodeAt(now_)).ok());
}

TEST_F(FactorEnrollmentTest, WrongCodesAreCountedOverRestarts) {
  EnrollOwner();
  const std::string wrong = owner_.WrongCode(now_), right = owner_.CodeAt(now_);
  const auto check = [&](const std::string& code) {
    return CheckCode(*vault_.Unlock("owner"), vault_.policy(), code, now_).status();
  };
  for (int i = 0; i < 4; ++i) ExpectNoCode(check(wrong), "wrong");
  ExpectNoCode(check(wrong), "refused for 15 minutes");
  ExpectNoCode(check(right), "refused for 15 minutes");
  // What is no code at all is no guess, and tells nothing of the lock's end either.
  Pass(absl::Minutes(14) + absl::Seconds(30));
  ExpectNoCode(check("hello"), "refused for 1 minute");
  Pass(absl::Seconds(30));
  EXPECT_TRUE(check(owner_.CodeAt(now_)).ok());
  EXPECT_EQ(Count("factor.lock"), 1);
}

TEST_F(FactorEnrollmentTest, RightCodeThatIsNeverSpentForgivesNoWrongOnes) {
  EnrollOwner();
  for (int round = 0; round < 4; ++round) {
    EXPECT_TRUE(owner_.Check(now_).ok());
    ExpectNoCode(owner_.Check(owner_.WrongCode(now_), now_).status(), "wrong");
  }
  ExpectNoCode(owner_.Check(owner_.WrongCode(now_), now_).status(), "refused for");
}

TEST_F(FactorEnrollmentTest, RecoveryCodesAreGoodOnceEach) {
  owner_.Enroll(now_);
  const auto codes = owner_.MakeRecoveryCodes(now_);
  ASSERT_TRUE(codes.ok()) << codes.status();
  ASSERT_EQ(codes->size(), 10u);
  const auto use = [&](const std::string& typed) -> absl::Status {
    FactorMember restarted(vault_, "owner");
    return restarted.Use(typed, now_);
  };
  EXPECT_TRUE(use((*codes)[3]).ok());
  ExpectNoCode(use((*codes)[3]), "used before");
  // Nor as it could be typed otherwise.
  ExpectNoCode(use(absl::AsciiStrToLower((*codes)[3])), "used before");
  ExpectNoCode(use(absl::StrReplaceAll((*codes)[3], {{"-", " "}, {"0", "O"}, {"1", "l"}})),
               "used before");
  EXPECT_TRUE(use(absl::AsciiStrToLower((*codes)[4])).ok());
  // Who gives a used one knew it: that is no guess, and locks nothing.
  for (int i = 0; i < 6; ++i) ExpectNoCode(use((*codes)[3]), "used before");
  const auto items = ListFactors(owner_.keyring(), vault_.policy(), owner_.id());
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ((*items)[1].codes_left, 8);
  // They stand nowhere as they are.
  const crypto::Bytes row = *Row(owner_, FactorKind::kRecovery);
  EXPECT_EQ(crypto::AsText(row).find((*codes)[0].substr(0, 4)), absl::string_view::npos);
}

TEST_F(FactorEnrollmentTest, CodesCheckedTwiceAtOnceAreSpentOnce) {
  owner_.Enroll(now_);
  const auto codes = owner_.MakeRecoveryCodes(now_);
  ASSERT_TRUE(codes.ok()) << codes.status();
  FactorMember other(vault_, "owner");
  const auto first = owner_.Check((*codes)[0], now_), second = other.Check((*codes)[0], now_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(other.Spend(*second, now_).ok());
  ExpectNoCode(owner_.Spend(*first, now_), "used before");
}

TEST_F(FactorEnrollmentTest, CodesThatCouldNotBeShownChangeNothing) {
  owner_.Enroll(now_);
  const auto codes = owner_.MakeRecoveryCodes(now_);
  ASSERT_TRUE(codes.ok()) << codes.status();
  const auto paid = owner_.Check((*codes)[0], now_);
  ASSERT_TRUE(paid.ok()) << paid.status();
  const absl::Status status = MakeRecoveryCodes(owner_.keyring(), vault_.policy(), &*paid, now_,
                                                [](const std::vector<crypto::SecretBytes>&) {
                                                  return absl::UnavailableError("no terminal");
                                                });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  // Neither are the old ones gone, nor is the code spent.
  EXPECT_TRUE(owner_.Use((*codes)[1], now_).ok());
  EXPECT_TRUE(owner_.Use((*codes)[0], now_).ok());
}

TEST_F(FactorEnrollmentTest, RecoveryCodesNeedAnAuthenticatorAndConfirmNone) {
  EXPECT_TRUE(absl::IsFailedPrecondition(owner_.MakeRecoveryCodes(now_).status()));
  ASSERT_TRUE(owner_.Begin(now_).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(owner_.MakeRecoveryCodes(now_).status()));
  ASSERT_TRUE(owner_.Confirm(now_).ok());
  const auto codes = owner_.MakeRecoveryCodes(now_);
  ASSERT_TRUE(codes.ok()) << codes.status();
  const auto paid = owner_.Check((*codes)[0], now_);
  ASSERT_TRUE(paid.ok() && owner_.Begin(now_, &*paid).ok());
  ExpectNoCode(ConfirmTotp(owner_.keyring(), vault_.policy(), (*codes)[1], now_).status(),
               "confirms no authenticator");
}

// The recovery codes of an admin whose authenticator waits are no way around the agreement.
TEST_F(FactorEnrollmentTest, RecoveryCodesOfWhatWaitsWaitToo) {
  EnrollOwner();
  FactorMember ada = Join("ada", "admin");
  const std::string id = ada.Enroll(now_);
  const auto codes = ada.MakeRecoveryCodes(now_);
  ASSERT_TRUE(codes.ok()) << codes.status();
  ExpectNoCode(ada.Use((*codes)[0], now_), "waits for another admin");
  ASSERT_TRUE(owner_.Approve(id, now_).ok());
  EXPECT_TRUE(ada.Use((*codes)[0], now_).ok());
}

TEST_F(FactorEnrollmentTest, AgreementIsAnotherAdminsAndForWhatWaits) {
  EnrollOwner();
  FactorMember ada = Join("ada", "admin"), mina = Join("mina", "agent");
  mina.Enroll(now_);
  const auto begun = ada.Begin(now_);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve(*begun, now_).status())) << "not confirmed yet";
  ASSERT_TRUE(ada.Confirm(now_).ok());
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve("0123456789abcdef", now_).status()));
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve("", now_).status()));
  Pass();
  EXPECT_TRUE(absl::IsPermissionDenied(mina.Approve(*begun, now_).status()));
  // None of them has spent a code.
  EXPECT_TRUE(mina.Use(now_).ok());
  EXPECT_TRUE(owner_.Approve(absl::StrCat(" ", absl::AsciiStrToUpper(*begun), "\n"), now_).ok());
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve(*begun, now_ + kTick).status())) << "twice";
  EXPECT_EQ(Count("factor.approve"), 1);
}

// Whose own one waits has an older one to agree with, and still agrees to nothing of their own.
TEST_F(FactorEnrollmentTest, NobodyAgreesToTheirOwn) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada");
  const auto paid = ada.Check(now_);
  ASSERT_TRUE(paid.ok()) << paid.status();
  const auto id = ada.Begin(now_, &*paid);
  ASSERT_TRUE(id.ok() && ada.Confirm(now_).ok());
  Pass();
  const auto code = ada.Check(ada.OlderCodeAt(now_), now_);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_TRUE(absl::IsPermissionDenied(
      ApproveFactor(ada.keyring(), vault_.policy(), *id, *code, now_).status()));
}

TEST_F(FactorEnrollmentTest, OneCodeAgreesToOneThing) {
  EnrollOwner();
  FactorMember ada = Join("ada", "admin"), bea = Join("bea", "admin");
  const std::string of_ada = ada.Enroll(now_), of_bea = bea.Enroll(now_);
  const auto code = owner_.Check(now_);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_TRUE(ApproveFactor(owner_.keyring(), vault_.policy(), of_ada, *code, now_).ok());
  ExpectNoCode(ApproveFactor(owner_.keyring(), vault_.policy(), of_bea, *code, now_).status(),
               "used before");
  EXPECT_FALSE(*HasFactor(bea.keyring(), vault_.policy()));
}

TEST_F(FactorEnrollmentTest, RemovalNeedsACodeAndIsRecorded) {
  EXPECT_TRUE(absl::IsNotFound(
      RemoveFactors(owner_.keyring(), vault_.policy(), owner_.id(), nullptr, now_).status()));
  EnrollOwner();
  ExpectNoCode(
      RemoveFactors(owner_.keyring(), vault_.policy(), owner_.id(), nullptr, now_).status(),
      "needs a one-time code");
  // Nobody else could agree, so it is done at once.
  const auto removed = owner_.Remove(owner_.id(), now_);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, std::nullopt);
  EXPECT_FALSE(*HasFactor(owner_.keyring(), vault_.policy()));
  EXPECT_EQ(Count("factor.remove"), 1);
  for (const FactorKind kind : keyring::kFactorKinds) EXPECT_EQ(Row(owner_, kind), std::nullopt);
  Pass();
  owner_.Enroll(now_);
  EXPECT_TRUE(*HasFactor(owner_.keyring(), vault_.policy()));
}

TEST_F(FactorEnrollmentTest, AdminsRemovalWaitsForAnotherAdmin) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada");
  const auto id = ada.Remove(ada.id(), now_);
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(id->has_value());
  EXPECT_THAT(ada.SeenBy(owner_), ElementsAre("totp active", "removal waiting"));
  EXPECT_TRUE(*HasFactor(ada.keyring(), vault_.policy()));
  Pass();
  EXPECT_TRUE(absl::IsPermissionDenied(ada.Approve(**id, now_).status()));
  const auto approved = owner_.Approve(**id, now_);
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_TRUE(approved->removal);
  EXPECT_EQ(approved->member, ada.id());
  EXPECT_FALSE(*HasFactor(ada.keyring(), vault_.policy()));
  EXPECT_THAT(ada.SeenBy(owner_), IsEmpty());
  Pass();
  // There is nothing to agree to once more, and the next one waits again.
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve(**id, now_).status()));
  ASSERT_TRUE(ada.Begin(now_).ok());
  EXPECT_TRUE(ada.Confirm(now_)->waits);
}

TEST_F(FactorEnrollmentTest, RemovalOfAnotherAdminsWaitsForAThird) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada"), bea = JoinAgreed("bea");
  const auto id = bea.Remove(ada.id(), now_);
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(id->has_value());
  Pass();
  EXPECT_TRUE(absl::IsPermissionDenied(bea.Approve(**id, now_).status()));
  EXPECT_TRUE(*HasFactor(ada.keyring(), vault_.policy()));
  EXPECT_TRUE(owner_.Approve(**id, now_).ok());
  EXPECT_FALSE(*HasFactor(ada.keyring(), vault_.policy()));
}

TEST_F(FactorEnrollmentTest, OthersFactorsAreForAdminsToRemove) {
  EnrollOwner();
  FactorMember mina = Join("mina", "agent"), dana = Join("dana", "agent");
  mina.Enroll(now_);
  dana.Enroll(now_);
  Pass();
  EXPECT_TRUE(absl::IsPermissionDenied(mina.Remove(dana.id(), now_).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(mina.Remove(owner_.id(), now_).status()));
  EXPECT_TRUE(absl::IsNotFound(owner_.Remove(MemberId{99}, now_).status()));
  // An agent's goes for an admin's code alone.
  const auto removed = owner_.Remove(dana.id(), now_);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, std::nullopt);
  EXPECT_FALSE(*HasFactor(dana.keyring(), vault_.policy()));
  EXPECT_TRUE(*HasFactor(mina.keyring(), vault_.policy()));
}

// Attack: a removal of one authenticator kept for the next one.
TEST_F(FactorEnrollmentTest, RemovalIsOfThatEnrolmentAlone) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada");
  const auto removal = ada.Remove(ada.id(), now_);
  ASSERT_TRUE(removal.ok() && removal->has_value());
  const crypto::Bytes kept = *Row(ada, FactorKind::kRemoval);
  Pass();
  const auto paid = ada.Check(now_);
  const auto id = ada.Begin(now_, &*paid);
  ASSERT_TRUE(id.ok() && ada.Confirm(now_).ok());
  ASSERT_TRUE(owner_.Approve(*id, now_).ok());
  Pass();
  ASSERT_TRUE(ada.Use(now_).ok());
  ASSERT_TRUE(owner_.keyring()
                  .store()
                  .PutSecondFactor(ada.id(), static_cast<int>(FactorKind::kRemoval), kept)
                  .ok());
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve(**removal, now_).status()));
  EXPECT_TRUE(*HasFactor(ada.keyring(), vault_.policy()));
}

TEST_F(FactorEnrollmentTest, RemovalAskedForByWhoIsDisabledSinceDoesNotCount) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada"), bea = JoinAgreed("bea");
  const auto id = bea.Remove(ada.id(), now_);
  ASSERT_TRUE(id.ok() && id->has_value());
  ASSERT_TRUE(keyring::DisableMember(owner_.keyring(), "bea").ok());
  Pass();
  EXPECT_TRUE(absl::IsNotFound(owner_.Approve(**id, now_).status()));
  EXPECT_TRUE(*HasFactor(ada.keyring(), vault_.policy()));
}

// Attack: a member deletes the own rows, to enrol anew without a code and without anybody.
TEST_F(FactorEnrollmentTest, DeletedRowsAreNoNewBeginning) {
  EnrollOwner();
  FactorMember ada = JoinAgreed("ada");
  ASSERT_TRUE(keyring::DeleteFactors(ada.keyring(), ada.id()).ok());
  EXPECT_TRUE(absl::IsDataLoss(ada.Begin(now_).status()));
  EXPECT_TRUE(absl::IsDataLoss(
      RemoveFactors(ada.keyring(), vault_.policy(), ada.id(), nullptr, now_).status()));
  // An admin's removal is a row of the log, after which it is one.
  const auto removed = owner_.Remove(ada.id(), now_);
  ASSERT_TRUE(removed.ok()) << removed.status();
  Pass();
  EXPECT_EQ(*removed, std::nullopt) << "nobody but the owner could agree";
  EXPECT_TRUE(ada.Begin(now_).ok());
}

// Attack: the rows as they stood before a code was spent, or before wrong ones were counted.
TEST_F(FactorEnrollmentTest, OlderRowsPutBackAreDataLoss) {
  EnrollOwner();
  const crypto::Bytes before = *Row(owner_, FactorKind::kState);
  const auto put_back = [&] {
    ASSERT_TRUE(owner_.keyring()
                    .store()
                    .PutSecondFactor(owner_.id(), static_cast<int>(FactorKind::kState), before)
                    .ok());
  };
  ExpectNoCode(owner_.Check(owner_.WrongCode(now_), now_).status(), "wrong");
  const crypto::Bytes counted = *Row(owner_, FactorKind::kState);
  put_back();
  EXPECT_TRUE(absl::IsDataLoss(owner_.Check(now_).status()));
  ASSERT_TRUE(owner_.keyring()
                  .store()
                  .PutSecondFactor(owner_.id(), static_cast<int>(FactorKind::kState), counted)
                  .ok());
  ASSERT_TRUE(owner_.Use(now_).ok());
  put_back();
  EXPECT_TRUE(absl::IsDataLoss(owner_.Check(now_).status()));
}

}  // namespace
}  // namespace sealbook::policies
