// Published vectors stand in the tests as hexadecimal text, as their sources have them.
#pragma once

#include <array>

#include "vault/crypto/bytes.h"

namespace sealbook::crypto {

// Ends the test program where `text` is not hexadecimal: then the test itself is wrong.
inline Bytes Unhex(absl::string_view text) { return FromHex(text).value(); }

template <std::size_t N>
std::array<std::uint8_t, N> UnhexArray(absl::string_view text) {
  const Bytes bytes = Unhex(text);
  std::array<std::uint8_t, N> out{};
  if (bytes.size() != N) std::abort();
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace sealbook::crypto
