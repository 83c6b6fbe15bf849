#include "vault/crypto/aead.h"

#include <sodium.h>

#include <cstdlib>

#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::crypto::internal {
namespace {
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes + kTagBytes == kSealOverheadBytes);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == kKeyBytes);
}  // namespace

void SealAppend(ByteView key, ByteView associated, ByteView plaintext, Bytes& out) {
  if (key.size() != kKeyBytes) std::abort();
  const std::size_t start = out.size();
  out.resize(start + kSealOverheadBytes + plaintext.size());
  std::uint8_t* nonce = out.data() + start;
  FillRandomBuffered({nonce, kNonceBytes});
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonceBytes, nullptr, plaintext.data(),
                                             plaintext.size(), associated.data(), associated.size(),
                                             nullptr, nonce, key.data());
}

bool OpenInto(ByteView key, ByteView associated, ByteView sealed, std::span<std::uint8_t> out) {
  if (key.size() != kKeyBytes) std::abort();
  if (sealed.size() < kSealOverheadBytes || out.size() != sealed.size() - kSealOverheadBytes) {
    return false;
  }
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out.data(), nullptr, nullptr, sealed.data() + kNonceBytes, sealed.size() - kNonceBytes,
             associated.data(), associated.size(), sealed.data(), key.data()) == 0;
}

absl::StatusOr<SecretBytes> Open(ByteView key, ByteView associated, ByteView sealed) {
  if (sealed.size() < kSealOverheadBytes) return absl::DataLossError("a sealed value is cut short");
  SecretBytes plaintext(sealed.size() - kSealOverheadBytes);
  if (!OpenInto(key, associated, sealed, plaintext.ExposeMutable())) {
    return absl::DataLossError("a sealed value does not open at its place");
  }
  return plaintext;
}

}  // namespace sealbook::crypto::internal
