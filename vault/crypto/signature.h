// Ed25519 (RFC 8032) signatures over a label and exact bytes.
#pragma once

#include <array>

#include "absl/strings/string_view.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto {

struct VerifyKey {
  std::array<std::uint8_t, 32> bytes{};
  friend bool operator==(const VerifyKey&, const VerifyKey&) = default;
};
using Signature = std::array<std::uint8_t, 64>;

class SigningPair {
 public:
  static SigningPair Generate();
  static SigningPair FromSeed(SigningSeed seed);
  const VerifyKey& verify_key() const { return verify_key_; }
  const SigningSeed& seed() const { return seed_; }
  // Signs length(label) (1 byte) || label || message.
  Signature Sign(absl::string_view label, ByteView message) const;

 private:
  SigningPair(VerifyKey verify_key, SigningSeed seed)
      : verify_key_(verify_key), seed_(std::move(seed)) {}
  VerifyKey verify_key_;
  SigningSeed seed_;
};

// Without a label, as RFC 8032 has it: for the published vectors only.
namespace internal {
Signature SignRaw(ByteView seed, ByteView message);
bool VerifyRaw(const VerifyKey& key, ByteView message, const Signature& signature);
}  // namespace internal

bool Verify(const VerifyKey& key, absl::string_view label, ByteView message,
            const Signature& signature);

}  // namespace sealbook::crypto
