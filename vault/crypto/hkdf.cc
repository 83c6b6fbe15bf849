#include "vault/crypto/hkdf.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

namespace sealbook::crypto::internal {
namespace {

// HMAC-SHA-256, fed in parts; takes keys of any length and wipes its state.
class Hmac {
 public:
  explicit Hmac(ByteView key) {
    // libsodium copies from the pointer even where there is nothing to copy: an empty view has none.
    static constexpr std::uint8_t kNothing = 0;
    crypto_auth_hmacsha256_init(&state_, key.empty() ? &kNothing : key.data(), key.size());
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() { sodium_memzero(&state_, sizeof(state_)); }

  void Update(ByteView part) { crypto_auth_hmacsha256_update(&state_, part.data(), part.size()); }
  void Final(std::uint8_t* out) { crypto_auth_hmacsha256_final(&state_, out); }

 private:
  crypto_auth_hmacsha256_state state_;
};

}  // namespace

std::array<std::uint8_t, kSha256Bytes> HmacSha256(ByteView key, ByteView message) {
  std::array<std::uint8_t, kSha256Bytes> out;
  Hmac hmac(key);
  hmac.Update(message);
  hmac.Final(out.data());
  return out;
}

void HkdfSha256(ByteView input_key, ByteView salt, ByteView info, std::span<std::uint8_t> out) {
  if (out.size() > 255 * kSha256Bytes) std::abort();
  std::array<std::uint8_t, kSha256Bytes> extracted = HmacSha256(salt, input_key);
  std::array<std::uint8_t, kSha256Bytes> block;
  for (std::size_t at = 0, counter = 1; at < out.size(); at += kSha256Bytes, ++counter) {
    Hmac hmac(extracted);
    if (at > 0) hmac.Update(block);
    hmac.Update(info);
    const auto counter_byte = static_cast<std::uint8_t>(counter);
    hmac.Update({&counter_byte, 1});
    hmac.Final(block.data());
    std::copy_n(block.begin(), std::min(kSha256Bytes, out.size() - at), out.begin() + at);
  }
  sodium_memzero(extracted.data(), extracted.size());
  sodium_memzero(block.data(), block.size());
}

}  // namespace sealbook::crypto::internal
