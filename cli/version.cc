#include "absl/strings/str_cat.h"
#include "cli/commands.h"

namespace sealbook::cli {

Command VersionCommand() {
  return {.name = "version",
          .summary = "this program's version",
          .run = [](Context& context, const Arguments&) {
            if (context.globals().json) {
              PrintJson({{"version", SEALBOOK_VERSION}, {"schema", store::Store::kSchemaVersion}});
            } else {
              PrintLine(absl::StrCat("sealbook ", SEALBOOK_VERSION));
            }
            return absl::OkStatus();
          }};
}

}  // namespace sealbook::cli
