// Fingerprints: 30 decimal digits in six groups of five, for two people to compare aloud, in any
// language. 99 bits of a hash, so nobody finds another input with the same digits.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/signature.h"
#include "vault/keyring/roster.h"

namespace sealbook::keyring {

// "12345 12345 12345 12345 12345 12345".
std::string FingerprintOf(const crypto::Hash256& hash);

// Of a vault's id and root public key: the new member compares it at the first unlock
// (vault/keyring/admission.h says why).
std::string VaultFingerprint(const VaultId& vault, const crypto::VerifyKey& root);

// Whether somebody who typed or read out `given` means `fingerprint`: blanks do not count.
bool IsFingerprint(absl::string_view given, absl::string_view fingerprint);

}  // namespace sealbook::keyring
