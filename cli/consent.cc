#include "vault/records/consent.h"

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/contacts.h"
#include "policies/policy.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

struct Listed {
  std::string purpose, state, time, source;
  Json evidence = Json::array();
};

Listed ToListed(const records::ShownField& field) {
  const auto consent = records::ParseConsent(field.value);
  if (!consent.ok()) {
    // Written as free text before there were consents: shown as it is, and taken for nothing.
    return {.purpose = "",
            .state = "unreadable",
            .time = "",
            .source = "",
            .evidence = Json::array({{{"name", field.name}, {"value", field.value}}})};
  }
  Listed out{.purpose = consent->purpose,
             .state = consent->given ? "given" : "not_given",
             .time = consent->time,
             .source = consent->source};
  if (consent->line > 0) absl::StrAppend(&out.source, " line ", consent->line);
  for (const records::ConsentEvidence& one : consent->evidence)
    out.evidence.push_back({{"name", one.name}, {"value", one.value}});
  return out;
}

absl::Status RunList(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRead, records::kConsentField));
  ASSIGN_OR_RETURN(const records::Contact contact,
                   ReadByToken(context, arguments.positional()[0], "consent.list"));
  std::vector<Listed> consents;
  for (const records::ShownField& field : contact.fields) {
    if (policies::BaseField(field.name) == records::kConsentField &&
        field.form == records::Form::kClear)
      consents.push_back(ToListed(field));
  }
  if (context.globals().json) {
    Json list = Json::array();
    for (const Listed& one : consents) {
      list.push_back({{"purpose", one.purpose},
                      {"state", one.state},
                      {"time", one.time},
                      {"source", one.source},
                      {"evidence", one.evidence}});
    }
    PrintJson({{"uid", records::FormatToken(contact.token)}, {"consents", std::move(list)}});
    return absl::OkStatus();
  }
  if (consents.empty()) {
    PrintLine("No consent is on record, and none that was refused.");
    return absl::OkStatus();
  }
  std::vector<std::vector<std::string>> rows;
  for (const Listed& one : consents) {
    std::string evidence;
    for (const Json& cell : one.evidence) {
      absl::StrAppend(&evidence, evidence.empty() ? "" : ", ", cell["name"].get<std::string>(),
                      ": ", cell["value"].get<std::string>());
    }
    rows.push_back({Printable(one.purpose), one.state == "not_given" ? "not given" : one.state,
                    Printable(one.time), Printable(one.source), Printable(evidence)});
  }
  PrintTable({"PURPOSE", "STATE", "TIME", "SOURCE", "EVIDENCE"}, rows);
  return absl::OkStatus();
}

}  // namespace

Command ConsentListCommand() {
  return {.name = "consent list",
          .arguments = "UID",
          .summary = "what one customer agreed to, and where that is known from",
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunList};
}

}  // namespace sealbook::cli
