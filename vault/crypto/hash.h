// BLAKE2b (RFC 7693) in the forms that Sealbook uses: unkeyed over public, unguessable things
// (rosters, sessions, audit rows), keyed over everything that can be guessed, and as a derivation
// of keys.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>

#include "absl/strings/string_view.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto {

using Hash256 = std::array<std::uint8_t, 32>;
using Hash128 = std::array<std::uint8_t, 16>;

// BLAKE2b-256( length(label) || label || part || part … ). Parts are of fixed width or carry their
// lengths: the caller makes the concatenation unambiguous.
Hash256 HashOf(absl::string_view label, std::initializer_list<ByteView> parts);

// HashOf over parts that come one by one. Belongs to one thread at a time.
class LabeledHash {
 public:
  explicit LabeledHash(absl::string_view label);
  LabeledHash(LabeledHash&&) noexcept;
  ~LabeledHash();
  void Update(ByteView part);
  // Once; nothing may be added afterwards.
  Hash256 Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// BLAKE2b-128 keyed with `key`, over the same. `key` has 16 to 64 bytes (checked).
inline constexpr std::size_t kMinHashKeyBytes = 16;
Hash128 KeyedHash128(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts);

// BLAKE2b-256 keyed with `from`, over the same: a key for another purpose.
template <typename To, typename From>
void DeriveKeyInto(Key<To>& key, const Key<From>& from, absl::string_view label,
                   std::initializer_list<ByteView> parts);
template <typename To, typename From>
Key<To> DeriveKey(const Key<From>& from, absl::string_view label,
                  std::initializer_list<ByteView> parts);

}  // namespace sealbook::crypto

#include "vault/crypto/hash_inl.h"
