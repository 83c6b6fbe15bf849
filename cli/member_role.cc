#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunMemberRole(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  const std::string &name = arguments.positional()[0], &role = arguments.positional()[1];
  const absl::Status changed = keyring::ChangeRole(context.keyring(), name, role);
  // Run again after an interruption, it goes on where that was.
  const bool already = absl::IsAlreadyExists(changed);
  if (!already) RETURN_IF_ERROR(changed);
  ASSIGN_OR_RETURN(const keyring::Member* member,
                   keyring::FindPerson(context.keyring().roster(), name));
  Json json = {{"name", member->name}, {"role", member->role}};
  if (!context.globals().json) {
    PrintLine(Printable(
        absl::StrCat(member->name, already ? " is already " : " is now ", member->role, ".")));
  }
  RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  PrintIfJson(context, json);
  return absl::OkStatus();
}

}  // namespace

Command MemberRoleCommand() {
  return {.name = "member role",
          .arguments = "NAME ROLE [--no-drain]",
          .summary = "gives a member another role, and takes or grants the keys",
          .options = {NoDrainOption()},
          .min_positional = 2,
          .max_positional = 2,
          .run = &RunMemberRole};
}

}  // namespace sealbook::cli
