#include "vault/archive/purge.h"

#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "vault/audit/log.h"
#include "vault/audit/receipt.h"
#include "vault/crypto/random.h"
#include "vault/records/subject_marks.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// Lookups wait no longer for their row of the log.
constexpr absl::Duration kLockTime = absl::Milliseconds(15);
constexpr absl::Duration kPause = absl::Milliseconds(2);
constexpr int kWalPages = 16 * 1024;

class Purge {
 public:
  Purge(keyring::Keyring& keyring, std::int64_t run, const PurgeOptions& options,
        PurgeReport& report)
      : keyring_(keyring), store_(keyring.store()), run_(run), options_(options), report_(report) {
    for (const keyring::Book& book : keyring.roster().books) books_.push_back(book.id);
  }

  // One transaction's worth; true: there is more. Inside a write transaction.
  absl::StatusOr<bool> Step(absl::Time start) {
    std::vector<store::ArchiveKeyRow> keys;
    bool more = false;
    RETURN_IF_ERROR(
        store_.EachArchiveKey(at_, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
          // A contact's keys stay together, for the counts of its chat keys.
          if (keys.size() >= kKeys && key.contact != at_.contact) {
            more = true;
            return false;
          }
          at_ = key;
          if (key.run == run_) keys.push_back(key);
          return true;
        }));
    for (std::size_t i = 0; i < keys.size();) {
      std::size_t end = i;
      while (end < keys.size() && keys[end].contact == keys[i].contact) ++end;
      RETURN_IF_ERROR(OfContact({keys.data() + i, end - i}));
      i = end;
      if (absl::Now() - start > kLockTime && i < keys.size()) {
        at_ = keys[i - 1];
        return true;
      }
    }
    return more;
  }

 private:
  static constexpr std::size_t kKeys = 500;

  absl::Status OfContact(std::span<const store::ArchiveKeyRow> keys) {
    const ContactNumber contact = keys.front().contact;
    // As it stands now: somebody may have set a hold since the archive was planned.
    ASSIGN_OR_RETURN(const auto hold,
                     store_.GetSubjectMark(contact, static_cast<int>(records::SubjectMark::kHold)));
    std::map<std::int64_t, std::int64_t> chunks;  // by session
    for (const store::ArchiveKeyRow& key : keys) {
      if (hold || key.due > options_.today) {
        store::ChatRow row;
        ASSIGN_OR_RETURN(const bool there, store_.GetChat(key.day, contact, key.sequence, row));
        if (there) report_.held += row.messages;
        continue;
      }
      ASSIGN_OR_RETURN(const auto gone, store_.DeleteChat(key.day, contact, key.sequence));
      RETURN_IF_ERROR(store_.DeleteArchiveKey(contact, key.day, key.sequence));
      if (!gone) continue;
      ++chunks[gone->session];
      ++report_.chunks;
      report_.messages += gone->messages;
    }
    for (const auto& [session, count] : chunks) {
      const auto left = store_.AddChunks(contact, session, -count);
      // Without its key, nobody could read them anyway: `doctor` tells of it, and what stands in
      // the archive was moved with its key.
      if (absl::IsDataLoss(left.status())) continue;
      RETURN_IF_ERROR(left.status());
      if (*left > 0) continue;
      RETURN_IF_ERROR(store_.DeleteChatKey(contact, session));
      RETURN_IF_ERROR(store_.DeleteChatWraps(contact, session, books_));
    }
    return absl::OkStatus();
  }

  keyring::Keyring& keyring_;
  store::Store& store_;
  std::int64_t run_;
  const PurgeOptions& options_;
  PurgeReport& report_;
  std::vector<BookId> books_;
  store::ArchiveKeyRow at_{.contact = 0, .day = std::numeric_limits<std::int32_t>::min()};
};

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
  Purge purge(keyring, run, options, report);
  for (bool more = true; more;) {
    if (options.interrupted && options.interrupted()) {
      return WithHint(absl::CancelledError("interrupted: what was purged stays purged"),
                      "Run the command again for the rest.");
    }
    {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
      const std::int64_t before = report.messages;
      ASSIGN_OR_RETURN(more, purge.Step(absl::Now()));
      // Of all runs, so that the receipt is right after a crash in the middle, too.
      ASSIGN_OR_RETURN(const std::int64_t purged,
                       store.AdvanceArchive(run, more ? 0 : static_cast<int>(ArchiveState::kPurged),
                                            report.messages - before));
      if (!more) {
        if (first || report.messages > 0) {
          RETURN_IF_ERROR(
              audit::Append(store, keyring.AuditAuthor(),
                            {.act = "archive.purge",
                             .detail = absl::StrCat("{\"run\":", run, ",\"messages\":", purged,
                                                    ",\"held\":", report.held, "}")}));
          RETURN_IF_ERROR(WriteReceipt(keyring, archive, proof, purged, report, now));
        }
      }
      RETURN_IF_ERROR(transaction.Commit());
    }
    if (options.progress) options.progress(report.messages);
    RETURN_IF_ERROR(store.database().CheckpointPast(kWalPages));
    if (more) absl::SleepFor(kPause);
  }
  return report;
}

}  // namespace sealbook::archive
