#include "vault/keyring/keyring.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/keyring/admission.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/epochs.h"
#include "vault/keyring/high_water.h"
#include "vault/keyring/rekeying.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kGrantLabel = "sealbook/grant/1";
constexpr MemberId kRootCompartmentHolder{0};
// Keys of sessions are made again when needed; a vault may have very many sessions.
constexpr std::size_t kMaxSessionKeys = 10000;

absl::StatusOr<crypto::ExchangePair> OpenGrant(const VaultId& vault, const store::GrantRow& place,
                                               const crypto::ExchangePair& recipient) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes plaintext,
                   crypto::OpenSealedToPublic(recipient, place.sealed));
  crypto::ByteReader in(plaintext.ExposeBytes());
  const bool right = in.Text() == kGrantLabel && in.Array<16>() == vault &&
                     MemberId{in.U32()} == place.member && BookId{in.U32()} == place.book &&
                     ClassId{in.U8()} == place.class_id && in.U32() == place.epoch;
  const ByteView secret = in.Raw(crypto::kKeyBytes);
  RETURN_IF_ERROR(in.Finish("a grant"));
  if (!right) return absl::DataLossError("a grant that was made for something else");
  return crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(secret));
}

std::string NameOfEpoch(BookId book, ClassId class_id, std::uint32_t epoch) {
  return absl::StrCat("book number ", static_cast<std::uint32_t>(book), ", class ",
                      static_cast<int>(class_id), ", epoch ", epoch);
}

// A file without which the others are no vault.
absl::Status Lost(const std::string& path) {
  return WithHint(absl::DataLossError(absl::StrCat(path, " is missing")),
                  "Put vault.db and unlock.json of the same backup back.");
}

absl::Status OlderThanSeen(absl::string_view what, const VaultId& vault) {
  return WithHint(
      absl::DataLossError(
          absl::StrCat("this vault is older than, or another than, the one you last saw: ", what)),
      absl::StrCat("Somebody put an older copy back. If that was you, with a backup, remove ",
                   HighWaterPath(vault), " and run the command again."));
}

}  // namespace

absl::Status NoUnlockFile(const VaultPaths& paths) {
  if (access(paths.database().c_str(), F_OK) == 0) return Lost(paths.unlock());
  return WithHint(absl::NotFoundError(absl::StrCat("there is no vault in ", paths.directory)),
                  "Name another with --vault, or make one with 'sealbook init'.");
}

crypto::Bytes SealGrant(const VaultId& vault, const store::GrantRow& place,
                        const crypto::ExchangePair& pair, const crypto::ExchangePublic& recipient) {
  crypto::ByteWriter out;
  out.Text(kGrantLabel).Raw(vault).U32(static_cast<std::uint32_t>(place.member));
  out.U32(static_cast<std::uint32_t>(place.book)).U8(static_cast<std::uint8_t>(place.class_id));
  out.U32(place.epoch).Raw(pair.secret().ExposeBytes());
  crypto::Bytes plaintext = out.Take();
  crypto::Bytes sealed = crypto::SealToPublic(recipient, plaintext);
  crypto::Wipe(plaintext.data(), plaintext.size());
  return sealed;
}

Keyring::Keyring(VaultPaths paths, Bundle bundle, crypto::DatabaseKey database_key,
                 std::unique_ptr<store::Store> store)
    : paths_(std::move(paths)),
      bundle_(std::move(bundle)),
      database_key_(std::move(database_key)),
      store_(std::move(store)),
      history_(bundle_.root),
      sessions_(std::make_unique<SessionDirectory>(*store_, history_)) {}

absl::StatusOr<std::unique_ptr<Keyring>> Keyring::Unlock(const VaultPaths& paths,
                                                         UnlockRequest request) {
  absl::StatusOr<UnlockFile> file = UnlockFile::Load(paths.unlock());
  if (absl::IsNotFound(file.status())) return NoUnlockFile(paths);
  RETURN_IF_ERROR(file.status());
  const std::string entry_id = file->EntryId(request.name);
  Lockout lockout(paths.lockout());
  if (file->Find(entry_id) == nullptr) {
    // Under no entry: nobody's count grows, but the audit log tells of it.
    RETURN_IF_ERROR(lockout.RecordFailure("", absl::Now()));
    return WithHint(
        absl::UnauthenticatedError("this name is no member of the vault, or has no access"),
        "Say who you are with --as NAME; 'sealbook member list' shows the names to those "
        "who may see them.");
  }
  ASSIGN_OR_RETURN(std::optional<FileLock> turn, lockout.WaitForTurn(entry_id));
  ASSIGN_OR_RETURN(const absl::Duration wait, lockout.Admit(entry_id, absl::Now()));
  absl::SleepFor(wait);
  absl::StatusOr<Bundle> bundle = file->Open(entry_id, request.secret);
  if (absl::IsUnauthenticated(bundle.status())) bundle = file->OpenNext(entry_id, request.secret);
  if (absl::IsUnauthenticated(bundle.status())) {
    RETURN_IF_ERROR(lockout.RecordFailure(entry_id, absl::Now()));
    return WithHint(absl::UnauthenticatedError(request.secret.kind == UnlockSecret::Kind::kKeyFile
                                                   ? "this key file does not open the vault"
                                               : request.name == kRecoveryEntryName
                                                   ? "the recovery code is wrong"
                                                   : "the passphrase is wrong"),
                    "Try again; after some wrong tries the name is locked for a while.");
  }
  turn.reset();
  RETURN_IF_ERROR(bundle.status());
  absl::StatusOr<std::unique_ptr<Keyring>> opened =
      Open(paths, *file, entry_id, *std::move(bundle));
  if (absl::IsDataLoss(opened.status())) {
    // It may have got another key since unlock.json was read.
    ASSIGN_OR_RETURN(file, UnlockFile::Load(paths.unlock()));
    ASSIGN_OR_RETURN(Bundle again, file->Open(entry_id, request.secret));
    opened = Open(paths, *file, entry_id, std::move(again));
  }
  if (absl::IsUnauthenticated(opened.status())) {
    // The roster may name the new keys that this member asked for.
    absl::StatusOr<Bundle> next = file->OpenNext(entry_id, request.secret);
    if (next.ok()) opened = Open(paths, *file, entry_id, *std::move(next));
  }
  RETURN_IF_ERROR(opened.status());
  std::unique_ptr<Keyring> keyring = *std::move(opened);
  RETURN_IF_ERROR(keyring->CheckMarks());
  if (file->FindNext(entry_id) != nullptr) RETURN_IF_ERROR(TidyUnlockFile(*keyring));
  if (const UnlockEntry* entry = file->Find(entry_id); entry != nullptr && entry->joining) {
    RETURN_IF_ERROR(SettleJoiningEntry(*keyring, entry_id, request.secret));
    keyring->joined_ = true;
  }
  ASSIGN_OR_RETURN(const std::vector<FailedUnlock> failures, lockout.RecordSuccess(entry_id));
  if (!failures.empty()) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring->BeginWrite());
    for (const FailedUnlock& failure : failures) {
      RETURN_IF_ERROR(audit::Append(
          *keyring->store_, keyring->AuditAuthor(),
          {.act = "unlock.failed",
           .outcome = "failed",
           .detail = absl::StrCat("{\"entry\":\"", failure.entry_id,
                                  "\",\"time_ms\":", absl::ToUnixMillis(failure.time), "}")}));
    }
    RETURN_IF_ERROR(transaction.Commit());
    RETURN_IF_ERROR(lockout.ForgetPending(failures.size()));
  }
  return keyring;
}

absl::StatusOr<std::unique_ptr<Keyring>> Keyring::Open(const VaultPaths& paths,
                                                       const UnlockFile& file,
                                                       const std::string& entry_id, Bundle bundle) {
  std::vector<crypto::DatabaseKey> keys = DatabaseKeysFor(file, entry_id, bundle);
  if (keys.empty()) return absl::DataLossError("unlock.json: the database's key is missing");
  absl::StatusOr<std::unique_ptr<store::Store>> store;
  std::size_t used = 0;
  for (; used < keys.size(); ++used) {
    store = store::Store::Open(paths.database(), keys[used]);
    if (!absl::IsDataLoss(store.status())) break;
  }
  if (absl::IsNotFound(store.status())) return Lost(paths.database());
  RETURN_IF_ERROR(store.status());
  std::unique_ptr<Keyring> keyring(
      new Keyring(paths, std::move(bundle), std::move(keys[used]), *std::move(store)));
  RETURN_IF_ERROR(keyring->Refresh());
  if (keyring->roster().vault != file.vault()) {
    return absl::DataLossError("unlock.json and vault.db belong to different vaults");
  }
  return keyring;
}

absl::Status Keyring::Refresh() {
  const std::uint64_t have = history_.empty() ? 0 : roster().version;
  ASSIGN_OR_RETURN(const std::uint64_t newest, store_->LastRosterVersion());
  if (newest < have) return absl::DataLossError("the newest roster versions are missing");
  if (newest > have) {
    RETURN_IF_ERROR(store_->EachRoster(have + 1, [this](std::uint64_t version, ByteView document) {
      RETURN_IF_ERROR(history_.Append(document));
      return history_.current().version == version
                 ? absl::OkStatus()
                 : absl::DataLossError("a roster version stood elsewhere");
    }));
  }
  if (history_.empty()) return absl::DataLossError("vault.db holds no roster");
  const Member* member = roster().FindMember(bundle_.member);
  if (member == nullptr || !member->active || roster().RoleOf(*member) == nullptr ||
      member->exchange != bundle_.exchange.public_key() ||
      member->verify != bundle_.signing.verify_key()) {
    return WithHint(absl::UnauthenticatedError("this member has no access to the vault any more"),
                    "Ask an admin.");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<store::Transaction>> Keyring::Snapshot() {
  if (store_->database().InTransaction()) return std::nullopt;
  ASSIGN_OR_RETURN(store::Transaction transaction, Begin(store::Transaction::Kind::kRead));
  return std::make_optional(std::move(transaction));
}

absl::StatusOr<store::Transaction> Keyring::BeginWrite() {
  return Begin(store::Transaction::Kind::kWrite);
}

absl::StatusOr<store::Transaction> Keyring::Begin(store::Transaction::Kind kind) {
  for (bool again = true;; again = false) {
    absl::Status status;
    {
      auto transaction = store::Transaction::Begin(store_->database(), kind);
      status = transaction.ok() ? Refresh() : transaction.status();
      if (status.ok()) return transaction;
    }
    if (!again || !absl::IsDataLoss(status)) return status;
    ASSIGN_OR_RETURN(const bool reopened, ReopenIfRekeyed());
    if (!reopened) return status;
  }
}

absl::Status Keyring::Reopen(crypto::DatabaseKey key) {
  RETURN_IF_ERROR(store_->Reopen(key));
  database_key_ = std::move(key);
  return absl::OkStatus();
}

// A database that does not open any more may have another key, which unlock.json has for this
// member.
absl::StatusOr<bool> Keyring::ReopenIfRekeyed() {
  ASSIGN_OR_RETURN(const UnlockFile file, UnlockFile::Load(paths_.unlock()));
  for (crypto::DatabaseKey& key : DatabaseKeysFor(file, EntryIdOf(file, self()), bundle_)) {
    if (crypto::EqualInConstantTime(key.ExposeBytes(), database_key_.ExposeBytes())) continue;
    const absl::Status status = Reopen(std::move(key));
    if (status.ok()) return true;
    if (!absl::IsDataLoss(status)) return status;
  }
  return false;
}

void Keyring::ReplaceBundle(Bundle bundle) { bundle_ = std::move(bundle); }

absl::StatusOr<std::string> Keyring::WhatIsOlderThan(const HighWater& seen) {
  ASSIGN_OR_RETURN(const auto snapshot, Snapshot());
  const crypto::Hash256* roster_hash = history_.HashOfVersion(seen.roster_version);
  if (seen.roster_version > 0 && (roster_hash == nullptr || *roster_hash != seen.roster_hash))
    return "its roster";
  if (seen.session > 0) {
    ASSIGN_OR_RETURN(const auto record, store_->GetSession(seen.session));
    if (!record || HashOfSession(*record) != seen.session_hash) return "its sessions";
  }
  if (seen.audit > 0) {
    ASSIGN_OR_RETURN(const auto row, store_->GetAudit(seen.audit));
    if (!row) return "its audit log";
    const auto record = audit::Record::Parse(*row);
    if (!record.ok() || record->hash != seen.audit_hash) return "its audit log";
  }
  return "";
}

absl::Status Keyring::CheckMarks() {
  const VaultId& vault = roster().vault;
  ASSIGN_OR_RETURN(const auto seen, LoadHighWater(vault));
  if (!seen) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string older, WhatIsOlderThan(*seen));
  if (!older.empty()) return OlderThanSeen(older, vault);
  if (seen->session > 0 && seen->taking >= 0)
    sessions_->TrustUpTo(seen->session, seen->session_hash, seen->taking);
  return absl::OkStatus();
}

absl::StatusOr<HighWater> Keyring::Heads() {
  ASSIGN_OR_RETURN(const auto snapshot, Snapshot());
  HighWater heads{.roster_version = roster().version, .roster_hash = history_.current_hash()};
  ASSIGN_OR_RETURN(heads.session, store_->LastSession());
  if (heads.session > 0) {
    ASSIGN_OR_RETURN(const auto record, store_->GetSession(heads.session));
    if (record) heads.session_hash = HashOfSession(*record);
    // Where it cannot be told, the next process looks through all again.
    heads.taking = sessions_->LastTaking().value_or(-1);
  }
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(*store_));
  heads.audit = head.sequence;
  heads.audit_hash = head.hash;
  return heads;
}

absl::Status Keyring::SaveMarks() {
  ASSIGN_OR_RETURN(const HighWater heads, Heads());
  return SaveHighWater(roster().vault, heads);
}

audit::KeyOf Keyring::SignerKeys() const {
  return [this](MemberId id, std::uint64_t version) -> std::optional<crypto::VerifyKey> {
    const Member* signer = history_.SignerAt(id, version);
    if (signer == nullptr) return std::nullopt;
    return signer->verify;
  };
}

audit::Author Keyring::AuditAuthor() const {
  const Compartment* compartment = roster().FindCompartment(kRootBook, ClassId::kAudit);
  return {.vault = roster().vault,
          .member = bundle_.member,
          .roster_version = roster().version,
          .signing = &bundle_.signing,
          .audit_compartment = compartment->public_key};
}

absl::StatusOr<crypto::ExchangePublic> Keyring::PublicAt(BookId book, ClassId class_id,
                                                         std::uint32_t epoch) const {
  for (std::uint64_t version = roster().version; version >= 1; --version) {
    const Compartment* compartment = history_.Version(version)->FindCompartment(book, class_id);
    if (compartment == nullptr || compartment->epoch < epoch) break;
    if (compartment->epoch == epoch) return compartment->public_key;
  }
  return absl::DataLossError("no roster names this epoch of the compartment");
}

absl::StatusOr<const crypto::ExchangePair*> Keyring::CompartmentPair(BookId book,
                                                                     ClassId class_id) {
  const Compartment* compartment = roster().FindCompartment(book, class_id);
  if (compartment == nullptr) return absl::NotFoundError("no such compartment");
  return CompartmentPair(book, class_id, compartment->epoch);
}

absl::StatusOr<const crypto::ExchangePair*> Keyring::CompartmentPair(BookId book, ClassId class_id,
                                                                     std::uint32_t epoch) {
  if (const auto at = pairs_.find({book, class_id, epoch}); at != pairs_.end())
    return at->second.get();
  const Compartment* current = roster().FindCompartment(book, class_id);
  absl::StatusOr<crypto::ExchangePair> pair = current != nullptr && epoch < current->epoch
                                                  ? PairByLink(book, class_id, epoch)
                                                  : PairByGrant(book, class_id, epoch);
  RETURN_IF_ERROR(pair.status());
  return pairs_
      .emplace(std::tuple(book, class_id, epoch),
               std::make_unique<crypto::ExchangePair>(*std::move(pair)))
      .first->second.get();
}

absl::StatusOr<crypto::ExchangePair> Keyring::PairByGrant(BookId book, ClassId class_id,
                                                          std::uint32_t epoch) {
  store::GrantRow place{
      .member = bundle_.member, .book = book, .class_id = class_id, .epoch = epoch, .sealed = {}};
  const crypto::ExchangePair* opener = &bundle_.exchange;
  ASSIGN_OR_RETURN(auto sealed, store_->GetGrant(place.member, book, class_id, epoch));
  if (!sealed && book != kRootBook) {
    const auto root = CompartmentPair(kRootBook, class_id);
    if (root.ok()) {
      place.member = kRootCompartmentHolder;
      opener = *root;
      ASSIGN_OR_RETURN(sealed, store_->GetGrant(place.member, book, class_id, epoch));
    } else if (!absl::IsPermissionDenied(root.status())) {
      return root.status();
    }
  }
  if (!sealed) return absl::PermissionDeniedError("this member holds no key to that");
  place.sealed = *std::move(sealed);
  const auto fails = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat("the grant of ", NameOfEpoch(book, class_id, epoch),
                                            " to member ", static_cast<std::uint32_t>(place.member),
                                            " does not count: ", why));
  };
  absl::StatusOr<crypto::ExchangePair> pair = OpenGrant(roster().vault, place, *opener);
  if (!pair.ok()) return fails(absl::string_view(pair.status().message()));
  ASSIGN_OR_RETURN(const crypto::ExchangePublic expected, PublicAt(book, class_id, epoch));
  if (pair->public_key() != expected) return fails("it gives another key than the roster's");
  return pair;
}

// Through the newer epochs, one link after the other.
absl::StatusOr<crypto::ExchangePair> Keyring::PairByLink(BookId book, ClassId class_id,
                                                         std::uint32_t epoch) {
  ASSIGN_OR_RETURN(const crypto::ExchangePair* newer, CompartmentPair(book, class_id, epoch + 1));
  store::EpochLinkRow link{.book = book, .class_id = class_id, .epoch = epoch, .sealed = {}};
  ASSIGN_OR_RETURN(auto sealed, store_->GetEpochLink(book, class_id, epoch));
  if (!sealed) {
    return absl::DataLossError(
        absl::StrCat("what stands under ", NameOfEpoch(book, class_id, epoch),
                     " was written again since, so it was put back from an older copy"));
  }
  link.sealed = *std::move(sealed);
  ASSIGN_OR_RETURN(const crypto::ExchangePublic expected, PublicAt(book, class_id, epoch));
  absl::StatusOr<crypto::ExchangePair> pair = OpenEpochLink(roster().vault, link, *newer);
  if (!pair.ok() || pair->public_key() != expected) {
    return absl::DataLossError(
        absl::StrCat("the link to ", NameOfEpoch(book, class_id, epoch), " does not count"));
  }
  return pair;
}

bool Keyring::Holds(BookId book, ClassId class_id) { return CompartmentPair(book, class_id).ok(); }

absl::StatusOr<const SessionKeys*> Keyring::ReadKeys(std::int64_t session_number, BookId book,
                                                     ClassId class_id) {
  const std::tuple key{session_number, book, class_id};
  if (const auto at = session_keys_.find(key); at != session_keys_.end()) return &at->second;
  ASSIGN_OR_RETURN(const Session* session, sessions_->Get(session_number));
  const Compartment* compartment =
      history_.Version(session->roster_version)->FindCompartment(book, class_id);
  if (compartment == nullptr) {
    return absl::DataLossError(
        absl::StrCat("session ", session_number, " is older than a book it wrote to"));
  }
  ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                   CompartmentPair(book, class_id, compartment->epoch));
  absl::StatusOr<crypto::SessionSecret> secret = pair->SessionSecretAsReader(session->ephemeral);
  if (!secret.ok()) {
    return absl::DataLossError(absl::StrCat("session ", session_number, " has no usable key"));
  }
  crypto::WrapKey wrap = crypto::DeriveWrapKey(*secret);
  if (session_keys_.size() >= kMaxSessionKeys) session_keys_.clear();
  return &session_keys_.emplace(key, SessionKeys{*std::move(secret), std::move(wrap)})
              .first->second;
}

}  // namespace sealbook::keyring
