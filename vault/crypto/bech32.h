// Bech32 (BIP 173) as age v1 uses it: without BIP 173's limit of 90 characters.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto::internal {

struct Bech32Text {
  std::string prefix;  // in lower case
  SecretBytes data;
};

// `prefix` is in lower case; so is the result.
SecretBytes EncodeBech32(absl::string_view prefix, ByteView data);

// Takes all lower or all upper case. InvalidArgument: mixed case, a wrong checksum, a character
// outside the alphabet, no prefix, or bits left over that are no whole zero padding.
absl::StatusOr<Bech32Text> DecodeBech32(absl::string_view text);

// The checksum alone, for BIP 173's own vectors, whose data are not all whole bytes.
bool Bech32ChecksumIsValid(absl::string_view text);

}  // namespace sealbook::crypto::internal
