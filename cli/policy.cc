#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::StatusOr<std::string> ReadPolicyFile(const std::string& file) {
  auto text = keyring::ReadSmallFile(file, policies::Policy::kMaxBytes);
  if (text.ok()) return text;
  return WithHint(absl::InvalidArgumentError(text.status().message()),
                  "Name a policy file; 'sealbook policy show' prints the one in force.");
}

absl::Status RunPolicyShow(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  if (context.globals().json) {
    PrintJson({{"policy", context.policy().text()},
               {"hash", crypto::ToHex(context.keyring().roster().policy_hash)}});
  } else {
    std::fwrite(context.policy().text().data(), 1, context.policy().text().size(), stdout);
  }
  return absl::OkStatus();
}

absl::Status Check(Context& context, const Arguments& arguments) {
  const std::string& file = arguments.positional()[0];
  ASSIGN_OR_RETURN(const std::string text, ReadPolicyFile(file));
  const std::vector<policies::Fault> faults = policies::Policy::Check(text);
  Json list = Json::array();
  for (const policies::Fault& fault : faults) {
    list.push_back({{"line", fault.line}, {"column", fault.column}, {"message", fault.message}});
    if (!context.globals().json)
      PrintLine(
          Printable(absl::StrCat(file, ":", fault.line, ":", fault.column, ": ", fault.message)));
  }
  if (context.globals().json) {
    PrintJson({{"ok", faults.empty()}, {"faults", std::move(list)}});
    return faults.empty() ? absl::OkStatus() : absl::InvalidArgumentError("");  // said already
  }
  if (faults.empty()) {
    PrintLine(absl::StrCat(file, " is a policy without faults."));
    return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError(absl::StrCat(
                      file, " has ", faults.size(), faults.size() == 1 ? " fault" : " faults")),
                  "Correct them; a policy with a fault is no policy.");
}

absl::Status Apply(Context& context, const Arguments& arguments) {
  const std::string& file = arguments.positional()[0];
  ASSIGN_OR_RETURN(const std::string text, ReadPolicyFile(file));
  auto next = policies::Policy::Parse(text);
  if (!next.ok()) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(file, ": ", next.status().message())),
                    HintOf(next.status()));
  }
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManagePolicy));
  const std::vector<std::string> reasons =
      policies::ChangesThatNeedResealing(context.policy(), *next);
  if (!reasons.empty()) {
    for (const std::string& reason : reasons)
      PrintNote(context.globals(), Printable(absl::StrCat("  ", reason)));
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat("this policy would need what is stored to be sealed again (",
                         reasons.front(), reasons.size() > 1 ? ", …" : "", ")")),
        "That cannot be done yet: leave classes, their fields and masks as they are, and add "
        "no recipient to [archives].");
  }
  if (next->text() == context.policy().text() &&
      policies::CheckRoles(context.keyring().roster(), *next).ok()) {
    if (context.globals().json)
      PrintJson({{"applied", false}, {"version", context.keyring().roster().version}});
    else
      PrintLine("This policy is in force already.");
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(keyring::ApplyPolicy(context.keyring(), next->Compile()));
  Json json = {{"applied", true}, {"version", context.keyring().roster().version}};
  if (!context.globals().json) PrintLine("The policy is signed and in force.");
  // Roles that read less than before have lost keys.
  RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  PrintIfJson(context, json);
  return absl::OkStatus();
}

}  // namespace

Command PolicyShowCommand() {
  return {
      .name = "policy show", .summary = "the policy in force, as its file", .run = &RunPolicyShow};
}
Command PolicyCheckCommand() {
  return {.name = "policy check",
          .arguments = "F",
          .summary = "looks for faults in a policy file",
          .min_positional = 1,
          .max_positional = 1,
          .run = &Check};
}
Command PolicyApplyCommand() {
  return {.name = "policy apply",
          .arguments = "F [--no-drain]",
          .summary = "signs a policy and puts it in force",
          .options = {NoDrainOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Apply};
}

}  // namespace sealbook::cli
