#include "vault/keyring/database_key.h"

#include <algorithm>

#include "vault/keyring/rekeying.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr mode_t kLockMode = 0660;

// Whom the entries of a member belong to: as the roster has it, and as it asked to become.
struct Recipients {
  MemberId member{};
  std::string entry_id;
  crypto::ExchangePublic now;
  std::optional<crypto::ExchangePublic> next;
};

absl::StatusOr<std::vector<Recipients>> RecipientsOf(Keyring& keyring, const UnlockFile& file) {
  std::vector<Recipients> out;
  for (const Member& member : keyring.roster().members) {
    if (!member.active) continue;
    Recipients recipients{.member = member.id,
                          .entry_id = EntryIdOf(file, member),
                          .now = member.exchange,
                          .next = std::nullopt};
    const auto request = FindRekeyRequest(keyring, member);
    if (request.ok()) recipients.next = request->exchange;
    if (!request.ok() && !absl::IsNotFound(request.status()) &&
        !absl::IsDataLoss(request.status())) {
      return request.status();
    }
    out.push_back(std::move(recipients));
  }
  return out;
}

// unlock.json with the new key beside the old one.
absl::Status Announce(Keyring& keyring, const crypto::DatabaseKey& key) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  ASSIGN_OR_RETURN(const std::vector<Recipients> all, RecipientsOf(keyring, file));
  const auto seal = [&](UnlockEntry& entry, MemberId member, const crypto::ExchangePublic& to) {
    // The one of today as well: what an earlier rotation left need not be right any more.
    entry.database_key = file.SealDatabaseKey(keyring.database_key(), member, to);
    entry.database_key_next = file.SealDatabaseKey(key, member, to);
  };
  for (const Recipients& r : all) {
    if (const auto at = file.entries().find(r.entry_id); at != file.entries().end())
      seal(at->second, r.member, r.now);
    if (const auto at = file.next().find(r.entry_id); at != file.next().end() && r.next)
      seal(at->second, r.member, *r.next);
  }
  return file.Save(keyring.paths().unlock());
}

// unlock.json with the new key alone.
absl::Status Settle(Keyring& keyring) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  for (auto* entries : {&file.entries(), &file.next()}) {
    for (auto& [id, entry] : *entries) {
      if (!entry.database_key_next.empty())
        entry.database_key = std::exchange(entry.database_key_next, {});
    }
  }
  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(),
                                {.act = "key.rotate", .detail = "{\"database\":true}"}));
  return transaction.Commit();
}

}  // namespace

std::vector<crypto::DatabaseKey> DatabaseKeysFor(const UnlockFile& file,
                                                 const std::string& entry_id,
                                                 const Bundle& bundle) {
  std::vector<crypto::DatabaseKey> keys;
  for (const UnlockEntry* entry : {file.Find(entry_id), file.FindNext(entry_id)}) {
    if (entry == nullptr) continue;
    for (const crypto::Bytes* sealed : {&entry->database_key, &entry->database_key_next}) {
      auto key = UnlockFile::OpenDatabaseKey(*sealed, bundle, file.vault());
      if (key.ok()) keys.push_back(*std::move(key));
    }
  }
  return keys;
}

void AddDatabaseKeys(Keyring& keyring, const UnlockFile& file, MemberId member,
                     const crypto::ExchangePublic& recipient, UnlockEntry& entry) {
  entry.database_key = file.SealDatabaseKey(keyring.database_key(), member, recipient);
  const UnlockEntry* own = file.Find(EntryIdOf(file, keyring.self()));
  if (own == nullptr || own->database_key_next.empty()) return;
  const auto next =
      UnlockFile::OpenDatabaseKey(own->database_key_next, keyring.bundle(), file.vault());
  if (next.ok()) entry.database_key_next = file.SealDatabaseKey(*next, member, recipient);
}

absl::Status RotateDatabaseKey(Keyring& keyring) {
  if (!keyring.role().Has(Power::kSignRoster)) {
    return WithHint(absl::PermissionDeniedError("this member may not change the database's key"),
                    "Ask an admin.");
  }
  // Of two at once, the second would announce another key while the first encrypts.
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(keyring.paths().rotation_lock(), kLockMode));
  RETURN_IF_ERROR(TidyUnlockFile(keyring));
  crypto::DatabaseKey key = crypto::DatabaseKey::Random();
  RETURN_IF_ERROR(Announce(keyring, key));
  const absl::Status rekeyed = keyring.store().database().Rekey(key);
  // Whether it was done is for the file to say: the engine does not report every failure.
  const absl::Status reopened = keyring.Reopen(std::move(key));
  if (absl::IsDataLoss(reopened)) {
    // It kept the old one; what was begun under the other is forgotten.
    RETURN_IF_ERROR(keyring.Reopen(keyring.database_key().Duplicate()));
    RETURN_IF_ERROR(rekeyed);
    RETURN_IF_ERROR(keyring.BeginWrite().status());  // Unavailable: others keep it busy
    return WithHint(
        absl::ResourceExhaustedError("the database could not be encrypted anew and keeps its old "
                                     "key: there is no space left, or the disk fails"),
        "Make sure that there is as much free space as the database is large, and run the command "
        "again.");
  }
  RETURN_IF_ERROR(reopened);
  RETURN_IF_ERROR(Settle(keyring));
  // Pages under the old key stand in the log until then. Readers in the way only put that off.
  const absl::Status truncated = keyring.store().database().TruncateWal();
  return absl::IsUnavailable(truncated) ? absl::OkStatus() : truncated;
}

}  // namespace sealbook::keyring
