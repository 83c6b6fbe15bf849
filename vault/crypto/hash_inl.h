// Templates of hash.h.
#pragma once

#include "vault/crypto/hash.h"

namespace sealbook::crypto {
namespace internal {
// BLAKE2b of out.size() bytes, keyed where `key` is not empty. `label` has at most 255 bytes, `key`
// at most 64, `out` 1 to 64 (checked).
void Blake2b(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts,
             std::span<std::uint8_t> out);
// Without a label, as RFC 7693 has it: for the published vectors only.
void Blake2bRaw(ByteView key, ByteView message, std::span<std::uint8_t> out);
}  // namespace internal

template <typename To, typename From>
void DeriveKeyInto(Key<To>& key, const Key<From>& from, absl::string_view label,
                   std::initializer_list<ByteView> parts) {
  internal::Blake2b(from.ExposeBytes(), label, parts, KeyAccess::Mutable(key));
}
template <typename To, typename From>
Key<To> DeriveKey(const Key<From>& from, absl::string_view label,
                  std::initializer_list<ByteView> parts) {
  Key<To> key = KeyAccess::Empty<To>();
  DeriveKeyInto(key, from, label, parts);
  return key;
}

}  // namespace sealbook::crypto
