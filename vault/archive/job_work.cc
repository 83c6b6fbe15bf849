// RetentionJob's questions: what there is to do, answered without a connection anywhere.
#include <algorithm>
#include <limits>
#include <set>

#include "vault/archive/archive_states.h"
#include "vault/archive/retention_job.h"
#include "vault/audit/log.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr store::ArchiveKeyRow kFirstKey{.contact = 0,
                                         .day = std::numeric_limits<std::int32_t>::min()};

}  // namespace

// Archives of which something is here still that may go now.
absl::StatusOr<std::set<std::int64_t>> RetentionJob::Released() {
  store::Store& store = keyring_.store();
  std::set<std::int64_t> runs;
  ContactNumber last = 0;
  bool held = false;
  RETURN_IF_ERROR(
      store.EachArchiveKey(kFirstKey, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (runs.contains(key.run) || key.due > today_) return true;
        if (key.due == store::ArchiveKeyRow::kGone) return true;
        if (key.contact != last) {
          last = key.contact;
          ASSIGN_OR_RETURN(
              const auto hold,
              store.GetSubjectMark(key.contact, static_cast<int>(records::SubjectMark::kHold)));
          held = hold.has_value();
        }
        if (!held) runs.insert(key.run);
        return true;
      }));
  return runs;
}

// Archives of which something is here.
absl::StatusOr<std::set<std::int64_t>> RetentionJob::StillHere() {
  std::set<std::int64_t> runs;
  RETURN_IF_ERROR(keyring_.store().EachArchiveKey(
      kFirstKey, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (key.due != store::ArchiveKeyRow::kGone) runs.insert(key.run);
        return true;
      }));
  return runs;
}

// Whether the archive should be destroyed, and nobody in it is on hold.
absl::StatusOr<bool> RetentionJob::IsDue(const store::ArchiveRow& row) {
  const auto rule = options_.rules.find(row.label);
  const RetentionDays& days = rule == options_.rules.end() ? options_.rules.at("") : rule->second;
  if (row.state != static_cast<int>(ArchiveState::kDone) || row.last_day >= today_ - days.archives)
    return false;
  // From the day on which it was written: a list of old chats that came yesterday is not destroyed
  // tomorrow.
  const auto signature = SignatureOf(keyring_, row);
  if (!signature.ok() || DayOfTime(signature->signer.time) >= today_ - days.archives) return false;
  bool held = false;
  store::Store& store = keyring_.store();
  // Marks are few; archives' lists are long.
  RETURN_IF_ERROR(store.EachSubjectMark(
      [&](ContactNumber contact, int kind, absl::string_view, ByteView) -> absl::Status {
        if (held || kind != static_cast<int>(records::SubjectMark::kHold)) return absl::OkStatus();
        ASSIGN_OR_RETURN(const auto block, store.FindArchiveSubjects(row.run, contact));
        if (!block) return absl::OkStatus();
        const std::vector<ContactNumber> contacts = UnpackContacts(*block);
        held = std::binary_search(contacts.begin(), contacts.end(), contact);
        return absl::OkStatus();
      }));
  return !held;
}

// Erasures that this run can do something about: not those that wait for a place which the policy
// names no more.
absl::StatusOr<bool> RetentionJob::HasErasures() {
  bool any = false;
  RETURN_IF_ERROR(keyring_.store().EachTombstone([&](ContactNumber contact, std::int64_t token,
                                                     std::int64_t version, ByteView,
                                                     bool confirmed) -> absl::Status {
    for (std::size_t i = 0; !any && i < places_.size(); ++i) {
      ASSIGN_OR_RETURN(
          any, ArchivePlace::IsPending(keyring_, places_[i]->url(), contact, token, version));
    }
    if (any || confirmed) return absl::OkStatus();
    ASSIGN_OR_RETURN(const ArchivePlace::Elsewhere elsewhere,
                     ArchivePlace::OldShardsElsewhere(keyring_, Urls(), contact, version));
    any = elsewhere.waiting.empty();
    return absl::OkStatus();
  }));
  return any;
}

// Whether so many chat keys are of no use any more, or some for so long, that a sweep is worth its
// while: nobody opens anything by them.
absl::StatusOr<bool> RetentionJob::SweepIsDue() {
  constexpr std::int64_t kMany = 1'000'000;
  constexpr std::int32_t kDays = 28;
  std::int64_t gone = 0;
  std::set<std::int64_t> runs;
  RETURN_IF_ERROR(keyring_.store().EachArchiveKey(
      kFirstKey, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (key.due == store::ArchiveKeyRow::kGone) {
          ++gone;
          runs.insert(key.run);
        }
        return gone < kMany;
      }));
  if (gone >= kMany) return true;
  for (const std::int64_t run : runs) {
    store::ArchiveRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetArchive(run, row));
    if (!found || row.signature.empty()) return true;
    const auto signature = SignatureOf(keyring_, row);
    if (!signature.ok() || DayOfTime(signature->signer.time) + kDays <= today_) return true;
  }
  return false;
}

// Without a connection anywhere, and without a row in the log.
absl::StatusOr<bool> RetentionJob::HasWork() {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  store::Store& store = keyring_.store();
  ASSIGN_OR_RETURN(const auto oldest, store.OldestChatDay());
  for (const auto& [label, days] : options_.rules) {
    if (!oldest || *oldest >= today_ - days.chats) continue;
    ASSIGN_OR_RETURN(const bool any, AnyExpired(store, PlanFor(label)));
    if (any) return true;
  }
  bool work = false;
  ASSIGN_OR_RETURN(const std::set<std::int64_t> live, StillHere());
  RETURN_IF_ERROR(store.EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
    work = row.state < static_cast<int>(ArchiveState::kDone);
    if (!work) {
      ASSIGN_OR_RETURN(work, IsDue(row));
      work = work && !live.contains(row.run);
    }
    return !work;
  }));
  if (work) return true;
  ASSIGN_OR_RETURN(work, HasErasures());
  if (work) return true;
  ASSIGN_OR_RETURN(const std::set<std::int64_t> released, Released());
  if (!released.empty()) return true;
  ASSIGN_OR_RETURN(work, SweepIsDue());
  if (work) return true;
  // A checkpoint of the log as it stands.
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(store));
  for (const auto& place : places_) {
    bool there = false;
    RETURN_IF_ERROR(
        store.EachRemoteFile(place->url(), CheckpointPrefix(head.sequence),
                             [&](absl::string_view, absl::string_view, int state) -> absl::Status {
                               there = there || state == static_cast<int>(RemoteState::kVerified);
                               return absl::OkStatus();
                             }));
    if (!there) return true;
  }
  return false;
}

}  // namespace sealbook::archive
