// unlock.json: what stands between a passphrase and a member's keys.
//
//   {"format": 1, "vault": "<hex>", "entries": {"<entry id>": {
//      "kdf": "argon2id" | "key-file", "memory_kib": n, "passes": n, "salt": "<base64>",
//      "bundle": "<base64>", "database_key": "<base64>", "database_key_next"?: "<base64>"}},
//    "next"?: {"<entry id>": …}}
//
// The entry id is the first 16 bytes of a BLAKE2b-256 of the vault id and the normalized name
// (docs/format.md, "unlock.json"), so the file lists no names. The bundle is sealed under the
// unlock key with the entry's id, parameters and salt bound; the database key is a sealed box to
// the member's X25519 key. An entry without a place in the roster counts for nothing.
//
// Two things cannot be replaced in one stroke together with what the database says, so for a moment
// both are there. `database_key_next` is the key that the database is getting: one of the two opens
// it. An entry under `next` holds a member's new keys, and takes the place of that of the same id
// once the roster names them (rekeying.h).
//
// Who joins by a request has a joining entry until the first unlock: vault/keyring/admission.h.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/passphrase.h"
#include "vault/keyring/roster.h"

namespace sealbook::keyring {

// A member's own secrets.
struct Bundle {
  MemberId member{};
  // The passphrase was chosen by somebody else and must be changed first.
  bool must_change = false;
  crypto::ExchangePair exchange;
  crypto::SigningPair signing;
  crypto::VerifyKey root;                        // the vault's root public key, pinned
  std::optional<crypto::SigningPair> root_pair;  // the owner's and the recovery code's alone
};

// What unlocks: a passphrase (or recovery code), or a service account's key file.
struct UnlockSecret {
  enum class Kind { kPassphrase, kKeyFile };
  Kind kind = Kind::kPassphrase;
  crypto::SecretBytes bytes;
};

// What a joining entry has beside the others; its bundle is the request's sealed secrets.
struct Joining {
  crypto::ExchangePublic exchange;
  crypto::VerifyKey verify;
  crypto::Bytes admission;
};

struct UnlockEntry {
  UnlockSecret::Kind kind = UnlockSecret::Kind::kPassphrase;
  crypto::PassphraseCost cost;
  crypto::Salt salt{};
  crypto::Bytes bundle;
  crypto::Bytes database_key;
  crypto::Bytes database_key_next;  // empty but while the database gets another key
  std::optional<Joining> joining;
};

class UnlockFile {
 public:
  static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;

  explicit UnlockFile(VaultId vault) : vault_(vault) {}
  // NotFound: there is none. FailedPrecondition: another format. DataLoss: damaged.
  static absl::StatusOr<UnlockFile> Load(const std::string& path);
  absl::Status Save(const std::string& path) const;

  const VaultId& vault() const { return vault_; }
  std::string EntryId(absl::string_view normalized_name) const;
  const UnlockEntry* Find(const std::string& entry_id) const;
  const UnlockEntry* FindNext(const std::string& entry_id) const;
  void Remove(const std::string& entry_id) {
    entries_.erase(entry_id);
    next_.erase(entry_id);
  }
  std::map<std::string, UnlockEntry>& entries() { return entries_; }
  const std::map<std::string, UnlockEntry>& entries() const { return entries_; }
  std::map<std::string, UnlockEntry>& next() { return next_; }
  const std::map<std::string, UnlockEntry>& next() const { return next_; }

  // `bundle` sealed under a fresh salt, for the entry of that id; the database's keys are added by
  // whoever holds them.
  absl::StatusOr<UnlockEntry> Seal(const std::string& entry_id, const Bundle& bundle,
                                   const UnlockSecret& secret,
                                   const crypto::PassphraseCost& cost) const;
  // The same with the database's key, put in place of an entry of the same id.
  absl::Status Put(const std::string& entry_id, const Bundle& bundle, const UnlockSecret& secret,
                   const crypto::PassphraseCost& cost, const crypto::DatabaseKey& database_key);
  crypto::Bytes SealDatabaseKey(const crypto::DatabaseKey& key, MemberId member,
                                const crypto::ExchangePublic& recipient) const;
  // Unauthenticated: a wrong passphrase or key file, or an altered entry; on purpose not told
  // apart. DataLoss: a joining entry whose admission does not count.
  absl::StatusOr<Bundle> Open(const std::string& entry_id, const UnlockSecret& secret) const {
    return Open(entry_id, Find(entry_id), secret);
  }
  absl::StatusOr<Bundle> OpenNext(const std::string& entry_id, const UnlockSecret& secret) const {
    return Open(entry_id, FindNext(entry_id), secret);
  }
  // DataLoss: it was not sealed to this member.
  static absl::StatusOr<crypto::DatabaseKey> OpenDatabaseKey(ByteView sealed, const Bundle& bundle,
                                                             const VaultId& vault);

 private:
  absl::StatusOr<Bundle> Open(const std::string& entry_id, const UnlockEntry* entry,
                              const UnlockSecret& secret) const;

  VaultId vault_;
  std::map<std::string, UnlockEntry> entries_, next_;
};

// The entry of a member: under its name, or under kRecoveryEntryName.
std::string EntryIdOf(const UnlockFile& file, const Member& member);
// Ids of entries that belong to no active member of the roster.
std::vector<std::string> StaleEntries(const Roster& roster, const UnlockFile& file);

// The recovery code: 26 characters of Crockford's base32 (130 random bits) and 2 that check them,
// in groups of four. Normalizing takes spaces, hyphens, small letters and O, I, L for 0, 1, 1.
crypto::SecretBytes MakeRecoveryCode();
// InvalidArgument: not a code, or mistyped.
absl::StatusOr<crypto::SecretBytes> NormalizeRecoveryCode(absl::string_view typed);
// The name under which the recovery member's entry is found; no member can have it.
inline constexpr absl::string_view kRecoveryEntryName = "\x01recovery";

// A service account's key file: one line, "SEALBOOK-KEY-1 <vault id> <base64 of 32 bytes> <name>".
struct KeyFile {
  VaultId vault{};
  std::string name;
  crypto::SecretBytes secret;
};
crypto::SecretBytes FormatKeyFile(const VaultId& vault, absl::string_view name, ByteView secret);
// FailedPrecondition: not a key file.
absl::StatusOr<KeyFile> ParseKeyFile(absl::string_view text);

}  // namespace sealbook::keyring
