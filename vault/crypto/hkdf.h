// HKDF-SHA-256 (RFC 5869) on libsodium's HMAC-SHA-256: what age v1 derives its keys with.
// Sealbook's own keys come from hash.h.
#pragma once

#include <array>

#include "vault/crypto/bytes.h"

namespace sealbook::crypto::internal {

inline constexpr std::size_t kSha256Bytes = 32;

std::array<std::uint8_t, kSha256Bytes> HmacSha256(ByteView key, ByteView message);

// Extract and expand. Fills `out`, which is at most 255 * 32 bytes (checked). An empty `salt`
// counts as 32 zero bytes, as the RFC has it.
void HkdfSha256(ByteView input_key, ByteView salt, ByteView info, std::span<std::uint8_t> out);

}  // namespace sealbook::crypto::internal
