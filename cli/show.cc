#include "cli/commands.h"
#include "cli/contacts.h"
#include "vault/status.h"

namespace sealbook::cli {

Command ShowCommand() {
  return {.name = "show",
          .arguments = "UID",
          .summary = "one customer",
          .min_positional = 1,
          .max_positional = 1,
          .run = [](Context& context, const Arguments& arguments) {
            RETURN_IF_ERROR(context.Unlock());
            auto contact = ReadByToken(context, arguments.positional()[0], "show");
            RETURN_IF_ERROR(contact.status());
            if (context.globals().json)
              PrintJson({{"contacts", Json::array({ToJson(*contact)})}});
            else
              PrintContact(*contact);
            return absl::OkStatus();
          }};
}

}  // namespace sealbook::cli
