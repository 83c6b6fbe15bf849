// One-time codes of a member, checked, counted and spent.
//
//   ASSIGN_OR_RETURN(const CheckedCode code, CheckCode(keyring, policy, typed, absl::Now()));
//   …                                                // whatever takes its time
//   ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
//   …                                                // the act
//   RETURN_IF_ERROR(SpendCode(keyring, policy, code, absl::Now()));
//   RETURN_IF_ERROR(transaction.Commit());           // both, or neither
//
// A time step is accepted once and a recovery code is accepted once, for ever and by all processes:
// what is spent stands in a row that the signed log vouches for (keyring/factor_record.h). Wrong
// codes are counted there, too. Which enrolment counts: factor_standing.h.
//
// What this is: a check by this process. A member's keys open the secret that is sealed to them, so
// a program of the member's own needs no code (docs/threat_model.md).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policies/factor_standing.h"
#include "policies/one_time_code.h"

namespace sealbook::policies {

// So far may this machine's clock be behind the newest rows of the log.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(5);

// A code that was right and is not spent yet; only CheckCode makes one.
class CheckedCode {
 public:
  MemberId member() const { return member_; }

 private:
  friend absl::StatusOr<CheckedCode> CheckCode(keyring::Keyring&, const Policy&, absl::string_view,
                                               absl::Time);
  friend absl::Status SpendCode(keyring::Keyring&, const Policy&, const CheckedCode&, absl::Time);
  CheckedCode() = default;

  MemberId member_{};
  OneTimeCode::Kind kind_ = OneTimeCode::Kind::kTotp;
  std::uint64_t step_ = 0;      // of a TOTP code
  int index_ = 0;               // of a recovery code
  crypto::Hash256 document_{};  // of the enrolment or the set that it is one of
  keyring::FactorWalk walk_;
};

// Checks a code of this keyring's member: TOTP or recovery code. A wrong one is counted and
// recorded, in a transaction of its own; so none may be open.
// Unauthenticated: wrong, out of time, used, locked (the message says for how long), nothing
// enrolled, an enrolment that waits for a countersignature, or this machine's clock is behind the
// log. What is no code at all is not counted.
// DataLoss: the member's rows are unsound, or not the newest.
absl::StatusOr<CheckedCode> CheckCode(keyring::Keyring& keyring, const Policy& policy,
                                      absl::string_view code, absl::Time now);

// Inside the caller's write transaction (keyring.BeginWrite()), so that the code is spent exactly
// with the act: appends the audit row `factor.use` and writes the new state.
// Unauthenticated: it, or a later one, was spent meanwhile, or the factor was removed.
absl::Status SpendCode(keyring::Keyring& keyring, const Policy& policy, const CheckedCode& code,
                       absl::Time now);

// Whether this keyring's member has a factor that counts, so that a code can be asked for.
absl::StatusOr<bool> HasFactor(keyring::Keyring& keyring, const Policy& policy);

// What the other parts of second factors share (factor_enrollment.h). All inside a transaction.
namespace internal {

struct Own {
  Standing standing;
  keyring::FactorWalk walk;
};
// This member's own, as they count now. Unauthenticated: the clock is behind the log.
absl::StatusOr<Own> LoadOwn(keyring::Keyring& keyring, const Policy& policy, absl::Time now,
                            const keyring::FactorWalk* before = nullptr);
// Unauthenticated: codes are refused for a while.
absl::Status CheckLock(const Standing& standing, absl::Time now);
// Counts a wrong code, and locks where it is one too many. The caller commits, and refuses.
absl::Status CountWrong(keyring::Keyring& keyring, const Policy& policy, Standing& standing,
                        absl::Time now);
// Writes the state with the rows. An enrolment that counts by now takes its place for good.
absl::Status Save(keyring::Keyring& keyring, Standing& standing, absl::Time now,
                  std::vector<audit::Event> events);

}  // namespace internal
}  // namespace sealbook::policies
