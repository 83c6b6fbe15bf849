#include "vault/records/chat_codec.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "vault/records/chat_columns.h"

namespace sealbook::records {

std::int64_t internal::FloorDay(std::int64_t time) {
  return time / kSecondsOfDay - (time % kSecondsOfDay < 0 ? 1 : 0);
}

bool internal::IsUtf8(ByteView text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] < 0x80) {
      ++i;
      continue;
    }
    UChar32 character;
    U8_NEXT(text.data(), i, text.size(), character);
    if (character < 0) return false;
  }
  return true;
}

void Wipe(std::vector<ChatEntry>& entries) {
  for (ChatEntry& entry : entries) {
    crypto::Wipe(entry.author);
    crypto::Wipe(entry.text);
    crypto::Wipe(entry.id);
  }
  entries.clear();
}

std::int32_t DayOf(std::int64_t time) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(internal::FloorDay(time), std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max()));
}

std::size_t PaddedSize(std::size_t size) {
  std::size_t step = 32;
  if (size >= 512) {
    // Padmé: no more bits of the length are seen than its exponent has, plus one.
    const auto exponent = static_cast<unsigned>(std::bit_width(size) - 1);
    const auto seen = static_cast<unsigned>(std::bit_width(exponent));
    step = std::size_t{1} << (exponent - seen);
  }
  return (size + step - 1) / step * step;
}

}  // namespace sealbook::records
