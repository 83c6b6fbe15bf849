// Varints (docs/format.md, "Conventions"): numbers that are mostly small, where bytes are many.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vault/crypto/bytes.h"

namespace sealbook::records {

// Base 128, low groups first, as protobuf's varint. `value` has at most 63 bits.
inline void PutVarint(crypto::Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

// After the first read past the end, or of a number of more than 9 bytes, every read gives zeros
// and ok() is false.
class VarintReader {
 public:
  explicit VarintReader(ByteView bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  bool ok() const { return ok_; }
  ByteView rest() const { return rest_; }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const ByteView byte = Raw(1);
      if (byte.empty()) return 0;
      value |= static_cast<std::uint64_t>(byte[0] & 0x7f) << shift;
      if ((byte[0] & 0x80) == 0) return value;
    }
    Fail();
    return 0;
  }
  std::uint8_t U8() {
    const ByteView byte = Raw(1);
    return byte.empty() ? std::uint8_t{0} : byte[0];
  }
  ByteView Raw(std::uint64_t size) {
    if (!ok_ || size > rest_.size()) {
      Fail();
      return {};
    }
    const ByteView out = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return out;
  }

 private:
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  ByteView rest_;
  bool ok_ = true;
};

}  // namespace sealbook::records
