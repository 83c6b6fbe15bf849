#include "vault/records/statements.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/random.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kVersion = "roster_version";

bool FindNumber(const audit::Receipt& receipt, absl::string_view fact, std::int64_t& out) {
  const std::string* text = receipt.Find(fact);
  return text != nullptr && absl::SimpleAtoi(*text, &out) && out >= 0;
}

bool FindHash(const audit::Receipt& receipt, absl::string_view fact, crypto::Hash256& out) {
  const std::string* text = receipt.Find(fact);
  if (text == nullptr) return false;
  const auto bytes = crypto::FromHex(*text);
  if (!bytes.ok() || bytes->size() != out.size()) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace

audit::Receipt StatementBy(const keyring::Keyring& keyring, absl::string_view kind,
                           absl::Time now) {
  audit::Receipt receipt{.kind = std::string(kind),
                         .id = {},
                         .vault = keyring.roster().vault,
                         .time = absl::FromUnixSeconds(absl::ToUnixSeconds(now)),
                         .member = keyring.bundle().member,
                         .key = keyring.bundle().signing.verify_key(),
                         .facts = {}};
  crypto::FillRandom(receipt.id);
  receipt.facts.emplace_back(kVersion, absl::StrCat(keyring.roster().version));
  return receipt;
}

absl::StatusOr<audit::Receipt> VerifyStatement(const keyring::Keyring& keyring,
                                               absl::string_view kind, absl::string_view text) {
  const auto key_for = [&](const audit::Receipt& claimed) -> absl::StatusOr<crypto::VerifyKey> {
    std::int64_t version = 0;
    if (!FindNumber(claimed, kVersion, version))
      return absl::DataLossError("a statement does not say under which roster it was signed");
    if (static_cast<std::uint64_t>(version) > keyring.roster().version)
      return absl::FailedPreconditionError("a statement was signed under a newer roster");
    const keyring::Member* member =
        keyring.history().SignerAt(claimed.member, static_cast<std::uint64_t>(version));
    if (member == nullptr)
      return absl::DataLossError("a statement is signed by somebody who was no member");
    return member->verify;
  };
  ASSIGN_OR_RETURN(audit::Receipt receipt, audit::Receipt::Verify(text, key_for));
  if (receipt.kind != kind || receipt.vault != keyring.roster().vault)
    return absl::DataLossError("a statement is of another kind or another vault");
  return receipt;
}

std::string MakeTombstone(const keyring::Keyring& keyring, std::int64_t token, absl::Time now) {
  audit::Receipt tombstone = StatementBy(keyring, "tombstone", now);
  tombstone.facts.emplace_back("uid", FormatToken(token));
  return tombstone.Sign(keyring.bundle().signing);
}

absl::Status CheckTombstone(const keyring::Keyring& keyring, std::int64_t token,
                            ByteView document) {
  const absl::Status damaged = absl::DataLossError("a tombstone was altered or planted");
  const auto receipt = VerifyStatement(keyring, "tombstone", crypto::AsText(document));
  if (!receipt.ok()) return damaged;
  const std::string* uid = receipt->Find("uid");
  std::int64_t version = 0;
  if (uid == nullptr || *uid != FormatToken(token) || !FindNumber(*receipt, kVersion, version))
    return damaged;
  const keyring::Roster* roster = keyring.history().Version(static_cast<std::uint64_t>(version));
  const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember(receipt->member));
  if (role == nullptr || !role->Has(keyring::Power::kSubjects)) return damaged;
  return absl::OkStatus();
}

std::string MakeCheckpoint(const keyring::Keyring& keyring, const keyring::HighWater& heads,
                           absl::Time now) {
  audit::Receipt receipt = StatementBy(keyring, "checkpoint", now);
  receipt.facts.insert(receipt.facts.end(), {{"roster", absl::StrCat(heads.roster_version)},
                                             {"roster_hash", crypto::ToHex(heads.roster_hash)},
                                             {"session", absl::StrCat(heads.session)},
                                             {"session_hash", crypto::ToHex(heads.session_hash)},
                                             {"log_entry", absl::StrCat(heads.audit)},
                                             {"log_hash", crypto::ToHex(heads.audit_hash)}});
  return receipt.Sign(keyring.bundle().signing);
}

absl::Status CompareWithCheckpoint(keyring::Keyring& keyring, absl::string_view text) {
  const auto older = [](absl::string_view what) {
    return WithHint(
        absl::DataLossError(absl::StrCat("this vault is older than its archives' server has seen "
                                         "it: ",
                                         what, " was put back")),
        "Somebody put an older copy of the vault's files in its place. Nothing was purged. Bring "
        "back the newest copy; 'sealbook audit verify' and 'sealbook doctor' look at it.");
  };
  const auto receipt = VerifyStatement(keyring, "checkpoint", text);
  if (absl::IsFailedPrecondition(receipt.status())) return older("its roster");
  // Anybody may have put something there that nobody of this vault signed.
  if (!receipt.ok()) return absl::NotFoundError("no checkpoint of this vault");
  keyring::HighWater seen;
  std::int64_t version = 0;
  if (!FindNumber(*receipt, "roster", version) || !FindNumber(*receipt, "session", seen.session) ||
      !FindNumber(*receipt, "log_entry", seen.audit) ||
      !FindHash(*receipt, "roster_hash", seen.roster_hash) ||
      !FindHash(*receipt, "session_hash", seen.session_hash) ||
      !FindHash(*receipt, "log_hash", seen.audit_hash)) {
    return absl::NotFoundError("a checkpoint lacks a part");
  }
  seen.roster_version = static_cast<std::uint64_t>(version);
  ASSIGN_OR_RETURN(const std::string what, keyring.WhatIsOlderThan(seen));
  if (!what.empty()) return older(what);
  return absl::OkStatus();
}

}  // namespace sealbook::records
