#include "vault/keyring/second_factor.h"

#include <algorithm>

#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kTotpLabel = "sealbook/factor-totp/1";
constexpr absl::string_view kSecretLabel = "sealbook/factor-secret/1";
constexpr absl::string_view kRecoveryLabel = "sealbook/factor-recovery/1";
constexpr absl::string_view kCodesLabel = "sealbook/factor-codes/1";
constexpr absl::string_view kStateLabel = "sealbook/factor-state/1";
constexpr absl::string_view kAgreementLabel = "sealbook/factor-agreement/1";
constexpr absl::string_view kRemovalLabel = "sealbook/factor-removal/1";

constexpr std::size_t kBoxOverheadBytes = 48;  // of a sealed box
constexpr std::size_t LengthOf(absl::string_view label) { return 4 + label.size(); }
constexpr std::size_t kSealedSecretBytes =
    LengthOf(kSecretLabel) + 16 + 4 + kTotpSecretBytes + kBoxOverheadBytes;
constexpr std::size_t kSealedCodesBytes =
    LengthOf(kCodesLabel) + 16 + 4 + 16 + kRecoveryCodes * 32 + kBoxOverheadBytes;

std::uint32_t Number(MemberId member) { return static_cast<std::uint32_t>(member); }

void WriteOwner(crypto::ByteWriter& out, absl::string_view label, const FactorOwner& owner) {
  out.Text(label).Raw(owner.vault).U32(Number(owner.member));
  out.Raw(owner.exchange.bytes).Raw(owner.verify.bytes);
}

// Whether what follows is a document of this label and owner.
bool ReadOwner(crypto::ByteReader& in, absl::string_view label, const FactorOwner& owner) {
  const bool right = in.Text() == label;
  FactorOwner read;
  read.vault = in.Array<16>();
  read.member = MemberId{in.U32()};
  read.exchange.bytes = in.Array<32>();
  read.verify.bytes = in.Array<32>();
  return right && read == owner;
}

absl::Status DoesNotCount(absl::string_view what) {
  return WithHint(absl::DataLossError(std::string(what)),
                  "Somebody changed the vault's files. An admin removes the factor with 'sealbook "
                  "factor remove --member NAME', and it is enrolled anew.");
}

crypto::Bytes WithSignature(crypto::Bytes body, absl::string_view label,
                            const crypto::SigningPair& pair) {
  const crypto::Signature signature = pair.Sign(label, body);
  body.insert(body.end(), signature.begin(), signature.end());
  return body;
}

bool IsSigned(ByteView document, absl::string_view label, const crypto::VerifyKey& key) {
  crypto::Signature signature;
  if (document.size() < signature.size()) return false;
  const std::size_t size = document.size() - signature.size();
  std::copy(document.begin() + static_cast<std::ptrdiff_t>(size), document.end(),
            signature.begin());
  return crypto::Verify(key, label, document.first(size), signature);
}

// The end of every parser: all was read, it is of the right kind and owner, and it is signed.
absl::Status Finish(crypto::ByteReader& in, bool right, ByteView document, absl::string_view label,
                    const crypto::VerifyKey& key) {
  in.Raw(sizeof(crypto::Signature));
  if (!in.Finish("a second factor").ok() || !right)
    return DoesNotCount("a second factor's document is none, or of somebody else");
  if (!IsSigned(document, label, key))
    return DoesNotCount("a second factor's document was altered: its signature is wrong");
  return absl::OkStatus();
}

// Who signs for somebody else's factor: with a role that signs rosters.
const Member* AdminAt(const RosterHistory& history, MemberId id, std::uint64_t version) {
  const Member* member = history.SignerAt(id, version);
  if (member == nullptr) return nullptr;
  const RoleDefinition* role = history.Version(version)->RoleOf(*member);
  return role != nullptr && role->Has(Power::kSignRoster) ? member : nullptr;
}

// What stays the same when an enrolment is confirmed.
crypto::Bytes Beginning(const Enrollment& enrollment) {
  crypto::ByteWriter out;
  WriteOwner(out, kTotpLabel, enrollment.owner);
  out.U64(static_cast<std::uint64_t>(enrollment.begun_ms)).Raw(enrollment.sealed);
  return out.Take();
}

std::string ShortId(ByteView bytes) {
  const crypto::Hash256 hash = crypto::HashOf("sealbook/factor-id/1", {bytes});
  return crypto::ToHex(ByteView(hash).first(8));
}

crypto::Bytes BodyOf(const RecoverySet& set) {
  crypto::ByteWriter out;
  WriteOwner(out, kRecoveryLabel, set.owner);
  out.U64(static_cast<std::uint64_t>(set.made_ms)).Raw(set.sealed);
  return out.Take();
}

crypto::Bytes BodyOf(const RemovalRequest& request) {
  crypto::ByteWriter out;
  out.Text(kRemovalLabel).Raw(request.vault).U32(Number(request.member));
  out.U32(Number(request.asker)).U64(request.roster_version);
  out.U64(static_cast<std::uint64_t>(request.time_ms)).Raw(request.enrollment);
  return out.Take();
}

// Sealed for `owner`: label, vault, member, and `secret`.
crypto::Bytes SealFor(const FactorOwner& owner, absl::string_view label, ByteView secret) {
  crypto::ByteWriter out;
  out.Text(label).Raw(owner.vault).U32(Number(owner.member)).Raw(secret);
  crypto::Bytes plaintext = out.Take();
  crypto::Bytes sealed = crypto::SealToPublic(owner.exchange, plaintext);
  crypto::Wipe(plaintext.data(), plaintext.size());
  return sealed;
}

absl::StatusOr<crypto::SecretBytes> OpenFor(const FactorOwner& owner, absl::string_view label,
                                            const crypto::ExchangePair& pair, ByteView sealed,
                                            std::size_t size) {
  const auto plaintext = crypto::OpenSealedToPublic(pair, sealed);
  if (!plaintext.ok()) return DoesNotCount("a second factor does not open with its member's key");
  crypto::ByteReader in(plaintext->ExposeBytes());
  const bool right =
      in.Text() == label && in.Array<16>() == owner.vault && MemberId{in.U32()} == owner.member;
  const ByteView secret = in.Raw(size);
  if (!in.Finish("a second factor").ok() || !right)
    return DoesNotCount("a second factor was sealed for something else");
  return crypto::SecretBytes::CopyOf(secret);
}

}  // namespace

crypto::Hash256 HashOfFactor(ByteView document) {
  return crypto::HashOf("sealbook/factor-document/1", {document});
}

crypto::Hash256 HashOfRecoveryCode(const std::array<std::uint8_t, 16>& salt, ByteView code) {
  return crypto::HashOf("sealbook/factor-code/1", {salt, code});
}

std::string Enrollment::Id() const { return ShortId(Beginning(*this)); }

crypto::Bytes Enrollment::Sign(const crypto::SigningPair& pair) const {
  crypto::ByteWriter out;
  out.Raw(Beginning(*this)).U64(static_cast<std::uint64_t>(confirmed_ms));
  out.U8(static_cast<std::uint8_t>(agreement));
  return WithSignature(out.Take(), kTotpLabel, pair);
}

absl::StatusOr<Enrollment> Enrollment::Parse(ByteView document, const FactorOwner& owner) {
  crypto::ByteReader in(document);
  bool right = ReadOwner(in, kTotpLabel, owner);
  Enrollment out{.owner = owner};
  out.begun_ms = static_cast<std::int64_t>(in.U64());
  const ByteView sealed = in.Raw(kSealedSecretBytes);
  out.sealed.assign(sealed.begin(), sealed.end());
  out.confirmed_ms = static_cast<std::int64_t>(in.U64());
  const std::uint8_t agreement = in.U8();
  right &= agreement <= static_cast<std::uint8_t>(Agreement::kNotAsked);
  RETURN_IF_ERROR(Finish(in, right, document, kTotpLabel, owner.verify));
  out.agreement = Agreement{agreement};
  return out;
}

crypto::Bytes SealTotpSecret(const FactorOwner& owner, ByteView secret) {
  return SealFor(owner, kSecretLabel, secret);
}

absl::StatusOr<crypto::SecretBytes> OpenTotpSecret(const crypto::ExchangePair& pair,
                                                   const Enrollment& enrollment) {
  return OpenFor(enrollment.owner, kSecretLabel, pair, enrollment.sealed, kTotpSecretBytes);
}

std::string RecoverySet::Id() const { return ShortId(BodyOf(*this)); }

crypto::Bytes RecoverySet::Sign(const crypto::SigningPair& pair) const {
  return WithSignature(BodyOf(*this), kRecoveryLabel, pair);
}

absl::StatusOr<RecoverySet> RecoverySet::Parse(ByteView document, const FactorOwner& owner) {
  crypto::ByteReader in(document);
  const bool right = ReadOwner(in, kRecoveryLabel, owner);
  RecoverySet out{.owner = owner};
  out.made_ms = static_cast<std::int64_t>(in.U64());
  const ByteView sealed = in.Raw(kSealedCodesBytes);
  out.sealed.assign(sealed.begin(), sealed.end());
  RETURN_IF_ERROR(Finish(in, right, document, kRecoveryLabel, owner.verify));
  return out;
}

crypto::Bytes SealRecoveryHashes(const FactorOwner& owner, const RecoveryHashes& hashes) {
  crypto::ByteWriter out;
  out.Raw(hashes.salt);
  for (const crypto::Hash256& hash : hashes.hashes) out.Raw(hash);
  return SealFor(owner, kCodesLabel, out.bytes());
}

absl::StatusOr<RecoveryHashes> OpenRecoveryHashes(const crypto::ExchangePair& pair,
                                                  const RecoverySet& set) {
  RecoveryHashes out;
  ASSIGN_OR_RETURN(const crypto::SecretBytes plaintext,
                   OpenFor(set.owner, kCodesLabel, pair, set.sealed,
                           out.salt.size() + kRecoveryCodes * sizeof(crypto::Hash256)));
  crypto::ByteReader in(plaintext.ExposeBytes());
  out.salt = in.Array<16>();
  for (crypto::Hash256& hash : out.hashes) hash = in.Array<32>();
  return out;
}

crypto::Bytes FactorState::Sign(const crypto::SigningPair& pair) const {
  crypto::ByteWriter out;
  WriteOwner(out, kStateLabel, owner);
  out.U64(static_cast<std::uint64_t>(time_ms)).U64(last_step);
  out.Raw(totp).Raw(next).Raw(recovery).U16(spent).U32(wrong);
  out.U64(static_cast<std::uint64_t>(locked_until_ms)).U32(Number(agreed));
  out.U64(static_cast<std::uint64_t>(audit_sequence)).Raw(audit_hash);
  return WithSignature(out.Take(), kStateLabel, pair);
}

absl::StatusOr<FactorState> FactorState::Parse(ByteView document, const FactorOwner& owner) {
  crypto::ByteReader in(document);
  const bool right = ReadOwner(in, kStateLabel, owner);
  FactorState out{.owner = owner};
  out.time_ms = static_cast<std::int64_t>(in.U64());
  out.last_step = in.U64();
  out.totp = in.Array<32>();
  out.next = in.Array<32>();
  out.recovery = in.Array<32>();
  out.spent = in.U16();
  out.wrong = in.U32();
  out.locked_until_ms = static_cast<std::int64_t>(in.U64());
  out.agreed = MemberId{in.U32()};
  out.audit_sequence = static_cast<std::int64_t>(in.U64());
  out.audit_hash = in.Array<32>();
  RETURN_IF_ERROR(Finish(in, right, document, kStateLabel, owner.verify));
  return out;
}

crypto::Bytes Countersignature::Sign(const crypto::SigningPair& pair) const {
  crypto::ByteWriter out;
  out.Text(kAgreementLabel).Raw(vault).U32(Number(member)).U32(Number(signer)).U64(roster_version);
  out.U64(static_cast<std::uint64_t>(time_ms)).Raw(enrollment);
  out.U64(static_cast<std::uint64_t>(audit_sequence)).Raw(audit_hash);
  return WithSignature(out.Take(), kAgreementLabel, pair);
}

absl::StatusOr<Countersignature> Countersignature::Parse(ByteView document,
                                                         const RosterHistory& history,
                                                         MemberId member) {
  crypto::ByteReader in(document);
  bool right = in.Text() == kAgreementLabel;
  Countersignature out;
  out.vault = in.Array<16>();
  out.member = MemberId{in.U32()};
  out.signer = MemberId{in.U32()};
  out.roster_version = in.U64();
  out.time_ms = static_cast<std::int64_t>(in.U64());
  out.enrollment = in.Array<32>();
  out.audit_sequence = static_cast<std::int64_t>(in.U64());
  out.audit_hash = in.Array<32>();
  right &= out.vault == history.current().vault && out.member == member && out.signer != member;
  const Member* signer = AdminAt(history, out.signer, out.roster_version);
  if (!right || signer == nullptr)
    return DoesNotCount(
        "the countersignature of a second factor is by somebody who may not give "
        "it, or for somebody else");
  RETURN_IF_ERROR(Finish(in, right, document, kAgreementLabel, signer->verify));
  return out;
}

std::string RemovalRequest::Id() const { return ShortId(BodyOf(*this)); }

crypto::Bytes RemovalRequest::Sign(const crypto::SigningPair& pair) const {
  return WithSignature(BodyOf(*this), kRemovalLabel, pair);
}

absl::StatusOr<RemovalRequest> RemovalRequest::Parse(ByteView document,
                                                     const RosterHistory& history,
                                                     MemberId member) {
  crypto::ByteReader in(document);
  bool right = in.Text() == kRemovalLabel;
  RemovalRequest out;
  out.vault = in.Array<16>();
  out.member = MemberId{in.U32()};
  out.asker = MemberId{in.U32()};
  out.roster_version = in.U64();
  out.time_ms = static_cast<std::int64_t>(in.U64());
  out.enrollment = in.Array<32>();
  right &= out.vault == history.current().vault && out.member == member;
  const Member* asker = out.asker == member ? history.SignerAt(out.asker, out.roster_version)
                                            : AdminAt(history, out.asker, out.roster_version);
  if (!right || asker == nullptr)
    return DoesNotCount(
        "the removal of a second factor was asked for by somebody who may not, or "
        "is about somebody else");
  RETURN_IF_ERROR(Finish(in, right, document, kRemovalLabel, asker->verify));
  return out;
}

}  // namespace sealbook::keyring
