// RetentionJob's way of one archive: spooled, uploaded, read back, purged, done, destroyed.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/archive/destruction.h"
#include "vault/archive/retention_job.h"
#include "vault/audit/log.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// A name that somebody else's file has is left to it.
constexpr int kNames = 3;

JobReport::Archive& ReportOf(JobReport& report, std::int64_t run) {
  for (JobReport::Archive& archive : report.archives) {
    if (archive.run == run) return archive;
  }
  report.archives.push_back({.run = run});
  return report.archives.back();
}

}  // namespace

absl::Status RetentionJob::Purge(const ArchiveSignature& signature,
                                 const std::vector<VerifiedArchive>& proof, JobReport& report) {
  if (options_.check_clock) RETURN_IF_ERROR(options_.check_clock());
  At("purge");
  const auto purged = PurgeArchived(keyring_, permit_, signature, proof,
                                    {.today = today_,
                                     .quorum = options_.quorum,
                                     .progress =
                                         [&](std::int64_t messages) {
                                           At("purge batch");
                                           if (options_.progress)
                                             options_.progress("purged", report.purged + messages);
                                         },
                                     .interrupted = options_.interrupted},
                                    options_.now);
  RETURN_IF_ERROR(purged.status());
  report.purged += purged->messages;
  report.held += purged->held;
  if (!purged->receipt_id.empty()) report.receipts.push_back(purged->receipt_id);
  ReportOf(report, signature.header.run).purged += purged->messages;
  At("truncate");
  // What was deleted still stands in the WAL. Most of it goes into the file while others may write;
  // readers in the way only put that off.
  RETURN_IF_ERROR(keyring_.store().database().CheckpointPast(0));
  const absl::Status truncated = keyring_.store().database().TruncateWal();
  if (!truncated.ok() && !absl::IsUnavailable(truncated)) return truncated;
  return absl::OkStatus();
}

// What was spooled is planned once more, under a new number, which `row` has then.
absl::Status RetentionJob::WriteAgain(const ArchiveSignature& signature, store::ArchiveRow& row,
                                      JobReport& report) {
  const std::string name = ArchiveName(signature.header);
  if (++names_ > kNames)
    return absl::InternalError(
        absl::StrCat("archive ", row.run,
                     " cannot be written: its file in the spool is damaged again and again"));
  // What stands of it anywhere goes first; where that may not be, the vault goes on knowing of
  // it, so that it is destroyed in its time.
  std::size_t left = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    ASSIGN_OR_RETURN(const int state, keyring_.store().GetRemoteFile(places_[i]->url(), name));
    if (state == static_cast<int>(RemoteState::kUnknown)) continue;
    const auto destroyed =
        usable_[i] ? places_[i]->Destroy(signature) : absl::StatusOr<bool>(false);
    if (!destroyed.value_or(false)) ++left;
  }
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  ASSIGN_OR_RETURN(const std::int64_t last, keyring_.store().LastArchiveRun());
  if (left == 0) RETURN_IF_ERROR(keyring_.store().DeleteArchiveSubjects(row.run));
  RETURN_IF_ERROR(keyring_.store().RenumberArchive(row.run, last + 1));
  if (left > 0) {
    store::ArchiveRow old = row;
    old.state = static_cast<int>(ArchiveState::kDone);
    RETURN_IF_ERROR(keyring_.store().PutArchive(old));
  }
  store::ArchiveRow next = row;
  next.run = last + 1;
  next.state = static_cast<int>(ArchiveState::kPlanned);
  next.signature.clear();
  RETURN_IF_ERROR(keyring_.store().PutArchive(next));
  RETURN_IF_ERROR(transaction.Commit());
  unlink(SpoolPath(keyring_.paths(), name).c_str());
  std::erase_if(report.archives, [&](const auto& one) { return one.run == row.run; });
  row.run = next.run;
  return absl::OkStatus();
}

absl::Status RetentionJob::AdvanceSpooled(store::ArchiveRow row, JobReport& report) {
  ASSIGN_OR_RETURN(const ArchiveSignature signature, SignatureOf(keyring_, row));
  const std::string name = ArchiveName(signature.header);
  const std::string spooled = SpoolPath(keyring_.paths(), name);
  JobReport::Archive& summary = ReportOf(report, row.run);
  summary = {.run = row.run,
             .name = name,
             .messages = static_cast<std::int64_t>(signature.totals.messages),
             .bytes = static_cast<std::int64_t>(signature.digest.size),
             .purged = summary.purged,
             .state = static_cast<ArchiveState>(row.state)};

  if (row.state == static_cast<int>(ArchiveState::kSpooled))
    planned_messages_ += static_cast<std::int64_t>(signature.totals.messages);

  // At how many destinations something of it may be; and whether it has to be brought anywhere.
  std::size_t begun = 0, verified = 0;
  for (const auto& place : places_) {
    ASSIGN_OR_RETURN(const int state, keyring_.store().GetRemoteFile(place->url(), name));
    if (state == static_cast<int>(RemoteState::kVerified)) ++verified;
    if (state != static_cast<int>(RemoteState::kUnknown)) ++begun;
  }
  // Whether chats that it has are gone from here: then nothing of it, here or there, may go.
  const bool gone = row.purged > 0 || row.state >= static_cast<int>(ArchiveState::kPurged);
  if (verified < places_.size()) {
    const absl::Status whole = CheckSpooled(spooled, signature.digest);
    if (absl::IsNotFound(whole) || absl::IsDataLoss(whole)) {
      if (gone) {
        // What it has is gone from here, and stands where it was verified.
        report.troubles.emplace_back(
            "the spool", WithHint(internal::RefusedError(absl::StrCat(
                                      name,
                                      " is damaged in the vault's spool, and is not at every "
                                      "destination yet")),
                                  "Copy it from a destination that has it to those that lack it."));
        return absl::OkStatus();
      }
      // Written once more, under a number of its own: half of the old one may be somewhere.
      RETURN_IF_ERROR(WriteAgain(signature, row, report));
      return Advance(row.run, report);
    }
    RETURN_IF_ERROR(whole);
  }

  std::vector<VerifiedArchive> proof;
  bool name_taken = false, erasable = false;
  std::size_t there = 0;  // places that were read back by an earlier run, when all is purged
  const std::string beside = absl::StrCat(name, std::string(kSignatureSuffix));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!usable_[i]) continue;
    if (row.state >= static_cast<int>(ArchiveState::kPurged)) {
      ASSIGN_OR_RETURN(const int state, keyring_.store().GetRemoteFile(places_[i]->url(), beside));
      if (state == static_cast<int>(RemoteState::kVerified)) {
        ++there;
        continue;
      }
    }
    RETURN_IF_ERROR(CheckInterrupted());
    // Shards before archives, so that at no moment an archive stands there that nobody can read.
    auto shards = places_[i]->SyncShards(options_.now);
    absl::Status status = shards.status();
    if (status.ok()) status = places_[i]->Upload(signature, row.signature, spooled);
    if (status.ok() && row.state < static_cast<int>(ArchiveState::kUploaded)) {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
      RETURN_IF_ERROR(keyring_.store()
                          .AdvanceArchive(row.run, static_cast<int>(ArchiveState::kUploaded), 0)
                          .status());
      RETURN_IF_ERROR(transaction.Commit());
      ReportOf(report, row.run).state = ArchiveState::kUploaded;
      At("uploaded");
    }
    if (status.ok()) {
      auto one = places_[i]->Verify(signature, row.signature);
      status = one.status();
      if (one.ok()) proof.push_back(*std::move(one));
      // What is there is not what was sent: it goes, where it may, so that the next run can send it
      // once more.
      if (IsUnreachable(status) && !WorthRetrying(status) && !gone)
        (void)places_[i]->Destroy(signature);
    }
    if (status.ok()) {
      ASSIGN_OR_RETURN(const bool deletes, places_[i]->Erasable());
      erasable = erasable || deletes;
      continue;
    }
    name_taken = name_taken || absl::IsAlreadyExists(status);
    RETURN_IF_ERROR(NoteTrouble(i, status, report));
  }
  if (name_taken && begun == 0 && proof.empty() && !gone && names_ < kNames) {
    RETURN_IF_ERROR(WriteAgain(signature, row, report));
    // Those with the name are asked once more; the others keep their trouble.
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto trouble =
          std::find_if(report.troubles.begin(), report.troubles.end(), [&](const auto& one) {
            return one.first == places_[i]->url() && absl::IsAlreadyExists(one.second);
          });
      if (trouble == report.troubles.end()) continue;
      usable_[i] = true;
      report.troubles.erase(trouble);
    }
    return Advance(row.run, report);
  }
  if (row.state < static_cast<int>(ArchiveState::kPurged)) {
    if (proof.size() < options_.quorum) return absl::OkStatus();  // `troubles` says why
    if (!erasable) {
      report.troubles.emplace_back("all destinations", NobodyErasable());
      return absl::OkStatus();
    }
  }
  if (row.state < static_cast<int>(ArchiveState::kVerified)) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    RETURN_IF_ERROR(keyring_.store()
                        .AdvanceArchive(row.run, static_cast<int>(ArchiveState::kVerified), 0)
                        .status());
    RETURN_IF_ERROR(audit::Append(
        keyring_.store(), keyring_.AuditAuthor(),
        {.act = "archive.verify",
         .detail = absl::StrCat("{\"run\":", row.run, ",\"destinations\":", proof.size(), "}")}));
    RETURN_IF_ERROR(transaction.Commit());
    ReportOf(report, row.run).state = ArchiveState::kVerified;
    At("verified");
  }
  if (row.state < static_cast<int>(ArchiveState::kPurged)) {
    report.archived += static_cast<std::int64_t>(signature.totals.messages);
    RETURN_IF_ERROR(Purge(signature, proof, report));
  }
  ReportOf(report, row.run).state = ArchiveState::kPurged;
  if (proof.size() + there < places_.size()) return absl::OkStatus();
  {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    RETURN_IF_ERROR(keyring_.store()
                        .AdvanceArchive(row.run, static_cast<int>(ArchiveState::kDone), 0)
                        .status());
    RETURN_IF_ERROR(transaction.Commit());
  }
  At("done");
  ReportOf(report, row.run).state = ArchiveState::kDone;
  unlink(spooled.c_str());
  return absl::OkStatus();
}

absl::Status RetentionJob::Advance(std::int64_t run, JobReport& report) {
  store::ArchiveRow row;
  ASSIGN_OR_RETURN(bool found, keyring_.store().GetArchive(run, row));
  if (found && row.state == static_cast<int>(ArchiveState::kPlanned)) {
    At("spool");
    SpoolReport spooled;
    RETURN_IF_ERROR(SpoolArchive(keyring_, run,
                                 {.recipients = options_.recipients,
                                  .progress =
                                      [&](std::uint64_t chunks) {
                                        if (options_.progress)
                                          options_.progress("written",
                                                            static_cast<std::int64_t>(chunks));
                                      },
                                  .interrupted = options_.interrupted},
                                 options_.now, spooled));
    At("spooled");
    damaged_.insert(spooled.damaged.begin(), spooled.damaged.end());
    report.damaged = static_cast<std::int64_t>(damaged_.size());
    ASSIGN_OR_RETURN(found, keyring_.store().GetArchive(run, row));
  }
  if (!found || row.state >= static_cast<int>(ArchiveState::kDone)) return absl::OkStatus();
  return AdvanceSpooled(std::move(row), report);
}

absl::Status RetentionJob::PurgeReleased(JobReport& report) {
  std::set<std::int64_t> runs;
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    ASSIGN_OR_RETURN(runs, Released());
  }
  for (const std::int64_t run : runs) {
    RETURN_IF_ERROR(CheckInterrupted());
    store::ArchiveRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetArchive(run, row));
    // What is not purged yet is for Advance; what was destroyed has nothing here any more.
    if (!found || row.state < static_cast<int>(ArchiveState::kPurged) ||
        row.state >= static_cast<int>(ArchiveState::kDestroyed)) {
      continue;
    }
    const auto signature = SignatureOf(keyring_, row);
    if (!signature.ok()) {
      altered_ = signature.status();
      continue;
    }
    std::vector<VerifiedArchive> proof;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (!usable_[i]) continue;
      auto one = places_[i]->Verify(*signature, row.signature);
      if (one.ok()) {
        proof.push_back(*std::move(one));
      } else {
        RETURN_IF_ERROR(NoteTrouble(i, one.status(), report));
      }
    }
    if (proof.size() >= options_.quorum) RETURN_IF_ERROR(Purge(*signature, proof, report));
  }
  return absl::OkStatus();
}

absl::Status RetentionJob::DestroyOld(JobReport& report) {
  store::Store& store = keyring_.store();
  std::vector<store::ArchiveRow> due;
  RETURN_IF_ERROR(store.EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const bool is_due, IsDue(row));
    if (is_due) due.push_back(row);
    return true;
  }));
  for (const store::ArchiveRow& row : due) {
    RETURN_IF_ERROR(CheckInterrupted());
    // Somebody may have set a hold since, or restored something.
    ASSIGN_OR_RETURN(const bool still, IsDue(row));
    ASSIGN_OR_RETURN(const std::set<std::int64_t> live, StillHere());
    if (!still || live.contains(row.run)) continue;
    if (options_.check_clock) RETURN_IF_ERROR(options_.check_clock());
    ASSIGN_OR_RETURN(const ArchiveSignature signature, SignatureOf(keyring_, row));
    const std::string name = ArchiveName(signature.header);
    bool gone = true;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto one = usable_[i] ? places_[i]->Destroy(signature) : absl::StatusOr<bool>(false);
      if (!one.ok()) RETURN_IF_ERROR(NoteTrouble(i, one.status(), report));
      gone = gone && one.value_or(false);
    }
    // Also where a destination had it that the policy names no more.
    RETURN_IF_ERROR(
        store.EachRemoteFile("", name, [&](absl::string_view, absl::string_view, int state) {
          gone = gone && state == static_cast<int>(RemoteState::kGivenUp);
          return absl::OkStatus();
        }));
    if (!gone) {
      report.due.push_back(name);
      continue;
    }
    ASSIGN_OR_RETURN(const std::string receipt, ForgetArchive(keyring_, row, options_.now));
    report.receipts.push_back(receipt);
    report.destroyed.push_back(name);
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive
