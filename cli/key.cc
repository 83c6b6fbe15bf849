#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/epochs.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// The highest epoch of a book's compartments, or of all.
std::uint32_t EpochOf(const keyring::Roster& roster, const std::string& book_name) {
  const keyring::Book* book = book_name.empty() ? nullptr : roster.FindBook(book_name);
  std::uint32_t epoch = 0;
  for (const keyring::Compartment& c : roster.compartments) {
    if (book == nullptr || c.book == book->id) epoch = std::max(epoch, c.epoch);
  }
  return epoch;
}

absl::Status Rotate(Context& context, const Arguments& arguments) {
  const int given = arguments.Has("book") + arguments.Has("all") + arguments.Has("database") +
                    arguments.Has("drain");
  if (given != 1) {
    return Usage("one of --book, --all, --database and --drain is needed",
                 "For example 'sealbook key rotate --all'.");
  }
  RETURN_IF_ERROR(context.Unlock());
  const std::string book = arguments.Value("book");
  if (!arguments.Has("drain")) RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  if (arguments.Has("book")) RETURN_IF_ERROR(keyring::RotateBook(context.keyring(), book));
  if (arguments.Has("all")) RETURN_IF_ERROR(keyring::RotateAll(context.keyring()));
  if (arguments.Has("database")) {
    if (!context.globals().json)
      PrintNote(context.globals(),
                "Encrypting the database anew; others wait meanwhile, and then go on.");
    RETURN_IF_ERROR(keyring::RotateDatabaseKey(context.keyring()));
  }
  Json json = {
      {"rewrapped", 0}, {"epoch", EpochOf(context.keyring().roster(), book)}, {"undrained", 0}};
  if (!context.globals().json) {
    if (arguments.Has("book"))
      PrintLine(Printable(absl::StrCat("Book ", book, " has new keys.")));
    else if (arguments.Has("all"))
      PrintLine("The vault and all books have new keys.");
    else if (arguments.Has("database"))
      PrintLine("The database has a new key, which no earlier copy of the files holds.");
  }
  if (arguments.Has("database")) {
    ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(context.keyring()));
    json["undrained"] = undrained.size();
  } else {
    RETURN_IF_ERROR(DrainAfter(context, arguments, json));
    if (arguments.Has("drain") && !context.globals().json && json["rewrapped"] == 0 &&
        json["undrained"] == 0)
      PrintLine("Everything stands under the newest keys.");
  }
  PrintIfJson(context, json);
  return absl::OkStatus();
}

}  // namespace

Command KeyRotateCommand() {
  return {.name = "key rotate",
          .arguments = "(--book BOOK | --all | --database | --drain) [--no-drain]",
          .summary = "new keys, as after a suspicion; moves what stands under old ones",
          .options = {{"book", Option::Kind::kValue, "BOOK", "new keys for one book"},
                      {"all", Option::Kind::kFlag, "", "for the whole vault and every book"},
                      {"database", Option::Kind::kFlag, "",
                       "for the file itself, so that who left cannot open a later copy"},
                      {"drain", Option::Kind::kFlag, "",
                       "only moves what stands under old keys, as far as yours reach"},
                      NoDrainOption()},
          .run = &Rotate};
}

}  // namespace sealbook::cli
