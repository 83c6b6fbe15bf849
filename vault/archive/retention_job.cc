#include "vault/archive/retention_job.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/audit/log.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr mode_t kLockMode = 0660;

absl::StatusOr<keyring::FileLock> LockJob(const keyring::VaultPaths& paths) {
  auto lock = keyring::FileLock::TryTake(paths.retention_lock(), kLockMode);
  if (!absl::IsUnavailable(lock.status())) return lock;
  return WithHint(absl::UnavailableError("another process is at the archives already"),
                  "Wait until it has ended.");
}

}  // namespace

absl::StatusOr<ArchiveSignature> SignatureOf(const keyring::Keyring& keyring,
                                             const store::ArchiveRow& row) {
  const std::string name = ArchiveName({.vault = keyring.roster().vault,
                                        .run = row.run,
                                        .first_day = row.first_day,
                                        .last_day = row.last_day});
  auto signature = ArchiveSignature::Verify(row.signature, name, RosterSigners(keyring));
  if (signature.ok()) return signature;
  return WithHint(absl::DataLossError(
                      absl::StrCat("what the vault knows of archive ", row.run, " was altered")),
                  "Nothing of it was purged. 'sealbook doctor' says what else was altered.");
}

RetentionJob::RetentionJob(keyring::Keyring& keyring, const PurgePermit& permit, JobOptions options)
    : keyring_(keyring),
      permit_(permit),
      options_(std::move(options)),
      today_(DayOfTime(options_.now)) {
  for (const auto& [url, open] : options_.destinations) {
    places_.push_back(
        std::make_unique<ArchivePlace>(keyring_, PlaceOptions{.url = url,
                                                              .open = open,
                                                              .upload = options_.upload,
                                                              .interrupted = options_.interrupted,
                                                              .at = options_.at}));
  }
  usable_.assign(places_.size(), true);
}

absl::Status RetentionJob::CheckInterrupted() const {
  if (!options_.interrupted || !options_.interrupted()) return absl::OkStatus();
  return WithHint(absl::CancelledError("interrupted: nothing was lost"),
                  "Run the command again: it goes on where it was.");
}

// The others go on; and so does this one with other archives, unless it is out of reach.
absl::Status RetentionJob::NoteTrouble(std::size_t place, absl::Status status, JobReport& report) {
  if (absl::IsCancelled(status) || absl::IsInternal(status) || absl::IsResourceExhausted(status) ||
      absl::IsUnavailable(status)) {
    return status;
  }
  if (IsUnreachable(status) && WorthRetrying(status)) usable_[place] = false;
  if (absl::IsFailedPrecondition(status)) usable_[place] = false;  // no key to connect with
  if (!IsUnreachable(status) && !absl::IsAlreadyExists(status)) {
    status = WithHint(internal::RefusedError(status.message()), HintOf(status));
  }
  report.troubles.emplace_back(places_[place]->url(), std::move(status));
  return absl::OkStatus();
}

PlanOptions RetentionJob::PlanFor(const std::string& label) const {
  PlanOptions plan{.label = label,
                   .labels = {},
                   .before_day = today_ - options_.rules.at(label).chats,
                   .max_messages = std::numeric_limits<std::int64_t>::max(),
                   .skip = damaged_,
                   .interrupted = options_.interrupted};
  for (const auto& [name, days] : options_.rules) plan.labels.insert(name);
  if (options_.limit > 0) plan.max_messages = options_.limit - planned_messages_;
  return plan;
}

// What a killed run left there and no archive needs.
absl::Status RetentionJob::TidySpool() {
  std::set<std::string> needed;
  RETURN_IF_ERROR(
      keyring_.store().EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
        if (row.state < static_cast<int>(ArchiveState::kDone)) {
          needed.insert(ArchiveName({.vault = keyring_.roster().vault,
                                     .run = row.run,
                                     .first_day = row.first_day,
                                     .last_day = row.last_day}));
        }
        return true;
      }));
  std::error_code error;
  for (const auto& file :
       std::filesystem::directory_iterator(SpoolFolder(keyring_.paths()), error)) {
    if (!needed.contains(file.path().filename().string())) unlink(file.path().c_str());
  }
  return absl::OkStatus();
}

absl::Status RetentionJob::Begin(JobReport& report) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    RETURN_IF_ERROR(CheckInterrupted());
    const absl::Status begun = places_[i]->Begin();
    if (begun.ok()) continue;
    // An older vault: nothing may be done with it anywhere.
    if (absl::IsDataLoss(begun)) return begun;
    RETURN_IF_ERROR(NoteTrouble(i, begun, report));
    usable_[i] = false;
  }
  return absl::OkStatus();
}

std::vector<std::string> RetentionJob::Urls() const {
  std::vector<std::string> urls;
  for (const auto& place : places_) urls.push_back(place->url());
  return urls;
}

absl::Status RetentionJob::FinishOlder(JobReport& report) {
  std::vector<std::int64_t> runs;
  RETURN_IF_ERROR(
      keyring_.store().EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
        if (row.state < static_cast<int>(ArchiveState::kDone)) runs.push_back(row.run);
        return true;
      }));
  for (const std::int64_t run : runs) {
    RETURN_IF_ERROR(CheckInterrupted());
    const absl::Status status = Advance(run, report);
    // One that was tampered with does not stop the others.
    if (absl::IsDataLoss(status)) {
      altered_ = status;
      continue;
    }
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status RetentionJob::ArchiveExpired(JobReport& report) {
  for (const auto& [label, days] : options_.rules) {
    for (;;) {
      RETURN_IF_ERROR(CheckInterrupted());
      const auto usable =
          static_cast<std::size_t>(std::count(usable_.begin(), usable_.end(), true));
      // Nothing is written that could go nowhere.
      if (usable < options_.quorum) return absl::OkStatus();
      const PlanOptions plan = PlanFor(label);
      if (plan.max_messages <= 0) return absl::OkStatus();
      ASSIGN_OR_RETURN(const auto oldest, keyring_.store().OldestChatDay());
      if (!oldest || *oldest >= plan.before_day) break;
      if (options_.check_clock) RETURN_IF_ERROR(options_.check_clock());
      At("plan");
      ASSIGN_OR_RETURN(const auto planned, PlanArchive(keyring_, plan));
      if (!planned) break;
      At("planned");
      const std::size_t troubles = report.troubles.size();
      RETURN_IF_ERROR(Advance(planned->run, report));
      // Nothing more is written that would wait in the spool.
      if (report.troubles.size() > troubles && options_.quorum == places_.size())
        return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::Status RetentionJob::PutCheckpoints(JobReport& report) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!usable_[i]) continue;
    const absl::Status put = places_[i]->PutCheckpoint(options_.now);
    if (!put.ok()) RETURN_IF_ERROR(NoteTrouble(i, put, report));
  }
  return absl::OkStatus();
}

absl::Status RetentionJob::Run(JobReport& report) {
  ASSIGN_OR_RETURN(const keyring::FileLock lock, LockJob(keyring_.paths()));
  ASSIGN_OR_RETURN(const bool work, HasWork());
  report.nothing_to_do = !work;
  if (!work) return absl::OkStatus();
  keyring_.store().database().DeferCheckpoints();
  RETURN_IF_ERROR(TidySpool());
  RETURN_IF_ERROR(Begin(report));
  RETURN_IF_ERROR(SyncErasures(report));
  RETURN_IF_ERROR(FinishOlder(report));
  RETURN_IF_ERROR(ArchiveExpired(report));
  RETURN_IF_ERROR(PurgeReleased(report));
  ASSIGN_OR_RETURN(const bool sweep, SweepIsDue());
  if (sweep) {
    At("sweep");
    RETURN_IF_ERROR(SweepChatKeys(keyring_, options_.interrupted));
  }
  RETURN_IF_ERROR(DestroyOld(report));
  RETURN_IF_ERROR(PutCheckpoints(report));
  ASSIGN_OR_RETURN(report.pending_erasures, ArchivePlace::PendingErasures(keyring_, Urls()));
  RETURN_IF_ERROR(altered_);
  if (report.damaged > 0) {
    return WithHint(absl::DataLossError(absl::StrCat(
                        "the chats of ", report.damaged,
                        " customers do not count, and stay where they are; all others were "
                        "archived")),
                    "'sealbook doctor' lists them.");
  }
  if (!report.troubles.empty()) {
    const absl::Status& first = report.troubles.front().second;
    if (IsUnreachable(first)) return first;
    return WithHint(internal::RefusedError(first.message()), HintOf(first));
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive
