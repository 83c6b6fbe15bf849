#include "vault/archive/archive_health.h"

#include <limits>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/retention_job.h"
#include "vault/archive/spooling.h"
#include "vault/records/subject_marks.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

class ArchiveDoctor {
 public:
  ArchiveDoctor(keyring::Keyring& keyring, const std::function<bool()>& interrupted)
      : keyring_(keyring), store_(keyring.store()), interrupted_(interrupted) {}

  absl::StatusOr<records::HealthCheck> Run() {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    RETURN_IF_ERROR(Archives());
    RETURN_IF_ERROR(Keys());
    RETURN_IF_ERROR(Marks());
    RETURN_IF_ERROR(Counts());
    records::HealthCheck check{.name = "retention", .ok = faults_ == 0};
    check.detail = faults_ == 0
                       ? absl::StrCat(runs_.size(), " archives, ", keys_,
                                      " pieces here that they have, ", marks_, " holds and labels")
                   : faults_ == 1 ? first_
                                  : absl::StrCat(first_, "; and ", faults_ - 1, " more");
    return check;
  }

 private:
  void Fault(const std::string& what) {
    if (faults_++ == 0) first_ = what;
  }

  absl::Status Step() {
    if (++steps_ % 1024 == 0 && interrupted_ && interrupted_())
      return absl::CancelledError("interrupted");
    return absl::OkStatus();
  }

  absl::Status Archives() {
    return store_.EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
      RETURN_IF_ERROR(Step());
      const auto state = static_cast<ArchiveState>(row.state);
      runs_[row.run] = state;
      if (state == ArchiveState::kPlanned || row.signature.empty()) return true;
      const auto signature = SignatureOf(keyring_, row);
      if (!signature.ok()) {
        Fault(std::string(signature.status().message()));
        return true;
      }
      if (state >= ArchiveState::kDone) return true;
      const absl::Status whole = CheckSpooled(
          SpoolPath(keyring_.paths(), ArchiveName(signature->header)), signature->digest);
      if (!whole.ok())
        Fault(absl::StrCat("the spool's file of archive ", row.run, " is missing or damaged"));
      return true;
    });
  }

  absl::Status Keys() {
    return store_.EachArchiveKey(
        {.contact = 0, .day = std::numeric_limits<std::int32_t>::min()},
        [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
          RETURN_IF_ERROR(Step());
          if (key.due == store::ArchiveKeyRow::kGone) return true;
          ++keys_;
          const auto run = runs_.find(key.run);
          if (run == runs_.end() || run->second == ArchiveState::kDestroyed)
            Fault(
                absl::StrCat("a chat is said to be in archive ", key.run, ", which is not there"));
          return true;
        });
  }

  absl::Status Marks() {
    return store_.EachSubjectMark([&](ContactNumber contact, int kind, absl::string_view label,
                                      ByteView document) -> absl::Status {
      RETURN_IF_ERROR(Step());
      ++marks_;
      store::ContactRow row;
      ASSIGN_OR_RETURN(const bool found, store_.GetContact(contact, row));
      if (!found) {
        Fault("a hold or a label of nobody is there");
        return absl::OkStatus();
      }
      const auto mark = records::ParseMark(keyring_, {.contact = contact, .token = row.token},
                                           static_cast<records::SubjectMark>(kind), document);
      if (!mark.ok() || mark->label != label)
        Fault(absl::StrCat(records::FormatToken(row.token),
                           ": a hold or a label was altered or "
                           "planted"));
      return absl::OkStatus();
    });
  }

  // By the contact whose chunks were counted last; chats stand by day, so the counts are kept for
  // one contact at a time.
  absl::Status Counts() {
    return store_.EachContact(1, [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
      RETURN_IF_ERROR(Step());
      std::map<std::int64_t, std::int64_t> chunks;
      RETURN_IF_ERROR(
          store_.EachChatDayBack(row.number, [&](std::int32_t day) -> absl::StatusOr<bool> {
            RETURN_IF_ERROR(store_.EachChat(day, row.number, [&](const store::ChatRow& chat) {
              ++chunks[chat.session];
              return absl::OkStatus();
            }));
            return true;
          }));
      // Those of which the count does not know yet that they are gone.
      RETURN_IF_ERROR(store_.EachArchiveKeyOf(row.number, [&](const store::ArchiveKeyRow& key) {
        if (key.due == store::ArchiveKeyRow::kGone) ++chunks[key.session];
        return absl::OkStatus();
      }));
      RETURN_IF_ERROR(
          store_.EachChunkCount(row.number, [&](std::int64_t session, std::int64_t count) {
            const auto at = chunks.find(session);
            if (count != (at == chunks.end() ? 0 : at->second)) {
              Fault(absl::StrCat(records::FormatToken(row.token),
                                 ": a chat key counts other pieces than there are"));
            }
            return absl::OkStatus();
          }));
      return true;
    });
  }

  keyring::Keyring& keyring_;
  store::Store& store_;
  const std::function<bool()>& interrupted_;
  std::map<std::int64_t, ArchiveState> runs_;
  std::int64_t keys_ = 0, marks_ = 0, faults_ = 0;
  std::uint64_t steps_ = 0;
  std::string first_;
};

}  // namespace

absl::StatusOr<records::HealthCheck> CheckArchives(keyring::Keyring& keyring,
                                                   const std::function<bool()>& interrupted) {
  return ArchiveDoctor(keyring, interrupted).Run();
}

}  // namespace sealbook::archive
