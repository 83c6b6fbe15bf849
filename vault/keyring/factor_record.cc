#include "vault/keyring/factor_record.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

// So many of the newest rows tell what time it is at least.
constexpr int kRowsForTime = 100;
// A bound for a member's rows of kinds that nobody knows, so that a list of them stays small.
constexpr std::size_t kMaxRows = 1000;

absl::Status PutBack(absl::string_view what) {
  return WithHint(
      absl::DataLossError(absl::StrCat("a second factor's rows are not the newest: ", what)),
      "Somebody changed the vault's files. An admin removes the factor with 'sealbook factor "
      "remove --member NAME', and it is enrolled anew.");
}

// Rows of others are believed about a removal where they might remove.
bool MayRemove(Keyring& keyring, const audit::Record& row) {
  const Roster* roster = keyring.history().Version(row.roster_version);
  const Member* member = roster == nullptr ? nullptr : roster->FindMember(row.member);
  if (member == nullptr) return false;
  if (member->kind == MemberKind::kRecovery) return true;
  const RoleDefinition* role = roster->RoleOf(*member);
  return role != nullptr && role->Has(Power::kSignRoster);
}

bool IsAboutFactorsOf(const audit::Record& row, MemberId member) {
  return row.token == audit::TokenOfMember(member) && absl::StartsWith(row.act, kFactorActs);
}

absl::StatusOr<std::optional<crypto::Bytes>> Get(Keyring& keyring, MemberId member,
                                                 FactorKind kind) {
  return keyring.store().GetSecondFactor(member, static_cast<int>(kind));
}

// A document of the member's own, which must be the one that the state names.
template <typename Document>
absl::Status LoadOwn(Keyring& keyring, const FactorOwner& owner, FactorKind kind,
                     const crypto::Hash256* expected, std::optional<Document>& out) {
  ASSIGN_OR_RETURN(const auto document, Get(keyring, owner.member, kind));
  if (expected == nullptr) {
    return document ? PutBack("one says what is spent, and is missing") : absl::OkStatus();
  }
  if (document.has_value() != (*expected != kNoFactor))
    return PutBack(document ? "there is one too many" : "one is missing");
  if (!document) return absl::OkStatus();
  if (HashOfFactor(*document) != *expected) return PutBack("one is another than the last");
  ASSIGN_OR_RETURN(out, Document::Parse(*document, owner));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FactorRecord> LoadFactors(Keyring& keyring, const Member& member) {
  FactorRecord record{.member = member};
  const FactorOwner owner = record.Owner(keyring.roster());
  ASSIGN_OR_RETURN(const auto state, Get(keyring, member.id, FactorKind::kState));
  if (state) {
    ASSIGN_OR_RETURN(record.state, FactorState::Parse(*state, owner));
    record.state_hash = HashOfFactor(*state);
  }
  const auto named = [&](crypto::Hash256 FactorState::*which) {
    return record.state ? &((*record.state).*which) : nullptr;
  };
  RETURN_IF_ERROR(
      LoadOwn(keyring, owner, FactorKind::kTotp, named(&FactorState::totp), record.totp));
  RETURN_IF_ERROR(
      LoadOwn(keyring, owner, FactorKind::kNext, named(&FactorState::next), record.next));
  RETURN_IF_ERROR(LoadOwn(keyring, owner, FactorKind::kRecovery, named(&FactorState::recovery),
                          record.recovery));
  if (record.totp && !record.totp->confirmed()) return PutBack("one was never confirmed");
  ASSIGN_OR_RETURN(const auto agreement, Get(keyring, member.id, FactorKind::kAgreement));
  if (agreement) {
    ASSIGN_OR_RETURN(record.agreement,
                     Countersignature::Parse(*agreement, keyring.history(), member.id));
  }
  return record;
}

absl::StatusOr<std::optional<RemovalRequest>> LoadRemoval(Keyring& keyring, MemberId member) {
  ASSIGN_OR_RETURN(const auto document, Get(keyring, member, FactorKind::kRemoval));
  if (!document) return std::nullopt;
  return RemovalRequest::Parse(*document, keyring.history(), member);
}

absl::StatusOr<FactorWalk> WalkFactorLog(Keyring& keyring, const FactorRecord& record,
                                         const FactorWalk* before) {
  const MemberId self = record.member.id;
  const audit::KeyOf key_of = keyring.SignerKeys();
  FactorWalk walk{.state = record.state_hash, .head = {}, .newest = absl::InfinitePast()};
  const bool goes_on = before != nullptr && before->state == record.state_hash;
  if (goes_on) {
    walk.newest = before->newest;
    walk.agreed = before->agreed;
  }
  // Behind this row nothing is looked for: the state's own, or where an earlier walk began.
  const audit::Head end = goes_on ? before->head
                          : record.state
                              ? audit::Head{record.state->audit_sequence, record.state->audit_hash}
                              : audit::Head{};
  bool reached = !record.state && !goes_on;
  int rows = 0;
  const auto visit = [&](const audit::Record& row) -> absl::StatusOr<bool> {
    if (++rows == 1) walk.head = {.sequence = row.sequence, .hash = row.hash};
    if (rows <= kRowsForTime)
      walk.newest = std::max(walk.newest, absl::FromUnixMillis(row.time_ms));
    if (row.sequence == end.sequence) {
      if (row.hash != end.hash) return PutBack("the log has another row in the place of theirs");
      reached = true;
    }
    if (!reached && IsAboutFactorsOf(row, self)) {
      // Signed by who is named, or it is damage of another kind, which ends here as well.
      RETURN_IF_ERROR(audit::CheckSignature(row, key_of));
      if (row.member == self) return PutBack("the log knows of newer ones");
      if (row.act == kFactorRemoveAct && MayRemove(keyring, row))
        return PutBack("they were removed since");
      if (record.agreement && row.act == kFactorApproveAct &&
          row.member == record.agreement->signer &&
          row.sequence == record.agreement->audit_sequence &&
          row.hash == record.agreement->audit_hash) {
        walk.agreed = true;
      }
    }
    return !reached || (!goes_on && rows < kRowsForTime);
  };
  RETURN_IF_ERROR(audit::EachBack(keyring.store(), visit));
  if (!reached) return PutBack("the log does not reach back to them");
  return walk;
}

absl::Status CheckNeverEnrolled(Keyring& keyring, MemberId member) {
  return audit::EachBack(keyring.store(), [&](const audit::Record& row) -> absl::StatusOr<bool> {
    if (!IsAboutFactorsOf(row, member)) return true;
    if (row.member != member && !MayRemove(keyring, row)) return true;
    if (row.act != kFactorRemoveAct) {
      // What others only asked for, or agreed to, tells nothing.
      if (row.member != member) return true;
      return PutBack("the log knows of one, and there is none");
    }
    RETURN_IF_ERROR(audit::CheckSignature(row, keyring.SignerKeys()));
    return false;
  });
}

absl::Status PutFactorState(Keyring& keyring, FactorState& state,
                            std::vector<audit::Event> events) {
  for (audit::Event& event : events) {
    event.token = audit::TokenOfMember(keyring.bundle().member);
    RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), event));
  }
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
  state.audit_sequence = head.sequence;
  state.audit_hash = head.hash;
  return PutFactor(keyring, keyring.bundle().member, FactorKind::kState,
                   state.Sign(keyring.bundle().signing));
}

absl::Status PutFactor(Keyring& keyring, MemberId member, FactorKind kind, ByteView document) {
  return keyring.store().PutSecondFactor(member, static_cast<int>(kind), document);
}

absl::Status DeleteFactor(Keyring& keyring, MemberId member, FactorKind kind) {
  return keyring.store().DeleteSecondFactor(member, static_cast<int>(kind));
}

absl::StatusOr<bool> DeleteFactors(Keyring& keyring, MemberId member) {
  std::vector<int> kinds;
  RETURN_IF_ERROR(
      keyring.store().EachSecondFactor([&](MemberId whose, int kind, ByteView) -> absl::Status {
        if (whose == member && kinds.size() < kMaxRows) kinds.push_back(kind);
        return absl::OkStatus();
      }));
  for (const int kind : kinds) RETURN_IF_ERROR(keyring.store().DeleteSecondFactor(member, kind));
  return !kinds.empty();
}

absl::StatusOr<bool> DropFactors(Keyring& keyring, MemberId member, absl::string_view detail) {
  ASSIGN_OR_RETURN(bool dropped, DeleteFactors(keyring, member));
  if (!dropped) {
    // Rows that somebody deleted before: without a row of their removal nobody enrols again.
    const absl::Status never = CheckNeverEnrolled(keyring, member);
    if (never.ok()) return false;
    if (!absl::IsDataLoss(never)) return never;
  }
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(),
                                {.act = std::string(kFactorRemoveAct),
                                 .token = audit::TokenOfMember(member),
                                 .detail = std::string(detail)}));
  return true;
}

}  // namespace sealbook::keyring
