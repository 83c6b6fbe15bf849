#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/destinations.h"
#include "cli/retention.h"
#include "policies/retention.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxMetricsBytes = 64 * 1024;

// Metrics for the text file collector of the Prometheus node exporter, replaced as a whole. The
// time of the last success is kept from the file that was there.
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

// Whether standard error is the journal itself: what systemd started inherits the variable, also
// where its output goes elsewhere (systemd.exec(5), $JOURNAL_STREAM).
bool WritesToJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat error {};
  return stream != nullptr && fstat(STDERR_FILENO, &error) == 0 &&
         stream == absl::StrCat(error.st_dev, ":", error.st_ino);
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

// The run itself. `report` and `numbers` tell of it also where it fails.
absl::Status Work(Context& context, const Arguments& arguments, std::int64_t limit,
                  archive::JobReport& report, RetentionNumbers& numbers) {
  numbers.state = "failed";
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const PurgePermit permit,
                   context.permits().Purge(context.keyring().bundle().member, context.role()));
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(archive::JobOptions options, policies::RetentionOptions(context.policy(), now));
  ASSIGN_OR_RETURN(options.destinations, DestinationsFor(context));
  options.limit = limit;
  const bool accept = arguments.Has("accept-clock");
  options.check_clock = [&] {
    return policies::CheckClock(context.keyring(), absl::Now(), accept);
  };
  CatchInterrupts();
  options.interrupted = &Interrupted;
  Progress progress(context.globals(), "retention run");
  options.progress = [&](absl::string_view, std::int64_t count) { progress.Update(count, 0, 0); };

  const absl::Status status =
      archive::RetentionJob(context.keyring(), permit, std::move(options)).Run(report);
  progress.Finish();
  numbers = {.archived = report.archived,
             .purged = report.purged,
             .held = 0,
             .pending_erasures = 0,
             .oldest_live = "",
             .state = !status.ok()           ? "failed"
                      : report.nothing_to_do ? "idle"
                                             : "done"};
  // As the vault stands now, also where the run ended early: a monitor counts on it.
  ASSIGN_OR_RETURN(const std::vector<ExpiredByLabel> expired, ExpiredNow(context, now));
  ASSIGN_OR_RETURN(numbers.held, HeldNow(context, expired, now));
  ASSIGN_OR_RETURN(numbers.pending_erasures, PendingErasures(context));
  ASSIGN_OR_RETURN(numbers.oldest_live, OldestLive(context.keyring()));
  return status;
}

void PrintReport(const Globals& globals, const archive::JobReport& report, std::int64_t held,
                 bool ok) {
  if (ok && report.nothing_to_do) {
    PrintNote(globals,
              held > 0 ? absl::StrCat("Nothing is to be done: ", Messages(held), " stay, on hold.")
                       : "Nothing has expired, and nothing is pending.");
    return;
  }
  for (const auto& archive : report.archives) {
    PrintLine(absl::StrCat(archive.name, ": ", Messages(archive.messages), ", ",
                           std::string(archive::NameOf(archive.state))));
  }
  for (const std::string& name : report.destroyed)
    PrintLine(absl::StrCat(name, ": destroyed, as the policy says"));
  for (const auto& [token, receipt] : report.confirmed) {
    const std::string uid = records::FormatToken(token);
    PrintLine(absl::StrCat(
        uid, ": erased at every destination of the policy ('sealbook receipt list ", uid, "')"));
  }
  if (!report.archives.empty() || report.purged > 0) {
    PrintLine(absl::StrCat(Messages(report.archived), " archived and verified, ", report.purged,
                           " purged here", held > 0 ? absl::StrCat(", ", held, " on hold") : "",
                           "."));
  } else if (ok && report.destroyed.empty() && report.confirmed.empty()) {
    PrintLine("Nothing has expired; what stands beside the archives is renewed.");
  }
}

absl::Status RunRetentionRun(Context& context, const Arguments& arguments) {
  std::int64_t limit = 0;
  if (arguments.Has("limit") &&
      (!absl::SimpleAtoi(arguments.Value("limit"), &limit) || limit <= 0)) {
    return Usage("--limit is a number of messages", "Give one above 0.");
  }
  const absl::Time began = absl::Now();
  archive::JobReport report;
  RetentionNumbers numbers;
  absl::Status status = Work(context, arguments, limit, report, numbers);
  // Whatever went wrong: a monitor must not go on reading that all is well.
  if (const std::string metrics = arguments.Value("metrics"); !metrics.empty()) {
    const absl::Status written = WriteMetrics(metrics, numbers, status.ok(), began);
    if (!written.ok() && status.ok()) {
      status = WithHint(absl::FailedPreconditionError(
                            absl::StrCat("the run was done, and its metrics could not be written: ",
                                         std::string(written.message()))),
                        "Name a file in a folder where this user may write.");
    }
  }
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
    out["confirmed"] = Json::array();
    for (const auto& [token, receipt] : report.confirmed)
      out["confirmed"].push_back({{"uid", records::FormatToken(token)}, {"receipt", receipt}});
    out["troubles"] = troubles;
    if (!status.ok()) out["error"] = ErrorJson(status);
    PrintJson(out);
  } else if (WritesToJournal()) {
    PrintNote(context.globals(), OneLine(numbers, report, status));
  } else if (!context.globals().json && !context.globals().quiet) {
    PrintReport(context.globals(), report, numbers.held, status.ok());
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
          .run = &RunRetentionRun};
}

}  // namespace sealbook::cli
