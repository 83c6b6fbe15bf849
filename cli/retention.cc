#include "cli/retention.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/destinations.h"
#include "policies/retention.h"
#include "vault/archive/spooling.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using archive::ArchiveState;

constexpr std::size_t kMaxMetricsBytes = 64 * 1024;

absl::string_view NameOf(archive::RemoteState state) {
  switch (state) {
    case archive::RemoteState::kBegun:
      return "begun";
    case archive::RemoteState::kVerified:
      return "verified";
    case archive::RemoteState::kLeaving:
      return "leaving";
    case archive::RemoteState::kUnknown:
      break;
  }
  return "missing";
}

Json ToJson(const ArchiveSummary& archive) {
  return {{"name", archive.name},     {"state", archive.state},
          {"label", archive.label},   {"messages", archive.messages},
          {"purged", archive.purged}, {"from", archive.from},
          {"to", archive.to},         {"bytes", archive.bytes},
          {"sha256", archive.sha256}, {"remote", archive.remote}};
}

Json ToJson(const RetentionNumbers& numbers) {
  return {{"expired", numbers.expired},
          {"archived", numbers.archived},
          {"purged", numbers.purged},
          {"held", numbers.held},
          {"pending_erasures", numbers.pending_erasures},
          {"oldest_live", numbers.oldest_live.empty() ? Json(nullptr) : Json(numbers.oldest_live)},
          {"state", numbers.state}};
}

std::string Messages(std::int64_t count) {
  return absl::StrCat(count, count == 1 ? " message" : " messages");
}

absl::StatusOr<std::int64_t> PendingErasures(Context& context) {
  std::int64_t pending = 0;
  const auto urls = policies::DestinationsOf(context.policy()).urls;
  RETURN_IF_ERROR(context.keyring().store().EachTombstone(
      [&](ContactNumber contact, std::int64_t token, std::int64_t version, ByteView,
          bool confirmed) -> absl::Status {
        bool is = !confirmed;
        for (std::size_t i = 0; !is && i < urls.size(); ++i) {
          ASSIGN_OR_RETURN(is, archive::ArchivePlace::IsPending(context.keyring(), urls[i], contact,
                                                                token, version));
        }
        pending += is ? 1 : 0;
        return absl::OkStatus();
      }));
  return pending;
}

// Entries of the log that are older than the policy keeps it.
absl::StatusOr<std::int64_t> LogEntriesDue(Context& context, absl::Time now) {
  const absl::Time before = now - absl::Hours(24) * context.policy().audit_days();
  std::int64_t due = 0;
  const absl::Status walked = context.keyring().store().EachAudit(
      1, [&](std::int64_t sequence, ByteView row) -> absl::Status {
        ASSIGN_OR_RETURN(const audit::Record record, audit::Record::Parse(row));
        if (absl::FromUnixMillis(record.time_ms) >= before) return absl::CancelledError("younger");
        due = sequence;
        return absl::OkStatus();
      });
  if (!walked.ok() && !absl::IsCancelled(walked)) return walked;
  return due;
}

absl::Status Plan(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(const std::vector<ExpiredByLabel> expired, ExpiredNow(context, now));
  RetentionNumbers numbers;
  Json labels = Json::array();
  for (const ExpiredByLabel& one : expired) {
    numbers.expired += one.expired.messages;
    numbers.held += one.expired.held;
    const bool any = one.expired.messages > 0;
    labels.push_back(
        {{"label", one.label},
         {"expired", one.expired.messages},
         {"held", one.expired.held},
         {"bytes", one.expired.bytes},
         {"from", any ? Json(archive::FormatDay(one.expired.first_day)) : Json(nullptr)},
         {"to", any ? Json(archive::FormatDay(one.expired.last_day)) : Json(nullptr)}});
  }
  ASSIGN_OR_RETURN(numbers.oldest_live, OldestLive(context.keyring()));
  ASSIGN_OR_RETURN(numbers.pending_erasures, PendingErasures(context));
  ASSIGN_OR_RETURN(const std::int64_t log_due, LogEntriesDue(context, now));
  ASSIGN_OR_RETURN(const std::vector<ArchiveSummary> archives, ListArchives(context.keyring()));
  Json unfinished = Json::array();
  for (const ArchiveSummary& archive : archives) {
    if (archive.state != "done" && archive.state != "destroyed")
      unfinished.push_back(ToJson(archive));
  }
  const absl::Status clock = policies::CheckClock(context.keyring(), now, false);
  if (!clock.ok() && !absl::IsFailedPrecondition(clock)) return clock;
  numbers.state = !clock.ok()                                           ? "clock"
                  : !unfinished.empty()                                 ? "unfinished"
                  : numbers.expired > 0 || numbers.pending_erasures > 0 ? "expired"
                                                                        : "idle";
  if (context.globals().json) {
    Json out = ToJson(numbers);
    out["archives"] = unfinished;
    out["labels"] = labels;
    out["log_entries_due"] = log_due;
    PrintJson(out);
    return absl::OkStatus();
  }
  if (numbers.expired == 0 && unfinished.empty()) {
    PrintLine("Nothing has expired.");
  } else {
    PrintLine(absl::StrCat(
        Messages(numbers.expired), " would go into archives",
        numbers.held > 0 ? absl::StrCat(", and ", numbers.held, " stay, on hold.") : "."));
    for (const ExpiredByLabel& one : expired) {
      if (one.expired.messages == 0) continue;
      PrintLine(absl::StrCat("  ", one.label.empty() ? "chats" : absl::StrCat("label ", one.label),
                             ": ", Messages(one.expired.messages), " of ",
                             archive::FormatDay(one.expired.first_day), " to ",
                             archive::FormatDay(one.expired.last_day)));
    }
    if (!unfinished.empty())
      PrintLine(absl::StrCat(unfinished.size(), " archives of earlier runs are to be finished."));
  }
  if (!numbers.oldest_live.empty())
    PrintLine(absl::StrCat("The oldest chat here is of ", numbers.oldest_live, "."));
  if (log_due > 0) {
    PrintLine(absl::StrCat(log_due,
                           " entries of the log are older than the policy's audit_days; "
                           "the log is kept whole, since its entries vouch for others."));
  }
  if (!clock.ok())
    PrintNote(context.globals(),
              absl::StrCat("sealbook: ", std::string(clock.message()), ". ", HintOf(clock)));
  if (const std::string warning = NotIndependent(context); !warning.empty())
    PrintNote(context.globals(), absl::StrCat("sealbook: ", warning));
  return absl::OkStatus();
}

absl::Status Status(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kRetention));
  ASSIGN_OR_RETURN(const std::vector<ArchiveSummary> archives, ListArchives(context.keyring()));
  ASSIGN_OR_RETURN(const std::vector<ExpiredByLabel> expired, ExpiredNow(context, absl::Now()));
  RetentionNumbers numbers{.state = "idle"};
  for (const ExpiredByLabel& one : expired) {
    numbers.expired += one.expired.messages;
    numbers.held += one.expired.held;
  }
  if (numbers.expired > 0) numbers.state = "expired";
  Json list = Json::array();
  for (const ArchiveSummary& archive : archives) {
    if (archive.state != "planned" && archive.state != "spooled")
      numbers.archived += archive.messages;
    numbers.purged += archive.purged;
    if (archive.state != "done" && archive.state != "destroyed") numbers.state = "unfinished";
    list.push_back(ToJson(archive));
  }
  ASSIGN_OR_RETURN(numbers.oldest_live, OldestLive(context.keyring()));
  ASSIGN_OR_RETURN(numbers.pending_erasures, PendingErasures(context));
  const std::string warning = NotIndependent(context);
  if (context.globals().json) {
    Json out = ToJson(numbers);
    out["archives"] = list;
    out["warning"] = warning.empty() ? Json(nullptr) : Json(warning);
    PrintJson(out);
    return absl::OkStatus();
  }
  PrintLine(absl::StrCat(Messages(numbers.archived), " stand in ", archives.size(),
                         archives.size() == 1 ? " archive" : " archives", ", of which ",
                         numbers.purged, " are gone from here."));
  std::vector<std::vector<std::string>> rows;
  for (const ArchiveSummary& archive : archives) {
    rows.push_back(
        {archive.from, archive.to, absl::StrCat(archive.messages), archive.state, archive.name});
  }
  if (!rows.empty()) PrintTable({"from", "to", "messages", "state", "archive"}, rows);
  if (numbers.expired > 0)
    PrintLine(absl::StrCat(Messages(numbers.expired), " have expired: 'sealbook retention run'."));
  if (numbers.held > 0) PrintLine(absl::StrCat(Messages(numbers.held), " stay, on hold."));
  if (numbers.pending_erasures > 0)
    PrintLine(absl::StrCat(numbers.pending_erasures,
                           " erasures have not reached every destination yet: the next "
                           "'sealbook retention run' goes on with them."));
  if (!warning.empty()) PrintNote(context.globals(), absl::StrCat("sealbook: ", warning));
  return absl::OkStatus();
}

// What a monitor and a journal read.
std::string OneLine(const RetentionNumbers& numbers, const archive::JobReport& report,
                    const absl::Status& status) {
  return absl::StrCat("sealbook retention: state=", numbers.state, " archived=", numbers.archived,
                      " purged=", numbers.purged, " held=", numbers.held,
                      " archives=", report.archives.size(), " destroyed=", report.destroyed.size(),
                      " due=", report.due.size(), " pending_erasures=", numbers.pending_erasures,
                      " exit=", ExitCodeOf(status));
}

absl::Status Run(Context& context, const Arguments& arguments) {
  std::int64_t limit = 0;
  if (arguments.Has("limit") &&
      (!absl::SimpleAtoi(arguments.Value("limit"), &limit) || limit <= 0)) {
    return Usage("--limit is a number of messages", "Give one above 0.");
  }
  RETURN_IF_ERROR(context.Unlock());
  context.RecordEveryFailure();
  ASSIGN_OR_RETURN(const PurgePermit permit,
                   context.permits().Purge(context.keyring().bundle().member, context.role()));
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(archive::JobOptions options, policies::RetentionOptions(context.policy(), now));
  ASSIGN_OR_RETURN(options.destinations, DestinationsFor(context));
  options.limit = limit;
  const bool accept = arguments.Has("accept-clock");
  options.check_clock = [&] { return policies::CheckClock(context.keyring(), now, accept); };
  CatchInterrupts();
  options.interrupted = &Interrupted;
  Progress progress(context.globals(), "retention run");
  options.progress = [&](absl::string_view, std::int64_t count) { progress.Update(count, 0, 0); };

  archive::JobReport report;
  absl::Status status =
      archive::RetentionJob(context.keyring(), permit, std::move(options)).Run(report);
  progress.Finish();
  RetentionNumbers numbers{.archived = report.archived,
                           .purged = report.purged,
                           .held = report.held,
                           .pending_erasures = report.pending_erasures,
                           .oldest_live = "",
                           .state = report.nothing_to_do ? "idle"
                                    : status.ok()        ? "done"
                                                         : "failed"};
  ASSIGN_OR_RETURN(numbers.oldest_live, OldestLive(context.keyring()));
  if (const std::string metrics = arguments.Value("metrics"); !metrics.empty())
    RETURN_IF_ERROR(WriteMetrics(metrics, numbers, status.ok(), now));
  Json troubles = Json::array();
  for (const auto& [where, trouble] : report.troubles) {
    troubles.push_back({{"destination", where}, {"error", ErrorJson(trouble)}});
  }
  if (context.globals().json && (status.ok() || !report.troubles.empty())) {
    Json out = ToJson(numbers);
    out["archives"] = Json::array();
    for (const auto& archive : report.archives) {
      out["archives"].push_back({{"name", archive.name},
                                 {"state", std::string(archive::NameOf(archive.state))},
                                 {"messages", archive.messages},
                                 {"purged", archive.purged},
                                 {"bytes", archive.bytes}});
    }
    out["destroyed"] = report.destroyed;
    out["due"] = report.due;
    out["receipts"] = report.receipts;
    out["troubles"] = troubles;
    if (!status.ok()) out["error"] = ErrorJson(status);
    PrintJson(out);
  } else if (std::getenv("JOURNAL_STREAM") != nullptr) {
    PrintNote(context.globals(), OneLine(numbers, report, status));
  } else if (!context.globals().json && !context.globals().quiet) {
    if (report.nothing_to_do) {
      PrintNote(context.globals(), "Nothing has expired, and nothing is pending.");
    } else if (report.archives.empty() && report.purged == 0) {
      if (status.ok())
        PrintLine("Nothing has expired; what stands beside the archives is renewed.");
    } else {
      for (const auto& archive : report.archives) {
        PrintLine(absl::StrCat(archive.name, ": ", Messages(archive.messages), ", ",
                               std::string(archive::NameOf(archive.state))));
      }
      PrintLine(absl::StrCat(
          Messages(report.archived), " archived and verified, ", report.purged, " purged here",
          report.held > 0 ? absl::StrCat(", ", report.held, " on hold") : "", "."));
      for (const std::string& name : report.destroyed)
        PrintLine(absl::StrCat(name, ": destroyed, as the policy says."));
    }
  }
  if (!context.globals().json || status.ok() || report.troubles.empty()) {
    for (const std::string& name : report.due) {
      PrintNote(context.globals(), absl::StrCat("sealbook: ", name,
                                                " is due to be destroyed, and its place does not "
                                                "delete it: do so by hand"));
    }
    // The first is the command's own error.
    for (std::size_t i = 1; i < report.troubles.size(); ++i) {
      PrintNote(context.globals(),
                absl::StrCat("sealbook: ", std::string(report.troubles[i].second.message())));
    }
    return status;
  }
  // Told already.
  return absl::Status(status.code(), "");
}

}  // namespace

absl::StatusOr<std::vector<ArchiveSummary>> ListArchives(keyring::Keyring& keyring) {
  std::vector<ArchiveSummary> out;
  RETURN_IF_ERROR(
      keyring.store().EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
        ArchiveSummary archive{
            .run = row.run,
            .name = archive::ArchiveName({.vault = keyring.roster().vault,
                                          .run = row.run,
                                          .first_day = row.first_day,
                                          .last_day = row.last_day}),
            .state = std::string(archive::NameOf(static_cast<ArchiveState>(row.state))),
            .label = row.label,
            .purged = row.purged,
            .from = archive::FormatDay(row.first_day),
            .to = archive::FormatDay(row.last_day)};
        if (!row.signature.empty()) {
          ASSIGN_OR_RETURN(const archive::ArchiveSignature signature,
                           archive::SignatureOf(keyring, row));
          archive.messages = static_cast<std::int64_t>(signature.totals.messages);
          archive.bytes = static_cast<std::int64_t>(signature.digest.size);
          archive.sha256 = crypto::ToHex(signature.digest.sha256);
        }
        RETURN_IF_ERROR(keyring.store().EachRemoteFile(
            "", archive.name, [&](absl::string_view url, absl::string_view path, int state) {
              if (path == archive.name) {
                archive.remote.push_back(
                    {{"destination", std::string(url)},
                     {"state", std::string(NameOf(static_cast<archive::RemoteState>(state)))}});
              }
              return absl::OkStatus();
            }));
        out.push_back(std::move(archive));
        return true;
      }));
  return out;
}

absl::StatusOr<std::vector<ExpiredByLabel>> ExpiredNow(Context& context, absl::Time now) {
  std::vector<ExpiredByLabel> out;
  const std::int32_t today = archive::DayOfTime(now);
  archive::PlanOptions plan;
  for (const auto& [label, rule] : context.policy().retention()) plan.labels.insert(label);
  for (const auto& [label, rule] : context.policy().retention()) {
    plan.label = label;
    plan.before_day = today - rule.chat_days;
    ASSIGN_OR_RETURN(const archive::Expired expired,
                     archive::CountExpired(context.keyring(), plan));
    out.push_back({.label = label, .expired = expired});
  }
  return out;
}

absl::StatusOr<std::string> OldestLive(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto day, keyring.store().OldestChatDay());
  return day ? archive::FormatDay(*day) : "";
}

absl::Status WriteMetrics(const std::string& path, const RetentionNumbers& numbers, bool success,
                          absl::Time now) {
  constexpr absl::string_view kLast = "sealbook_retention_last_success_timestamp_seconds ";
  std::int64_t last = success ? absl::ToUnixSeconds(now) : 0;
  if (!success) {
    const auto before = keyring::ReadSmallFile(path, kMaxMetricsBytes);
    for (const absl::string_view line : absl::StrSplit(before.value_or(""), '\n')) {
      std::int64_t seconds = 0;
      if (absl::StartsWith(line, kLast) && absl::SimpleAtoi(line.substr(kLast.size()), &seconds))
        last = seconds;
    }
  }
  std::string text;
  const auto gauge = [&](absl::string_view name, absl::string_view help, std::int64_t value) {
    absl::StrAppend(&text, "# HELP sealbook_retention_", name, " ", help,
                    "\n# TYPE sealbook_retention_", name, " gauge\nsealbook_retention_", name, " ",
                    value, "\n");
  };
  gauge("success", "Whether the last run ended well.", success ? 1 : 0);
  gauge("last_run_timestamp_seconds", "When the last run began.", absl::ToUnixSeconds(now));
  gauge("last_success_timestamp_seconds", "When the last run that ended well began.", last);
  gauge("archived_messages", "Messages that the last run archived and verified.", numbers.archived);
  gauge("purged_messages", "Messages that the last run deleted from the vault.", numbers.purged);
  gauge("held_messages", "Messages that have expired and stay, on hold.", numbers.held);
  gauge("pending_erasures", "Erasures that have not reached every destination.",
        numbers.pending_erasures);
  return keyring::ReplaceFile(path, text, 0644);
}

Command RetentionPlanCommand() {
  return {.name = "retention plan",
          .arguments = "",
          .summary = "which chats would go into archives now",
          .options = {},
          .min_positional = 0,
          .max_positional = 0,
          .run = &Plan};
}

Command RetentionRunCommand() {
  return {.name = "retention run",
          .arguments = "",
          .summary = "moves expired chats into verified archives, and deletes them here",
          .options = {{.name = "limit",
                       .placeholder = "N",
                       .help = "archive so many messages at most, to whole pieces"},
                      {.name = "metrics",
                       .placeholder = "FILE",
                       .help = "write metrics for the Prometheus node exporter"},
                      {.name = "accept-clock",
                       .kind = Option::Kind::kFlag,
                       .help = "the clock is right, though nobody used the vault for a month"}},
          .min_positional = 0,
          .max_positional = 0,
          .run = &Run};
}

Command RetentionStatusCommand() {
  return {.name = "retention status",
          .arguments = "",
          .summary = "what went into archives, and where they stand",
          .options = {},
          .min_positional = 0,
          .max_positional = 0,
          .run = &Status};
}

}  // namespace sealbook::cli
