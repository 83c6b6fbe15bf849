// Codes of a member, with the clock in the test's hands: how often each is good, and when none is.
#include "policies/second_factor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/factor_member.h"

namespace sealbook::policies {
namespace {

using ::testing::HasSubstr;
using testing::PolicyVault;

class SecondFactorTest : public ::testing::Test {
 protected:
  SecondFactorTest() : owner_(vault_.Unlock("owner")), start_(absl::Now()) {
    const auto totp = BeginTotp(*owner_, vault_.policy(), nullptr, start_);
    EXPECT_TRUE(totp.ok()) << totp.status();
    secret_ = testing::FromBase32(totp->base32.ExposeText());
    const auto confirmed = ConfirmTotp(*owner_, vault_.policy(), CodeAt(start_), start_);
    EXPECT_TRUE(confirmed.ok()) << confirmed.status();
  }
  std::string CodeAt(absl::Time time) const {
    return std::string(HotpCode(secret_, TotpStepAt(time))->ExposeText());
  }
  absl::StatusOr<CheckedCode> Check(absl::string_view code, absl::Time now) {
    return CheckCode(*owner_, vault_.policy(), code, now);
  }
  absl::Status Spend(const CheckedCode& code, absl::Time now) {
    auto transaction = owner_->BeginWrite();
    if (!transaction.ok()) return transaction.status();
    RETURN_IF_ERROR(SpendCode(*owner_, vault_.policy(), code, now));
    return transaction->Commit();
  }
  absl::Status Use(absl::string_view code, absl::Time now) {
    ASSIGN_OR_RETURN(const CheckedCode checked, Check(code, now));
    return Spend(checked, now);
  }

  PolicyVault vault_;
  std::unique_ptr<keyring::Keyring> owner_;
  absl::Time start_;
  crypto::Bytes secret_;
};

TEST_F(SecondFactorTest, EachStepOnceAndOnlyForwards) {
  EXPECT_TRUE(absl::IsUnauthenticated(Use(CodeAt(start_), start_)));  // confirmed with it
  const absl::Time later = start_ + absl::Minutes(2);
  EXPECT_TRUE(Use(CodeAt(later), later).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Use(CodeAt(later), later)));
  EXPECT_TRUE(absl::IsUnauthenticated(Use(CodeAt(later - kTotpStep), later)));
  EXPECT_TRUE(Use(CodeAt(later + kTotpStep), later).ok());
}

// Attack: one code checked twice before it is spent, as two processes would.
TEST_F(SecondFactorTest, CheckedTwiceItIsSpentOnce) {
  const absl::Time later = start_ + absl::Minutes(2);
  const auto one = Check(CodeAt(later), later), other = Check(CodeAt(later), later);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_TRUE(Spend(*one, later).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Spend(*other, later)));
}

// Attack: a code that was seen and not used, with the clock set back to its time.
TEST_F(SecondFactorTest, ClockSetBackIsRefused) {
  const absl::Time then = start_ + absl::Minutes(2), now = start_ + absl::Minutes(30);
  const std::string seen = CodeAt(then);
  ASSERT_TRUE(Use(CodeAt(now), now).ok());
  const absl::Status status = Use(seen, then);
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("clock"));
  // Nor by little enough that the clock counts as right: its step is behind the last one.
  EXPECT_TRUE(absl::IsUnauthenticated(Use(CodeAt(now - absl::Minutes(1)), now - absl::Minutes(1))));
}

TEST_F(SecondFactorTest, CodesOfAnotherTimeAreWrong) {
  const absl::Time now = start_ + absl::Minutes(10);
  for (const absl::Duration off : {absl::Minutes(-2), absl::Minutes(2), absl::Hours(1)})
    EXPECT_TRUE(absl::IsUnauthenticated(Use(CodeAt(now + off), now))) << off;
}

TEST_F(SecondFactorTest, LockEndsAfterItsTimeAndNotBefore) {
  const absl::Time now = start_ + absl::Minutes(10);
  std::string wrong = CodeAt(now + absl::Hours(5));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(absl::IsUnauthenticated(Use(wrong, now)));
  for (const absl::Duration after : {absl::Minutes(1), absl::Minutes(14)}) {
    const absl::Status status = Use(CodeAt(now + after), now + after);
    EXPECT_THAT(std::string(status.message()), HasSubstr("refused for")) << after;
  }
  EXPECT_TRUE(Use(CodeAt(now + absl::Minutes(16)), now + absl::Minutes(16)).ok());
}

TEST_F(SecondFactorTest, FourWrongCodesAndARightOneBeginAnew) {
  const absl::Time now = start_ + absl::Minutes(10);
  const std::string wrong = CodeAt(now + absl::Hours(5));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(absl::IsUnauthenticated(Use(wrong, now)));
  EXPECT_TRUE(Use(CodeAt(now), now).ok());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(absl::IsUnauthenticated(Use(wrong, now)));
  EXPECT_TRUE(Use(CodeAt(now + kTotpStep), now + kTotpStep).ok());
}

TEST_F(SecondFactorTest, WhoNeverEnrolledHasNoCode) {
  vault_.AddMember("ada", "admin");
  auto ada = vault_.Unlock("ada");
  EXPECT_TRUE(
      absl::IsUnauthenticated(CheckCode(*ada, vault_.policy(), CodeAt(start_), start_).status()));
  EXPECT_FALSE(*HasFactor(*ada, vault_.policy()));
  EXPECT_TRUE(*HasFactor(*owner_, vault_.policy()));
}

TEST_F(SecondFactorTest, RecoveryCodesOfAnOlderSetAreWrong) {
  std::vector<std::string> codes;
  const auto keep = [&](const std::vector<crypto::SecretBytes>& made) {
    codes.clear();
    for (const crypto::SecretBytes& code : made) codes.emplace_back(code.ExposeText());
    return absl::OkStatus();
  };
  ASSERT_TRUE(MakeRecoveryCodes(*owner_, vault_.policy(), nullptr, start_, keep).ok());
  const std::vector<std::string> older = codes;
  EXPECT_EQ(older.size(), 10u);
  // Another set needs a code.
  EXPECT_TRUE(
      absl::IsUnauthenticated(MakeRecoveryCodes(*owner_, vault_.policy(), nullptr, start_, keep)));
  const auto paid = Check(older[0], start_);
  ASSERT_TRUE(paid.ok()) << paid.status();
  ASSERT_TRUE(MakeRecoveryCodes(*owner_, vault_.policy(), &*paid, start_, keep).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Use(older[1], start_)));
  for (const std::string& code : codes) EXPECT_TRUE(Use(code, start_).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Use(codes[9], start_)));
}

TEST_F(SecondFactorTest, FirstSetOfRecoveryCodesIsFreeForTenMinutesOnly) {
  const auto keep = [](const std::vector<crypto::SecretBytes>&) { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsUnauthenticated(
      MakeRecoveryCodes(*owner_, vault_.policy(), nullptr, start_ + absl::Minutes(11), keep)));
}

}  // namespace
}  // namespace sealbook::policies
