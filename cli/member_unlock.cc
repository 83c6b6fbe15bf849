#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunMemberUnlock(Context& context, const Arguments& arguments) {
  const auto name = keyring::NormalizeName(arguments.positional()[0]);
  if (!name.ok()) return Usage(name.status().message(), HintOf(name.status()));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  const keyring::Keyring& keyring = context.keyring();
  if (keyring.roster().FindMember(*name) == nullptr) {
    return WithHint(absl::NotFoundError("there is no member of this name"),
                    "'sealbook member list' shows the names.");
  }
  // The row first: what breaks off in between is done again, and no lock ends without one.
  RETURN_IF_ERROR(
      context.Record({.act = "member.unlock", .detail = Json{{"member", *name}}.dump()}));
  keyring::Lockout lockout(keyring.paths().lockout());
  ASSIGN_OR_RETURN(const bool was_locked,
                   lockout.Unlock(keyring::UnlockFile(keyring.roster().vault).EntryId(*name)));
  if (context.globals().json) {
    PrintJson({{"name", *name}, {"was_locked", was_locked}});
  } else {
    PrintLine(absl::StrCat(Printable(*name),
                           was_locked ? " is not locked any more." : " was not locked."));
  }
  return absl::OkStatus();
}

}  // namespace

Command MemberUnlockCommand() {
  return {.name = "member unlock",
          .arguments = "NAME",
          .summary = "ends a lock after wrong passphrases or a burst of reveals",
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunMemberUnlock};
}

}  // namespace sealbook::cli
