// Documents of the form `body || signature`, which stand in rows and files of their own
// (docs/format.md): exports, holds, tombstones.
#pragma once

#include <optional>

#include "vault/crypto/bytes.h"
#include "vault/crypto/signature.h"

namespace sealbook::keyring {

// Puts the signature behind the body.
void SignDocument(const crypto::SigningPair& pair, absl::string_view label, crypto::Bytes& body);

struct SignedParts {
  ByteView body;
  crypto::Signature signature{};
};
// nullopt: too short to be one. The signature is the caller's to check.
std::optional<SignedParts> SplitDocument(ByteView document);

}  // namespace sealbook::keyring
