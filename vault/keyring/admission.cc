#include "vault/keyring/admission.h"

#include "vault/keyring/database_key.h"
#include "vault/keyring/keyring.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kAdmissionLabel = "sealbook/admission/1";

absl::Status Strange(absl::string_view what) {
  return WithHint(absl::DataLossError(what),
                  "Ask the admin to add you again, with a new 'sealbook member request'.");
}

}  // namespace

UnlockEntry MakeJoiningEntry(const VaultId& vault, const JoinRequest& request, MemberId member,
                             const crypto::VerifyKey& root) {
  crypto::ByteWriter admission;
  admission.Text(kAdmissionLabel).Raw(vault).U32(static_cast<std::uint32_t>(member));
  admission.Raw(root.bytes);
  return {
      .kind = UnlockSecret::Kind::kPassphrase,
      .cost = request.secrets().cost,
      .salt = request.secrets().salt,
      .bundle = request.secrets().sealed,
      .database_key = {},
      .database_key_next = {},
      .joining = Joining{.exchange = request.exchange(),
                         .verify = request.verify(),
                         .admission = crypto::SealToPublic(request.exchange(), admission.bytes())}};
}

absl::StatusOr<Bundle> OpenJoiningEntry(const VaultId& vault, const UnlockEntry& entry,
                                        const UnlockSecret& secret) {
  const Joining& joining = *entry.joining;
  ASSIGN_OR_RETURN(JoinSecrets secrets, (SealedJoinSecrets{.exchange = joining.exchange,
                                                           .verify = joining.verify,
                                                           .cost = entry.cost,
                                                           .salt = entry.salt,
                                                           .sealed = entry.bundle}
                                             .Open(secret.bytes.ExposeBytes())));
  const auto admission = crypto::OpenSealedToPublic(secrets.exchange, joining.admission);
  if (!admission.ok()) return Strange("your admission to the vault does not open");
  crypto::ByteReader in(admission->ExposeBytes());
  const bool right = in.Text() == kAdmissionLabel && in.Array<16>() == vault;
  const MemberId member{in.U32()};
  crypto::VerifyKey root;
  root.bytes = in.Array<32>();
  if (!in.Finish("an admission").ok() || !right) {
    return Strange("your admission is another vault's, or damaged");
  }
  return Bundle{.member = member,
                .must_change = false,
                .exchange = std::move(secrets.exchange),
                .signing = std::move(secrets.signing),
                .root = root,
                .root_pair = std::nullopt};
}

absl::Status SettleJoiningEntry(Keyring& keyring, const std::string& entry_id,
                                const UnlockSecret& secret) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  if (file.vault() != keyring.roster().vault || file.EntryId(keyring.self().name) != entry_id) {
    return Strange("your admission is another member's");
  }
  const UnlockEntry* entry = file.Find(entry_id);
  if (entry == nullptr) return Strange("your entry in unlock.json went away meanwhile");
  if (!entry->joining) return absl::OkStatus();
  ASSIGN_OR_RETURN(UnlockEntry settled, file.Seal(entry_id, keyring.bundle(), secret, entry->cost));
  AddDatabaseKeys(keyring, file, keyring.bundle().member, keyring.self().exchange, settled);
  file.entries()[entry_id] = std::move(settled);
  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "member.join"}));
  return transaction.Commit();
}

}  // namespace sealbook::keyring
