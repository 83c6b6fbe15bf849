#include "vault/crypto/random.h"

#include <pthread.h>
#include <sodium.h>

#include <cstdlib>
#include <cstring>

namespace sealbook::crypto {
namespace {

// Random bytes ahead of their use: the last `left` of `bytes`.
struct Buffer {
  std::uint8_t bytes[4096] = {};
  std::size_t left = 0;

  void Take(std::span<std::uint8_t> out) {
    if (out.empty()) return;
    if (left < out.size()) {
      randombytes_buf(bytes, sizeof(bytes));
      left = sizeof(bytes);
    }
    std::uint8_t* const next = bytes + sizeof(bytes) - left;
    std::memcpy(out.data(), next, out.size());
    sodium_memzero(next, out.size());
    left -= out.size();
  }
  void Discard() {
    sodium_memzero(bytes, sizeof(bytes));
    left = 0;
  }
};

constinit thread_local Buffer buffer;

// A child must not use its parent's bytes. The thread that forks is the only one in the child, so
// its buffer is the only one to throw away.
[[maybe_unused]] const int fork_handler =
    pthread_atfork(nullptr, nullptr, [] { buffer.Discard(); });

}  // namespace

void FillRandom(std::span<std::uint8_t> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

void FillRandomBuffered(std::span<std::uint8_t> out) {
  if (out.empty()) return;
  if (out.size() > sizeof(buffer.bytes) / 4) return FillRandom(out);
  buffer.Take(out);
}

std::uint64_t RandomBelow(std::uint64_t bound) {
  if (bound == 0) std::abort();
  // Values under 2^64 mod bound would come once more often than the others: drawn again.
  const std::uint64_t unfair = -bound % bound;
  for (;;) {
    std::uint64_t value;
    FillRandomBuffered({reinterpret_cast<std::uint8_t*>(&value), sizeof(value)});
    if (value >= unfair) return value % bound;
  }
}

}  // namespace sealbook::crypto
