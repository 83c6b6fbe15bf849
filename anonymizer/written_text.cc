#include "anonymizer/written_text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace sealbook::anonymizer {
namespace {

std::uint8_t ByteAt(absl::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

template <typename Skip>
absl::string_view Trim(absl::string_view text, const Skip& skip) {
  while (!text.empty()) {
    const std::size_t blank = skip(text);
    if (blank == 0) break;
    text.remove_prefix(blank);
  }
  for (;;) {
    // No blank has more than three bytes, and none ends with another's bytes.
    std::size_t blank = 0;
    for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
      if (skip(text.substr(text.size() - size)) == size) blank = size;
    }
    if (blank == 0) return text;
    text.remove_suffix(blank);
  }
}

}  // namespace

std::size_t MarkBytes(absl::string_view text) {
  switch (ByteAt(text, 0)) {
    case 0xe2: {
      const std::uint8_t second = ByteAt(text, 1), third = ByteAt(text, 2);
      const bool mark = (second == 0x80 &&
                         ((third >= 0x8b && third <= 0x8f) || (third >= 0xaa && third <= 0xae))) ||
                        (second == 0x81 && (third == 0xa0 || (third >= 0xa6 && third <= 0xa9)));
      return mark ? 3 : 0;
    }
    case 0xef:
      return ByteAt(text, 1) == 0xbb && ByteAt(text, 2) == 0xbf ? 3 : 0;
    case 0xd8:
      return ByteAt(text, 1) == 0x9c ? 2 : 0;
    default:
      return 0;
  }
}

std::size_t DirectionMarkBytes(absl::string_view text) {
  const std::size_t mark = MarkBytes(text);
  const bool joins = mark == 3 && ByteAt(text, 0) == 0xe2 &&
                     ((ByteAt(text, 1) == 0x80 && ByteAt(text, 2) <= 0x8d) ||
                      (ByteAt(text, 1) == 0x81 && ByteAt(text, 2) == 0xa0));
  return joins ? 0 : mark;
}

std::size_t SpaceBytes(absl::string_view text) {
  switch (ByteAt(text, 0)) {
    case ' ':
    case '\t':
      return 1;
    case 0xc2:
      return ByteAt(text, 1) == 0xa0 ? 2 : 0;
    case 0xe2: {
      const std::uint8_t third = ByteAt(text, 2);
      return ByteAt(text, 1) == 0x80 && ((third >= 0x80 && third <= 0x8a) || third == 0xaf) ? 3 : 0;
    }
    case 0xe3:
      return ByteAt(text, 1) == 0x80 && ByteAt(text, 2) == 0x80 ? 3 : 0;
    default:
      return 0;
  }
}

std::size_t BlankBytes(absl::string_view text) {
  const std::size_t space = SpaceBytes(text);
  return space > 0 ? space : MarkBytes(text);
}

int DigitAt(absl::string_view text, std::size_t& bytes) {
  const std::uint8_t first = ByteAt(text, 0);
  bytes = 1;
  if (first < 0x80) return first >= '0' && first <= '9' ? first - '0' : -1;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(text.data());
  std::int32_t next = 0;
  const auto size = static_cast<std::int32_t>(text.size() < 4 ? text.size() : 4);
  UChar32 character;
  U8_NEXT(begin, next, size, character);
  bytes = static_cast<std::size_t>(next);
  return character < 0 ? -1 : u_charDigitValue(character);
}

absl::string_view TrimBlanks(absl::string_view text) {
  return Trim(text, [](absl::string_view at) { return BlankBytes(at); });
}
absl::string_view TrimDirectionMarks(absl::string_view text) {
  return Trim(text, [](absl::string_view at) { return DirectionMarkBytes(at); });
}

}  // namespace sealbook::anonymizer
