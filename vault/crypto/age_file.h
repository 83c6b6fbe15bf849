// age v1 (C2SP age.md): identities, recipients, and small files. Files of any size are written by
// age_writer.h and read by age_reader.h.
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
// All identities of a file as `age-keygen` writes it: one a line, empty lines and lines that begin
// with "#" between them. InvalidArgument: none, more than kMaxAgeIdentities, or something else
// (the line's number is named).
inline constexpr std::size_t kMaxAgeIdentities = 100;
absl::StatusOr<std::vector<ExchangePair>> ParseAgeIdentities(const SecretBytes& file);

// The binary age file of `plaintext` for all of `recipients`: AgeWriter in memory, with its errors.
absl::StatusOr<Bytes> EncryptAge(const std::vector<ExchangePublic>& recipients, ByteView plaintext);

}  // namespace sealbook::crypto
