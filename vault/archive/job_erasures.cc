// RetentionJob's part that follows an erasure: tombstones and shards, at every destination.
#include "vault/archive/erasure.h"
#include "vault/archive/retention_job.h"
#include "vault/status.h"

namespace sealbook::archive {

absl::Status RetentionJob::NobodyErasable() {
  return WithHint(
      internal::RefusedError("what is deleted is not gone from any of the archives' destinations, "
                             "so that nobody could be erased from archives there"),
      "Allow this account to delete in the folder 'subjects' of one destination, or name a "
      "destination where it may. Nothing was purged.");
}

absl::Status RetentionJob::ReachErasures(JobReport& report) {
  RETURN_IF_ERROR(Begin(report));
  return SyncErasures(report);
}

absl::Status RetentionJob::SyncErasures(JobReport& report) {
  // A person's erasure goes before everything else.
  bool shards_somewhere = false;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!usable_[i]) continue;
    RETURN_IF_ERROR(CheckInterrupted());
    absl::Status synced = places_[i]->SyncTombstones();
    if (synced.ok()) {
      const auto shards = places_[i]->SyncShards(options_.now);
      synced = shards.status();
      shards_somewhere = shards_somewhere || shards.value_or(false);
    }
    if (!synced.ok()) RETURN_IF_ERROR(NoteTrouble(i, synced, report));
  }
  RETURN_IF_ERROR(ConfirmErasures(report));
  if (shards_somewhere || report.troubles.size() == places_.size()) return absl::OkStatus();
  return NobodyErasable();
}

absl::Status RetentionJob::ConfirmErasures(JobReport& report) {
  struct Erasure {
    ContactNumber contact = 0;
    std::int64_t token = 0, version = 0;
  };
  std::vector<Erasure> open;
  RETURN_IF_ERROR(
      keyring_.store().EachTombstone([&](ContactNumber contact, std::int64_t token,
                                         std::int64_t version, ByteView, bool confirmed) {
        if (!confirmed) open.push_back({contact, token, version});
        return absl::OkStatus();
      }));
  for (const Erasure& one : open) {
    bool pending = false;
    for (std::size_t i = 0; !pending && i < places_.size(); ++i) {
      ASSIGN_OR_RETURN(pending, ArchivePlace::IsPending(keyring_, places_[i]->url(), one.contact,
                                                        one.token, one.version));
      if (pending) break;
      // Not by what the vault remembers, but by what stands there.
      const auto still = usable_[i] ? places_[i]->HasOlderShard(one.contact, one.version)
                                    : absl::StatusOr<bool>(true);
      if (!still.ok()) RETURN_IF_ERROR(NoteTrouble(i, still.status(), report));
      pending = still.value_or(true);
    }
    if (pending) continue;
    ASSIGN_OR_RETURN(const ArchivePlace::Elsewhere elsewhere,
                     ArchivePlace::OldShardsElsewhere(keyring_, Urls(), one.contact, one.version));
    if (!elsewhere.waiting.empty()) continue;
    ASSIGN_OR_RETURN(
        const std::string receipt,
        ConfirmErasure(keyring_, one.contact, one.token, Urls(), elsewhere.given_up, options_.now));
    report.confirmed.push_back({one.token, receipt});
  }
  ASSIGN_OR_RETURN(report.pending_erasures, ArchivePlace::PendingErasures(keyring_, Urls()));
  return absl::OkStatus();
}

}  // namespace sealbook::archive
