// The positive control: the same includes and the same calls, with a permit from the policy engine.
// If this does not compile, the refusals beside it prove nothing.
#include "policies/decision.h"
#include "policies/export_control.h"
#include "vault/records/bulk_reader.h"

absl::StatusOr<sealbook::ReadPermit> Attempt(const sealbook::policies::Policy& policy) {
  return sealbook::policies::PermitIssuer(policy).ReadOne(sealbook::MemberId{1}, "owner", 1);
}

absl::Status AttemptToExport(sealbook::keyring::Keyring& keyring,
                             const sealbook::policies::Policy& policy) {
  const auto control =
      sealbook::policies::ExportControl::Authorize(keyring, policy, {}, "", absl::Now());
  if (!control.ok()) return control.status();
  return sealbook::records::BulkReader::Open(keyring, (*control)->TakePermit(), false).status();
}
