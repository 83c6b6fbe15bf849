#include "vault/crypto/hash.h"

#include <sodium.h>

namespace sealbook::crypto::internal {

void Blake2b(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts,
             std::span<std::uint8_t> out) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.empty() ? nullptr : key.data(), key.size(), out.size());
  const auto label_bytes = static_cast<std::uint8_t>(label.size());
  crypto_generichash_update(&state, &label_bytes, 1);
  const ByteView label_view = AsBytes(label);
  crypto_generichash_update(&state, label_view.data(), label_view.size());
  for (const ByteView part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, out.data(), out.size());
  sodium_memzero(&state, sizeof(state));
}

}  // namespace sealbook::crypto::internal

namespace sealbook::crypto {

Hash256 HashOf(absl::string_view label, std::initializer_list<ByteView> parts) {
  Hash256 out;
  internal::Blake2b({}, label, parts, out);
  return out;
}

Hash128 KeyedHash128(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts) {
  Hash128 out;
  internal::Blake2b(key, label, parts, out);
  return out;
}

}  // namespace sealbook::crypto
