#include "policies/second_factor.h"

#include "absl/strings/str_cat.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

using keyring::FactorKind;

constexpr absl::string_view kWrongHint =
    "Take the one that the authenticator shows now, and see that this machine's clock is right.";

absl::Status Wrong() {
  return WithHint(absl::UnauthenticatedError("the one-time code is wrong, or out of time"),
                  kWrongHint);
}

absl::Status Used(bool recovery) {
  return recovery
             ? WithHint(absl::UnauthenticatedError("this recovery code was used before"),
                        "Take another of them; each is good for one use.")
             : WithHint(absl::UnauthenticatedError("this one-time code, or a later one, was used "
                                                   "before"),
                        "Wait for the next one, half a minute at most: each is good for one use.");
}

// There is none that counts.
absl::Status Missing(const Standing& standing) {
  if (standing.waits) {
    return WithHint(
        absl::UnauthenticatedError("your second factor waits for another admin to agree"),
        absl::StrCat("They run 'sealbook factor approve ", standing.waiting()->Id(), "'."));
  }
  if (standing.record.next) {
    return WithHint(
        absl::UnauthenticatedError("your second factor was not confirmed with a code yet"),
        "Run 'sealbook factor enroll totp --confirm CODE'.");
  }
  return WithHint(absl::UnauthenticatedError("you have no second factor"),
                  "Run 'sealbook factor enroll totp'.");
}

absl::Status LockedFor(absl::Time until, absl::Time now) {
  const std::int64_t minutes = absl::ToInt64Minutes(until - now + absl::Seconds(59));
  return WithHint(
      absl::UnauthenticatedError(absl::StrCat("your one-time codes are refused for ", minutes,
                                              minutes == 1 ? " minute" : " minutes",
                                              " more, after too many wrong ones")),
      "Wait. Where it was not you who typed them, somebody knows your passphrase: change it.");
}

// Finds what a typed code is: a step, or the index of a recovery code; nullopt: it is wrong.
struct Found {
  std::uint64_t step = 0;
  int index = 0;
  bool used = false;
};
absl::StatusOr<std::optional<Found>> FindTotp(keyring::Keyring& keyring, const Standing& standing,
                                              const OneTimeCode& code, absl::Time now) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes secret,
                   keyring::OpenTotpSecret(keyring.bundle().exchange, *standing.counting()));
  const std::uint64_t last = standing.record.state->last_step;
  ASSIGN_OR_RETURN(const auto step,
                   FindTotpStep(secret.ExposeBytes(), code.text().ExposeBytes(), now, last));
  if (!step) return std::nullopt;
  return Found{.step = *step, .index = 0, .used = *step <= last};
}

absl::StatusOr<std::optional<Found>> FindRecovery(keyring::Keyring& keyring,
                                                  const Standing& standing,
                                                  const OneTimeCode& code) {
  if (!standing.record.recovery) return std::nullopt;
  ASSIGN_OR_RETURN(
      const keyring::RecoveryHashes hashes,
      keyring::OpenRecoveryHashes(keyring.bundle().exchange, *standing.record.recovery));
  const crypto::Hash256 hash = keyring::HashOfRecoveryCode(hashes.salt, code.text().ExposeBytes());
  std::optional<Found> found;
  for (int i = 0; i < keyring::kRecoveryCodes; ++i) {
    if (!crypto::EqualInConstantTime(hash, hashes.hashes[static_cast<std::size_t>(i)])) continue;
    found = Found{.step = 0, .index = i, .used = (standing.record.state->spent >> i & 1) != 0};
  }
  return found;
}

const char* NameOf(OneTimeCode::Kind kind) {
  return kind == OneTimeCode::Kind::kTotp ? "totp" : "recovery";
}

}  // namespace

namespace internal {

absl::StatusOr<Own> LoadOwn(keyring::Keyring& keyring, const Policy& policy, absl::Time now,
                            const keyring::FactorWalk* before) {
  ASSIGN_OR_RETURN(const keyring::FactorRecord record,
                   keyring::LoadFactors(keyring, keyring.self()));
  Own own;
  ASSIGN_OR_RETURN(own.walk, keyring::WalkFactorLog(keyring, record, before));
  const absl::Time newest = own.walk.newest;
  // A code of the past that nobody used would be good again with the clock set back to it.
  const absl::Time latest = now + kClockTolerance;
  if (record.state && absl::FromUnixMillis(record.state->time_ms) > latest) {
    return WithHint(
        absl::UnauthenticatedError(absl::StrCat(
            "this machine's clock is behind your last use of a second factor, which was at ",
            absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixMillis(record.state->time_ms),
                             absl::UTCTimeZone()))),
        "Set the clock; one-time codes need the right time. Where it is right, another machine's "
        "clock was ahead: an admin removes the factor with 'sealbook factor remove --member NAME', "
        "or the owner makes new keys with 'sealbook recover'.");
  }
  if (newest > latest) {
    return WithHint(
        absl::UnauthenticatedError(
            absl::StrCat("this machine's clock is behind the audit log, whose newest row is of ",
                         absl::FormatTime("%Y-%m-%d %H:%M UTC", newest, absl::UTCTimeZone()))),
        "Set the clock; one-time codes need the right time. Where the log is wrong, another "
        "machine's clock was, and a hundred more rows put that right.");
  }
  ASSIGN_OR_RETURN(own.standing, StandingOf(keyring, policy, record, &own.walk));
  return own;
}

absl::Status CheckLock(const Standing& standing, absl::Time now) {
  if (!standing.record.state) return absl::OkStatus();
  const absl::Time until = absl::FromUnixMillis(standing.record.state->locked_until_ms);
  return now < until ? LockedFor(until, now) : absl::OkStatus();
}

absl::Status CountWrong(keyring::Keyring& keyring, const Policy& policy, Standing& standing,
                        absl::Time now) {
  keyring::FactorState& state = *standing.record.state;
  std::vector<audit::Event> events = {{.act = "factor.code", .outcome = "failed"}};
  if (++state.wrong >= static_cast<std::uint32_t>(policy.factors().wrong_codes)) {
    const absl::Duration lasts = policy.factors().locked;
    state.wrong = 0;
    state.locked_until_ms = absl::ToUnixMillis(now + lasts);
    events.push_back({.act = "factor.lock",
                      .detail = absl::StrCat("{\"minutes\":", absl::ToInt64Minutes(lasts), "}")});
  }
  return Save(keyring, standing, now, std::move(events));
}

absl::Status Save(keyring::Keyring& keyring, Standing& standing, absl::Time now,
                  std::vector<audit::Event> events) {
  keyring::FactorRecord& record = standing.record;
  keyring::FactorState& state = *record.state;
  const MemberId self = record.member.id;
  if (standing.counts == Standing::Counts::kNext) {
    RETURN_IF_ERROR(keyring::PutFactor(keyring, self, FactorKind::kTotp,
                                       record.next->Sign(keyring.bundle().signing)));
    RETURN_IF_ERROR(keyring::DeleteFactor(keyring, self, FactorKind::kNext));
    record.totp = std::move(record.next);
    record.next.reset();
    state.totp = state.next;
    state.next = keyring::kNoFactor;
    state.agreed = MemberId{};
    standing.counts = Standing::Counts::kTotp;
  }
  if (standing.counts == Standing::Counts::kTotp && standing.agreed != MemberId{}) {
    state.agreed = standing.agreed;
    RETURN_IF_ERROR(keyring::DeleteFactor(keyring, self, FactorKind::kAgreement));
    record.agreement.reset();
  }
  state.time_ms = absl::ToUnixMillis(now);
  return keyring::PutFactorState(keyring, state, std::move(events));
}

}  // namespace internal

absl::StatusOr<CheckedCode> CheckCode(keyring::Keyring& keyring, const Policy& policy,
                                      absl::string_view typed, absl::Time now) {
  // A first time without the lock: there may be many rows to look through.
  std::optional<keyring::FactorWalk> before;
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
    ASSIGN_OR_RETURN(const internal::Own own, internal::LoadOwn(keyring, policy, now));
    before = own.walk;
  }
  // Checked and counted in one transaction: many tries at once count as many.
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(internal::Own own, internal::LoadOwn(keyring, policy, now, &*before));
  Standing& standing = own.standing;
  if (standing.counting() == nullptr) return Missing(standing);
  RETURN_IF_ERROR(internal::CheckLock(standing, now));
  ASSIGN_OR_RETURN(const OneTimeCode code, OneTimeCode::Parse(typed));
  const bool recovery = code.kind() == OneTimeCode::Kind::kRecovery;
  ASSIGN_OR_RETURN(const std::optional<Found> found, recovery
                                                         ? FindRecovery(keyring, standing, code)
                                                         : FindTotp(keyring, standing, code, now));
  if (!found) {
    RETURN_IF_ERROR(internal::CountWrong(keyring, policy, standing, now));
    RETURN_IF_ERROR(transaction.Commit());
    // One too many says so at once.
    RETURN_IF_ERROR(internal::CheckLock(standing, now));
    return Wrong();
  }
  if (found->used) {
    // Whoever gives it knew it: no guess, and not counted as one.
    RETURN_IF_ERROR(internal::Save(keyring, standing, now,
                                   {{.act = "factor.code",
                                     .outcome = "denied",
                                     .detail = keyring::DetailOf({{"because", "used before"}})}}));
    RETURN_IF_ERROR(transaction.Commit());
    return Used(recovery);
  }
  CheckedCode checked;
  checked.member_ = standing.record.member.id;
  checked.kind_ = code.kind();
  checked.step_ = found->step;
  checked.index_ = found->index;
  checked.document_ = recovery ? standing.record.state->recovery : standing.counting_hash();
  checked.walk_ = own.walk;
  return checked;
}

absl::Status SpendCode(keyring::Keyring& keyring, const Policy& policy, const CheckedCode& code,
                       absl::Time now) {
  if (code.member_ != keyring.bundle().member)
    return absl::InternalError("a one-time code was checked for somebody else");
  ASSIGN_OR_RETURN(internal::Own own, internal::LoadOwn(keyring, policy, now, &code.walk_));
  Standing& standing = own.standing;
  if (standing.counting() == nullptr) return Missing(standing);
  keyring::FactorState& state = *standing.record.state;
  const bool recovery = code.kind_ == OneTimeCode::Kind::kRecovery;
  if (code.document_ != (recovery ? state.recovery : standing.counting_hash())) {
    return WithHint(absl::UnauthenticatedError("your second factor was changed meanwhile"),
                    "Try again, with a code of the new one.");
  }
  if (recovery) {
    const auto bit = static_cast<std::uint16_t>(1u << code.index_);
    if ((state.spent & bit) != 0) return Used(recovery);
    state.spent |= bit;
  } else {
    if (code.step_ <= state.last_step) return Used(recovery);
    state.last_step = code.step_;
  }
  state.wrong = 0;
  return internal::Save(
      keyring, standing, now,
      {{.act = "factor.use", .detail = keyring::DetailOf({{"kind", NameOf(code.kind_)}})}});
}

absl::StatusOr<bool> HasFactor(keyring::Keyring& keyring, const Policy& policy) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  ASSIGN_OR_RETURN(const keyring::FactorRecord record,
                   keyring::LoadFactors(keyring, keyring.self()));
  if (!record.state) return false;
  ASSIGN_OR_RETURN(const keyring::FactorWalk walk, keyring::WalkFactorLog(keyring, record));
  ASSIGN_OR_RETURN(const Standing standing, StandingOf(keyring, policy, record, &walk));
  return standing.counting() != nullptr;
}

}  // namespace sealbook::policies
