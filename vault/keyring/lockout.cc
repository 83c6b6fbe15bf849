#include "vault/keyring/lockout.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr std::size_t kMaxPending = 1000;
constexpr std::size_t kMaxEntries = 10000;
constexpr mode_t kMode = 0660;

struct Count {
  int failures = 0;
  absl::Time last;
};

struct State {
  LockoutLimits limits;
  std::map<std::string, Count> counts;
  std::map<std::string, absl::Time> locks;  // until when
  std::vector<FailedUnlock> pending;
};

std::int64_t IntOf(const nlohmann::json& json, const char* key, std::int64_t otherwise) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : otherwise;
}

// A file that is missing or cannot be read counts as empty with the default limits: it protects
// nothing that its writer could not reset, and must not lock everybody out.
State Load(const std::string& path) {
  State state;
  const auto text = ReadSmallFile(path, kMaxBytes);
  if (!text.ok()) return state;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return state;
  state.limits.after = static_cast<int>(std::clamp<std::int64_t>(IntOf(json, "after", 5), 1, 100));
  state.limits.lasts =
      absl::Seconds(std::clamp<std::int64_t>(IntOf(json, "seconds", 900), 1, 86400));
  if (const auto counts = json.find("counts"); counts != json.end() && counts->is_object()) {
    for (const auto& [id, value] : counts->items()) {
      if (!value.is_object()) continue;
      state.counts[id] = {.failures = static_cast<int>(
                              std::clamp<std::int64_t>(IntOf(value, "failures", 0), 0, 1000000)),
                          .last = absl::FromUnixMillis(IntOf(value, "last_ms", 0))};
    }
  }
  if (const auto locks = json.find("locks"); locks != json.end() && locks->is_object()) {
    for (const auto& [id, until] : locks->items()) {
      if (until.is_number_integer())
        state.locks[id] = absl::FromUnixMillis(until.get<std::int64_t>());
    }
  }
  if (const auto pending = json.find("pending"); pending != json.end() && pending->is_array()) {
    for (const auto& value : *pending) {
      if (!value.is_object() || !value.contains("entry") || !value["entry"].is_string()) continue;
      state.pending.push_back({.entry_id = value["entry"].get<std::string>(),
                               .time = absl::FromUnixMillis(IntOf(value, "time_ms", 0))});
    }
  }
  return state;
}

absl::Status Save(const std::string& path, const State& state) {
  nlohmann::ordered_json json = {{"after", state.limits.after},
                                 {"seconds", absl::ToInt64Seconds(state.limits.lasts)}};
  auto& counts = json["counts"] = nlohmann::ordered_json::object();
  for (const auto& [id, count] : state.counts) {
    counts[id] = {{"failures", count.failures}, {"last_ms", absl::ToUnixMillis(count.last)}};
  }
  auto& locks = json["locks"] = nlohmann::ordered_json::object();
  for (const auto& [id, until] : state.locks) locks[id] = absl::ToUnixMillis(until);
  auto& pending = json["pending"] = nlohmann::ordered_json::array();
  for (const FailedUnlock& failure : state.pending) {
    pending.push_back({{"entry", failure.entry_id}, {"time_ms", absl::ToUnixMillis(failure.time)}});
  }
  return ReplaceFile(path, json.dump(1) + "\n", kMode);
}

// "3 more minutes"; a part of one counts.
std::string MoreMinutes(absl::Duration left) {
  const auto minutes = absl::ToInt64Minutes(left) + 1;
  return absl::StrCat(minutes, minutes == 1 ? " more minute" : " more minutes");
}

absl::Status CheckLockIn(const State& state, const std::string& entry_id, absl::Time now) {
  const auto at = state.locks.find(entry_id);
  if (at == state.locks.end() || now >= at->second) return absl::OkStatus();
  return WithHint(absl::UnauthenticatedError(absl::StrCat("locked after a burst of reveals, for ",
                                                          MoreMinutes(at->second - now))),
                  "Wait, or ask an admin: 'sealbook member unlock NAME' ends it.");
}

}  // namespace

absl::StatusOr<std::optional<FileLock>> Lockout::WaitForTurn(const std::string& entry_id) {
  if (!Load(path_).counts.contains(entry_id)) return std::nullopt;
  ASSIGN_OR_RETURN(FileLock turn, FileLock::Take(path_ + ".turn", kMode));
  return std::make_optional(std::move(turn));
}

absl::StatusOr<absl::Duration> Lockout::Admit(const std::string& entry_id, absl::Time now) {
  const State state = Load(path_);
  RETURN_IF_ERROR(CheckLockIn(state, entry_id, now));
  const auto at = state.counts.find(entry_id);
  if (at == state.counts.end() || at->second.failures == 0) return absl::ZeroDuration();
  const Count& count = at->second;
  // A clock set back must not open the lock: the wait counts from now then.
  const absl::Time last = std::min(count.last, now);
  if (count.failures >= state.limits.after && now < last + state.limits.lasts) {
    return WithHint(absl::UnauthenticatedError(
                        absl::StrCat("locked out after ", count.failures, " wrong tries, for ",
                                     MoreMinutes(last + state.limits.lasts - now))),
                    "Wait, and look for the right passphrase; every try is in the audit log.");
  }
  // 0.5 s, 1 s, 2 s, … after each wrong one.
  const absl::Duration wait = absl::Milliseconds(250) * (1 << std::min(count.failures, 5));
  return std::max(absl::ZeroDuration(), last + wait - now);
}

absl::Status Lockout::RecordFailure(const std::string& entry_id, absl::Time now) {
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  State state = Load(path_);
  if (!entry_id.empty() && state.counts.size() < kMaxEntries) {
    Count& count = state.counts[entry_id];
    // The lock has run out: counting begins anew.
    if (count.failures >= state.limits.after && now >= count.last + state.limits.lasts)
      count.failures = 0;
    ++count.failures;
    count.last = now;
  }
  if (state.pending.size() < kMaxPending) state.pending.push_back({entry_id, now});
  return Save(path_, state);
}

absl::StatusOr<std::vector<FailedUnlock>> Lockout::RecordSuccess(const std::string& entry_id) {
  // Nothing to forget in the ordinary case, which must not cost two fsyncs.
  State state = Load(path_);
  if (!state.counts.contains(entry_id) && state.pending.empty()) return std::vector<FailedUnlock>{};
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  state = Load(path_);
  if (state.counts.erase(entry_id) > 0) RETURN_IF_ERROR(Save(path_, state));
  return state.pending;
}

absl::Status Lockout::ForgetPending(std::size_t count) {
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  State state = Load(path_);
  state.pending.erase(
      state.pending.begin(),
      state.pending.begin() + static_cast<std::ptrdiff_t>(std::min(count, state.pending.size())));
  return Save(path_, state);
}

absl::Status Lockout::Lock(const std::string& entry_id, absl::Time until) {
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  State state = Load(path_);
  absl::Time& end = state.locks.try_emplace(entry_id, until).first->second;
  end = std::max(end, until);
  return Save(path_, state);
}

absl::Status Lockout::CheckLock(const std::string& entry_id, absl::Time now) {
  return CheckLockIn(Load(path_), entry_id, now);
}

absl::StatusOr<bool> Lockout::Unlock(const std::string& entry_id) {
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  State state = Load(path_);
  const std::size_t found = state.locks.erase(entry_id) + state.counts.erase(entry_id);
  if (found > 0) RETURN_IF_ERROR(Save(path_, state));
  return found > 0;
}

absl::Status Lockout::SetLimits(const LockoutLimits& limits) {
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock", kMode));
  State state = Load(path_);
  state.limits = limits;
  return Save(path_, state);
}

}  // namespace sealbook::keyring
