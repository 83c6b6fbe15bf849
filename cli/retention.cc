#include "cli/retention.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/destinations.h"
#include "policies/retention.h"
#include "vault/archive/giving_up.h"
#include "vault/archive/spooling.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using archive::ArchiveState;

absl::string_view NameOf(archive::RemoteState state) {
  switch (state) {
    case archive::RemoteState::kBegun:
      return "begun";
    case archive::RemoteState::kVerified:
      return "verified";
    case archive::RemoteState::kLeaving:
      return "leaving";
    case archive::RemoteState::kGivenUp:
      return "given_up";
    case archive::RemoteState::kUnknown:
      break;
  }
  return "missing";
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
    const bool any = one.expired.messages > 0;
    labels.push_back(
        {{"label", one.label},
         {"expired", one.expired.messages},
         {"held", one.expired.held},
         {"bytes", one.expired.bytes},
         {"from", any ? Json(archive::FormatDay(one.expired.first_day)) : Json(nullptr)},
         {"to", any ? Json(archive::FormatDay(one.expired.last_day)) : Json(nullptr)}});
  }
  ASSIGN_OR_RETURN(numbers.held, HeldNow(context, expired, now));
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
    PrintLine(numbers.held > 0
                  ? absl::StrCat("Nothing would go: ", Messages(numbers.held), " stay, on hold.")
                  : "Nothing has expired.");
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
    if (!unfinished.empty()) {
      PrintLine(absl::StrCat(Counted(static_cast<std::int64_t>(unfinished.size()), "archive"),
                             " of earlier runs ", unfinished.size() == 1 ? "is" : "are",
                             " to be finished."));
    }
  }
  if (!numbers.oldest_live.empty())
    PrintLine(absl::StrCat("The oldest chat here is of ", numbers.oldest_live, "."));
  if (log_due > 0) {
    PrintLine(absl::StrCat("Older than the policy's audit_days: ", log_due,
                           " of the log's entries. It is kept whole, since\neach vouches for the "
                           "one before."));
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
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(const std::vector<ExpiredByLabel> expired, ExpiredNow(context, now));
  RetentionNumbers numbers{.state = "idle"};
  for (const ExpiredByLabel& one : expired) numbers.expired += one.expired.messages;
  ASSIGN_OR_RETURN(numbers.held, HeldNow(context, expired, now));
  ASSIGN_OR_RETURN(numbers.pending_erasures, PendingErasures(context));
  if (numbers.expired > 0 || numbers.pending_erasures > 0) numbers.state = "expired";
  Json list = Json::array();
  for (const ArchiveSummary& archive : archives) {
    if (archive.state != "planned" && archive.state != "spooled")
      numbers.archived += archive.messages;
    numbers.purged += archive.purged;
    if (archive.state != "done" && archive.state != "destroyed") numbers.state = "unfinished";
    list.push_back(ToJson(archive));
  }
  ASSIGN_OR_RETURN(numbers.oldest_live, OldestLive(context.keyring()));
  const std::string warning = NotIndependent(context);
  ASSIGN_OR_RETURN(const auto left,
                   archive::LeftDestinations(context.keyring(),
                                             policies::DestinationsOf(context.policy()).urls));
  if (context.globals().json) {
    Json out = ToJson(numbers);
    out["archives"] = list;
    out["left"] = Json::array();
    for (const archive::LeftDestination& one : left)
      out["left"].push_back({{"destination", one.url}, {"files", one.files}});
    out["warning"] = warning.empty() ? Json(nullptr) : Json(warning);
    PrintJson(out);
    return absl::OkStatus();
  }
  std::int64_t standing = 0, messages = 0, purged = 0, destroyed = 0;
  for (const ArchiveSummary& archive : archives) {
    destroyed += archive.state == "destroyed" && archive.messages > 0 ? 1 : 0;
    if (archive.state == "destroyed" || archive.state == "planned" || archive.state == "spooled")
      continue;
    ++standing;
    messages += archive.messages;
    purged += archive.purged;
  }
  PrintLine(absl::StrCat(Messages(messages), messages == 1 ? " stands in " : " stand in ",
                         Counted(standing, "archive"), "; ", purged, purged == 1 ? " is" : " are",
                         " gone from here."));
  if (destroyed > 0)
    PrintLine(absl::StrCat(Counted(destroyed, "archive"), destroyed == 1 ? " was" : " were",
                           " destroyed when the policy's days were over."));
  for (const ArchiveSummary& archive : archives) {
    if (archive.state != "done" && archive.state != "destroyed") PrintArchive(archive);
  }
  if (numbers.expired > 0)
    PrintLine(absl::StrCat(Messages(numbers.expired), " have expired: 'sealbook retention run'."));
  if (numbers.held > 0) PrintLine(absl::StrCat(Messages(numbers.held), " stay, on hold."));
  if (numbers.pending_erasures > 0)
    PrintLine(absl::StrCat(Counted(numbers.pending_erasures, "erasure"),
                           " still to reach every destination: the next "
                           "'sealbook retention run'\ngoes on."));
  for (const archive::LeftDestination& one : left) {
    PrintLine(absl::StrCat("The policy names ", Printable(one.url), " no more, where ",
                           Counted(one.files, "file"), one.files == 1 ? " stands" : " stand",
                           ". Erasures do not\nreach them: put it back, or, where it exists no "
                           "more, 'sealbook retention give-up'."));
  }
  if (!warning.empty()) PrintNote(context.globals(), absl::StrCat("sealbook: ", warning));
  return absl::OkStatus();
}

}  // namespace

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

std::string Counted(std::int64_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}
std::string Messages(std::int64_t count) { return Counted(count, "message"); }

void PrintArchive(const ArchiveSummary& archive) {
  std::string line = absl::StrCat(archive.from, " to ", archive.to);
  if (archive.messages > 0) {
    absl::StrAppend(&line, "  ", Messages(archive.messages), ", ", Counted(archive.bytes, "byte"));
  }
  std::int64_t verified = 0, left = 0;
  for (const Json& place : archive.remote) {
    verified += place["state"] == "verified" ? 1 : 0;
    left += place["state"] != "given_up" ? 1 : 0;
  }
  absl::StrAppend(&line, "  ", archive.state);
  if (verified > 0)
    absl::StrAppend(&line, ", at ", Counted(verified, "destination"));
  else if (archive.state == "done" && left == 0)
    absl::StrAppend(&line, ", at no destination");
  if (!archive.label.empty()) absl::StrAppend(&line, ", label ", archive.label);
  PrintLine(line);
  PrintLine(absl::StrCat("  ", archive.name));
}

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

absl::StatusOr<std::int64_t> HeldNow(Context& context, const std::vector<ExpiredByLabel>& expired,
                                     absl::Time now) {
  std::int64_t messages = 0;
  for (const ExpiredByLabel& one : expired) messages += one.expired.held;
  // Those that were archived before the hold was set.
  store::Store& store = context.keyring().store();
  const std::int32_t today = archive::DayOfTime(now);
  ContactNumber last = 0;
  bool held = false;
  store::ChatRow chat;
  ASSIGN_OR_RETURN(const auto snapshot, context.keyring().Snapshot());
  RETURN_IF_ERROR(store.EachArchiveKey(
      {.contact = 0, .day = std::numeric_limits<std::int32_t>::min()},
      [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (key.due == store::ArchiveKeyRow::kGone || key.due > today) return true;
        if (key.contact != last) {
          last = key.contact;
          ASSIGN_OR_RETURN(
              const auto hold,
              store.GetSubjectMark(key.contact, static_cast<int>(records::SubjectMark::kHold)));
          held = hold.has_value();
        }
        if (!held) return true;
        ASSIGN_OR_RETURN(const bool there, store.GetChat(key.day, key.contact, key.sequence, chat));
        if (there) messages += chat.messages;
        return true;
      }));
  return messages;
}

absl::StatusOr<std::int64_t> PendingErasures(Context& context) {
  return archive::ArchivePlace::PendingErasures(context.keyring(),
                                                policies::DestinationsOf(context.policy()).urls);
}

absl::StatusOr<std::string> OldestLive(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto day, keyring.store().OldestChatDay());
  return day ? archive::FormatDay(*day) : "";
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
