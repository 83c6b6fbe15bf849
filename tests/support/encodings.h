// Text in the encodings in which lists arrive.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "anonymizer/text_source.h"

namespace sealbook::testing {

// `utf8` must be well formed.
inline std::string Encode(absl::string_view utf8, anonymizer::Encoding encoding, bool mark) {
  using anonymizer::Encoding;
  std::string out;
  if (encoding == Encoding::kUtf8) {
    if (mark) out = "\xef\xbb\xbf";
    out.append(utf8.data(), utf8.size());
    return out;
  }
  const auto put = [&](unsigned unit) {
    const char low = static_cast<char>(unit & 0xff), high = static_cast<char>(unit >> 8);
    out += encoding == Encoding::kUtf16Le ? low : high;
    out += encoding == Encoding::kUtf16Le ? high : low;
  };
  if (mark) put(0xfeff);
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    unsigned character = width == 1 ? lead : lead & (0xffu >> (width + 1));
    for (std::size_t k = 1; k < width; ++k)
      character = character << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3fu);
    i += width;
    if (character < 0x10000) {
      put(character);
    } else {
      put(0xd800 + ((character - 0x10000) >> 10));
      put(0xdc00 + ((character - 0x10000) & 0x3ff));
    }
  }
  return out;
}

}  // namespace sealbook::testing
