#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/destinations.h"
#include "cli/retention.h"
#include "vault/archive/spooling.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunArchiveList(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
  ASSIGN_OR_RETURN(const std::vector<ArchiveSummary> archives, ListArchives(context.keyring()));
  if (context.globals().json) {
    Json list = Json::array();
    for (const ArchiveSummary& archive : archives) list.push_back(ToJson(archive));
    PrintJson({{"archives", list}});
    return absl::OkStatus();
  }
  if (archives.empty()) {
    PrintNote(context.globals(), "There are no archives yet.");
    return absl::OkStatus();
  }
  for (const ArchiveSummary& archive : archives) PrintArchive(archive);
  return absl::OkStatus();
}

struct Checked {
  std::string name;
  absl::Status status;
  std::string detail;
};

absl::Status RunArchiveVerify(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
  keyring::Keyring& keyring = context.keyring();
  const std::string wanted = arguments.positional().empty() ? "" : arguments.positional()[0];
  const bool remote = arguments.Has("remote");
  std::vector<store::ArchiveRow> rows;
  RETURN_IF_ERROR(
      keyring.store().EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
        const std::string name = archive::ArchiveName({.vault = keyring.roster().vault,
                                                       .run = row.run,
                                                       .first_day = row.first_day,
                                                       .last_day = row.last_day});
        const bool here = row.state != static_cast<int>(archive::ArchiveState::kPlanned) &&
                          row.state != static_cast<int>(archive::ArchiveState::kDestroyed);
        if (here && (wanted.empty() || wanted == name)) rows.push_back(row);
        return true;
      }));
  if (!wanted.empty() && rows.empty()) {
    return WithHint(absl::NotFoundError("this vault has no such archive"),
                    "'sealbook archive list' shows them.");
  }
  std::vector<std::pair<std::string, archive::DestinationOpener>> destinations;
  if (remote) {
    ASSIGN_OR_RETURN(destinations, DestinationsFor(context));
  }
  CatchInterrupts();
  std::vector<Checked> all;
  std::vector<std::optional<absl::Status>> keys(destinations.size());  // by destination
  absl::Status first;
  for (const store::ArchiveRow& row : rows) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    Checked one{.name = absl::StrCat("archive ", row.run)};
    const auto signature = archive::SignatureOf(keyring, row);
    one.status = signature.status();
    if (signature.ok()) {
      one.name = archive::ArchiveName(signature->header);
      one.detail = "its signature is right";
      const std::string spooled = archive::SpoolPath(keyring.paths(), one.name);
      if (row.state < static_cast<int>(archive::ArchiveState::kDone)) {
        one.status = archive::CheckSpooled(spooled, signature->digest);
        if (one.status.ok()) one.detail = "the spool's file is whole";
      }
      for (std::size_t i = 0; i < destinations.size(); ++i) {
        const auto& [url, open] = destinations[i];
        archive::ArchivePlace place(keyring, {.url = url, .open = open});
        absl::Status verified = place.Verify(*signature, row.signature).status();
        // Once for all archives: by the keys beside them they are read.
        if (verified.ok() && !keys[i]) keys[i] = place.CheckKeys();
        if (verified.ok()) verified = *keys[i];
        if (verified.ok()) {
          absl::StrAppend(&one.detail, "\n       read back from ", url);
        } else if (one.status.ok()) {
          one.status = verified;
        }
      }
    }
    if (!one.status.ok()) one.detail = std::string(one.status.message());
    if (first.ok()) first = one.status;
    all.push_back(std::move(one));
  }
  if (context.globals().json) {
    Json list = Json::array();
    for (const Checked& one : all) {
      list.push_back({{"name", one.name}, {"ok", one.status.ok()}, {"detail", one.detail}});
    }
    PrintJson({{"ok", first.ok()}, {"archives", list}});
    return first.ok() ? first : absl::Status(first.code(), "");
  }
  for (const Checked& one : all) {
    PrintLine(absl::StrCat(one.status.ok() ? "ok     " : "FAULT  ", one.name, "\n       ",
                           Printable(one.detail)));
  }
  if (all.empty()) PrintNote(context.globals(), "There is no archive to look at.");
  if (!remote && first.ok() && !all.empty()) {
    PrintNote(context.globals(), "With --remote they are read back from their destinations, too.");
  }
  return first;
}

}  // namespace

Command ArchiveListCommand() {
  return {.name = "archive list",
          .arguments = "",
          .summary = "the archives of expired chats, and where they stand",
          .options = {},
          .min_positional = 0,
          .max_positional = 0,
          .run = &RunArchiveList};
}

Command ArchiveVerifyCommand() {
  return {.name = "archive verify",
          .arguments = "[NAME]",
          .summary = "whether archives are as they were signed",
          .options = {{.name = "remote",
                       .kind = Option::Kind::kFlag,
                       .help = "read them back from every destination"}},
          .min_positional = 0,
          .max_positional = 1,
          .run = &RunArchiveVerify};
}

}  // namespace sealbook::cli
