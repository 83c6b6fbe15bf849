// Which index hashes are surely not in the vault: a Bloom filter of fixed size (B. H. Bloom,
// "Space/time trade-offs in hash coding with allowable errors", 1970). A bulk import asks it first,
// since looking up 30,000 random hashes reads most pages of a large index for people who are new
// nearly all of them.
//
// Index hashes are keyed and random, so their own bits are the filter's hash functions.
#pragma once

#include <cstdint>
#include <vector>

#include "vault/crypto/hash.h"

namespace sealbook::records {

class HashFilter {
 public:
  // 6 million hashes (3 million customers with two each): 1 in 70 is looked up in vain.
  static constexpr std::size_t kBytes = 8 << 20;

  HashFilter() : words_(kBytes / 8) {}

  void Add(const crypto::Hash128& hash) {
    for (int probe = 0; probe < kProbes; ++probe) words_[Word(hash, probe)] |= Mask(hash, probe);
  }
  // False: surely never added.
  bool MayHold(const crypto::Hash128& hash) const {
    for (int probe = 0; probe < kProbes; ++probe) {
      if ((words_[Word(hash, probe)] & Mask(hash, probe)) == 0) return false;
    }
    return true;
  }

 private:
  static constexpr int kProbes = 3;
  static constexpr std::size_t kBits = kBytes * 8;
  static_assert((kBits & (kBits - 1)) == 0 && kBits <= std::size_t{1} << 32);

  // Four bytes of the hash a probe.
  static std::size_t Bit(const crypto::Hash128& hash, int probe) {
    std::uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits = bits << 8 | hash[static_cast<std::size_t>(4 * probe + i)];
    return bits & (kBits - 1);
  }
  static std::size_t Word(const crypto::Hash128& hash, int probe) { return Bit(hash, probe) / 64; }
  static std::uint64_t Mask(const crypto::Hash128& hash, int probe) {
    return std::uint64_t{1} << (Bit(hash, probe) % 64);
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace sealbook::records
