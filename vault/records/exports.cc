#include "vault/records/exports.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/random.h"
#include "vault/keyring/signed_document.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kSpecLabel = "sealbook/export-spec/1";
constexpr absl::string_view kRequestLabel = "sealbook/export-request/1";
constexpr absl::string_view kApprovalLabel = "sealbook/export-approval/1";
constexpr absl::string_view kRecordLabel = "sealbook/export/1";
constexpr std::size_t kMaxFields = 10'000, kMinPrefix = 8;
// A request that a clock ahead of ours dated counts all the same, within this.
constexpr std::int64_t kClockSlackMs = 2 * 60 * 1000;

absl::Status Damaged(absl::string_view what) {
  return WithHint(absl::DataLossError(absl::StrCat(what, " was altered or does not count")),
                  "Somebody changed the vault's files. 'sealbook doctor' says what else.");
}

// The pair that opens what requests ask for.
absl::StatusOr<const crypto::ExchangePair*> AuditPair(keyring::Keyring& keyring,
                                                      std::optional<std::uint32_t> epoch) {
  auto pair = epoch ? keyring.CompartmentPair(kRootBook, ClassId::kAudit, *epoch)
                    : keyring.CompartmentPair(kRootBook, ClassId::kAudit);
  if (!absl::IsPermissionDenied(pair.status())) return pair;
  return WithHint(
      absl::PermissionDeniedError("requests for exports are for readers of the audit log, and your "
                                  "role is none"),
      "Where exports need approvals, those who ask and those who approve need the right 'audit', "
      "too: 'sealbook policy show' says who has it.");
}

}  // namespace

ExportId NewExportId() {
  ExportId id;
  crypto::FillRandom(id);
  return id;
}

std::string FormatExportId(const ExportId& id) { return crypto::ToHex(id); }

absl::Status CheckExportIdPrefix(absl::string_view text) {
  if (text.size() >= kMinPrefix && text.size() <= 2 * sizeof(ExportId) &&
      std::all_of(text.begin(), text.end(), absl::ascii_isxdigit)) {
    return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError("an export's id is 32 hexadecimal digits, of which "
                                             "the first 8 or more are enough"),
                  "'sealbook export list' shows them.");
}

crypto::Bytes ExportSpec::Encode() const {
  crypto::ByteWriter out;
  out.Text(kSpecLabel).U32(static_cast<std::uint32_t>(book)).Text(format).Text(reason);
  out.U32(static_cast<std::uint32_t>(fields.size()));
  for (const std::string& field : fields) out.Text(field);
  out.U32(static_cast<std::uint32_t>(recipients.size()));
  for (const crypto::ExchangePublic& recipient : recipients) out.Raw(recipient.bytes);
  return out.Take();
}

absl::StatusOr<ExportSpec> ExportSpec::Decode(ByteView bytes) {
  crypto::ByteReader in(bytes);
  ExportSpec spec;
  const bool right = in.Text() == kSpecLabel;
  spec.book = BookId{in.U32()};
  spec.format = in.Text();
  spec.reason = in.Text();
  const std::uint32_t fields = in.Count(4);
  if (fields > kMaxFields) return Damaged("what a request asks for");
  for (std::uint32_t i = 0; i < fields; ++i) spec.fields.push_back(in.Text());
  const std::uint32_t recipients = in.Count(32);
  for (std::uint32_t i = 0; i < recipients; ++i)
    spec.recipients.push_back(crypto::ExchangePublic{.bytes = in.Array<32>()});
  if (!in.Finish("a spec").ok() || !right) return Damaged("what a request asks for");
  return spec;
}

absl::StatusOr<ExportRequest> InsertExportRequest(keyring::Keyring& keyring, const ExportId& id,
                                                  const ExportSpec& spec, absl::Time now,
                                                  absl::Duration lasts) {
  const keyring::Roster& roster = keyring.roster();
  // Whoever seals could seal blindly; but then the request could not be used by its maker.
  RETURN_IF_ERROR(AuditPair(keyring, std::nullopt).status());
  const keyring::Compartment* audit = roster.FindCompartment(kRootBook, ClassId::kAudit);
  ExportRequest request{.id = id,
                        .member = keyring.bundle().member,
                        .roster_version = roster.version,
                        .time_ms = absl::ToUnixMillis(now),
                        .expires_ms = absl::ToUnixMillis(now + lasts),
                        .audit_sequence = 0,
                        .hash = {},
                        .sealed_spec = {}};
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
  request.audit_sequence = head.sequence;
  crypto::ByteWriter plaintext;
  plaintext.Text(kSpecLabel).Raw(roster.vault).Raw(request.id).Variable(spec.Encode());
  request.sealed_spec = crypto::SealToPublic(audit->public_key, plaintext.bytes());
  crypto::ByteWriter out;
  out.Text(kRequestLabel).Raw(roster.vault).Raw(request.id);
  out.U32(static_cast<std::uint32_t>(request.member)).U64(request.roster_version);
  out.I64(request.time_ms).I64(request.expires_ms).I64(request.audit_sequence);
  out.Variable(request.sealed_spec);
  crypto::Bytes document = out.Take();
  request.hash = crypto::HashOf(kRequestLabel, {document});
  keyring::SignDocument(keyring.bundle().signing, kRequestLabel, document);
  RETURN_IF_ERROR(keyring.store().InsertExportRequest(request.id, document));
  return request;
}

absl::StatusOr<ExportRequest> ParseExportRequest(keyring::Keyring& keyring, const ExportId& place,
                                                 ByteView document) {
  const absl::Status damaged = Damaged("a request for an export");
  const auto parts = keyring::SplitDocument(document);
  if (!parts) return damaged;
  crypto::ByteReader in(parts->body);
  ExportRequest request;
  const bool right = in.Text() == kRequestLabel;
  const bool here = in.Array<16>() == keyring.roster().vault;
  request.id = in.Array<16>();
  request.member = MemberId{in.U32()};
  request.roster_version = in.U64();
  request.time_ms = in.I64();
  request.expires_ms = in.I64();
  request.audit_sequence = in.I64();
  const ByteView sealed = in.Variable();
  request.sealed_spec.assign(sealed.begin(), sealed.end());
  if (!in.Finish("a request").ok() || !right || !here || request.id != place) return damaged;
  const keyring::Member* signer =
      keyring.history().SignerAt(request.member, request.roster_version);
  if (signer == nullptr ||
      !crypto::Verify(signer->verify, kRequestLabel, parts->body, parts->signature)) {
    return damaged;
  }
  request.hash = crypto::HashOf(kRequestLabel, {parts->body});
  return request;
}

absl::StatusOr<ExportRequest> FindExportRequest(keyring::Keyring& keyring,
                                                absl::string_view id_prefix) {
  RETURN_IF_ERROR(CheckExportIdPrefix(id_prefix));
  const std::string wanted = absl::AsciiStrToLower(id_prefix);
  std::vector<std::pair<ExportId, crypto::Bytes>> found;
  RETURN_IF_ERROR(keyring.store().EachExportRequest([&](const ExportId& id, ByteView document) {
    if (absl::StartsWith(FormatExportId(id), wanted))
      found.emplace_back(id, crypto::Bytes(document.begin(), document.end()));
    return absl::OkStatus();
  }));
  if (found.empty()) {
    return WithHint(absl::NotFoundError("there is no such request for an export"),
                    "'sealbook export list' shows those that there are.");
  }
  if (found.size() > 1) {
    return WithHint(absl::InvalidArgumentError("several requests begin with these digits"),
                    "Give more of them; 'sealbook export list' shows them.");
  }
  return ParseExportRequest(keyring, found[0].first, found[0].second);
}

absl::StatusOr<std::vector<ExportRequest>> ExportRequests(keyring::Keyring& keyring) {
  std::vector<ExportRequest> requests;
  RETURN_IF_ERROR(
      keyring.store().EachExportRequest([&](const ExportId& id, ByteView document) -> absl::Status {
        ASSIGN_OR_RETURN(ExportRequest request, ParseExportRequest(keyring, id, document));
        requests.push_back(std::move(request));
        return absl::OkStatus();
      }));
  std::stable_sort(
      requests.begin(), requests.end(),
      [](const ExportRequest& a, const ExportRequest& b) { return a.time_ms > b.time_ms; });
  return requests;
}

absl::StatusOr<ExportSpec> OpenExportSpec(keyring::Keyring& keyring, const ExportRequest& request) {
  const keyring::Roster* roster = keyring.history().Version(request.roster_version);
  const keyring::Compartment* compartment =
      roster == nullptr ? nullptr : roster->FindCompartment(kRootBook, ClassId::kAudit);
  if (compartment == nullptr) return Damaged("a request for an export");
  ASSIGN_OR_RETURN(const crypto::ExchangePair* pair, AuditPair(keyring, compartment->epoch));
  const auto plaintext = crypto::OpenSealedToPublic(*pair, request.sealed_spec);
  if (!plaintext.ok()) return Damaged("a request for an export");
  crypto::ByteReader in(plaintext->ExposeBytes());
  const bool right = in.Text() == kSpecLabel;
  const bool here = in.Array<16>() == keyring.roster().vault && in.Array<16>() == request.id;
  const ByteView spec = in.Variable();
  if (!in.Finish("a spec").ok() || !right || !here) return Damaged("a request for an export");
  return ExportSpec::Decode(spec);
}

absl::Status PutExportApproval(keyring::Keyring& keyring, const ExportRequest& request,
                               absl::Time now) {
  crypto::ByteWriter out;
  out.Text(kApprovalLabel).Raw(keyring.roster().vault).Raw(request.hash);
  out.U32(static_cast<std::uint32_t>(keyring.bundle().member)).U64(keyring.roster().version);
  out.I64(absl::ToUnixMillis(now));
  crypto::Bytes document = out.Take();
  keyring::SignDocument(keyring.bundle().signing, kApprovalLabel, document);
  return keyring.store().PutExportApproval(request.id, keyring.bundle().member, document);
}

absl::StatusOr<std::vector<MemberId>> ExportApprovals(keyring::Keyring& keyring,
                                                      const ExportRequest& request) {
  std::vector<MemberId> approvers;
  RETURN_IF_ERROR(keyring.store().EachExportApproval(
      request.id, [&](MemberId place, ByteView document) -> absl::Status {
        const absl::Status damaged = Damaged("an export's approval");
        const auto parts = keyring::SplitDocument(document);
        if (!parts) return damaged;
        crypto::ByteReader in(parts->body);
        const bool right = in.Text() == kApprovalLabel;
        const bool here = in.Array<16>() == keyring.roster().vault;
        const bool of_this = in.Array<32>() == request.hash;
        const MemberId member{in.U32()};
        const std::uint64_t version = in.U64();
        const auto time_ms = in.I64();
        if (!in.Finish("an approval").ok() || !right || !here || !of_this || member != place) {
          return damaged;
        }
        const keyring::Member* signer = keyring.history().SignerAt(member, version);
        if (signer == nullptr ||
            !crypto::Verify(signer->verify, kApprovalLabel, parts->body, parts->signature)) {
          return damaged;
        }
        // Whoever got other keys since, or is gone, has to say it again.
        const keyring::Member* now = keyring.roster().FindMember(member);
        if (now == nullptr || !now->active || now->verify != signer->verify) {
          return absl::OkStatus();
        }
        if (time_ms < request.time_ms - kClockSlackMs || time_ms > request.expires_ms) {
          return absl::OkStatus();
        }
        approvers.push_back(member);
        return absl::OkStatus();
      }));
  return approvers;
}

absl::Status InsertExportRecord(keyring::Keyring& keyring, ExportRecord& record, absl::Time now) {
  ASSIGN_OR_RETURN(const auto last, keyring.store().LastExport());
  record.number = last.first + 1;
  record.member = keyring.bundle().member;
  record.roster_version = keyring.roster().version;
  record.time_ms = absl::ToUnixMillis(now);
  crypto::ByteWriter out;
  out.Text(kRecordLabel).Raw(keyring.roster().vault).I64(record.number).Raw(record.id);
  out.U32(static_cast<std::uint32_t>(record.member)).U64(record.roster_version);
  out.I64(record.time_ms).U8(record.request ? 1 : 0).Raw(record.request.value_or(ExportId{}));
  out.I64(record.rows).I64(record.bytes).Raw(record.sha256);
  out.I64(record.audit_sequence).Variable(record.header);
  crypto::Bytes document = out.Take();
  keyring::SignDocument(keyring.bundle().signing, kRecordLabel, document);
  return keyring.store().InsertExport(record.number, document);
}

absl::Status EachExportBack(keyring::Keyring& keyring,
                            const std::function<absl::StatusOr<bool>(const ExportRecord&)>& visit) {
  std::int64_t expected = 0;  // of the next; 0: the newest
  bool more = true;
  RETURN_IF_ERROR(keyring.store().EachExportBack(
      [&](std::int64_t number, ByteView document) -> absl::StatusOr<bool> {
        if (expected != 0 && number != expected)
          return Damaged(absl::StrCat("the record of export ", expected));
        const absl::Status damaged = Damaged(absl::StrCat("the record of export ", number));
        const auto parts = keyring::SplitDocument(document);
        if (!parts) return damaged;
        crypto::ByteReader in(parts->body);
        ExportRecord record;
        const bool right = in.Text() == kRecordLabel;
        const bool here = in.Array<16>() == keyring.roster().vault;
        record.number = in.I64();
        record.id = in.Array<16>();
        record.member = MemberId{in.U32()};
        record.roster_version = in.U64();
        record.time_ms = in.I64();
        const bool requested = in.U8() != 0;
        const ExportId request = in.Array<16>();
        if (requested) record.request = request;
        record.rows = in.I64();
        record.bytes = in.I64();
        record.sha256 = in.Array<32>();
        record.audit_sequence = in.I64();
        const ByteView header = in.Variable();
        record.header.assign(header.begin(), header.end());
        if (!in.Finish("an export").ok() || !right || !here || record.number != number) {
          return damaged;
        }
        const keyring::Member* signer =
            keyring.history().SignerAt(record.member, record.roster_version);
        if (signer == nullptr ||
            !crypto::Verify(signer->verify, kRecordLabel, parts->body, parts->signature)) {
          return damaged;
        }
        expected = number - 1;
        ASSIGN_OR_RETURN(more, visit(record));
        return more;
      }));
  if (more && expected > 0) return Damaged(absl::StrCat("the record of export ", expected));
  return absl::OkStatus();
}

absl::Status CheckNoExportIsMissing(keyring::Keyring& keyring, std::int64_t from_sequence) {
  std::int64_t newest = 0;
  RETURN_IF_ERROR(EachExportBack(keyring, [&](const ExportRecord& record) -> absl::StatusOr<bool> {
    newest = record.audit_sequence;
    return false;
  }));
  return audit::EachBack(keyring.store(), [&](const audit::Record& row) -> absl::StatusOr<bool> {
    if (row.sequence <= newest || row.sequence < from_sequence) return false;
    if (row.act == kExportAct && row.outcome == "done") {
      return Damaged(absl::StrCat("the record of the export of log entry ", row.sequence));
    }
    return true;
  });
}

}  // namespace sealbook::records
