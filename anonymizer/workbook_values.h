// What stands in the cells of a workbook, as text: escapes, dates, places. Functions may be called
// from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// How a number is shown, as far as it matters here.
enum class NumberKind : std::uint8_t { kPlain, kDate, kTime };

// By the number of a built-in format (ECMA-376 part 1, 18.8.30, with those of East Asian versions).
NumberKind KindOfFormat(int format_id);
// By a format's own code, "yyyy\-mm\-dd;@" say.
NumberKind KindOfFormatCode(absl::string_view code);

// "2024-05-01", "2024-05-01T09:30:00", or "09:30:00" for a part of a day, from the number of days
// since the end of 1899 or, with `since_1904`, the beginning of 1904. In the first system February
// 1900 has 29 days, as spreadsheets count. nullopt: no date that a spreadsheet shows.
std::optional<std::string> DateOfNumber(absl::string_view number, NumberKind kind, bool since_1904);
// What a cell of type "d" holds, in the same forms.
std::string DateOfText(absl::string_view text);

// Undoes ST_Xstring (ECMA-376 part 1, 22.9.2.19) in place: "_x000D_" stands for a character. Line
// ends become line feeds.
void UnescapeXstring(std::string& text);

// A number that counts from 0. nullopt: no such number.
std::optional<std::uint64_t> ParseIndex(absl::string_view digits);

// Where "AB12" stands: from 0 and from 1. nullopt: no place.
struct CellPlace {
  std::size_t column = 0;
  std::int64_t row = 0;
};
std::optional<CellPlace> ParseCellPlace(absl::string_view reference);

}  // namespace sealbook::anonymizer
