#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/archive_source.h"
#include "cli/chat_messages.h"
#include "cli/commands.h"
#include "policies/retention.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/restoring.h"
#include "vault/crypto/hash.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::StatusOr<std::optional<std::int64_t>> TokenOf(const Arguments& arguments) {
  if (!arguments.Has("uid")) return std::nullopt;
  const auto token = records::ParseToken(arguments.Value("uid"));
  if (!token.ok()) return Usage("--uid is no token", "Give one, as UID_2837470195 is.");
  return *token;
}

// What to do about an archive, a signature or a key that is not as it was signed.
absl::Status WithHelp(const absl::Status& status) {
  const bool damaged = absl::IsDataLoss(status) || absl::IsInvalidArgument(status);
  if (!damaged || !HintOf(status).empty()) return status;
  return WithHint(status,
                  "Fetch it once more, or from another destination; 'sealbook archive verify "
                  "--remote' says where it is whole.");
}

absl::Status TellMissing(Context& context, const ArchiveSource::Read& read) {
  if (read.erased > 0 && !context.globals().json) {
    PrintNote(context.globals(),
              absl::StrCat("sealbook: ", read.erased, read.erased == 1 ? " customer" : " customers",
                           " of this archive had been erased: nobody reads those chats any more"));
  }
  if (read.no_shard == 0) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(absl::StrCat("the keys of ", read.no_shard,
                                       read.no_shard == 1 ? " customer are" : " customers are",
                                       " not there: their subject shard is missing or damaged")),
      "Fetch the folder 'subjects' from where the archives are, and name what it stands in with "
      "--keys.");
}

absl::Status Read(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<std::int64_t> token, TokenOf(arguments));
  const std::string file = arguments.Value("file");
  const bool named = !arguments.positional().empty();
  if (named == !file.empty()) {
    return Usage("which archive is to be read is not said",
                 "Give its name, or without a vault its file with --file F --keys F.");
  }
  ASSIGN_OR_RETURN(const auto identities, ReadIdentities(arguments.Value("identity")));
  std::unique_ptr<ArchiveSource> source;
  if (named) {
    RETURN_IF_ERROR(context.Unlock());
    RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
    auto opened = ArchiveSource::OfVault(context, arguments.positional()[0], identities);
    RETURN_IF_ERROR(WithHelp(opened.status()));
    source = *std::move(opened);
    // Before anything is shown.
    const Json detail = {{"archive", arguments.positional()[0]}};
    RETURN_IF_ERROR(context.Record(
        {.act = "archive.read", .token = token.value_or(0), .detail = detail.dump()}));
  } else {
    auto opened = ArchiveSource::OfFile(file, arguments.Value("keys"), arguments.List("authority"),
                                        identities);
    RETURN_IF_ERROR(WithHelp(opened.status()));
    source = *std::move(opened);
    if (!arguments.Has("authority")) {
      PrintNote(context.globals(),
                absl::StrCat("sealbook: signed with the key\n    ",
                             crypto::ToHex(source->signature().signer.key.bytes),
                             "\nWhether that is the vault's, 'sealbook receipt key' says there; "
                             "--authority KEY compares."));
    }
  }
  CatchInterrupts();
  const auto read = source->EachMessage(
      token, {.begin = nullptr,
              .message =
                  [&](std::int64_t whose, const records::ChatEntry& entry) {
                    if (Interrupted()) return absl::CancelledError("interrupted");
                    Json line = {{"uid", records::FormatToken(whose)}};
                    line.update(ToJson(entry));
                    PrintJson(line);
                    return std::ferror(stdout) == 0 ? absl::OkStatus()
                                                    : absl::CancelledError("nobody reads any more");
                  },
              .end = nullptr});
  RETURN_IF_ERROR(WithHelp(read.status()));
  return TellMissing(context, *read);
}

absl::Status Restore(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<std::int64_t> token, TokenOf(arguments));
  ASSIGN_OR_RETURN(const auto identities, ReadIdentities(arguments.Value("identity")));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
  RETURN_IF_ERROR(policies::RequireClass(context.policy(), context.role(),
                                         policies::Action::kChange, ClassId::kChat));
  const std::string& name = arguments.positional()[0];
  const auto opened = ArchiveSource::OfVault(context, name, identities);
  RETURN_IF_ERROR(WithHelp(opened.status()));
  ArchiveSource* const source = opened->get();
  store::ArchiveRow row;
  ASSIGN_OR_RETURN(bool found,
                   context.keyring().store().GetArchive(source->signature().header.run, row));
  const auto& rules = context.policy().retention();
  const auto rule = rules.find(found ? row.label : "");
  const int days = (rule == rules.end() ? rules.at("") : rule->second).chat_days;
  const std::int32_t due = archive::DayOfTime(absl::Now()) + days;
  ASSIGN_OR_RETURN(const auto restorer,
                   archive::ChatRestorer::Open(context.keyring(), row.run, due));
  CatchInterrupts();
  Progress progress(context.globals(), "archive restore");
  std::int64_t unknown = 0;
  const auto read = source->EachMessage(
      token, {.begin =
                  [&](records::ChatOwner owner) {
                    const absl::Status begun = restorer->BeginContact(owner);
                    unknown += absl::IsNotFound(begun) ? 1 : 0;
                    return begun;
                  },
              .message =
                  [&](std::int64_t, const records::ChatEntry& entry) {
                    if (Interrupted()) {
                      return WithHint(absl::CancelledError("interrupted: what was restored stays"),
                                      "Run the command again for the rest.");
                    }
                    progress.Update(restorer->report().messages, 0, 0);
                    return restorer->Add(entry);
                  },
              .end = [&] { return restorer->EndContact(); }});
  progress.Finish();
  RETURN_IF_ERROR(WithHelp(read.status()));
  const archive::RestoreReport& report = restorer->report();
  if (context.globals().json) {
    PrintJson({{"messages", report.messages},
               {"already", report.already},
               {"contacts", read->contacts},
               {"erased", read->erased},
               {"unknown", unknown},
               {"until", archive::FormatDay(due)}});
  } else {
    PrintLine(absl::StrCat(report.messages, report.messages == 1 ? " message is" : " messages are",
                           " here again, until ", archive::FormatDay(due), "."));
    if (report.already > 0) PrintLine(absl::StrCat(report.already, " were here already."));
    if (unknown > 0)
      PrintLine(absl::StrCat("Not here any more: ", unknown, " of the archive's customers."));
  }
  return TellMissing(context, *read);
}

}  // namespace

Command ArchiveReadCommand() {
  return {
      .name = "archive read",
      .arguments = "[NAME]",
      .summary = "the messages of an archive, as JSON Lines; with --file without any vault",
      .options = {{.name = "identity", .placeholder = "FILE", .help = "the offline identity"},
                  {.name = "uid", .placeholder = "UID", .help = "one customer's alone"},
                  {.name = "file", .placeholder = "FILE", .help = "the archive, without a vault"},
                  {.name = "keys",
                   .placeholder = "PATH",
                   .help = "the folder with escrow.key.age and subjects/, or one shard; default: "
                           "the archive's own folder"},
                  {.name = "authority",
                   .kind = Option::Kind::kList,
                   .placeholder = "KEY",
                   .help = "a key that must have signed it"}},
      .min_positional = 0,
      .max_positional = 1,
      .run = &Read};
}

Command ArchiveRestoreCommand() {
  return {.name = "archive restore",
          .arguments = "NAME",
          .summary = "brings chats back into the vault for a while",
          .options = {{.name = "identity", .placeholder = "FILE", .help = "the offline identity"},
                      {.name = "uid", .placeholder = "UID", .help = "one customer's alone"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Restore};
}

}  // namespace sealbook::cli
