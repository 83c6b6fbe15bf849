#include "vault/archive/planning.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/short_locks.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

absl::CivilMonth MonthOf(std::int32_t day) {
  return absl::CivilMonth(absl::CivilDay(1970, 1, 1) + day);
}

// Which chunks are wanted: asked for one after the other, in the order of days.
class Wanted {
 public:
  Wanted(store::Store& store, const PlanOptions& options) : store_(store), options_(options) {}

  // Inside each transaction: others may have set marks meanwhile.
  absl::Status Begin() {
    ASSIGN_OR_RETURN(marks_, store_.HasSubjectMarks());
    return absl::OkStatus();
  }

  enum class Answer { kYes, kNo, kHeld };
  absl::StatusOr<Answer> Ask(const store::ChatPlace& place) {
    store::ArchiveKeyRow key;
    ASSIGN_OR_RETURN(const bool archived,
                     store_.GetArchiveKey(place.contact, place.day, place.sequence, key));
    if (archived || options_.skip.contains(place.contact)) return Answer::kNo;
    std::string label;
    bool held = false;
    if (marks_) {
      ASSIGN_OR_RETURN(
          const auto marked,
          store_.LabelOf(place.contact, static_cast<int>(records::SubjectMark::kLabel)));
      if (marked && options_.labels.contains(*marked)) label = *marked;
      ASSIGN_OR_RETURN(
          const auto hold,
          store_.LabelOf(place.contact, static_cast<int>(records::SubjectMark::kHold)));
      held = hold.has_value();
    }
    if (label != options_.label) return Answer::kNo;
    return held ? Answer::kHeld : Answer::kYes;
  }

 private:
  store::Store& store_;
  const PlanOptions& options_;
  bool marks_ = true;
};

}  // namespace

absl::StatusOr<std::optional<PlannedArchive>> PlanArchive(keyring::Keyring& keyring,
                                                          const PlanOptions& options) {
  store::Store& store = keyring.store();
  Wanted wanted(store, options);
  store::ChatPlace at{.day = std::numeric_limits<std::int32_t>::min()};
  PlannedArchive planned;
  store::ArchiveRow row{.state = static_cast<int>(ArchiveState::kPlanned), .label = options.label};
  std::int64_t bytes = 0;
  // What a power cut undoes of a plan is planned again; a plan of which something was written is
  // there, since that is a commit that waits.
  ASSIGN_OR_RETURN(const auto unhurried, store::UnhurriedCommits::Begin(store.database()));
  for (bool more = true; more;) {
    if (options.interrupted && options.interrupted()) {
      return WithHint(absl::CancelledError("interrupted: what was planned stays planned"),
                      "Run the command again.");
    }
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
    RETURN_IF_ERROR(wanted.Begin());
    const absl::Time start = absl::Now();
    std::vector<store::ArchiveKeyRow> keys;
    more = false;
    RETURN_IF_ERROR(store.EachChatPlace(
        at.day, at.contact, at.sequence, options.before_day,
        [&](const store::ChatPlace& place) -> absl::StatusOr<bool> {
          const bool full = planned.chunks >= kMaxPlannedChunks || bytes >= kMaxPlannedBytes ||
                            planned.messages >= options.max_messages;
          const bool other_month =
              planned.chunks > 0 && MonthOf(place.day) != MonthOf(row.first_day);
          if (full || other_month) return false;
          at = place;
          ASSIGN_OR_RETURN(const Wanted::Answer answer, wanted.Ask(place));
          if (answer == Wanted::Answer::kYes) {
            if (planned.chunks == 0) row.first_day = place.day;
            row.last_day = place.day;
            ++planned.chunks;
            planned.messages += place.messages;
            bytes += place.bytes;
            keys.push_back({.contact = place.contact,
                            .day = place.day,
                            .sequence = place.sequence,
                            .session = place.session});
          }
          more = absl::Now() - start > kLockTime;
          return !more;
        }));
    if (keys.empty()) {
      // Others have their turn.
      RETURN_IF_ERROR(transaction.Commit());
      absl::SleepFor(kLockPause);
      continue;
    }
    if (row.run == 0) {
      ASSIGN_OR_RETURN(const std::int64_t last, store.LastArchiveRun());
      row.run = planned.run = last + 1;
    }
    std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
      return std::tie(a.contact, a.day, a.sequence) < std::tie(b.contact, b.day, b.sequence);
    });
    for (store::ArchiveKeyRow& key : keys) {
      key.run = row.run;
      RETURN_IF_ERROR(store.PutArchiveKey(key));
    }
    RETURN_IF_ERROR(store.PutArchive(row));
    RETURN_IF_ERROR(transaction.Commit());
  }
  if (planned.chunks == 0) return std::nullopt;
  return planned;
}

absl::StatusOr<bool> AnyExpired(store::Store& store, const PlanOptions& options) {
  Wanted wanted(store, options);
  RETURN_IF_ERROR(wanted.Begin());
  bool any = false;
  RETURN_IF_ERROR(
      store.EachChatPlace(std::numeric_limits<std::int32_t>::min(), 0, 0, options.before_day,
                          [&](const store::ChatPlace& place) -> absl::StatusOr<bool> {
                            ASSIGN_OR_RETURN(const Wanted::Answer answer, wanted.Ask(place));
                            any = answer == Wanted::Answer::kYes;
                            return !any;
                          }));
  return any;
}

absl::StatusOr<Expired> CountExpired(keyring::Keyring& keyring, const PlanOptions& options) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  Wanted wanted(keyring.store(), options);
  RETURN_IF_ERROR(wanted.Begin());
  Expired expired;
  RETURN_IF_ERROR(keyring.store().EachChatPlace(
      std::numeric_limits<std::int32_t>::min(), 0, 0, options.before_day,
      [&](const store::ChatPlace& place) -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const Wanted::Answer answer, wanted.Ask(place));
        if (answer == Wanted::Answer::kHeld) expired.held += place.messages;
        if (answer != Wanted::Answer::kYes) return true;
        if (expired.chunks == 0) expired.first_day = place.day;
        expired.last_day = place.day;
        ++expired.chunks;
        expired.messages += place.messages;
        expired.bytes += place.bytes;
        return true;
      }));
  return expired;
}

}  // namespace sealbook::archive
