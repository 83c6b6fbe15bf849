#include "vault/archive/purge.h"

#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "vault/archive/short_locks.h"
#include "vault/audit/log.h"
#include "vault/audit/receipt.h"
#include "vault/crypto/random.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr int kWalPages = 16 * 1024;

// In the order of the archive's list, by contact: so each of its pages is written once, and so is
// each page of chats, on which a day's contacts stand in the same order. A row of archive_key whose
// chunk is gone says so until SweepChatKeys has told its key's count.
class Purge {
 public:
  Purge(keyring::Keyring& keyring, const ArchiveHeader& archive, const PurgeOptions& options,
        PurgeReport& report)
      : store_(keyring.store()), archive_(archive), options_(options), report_(report) {}

  // One transaction's worth; true: there is more. Inside a write transaction.
  absl::StatusOr<bool> Step(absl::Time start) {
    ASSIGN_OR_RETURN(marks_, store_.HasSubjectMarks());
    held_ = {};
    for (;;) {
      std::vector<store::ArchiveKeyRow> keys;
      std::size_t seen = 0;
      bool more = false;
      RETURN_IF_ERROR(
          store_.EachArchiveKey(at_, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
            at_ = key;
            if (key.run == archive_.run && key.due != store::ArchiveKeyRow::kGone)
              keys.push_back(key);
            more = keys.size() == kAtOnce || ++seen == kSeenAtOnce;
            return !more;
          }));
      for (const store::ArchiveKeyRow& key : keys) RETURN_IF_ERROR(Chunk(key));
      if (!more) return false;
      if (absl::Now() - start > kLockTime) return true;
    }
  }

 private:
  static constexpr std::size_t kAtOnce = 256;
  static constexpr std::size_t kSeenAtOnce = 4096;  // of other archives

  // As it stands now: somebody may have set a hold since the archive was planned.
  absl::StatusOr<bool> IsHeld(ContactNumber contact) {
    if (!marks_) return false;
    if (held_.first != contact) {
      ASSIGN_OR_RETURN(
          const auto hold,
          store_.GetSubjectMark(contact, static_cast<int>(records::SubjectMark::kHold)));
      held_ = {contact, hold.has_value()};
    }
    return held_.second;
  }

  absl::Status Chunk(const store::ArchiveKeyRow& key) {
    const bool restored = key.due > options_.today;
    ASSIGN_OR_RETURN(const bool held, IsHeld(key.contact));
    // Of other days the archive has nothing, whatever the row says.
    const bool archived = key.day >= archive_.first_day && key.day <= archive_.last_day;
    if (restored || held || !archived) {
      ASSIGN_OR_RETURN(const bool there, store_.GetChat(key.day, key.contact, key.sequence, chat_));
      if (there && archived) report_.held += chat_.messages;
      if (there || restored) return absl::OkStatus();
    } else {
      ASSIGN_OR_RETURN(const auto messages, store_.DeleteChat(key.day, key.contact, key.sequence));
      if (messages) {
        ++report_.chunks;
        report_.messages += *messages;
      }
    }
    // Also one that somebody else deleted: there is nothing to wait for.
    return store_.MarkArchiveKeyGone(key.contact, key.day, key.sequence);
  }

  store::Store& store_;
  const ArchiveHeader& archive_;
  const PurgeOptions& options_;
  PurgeReport& report_;
  // The last one that was looked at.
  store::ArchiveKeyRow at_{.contact = 0, .day = std::numeric_limits<std::int32_t>::min()};
  bool marks_ = true;
  std::pair<ContactNumber, bool> held_;
  store::ChatRow chat_;
};

// All steps, and not the end. What a power cut undoes of them the next run does again: it stands
// where it was verified.
absl::Status PurgeSteps(keyring::Keyring& keyring, const ArchiveSignature& archive,
                        const PurgeOptions& options, PurgeReport& report) {
  store::Store& store = keyring.store();
  ASSIGN_OR_RETURN(const auto unhurried, store::UnhurriedCommits::Begin(store.database()));
  Purge purge(keyring, archive.header, options, report);
  for (bool more = true; more;) {
    if (options.interrupted && options.interrupted()) {
      return WithHint(absl::CancelledError("interrupted: what was purged stays purged"),
                      "Run the command again for the rest.");
    }
    {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
      const std::int64_t before = report.messages;
      ASSIGN_OR_RETURN(more, purge.Step(absl::Now()));
      RETURN_IF_ERROR(
          store.AdvanceArchive(archive.header.run, 0, report.messages - before).status());
      RETURN_IF_ERROR(transaction.Commit());
    }
    if (options.progress) options.progress(report.messages);
    RETURN_IF_ERROR(store.database().CheckpointPast(kWalPages));
    if (more) absl::SleepFor(kLockPause);
  }
  return absl::OkStatus();
}

absl::Status WriteReceipt(keyring::Keyring& keyring, const ArchiveSignature& archive,
                          const std::vector<VerifiedArchive>& proof, std::int64_t purged,
                          PurgeReport& report, absl::Time now) {
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
  audit::Receipt receipt{.kind = "purge",
                         .id = {},
                         .vault = keyring.roster().vault,
                         .time = absl::FromUnixSeconds(absl::ToUnixSeconds(now)),
                         .member = keyring.bundle().member,
                         .key = keyring.bundle().signing.verify_key(),
                         .facts = {}};
  crypto::FillRandom(receipt.id);
  receipt.facts = {{"archive", ArchiveName(archive.header)},
                   {"archive_bytes", absl::StrCat(archive.digest.size)},
                   {"archive_sha256", crypto::ToHex(archive.digest.sha256)},
                   {"from", FormatDay(archive.header.first_day)},
                   {"to", FormatDay(archive.header.last_day)},
                   {"messages", absl::StrCat(purged)},
                   {"held", absl::StrCat(report.held)},
                   {"verified_at", absl::StrJoin(proof, ", ",
                                                 [](std::string* out, const auto& one) {
                                                   absl::StrAppend(out, one.destination());
                                                 })},
                   {"log_entry", absl::StrCat(head.sequence)},
                   {"log_hash", crypto::ToHex(head.hash)}};
  report.receipt_id = crypto::ToHex(receipt.id);
  return keyring.store().InsertReceipt(receipt.id, receipt.Sign(keyring.bundle().signing));
}

}  // namespace

absl::StatusOr<PurgeReport> PurgeArchived(keyring::Keyring& keyring, const PurgePermit& permit,
                                          const ArchiveSignature& archive,
                                          const std::vector<VerifiedArchive>& proof,
                                          const PurgeOptions& options, absl::Time now) {
  const std::int64_t run = archive.header.run;
  if (!permit.CoversArchived(now) || permit.member() != keyring.bundle().member)
    return absl::PermissionDeniedError("there is no permit to purge");
  std::set<std::string> places;
  for (const VerifiedArchive& one : proof) {
    if (one.run() == run) places.insert(one.destination());
  }
  if (places.empty() || places.size() < options.quorum)
    return absl::FailedPreconditionError("the archive was not read back from enough destinations");
  PurgeReport report;
  store::Store& store = keyring.store();
  store.database().DeferCheckpoints();
  store::ArchiveRow row;
  ASSIGN_OR_RETURN(const bool found, store.GetArchive(run, row));
  if (!found) return absl::DataLossError("an archive has gone from the vault's list");
  const bool first = row.state < static_cast<int>(ArchiveState::kPurged);
  RETURN_IF_ERROR(PurgeSteps(keyring, archive, options, report));
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  // Of all runs, so that the receipt is right after a crash in the middle, too.
  ASSIGN_OR_RETURN(const std::int64_t purged,
                   store.AdvanceArchive(run, static_cast<int>(ArchiveState::kPurged), 0));
  if (first || report.messages > 0) {
    RETURN_IF_ERROR(
        audit::Append(store, keyring.AuditAuthor(),
                      {.act = "archive.purge",
                       .detail = absl::StrCat("{\"run\":", run, ",\"messages\":", purged,
                                              ",\"held\":", report.held, "}")}));
    RETURN_IF_ERROR(WriteReceipt(keyring, archive, proof, purged, report, now));
  }
  RETURN_IF_ERROR(transaction.Commit());
  return report;
}

absl::Status SweepChatKeys(keyring::Keyring& keyring, const std::function<bool()>& interrupted) {
  constexpr std::size_t kAtOnce = 256;
  store::Store& store = keyring.store();
  std::vector<BookId> books;
  for (const keyring::Book& book : keyring.roster().books) books.push_back(book.id);
  store::ArchiveKeyRow at{.contact = 0, .day = std::numeric_limits<std::int32_t>::min()};
  for (bool more = true; more;) {
    if (interrupted && interrupted()) return absl::CancelledError("interrupted");
    {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
      const absl::Time start = absl::Now();
      do {
        std::vector<store::ArchiveKeyRow> keys;
        more = false;
        RETURN_IF_ERROR(
            store.EachArchiveKey(at, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
              // A contact's stay together, for the counts.
              more = keys.size() >= kAtOnce && key.contact != keys.back().contact;
              if (more) return false;
              at = key;
              if (key.due == store::ArchiveKeyRow::kGone) keys.push_back(key);
              return true;
            }));
        std::map<std::pair<ContactNumber, std::int64_t>, std::int64_t> chunks;  // contact, session
        for (const store::ArchiveKeyRow& key : keys) {
          RETURN_IF_ERROR(store.DeleteArchiveKey(key.contact, key.day, key.sequence));
          ++chunks[{key.contact, key.session}];
        }
        for (const auto& [whose, count] : chunks) {
          const auto& [contact, session] = whose;
          const auto left = store.AddChunks(contact, session, -count);
          // Somebody deleted it: what stands in the archive was moved with its key.
          if (absl::IsDataLoss(left.status())) continue;
          RETURN_IF_ERROR(left.status());
          if (*left > 0) continue;
          RETURN_IF_ERROR(store.DeleteChatKey(contact, session));
          RETURN_IF_ERROR(store.DeleteChatWraps(contact, session, books));
        }
      } while (more && absl::Now() - start < kLockTime);
      RETURN_IF_ERROR(transaction.Commit());
    }
    RETURN_IF_ERROR(store.database().CheckpointPast(kWalPages));
    if (more) absl::SleepFor(kLockPause);
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive
