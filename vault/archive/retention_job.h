// The retention job: expired chats into archives, archives to their destinations, and away with
// what stands there. Also erasures that wait for a destination, archives that are due to be
// destroyed, and the checkpoint.
//
//   RetentionJob job(keyring, permit, options);
//   RETURN_IF_ERROR(job.Run(report));
//
// Every run begins with what an earlier one left, in whatever state it was (archive_states.h). It
// needs the database's key and no other: it moves what is sealed. What it may do says the policy
// (policies/retention.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/archive_place.h"
#include "vault/archive/planning.h"
#include "vault/archive/spooling.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"

namespace sealbook::archive {

// In days.
struct RetentionDays {
  int chats = 90;       // in the vault
  int archives = 1095;  // then in archives
};

struct JobOptions {
  absl::Time now;
  std::map<std::string, RetentionDays> rules;  // by label; "" is there
  std::vector<crypto::ExchangePublic> recipients;
  // With their addresses; at least one.
  std::vector<std::pair<std::string, DestinationOpener>> destinations;
  std::size_t quorum = 1;  // at least 1, at most all
  std::int64_t limit = 0;  // messages that are archived at most, to whole chunks; 0: no limit
  UploadOptions upload = {};
  // Asked before anything is planned or purged: whether the clock can be believed.
  std::function<absl::Status()> check_clock = nullptr;
  std::function<void(absl::string_view what, std::int64_t messages)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
  std::function<void(absl::string_view step)> at = nullptr;  // as PlaceOptions::at
};

struct JobReport {
  struct Archive {
    std::int64_t run = 0;
    std::string name;
    std::int64_t messages = 0, bytes = 0, purged = 0;
    ArchiveState state{};
  };
  std::int64_t archived = 0, purged = 0, held = 0, damaged = 0;  // messages; customers
  std::vector<Archive> archives;                                 // that this run worked on
  std::vector<std::string> destroyed, due;  // archives that were, and that should be
  std::vector<std::string> receipts;        // ids
  std::int64_t pending_erasures = 0;        // that have not reached every destination
  // Those that have now: token, and the receipt's text.
  std::vector<std::pair<std::int64_t, std::string>> confirmed;
  // What went wrong at a destination; the others went on.
  std::vector<std::pair<std::string, absl::Status>> troubles;
  bool nothing_to_do = true;
};

class RetentionJob {
 public:
  RetentionJob(keyring::Keyring& keyring, const PurgePermit& permit, JobOptions options);

  // Unavailable: another process does this already. DataLoss: the vault is older than the
  // checkpoint, or customers' chats do not count (the others went on). kOutOfRange: destinations
  // (the first of `troubles`). FailedPrecondition: the clock. Cancelled: interrupted. The report
  // says what was done in every case.
  absl::Status Run(JobReport& report);

  // The part of it that follows an erasure, for whoever erases, who holds retention_lock():
  // checkpoints compared, then tombstones and shards.
  absl::Status ReachErasures(JobReport& report);

 private:
  absl::StatusOr<bool> HasWork();
  absl::StatusOr<bool> HasErasures();
  absl::StatusOr<std::set<std::int64_t>> StillHere();
  absl::Status SyncErasures(JobReport& report);
  static absl::Status NobodyErasable();
  absl::StatusOr<bool> SweepIsDue();
  absl::Status TidySpool();
  absl::Status Begin(JobReport& report);
  absl::Status FinishOlder(JobReport& report);
  absl::Status ArchiveExpired(JobReport& report);
  absl::Status Advance(std::int64_t run, JobReport& report);
  absl::Status AdvanceSpooled(store::ArchiveRow row, JobReport& report);
  absl::Status WriteAgain(const ArchiveSignature& signature, store::ArchiveRow& row,
                          JobReport& report);
  absl::Status PurgeReleased(JobReport& report);
  absl::Status DestroyOld(JobReport& report);
  absl::Status PutCheckpoints(JobReport& report);
  absl::Status ConfirmErasures(JobReport& report);
  std::vector<std::string> Urls() const;
  absl::Status Purge(const ArchiveSignature& signature, const std::vector<VerifiedArchive>& proof,
                     JobReport& report);
  absl::StatusOr<bool> IsDue(const store::ArchiveRow& row);
  absl::StatusOr<std::set<std::int64_t>> Released();
  PlanOptions PlanFor(const std::string& label) const;
  absl::Status CheckInterrupted() const;
  // Takes note of a trouble at a destination; out of reach, it is taken out of this run. Gives back
  // what is no trouble there but here, and ends the run.
  absl::Status NoteTrouble(std::size_t place, absl::Status status, JobReport& report);
  void At(absl::string_view step) const {
    if (options_.at) options_.at(step);
  }

  keyring::Keyring& keyring_;
  const PurgePermit& permit_;
  JobOptions options_;
  std::int32_t today_;
  std::vector<std::unique_ptr<ArchivePlace>> places_;
  std::vector<bool> usable_;
  std::int64_t planned_messages_ = 0;
  std::set<ContactNumber> damaged_;  // customers whose chats do not count
  absl::Status altered_;             // an archive of which what the vault knows was altered
  int names_ = 0;  // new numbers that archives were given, since their first was of no use
};

// The archive's signature as the vault has it. DataLoss: it was altered.
absl::StatusOr<ArchiveSignature> SignatureOf(const keyring::Keyring& keyring,
                                             const store::ArchiveRow& row);

}  // namespace sealbook::archive
