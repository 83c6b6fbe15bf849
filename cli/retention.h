// What the commands around retention share: their report, as JSON, as text, as metrics.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "vault/archive/retention_job.h"

namespace sealbook::cli {

// The vault's archives as it knows them.
struct ArchiveSummary {
  std::int64_t run = 0;
  std::string name, state, label;
  std::int64_t messages = 0, bytes = 0, purged = 0;
  std::string from, to, sha256;  // empty while it is planned
  Json remote = Json::array();   // {"destination","state"}
};
absl::StatusOr<std::vector<ArchiveSummary>> ListArchives(keyring::Keyring& keyring);
Json ToJson(const ArchiveSummary& archive);
// In two lines: what it is, and its name.
void PrintArchive(const ArchiveSummary& archive);

// What every one of the commands tells; those that do not apply are 0.
struct RetentionNumbers {
  std::int64_t expired = 0, archived = 0, purged = 0, held = 0;
  std::int64_t pending_erasures = 0;
  std::string oldest_live;  // a day; empty: there are no chats
  std::string state;
};
Json ToJson(const RetentionNumbers& numbers);
std::string Counted(std::int64_t count, absl::string_view what);  // "1 archive", "2 archives"
std::string Messages(std::int64_t count);
// Counts what has expired; the log's entries beyond their days go into `audit_due`.
struct ExpiredByLabel {
  std::string label;
  archive::Expired expired;
};
absl::StatusOr<std::vector<ExpiredByLabel>> ExpiredNow(Context& context, absl::Time now);
// Messages that have expired and stay, on hold, archived already or not.
absl::StatusOr<std::int64_t> HeldNow(Context& context, const std::vector<ExpiredByLabel>& expired,
                                     absl::Time now);
// Erasures that have not reached every destination.
absl::StatusOr<std::int64_t> PendingErasures(Context& context);
absl::StatusOr<std::string> OldestLive(keyring::Keyring& keyring);

}  // namespace sealbook::cli
