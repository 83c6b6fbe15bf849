#include "vault/archive/retention_job.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/archive/destruction.h"
#include "vault/archive/erasure.h"
#include "vault/audit/log.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr mode_t kLockMode = 0660;
// A name that somebody else's file has is left to it.
constexpr int kNames = 3;

absl::StatusOr<keyring::FileLock> LockJob(const keyring::VaultPaths& paths) {
  auto lock = keyring::FileLock::TryTake(paths.retention_lock(), kLockMode);
  if (!absl::IsUnavailable(lock.status())) return lock;
  return WithHint(absl::UnavailableError("another process is at the archives already"),
                  "Wait until it has ended.");
}

JobReport::Archive& ReportOf(JobReport& report, std::int64_t run) {
  for (JobReport::Archive& archive : report.archives) {
    if (archive.run == run) return archive;
  }
  report.archives.push_back({.run = run});
  return report.archives.back();
}

absl::Status NobodyErasable() {
  return WithHint(
      internal::RefusedError("what is deleted is not gone from any of the archives' destinations, "
                             "so that nobody could be erased from archives there"),
      "Allow this account to delete in the folder 'subjects' of one destination, or name a "
      "destination where it may. Nothing was purged.");
}

constexpr store::ArchiveKeyRow kFirstKey{.contact = 0,
                                         .day = std::numeric_limits<std::int32_t>::min()};

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
void RetentionJob::GiveUp(std::size_t place, absl::Status status, JobReport& report) {
  if (IsUnreachable(status) && WorthRetrying(status)) usable_[place] = false;
  if (absl::IsFailedPrecondition(status)) usable_[place] = false;  // no key to connect with
  if (!IsUnreachable(status) && !absl::IsAlreadyExists(status)) {
    status = WithHint(internal::RefusedError(status.message()), HintOf(status));
  }
  report.troubles.emplace_back(places_[place]->url(), std::move(status));
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
    GiveUp(i, begun, report);
    usable_[i] = false;
  }
  return absl::OkStatus();
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
    if (absl::IsCancelled(synced) || absl::IsInternal(synced)) return synced;
    if (!synced.ok()) GiveUp(i, synced, report);
  }
  RETURN_IF_ERROR(ConfirmErasures(report));
  if (shards_somewhere || report.troubles.size() == places_.size()) return absl::OkStatus();
  return NobodyErasable();
}

absl::Status RetentionJob::CountPending(JobReport& report) {
  report.pending_erasures = 0;
  return keyring_.store().EachTombstone([&](ContactNumber contact, std::int64_t token,
                                            std::int64_t version, ByteView,
                                            bool confirmed) -> absl::Status {
    bool pending = !confirmed;
    for (std::size_t i = 0; !pending && i < places_.size(); ++i) {
      ASSIGN_OR_RETURN(
          pending, ArchivePlace::IsPending(keyring_, places_[i]->url(), contact, token, version));
    }
    report.pending_erasures += pending ? 1 : 0;
    return absl::OkStatus();
  });
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
    ASSIGN_OR_RETURN(const bool elsewhere,
                     ArchivePlace::IsElsewhere(keyring_, Urls(), contact, version));
    any = !elsewhere;
    return absl::OkStatus();
  }));
  return any;
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
      if (!still.ok()) GiveUp(i, still.status(), report);
      pending = still.value_or(true);
    }
    if (!pending) {
      ASSIGN_OR_RETURN(pending,
                       ArchivePlace::IsElsewhere(keyring_, Urls(), one.contact, one.version));
    }
    if (pending) continue;
    ASSIGN_OR_RETURN(const std::string receipt,
                     ConfirmErasure(keyring_, one.contact, one.token, Urls(), options_.now));
    report.confirmed.push_back({one.token, receipt});
  }
  return CountPending(report);
}

std::vector<std::string> RetentionJob::Urls() const {
  std::vector<std::string> urls;
  for (const auto& place : places_) urls.push_back(place->url());
  return urls;
}

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
  const auto again = [&]() -> absl::Status {
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
    unlink(spooled.c_str());
    std::erase_if(report.archives, [&](const auto& one) { return one.run == row.run; });
    row.run = next.run;
    return absl::OkStatus();
  };
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
      RETURN_IF_ERROR(again());
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
    if (absl::IsCancelled(status) || absl::IsInternal(status) ||
        absl::IsResourceExhausted(status)) {
      return status;
    }
    name_taken = name_taken || absl::IsAlreadyExists(status);
    GiveUp(i, status, report);
  }
  if (name_taken && begun == 0 && proof.empty() && !gone && names_ < kNames) {
    RETURN_IF_ERROR(again());
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
        GiveUp(i, one.status(), report);
      }
    }
    if (proof.size() >= options_.quorum) RETURN_IF_ERROR(Purge(*signature, proof, report));
  }
  return absl::OkStatus();
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

absl::Status RetentionJob::DestroyOld(JobReport& report) {
  store::Store& store = keyring_.store();
  std::vector<store::ArchiveRow> due;
  RETURN_IF_ERROR(store.EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const bool is_due, IsDue(row));
    if (is_due) due.push_back(row);
    return true;
  }));
  ASSIGN_OR_RETURN(const std::set<std::int64_t> live, StillHere());
  for (const store::ArchiveRow& row : due) {
    RETURN_IF_ERROR(CheckInterrupted());
    // Somebody may have set a hold since.
    ASSIGN_OR_RETURN(const bool still, IsDue(row));
    if (!still || live.contains(row.run)) continue;
    if (options_.check_clock) RETURN_IF_ERROR(options_.check_clock());
    ASSIGN_OR_RETURN(const ArchiveSignature signature, SignatureOf(keyring_, row));
    const std::string name = ArchiveName(signature.header);
    bool gone = true;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto one = usable_[i] ? places_[i]->Destroy(signature) : absl::StatusOr<bool>(false);
      if (!one.ok()) GiveUp(i, one.status(), report);
      gone = gone && one.value_or(false);
    }
    // Also where a destination had it that the policy names no more.
    RETURN_IF_ERROR(store.EachRemoteFile("", name, [&](absl::string_view, absl::string_view, int) {
      gone = false;
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

absl::Status RetentionJob::PutCheckpoints(JobReport& report) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!usable_[i]) continue;
    const absl::Status put = places_[i]->PutCheckpoint(options_.now);
    if (absl::IsInternal(put)) return put;
    if (!put.ok()) GiveUp(i, put, report);
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
  RETURN_IF_ERROR(CountPending(report));
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
