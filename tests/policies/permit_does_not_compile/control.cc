// The positive control: the same includes and the same calls, with a permit from the policy engine.
// If this does not compile, the refusals beside it prove nothing.
#include "policies/decision.h"

absl::StatusOr<sealbook::ReadPermit> Attempt(const sealbook::policies::Policy& policy) {
  return sealbook::policies::PermitIssuer(policy).ReadOne(sealbook::MemberId{1}, "owner", 1);
}
