#include "vault/crypto/sha256.h"

#include <sodium.h>

namespace sealbook::crypto {

struct Sha256::State {
  crypto_hash_sha256_state sodium;
  ~State() { sodium_memzero(&sodium, sizeof(sodium)); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->sodium); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::Update(ByteView bytes) {
  crypto_hash_sha256_update(&state_->sodium, bytes.data(), bytes.size());
}

Sha256Hash Sha256::Finish() {
  Sha256Hash hash;
  crypto_hash_sha256_final(&state_->sodium, hash.data());
  return hash;
}

}  // namespace sealbook::crypto
