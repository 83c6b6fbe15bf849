#include "vault/records/health_documents.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/audit/log.h"
#include "vault/audit/receipt.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/factor_record.h"
#include "vault/records/exports.h"
#include "vault/status.h"

namespace sealbook::records::internal {
namespace {

using keyring::FactorKind;
using keyring::FactorRecord;
using keyring::Member;

std::uint32_t Number(MemberId member) { return static_cast<std::uint32_t>(member); }

// DataLoss becomes a fault of this place; other errors end the check.
absl::Status Note(const DocumentVisitor& visitor, absl::string_view place,
                  const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  visitor.fault(absl::StrCat(place, ": ", status.message()));
  return absl::OkStatus();
}

// What is sealed to this member opens.
absl::Status OpenOwn(keyring::Keyring& keyring, const FactorRecord& record) {
  const crypto::ExchangePair& pair = keyring.bundle().exchange;
  for (const auto* enrollment : {&record.totp, &record.next}) {
    if (*enrollment) RETURN_IF_ERROR(keyring::OpenTotpSecret(pair, **enrollment).status());
  }
  if (record.recovery) {
    RETURN_IF_ERROR(keyring::OpenRecoveryHashes(pair, *record.recovery).status());
  }
  return absl::OkStatus();
}

absl::Status CheckFactorsOf(keyring::Keyring& keyring, const Member& member, bool in_log) {
  ASSIGN_OR_RETURN(const FactorRecord record, keyring::LoadFactors(keyring, member));
  if (record.state) {
    RETURN_IF_ERROR(keyring::WalkFactorLog(keyring, record).status());
  } else if (in_log && member.active) {
    RETURN_IF_ERROR(keyring::CheckNeverEnrolled(keyring, member.id));
  }
  if (member.id == keyring.bundle().member) RETURN_IF_ERROR(OpenOwn(keyring, record));
  return keyring::LoadRemoval(keyring, member.id).status();
}

// Of the log's rows about exports: at which place, by whom.
using Told = std::set<std::pair<std::int64_t, MemberId>>;

// nullopt: it does not open, by the epoch of its time.
std::optional<std::string> DetailOf(keyring::Keyring& keyring, const audit::Record& row) {
  const keyring::Roster* roster = keyring.history().Version(row.roster_version);
  const keyring::Compartment* compartment =
      roster == nullptr ? nullptr : roster->FindCompartment(kRootBook, ClassId::kAudit);
  if (compartment == nullptr) return std::nullopt;
  const auto pair = keyring.CompartmentPair(kRootBook, ClassId::kAudit, compartment->epoch);
  if (!pair.ok()) return std::nullopt;
  auto detail = audit::OpenDetail(row, keyring.roster().vault, **pair);
  return detail.ok() ? std::optional(*std::move(detail)) : std::nullopt;
}

}  // namespace

absl::Status CheckFactorDocuments(keyring::Keyring& keyring, const DocumentVisitor& visitor,
                                  DocumentCounts& counts) {
  const keyring::Roster& roster = keyring.roster();
  RETURN_IF_ERROR(
      keyring.store().EachSecondFactor([&](MemberId member, int kind, ByteView) -> absl::Status {
        RETURN_IF_ERROR(visitor.step());
        ++counts.factors;
        const bool known =
            std::any_of(std::begin(keyring::kFactorKinds), std::end(keyring::kFactorKinds),
                        [&](FactorKind one) { return static_cast<int>(one) == kind; });
        if (roster.FindMember(member) == nullptr || !known) {
          visitor.fault(absl::StrCat("there is a second factor's document of kind ", kind,
                                     " of member ", Number(member), ", and no such ",
                                     known ? "member" : "kind"));
        }
        return absl::OkStatus();
      }));
  // Whose factors the log knows of: to look for each member's would read it as often.
  std::set<std::int64_t> in_log;
  RETURN_IF_ERROR(
      audit::EachBack(keyring.store(), [&](const audit::Record& row) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(visitor.step());
        if (audit::IsAboutMember(row.token) && absl::StartsWith(row.act, keyring::kFactorActs))
          in_log.insert(row.token);
        return true;
      }));
  for (const Member& member : roster.members) {
    const bool told = in_log.count(audit::TokenOfMember(member.id)) > 0;
    RETURN_IF_ERROR(Note(visitor, absl::StrCat("second factor of member ", Number(member.id)),
                         CheckFactorsOf(keyring, member, told)));
  }
  return absl::OkStatus();
}

absl::Status CheckExportDocuments(keyring::Keyring& keyring, const DocumentVisitor& visitor,
                                  DocumentCounts& counts) {
  store::Store& store = keyring.store();
  std::set<ExportId> ids;
  Told requests, exports;
  // Approvals as the log's details name them.
  std::set<std::pair<MemberId, std::string>> approvals;
  const auto detail_of = [](const ExportId& id) {
    return keyring::DetailOf({{"export_id", FormatExportId(id)}});
  };

  RETURN_IF_ERROR(
      store.EachExportRequest([&](const ExportId& id, ByteView document) -> absl::Status {
        RETURN_IF_ERROR(visitor.step());
        ++counts.requests;
        ids.insert(id);
        const std::string place = absl::StrCat("export request ", FormatExportId(id));
        const auto request = ParseExportRequest(keyring, id, document);
        if (!request.ok()) return Note(visitor, place, request.status());
        requests.emplace(request->audit_sequence, request->member);
        return Note(visitor, place, ExportApprovals(keyring, *request).status());
      }));
  RETURN_IF_ERROR(
      store.EachExportApproval([&](const ExportId& id, MemberId member) -> absl::Status {
        RETURN_IF_ERROR(visitor.step());
        ++counts.approvals;
        approvals.emplace(member, detail_of(id));
        if (ids.count(id) == 0) {
          visitor.fault(absl::StrCat("member ", Number(member), "'s approval of export ",
                                     FormatExportId(id), " is of no request"));
        }
        return absl::OkStatus();
      }));
  const absl::Status records =
      EachExportBack(keyring, [&](const ExportRecord& record) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(visitor.step());
        ++counts.exports;
        exports.emplace(record.audit_sequence, record.member);
        ASSIGN_OR_RETURN(const auto receipt, store.GetReceipt(record.id));
        const Member* signer = keyring.history().SignerAt(record.member, record.roster_version);
        if (!receipt) {
          visitor.fault(absl::StrCat("the receipt of export ", record.number, " is missing"));
          return true;
        }
        const auto said = audit::Receipt::Verify(*receipt, signer->verify);
        // Of the same member there may be others, which are as genuine.
        if (!said.ok() || said->id != record.id) {
          visitor.fault(absl::StrCat("the receipt of export ", record.number,
                                     said.ok() ? " is another's" : " was altered"));
        }
        return true;
      });
  // Its message names the export.
  if (absl::IsDataLoss(records)) {
    visitor.fault(absl::string_view(records.message()));
  } else {
    RETURN_IF_ERROR(records);
  }

  const bool reads_details = keyring.Holds(kRootBook, ClassId::kAudit);
  RETURN_IF_ERROR(audit::EachBack(store, [&](const audit::Record& row) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(visitor.step());
    if (row.outcome != "done") return true;
    const auto place = std::pair(row.sequence, row.member);
    if (row.act == kExportRequestAct && requests.erase(place) == 0) {
      visitor.fault(absl::StrCat("the export request of log entry ", row.sequence, " is missing"));
    } else if (row.act == kExportAct && exports.erase(place) == 0 && records.ok()) {
      visitor.fault(
          absl::StrCat("the record of the export of log entry ", row.sequence, " is missing"));
    } else if (row.act == kExportApproveAct && reads_details) {
      const auto detail = DetailOf(keyring, row);
      if (detail && approvals.count({row.member, *detail}) == 0) {
        visitor.fault(
            absl::StrCat("the approval of an export of log entry ", row.sequence, " is missing"));
      }
    }
    return true;
  }));
  for (const auto& [sequence, member] : requests) {
    visitor.fault(absl::StrCat("an export request names log entry ", sequence,
                               ", which does not tell of it"));
  }
  for (const auto& [sequence, member] : exports) {
    visitor.fault(absl::StrCat("the record of an export names log entry ", sequence,
                               ", which does not tell of it"));
  }
  return absl::OkStatus();
}

}  // namespace sealbook::records::internal
