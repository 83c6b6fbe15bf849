#include "vault/crypto/passphrase.h"

#include <sodium.h>

#include "vault/status.h"

namespace sealbook::crypto {

absl::StatusOr<UnlockKey> StretchPassphrase(ByteView passphrase, const Salt& salt,
                                            const PassphraseCost& cost) {
  static_assert(sizeof(Salt) == crypto_pwhash_argon2id_SALTBYTES);
  if (cost.memory_kib < PassphraseCost::kMinMemoryKib ||
      cost.memory_kib > PassphraseCost::kMaxMemoryKib || cost.passes < 1 ||
      cost.passes > PassphraseCost::kMaxPasses) {
    return absl::InvalidArgumentError("the cost of unlocking is outside its bounds");
  }
  UnlockKey key = KeyAccess::Empty<UnlockPurpose>();
  if (crypto_pwhash_argon2id(KeyAccess::Mutable(key).data(), kKeyBytes,
                             passphrase.empty() ? "" : reinterpret_cast<const char*>(passphrase.data()), passphrase.size(),
                             salt.data(), cost.passes, std::size_t{cost.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return WithHint(absl::ResourceExhaustedError("not enough memory to unlock"),
                    "Unlocking needs as much free memory as the policy's passphrase section says.");
  }
  return key;
}

}  // namespace sealbook::crypto
