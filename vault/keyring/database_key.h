// The database's key: sealed to each member in unlock.json, and given anew when somebody who had it
// has left, so that a later copy of the file shows them not even its structure.
//
// The file and unlock.json cannot change in one stroke. So unlock.json gets the new key beside the
// old one first, then every page is encrypted anew in one transaction, then the old key goes. At
// any moment one of the two opens the file, and a rotation that was interrupted is run again.
#pragma once

#include <vector>

#include "vault/keyring/keyring.h"

namespace sealbook::keyring {

// The keys in `file` that are sealed to the owner of `bundle`: of their entry, and of the one that
// takes its place.
std::vector<crypto::DatabaseKey> DatabaseKeysFor(const UnlockFile& file,
                                                 const std::string& entry_id, const Bundle& bundle);

// Puts the database's key into an entry, and the one that it is getting where that is under way.
// Inside a write transaction, which `file` was read in.
void AddDatabaseKeys(Keyring& keyring, const UnlockFile& file, MemberId member,
                     const crypto::ExchangePublic& recipient, UnlockEntry& entry);

// PermissionDenied: this member may not change the roster. Unavailable: others keep the file busy.
// ResourceExhausted: no room for the rewritten pages. In both cases the old key stays in force.
absl::Status RotateDatabaseKey(Keyring& keyring);

}  // namespace sealbook::keyring
