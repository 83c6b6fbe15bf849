// Randomness from libsodium (getrandom). Bulk writers need a 24-byte nonce for every value: a
// buffer a thread, wiped after a fork and as it is used up, saves the system calls.
#pragma once

#include <cstdint>
#include <span>

namespace sealbook::crypto {

void FillRandom(std::span<std::uint8_t> out);
// As FillRandom, through this thread's buffer: for nonces, salts and tokens, not for keys.
void FillRandomBuffered(std::span<std::uint8_t> out);
// Uniform in [0, bound), without bias; `bound` > 0 (checked). Through this thread's buffer.
std::uint64_t RandomBelow(std::uint64_t bound);

}  // namespace sealbook::crypto
