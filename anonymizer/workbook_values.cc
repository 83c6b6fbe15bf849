#include "anonymizer/workbook_values.h"

#include <array>
#include <chrono>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace sealbook::anonymizer {
namespace {

using std::chrono_literals::operator""y;

constexpr std::int64_t kDaySeconds = 86'400;

void WriteDigits(std::int64_t number, char* out, std::size_t width) {
  for (std::size_t i = width; i > 0; --i, number /= 10)
    out[i - 1] = static_cast<char>('0' + number % 10);
}

// The letters of the first section that are not quoted, escaped, or a condition in brackets.
std::string LettersOf(absl::string_view code) {
  std::string letters;
  for (std::size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    const char c = absl::ascii_tolower(static_cast<unsigned char>(code[i]));
    if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '"' || c == '[') {
      const std::size_t end = code.find(c == '"' ? '"' : ']', i + 1);
      if (end == absl::string_view::npos) break;
      i = end;
    } else if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
      letters += c;
    }
  }
  return letters;
}

void AppendUtf8(std::uint32_t c, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// The unit that "_xHHHH_" at the beginning stands for.
std::optional<std::uint32_t> EscapeAt(absl::string_view text) {
  std::uint32_t unit = 0;
  if (text.size() < 7 || text[0] != '_' || text[1] != 'x' || text[6] != '_') return std::nullopt;
  for (const char c : text.substr(2, 4)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  if (!absl::SimpleHexAtoi(text.substr(2, 4), &unit)) return std::nullopt;
  return unit;
}

}  // namespace

NumberKind KindOfFormat(int format_id) {
  if ((format_id >= 18 && format_id <= 21) || (format_id >= 45 && format_id <= 47))
    return NumberKind::kTime;
  const bool date = (format_id >= 14 && format_id <= 22) || (format_id >= 27 && format_id <= 36) ||
                    (format_id >= 50 && format_id <= 58);
  return date ? NumberKind::kDate : NumberKind::kPlain;
}

NumberKind KindOfFormatCode(absl::string_view code) {
  // German programs write their own word for "General".
  if (absl::EqualsIgnoreCase(code, "standard")) return NumberKind::kPlain;
  const std::string letters = LettersOf(code);
  const bool time = letters.find_first_of("hs") != std::string::npos;
  const bool month = letters.find('m') != std::string::npos;
  if (letters.find_first_of("yd") != std::string::npos || (month && !time))
    return NumberKind::kDate;
  return time ? NumberKind::kTime : NumberKind::kPlain;
}

std::optional<std::string> DateOfNumber(absl::string_view number, NumberKind kind,
                                        bool since_1904) {
  double value = 0;
  if (!absl::SimpleAtod(number, &value) || !(value >= 0) || value >= 2'958'466) return std::nullopt;
  const std::int64_t seconds = std::llround(value * kDaySeconds);
  const std::int64_t days = seconds / kDaySeconds, of_day = seconds % kDaySeconds;
  std::array<char, 19> text = {};  // "2024-05-01T09:30:00"
  const auto all = [&](std::size_t begin, std::size_t size) {
    return std::string(text.data() + begin, size);
  };
  text[10] = 'T';
  text[13] = text[16] = ':';
  WriteDigits(of_day / 3600, &text[11], 2);
  WriteDigits(of_day / 60 % 60, &text[14], 2);
  WriteDigits(of_day % 60, &text[17], 2);
  if (days == 0 && (of_day != 0 || kind == NumberKind::kTime) &&
      !(since_1904 && kind == NumberKind::kDate)) {
    return all(11, 8);
  }
  if (!since_1904 && days == 0) return std::nullopt;  // shown as the 0th of January 1900
  const std::int64_t leap = !since_1904 && days >= 60 ? 1 : 0;
  const std::chrono::sys_days start = since_1904 ? 1904y / 1 / 1 : 1899y / 12 / 31;
  const std::chrono::year_month_day shown = start + std::chrono::days(days - leap);
  if (shown.year() > 9999y) return std::nullopt;
  const unsigned day = !since_1904 && days == 60 ? 29 : static_cast<unsigned>(shown.day());
  text[4] = text[7] = '-';
  WriteDigits(static_cast<int>(shown.year()), text.data(), 4);
  WriteDigits(static_cast<unsigned>(shown.month()), &text[5], 2);
  WriteDigits(day, &text[8], 2);
  return all(0, of_day == 0 ? 10 : text.size());
}

std::string DateOfText(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  absl::string_view moment = absl::StripSuffix(text, "Z");
  const std::size_t point = moment.find('.');
  if (point != absl::string_view::npos &&
      moment.find_first_not_of('0', point + 1) == absl::string_view::npos)
    moment = moment.substr(0, point);
  if (absl::EndsWith(moment, "T00:00:00"))
    return std::string(absl::StripSuffix(moment, "T00:00:00"));
  // A moment in UTC stays one.
  return std::string(absl::EndsWith(text, "Z") ? text : moment);
}

void UnescapeXstring(std::string& text) {
  if (!absl::StrContains(text, "_x") && !absl::StrContains(text, '\r')) return;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const absl::string_view rest = absl::string_view(text).substr(i);
    const auto unit = EscapeAt(rest);
    std::uint32_t c = unit.value_or(static_cast<unsigned char>(text[i]));
    i += unit ? 7 : 1;
    if (unit && c >= 0xd800 && c < 0xe000) {
      const auto low = EscapeAt(rest.substr(7));
      if (c < 0xdc00 && low && *low >= 0xdc00 && *low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (*low - 0xdc00);
        i += 7;
      } else {
        c = 0xfffd;
      }
    }
    if (c == '\r') {
      const absl::string_view next = absl::string_view(text).substr(i);
      if (absl::StartsWith(next, "\n") || EscapeAt(next) == std::uint32_t{'\n'}) continue;
      c = '\n';
    }
    if (unit)
      AppendUtf8(c, out);
    else
      out += static_cast<char>(c);
  }
  text = std::move(out);
}

std::optional<std::uint64_t> ParseIndex(absl::string_view digits) {
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  std::uint64_t index = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return index;
}

std::optional<CellPlace> ParseCellPlace(absl::string_view reference) {
  CellPlace place;
  std::size_t i = 0;
  for (; i < reference.size() && absl::ascii_isalpha(static_cast<unsigned char>(reference[i]));
       ++i) {
    const int letter = absl::ascii_toupper(static_cast<unsigned char>(reference[i])) - 'A' + 1;
    place.column = place.column * 26 + static_cast<std::size_t>(letter);
    if (i == 3) return std::nullopt;  // XFD is the last
  }
  if (i == 0 || reference.size() - i > 10 || i == reference.size()) return std::nullopt;
  for (; i < reference.size(); ++i) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(reference[i]))) return std::nullopt;
    place.row = place.row * 10 + (reference[i] - '0');
  }
  --place.column;
  return place;
}

}  // namespace sealbook::anonymizer
