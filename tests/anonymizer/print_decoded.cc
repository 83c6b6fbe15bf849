// print_decoded ENCODING: lines of hexadecimal digits in, the code points that those bytes are out,
// or "-" where they are no text. For encodings_differential.py.
#include <unicode/utf8.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "absl/strings/escaping.h"
#include "anonymizer/encodings.h"

int main(int count, char** arguments) {
  using namespace sealbook::anonymizer;
  if (count != 2) return 2;
  const auto encoding = ParseEncoding(arguments[1]);
  if (!encoding.ok()) return 2;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto text = ToUtf8(absl::HexStringToBytes(line), *encoding);
    if (!text) {
      std::puts("-");
      continue;
    }
    std::string out;
    const auto size = static_cast<std::int32_t>(text->size());
    for (std::int32_t at = 0; at < size;) {
      UChar32 character;
      U8_NEXT(text->data(), at, size, character);
      char hex[16];
      std::snprintf(hex, sizeof hex, "%s%x", out.empty() ? "" : " ",
                    static_cast<unsigned>(character));
      out += hex;
    }
    std::puts(out.c_str());
  }
  return 0;
}
