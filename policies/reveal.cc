#include "policies/reveal.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policies/decision.h"
#include "vault/audit/log.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::string_view kAct = "reveal", kLockAct = "member.lock", kDone = "done";

// What the log says of this member.
struct Past {
  std::vector<absl::Time> reveals;  // of the last day, and later than now
  int burst = 0;                    // of those, within the burst's time and since the last lock
};

absl::StatusOr<Past> ReadPast(keyring::Keyring& keyring, absl::Duration within, absl::Time now) {
  const MemberId self = keyring.bundle().member;
  const audit::KeyOf key_of = keyring.SignerKeys();
  Past past;
  bool locked_since = false;
  const auto visit = [&](const audit::Record& record) -> absl::StatusOr<bool> {
    const absl::Time time = absl::FromUnixMillis(record.time_ms);
    const bool recent = time > now - kDay;
    if (record.member != self) {
      // Here the day begins. By somebody else: a row that this member wrote with the clock set back
      // must not end the search before the reveals behind it.
      if (recent) return true;
      RETURN_IF_ERROR(audit::CheckSignature(record, key_of));
      return false;
    }
    if (record.outcome != kDone) return true;
    if (record.act == kLockAct) {
      RETURN_IF_ERROR(audit::CheckSignature(record, key_of));
      locked_since = true;
    } else if (record.act == kAct && recent) {
      RETURN_IF_ERROR(audit::CheckSignature(record, key_of));
      past.reveals.push_back(time);
      // Whom a lock has held, or an admin has freed, begins a new burst.
      if (!locked_since && time > now - within) ++past.burst;
    }
    return true;
  };
  RETURN_IF_ERROR(audit::EachBack(keyring.store(), visit));
  return past;
}

absl::Status UsedUp(std::vector<absl::Time> reveals, std::size_t budget) {
  std::sort(reveals.begin(), reveals.end());
  const absl::Time free = reveals[reveals.size() - budget] + kDay;
  // Written in whole minutes: the one in which it certainly is.
  const std::string at =
      absl::FormatTime("%Y-%m-%d %H:%M UTC", free + absl::Minutes(1), absl::UTCTimeZone());
  return WithHint(
      absl::PermissionDeniedError(absl::StrCat(
          "the budget of ", budget, " reveals in 24 hours is used up; the next is free at ", at)),
      "Until then the masked value has to do; 'reveal_daily' in the policy is the budget.");
}

}  // namespace

absl::StatusOr<int> RecordReveal(keyring::Keyring& keyring, const Policy& policy,
                                 const Reveal& reveal, absl::Time now) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  // The newest roster's: a role that was taken away while this command ran reveals nothing.
  const std::string role = keyring.self().role;
  RETURN_IF_ERROR(Require(policy, role, Action::kReveal, reveal.field));
  const std::string entry_id =
      keyring::UnlockFile(keyring.roster().vault).EntryId(keyring.self().name);
  keyring::Lockout lockout(keyring.paths().lockout());
  RETURN_IF_ERROR(lockout.CheckLock(entry_id, now));
  const BurstRule& rule = policy.burst();
  ASSIGN_OR_RETURN(Past past, ReadPast(keyring, rule.within, now));
  const auto budget = static_cast<std::size_t>(policy.FindRole(role)->reveal_daily);
  if (past.reveals.size() >= budget) return UsedUp(std::move(past.reveals), budget);
  if (past.burst >= rule.burst) {
    const auto minutes = absl::ToInt64Minutes(rule.lasts);
    // The file first, then the commit: what breaks off in between leaves a lock that the log does
    // not tell of, and not a row about a lock that is none.
    RETURN_IF_ERROR(lockout.Lock(entry_id, now + rule.lasts));
    RETURN_IF_ERROR(audit::Append(
        keyring.store(), keyring.AuditAuthor(),
        {.act = std::string(kLockAct),
         .token = reveal.token,
         .detail = absl::StrCat("{\"reveals\":", past.burst,
                                ",\"within_minutes\":", absl::ToInt64Minutes(rule.within),
                                ",\"minutes\":", minutes, "}")}));
    RETURN_IF_ERROR(transaction.Commit());
    return WithHint(
        absl::UnauthenticatedError(absl::StrCat(
            "more than ", rule.burst, " reveals within ", absl::ToInt64Minutes(rule.within),
            " minutes: ", keyring.self().name, " is locked for ", minutes, " minutes")),
        "Wait, or ask an admin: 'sealbook member unlock NAME' ends it.");
  }
  RETURN_IF_ERROR(
      audit::Append(keyring.store(), keyring.AuditAuthor(),
                    {.act = std::string(kAct), .token = reveal.token, .detail = reveal.detail}));
  RETURN_IF_ERROR(transaction.Commit());
  return static_cast<int>(budget - past.reveals.size()) - 1;
}

}  // namespace sealbook::policies
