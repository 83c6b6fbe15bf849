// Templates of secret.h.
#pragma once

#include "vault/crypto/secret.h"

namespace sealbook::crypto {
namespace internal {
void FillKey(std::span<std::uint8_t> out);
void CopyKey(ByteView from, std::span<std::uint8_t> out);  // aborts where the lengths differ
}  // namespace internal

template <typename Purpose>
Key<Purpose> Key<Purpose>::Random() {
  Key key;
  internal::FillKey({key.slot_, kKeyBytes});
  return key;
}

template <typename Purpose>
Key<Purpose> Key<Purpose>::CopyOf(ByteView bytes) {
  Key key;
  internal::CopyKey(bytes, {key.slot_, kKeyBytes});
  return key;
}

}  // namespace sealbook::crypto
