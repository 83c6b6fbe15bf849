// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, libsodium's crypto_aead_xchacha20poly1305_ietf).
//
//   sealed = nonce (24 bytes, random) || ciphertext || tag (16 bytes)
//
// The associated data is a fixed-width structure that begins with a label (docs/format.md,
// "Places"), so that what was sealed for one place opens at no other.
#pragma once

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto {

inline constexpr std::size_t kSealOverheadBytes = 24 + 16;

namespace internal {
void SealAppend(ByteView key, ByteView associated, ByteView plaintext, Bytes& out);
absl::StatusOr<SecretBytes> Open(ByteView key, ByteView associated, ByteView sealed);
// False: as Open's DataLoss, or `out` has not the plaintext's size. Then `out` holds no plaintext.
bool OpenInto(ByteView key, ByteView associated, ByteView sealed, std::span<std::uint8_t> out);
}  // namespace internal

// Appends the sealed bytes to `out`, in which `plaintext` and `associated` must not lie.
template <typename Purpose>
void SealAppend(const Key<Purpose>& key, ByteView associated, ByteView plaintext, Bytes& out) {
  internal::SealAppend(key.ExposeBytes(), associated, plaintext, out);
}
template <typename Purpose>
Bytes Seal(const Key<Purpose>& key, ByteView associated, ByteView plaintext) {
  Bytes out;
  SealAppend(key, associated, plaintext, out);
  return out;
}
// DataLoss: wrong key, wrong place or altered bytes; on purpose not told apart.
template <typename Purpose>
absl::StatusOr<SecretBytes> Open(const Key<Purpose>& key, ByteView associated, ByteView sealed) {
  return internal::Open(key.ExposeBytes(), associated, sealed);
}
// Into `out`, which has the size of `sealed` without kSealOverheadBytes. False: as Open's DataLoss;
// then `out` holds no plaintext.
template <typename Purpose>
bool OpenInto(const Key<Purpose>& key, ByteView associated, ByteView sealed,
              std::span<std::uint8_t> out) {
  return internal::OpenInto(key.ExposeBytes(), associated, sealed, out);
}
// Opens a sealed key into guarded memory. DataLoss as above, or where it is no key.
template <typename Inner, typename Purpose>
absl::StatusOr<Key<Inner>> OpenKey(const Key<Purpose>& key, ByteView associated, ByteView sealed);

}  // namespace sealbook::crypto

#include "vault/crypto/aead_inl.h"
