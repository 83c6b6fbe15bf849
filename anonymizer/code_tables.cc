#include "anonymizer/code_tables.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/utf16.h>

#include <memory>
#include <utility>

namespace sealbook::anonymizer {
namespace {

using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;

Converter OpenConverter(const char* name) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &error), &ucnv_close);
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  return U_SUCCESS(error) ? std::move(converter) : Converter(nullptr, &ucnv_close);
}

bool IsPrivate(char32_t character) { return character >= 0xe000 && character < 0xf900; }

// The one character that these bytes are, or 0.
char32_t CharacterOf(UConverter* converter, absl::string_view bytes) {
  UChar units[8];
  UErrorCode error = U_ZERO_ERROR;
  ucnv_reset(converter);
  const std::int32_t length = ucnv_toUChars(converter, units, 8, bytes.data(),
                                            static_cast<std::int32_t>(bytes.size()), &error);
  if (U_FAILURE(error)) return 0;
  if (length == 1) return U16_IS_SURROGATE(units[0]) ? 0 : units[0];
  if (length == 2 && U16_IS_LEAD(units[0]) && U16_IS_TRAIL(units[1]))
    return static_cast<char32_t>(U16_GET_SUPPLEMENTARY(units[0], units[1]));
  return 0;
}

// GB 18030-2005: four bytes 81..FE, 30..39, 81..FE, 30..39 count characters up; those from U+10000
// on begin at 90 30 81 30.
constexpr std::size_t kFourByteBmp = 39420;
constexpr std::size_t kFourByteSupplementary = 189000;
bool IsDigit(std::uint8_t byte) { return byte >= 0x30 && byte <= 0x39; }
bool IsGbLead(std::uint8_t byte) { return byte >= 0x81 && byte <= 0xfe; }

}  // namespace

CodeTable::CodeTable(const char* name, const char* supplement) : pairs_(128 * 256) {
  const Converter converter = OpenConverter(name);
  if (converter == nullptr) return;  // then nothing is text of it
  for (unsigned byte = 0x80; byte <= 0xff; ++byte) {
    const char bytes[] = {static_cast<char>(byte)};
    const char32_t single = CharacterOf(converter.get(), absl::string_view(bytes, 1));
    if (single >= 0xa0 && !IsPrivate(single)) single_[byte - 0x80] = single;
  }
  AddPairs(name, false);
  if (supplement != nullptr) AddPairs(supplement, false);
}

CodeTable::CodeTable(Gb18030) : pairs_(128 * 256), four_bytes_(kFourByteBmp) {
  const Converter converter = OpenConverter("gb18030");
  if (converter == nullptr) return;
  AddPairs("gb18030", true);  // the standard has them as characters
  for (std::size_t i = 0; i < kFourByteBmp; ++i) {
    const char bytes[] = {static_cast<char>(0x81 + i / 12600),
                          static_cast<char>(0x30 + i / 1260 % 10),
                          static_cast<char>(0x81 + i / 10 % 126), static_cast<char>(0x30 + i % 10)};
    four_bytes_[i] =
        static_cast<char16_t>(CharacterOf(converter.get(), absl::string_view(bytes, 4)));
  }
}

void CodeTable::AddPairs(const char* name, bool keep_private) {
  const Converter converter = OpenConverter(name);
  if (converter == nullptr) return;
  for (unsigned lead = 0x80; lead <= 0xff; ++lead) {
    if (single_[lead - 0x80] != 0) continue;
    for (unsigned trail = 0x40; trail <= 0xff; ++trail) {
      char32_t& character = pairs_[(lead - 0x80) << 8 | trail];
      if (character != 0) continue;
      const char bytes[] = {static_cast<char>(lead), static_cast<char>(trail)};
      const char32_t found = CharacterOf(converter.get(), absl::string_view(bytes, 2));
      if (found == 0 || (IsPrivate(found) && !keep_private)) continue;
      character = found;
      is_lead_[lead - 0x80] = true;
    }
  }
}

CodeTable::Sequence CodeTable::ReadLong(const std::uint8_t* bytes, std::size_t size) const {
  if (four_bytes_.empty() || !IsDigit(bytes[1])) return {0, bytes[1] < 0x80 ? 1u : 2u};
  if (size < 3) return {0, 0};
  if (!IsGbLead(bytes[2])) return {0, 1};
  if (size < 4) return {0, 0};
  if (!IsDigit(bytes[3])) return {0, 1};
  const std::size_t index = ((bytes[0] - 0x81u) * 10 + (bytes[1] - 0x30u)) * 1260 +
                            (bytes[2] - 0x81u) * 10 + (bytes[3] - 0x30u);
  char32_t character = 0;
  if (index < kFourByteBmp) character = four_bytes_[index];
  if (index >= kFourByteSupplementary && index - kFourByteSupplementary < 0x100000)
    character = static_cast<char32_t>(0x10000 + index - kFourByteSupplementary);
  return {character, character == 0 ? 1u : 4u};
}

const CodeTable& CodeTable::Of(Encoding encoding) {
  switch (encoding) {
    case Encoding::kCp949: {
      static const auto* const table = new CodeTable("windows-949-2000");
      return *table;
    }
    case Encoding::kGbk: {
      static const auto* const table = new CodeTable("windows-936-2000");
      return *table;
    }
    case Encoding::kGb18030: {
      static const auto* const table = new CodeTable(Gb18030{});
      return *table;
    }
    case Encoding::kBig5: {
      // Names of places in Hong Kong need its supplement, which stands where Windows has nothing.
      static const auto* const table = new CodeTable("windows-950-2000", "ibm-1375_P100-2008");
      return *table;
    }
    default: {
      static const auto* const table = new CodeTable("ibm-5348_P100-1997");
      return *table;
    }
  }
}

}  // namespace sealbook::anonymizer
