// The dates and times of KakaoTalk's exports: as each system writes them, in Korean, English and
// Japanese. Functions may be called from any thread.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace sealbook::anonymizer {

// How a line of a phone's export begins. An export has one style; lines that begin in another are
// text that somebody pasted.
enum class StampStyle {
  kWords,       // 2024년 1월 3일 오후 2:05, 2024年1月3日 午後2:05
  kDots,        // 2024. 1. 3. 오후 2:05
  kTimeFirst,   // 2:05pm, January 3, 2024
  kMonthFirst,  // Jan 3, 2024, 2:05 PM; Jan 3, 2024 at 2:05 PM
  kDayFirst,    // 3 Jan 2024, 14:05; 3 Jan 2024 at 14:05
};

struct ClockTime {
  int hour = 0, minute = 0, second = 0;
  bool exists = true;  // false for 오후 14:00 and 25:10
};
// Takes a time off the beginning of `text`: 14:05, 오후 2:05, 2:05 PM, 2:05:09pm.
std::optional<ClockTime> TakeClock(absl::string_view& text);

struct Stamp {
  StampStyle style{};
  absl::CivilSecond time;
  bool exists = true;  // false where it has the shape, but no such day or time exists
};
// Takes a date and a time off the beginning of `text`.
std::optional<Stamp> TakeStamp(absl::string_view& text);

struct DayLine {
  absl::CivilDay day;
  bool exists = true;
};
// A date with its day of the week and nothing else: "2024년 3월 11일 월요일",
// "2024. 3. 11. 월요일", "Monday, March 11, 2024", "2024年3月11日 月曜日".
std::optional<DayLine> ReadDayLine(absl::string_view text);
// The same between dashes, as computers write it.
std::optional<DayLine> ReadDateBar(absl::string_view line);

}  // namespace sealbook::anonymizer
