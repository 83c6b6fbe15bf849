// Exports: customer lists that leave the vault. Who may, to whom, after which code and whose
// approval; and the only place where an ExportPermit comes into being.
//
//   ASSIGN_OR_RETURN(auto control, ExportControl::Authorize(keyring, policy, spec, code, now));
//   … read with control->TakePermit(), write a file that opens for nobody yet …
//   ASSIGN_OR_RETURN(std::string receipt, control->Complete(written, now));
//   … now put the file's header in front, and the file in its place …
//
// What is spent (the code, the approvals) is spent in Complete's transaction together with the log
// entry, the record that holds the file's header, and the receipt. So a process that dies before
// has spent nothing, and leaves a file that its recipients cannot open; one that dies after has
// left all that is needed to finish (records::EachExportBack). Only a file in the clear has no such
// header: whoever stops its export in the middle has a part of it.
//
// Authorize writes a log entry before the first customer is read, so an export that was begun and
// never finished is on record too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policies/policy.h"
#include "policies/second_factor.h"
#include "vault/permits.h"
#include "vault/records/exports.h"

namespace sealbook::policies {

// What was written, header included.
struct WrittenExport {
  std::int64_t rows = 0, bytes = 0;
  crypto::Sha256Hash sha256{};
  crypto::Bytes header;  // empty in the clear
};

class ExportControl {
 public:
  // Checks everything in this order: the right to export, the reason, who may read the file, the
  // fields, the number of rows, the cool-down, the approvals, and last the code. Then the log tells
  // that the export begins.
  // FailedPrecondition: no reason, or nobody to encrypt to. PermissionDenied: the policy. NotFound:
  // no such book. Unauthenticated: the code. DataLoss: records of exports or approvals that do not
  // count, or are missing.
  static absl::StatusOr<std::unique_ptr<ExportControl>> Authorize(keyring::Keyring& keyring,
                                                                  const Policy& policy,
                                                                  const records::ExportSpec& spec,
                                                                  absl::string_view code,
                                                                  absl::Time now);
  ExportControl(const ExportControl&) = delete;
  ExportControl& operator=(const ExportControl&) = delete;

  const records::ExportId& id() const { return id_; }
  // Once: ends the process the second time.
  ExportPermit TakePermit();

  // Spends and records all, in one transaction, after looking at everything once more, by the
  // roster and the policy of that moment: somebody may have spent the code or the approval
  // meanwhile, or taken the right away. Gives the signed receipt. The same errors as Authorize;
  // then nothing was spent.
  absl::StatusOr<std::string> Complete(const WrittenExport& written, absl::Time now);

 private:
  ExportControl(keyring::Keyring& keyring, const Policy& policy, records::ExportSpec spec,
                CheckedCode code)
      : keyring_(keyring),
        policy_(policy),
        policy_hash_(keyring.roster().policy_hash),
        spec_(std::move(spec)),
        code_(std::move(code)),
        id_(records::NewExportId()) {}

  keyring::Keyring& keyring_;
  const Policy& policy_;
  crypto::Hash256 policy_hash_;  // of the one that was in force then
  records::ExportSpec spec_;
  CheckedCode code_;
  records::ExportId id_;
  std::vector<ClassId> classes_;
  absl::Time issued_;
  bool taken_ = false, completed_ = false;
};

// The classes that an export of these fields reads; the role's clear ones where no field is named.
// PermissionDenied: the role does not read a field in the clear. `fields` may name the columns
// "uid" and "books", which are no fields.
absl::StatusOr<std::vector<ClassId>> ClassesToExport(const Policy& policy, absl::string_view role,
                                                     const std::vector<std::string>& fields);

// Asks the others to approve. The same checks as Authorize's, without approvals and code.
absl::StatusOr<records::ExportRequest> RequestExport(keyring::Keyring& keyring,
                                                     const Policy& policy,
                                                     const records::ExportSpec& spec,
                                                     absl::Time now);

// Agrees to one request, after a code of this member's own. PermissionDenied: this member asked for
// it itself, or may not export. FailedPrecondition: it has run out, was made, or was approved by
// this member already.
absl::Status ApproveExport(keyring::Keyring& keyring, const Policy& policy,
                           const records::ExportRequest& request, absl::string_view code,
                           absl::Time now);

enum class RequestState { kWaiting, kApproved, kRunOut, kMade };
struct RequestStanding {
  RequestState state = RequestState::kWaiting;
  std::vector<MemberId> approvers;  // that count now
  int needed = 0;
};
absl::StatusOr<RequestStanding> StandingOf(keyring::Keyring& keyring, const Policy& policy,
                                           const records::ExportRequest& request, absl::Time now);

}  // namespace sealbook::policies
