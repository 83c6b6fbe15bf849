// The header of an age file as it is read: strict, bounded, not yet authenticated.
#pragma once

#include "vault/crypto/age_armor.h"
#include "vault/crypto/age_format.h"

namespace sealbook::crypto::internal {

struct AgeHeader {
  std::vector<AgeStanza> stanzas;  // at least one
  std::string text;                // what the MAC covers: up to and with "---"
  Bytes mac;                       // 32 bytes
};

// InvalidArgument: not age v1, malformed, cut short, or above AgeReader's limits. Otherwise the
// input's errors.
absl::StatusOr<AgeHeader> ReadAgeHeader(AgeInput& input);

// The file key. InvalidArgument, Unauthenticated, DataLoss, ResourceExhausted: as AgeReader::Open.
absl::StatusOr<AgeKey> OpenAgeHeader(const AgeHeader& header, const AgeReaderOptions& options);

}  // namespace sealbook::crypto::internal
