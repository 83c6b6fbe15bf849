#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/export_arguments.h"
#include "cli/one_time_code.h"
#include "policies/export_control.h"
#include "vault/crypto/age_file.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr char kTimeFormat[] = "%Y-%m-%d %H:%M";

std::string TimeOf(std::int64_t time_ms) {
  return absl::FormatTime(kTimeFormat, absl::FromUnixMillis(time_ms), absl::UTCTimeZone()) + " UTC";
}
std::string Iso(std::int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

absl::string_view NameOf(policies::RequestState state) {
  switch (state) {
    case policies::RequestState::kWaiting:
      return "waiting";
    case policies::RequestState::kApproved:
      return "approved";
    case policies::RequestState::kRunOut:
      return "run out";
    case policies::RequestState::kMade:
      return "made";
  }
  return "";
}

std::string MemberName(const keyring::Roster& roster, MemberId id) {
  const keyring::Member* member = roster.FindMember(id);
  return member == nullptr ? "?" : member->name;
}

Json ToJson(const keyring::Roster& roster, const records::ExportRequest& request,
            const records::ExportSpec& spec) {
  Json recipients = Json::array();
  for (const crypto::ExchangePublic& recipient : spec.recipients)
    recipients.push_back(crypto::FormatAgeRecipient(recipient));
  const keyring::Book* book = roster.FindBook(spec.book);
  return {{"id", records::FormatExportId(request.id)},
          {"member", MemberName(roster, request.member)},
          {"asked", Iso(request.time_ms)},
          {"until", Iso(request.expires_ms)},
          {"book", book == nullptr ? Json(nullptr) : Json(book->name)},
          {"fields", spec.fields},
          {"format", spec.format},
          {"recipients", std::move(recipients)},
          {"reason", spec.reason}};
}

// What is agreed to, in full: whoever approves signs exactly this.
void PrintRequest(const keyring::Roster& roster, const records::ExportRequest& request,
                  const records::ExportSpec& spec) {
  const std::string recipients =
      absl::StrJoin(spec.recipients, "\n              ",
                    [](std::string* out, const crypto::ExchangePublic& recipient) {
                      absl::StrAppend(out, crypto::FormatAgeRecipient(recipient));
                    });
  PrintLine(absl::StrCat("  id          ", records::FormatExportId(request.id)));
  PrintLine(absl::StrCat("  asked by    ", Printable(MemberName(roster, request.member)), ", ",
                         TimeOf(request.time_ms)));
  PrintLine(absl::StrCat("  until       ", TimeOf(request.expires_ms)));
  PrintLine(absl::StrCat("  what        ", WhatIsExported(roster, spec), ", as ", spec.format));
  PrintLine(absl::StrCat("  fields      ", spec.fields.empty()
                                               ? "all that the exporter reads"
                                               : Printable(absl::StrJoin(spec.fields, ", "))));
  PrintLine(
      absl::StrCat("  recipients  ", spec.recipients.empty() ? "NONE: IN THE CLEAR" : recipients));
  PrintLine(absl::StrCat("  reason      ", Printable(spec.reason)));
}

absl::Status RunRequest(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  context.RecordEveryFailure();
  RETURN_IF_ERROR(context.Require(policies::Action::kExport));
  ASSIGN_OR_RETURN(const ExportArguments wanted, ParseExport(context, arguments));
  ASSIGN_OR_RETURN(
      const records::ExportRequest request,
      policies::RequestExport(context.keyring(), context.policy(), wanted.spec, absl::Now()));
  const int needed = context.policy().exports().approvals;
  if (context.globals().json) {
    Json json = ToJson(context.keyring().roster(), request, wanted.spec);
    json["approvals_needed"] = needed;
    PrintJson(json);
    return absl::OkStatus();
  }
  PrintRequest(context.keyring().roster(), request, wanted.spec);
  if (needed == 0) {
    PrintLine("The policy asks for no approval: 'sealbook export' needs your own code only.");
  } else {
    PrintLine(absl::StrCat("It needs ", needed, needed == 1 ? " approval" : " approvals",
                           ": 'sealbook export approve ",
                           records::FormatExportId(request.id).substr(0, 8),
                           " --otp CODE' by others with the right to\nexport. Then run 'sealbook "
                           "export' with the very "
                           "same flags, -o F and your own code."));
  }
  return absl::OkStatus();
}

absl::Status RunApprove(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  context.RecordEveryFailure();
  RETURN_IF_ERROR(context.Require(policies::Action::kExport));
  keyring::Keyring& keyring = context.keyring();
  ASSIGN_OR_RETURN(const records::ExportRequest request,
                   records::FindExportRequest(keyring, arguments.positional()[0]));
  ASSIGN_OR_RETURN(const records::ExportSpec spec, records::OpenExportSpec(keyring, request));
  if (!context.globals().json) PrintRequest(keyring.roster(), request, spec);
  ASSIGN_OR_RETURN(const crypto::SecretBytes code, ReadOneTimeCode(arguments));
  RETURN_IF_ERROR(
      policies::ApproveExport(keyring, context.policy(), request, code.ExposeText(), absl::Now()));
  ASSIGN_OR_RETURN(const policies::RequestStanding standing,
                   policies::StandingOf(keyring, context.policy(), request, absl::Now()));
  if (context.globals().json) {
    Json json = ToJson(keyring.roster(), request, spec);
    json["approvals"] = standing.approvers.size();
    json["approvals_needed"] = standing.needed;
    json["state"] = NameOf(standing.state);
    PrintJson(json);
    return absl::OkStatus();
  }
  PrintLine(absl::StrCat("You approved it: ", standing.approvers.size(), " of ", standing.needed,
                         " approvals."));
  return absl::OkStatus();
}

absl::Status RunList(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kExport));
  keyring::Keyring& keyring = context.keyring();
  const keyring::Roster& roster = keyring.roster();
  // A list of what left the vault must not leave one out.
  RETURN_IF_ERROR(records::CheckNoExportIsMissing(keyring, 0));
  ASSIGN_OR_RETURN(const auto requests, records::ExportRequests(keyring));
  Json asked = Json::array(), made = Json::array();
  std::vector<std::vector<std::string>> asked_rows, made_rows;
  for (const records::ExportRequest& request : requests) {
    ASSIGN_OR_RETURN(const policies::RequestStanding standing,
                     policies::StandingOf(keyring, context.policy(), request, absl::Now()));
    ASSIGN_OR_RETURN(const records::ExportSpec spec, records::OpenExportSpec(keyring, request));
    Json json = ToJson(roster, request, spec);
    json["state"] = NameOf(standing.state);
    json["approvals_needed"] = standing.needed;
    Json approvers = Json::array();
    for (const MemberId approver : standing.approvers)
      approvers.push_back(MemberName(roster, approver));
    json["approved_by"] = std::move(approvers);
    asked.push_back(std::move(json));
    asked_rows.push_back({records::FormatExportId(request.id).substr(0, 8),
                          Printable(MemberName(roster, request.member)), TimeOf(request.time_ms),
                          std::string(NameOf(standing.state)),
                          absl::StrCat(standing.approvers.size(), " of ", standing.needed),
                          Printable(spec.reason)});
  }
  RETURN_IF_ERROR(records::EachExportBack(
      keyring, [&](const records::ExportRecord& record) -> absl::StatusOr<bool> {
        made.push_back({{"export_id", records::FormatExportId(record.id)},
                        {"member", MemberName(roster, record.member)},
                        {"time", Iso(record.time_ms)},
                        {"rows", record.rows},
                        {"bytes", record.bytes},
                        {"sha256", crypto::ToHex(record.sha256)},
                        {"request", record.request ? Json(records::FormatExportId(*record.request))
                                                   : Json(nullptr)}});
        made_rows.push_back({records::FormatExportId(record.id).substr(0, 8),
                             Printable(MemberName(roster, record.member)), TimeOf(record.time_ms),
                             absl::StrCat(record.rows),
                             crypto::ToHex(record.sha256).substr(0, 16) + "…"});
        return true;
      }));
  if (context.globals().json) {
    PrintJson({{"requests", std::move(asked)}, {"exports", std::move(made)}});
    return absl::OkStatus();
  }
  if (asked_rows.empty() && made_rows.empty()) PrintLine("No export was asked for, and none made.");
  if (!asked_rows.empty()) {
    PrintLine("Asked for");
    PrintTable({"ID", "BY", "ASKED", "STATE", "APPROVALS", "REASON"}, asked_rows);
  }
  if (!made_rows.empty()) {
    if (!asked_rows.empty()) PrintLine("");
    PrintLine("Made");
    PrintTable({"EXPORT", "BY", "TIME", "CUSTOMERS", "SHA-256"}, made_rows);
  }
  return absl::OkStatus();
}

}  // namespace

Command ExportRequestCommand() {
  return {.name = "export request",
          .arguments =
              "--reason TEXT [--book BOOK] [--fields A,B] [--format FORMAT] "
              "(--recipient age1…… | --plaintext)",
          .summary = "asks others to approve exactly this export",
          .options = ExportOptions(),
          .run = &RunRequest};
}

Command ExportApproveCommand() {
  return {.name = "export approve",
          .arguments = "ID --otp CODE",
          .summary = "approves one export that another member asked for",
          .options = {OtpOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunApprove};
}

Command ExportListCommand() {
  return {.name = "export list",
          .arguments = "",
          .summary = "exports that were asked for, and those that were made",
          .run = &RunList};
}

}  // namespace sealbook::cli
