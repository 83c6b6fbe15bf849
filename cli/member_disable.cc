#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunMemberDisable(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  const std::string& name = arguments.positional()[0];
  const absl::Status disabled = keyring::DisableMember(context.keyring(), name);
  // Run again after an interruption, it goes on where that was.
  const bool already = absl::IsAlreadyExists(disabled);
  if (!already) RETURN_IF_ERROR(disabled);
  ASSIGN_OR_RETURN(const keyring::Member* member,
                   keyring::FindPerson(context.keyring().roster(), name));
  Json json = {{"name", member->name}, {"status", "disabled"}};
  if (!context.globals().json) {
    PrintLine(Printable(
        already ? absl::StrCat(member->name, " is disabled already.")
                : absl::StrCat(member->name,
                               " is disabled: nothing that is written from now on opens with "
                               "what they had.")));
  }
  RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  PrintIfJson(context, json);
  if (context.globals().json) return absl::OkStatus();
  PrintNote(
      context.globals(),
      "They still know the key of the file itself, which shows its structure and no customer.\n"
      "'sealbook key rotate --database' changes that one too.");
  return absl::OkStatus();
}

}  // namespace

Command MemberDisableCommand() {
  return {.name = "member disable",
          .arguments = "NAME [--no-drain]",
          .summary = "takes everything away from somebody who leaves",
          .options = {NoDrainOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunMemberDisable};
}

}  // namespace sealbook::cli
