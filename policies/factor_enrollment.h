// Second factors of members: enrolled, confirmed, agreed to, removed. Each is one transaction with
// its audit row; what a code pays for spends it in the same one.
//
//   begin    a new authenticator's secret, shown once; a code of the old factor where one counts
//   confirm  with a code of the new one: it counts, or waits for another admin (factor_standing.h)
//   recovery ten codes, each good once; for a code, but for a first set right after a confirmation:
//            a passphrase alone must not lead around the phone
//   remove   one's own for a code; another's by an admin, for that one's own code where they have
//            one. An admin's, where anybody but the asker could agree, waits for that
//   approve  another admin's word, for a code, for exactly one enrolment or removal
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policies/second_factor.h"

namespace sealbook::policies {

// So long after a confirmation the first recovery codes need no other code.
inline constexpr absl::Duration kFirstRecoveryWithin = absl::Minutes(10);

struct NewTotp {
  std::string id;
  crypto::SecretBytes base32, otpauth;  // to be shown now, and never again
};
// Replaces one that was not confirmed yet, or waits. `code` is of this member; needed where
// HasFactor. Unauthenticated: it is missing, or spent meanwhile. FailedPrecondition: a service
// account. DataLoss: rows that somebody deleted.
absl::StatusOr<NewTotp> BeginTotp(keyring::Keyring& keyring, const Policy& policy,
                                  const CheckedCode* code, absl::Time now);

struct ConfirmedTotp {
  std::string id;
  bool waits = false;  // for another admin
};
// FailedPrecondition: there is nothing to confirm. Unauthenticated: a wrong code, which counts as
// any wrong one, or locked.
absl::StatusOr<ConfirmedTotp> ConfirmTotp(keyring::Keyring& keyring, const Policy& policy,
                                          absl::string_view typed, absl::Time now);

// Whether MakeRecoveryCodes needs no code now.
absl::StatusOr<bool> IsFirstRecovery(keyring::Keyring& keyring, const Policy& policy,
                                     absl::Time now);
// `show` gets the codes before they count: where it fails, nothing has changed.
// FailedPrecondition: no confirmed authenticator. Unauthenticated: a code is needed.
absl::Status MakeRecoveryCodes(
    keyring::Keyring& keyring, const Policy& policy, const CheckedCode* code, absl::Time now,
    const std::function<absl::Status(const std::vector<crypto::SecretBytes>&)>& show);

// Removes all factors of a member, or asks for it: then it gives the request's id.
// NotFound: there are none. PermissionDenied: another's, and not an admin. Unauthenticated: a code
// is needed.
absl::StatusOr<std::optional<std::string>> RemoveFactors(keyring::Keyring& keyring,
                                                         const Policy& policy, MemberId member,
                                                         const CheckedCode* code, absl::Time now);

struct Approved {
  MemberId member{};
  bool removal = false;
};
// NotFound: nothing of this id waits. PermissionDenied: one's own, or without the right `members`.
absl::StatusOr<Approved> ApproveFactor(keyring::Keyring& keyring, const Policy& policy,
                                       absl::string_view id, const CheckedCode& code,
                                       absl::Time now);

}  // namespace sealbook::policies
