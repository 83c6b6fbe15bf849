#include "vault/keyring/rekeying.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/factor_record.h"
#include "vault/keyring/fingerprint.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kRekeyLabel = "sealbook/rekey-request/1";

crypto::Hash256 HashOfBundle(ByteView sealed) {
  return crypto::HashOf("sealbook/rekey-bundle/1", {sealed});
}

crypto::Bytes Body(const RekeyRequest& request) {
  crypto::ByteWriter out;
  out.Text(kRekeyLabel).Raw(request.vault).U32(static_cast<std::uint32_t>(request.member));
  out.U64(static_cast<std::uint64_t>(request.time_ms));
  out.Raw(request.exchange.bytes).Raw(request.verify.bytes).Raw(request.bundle_hash);
  return out.Take();
}

Member* Find(Roster& roster, MemberId id) {
  const auto at = std::find_if(roster.members.begin(), roster.members.end(),
                               [&](const Member& m) { return m.id == id; });
  return at == roster.members.end() ? nullptr : &*at;
}

// A member's new secrets, and the request for them. The sealed bundle waits in `file` under `next`.
struct NewKeys {
  Bundle bundle;
  RekeyRequest request;
  crypto::Bytes document;
};

absl::StatusOr<NewKeys> MakeKeys(Keyring& keyring, UnlockFile& file, const Member& member,
                                 const crypto::SigningPair& now,
                                 const crypto::SigningPair* root_pair, const UnlockSecret& secret,
                                 const crypto::PassphraseCost& cost) {
  NewKeys keys{.bundle = {.member = member.id,
                          .must_change = false,
                          .exchange = crypto::ExchangePair::Generate(),
                          .signing = crypto::SigningPair::Generate(),
                          .root = keyring.bundle().root,
                          .root_pair = std::nullopt},
               .request = {},
               .document = {}};
  if (root_pair != nullptr)
    keys.bundle.root_pair = crypto::SigningPair::FromSeed(root_pair->seed().Duplicate());
  const std::string entry_id = EntryIdOf(file, member);
  ASSIGN_OR_RETURN(UnlockEntry entry, file.Seal(entry_id, keys.bundle, secret, cost));
  AddDatabaseKeys(keyring, file, member.id, keys.bundle.exchange.public_key(), entry);
  keys.request = {.vault = file.vault(),
                  .member = member.id,
                  .time_ms = absl::ToUnixMillis(absl::Now()),
                  .exchange = keys.bundle.exchange.public_key(),
                  .verify = keys.bundle.signing.verify_key(),
                  .bundle_hash = HashOfBundle(entry.bundle)};
  keys.document = keys.request.Sign(now, keys.bundle.signing);
  file.next()[entry_id] = std::move(entry);
  return keys;
}

// In the transaction that publishes `next`. Second factors go: what was sealed to the old keys
// opens to whoever has those, which is why there are new ones.
absl::Status Adopt(Keyring& keyring, Roster& next, const RekeyRequest& request) {
  RETURN_IF_ERROR(
      DropFactors(keyring, request.member, DetailOf({{"because", "new keys"}})).status());
  Member* member = Find(next, request.member);
  member->exchange = request.exchange;
  member->verify = request.verify;
  return absl::OkStatus();
}

}  // namespace

crypto::Bytes RekeyRequest::Sign(const crypto::SigningPair& now,
                                 const crypto::SigningPair& next) const {
  crypto::Bytes document = Body(*this);
  const crypto::Signature by_now = now.Sign(kRekeyLabel, document),
                          by_next = next.Sign(kRekeyLabel, document);
  document.insert(document.end(), by_now.begin(), by_now.end());
  document.insert(document.end(), by_next.begin(), by_next.end());
  return document;
}

std::string RekeyRequest::Fingerprint() const {
  return FingerprintOf(crypto::HashOf("sealbook/rekey-fingerprint/1", {Body(*this)}));
}

absl::StatusOr<RekeyRequest> RekeyRequest::ParseUnchecked(ByteView document) {
  crypto::ByteReader in(document);
  const std::string label = in.Text();
  RekeyRequest request;
  request.vault = in.Array<16>();
  request.member = MemberId{in.U32()};
  request.time_ms = static_cast<std::int64_t>(in.U64());
  request.exchange.bytes = in.Array<32>();
  request.verify.bytes = in.Array<32>();
  request.bundle_hash = in.Array<32>();
  in.Raw(2 * sizeof(crypto::Signature));
  RETURN_IF_ERROR(in.Finish("a rekey request"));
  if (label != kRekeyLabel || !crypto::IsUsablePoint(request.exchange))
    return absl::DataLossError("not a rekey request of this format");
  return request;
}

absl::StatusOr<RekeyRequest> RekeyRequest::Parse(ByteView document, const crypto::VerifyKey& now) {
  ASSIGN_OR_RETURN(const RekeyRequest request, ParseUnchecked(document));
  const ByteView body = document.first(document.size() - 2 * sizeof(crypto::Signature));
  crypto::Signature by_now, by_next;
  std::copy_n(document.end() - 2 * sizeof(crypto::Signature), by_now.size(), by_now.begin());
  std::copy_n(document.end() - sizeof(crypto::Signature), by_next.size(), by_next.begin());
  if (!crypto::Verify(now, kRekeyLabel, body, by_now) ||
      !crypto::Verify(request.verify, kRekeyLabel, body, by_next)) {
    return absl::DataLossError("a rekey request does not count: its signatures are wrong");
  }
  return request;
}

absl::StatusOr<RekeyRequest> FindRekeyRequest(Keyring& keyring, const Member& member) {
  ASSIGN_OR_RETURN(const auto document, keyring.store().GetRekeyRequest(member.id));
  if (!document) return absl::NotFoundError("this member did not ask for new keys");
  ASSIGN_OR_RETURN(const RekeyRequest request, RekeyRequest::Parse(*document, member.verify));
  if (request.vault != keyring.roster().vault || request.member != member.id)
    return absl::DataLossError("a rekey request that was made for something else");
  return request;
}

absl::StatusOr<RekeyResult> Rekey(Keyring& keyring, const UnlockSecret& secret,
                                  const crypto::PassphraseCost& cost) {
  RETURN_IF_ERROR(TidyUnlockFile(keyring));
  const crypto::SigningPair* root =
      keyring.bundle().root_pair ? &*keyring.bundle().root_pair : nullptr;
  const auto make = [&](UnlockFile& file) {
    return MakeKeys(keyring, file, keyring.self(), keyring.bundle().signing, root, secret, cost);
  };
  if (root == nullptr) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
    ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
    ASSIGN_OR_RETURN(const NewKeys keys, make(file));
    RETURN_IF_ERROR(keyring.store().PutRekeyRequest(keyring.bundle().member, keys.document));
    RETURN_IF_ERROR(
        audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "member.rekey_request"}));
    RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
    RETURN_IF_ERROR(transaction.Commit());
    return RekeyResult{.request = keys.request, .in_force = false};
  }
  // Sealed before the database is locked: a passphrase takes its time.
  ASSIGN_OR_RETURN(UnlockFile sealed, UnlockFile::Load(keyring.paths().unlock()));
  ASSIGN_OR_RETURN(NewKeys keys, make(sealed));
  const RekeyRequest request = keys.request;
  const std::string entry_id = EntryIdOf(sealed, keyring.self());
  RETURN_IF_ERROR(PublishRoster(
      keyring, {.event = {.act = "member.rekey"},
                .change = [&](Roster& next) -> absl::Status {
                  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
                  UnlockEntry& entry = file.next()[entry_id] = sealed.next()[entry_id];
                  AddDatabaseKeys(keyring, file, request.member, request.exchange, entry);
                  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
                  RETURN_IF_ERROR(keyring.store().PutRekeyRequest(request.member, keys.document));
                  return Adopt(keyring, next, request);
                },
                .next_bundle = std::move(keys.bundle)}));
  RETURN_IF_ERROR(TidyUnlockFile(keyring));
  return RekeyResult{.request = request, .in_force = true};
}

absl::Status TakeInRekey(Keyring& keyring, absl::string_view member_name,
                         absl::string_view fingerprint) {
  RETURN_IF_ERROR(PublishRoster(
      keyring, {.act = "member.rekey", .detail = DetailOf({{"member", std::string(member_name)}})},
      [&](Roster& next) -> absl::Status {
        ASSIGN_OR_RETURN(const Member* member, FindPerson(next, member_name));
        const RoleDefinition* role = next.RoleOf(*member);
        if (role != nullptr && role->Has(Power::kSignRoster) && next.signer != kRootSigner) {
          return WithHint(absl::PermissionDeniedError(
                              "only the owner takes in new keys of members who change the roster"),
                          "Ask the owner.");
        }
        const auto request = FindRekeyRequest(keyring, *member);
        if (absl::IsNotFound(request.status())) {
          return WithHint(request.status(), "They run 'sealbook member rekey' first.");
        }
        RETURN_IF_ERROR(request.status());
        if (!IsFingerprint(fingerprint, request->Fingerprint())) {
          return WithHint(absl::NotFoundError("the member has asked for other keys meanwhile"),
                          "Run the command again and compare the new fingerprint.");
        }
        ASSIGN_OR_RETURN(const UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
        const UnlockEntry* waiting = file.FindNext(EntryIdOf(file, *member));
        if (waiting == nullptr || HashOfBundle(waiting->bundle) != request->bundle_hash) {
          return WithHint(
              absl::DataLossError("the new keys that were asked for do not wait in unlock.json"),
              "They run 'sealbook member rekey' once more.");
        }
        return Adopt(keyring, next, *request);
      }));
  return TidyUnlockFile(keyring);
}

const Member* OwnerOf(const Roster& roster) {
  const Member* owner = nullptr;
  for (const Member& member : roster.members) {
    const bool is_owner =
        member.active && member.kind == MemberKind::kPerson && member.role == kOwnerRole;
    if (is_owner && (owner == nullptr || member.id < owner->id)) owner = &member;
  }
  return owner;
}

absl::Status Recover(Keyring& keyring, const Recovery& recovery) {
  if (!keyring.bundle().root_pair) {
    return WithHint(absl::PermissionDeniedError("only the owner or the recovery code recovers"),
                    "Ask the owner.");
  }
  RETURN_IF_ERROR(TidyUnlockFile(keyring));
  const crypto::SigningPair& root = *keyring.bundle().root_pair;
  const crypto::SecretBytes code = MakeRecoveryCode();
  ASSIGN_OR_RETURN(crypto::SecretBytes normalized, NormalizeRecoveryCode(code.ExposeText()));
  // Sealed before the database is locked: passphrases take their time.
  ASSIGN_OR_RETURN(UnlockFile sealed, UnlockFile::Load(keyring.paths().unlock()));
  std::vector<NewKeys> renewed;
  const auto renew = [&](const Member& member, const UnlockSecret& secret) -> absl::Status {
    // Signed by the root key in the place of the old one, which may be lost: the roster does the
    // same.
    ASSIGN_OR_RETURN(NewKeys keys,
                     MakeKeys(keyring, sealed, member, root, &root, secret, recovery.cost));
    renewed.push_back(std::move(keys));
    return absl::OkStatus();
  };
  const Member* owner = OwnerOf(keyring.roster());
  if (recovery.owner_passphrase != nullptr) {
    if (owner == nullptr) return absl::DataLossError("the roster has no owner");
    RETURN_IF_ERROR(renew(
        *owner, {.kind = UnlockSecret::Kind::kPassphrase,
                 .bytes = crypto::SecretBytes::CopyOf(recovery.owner_passphrase->ExposeBytes())}));
  }
  const auto& members = keyring.roster().members;
  const auto old = std::find_if(members.begin(), members.end(), [](const Member& m) {
    return m.active && m.kind == MemberKind::kRecovery;
  });
  if (old == members.end()) return absl::DataLossError("the roster has no recovery code");
  RETURN_IF_ERROR(
      renew(*old, {.kind = UnlockSecret::Kind::kPassphrase, .bytes = std::move(normalized)}));
  RosterChange change{
      .event = {.act = "recover"},
      .change = [&](Roster& next) -> absl::Status {
        ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
        for (const NewKeys& keys : renewed) {
          const std::string id = EntryIdOf(file, *next.FindMember(keys.request.member));
          UnlockEntry& entry = file.next()[id] = sealed.next()[id];
          AddDatabaseKeys(keyring, file, keys.request.member, keys.request.exchange, entry);
          RETURN_IF_ERROR(keyring.store().PutRekeyRequest(keys.request.member, keys.document));
          RETURN_IF_ERROR(Adopt(keyring, next, keys.request));
        }
        RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
        return recovery.before_commit(code);
      },
      .renew = [](const Compartment&) { return true; }};
  const auto own = std::find_if(renewed.begin(), renewed.end(), [&](const NewKeys& keys) {
    return keys.request.member == keyring.bundle().member;
  });
  if (own != renewed.end()) change.next_bundle = std::move(own->bundle);
  RETURN_IF_ERROR(PublishRoster(keyring, std::move(change)));
  return TidyUnlockFile(keyring);
}

absl::Status TidyUnlockFile(Keyring& keyring) {
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  if (file.next().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(file, UnlockFile::Load(keyring.paths().unlock()));
  std::map<std::string, UnlockEntry> waiting;
  for (const Member& member : keyring.roster().members) {
    const std::string id = EntryIdOf(file, member);
    const auto at = file.next().find(id);
    if (at == file.next().end()) continue;
    ASSIGN_OR_RETURN(const auto document, keyring.store().GetRekeyRequest(member.id));
    if (!document || !member.active) continue;
    // In force: by then the request's first signature is that of a key which the roster names no
    // more, so what it says is compared with the roster and with what waits.
    const auto asked = RekeyRequest::ParseUnchecked(*document);
    if (!asked.ok() || HashOfBundle(at->second.bundle) != asked->bundle_hash) continue;
    if (asked->exchange == member.exchange && asked->verify == member.verify) {
      file.entries()[id] = std::move(at->second);
      RETURN_IF_ERROR(keyring.store().DeleteRekeyRequest(member.id));
    } else {
      waiting[id] = std::move(at->second);
    }
  }
  file.next() = std::move(waiting);
  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
  return transaction.Commit();
}

}  // namespace sealbook::keyring
