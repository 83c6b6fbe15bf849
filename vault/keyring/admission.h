// The joining entry of unlock.json: what stands there between 'member add --request' and the new
// member's first unlock.
//
// An ordinary bundle pins the vault's root public key under the member's passphrase. An admin who
// adds somebody by a request does not know that passphrase, and so cannot make such a bundle. The
// joining entry holds the request's sealed secrets as they came, and an admission: a sealed box to
// the new member with the member's number and the root public key. At the first unlock both are
// opened, the roster is verified from that root key, and an ordinary entry takes this one's place.
//
// A sealed box has no sender. Until then, whoever may write the directory can put another vault in
// its place, which is why the first unlock shows the vault's fingerprint (docs/threat_model.md).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "vault/keyring/join_request.h"
#include "vault/keyring/unlock_file.h"

namespace sealbook::keyring {

class Keyring;

// Seals an admission to the request's key. The database's keys are added as in every entry
// (database_key.h), so that whoever renews them need not know who has unlocked yet.
UnlockEntry MakeJoiningEntry(const VaultId& vault, const JoinRequest& request, MemberId member,
                             const crypto::VerifyKey& root);

// The bundle that the first unlock will put into `entry`'s place. `entry` is a joining one.
// Unauthenticated: a wrong passphrase or altered secrets. DataLoss: an admission that does not open
// or is another vault's.
absl::StatusOr<Bundle> OpenJoiningEntry(const VaultId& vault, const UnlockEntry& entry,
                                        const UnlockSecret& secret);

// At the first unlock, once the roster is verified: puts an ordinary entry, at the request's cost,
// into the joining one's place while the database's lock is held. Does nothing more where another
// process of this member was first. DataLoss: the entry is another member's. Unavailable: the
// database is busy.
absl::Status SettleJoiningEntry(Keyring& keyring, const std::string& entry_id,
                                const UnlockSecret& secret);

}  // namespace sealbook::keyring
