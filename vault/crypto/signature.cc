#include "vault/crypto/signature.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace sealbook::crypto {
namespace {

static_assert(crypto_sign_SEEDBYTES == kKeyBytes);

Bytes Labelled(absl::string_view label, ByteView message) {
  if (label.size() > 255) std::abort();
  ByteWriter writer;
  writer.U8(static_cast<std::uint8_t>(label.size())).Raw(AsBytes(label)).Raw(message);
  return writer.Take();
}

// libsodium wants the seed and the public key side by side, more than a key slot holds. One piece
// of guarded memory serves all threads in turn; it is empty but for the moments of signing.
class ExpandedKey {
 public:
  explicit ExpandedKey(ByteView seed) : lock_(mutex()), bytes_(memory()) {
    if (seed.size() != kKeyBytes) std::abort();
    crypto_sign_seed_keypair(verify_key_.bytes.data(), bytes_, seed.data());
  }
  ExpandedKey(const ExpandedKey&) = delete;
  ExpandedKey& operator=(const ExpandedKey&) = delete;
  ~ExpandedKey() { sodium_memzero(bytes_, crypto_sign_SECRETKEYBYTES); }

  const std::uint8_t* bytes() const { return bytes_; }
  const VerifyKey& verify_key() const { return verify_key_; }

 private:
  static std::mutex& mutex() {
    static auto* const mutex = new std::mutex;
    return *mutex;
  }
  static std::uint8_t* memory() {
    // Never given back, as the key slots: a pair in static storage may sign at the very end.
    static auto* const memory = [] {
      void* bytes = sodium_init() < 0 ? nullptr : sodium_malloc(crypto_sign_SECRETKEYBYTES);
      if (bytes == nullptr) std::abort();
      return static_cast<std::uint8_t*>(bytes);
    }();
    return memory;
  }

  const std::lock_guard<std::mutex> lock_;
  std::uint8_t* const bytes_;
  VerifyKey verify_key_;
};

}  // namespace

namespace internal {

Signature SignRaw(ByteView seed, ByteView message) {
  const ExpandedKey key(seed);
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), key.bytes());
  return signature;
}

bool VerifyRaw(const VerifyKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

}  // namespace internal

SigningPair SigningPair::Generate() { return FromSeed(SigningSeed::Random()); }

SigningPair SigningPair::FromSeed(SigningSeed seed) {
  const VerifyKey verify_key = ExpandedKey(seed.ExposeBytes()).verify_key();
  return SigningPair(verify_key, std::move(seed));
}

Signature SigningPair::Sign(absl::string_view label, ByteView message) const {
  return internal::SignRaw(seed_.ExposeBytes(), Labelled(label, message));
}

bool Verify(const VerifyKey& key, absl::string_view label, ByteView message,
            const Signature& signature) {
  return internal::VerifyRaw(key, Labelled(label, message), signature);
}

}  // namespace sealbook::crypto
