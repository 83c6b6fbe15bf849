#include "vault/crypto/hash.h"

#include <sodium.h>

#include <cstdlib>

namespace sealbook::crypto {
namespace internal {
namespace {

// BLAKE2b, fed in parts; its state holds the key, so it is wiped.
class Blake2bState {
 public:
  Blake2bState(ByteView key, std::size_t out_bytes) {
    // Fails for lengths that BLAKE2b does not have: a programming error that must not become a hash
    // of nothing.
    if (crypto_generichash_init(&state_, key.data(), key.size(), out_bytes) != 0) std::abort();
  }
  Blake2bState(const Blake2bState&) = delete;
  Blake2bState& operator=(const Blake2bState&) = delete;
  ~Blake2bState() { sodium_memzero(&state_, sizeof(state_)); }

  void Update(ByteView part) { crypto_generichash_update(&state_, part.data(), part.size()); }
  void Final(std::span<std::uint8_t> out) {
    crypto_generichash_final(&state_, out.data(), out.size());
  }

 private:
  crypto_generichash_state state_;
};

}  // namespace

void Blake2b(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts,
             std::span<std::uint8_t> out) {
  if (label.size() > 255) std::abort();
  const auto label_bytes = static_cast<std::uint8_t>(label.size());
  Blake2bState state(key, out.size());
  state.Update({&label_bytes, 1});
  state.Update(AsBytes(label));
  for (const ByteView part : parts) state.Update(part);
  state.Final(out);
}

void Blake2bRaw(ByteView key, ByteView message, std::span<std::uint8_t> out) {
  Blake2bState state(key, out.size());
  state.Update(message);
  state.Final(out);
}

}  // namespace internal

Hash256 HashOf(absl::string_view label, std::initializer_list<ByteView> parts) {
  Hash256 out;
  internal::Blake2b({}, label, parts, out);
  return out;
}

struct LabeledHash::State {
  internal::Blake2bState blake2b{{}, sizeof(Hash256)};
};

LabeledHash::LabeledHash(absl::string_view label) : state_(std::make_unique<State>()) {
  if (label.size() > 255) std::abort();
  const auto label_bytes = static_cast<std::uint8_t>(label.size());
  Update({&label_bytes, 1});
  Update(AsBytes(label));
}
LabeledHash::LabeledHash(LabeledHash&&) noexcept = default;
LabeledHash::~LabeledHash() = default;

void LabeledHash::Update(ByteView part) { state_->blake2b.Update(part); }

Hash256 LabeledHash::Finish() {
  Hash256 out;
  state_->blake2b.Final(out);
  return out;
}

Hash128 KeyedHash128(ByteView key, absl::string_view label, std::initializer_list<ByteView> parts) {
  // BLAKE2b takes an empty key for no key: what is guessable would be hashed unkeyed.
  if (key.size() < kMinHashKeyBytes) std::abort();
  Hash128 out;
  internal::Blake2b(key, label, parts, out);
  return out;
}

}  // namespace sealbook::crypto
