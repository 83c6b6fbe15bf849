// Templates of aead.h.
#pragma once

#include "vault/crypto/aead.h"

namespace sealbook::crypto {

template <typename Inner, typename Purpose>
absl::StatusOr<Key<Inner>> OpenKey(const Key<Purpose>& key, ByteView associated, ByteView sealed) {
  Key<Inner> inner = KeyAccess::Empty<Inner>();
  if (!internal::OpenInto(key.ExposeBytes(), associated, sealed, KeyAccess::Mutable(inner))) {
    return absl::DataLossError("a sealed key does not open at its place");
  }
  return inner;
}

}  // namespace sealbook::crypto
