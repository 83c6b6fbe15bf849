// Exports as they stand in the vault: what was asked for, who agreed to exactly that, and what was
// done. Signed documents in tables of their own (docs/format.md, "Exports"); the rules are
// policies/export_control.h's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/crypto/sha256.h"
#include "vault/keyring/keyring.h"

namespace sealbook::records {

using ExportId = crypto::Hash128;
ExportId NewExportId();
// 32 hexadecimal digits.
std::string FormatExportId(const ExportId& id);
// InvalidArgument: not 8 to 32 hexadecimal digits. The digits may stand for the beginning of an id.
absl::Status CheckExportIdPrefix(absl::string_view text);

// What exactly is exported. Two exports are the same where Encode gives the same bytes.
struct ExportSpec {
  BookId book{kRootBook};  // the root book: every contact
  std::string format;      // "csv", "jsonl", "vcard", "xlsx"
  // In the order of the file; empty: every field that the exporter's role reads.
  std::vector<std::string> fields;
  std::vector<crypto::ExchangePublic> recipients;  // ascending; empty: in the clear
  std::string reason;

  crypto::Bytes Encode() const;
  static absl::StatusOr<ExportSpec> Decode(ByteView bytes);
  friend bool operator==(const ExportSpec&, const ExportSpec&) = default;
};

// Asked for, to be approved. Its spec is sealed to the compartment (root, audit).
struct ExportRequest {
  ExportId id{};
  MemberId member{};
  std::uint64_t roster_version = 0;
  std::int64_t time_ms = 0, expires_ms = 0;
  std::int64_t audit_sequence = 0;  // of the row that tells of it
  crypto::Hash256 hash{};           // what an approval signs
  crypto::Bytes sealed_spec;
};

// One row of `export`: an export that was made.
struct ExportRecord {
  std::int64_t number = 0;  // from 1, without gaps
  ExportId id{};
  MemberId member{};
  std::uint64_t roster_version = 0;
  std::int64_t time_ms = 0;
  std::optional<ExportId> request;
  std::int64_t rows = 0, bytes = 0;
  crypto::Sha256Hash sha256{};
  std::int64_t audit_sequence = 0;  // of the row that tells of it
  // What stands at the beginning of the file, without which it opens for nobody; empty for one in
  // the clear.
  crypto::Bytes header;
};

// Inside the caller's write transaction, after the audit row that the document names.
// PermissionDenied: a request's spec is sealed to the audit log's readers, and approvals are theirs
// to see.
absl::StatusOr<ExportRequest> InsertExportRequest(keyring::Keyring& keyring, const ExportId& id,
                                                  const ExportSpec& spec, absl::Time now,
                                                  absl::Duration lasts);
// One row of `export_request`. DataLoss: not signed by the member whom it names, or altered.
absl::StatusOr<ExportRequest> ParseExportRequest(keyring::Keyring& keyring, const ExportId& place,
                                                 ByteView document);
// DataLoss as above. NotFound: there is none.
absl::StatusOr<ExportRequest> FindExportRequest(keyring::Keyring& keyring,
                                                absl::string_view id_prefix);
// Newest first.
absl::StatusOr<std::vector<ExportRequest>> ExportRequests(keyring::Keyring& keyring);
// PermissionDenied: this member does not read the audit log's details.
absl::StatusOr<ExportSpec> OpenExportSpec(keyring::Keyring& keyring, const ExportRequest& request);

absl::Status PutExportApproval(keyring::Keyring& keyring, const ExportRequest& request,
                               absl::Time now);
// Who approved, as far as the signatures are right and were made while the signer was active and
// the request was open. Whether they still may is for the caller to say.
absl::StatusOr<std::vector<MemberId>> ExportApprovals(keyring::Keyring& keyring,
                                                      const ExportRequest& request);

// Number, member, roster version and time are filled in.
absl::Status InsertExportRecord(keyring::Keyring& keyring, ExportRecord& record, absl::Time now);
// From the newest back until `visit` gives false. DataLoss: one is missing, altered, or not signed
// by the member whom it names.
absl::Status EachExportBack(keyring::Keyring& keyring,
                            const std::function<absl::StatusOr<bool>(const ExportRecord&)>& visit);

// The log tells of every export, so it tells of one whose row was deleted: DataLoss where it knows
// a newer one than the newest row. Looks at the log back to row `from_sequence` or to the newest
// row's.
absl::Status CheckNoExportIsMissing(keyring::Keyring& keyring, std::int64_t from_sequence);

inline constexpr absl::string_view kExportAct = "export";
inline constexpr absl::string_view kExportRequestAct = "export.request";
inline constexpr absl::string_view kExportApproveAct = "export.approve";

}  // namespace sealbook::records
