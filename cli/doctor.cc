#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/archive/archive_health.h"
#include "vault/keyring/epochs.h"
#include "vault/records/health.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Whether archives go to another machine: no damage, but what the owner should know.
records::HealthCheck Archives(const policies::Policy& policy) {
  for (const std::string& url : policy.archive_destinations()) {
    if (!absl::StartsWith(url, "file://"))
      return {.name = "archives", .ok = true, .detail = "an independent server is set"};
  }
  return {.name = "archives",
          .ok = true,
          .detail = policy.archive_destinations().empty()
                        ? "warning: archives stay in the vault's own folder; set a destination on "
                          "another machine"
                        : "warning: archives go to a folder of this machine; set a destination on "
                          "another one"};
}

// What stands under older keys is no damage either, but opens to who had them and kept a copy.
absl::StatusOr<records::HealthCheck> Epochs(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(keyring));
  if (undrained.empty())
    return records::HealthCheck{
        .name = "epochs", .ok = true, .detail = "everything stands under the newest keys"};
  ASSIGN_OR_RETURN(const std::string left, DescribeUndrained(keyring));
  return records::HealthCheck{.name = "epochs",
                              .ok = true,
                              .detail = absl::StrCat("warning: not moved to the new keys yet: ",
                                                     left, "; run 'sealbook key rotate --drain'")};
}

absl::Status RunDoctor(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  CatchInterrupts();
  Progress progress(context.globals(), "doctor");
  ASSIGN_OR_RETURN(
      std::vector<records::HealthCheck> checks,
      records::CheckHealth(
          context.keyring(),
          {.repair = arguments.Has("repair"),
           .progress = [&](const std::string&, std::int64_t rows) { progress.Update(rows, 0, 0); },
           .interrupted = &Interrupted}));
  progress.Finish();
  ASSIGN_OR_RETURN(records::HealthCheck retention,
                   archive::CheckArchives(context.keyring(), &Interrupted));
  checks.push_back(std::move(retention));
  ASSIGN_OR_RETURN(records::HealthCheck epochs, Epochs(context.keyring()));
  checks.push_back(std::move(epochs));
  checks.push_back(Archives(context.policy()));
  bool ok = true;
  Json list = Json::array();
  for (const records::HealthCheck& check : checks) {
    ok &= check.ok;
    list.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
    if (!context.globals().json) {
      PrintLine(Printable(
          absl::StrCat(check.ok ? "ok    " : "BAD   ", PadTo(check.name, 10), check.detail)));
    }
  }
  if (context.globals().json) {
    PrintJson({{"ok", ok}, {"checks", std::move(list)}});
    return ok ? absl::OkStatus() : absl::DataLossError("");  // said already
  }
  if (ok) return absl::OkStatus();
  return WithHint(absl::DataLossError("the vault is damaged, or somebody altered it"),
                  "Keep a copy of its folder as it is; 'sealbook doctor --repair' removes what "
                  "does not count.");
}

}  // namespace

Command DoctorCommand() {
  return {.name = "doctor",
          .arguments = "[--repair]",
          .summary = "looks through the whole vault for damage",
          .options = {{"repair", Option::Kind::kFlag, "", "removes what does not count"}},
          .run = &RunDoctor};
}

}  // namespace sealbook::cli
