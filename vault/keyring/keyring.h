// An unlocked vault: one member's secrets, the verified roster, and the keys that follow from both.
//
//   ASSIGN_OR_RETURN(auto keyring, Keyring::Unlock(paths, {.name = "mina", .secret = …}));
//   ASSIGN_OR_RETURN(const SessionKeys* keys, keyring->ReadKeys(session, book, ClassId::kProfile));
//
// What it gives is bounded by the grants that this member holds, whatever the caller asks for.
// Belongs to one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "vault/audit/log.h"
#include "vault/crypto/derive.h"
#include "vault/keyring/files.h"
#include "vault/keyring/high_water.h"
#include "vault/keyring/lockout.h"
#include "vault/keyring/session.h"
#include "vault/keyring/unlock_file.h"
#include "vault/store/store.h"

namespace sealbook::keyring {

struct UnlockRequest {
  std::string name;  // normalized
  UnlockSecret secret;
};

// What one session shares with one compartment.
struct SessionKeys {
  crypto::SessionSecret secret;
  crypto::WrapKey wrap;
};

class Keyring {
 public:
  // Checks lock-out, opens the bundle and the database, verifies the roster chain against the
  // pinned root key, finds the member active in it, and compares the high-water marks. NotFound: no
  // vault here. Unauthenticated: wrong secret, no such member, disabled or locked out. DataLoss: a
  // roster that does not count, or a vault older than one that was seen. A joining entry becomes an
  // ordinary one.
  static absl::StatusOr<std::unique_ptr<Keyring>> Unlock(const VaultPaths& paths,
                                                         UnlockRequest request);

  // Without a lock-out and without a trace.
  static absl::StatusOr<std::unique_ptr<Keyring>> Open(const VaultPaths& paths,
                                                       const UnlockFile& file,
                                                       const std::string& entry_id, Bundle bundle);

  const VaultPaths& paths() const { return paths_; }
  store::Store& store() { return *store_; }
  const Roster& roster() const { return history_.current(); }
  const RosterHistory& history() const { return history_; }
  SessionDirectory& sessions() { return *sessions_; }
  const Bundle& bundle() const { return bundle_; }
  const Member& self() const { return *roster().FindMember(bundle_.member); }
  const RoleDefinition& role() const { return *roster().RoleOf(self()); }
  // Under which the database was when it was last opened.
  const crypto::DatabaseKey& database_key() const { return database_key_; }
  // After the database was given another key: opens it again under that.
  absl::Status Reopen(crypto::DatabaseKey key);
  audit::Author AuditAuthor() const;
  // For checking the log's signatures; not to outlive the keyring.
  audit::KeyOf SignerKeys() const;

  // Reads roster versions that other processes published. Unauthenticated: this member is not
  // active any more.
  absl::Status Refresh();

  // Whether this unlock was the member's first after joining by a request: the vault's root public
  // key came from an entry that nobody had signed (vault/keyring/admission.h).
  bool joined() const { return joined_; }

  // Where another process has given the database another key, both open it again and go on.
  //
  // Begins a consistent view of the rows, and brings the roster up to it: what is read then was
  // written under a version that is known here. nullopt: a transaction is open already.
  // Unauthenticated as Refresh.
  absl::StatusOr<std::optional<store::Transaction>> Snapshot();
  // Takes the write lock and brings the roster up to date. Unauthenticated as Refresh.
  absl::StatusOr<store::Transaction> BeginWrite();
  // For who met DataLoss on the way, with no transaction open: true where that was the other key,
  // under which the database is open now.
  absl::StatusOr<bool> ReopenIfRekeyed();

  // A compartment's pair, by this member's grant or, for a book, through the root compartment of
  // the same class; of an older epoch, by the links from the current one (epochs.h).
  // PermissionDenied: this member holds neither. DataLoss: a grant or link that does not open, or
  // does not give the roster's public key; an epoch under which nothing stands any more.
  absl::StatusOr<const crypto::ExchangePair*> CompartmentPair(BookId book, ClassId class_id,
                                                              std::uint32_t epoch);
  // Of the current epoch.
  absl::StatusOr<const crypto::ExchangePair*> CompartmentPair(BookId book, ClassId class_id);
  bool Holds(BookId book, ClassId class_id);

  // The keys that a session shares with a compartment, to read what was written. The pointer lives
  // until the next call. DataLoss: the session is missing or does not count.
  absl::StatusOr<const SessionKeys*> ReadKeys(std::int64_t session, BookId book, ClassId class_id);

  // This member's own new secrets, once the roster names their public halves.
  void ReplaceBundle(Bundle bundle);

  // Roster, session and audit heads as they stand; and whether the vault has those that somebody
  // saw: what of it is older ("its roster"), or an empty string.
  absl::StatusOr<HighWater> Heads();
  absl::StatusOr<std::string> WhatIsOlderThan(const HighWater& seen);

  // Remembers roster, session and audit heads outside the vault.
  absl::Status SaveMarks();

 private:
  Keyring(VaultPaths paths, Bundle bundle, crypto::DatabaseKey database_key,
          std::unique_ptr<store::Store> store);
  absl::Status CheckMarks();
  absl::StatusOr<store::Transaction> Begin(store::Transaction::Kind kind);
  absl::StatusOr<crypto::ExchangePair> PairByGrant(BookId book, ClassId class_id,
                                                   std::uint32_t epoch);
  absl::StatusOr<crypto::ExchangePair> PairByLink(BookId book, ClassId class_id,
                                                  std::uint32_t epoch);
  absl::StatusOr<crypto::ExchangePublic> PublicAt(BookId book, ClassId class_id,
                                                  std::uint32_t epoch) const;

  VaultPaths paths_;
  bool joined_ = false;
  Bundle bundle_;
  crypto::DatabaseKey database_key_;
  std::unique_ptr<store::Store> store_;
  RosterHistory history_;
  std::unique_ptr<SessionDirectory> sessions_;
  absl::flat_hash_map<std::tuple<BookId, ClassId, std::uint32_t>,
                      std::unique_ptr<crypto::ExchangePair>>
      pairs_;
  absl::flat_hash_map<std::tuple<std::int64_t, BookId, ClassId>, SessionKeys> session_keys_;
};

// Where unlock.json is not there: no vault (NotFound), or one that lost it (DataLoss).
absl::Status NoUnlockFile(const VaultPaths& paths);

// A compartment's secret sealed to a member, or to the root compartment of the same class (member
// 0, so that who holds all of a class opens every book's part of it).
crypto::Bytes SealGrant(const VaultId& vault, const store::GrantRow& place,
                        const crypto::ExchangePair& pair, const crypto::ExchangePublic& recipient);

}  // namespace sealbook::keyring
