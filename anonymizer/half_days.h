// Marks for the halves and parts of a day beside a clock of twelve hours ("p. m.", "오후", "晚上"),
// in all languages in which phones are known to write them. The words are those of Unicode's CLDR
// and of exports seen.
//
// Functions may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

enum class HalfDay : std::uint8_t {
  kNone,     // the word says nothing of the hour: "à", "klo", "Uhr"
  kMorning,  // 12 is midnight
  kAfternoon,
  kNoon,     // 11, 12 and 1 in the middle of the day
  kNight,    // from six in the evening to six in the morning
  kUnknown,  // the word is not known
};

struct HalfDayMark {
  HalfDay half = HalfDay::kNone;
  // Its language writes the year first.
  bool year_first = false;
  // AM or PM. All languages may have them behind the time; before it only those that write the year
  // first do ("PM 1:28").
  bool english = false;
};

// `phrase` is all that stands there, with spaces, dots and marks of direction as they come. Empty
// is kNone.
HalfDayMark FindHalfDay(absl::string_view phrase);

// The hour of a day; nullopt above 24. An hour above 12 is itself, whatever the mark. 24 is 0.
std::optional<int> HourOf(int hour, HalfDay half);

}  // namespace sealbook::anonymizer
