#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/retention.h"
#include "policies/retention.h"
#include "vault/archive/giving_up.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunRetentionGiveUp(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string reason, ReasonOf(arguments));
  const std::string& url = arguments.positional()[0];
  RETURN_IF_ERROR(context.Unlock());
  // Where archives go, and went, is a matter of the policy: who runs the job every night may not
  // say that an erasure need not reach a server.
  RETURN_IF_ERROR(context.Require(policies::Action::kManagePolicy));
  const auto lock = keyring::FileLock::TryTake(context.keyring().paths().retention_lock(), 0660);
  if (absl::IsUnavailable(lock.status())) {
    return WithHint(absl::UnavailableError("a 'sealbook retention run' is at the archives now"),
                    "Run this again when it has ended.");
  }
  RETURN_IF_ERROR(lock.status());
  const std::vector<std::string> urls = policies::DestinationsOf(context.policy()).urls;
  if (std::find(urls.begin(), urls.end(), url) != urls.end()) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat(Printable(url), " is a destination of the policy")),
                    "Take it out of [archives] first: 'sealbook policy apply'.");
  }
  ASSIGN_OR_RETURN(const auto left, archive::LeftDestinations(context.keyring(), urls));
  const auto found =
      std::find_if(left.begin(), left.end(), [&](const auto& one) { return one.url == url; });
  if (found == left.end()) {
    return WithHint(absl::NotFoundError(absl::StrCat("the vault has nothing at ", Printable(url))),
                    "'sealbook retention status' names the destinations that the policy has left.");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> lost, archive::OnlyAt(context.keyring(), url));
  if (!lost.empty() && !arguments.Has("accept-loss")) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            Counted(static_cast<std::int64_t>(lost.size()), "archive"),
            lost.size() == 1 ? " stands" : " stand", " nowhere but at ", Printable(url))),
        "Where that can be read still, keep it. Where it is gone, say so with --accept-loss.");
  }
  RETURN_IF_ERROR(archive::GiveUpDestination(context.keyring(), url, reason));
  if (context.globals().json) {
    PrintJson({{"destination", url}, {"files", found->files}, {"lost", lost}});
    return absl::OkStatus();
  }
  PrintLine(absl::StrCat(Printable(url), " is given up, with ", Counted(found->files, "file"),
                         ".\nNo erasure waits for it any more; the next 'sealbook retention run' "
                         "confirms those\nthat did."));
  for (const std::string& name : lost) PrintLine(absl::StrCat("  lost  ", name));
  return absl::OkStatus();
}

}  // namespace

Command RetentionGiveUpCommand() {
  return {.name = "retention give-up",
          .arguments = "URL",
          .summary = "says that a destination which the policy has left exists no more",
          .options = {{.name = "reason", .placeholder = "TEXT", .help = "why, for the log"},
                      {.name = "accept-loss",
                       .kind = Option::Kind::kFlag,
                       .help = "also where archives stand nowhere else"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunRetentionGiveUp};
}

}  // namespace sealbook::cli
