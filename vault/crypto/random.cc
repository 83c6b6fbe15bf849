#include "vault/crypto/random.h"

#include <pthread.h>
#include <sodium.h>

#include <atomic>
#include <cstring>

namespace sealbook::crypto {
namespace {

std::atomic<unsigned> fork_count{0};

// Random bytes ahead of their use. A child process must not use its parent's.
struct Buffer {
  std::uint8_t bytes[4096];
  std::size_t used = sizeof(bytes);
  unsigned fork = 0;

  void Take(std::span<std::uint8_t> out) {
    const unsigned forks = fork_count.load(std::memory_order_relaxed);
    if (used + out.size() > sizeof(bytes) || fork != forks) {
      randombytes_buf(bytes, sizeof(bytes));
      used = 0;
      fork = forks;
    }
    std::memcpy(out.data(), bytes + used, out.size());
    sodium_memzero(bytes + used, out.size());
    used += out.size();
  }
};

thread_local Buffer buffer;

const int register_fork_handler = pthread_atfork(nullptr, nullptr, [] { ++fork_count; });

}  // namespace

void FillRandom(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }

void FillRandomBuffered(std::span<std::uint8_t> out) {
  if (out.size() > sizeof(buffer.bytes) / 4) return FillRandom(out);
  buffer.Take(out);
}

std::uint64_t RandomBelow(std::uint64_t bound) {
  // Values under 2^64 mod bound would come once more often than the others: drawn again.
  const std::uint64_t unfair = -bound % bound;
  for (;;) {
    std::uint64_t value;
    FillRandomBuffered({reinterpret_cast<std::uint8_t*>(&value), sizeof(value)});
    if (value >= unfair) return value % bound;
  }
}

}  // namespace sealbook::crypto
