#include "policies/export_control.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policies/decision.h"
#include "vault/audit/receipt.h"
#include "vault/crypto/age_file.h"
#include "vault/records/bulk_reader.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

constexpr absl::string_view kUid = "uid", kBooks = "books";
constexpr std::size_t kMaxReasonBytes = 1000;

std::string RecipientsOf(const records::ExportSpec& spec) {
  if (spec.recipients.empty()) return "none";
  return absl::StrJoin(spec.recipients, ", ",
                       [](std::string* out, const crypto::ExchangePublic& recipient) {
                         absl::StrAppend(out, crypto::FormatAgeRecipient(recipient));
                       });
}

std::string BookName(const keyring::Roster& roster, BookId book) {
  const keyring::Book* found = roster.FindBook(book);
  return found == nullptr ? "" : found->name;
}

std::string DetailOfSpec(const keyring::Roster& roster, const records::ExportId& id,
                         const records::ExportSpec& spec) {
  return keyring::DetailOf(
      {{"export_id", records::FormatExportId(id)},
       {"book", BookName(roster, spec.book)},
       {"format", spec.format},
       {"fields", spec.fields.empty() ? "all" : absl::StrJoin(spec.fields, ", ")},
       {"recipients", RecipientsOf(spec)},
       {"reason", spec.reason}});
}

absl::Status CheckRecipients(const Policy& policy, const records::ExportSpec& spec) {
  const ExportRule& rule = policy.exports();
  if (spec.recipients.empty()) {
    if (rule.plaintext) return absl::OkStatus();
    return WithHint(
        absl::PermissionDeniedError("the policy allows no export in the clear"),
        "Name who may open the file with --recipient age1…; 'plaintext' in the policy's section "
        "[export] would allow it.");
  }
  if (spec.recipients.size() > ExportRule::kMaxRecipients) {
    return absl::FailedPreconditionError(
        absl::StrCat("an export has at most ", ExportRule::kMaxRecipients, " recipients"));
  }
  if (rule.other_recipients) return absl::OkStatus();
  for (const crypto::ExchangePublic& recipient : spec.recipients) {
    if (std::find(rule.recipients.begin(), rule.recipients.end(),
                  crypto::FormatAgeRecipient(recipient)) == rule.recipients.end()) {
      return WithHint(absl::PermissionDeniedError(
                          "a recipient is not one of those that the policy names for exports"),
                      "Leave --recipient out; 'recipients' in the policy's section [export] says "
                      "who may read exports.");
    }
  }
  return absl::OkStatus();
}

// All that does not depend on codes and approvals.
absl::StatusOr<std::vector<ClassId>> CheckSpec(keyring::Keyring& keyring, const Policy& policy,
                                               const records::ExportSpec& spec) {
  const std::string& role = keyring.self().role;
  RETURN_IF_ERROR(Require(policy, role, Action::kExport));
  if (absl::StripAsciiWhitespace(spec.reason).empty()) {
    return WithHint(absl::FailedPreconditionError("an export needs a reason"),
                    "Say why with --reason TEXT; it goes into the log.");
  }
  if (spec.reason.size() > kMaxReasonBytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("a reason has at most ", kMaxReasonBytes, " bytes"));
  }
  RETURN_IF_ERROR(CheckRecipients(policy, spec));
  if (spec.book != kRootBook && keyring.roster().FindBook(spec.book) == nullptr) {
    return absl::NotFoundError("there is no such book");
  }
  return ClassesToExport(policy, role, spec.fields);
}

absl::Status CheckLimit(const Policy& policy, std::int64_t rows) {
  const std::int64_t most = policy.exports().max_rows;
  if (most == 0 || rows <= most) return absl::OkStatus();
  return WithHint(absl::PermissionDeniedError(absl::StrCat(
                      "there are ", rows, " customers, and the policy allows exports of ", most)),
                  "Export a book at a time; 'max_rows' in the policy's section [export] is the "
                  "limit.");
}

absl::Status CheckRows(keyring::Keyring& keyring, const Policy& policy, BookId book) {
  if (policy.exports().max_rows == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::int64_t rows, book == kRootBook
                                                ? keyring.store().CountContacts()
                                                : keyring.store().CountBookContacts(book));
  return CheckLimit(policy, rows);
}

absl::Status CheckCooldown(keyring::Keyring& keyring, const Policy& policy, absl::Time now) {
  const absl::Duration cooldown = policy.exports().cooldown;
  if (cooldown == absl::ZeroDuration()) return absl::OkStatus();
  RETURN_IF_ERROR(records::CheckNoExportIsMissing(keyring, 0));
  absl::Time free = absl::InfinitePast();
  RETURN_IF_ERROR(records::EachExportBack(
      keyring, [&](const records::ExportRecord& record) -> absl::StatusOr<bool> {
        if (record.member != keyring.bundle().member) return true;
        free = absl::FromUnixMillis(record.time_ms) + cooldown;
        return false;
      }));
  // An export dated after now counts: a clock set back gives nothing.
  if (now >= free) return absl::OkStatus();
  return WithHint(
      absl::PermissionDeniedError(absl::StrCat(
          "you exported within the last ", absl::ToInt64Minutes(cooldown),
          " minutes; the next export is free at ",
          absl::FormatTime("%Y-%m-%d %H:%M UTC", free + absl::Minutes(1), absl::UTCTimeZone()))),
      "'cooldown_minutes' in the policy's section [export] is the time between two.");
}

absl::StatusOr<bool> WasMade(keyring::Keyring& keyring, const records::ExportRequest& request) {
  RETURN_IF_ERROR(records::CheckNoExportIsMissing(keyring, request.audit_sequence));
  bool made = false;
  RETURN_IF_ERROR(records::EachExportBack(
      keyring, [&](const records::ExportRecord& record) -> absl::StatusOr<bool> {
        made = record.request == request.id;
        return !made && record.audit_sequence > request.audit_sequence;
      }));
  return made;
}

// This member's request for exactly this export, approved by as many as the policy asks for;
// nullopt where it asks for nobody.
absl::StatusOr<std::optional<records::ExportId>> FindApproved(keyring::Keyring& keyring,
                                                              const Policy& policy,
                                                              const records::ExportSpec& spec,
                                                              absl::Time now) {
  const int needed = policy.exports().approvals;
  if (needed == 0) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<records::ExportRequest> requests,
                   records::ExportRequests(keyring));
  std::optional<RequestStanding> best;
  for (const records::ExportRequest& request : requests) {
    if (request.member != keyring.bundle().member) continue;
    ASSIGN_OR_RETURN(RequestStanding standing, StandingOf(keyring, policy, request, now));
    if (standing.state == RequestState::kMade || standing.state == RequestState::kRunOut) continue;
    ASSIGN_OR_RETURN(const records::ExportSpec asked, records::OpenExportSpec(keyring, request));
    if (asked != spec) continue;
    if (standing.state == RequestState::kApproved) return request.id;
    if (!best || standing.approvers.size() > best->approvers.size()) best = std::move(standing);
  }
  if (best) {
    return WithHint(absl::PermissionDeniedError(absl::StrCat(
                        "this export has ", best->approvers.size(), " of ", needed, " approvals")),
                    "Another one with the right to export runs 'sealbook export approve ID --otp "
                    "CODE'; 'sealbook export list' shows the id.");
  }
  return WithHint(
      absl::PermissionDeniedError(absl::StrCat("this export needs ", needed, " approval",
                                               needed == 1 ? "" : "s", ", and was not asked for")),
      "Ask with 'sealbook export request' and the very same flags (book, fields, format, "
      "recipients, "
      "reason).");
}

}  // namespace

absl::StatusOr<std::vector<ClassId>> ClassesToExport(const Policy& policy,
                                                     absl::string_view role_name,
                                                     const std::vector<std::string>& fields) {
  const RoleRule* role = policy.FindRole(role_name);
  if (role == nullptr) return absl::PermissionDeniedError("the policy has no such role");
  std::vector<ClassId> classes;
  if (fields.empty()) {
    classes = role->clear;
    std::erase(classes, ClassId::kChat);
  }
  for (const std::string& field : fields) {
    if (field == kUid || field == kBooks) continue;
    const Decision decision = Decide(policy, role_name, Action::kRead, field);
    if (!decision.allowed || decision.view != View::kClear) {
      // As Require says it, which would be content with a masked view.
      const ClassRule& rule = policy.ClassOfField(field);
      return WithHint(absl::PermissionDeniedError(absl::StrCat(
                          "role ", role_name, " does not read class ", rule.name, " in the clear")),
                      "Leave its fields out of --fields; 'sealbook policy show' says what each "
                      "role may do.");
    }
    classes.push_back(policy.ClassOfField(field).id);
  }
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

absl::StatusOr<RequestStanding> StandingOf(keyring::Keyring& keyring, const Policy& policy,
                                           const records::ExportRequest& request, absl::Time now) {
  RequestStanding standing{
      .state = RequestState::kWaiting, .approvers = {}, .needed = policy.exports().approvals};
  ASSIGN_OR_RETURN(const std::vector<MemberId> signers, records::ExportApprovals(keyring, request));
  for (const MemberId signer : signers) {
    const keyring::Member* member = keyring.roster().FindMember(signer);
    if (signer == request.member || member == nullptr ||
        !Decide(policy, member->role, Action::kExport).allowed) {
      continue;
    }
    standing.approvers.push_back(signer);
  }
  ASSIGN_OR_RETURN(const bool made, WasMade(keyring, request));
  if (made) {
    standing.state = RequestState::kMade;
  } else if (absl::ToUnixMillis(now) > request.expires_ms) {
    standing.state = RequestState::kRunOut;
  } else if (static_cast<int>(standing.approvers.size()) >= standing.needed) {
    standing.state = RequestState::kApproved;
  }
  return standing;
}

absl::StatusOr<records::ExportRequest> RequestExport(keyring::Keyring& keyring,
                                                     const Policy& policy,
                                                     const records::ExportSpec& spec,
                                                     absl::Time now) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(CheckSpec(keyring, policy, spec).status());
  RETURN_IF_ERROR(CheckRows(keyring, policy, spec.book));
  const records::ExportId id = records::NewExportId();
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(),
                                {.act = std::string(records::kExportRequestAct),
                                 .detail = DetailOfSpec(keyring.roster(), id, spec)}));
  ASSIGN_OR_RETURN(
      records::ExportRequest request,
      records::InsertExportRequest(keyring, id, spec, now, policy.exports().approval_lasts));
  RETURN_IF_ERROR(transaction.Commit());
  return request;
}

absl::Status ApproveExport(keyring::Keyring& keyring, const Policy& policy,
                           const records::ExportRequest& request, absl::string_view code,
                           absl::Time now) {
  const MemberId self = keyring.bundle().member;
  const auto check = [&]() -> absl::Status {
    RETURN_IF_ERROR(Require(policy, keyring.self().role, Action::kExport));
    if (request.member == self) {
      return WithHint(absl::PermissionDeniedError("nobody approves their own export"),
                      "Another one with the right to export has to.");
    }
    // Nobody signs what they cannot read.
    RETURN_IF_ERROR(records::OpenExportSpec(keyring, request).status());
    ASSIGN_OR_RETURN(const RequestStanding standing, StandingOf(keyring, policy, request, now));
    if (standing.state == RequestState::kMade) {
      return absl::FailedPreconditionError("this export was made already");
    }
    if (standing.state == RequestState::kRunOut) {
      return WithHint(absl::FailedPreconditionError("this request has run out"),
                      "Whoever wants the export asks for it once more.");
    }
    if (std::count(standing.approvers.begin(), standing.approvers.end(), self) > 0) {
      return absl::FailedPreconditionError("you approved this export already");
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(check());
  ASSIGN_OR_RETURN(const CheckedCode checked, CheckCode(keyring, policy, code, now));
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(check());
  RETURN_IF_ERROR(SpendCode(keyring, policy, checked, now));
  RETURN_IF_ERROR(audit::Append(
      keyring.store(), keyring.AuditAuthor(),
      {.act = std::string(records::kExportApproveAct),
       .detail = keyring::DetailOf({{"export_id", records::FormatExportId(request.id)}})}));
  RETURN_IF_ERROR(records::PutExportApproval(keyring, request, now));
  return transaction.Commit();
}

absl::StatusOr<std::unique_ptr<ExportControl>> ExportControl::Authorize(
    keyring::Keyring& keyring, const Policy& policy, const records::ExportSpec& spec,
    absl::string_view code, absl::Time now) {
  ASSIGN_OR_RETURN(std::vector<ClassId> classes, CheckSpec(keyring, policy, spec));
  RETURN_IF_ERROR(CheckRows(keyring, policy, spec.book));
  RETURN_IF_ERROR(CheckCooldown(keyring, policy, now));
  RETURN_IF_ERROR(FindApproved(keyring, policy, spec, now).status());
  // Last, so that no code is asked for in vain, and wrong ones are tried only by who may export.
  ASSIGN_OR_RETURN(CheckedCode checked, CheckCode(keyring, policy, code, now));
  auto control =
      std::unique_ptr<ExportControl>(new ExportControl(keyring, policy, spec, std::move(checked)));
  control->classes_ = std::move(classes);
  control->issued_ = now;
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(audit::Append(
      keyring.store(), keyring.AuditAuthor(),
      {.act = "export.begin", .detail = DetailOfSpec(keyring.roster(), control->id_, spec)}));
  RETURN_IF_ERROR(transaction.Commit());
  return control;
}

ExportPermit ExportControl::TakePermit() {
  if (taken_) std::abort();
  taken_ = true;
  const std::int64_t most = policy_.exports().max_rows;
  return ExportPermit(keyring_.bundle().member, spec_.book, classes_,
                      most == 0 ? std::numeric_limits<std::int64_t>::max() : most, issued_);
}

absl::StatusOr<std::string> ExportControl::Complete(const WrittenExport& written, absl::Time now) {
  if (!taken_ || completed_) std::abort();
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  // Under the newest roster, which BeginWrite has read, and its policy: an export takes its time.
  std::optional<Policy> newer;
  if (keyring_.roster().policy_hash != policy_hash_) {
    ASSIGN_OR_RETURN(newer, PolicyInForce(keyring_));
  }
  const Policy& policy = newer ? *newer : policy_;
  RETURN_IF_ERROR(CheckSpec(keyring_, policy, spec_).status());
  RETURN_IF_ERROR(CheckLimit(policy, written.rows));
  RETURN_IF_ERROR(CheckCooldown(keyring_, policy, now));
  ASSIGN_OR_RETURN(const std::optional<records::ExportId> request,
                   FindApproved(keyring_, policy, spec_, now));
  RETURN_IF_ERROR(SpendCode(keyring_, policy, code_, now));
  const std::string sha256 = crypto::ToHex(written.sha256);
  RETURN_IF_ERROR(
      audit::Append(keyring_.store(), keyring_.AuditAuthor(),
                    {.act = std::string(records::kExportAct),
                     .detail = keyring::DetailOf({{"export_id", records::FormatExportId(id_)},
                                                  {"rows", absl::StrCat(written.rows)},
                                                  {"sha256", sha256},
                                                  {"recipients", RecipientsOf(spec_)},
                                                  {"reason", spec_.reason}})}));
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring_.store()));
  records::ExportRecord record{.id = id_,
                               .request = request,
                               .rows = written.rows,
                               .bytes = written.bytes,
                               .sha256 = written.sha256,
                               .audit_sequence = head.sequence,
                               .header = written.header};
  RETURN_IF_ERROR(records::InsertExportRecord(keyring_, record, now));

  audit::Receipt receipt{
      .kind = "export",
      .id = id_,
      .vault = keyring_.roster().vault,
      .time = now,
      .member = keyring_.bundle().member,
      .key = keyring_.bundle().signing.verify_key(),
      .facts = {
          {"rows", absl::StrCat(written.rows)},
          {"bytes", absl::StrCat(written.bytes)},
          {"sha256", sha256},
          {"format", spec_.format},
          {"book",
           spec_.book == kRootBook ? "all" : absl::StrCat(static_cast<std::uint32_t>(spec_.book))},
          {"recipients", RecipientsOf(spec_)},
          {"log_entry", absl::StrCat(head.sequence)},
          {"log_hash", crypto::ToHex(head.hash)}}};
  if (request) {
    receipt.facts.emplace_back("request", records::FormatExportId(*request));
    ASSIGN_OR_RETURN(const records::ExportRequest asked,
                     records::FindExportRequest(keyring_, records::FormatExportId(*request)));
    ASSIGN_OR_RETURN(const RequestStanding standing, StandingOf(keyring_, policy, asked, now));
    for (const MemberId approver : standing.approvers) {
      receipt.facts.emplace_back(
          "approved_by", crypto::ToHex(keyring_.roster().FindMember(approver)->verify.bytes));
    }
  }
  std::string text = receipt.Sign(keyring_.bundle().signing);
  RETURN_IF_ERROR(keyring_.store().InsertReceipt(id_, text));
  RETURN_IF_ERROR(transaction.Commit());
  completed_ = true;
  return text;
}

}  // namespace sealbook::policies
