#include "policies/factor_standing.h"

#include <algorithm>
#include <bit>

#include "vault/status.h"

namespace sealbook::policies {
namespace {

using keyring::Agreement;
using keyring::Enrollment;
using keyring::FactorRecord;
using keyring::FactorWalk;

bool MayAgree(const Policy& policy, const keyring::Member& member) {
  const RoleRule* role = policy.FindRole(member.role);
  return member.active && member.kind == keyring::MemberKind::kPerson && role != nullptr &&
         role->May("members");
}

bool HasConfirmed(const FactorRecord& record) {
  return record.totp || (record.next && record.next->confirmed());
}

// Who is asked, and by which rules.
struct Asked {
  const keyring::Roster& roster;
  const Policy& policy;
};

// Whose agreement to this document is beside it; 0: nobody's who still may agree. Who may not any
// more could have dated it back, and its row of the log with it.
MemberId AgreedBeside(const Asked& asked, const FactorRecord& record, const crypto::Hash256& hash,
                      const FactorWalk* walk) {
  if (!record.agreement || record.agreement->enrollment != hash) return MemberId{};
  if (walk != nullptr && !walk->agreed) return MemberId{};
  const keyring::Member* signer = asked.roster.FindMember(record.agreement->signer);
  return signer != nullptr && MayAgree(asked.policy, *signer) ? signer->id : MemberId{};
}

bool IsAgreed(const Asked& asked, const FactorRecord& record, bool next, const FactorWalk* walk) {
  const Enrollment& enrollment = next ? *record.next : *record.totp;
  if (enrollment.agreement == Agreement::kNobodyThere) return true;
  if (!next && record.state->agreed != MemberId{}) return true;
  return AgreedBeside(asked, record, next ? record.state->next : record.state->totp, walk) !=
         MemberId{};
}

// Has one that counts whoever else is there.
bool IsFull(const Asked& asked, const FactorRecord& record, const FactorWalk* walk) {
  return (record.totp && IsAgreed(asked, record, false, walk)) ||
         (record.next && record.next->confirmed() && IsAgreed(asked, record, true, walk));
}

struct Agreer {
  MemberId id{};
  bool full = false, sound = true;
};

// All who may agree and have a confirmed enrolment.
absl::StatusOr<std::vector<Agreer>> Agreers(keyring::Keyring& keyring, const Policy& policy) {
  std::vector<Agreer> out;
  for (const keyring::Member& member : keyring.roster().members) {
    if (!MayAgree(policy, member)) continue;
    const auto record = keyring::LoadFactors(keyring, member);
    absl::Status sound = record.status();
    if (sound.ok() && !record->state) sound = keyring::CheckNeverEnrolled(keyring, member.id);
    if (absl::IsDataLoss(sound)) {
      // Never "no factor": otherwise whoever damages or deletes it makes others' need nobody's
      // agreement, and could put it back unseen.
      out.push_back({.id = member.id, .full = true, .sound = false});
      continue;
    }
    RETURN_IF_ERROR(sound);
    if (HasConfirmed(*record))
      out.push_back({.id = member.id,
                     .full = IsFull({keyring.roster(), policy}, *record, nullptr),
                     .sound = true});
  }
  return out;
}

bool AnyFullBut(const std::vector<Agreer>& agreers, MemberId member) {
  return std::any_of(agreers.begin(), agreers.end(),
                     [&](const Agreer& agreer) { return agreer.full && agreer.id != member; });
}

std::optional<FactorItem> DescribeTotp(const Standing& standing, bool next) {
  const auto& enrollment = next ? standing.record.next : standing.record.totp;
  if (!enrollment) return std::nullopt;
  const bool counts = standing.counts == (next ? Standing::Counts::kNext : Standing::Counts::kTotp);
  // What a newer one has replaced is of no more use.
  if (!next && standing.counts == Standing::Counts::kNext) return std::nullopt;
  return FactorItem{.id = enrollment->Id(),
                    .member = standing.record.member.id,
                    .kind = "totp",
                    .status = counts                    ? FactorStatus::kActive
                              : enrollment->confirmed() ? FactorStatus::kWaiting
                                                        : FactorStatus::kUnconfirmed,
                    .enrolled = absl::FromUnixMillis(enrollment->begun_ms),
                    .codes_left = std::nullopt};
}

absl::Status Describe(keyring::Keyring& keyring, const Policy& policy,
                      const keyring::Member& member, std::vector<FactorItem>& out) {
  ASSIGN_OR_RETURN(const FactorRecord record, keyring::LoadFactors(keyring, member));
  std::optional<FactorWalk> walk;
  // Of one's own it can be told whether they are the newest.
  if (record.state && member.id == keyring.bundle().member) {
    ASSIGN_OR_RETURN(walk, keyring::WalkFactorLog(keyring, record));
  }
  ASSIGN_OR_RETURN(const Standing standing,
                   StandingOf(keyring, policy, record, walk ? &*walk : nullptr));
  for (const bool next : {false, true}) {
    if (auto item = DescribeTotp(standing, next)) out.push_back(*std::move(item));
  }
  if (record.recovery) {
    out.push_back(
        {.id = record.recovery->Id(),
         .member = member.id,
         .kind = "recovery",
         .status = standing.counting() != nullptr ? FactorStatus::kActive : FactorStatus::kWaiting,
         .enrolled = absl::FromUnixMillis(record.recovery->made_ms),
         .codes_left = keyring::kRecoveryCodes - std::popcount(record.state->spent)});
  }
  return absl::OkStatus();
}

}  // namespace

bool IsFactorAdmin(const Policy& policy, const keyring::Member& member) {
  const RoleRule* role = policy.FindRole(member.role);
  return role != nullptr &&
         (role->May("members") || role->May("books") || role->May("policy") || role->May("export"));
}

absl::StatusOr<Standing> StandingOf(keyring::Keyring& keyring, const Policy& policy,
                                    const FactorRecord& record, const FactorWalk* walk) {
  Standing standing{.record = record};
  if (!record.state || !HasConfirmed(record)) return standing;
  const bool may_ask = policy.factors().countersign && IsFactorAdmin(policy, record.member);
  // Whether somebody is there who has to agree. Not looked for where nobody has to: it may take
  // reading the whole log.
  std::optional<bool> asks;
  const Asked asked{keyring.roster(), policy};
  for (const bool next : {true, false}) {
    const std::optional<Enrollment>& enrollment = next ? record.next : record.totp;
    if (!enrollment || !enrollment->confirmed()) continue;
    const bool agreed = !may_ask || IsAgreed(asked, record, next, walk);
    if (!agreed && !asks) {
      ASSIGN_OR_RETURN(const std::vector<Agreer> agreers, Agreers(keyring, policy));
      asks = AnyFullBut(agreers, record.member.id);
    }
    if (!agreed && *asks) {
      standing.waits |= next || standing.counts == Standing::Counts::kNone;
      continue;
    }
    standing.counts = next ? Standing::Counts::kNext : Standing::Counts::kTotp;
    standing.agreed =
        AgreedBeside(asked, record, next ? record.state->next : record.state->totp, walk);
    break;
  }
  return standing;
}

absl::StatusOr<bool> AnybodyCouldAgree(keyring::Keyring& keyring, const Policy& policy,
                                       MemberId asker, bool sound_only) {
  ASSIGN_OR_RETURN(const std::vector<Agreer> agreers, Agreers(keyring, policy));
  return std::any_of(agreers.begin(), agreers.end(), [&](const Agreer& agreer) {
    return agreer.id != asker && (agreer.sound || !sound_only) &&
           (agreer.full || !AnyFullBut(agreers, agreer.id));
  });
}

absl::StatusOr<std::optional<keyring::RemovalRequest>> RemovalOf(keyring::Keyring& keyring,
                                                                 const Policy& policy,
                                                                 const keyring::Member& member) {
  ASSIGN_OR_RETURN(const auto removal, keyring::LoadRemoval(keyring, member.id));
  if (!removal) return std::nullopt;
  const keyring::Member* asker = keyring.roster().FindMember(removal->asker);
  const bool may =
      asker != nullptr && asker->active && (asker->id == member.id || MayAgree(policy, *asker));
  const auto record = keyring::LoadFactors(keyring, member);
  if (!record.ok() && !absl::IsDataLoss(record.status())) return record.status();
  const bool unsound = !record.ok() || !record->state;
  const bool same = unsound ? removal->enrollment == keyring::kNoFactor
                            : removal->enrollment != keyring::kNoFactor &&
                                  (removal->enrollment == record->state->totp ||
                                   removal->enrollment == record->state->next);
  if (!may || !same) return std::nullopt;
  return removal;
}

absl::string_view NameOf(FactorStatus status) {
  switch (status) {
    case FactorStatus::kUnconfirmed:
      return "unconfirmed";
    case FactorStatus::kWaiting:
      return "waiting";
    case FactorStatus::kActive:
      return "active";
    case FactorStatus::kDamaged:
      break;
  }
  return "damaged";
}

absl::StatusOr<std::vector<FactorItem>> ListFactors(keyring::Keyring& keyring, const Policy& policy,
                                                    std::optional<MemberId> whose) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  std::vector<FactorItem> out;
  for (const keyring::Member& member : keyring.roster().members) {
    if (!member.active || (whose && member.id != *whose)) continue;
    const auto damaged = [&](absl::Status status) {
      if (absl::IsDataLoss(status)) {
        out.push_back({.id = "",
                       .member = member.id,
                       .kind = "totp",
                       .status = FactorStatus::kDamaged,
                       .enrolled = absl::UnixEpoch(),
                       .codes_left = std::nullopt});
        status = absl::OkStatus();
      }
      return status;
    };
    RETURN_IF_ERROR(damaged(Describe(keyring, policy, member, out)));
    const auto removal = RemovalOf(keyring, policy, member);
    RETURN_IF_ERROR(damaged(removal.status()));
    if (removal.ok() && *removal) {
      out.push_back({.id = (*removal)->Id(),
                     .member = member.id,
                     .kind = "removal",
                     .status = FactorStatus::kWaiting,
                     .enrolled = absl::FromUnixMillis((*removal)->time_ms),
                     .codes_left = std::nullopt});
    }
  }
  return out;
}

}  // namespace sealbook::policies
