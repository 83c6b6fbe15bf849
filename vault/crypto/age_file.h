// age v1 (C2SP age.md): identities, recipients, and files encrypted to X25519 recipients. Stock
// `age` opens what is written here. Reading and streaming come with the export.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"

namespace sealbook::crypto {

// "age1…" (bech32, BIP 173, lower case) to an X25519 public key.
// InvalidArgument: not such a recipient, a wrong checksum, or a point of small order.
absl::StatusOr<ExchangePublic> ParseAgeRecipient(absl::string_view text);
std::string FormatAgeRecipient(const ExchangePublic& recipient);
// "AGE-SECRET-KEY-1…", upper case.
SecretBytes FormatAgeIdentity(const ExchangePair& identity);
absl::StatusOr<ExchangePair> ParseAgeIdentity(absl::string_view text);

// The binary age file of `plaintext` for all of `recipients` (at least one, at most 20).
absl::StatusOr<Bytes> EncryptAge(const std::vector<ExchangePublic>& recipients, ByteView plaintext);

}  // namespace sealbook::crypto
