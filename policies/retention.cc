#include "policies/retention.h"

#include "absl/strings/str_cat.h"
#include "vault/audit/log.h"
#include "vault/crypto/age_file.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

// Clocks of machines that share a vault differ by as much.
constexpr absl::Duration kSlack = absl::Minutes(5);

absl::StatusOr<absl::Time> TimeOf(keyring::Keyring& keyring, std::int64_t sequence) {
  ASSIGN_OR_RETURN(const auto row, keyring.store().GetAudit(sequence));
  if (!row) return absl::DataLossError(absl::StrCat("audit log: row ", sequence, " is missing"));
  ASSIGN_OR_RETURN(const audit::Record record, audit::Record::Parse(*row));
  return absl::FromUnixMillis(record.time_ms);
}

std::string Day(absl::Time time) { return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()); }

}  // namespace

absl::StatusOr<archive::JobOptions> RetentionOptions(const Policy& policy, absl::Time now) {
  archive::JobOptions options{.now = now, .rules = {}, .recipients = {}, .destinations = {}};
  for (const auto& [label, rule] : policy.retention())
    options.rules[label] = {.chats = rule.chat_days, .archives = rule.archive_days};
  for (const std::string& recipient : policy.archive_recipients()) {
    ASSIGN_OR_RETURN(const crypto::ExchangePublic key, crypto::ParseAgeRecipient(recipient));
    options.recipients.push_back(key);
  }
  const std::size_t all = std::max<std::size_t>(1, policy.archive_destinations().size());
  options.quorum =
      policy.archive_quorum() == 0 ? all : static_cast<std::size_t>(policy.archive_quorum());
  return options;
}

Destinations DestinationsOf(const Policy& policy) {
  if (!policy.archive_destinations().empty())
    return {.urls = policy.archive_destinations(), .independent = true};
  return {.urls = {std::string(kOwnFolder)}, .independent = false};
}

absl::Status CheckClock(keyring::Keyring& keyring, absl::Time now, bool accept_pause) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
  if (head.sequence == 0) return absl::DataLossError("the audit log is empty");
  ASSIGN_OR_RETURN(const absl::Time newest, TimeOf(keyring, head.sequence));
  if (now + kSlack < newest) {
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat("the clock says ", Day(now), ", and the newest entry of the log is of ",
                         Day(newest), ": by that clock nothing is purged")),
        "Set the machine's clock right. Where the log's is wrong, somebody worked with a wrong "
        "clock: wait until it is past.");
  }
  if (accept_pause) return absl::OkStatus();
  // The first row within the last days; and how long before it the row before was written.
  const absl::Time since = now - kLongestPause;
  std::int64_t low = 1, high = head.sequence + 1;  // `high` is within, as far as there is one
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    ASSIGN_OR_RETURN(const absl::Time time, TimeOf(keyring, middle));
    if (time >= since) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  absl::Time before = newest, after = now;
  if (high <= head.sequence) {
    if (high == 1) return absl::OkStatus();  // the vault is younger
    ASSIGN_OR_RETURN(after, TimeOf(keyring, high));
    ASSIGN_OR_RETURN(before, TimeOf(keyring, high - 1));
  }
  if (after - before <= kLongestPause) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "nobody used this vault between ", Day(before), " and ", Day(after),
          ", or the clock was set ahead: nothing is purged before somebody has looked")),
      "Where the clock is right, run 'sealbook retention run --accept-clock' once.");
}

}  // namespace sealbook::policies
