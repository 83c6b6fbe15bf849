#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "vault/audit/log.h"
#include "vault/audit/receipt.h"
#include "vault/records/exports.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

absl::Status CheckReceipt(keyring::Keyring& keyring, const ExportRecord& record) {
  const std::string which = absl::StrCat("the receipt of export ", record.number);
  ASSIGN_OR_RETURN(const auto text, keyring.store().GetReceipt(record.id));
  if (!text) return absl::DataLossError(absl::StrCat(which, " is missing"));
  const keyring::Member* signer = keyring.history().SignerAt(record.member, record.roster_version);
  const auto receipt = audit::Receipt::Verify(*text, signer->verify);
  if (!receipt.ok() || receipt->id != record.id)
    return absl::DataLossError(absl::StrCat(which, " was altered, or is another's"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::int64_t> CheckExports(keyring::Keyring& keyring) {
  absl::flat_hash_set<std::int64_t> entries;  // of the log, of which the records tell
  std::int64_t count = 0;
  RETURN_IF_ERROR(EachExportBack(keyring, [&](const ExportRecord& record) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(CheckReceipt(keyring, record));
    if (!entries.insert(record.audit_sequence).second) {
      return absl::DataLossError(
          absl::StrCat("the record of export ", record.number, " names another's log entry"));
    }
    ++count;
    return true;
  }));
  RETURN_IF_ERROR(
      audit::EachBack(keyring.store(), [&](const audit::Record& row) -> absl::StatusOr<bool> {
        if (row.act != kExportAct || row.outcome != "done") return true;
        if (entries.erase(row.sequence) == 0) {
          return absl::DataLossError(
              absl::StrCat("the record of the export of log entry ", row.sequence, " is missing"));
        }
        return true;
      }));
  if (!entries.empty())
    return absl::DataLossError("an export's record names a log entry that tells of none");
  ASSIGN_OR_RETURN(const std::vector<ExportRequest> requests, ExportRequests(keyring));
  for (const ExportRequest& request : requests)
    RETURN_IF_ERROR(ExportApprovals(keyring, request).status());
  return count;
}

}  // namespace sealbook::records
