#include "policies/factor_enrollment.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "policies/decision.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

using internal::LoadOwn;
using internal::Own;
using internal::Save;
using keyring::Agreement;
using keyring::Enrollment;
using keyring::FactorKind;
using keyring::FactorOwner;
using keyring::FactorState;

absl::Status CodeIsNeeded() {
  return WithHint(absl::UnauthenticatedError("this needs a one-time code of your second factor"),
                  "Give --otp CODE.");
}

audit::Event EventAbout(absl::string_view act, absl::string_view id) {
  return {.act = std::string(act), .detail = keyring::DetailOf({{"id", std::string(id)}})};
}

FactorOwner Self(const keyring::Keyring& keyring) {
  return FactorOwner::Of(keyring.roster(), keyring.self());
}

// Inside the transaction: this member's own, once `code` is spent. Unauthenticated: `needed`, and
// there is none.
absl::StatusOr<Own> LoadForCode(keyring::Keyring& keyring, const Policy& policy,
                                const CheckedCode* code, absl::Time now) {
  if (code != nullptr) RETURN_IF_ERROR(SpendCode(keyring, policy, *code, now));
  return LoadOwn(keyring, policy, now);
}

// When the newest one was confirmed; never: none was.
absl::Time ConfirmedAt(const keyring::FactorRecord& record) {
  absl::Time at = absl::InfinitePast();
  for (const auto& enrollment : {record.totp, record.next}) {
    if (enrollment && enrollment->confirmed())
      at = std::max(at, absl::FromUnixMillis(enrollment->confirmed_ms));
  }
  return at;
}

bool IsFirstSet(const keyring::FactorRecord& record, absl::Time now) {
  return record.state && !record.recovery && now < ConfirmedAt(record) + kFirstRecoveryWithin;
}

absl::Status RequireConfirmed(const keyring::FactorRecord& record) {
  if (ConfirmedAt(record) != absl::InfinitePast()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError("recovery codes stand in for an authenticator, and there is "
                                    "none yet"),
      "Run 'sealbook factor enroll totp' first.");
}

absl::Status NothingWaits() {
  return WithHint(absl::NotFoundError("nothing of this id waits for anybody's agreement"),
                  "'sealbook factor list' shows what waits; an enrolment is confirmed first.");
}

absl::Status NotOnesOwn() {
  return WithHint(absl::PermissionDeniedError("nobody agrees to what they asked for themselves"),
                  "Another admin with a second factor runs 'sealbook factor approve ID'.");
}

// What a removal is about.
struct Removable {
  bool counts = false;
  crypto::Hash256 enrollment = keyring::kNoFactor;  // of what counts; kNoFactor: it is unsound
};

// Of another member it cannot be told whether the rows are the newest: what there is counts, and
// what is unsound does as well. DataLoss: one's own are, and no code pays for their removal.
absl::StatusOr<Removable> WhatToRemove(keyring::Keyring& keyring, const Policy& policy,
                                       const keyring::Member& whose, const Own& own) {
  const bool is_self = whose.id == keyring.bundle().member;
  const auto record = keyring::LoadFactors(keyring, whose);
  absl::Status sound = record.status();
  // Rows that somebody deleted are none that were never there.
  if (sound.ok() && !record->state) sound = keyring::CheckNeverEnrolled(keyring, whose.id);
  if (absl::IsDataLoss(sound) && !is_self) return Removable{.counts = true};
  RETURN_IF_ERROR(sound);
  ASSIGN_OR_RETURN(const Standing standing,
                   StandingOf(keyring, policy, *record, is_self ? &own.walk : nullptr));
  Removable out{.counts = standing.counting() != nullptr};
  if (out.counts) out.enrollment = standing.counting_hash();
  return out;
}

// A removal of what stands in these rows; kNoFactor of what is unsound.
absl::StatusOr<keyring::RemovalRequest> AskForRemoval(keyring::Keyring& keyring, MemberId member,
                                                      const crypto::Hash256& enrollment,
                                                      absl::Time now) {
  const keyring::RemovalRequest request{.vault = keyring.roster().vault,
                                        .member = member,
                                        .asker = keyring.bundle().member,
                                        .roster_version = keyring.roster().version,
                                        .time_ms = absl::ToUnixMillis(now),
                                        .enrollment = enrollment};
  RETURN_IF_ERROR(keyring::PutFactor(keyring, member, FactorKind::kRemoval,
                                     request.Sign(keyring.bundle().signing)));
  return request;
}

}  // namespace

absl::StatusOr<NewTotp> BeginTotp(keyring::Keyring& keyring, const Policy& policy,
                                  const CheckedCode* code, absl::Time now) {
  if (keyring.self().kind != keyring::MemberKind::kPerson) {
    return WithHint(absl::FailedPreconditionError("a service account has no second factor"),
                    "People have one, for what service accounts may not do.");
  }
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
    ASSIGN_OR_RETURN(const auto record, keyring::LoadFactors(keyring, keyring.self()));
    // Not in the transaction below: all of the log may have to be looked through.
    if (!record.state)
      RETURN_IF_ERROR(keyring::CheckNeverEnrolled(keyring, keyring.bundle().member));
  }
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(Own own, LoadForCode(keyring, policy, code, now));
  Standing& standing = own.standing;
  if (standing.counting() != nullptr && code == nullptr) return CodeIsNeeded();

  crypto::SecretBytes secret(keyring::kTotpSecretBytes);
  crypto::FillRandom(secret.ExposeMutable());
  const FactorOwner owner = Self(keyring);
  const Enrollment enrollment{
      .owner = owner,
      .begun_ms = absl::ToUnixMillis(now),
      .sealed = keyring::SealTotpSecret(owner, secret.ExposeBytes()),
  };
  NewTotp out{.id = enrollment.Id(), .base32 = {}, .otpauth = {}};
  ASSIGN_OR_RETURN(out.base32, Base32Of(secret.ExposeBytes()));
  out.otpauth = OtpauthAddress(keyring.self().name, out.base32);

  if (!standing.record.state) standing.record.state = FactorState{.owner = owner};
  std::vector<audit::Event> events = {EventAbout("factor.enroll", out.id)};
  const crypto::Bytes document = enrollment.Sign(keyring.bundle().signing);
  RETURN_IF_ERROR(
      keyring::PutFactor(keyring, keyring.bundle().member, FactorKind::kNext, document));
  // An agreement to an authenticator that waits here no more; not one to `totp`, which may wait.
  if (standing.record.agreement &&
      standing.record.agreement->enrollment != standing.record.state->totp) {
    RETURN_IF_ERROR(
        keyring::DeleteFactor(keyring, keyring.bundle().member, FactorKind::kAgreement));
  }
  standing.record.next = enrollment;
  standing.record.state->next = keyring::HashOfFactor(document);
  RETURN_IF_ERROR(Save(keyring, standing, now, std::move(events)));
  RETURN_IF_ERROR(transaction.Commit());
  return out;
}

absl::StatusOr<ConfirmedTotp> ConfirmTotp(keyring::Keyring& keyring, const Policy& policy,
                                          absl::string_view typed, absl::Time now) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(Own own, LoadOwn(keyring, policy, now));
  Standing& standing = own.standing;
  keyring::FactorRecord& record = standing.record;
  if (!record.next || record.next->confirmed()) {
    return WithHint(absl::FailedPreconditionError("there is no new authenticator to confirm"),
                    "Run 'sealbook factor enroll totp' first.");
  }
  RETURN_IF_ERROR(internal::CheckLock(standing, now));
  ASSIGN_OR_RETURN(const OneTimeCode code, OneTimeCode::Parse(typed));
  if (code.kind() != OneTimeCode::Kind::kTotp) {
    return WithHint(absl::UnauthenticatedError("a recovery code confirms no authenticator"),
                    "Type the six digits that the new authenticator shows.");
  }
  ASSIGN_OR_RETURN(const crypto::SecretBytes secret,
                   keyring::OpenTotpSecret(keyring.bundle().exchange, *record.next));
  // It is a new secret, whatever step the old one was used in.
  ASSIGN_OR_RETURN(const auto step,
                   FindTotpStep(secret.ExposeBytes(), code.text().ExposeBytes(), now, /*last=*/0));
  if (!step) {
    RETURN_IF_ERROR(internal::CountWrong(keyring, policy, standing, now));
    RETURN_IF_ERROR(transaction.Commit());
    return WithHint(
        absl::UnauthenticatedError("the code does not confirm the new authenticator"),
        "Type what it shows now; where it stays wrong, its clock or this machine's is.");
  }
  const bool admin = policy.factors().countersign && IsFactorAdmin(policy, keyring.self());
  bool waits = false;
  if (admin) {
    ASSIGN_OR_RETURN(waits, AnybodyCouldAgree(keyring, policy, keyring.bundle().member));
  }
  record.next->confirmed_ms = absl::ToUnixMillis(now);
  record.next->agreement = !admin  ? Agreement::kNotAsked
                           : waits ? Agreement::kNeeded
                                   : Agreement::kNobodyThere;
  FactorState& state = *record.state;
  const crypto::Bytes document = record.next->Sign(keyring.bundle().signing);
  state.next = keyring::HashOfFactor(document);
  state.last_step = std::max(state.last_step, *step);
  state.wrong = 0;
  const ConfirmedTotp out{.id = record.next->Id(), .waits = waits};
  if (waits) {
    RETURN_IF_ERROR(
        keyring::PutFactor(keyring, keyring.bundle().member, FactorKind::kNext, document));
  } else {
    standing.counts = Standing::Counts::kNext;  // Save puts it in its place
    standing.agreed = MemberId{};
  }
  RETURN_IF_ERROR(Save(keyring, standing, now, {EventAbout("factor.confirm", out.id)}));
  RETURN_IF_ERROR(transaction.Commit());
  return out;
}

absl::StatusOr<bool> IsFirstRecovery(keyring::Keyring& keyring, const Policy& policy,
                                     absl::Time now) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  ASSIGN_OR_RETURN(const Own own, LoadOwn(keyring, policy, now));
  RETURN_IF_ERROR(RequireConfirmed(own.standing.record));
  return IsFirstSet(own.standing.record, now);
}

absl::Status MakeRecoveryCodes(
    keyring::Keyring& keyring, const Policy& policy, const CheckedCode* code, absl::Time now,
    const std::function<absl::Status(const std::vector<crypto::SecretBytes>&)>& show) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(Own own, LoadForCode(keyring, policy, code, now));
  keyring::FactorRecord& record = own.standing.record;
  RETURN_IF_ERROR(RequireConfirmed(record));
  if (code == nullptr && !IsFirstSet(record, now)) return CodeIsNeeded();
  std::vector<crypto::SecretBytes> codes;
  keyring::RecoveryHashes hashes;
  crypto::FillRandom(hashes.salt);
  for (crypto::Hash256& hash : hashes.hashes) {
    codes.push_back(MakeFactorRecoveryCode());
    // As it will be read: what is shown is what is taken.
    ASSIGN_OR_RETURN(const OneTimeCode read, OneTimeCode::Parse(codes.back().ExposeText()));
    hash = keyring::HashOfRecoveryCode(hashes.salt, read.text().ExposeBytes());
  }
  const FactorOwner owner = Self(keyring);
  const keyring::RecoverySet set{.owner = owner,
                                 .made_ms = absl::ToUnixMillis(now),
                                 .sealed = keyring::SealRecoveryHashes(owner, hashes)};
  const crypto::Bytes document = set.Sign(keyring.bundle().signing);
  RETURN_IF_ERROR(
      keyring::PutFactor(keyring, keyring.bundle().member, FactorKind::kRecovery, document));
  record.recovery = set;
  record.state->recovery = keyring::HashOfFactor(document);
  record.state->spent = 0;
  RETURN_IF_ERROR(Save(keyring, own.standing, now, {EventAbout("factor.recovery", set.Id())}));
  RETURN_IF_ERROR(show(codes));
  return transaction.Commit();
}

absl::StatusOr<std::optional<std::string>> RemoveFactors(keyring::Keyring& keyring,
                                                         const Policy& policy, MemberId member,
                                                         const CheckedCode* code, absl::Time now) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  const MemberId self = keyring.bundle().member;
  const keyring::Member* whose = keyring.roster().FindMember(member);
  if (whose == nullptr || !whose->active)
    return WithHint(absl::NotFoundError("there is no active member of this name"),
                    "'sealbook member list' shows the members.");
  if (member != self) RETURN_IF_ERROR(Require(policy, keyring.self().role, Action::kManageMembers));
  ASSIGN_OR_RETURN(Own own, LoadForCode(keyring, policy, code, now));
  if (own.standing.counting() != nullptr && code == nullptr) return CodeIsNeeded();

  ASSIGN_OR_RETURN(const Removable removable, WhatToRemove(keyring, policy, *whose, own));
  bool waits = removable.counts && policy.factors().countersign && IsFactorAdmin(policy, *whose);
  if (waits) {
    // Nobody whose own rows are unsound has a code to agree with.
    ASSIGN_OR_RETURN(waits, AnybodyCouldAgree(keyring, policy, self, /*sound_only=*/true));
  }
  if (waits) {
    ASSIGN_OR_RETURN(const auto request, AskForRemoval(keyring, member, removable.enrollment, now));
    audit::Event event = EventAbout("factor.ask_remove", request.Id());
    if (member == self) {
      RETURN_IF_ERROR(Save(keyring, own.standing, now, {event}));
    } else {
      event.token = audit::TokenOfMember(member);
      RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), event));
    }
    RETURN_IF_ERROR(transaction.Commit());
    return request.Id();
  }
  ASSIGN_OR_RETURN(const bool dropped, keyring::DropFactors(keyring, member, ""));
  if (!dropped) {
    return WithHint(absl::NotFoundError("there is no second factor to remove"),
                    "'sealbook factor list' shows what there is.");
  }
  RETURN_IF_ERROR(transaction.Commit());
  return std::nullopt;
}

absl::StatusOr<Approved> ApproveFactor(keyring::Keyring& keyring, const Policy& policy,
                                       absl::string_view typed_id, const CheckedCode& code,
                                       absl::Time now) {
  const std::string id = absl::AsciiStrToLower(absl::StripAsciiWhitespace(typed_id));
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  const MemberId self = keyring.bundle().member;
  RETURN_IF_ERROR(Require(policy, keyring.self().role, Action::kManageMembers));
  for (const keyring::Member& member : keyring.roster().members) {
    if (!member.active) continue;
    const auto removal = RemovalOf(keyring, policy, member);
    if (!removal.ok() && !absl::IsDataLoss(removal.status())) return removal.status();
    if (removal.ok() && *removal && (*removal)->Id() == id) {
      if ((*removal)->asker == self) return NotOnesOwn();
      RETURN_IF_ERROR(SpendCode(keyring, policy, code, now));
      RETURN_IF_ERROR(keyring::DropFactors(keyring, member.id,
                                           keyring::DetailOf({{"because", "agreed"}, {"id", id}}))
                          .status());
      RETURN_IF_ERROR(transaction.Commit());
      return Approved{.member = member.id, .removal = true};
    }
    const auto record = keyring::LoadFactors(keyring, member);
    if (absl::IsDataLoss(record.status())) continue;
    RETURN_IF_ERROR(record.status());
    ASSIGN_OR_RETURN(const Standing standing, StandingOf(keyring, policy, *record, nullptr));
    if (!standing.waits || standing.waiting()->Id() != id) continue;
    if (member.id == self) return NotOnesOwn();
    RETURN_IF_ERROR(SpendCode(keyring, policy, code, now));
    RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(),
                                  {.act = std::string(keyring::kFactorApproveAct),
                                   .token = audit::TokenOfMember(member.id),
                                   .detail = keyring::DetailOf({{"id", id}})}));
    ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
    const keyring::Countersignature agreement{.vault = keyring.roster().vault,
                                              .member = member.id,
                                              .signer = self,
                                              .roster_version = keyring.roster().version,
                                              .time_ms = absl::ToUnixMillis(now),
                                              .enrollment = standing.waiting_hash(),
                                              .audit_sequence = head.sequence,
                                              .audit_hash = head.hash};
    RETURN_IF_ERROR(keyring::PutFactor(keyring, member.id, FactorKind::kAgreement,
                                       agreement.Sign(keyring.bundle().signing)));
    RETURN_IF_ERROR(transaction.Commit());
    return Approved{.member = member.id, .removal = false};
  }
  return NothingWaits();
}

}  // namespace sealbook::policies
