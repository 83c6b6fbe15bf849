// Argon2id (RFC 9106, libsodium's crypto_pwhash_argon2id) from a passphrase or a recovery code to
// the key that opens a member's bundle.
#pragma once

#include <array>

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto {

struct PassphraseCost {
  std::uint32_t memory_kib = 256 * 1024;
  std::uint32_t passes = 3;
  friend bool operator==(const PassphraseCost&, const PassphraseCost&) = default;

  // A hostile file must not make us allocate without bound.
  static constexpr std::uint32_t kMaxMemoryKib = 2 * 1024 * 1024;
  static constexpr std::uint32_t kMaxPasses = 20;
  static constexpr std::uint32_t kMinMemoryKib = 8;
};
using Salt = std::array<std::uint8_t, 16>;

// InvalidArgument: the cost is outside its bounds. ResourceExhausted: the memory is not to be had.
absl::StatusOr<UnlockKey> StretchPassphrase(ByteView passphrase, const Salt& salt,
                                            const PassphraseCost& cost);

}  // namespace sealbook::crypto
