// SHA-256 (FIPS 180-4, libsodium's crypto_hash_sha256) of what leaves the vault as a file: the hash
// that every system can compute again. Sealbook's own hashes are BLAKE2b (hash.h).
#pragma once

#include <array>
#include <memory>

#include "vault/crypto/bytes.h"

namespace sealbook::crypto {

using Sha256Hash = std::array<std::uint8_t, 32>;

// One hash over bytes that come in parts. Belongs to one thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  ~Sha256();
  void Update(ByteView bytes);
  // Once; nothing may be added afterwards.
  Sha256Hash Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealbook::crypto
