// Bytes as they are written and read: fixed-width integers in big-endian order, and lengths before
// everything of variable length. What is signed, hashed or bound is made with these and with
// nothing else, so that the same values always give the same bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "vault/ids.h"

namespace sealbook::crypto {

using Bytes = std::vector<std::uint8_t>;

inline ByteView AsBytes(absl::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline absl::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string ToHex(ByteView bytes);
// InvalidArgument: not an even number of hexadecimal digits.
absl::StatusOr<Bytes> FromHex(absl::string_view text);
// RFC 4648, section 4, with padding.
std::string ToBase64(ByteView bytes);
// InvalidArgument: any other text than ToBase64 writes: no missing padding, no blanks, no stray
// bits.
absl::StatusOr<Bytes> FromBase64(absl::string_view text);

namespace internal {
// The same into `out`, or without padding where `padded` is false. The number of bytes, or nothing
// where `text` has another form or more than `out` has room for.
std::optional<std::size_t> DecodeBase64(absl::string_view text, bool padded,
                                        std::span<std::uint8_t> out);
}  // namespace internal

class ByteWriter {
 public:
  ByteWriter& U8(std::uint8_t value);
  ByteWriter& U16(std::uint16_t value);
  ByteWriter& U32(std::uint32_t value);
  ByteWriter& U64(std::uint64_t value);
  ByteWriter& I64(std::int64_t value) { return U64(static_cast<std::uint64_t>(value)); }
  ByteWriter& Raw(ByteView bytes);           // no length: for values of fixed width
  ByteWriter& Variable(ByteView bytes);      // 32-bit length, then the bytes
  ByteWriter& Text(absl::string_view text);  // as Variable
  const Bytes& bytes() const { return bytes_; }
  Bytes Take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Reads what ByteWriter wrote. After the first read past the end every read gives zeros and ok() is
// false, so that a parser checks once, at its end, with Finish().
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}
  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  std::int64_t I64() { return static_cast<std::int64_t>(U64()); }
  ByteView Raw(std::size_t size);
  ByteView Variable();
  std::string Text();
  // How many items a count may announce, given that each takes at least `item_bytes` (at least 1):
  // a hostile count that the rest cannot hold makes the reader fail and gives 0.
  std::uint32_t Count(std::size_t item_bytes);
  template <std::size_t N>
  std::array<std::uint8_t, N> Array() {
    std::array<std::uint8_t, N> out{};
    const ByteView bytes = Raw(N);
    if (bytes.size() == N) std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }
  bool ok() const { return ok_; }
  ByteView rest() const { return rest_; }
  // DataLoss: something was missing, or something is left over.
  absl::Status Finish(absl::string_view what) const;

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace sealbook::crypto
