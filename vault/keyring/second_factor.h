// The documents of second factors: signed bytes, one a member and kind (docs/format.md, "Second
// factors"). What they mean, and when a code is right, is for policies/second_factor.h; which of
// them count, for factor_record.h.
//
// Those of a member's own are bound to the vault, the member and both of the member's public keys,
// and signed by that member: of another member, or from before new keys, they are DataLoss.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/keyring/roster.h"

namespace sealbook::keyring {

// Rows of the table `second_factor`. Numbers are permanent.
enum class FactorKind : int {
  kTotp = 1,       // the enrolment that counts, or counted before the next one does
  kNext = 2,       // one that nobody has confirmed yet, or that waits for a countersignature
  kRecovery = 3,   // recovery codes
  kState = 4,      // what is spent
  kAgreement = 5,  // another admin's countersignature
  kRemoval = 6,    // a removal that waits for a countersignature
};
inline constexpr FactorKind kFactorKinds[] = {FactorKind::kTotp,      FactorKind::kNext,
                                              FactorKind::kRecovery,  FactorKind::kState,
                                              FactorKind::kAgreement, FactorKind::kRemoval};

inline constexpr std::size_t kTotpSecretBytes = 20;  // RFC 4226, R6: 160 bits recommended
inline constexpr int kRecoveryCodes = 10;

// Whose a document is, by the keys that the roster names today.
struct FactorOwner {
  VaultId vault{};
  MemberId member{};
  crypto::ExchangePublic exchange;
  crypto::VerifyKey verify;

  static FactorOwner Of(const Roster& roster, const Member& member) {
    return {roster.vault, member.id, member.exchange, member.verify};
  }
  friend bool operator==(const FactorOwner&, const FactorOwner&) = default;
};

// Of a whole document, with its signature.
crypto::Hash256 HashOfFactor(ByteView document);
inline constexpr crypto::Hash256 kNoFactor{};

// Whether somebody else had to agree, as it was when the enrolment was confirmed.
enum class Agreement : std::uint8_t {
  kUnconfirmed = 0,
  kNeeded = 1,
  kNobodyThere = 2,  // an admin, and there was no other one with a factor
  kNotAsked = 3,     // no admin, or the policy asked for none
};

// An authenticator's secret.
struct Enrollment {
  FactorOwner owner;
  std::int64_t begun_ms = 0;  // Unix time, as all times here
  crypto::Bytes sealed;       // to the member: SealTotpSecret
  std::int64_t confirmed_ms = 0;
  Agreement agreement = Agreement::kUnconfirmed;

  bool confirmed() const { return agreement != Agreement::kUnconfirmed; }
  // 16 hexadecimal digits, the same before and after it is confirmed; another secret has another.
  std::string Id() const;
  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
  // DataLoss: not an enrolment, not of `owner`, or not signed by them.
  static absl::StatusOr<Enrollment> Parse(ByteView document, const FactorOwner& owner);
};
crypto::Bytes SealTotpSecret(const FactorOwner& owner, ByteView secret);
// DataLoss: not sealed to this member.
absl::StatusOr<crypto::SecretBytes> OpenTotpSecret(const crypto::ExchangePair& pair,
                                                   const Enrollment& enrollment);

// What a set of recovery codes is checked against.
struct RecoveryHashes {
  std::array<std::uint8_t, 16> salt{};
  std::array<crypto::Hash256, kRecoveryCodes> hashes{};
};
// `code` as it is normalised (policies/one_time_code.h): 80 random bits, which need no slow hash.
crypto::Hash256 HashOfRecoveryCode(const std::array<std::uint8_t, 16>& salt, ByteView code);

struct RecoverySet {
  FactorOwner owner;
  std::int64_t made_ms = 0;
  crypto::Bytes sealed;  // to the member

  std::string Id() const;
  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
  static absl::StatusOr<RecoverySet> Parse(ByteView document, const FactorOwner& owner);
};
crypto::Bytes SealRecoveryHashes(const FactorOwner& owner, const RecoveryHashes& hashes);
absl::StatusOr<RecoveryHashes> OpenRecoveryHashes(const crypto::ExchangePair& pair,
                                                  const RecoverySet& set);

// What is spent, and which documents beside it are the right ones. Written together with an audit
// row, whose place in the log it names: an older state that is put back is missed there.
struct FactorState {
  FactorOwner owner;
  std::int64_t time_ms = 0;
  std::uint64_t last_step = 0;                 // the newest time step that was accepted
  crypto::Hash256 totp{}, next{}, recovery{};  // of the documents; kNoFactor: there is none
  std::uint16_t spent = 0;                     // bit i: recovery code i
  std::uint32_t wrong = 0;                     // codes since the last right one, or the last lock
  std::int64_t locked_until_ms = 0;
  MemberId agreed{};  // who countersigned `totp`, as the log had it; 0: nobody
  std::int64_t audit_sequence = 0;
  crypto::Hash256 audit_hash{};

  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
  static absl::StatusOr<FactorState> Parse(ByteView document, const FactorOwner& owner);
};

// Another admin's word for exactly one confirmed enrolment.
struct Countersignature {
  VaultId vault{};
  MemberId member{};  // whose enrolment
  MemberId signer{};
  std::uint64_t roster_version = 0;  // where the signer's key stands
  std::int64_t time_ms = 0;
  crypto::Hash256 enrollment{};
  std::int64_t audit_sequence = 0;  // of the row that tells of it
  crypto::Hash256 audit_hash{};

  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
  // DataLoss: not one for `member`, or not by another member who was active in the version that it
  // names, with a role that signs rosters. Whether it was given then, only the log tells.
  static absl::StatusOr<Countersignature> Parse(ByteView document, const RosterHistory& history,
                                                MemberId member);
};

// A wish to remove a member's factors, by that member or by an admin.
struct RemovalRequest {
  VaultId vault{};
  MemberId member{};
  MemberId asker{};
  std::uint64_t roster_version = 0;
  std::int64_t time_ms = 0;
  crypto::Hash256 enrollment{};  // the one that it is about: not the next one

  std::string Id() const;
  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
  static absl::StatusOr<RemovalRequest> Parse(ByteView document, const RosterHistory& history,
                                              MemberId member);
};

}  // namespace sealbook::keyring
