#include "anonymizer/kakaotalk_stamp.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace sealbook::anonymizer {
namespace {

// Blanks, also those that do not break.
bool TakeBlank(absl::string_view& text) {
  for (const absl::string_view blank : {" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"}) {
    if (absl::ConsumePrefix(&text, blank)) return true;
  }
  return false;
}

void SkipBlanks(absl::string_view& text) {
  while (TakeBlank(text)) {
  }
}

// A number of `least` to `most` digits, behind which no further one stands.
std::optional<int> TakeNumber(absl::string_view& text, std::size_t least, std::size_t most) {
  std::size_t size = 0;
  int number = 0;
  while (size < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[size]))) {
    if (size == most) return std::nullopt;
    number = number * 10 + (text[size++] - '0');
  }
  if (size < least) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool TakeOneOf(absl::string_view& text, std::initializer_list<absl::string_view> words) {
  for (const absl::string_view word : words) {
    if (absl::ConsumePrefix(&text, word)) return true;
  }
  return false;
}

bool TakeIgnoringCase(absl::string_view& text, absl::string_view word) {
  if (!absl::StartsWithIgnoreCase(text, word)) return false;
  text.remove_prefix(word.size());
  return true;
}

enum class Half { kNone, kMorning, kAfternoon };

Half TakeHalf(absl::string_view& text) {
  if (TakeOneOf(text, {"오전", "午前", "上午"})) return Half::kMorning;
  if (TakeOneOf(text, {"오후", "午後", "下午"})) return Half::kAfternoon;
  absl::string_view rest = text;
  for (const auto& [word, half] : {std::pair<absl::string_view, Half>{"am", Half::kMorning},
                                   {"pm", Half::kAfternoon},
                                   {"a.m.", Half::kMorning},
                                   {"p.m.", Half::kAfternoon}}) {
    if (!TakeIgnoringCase(rest, word)) continue;
    // "amy" is no half of a day.
    if (!rest.empty() && absl::ascii_isalpha(static_cast<unsigned char>(rest[0])))
      return Half::kNone;
    text = rest;
    return half;
  }
  return Half::kNone;
}

int TakeMonth(absl::string_view& text) {
  static constexpr std::array<absl::string_view, 12> kMonths = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    absl::string_view rest = text;
    if (!TakeIgnoringCase(rest, kMonths[i]) && !TakeIgnoringCase(rest, kMonths[i].substr(0, 3)))
      continue;
    if (i == 8) TakeIgnoringCase(rest, "t");  // "Sept"
    absl::ConsumePrefix(&rest, ".");
    text = rest;
    return static_cast<int>(i) + 1;
  }
  return 0;
}

struct Date {
  StampStyle style{};
  int year = 0, month = 0, day = 0;
  bool exists() const {
    const absl::CivilDay civil(year, month, day);
    return civil.year() == year && civil.month() == month && civil.day() == day;
  }
};

std::optional<Date> TakeYearFirst(absl::string_view& text) {
  absl::string_view rest = text;
  Date date;
  const auto part = [&](int& out, std::size_t digits,
                        std::initializer_list<absl::string_view> behind) {
    const auto number = TakeNumber(rest, digits == 4 ? 4 : 1, digits);
    if (!number) return false;
    out = *number;
    SkipBlanks(rest);
    if (!TakeOneOf(rest, behind)) return false;
    return true;
  };
  if (!part(date.year, 4, {"년", "年", "."})) return std::nullopt;
  const bool dots = *(rest.data() - 1) == '.';
  date.style = dots ? StampStyle::kDots : StampStyle::kWords;
  SkipBlanks(rest);
  if (dots) {
    if (!part(date.month, 2, {"."})) return std::nullopt;
    SkipBlanks(rest);
    const auto day = TakeNumber(rest, 1, 2);
    if (!day) return std::nullopt;
    date.day = *day;
    absl::ConsumePrefix(&rest, ".");
  } else {
    if (!part(date.month, 2, {"월", "月"})) return std::nullopt;
    SkipBlanks(rest);
    if (!part(date.day, 2, {"일", "日"})) return std::nullopt;
  }
  text = rest;
  return date;
}

// "January 3, 2024" and "3 January 2024".
std::optional<Date> TakeNamedMonth(absl::string_view& text) {
  absl::string_view rest = text;
  Date date;
  auto day = TakeNumber(rest, 1, 2);
  date.style = day ? StampStyle::kDayFirst : StampStyle::kMonthFirst;
  if (day && !TakeBlank(rest)) return std::nullopt;
  date.month = TakeMonth(rest);
  if (date.month == 0) return std::nullopt;
  SkipBlanks(rest);
  if (!day) {
    day = TakeNumber(rest, 1, 2);
    if (!day) return std::nullopt;
  }
  absl::ConsumePrefix(&rest, ",");
  SkipBlanks(rest);
  const auto year = TakeNumber(rest, 4, 4);
  if (!year) return std::nullopt;
  date.day = *day;
  date.year = *year;
  text = rest;
  return date;
}

Stamp StampOf(const Date& date, const ClockTime& clock) {
  Stamp stamp{.style = date.style, .exists = date.exists() && clock.exists};
  if (stamp.exists) {
    stamp.time =
        absl::CivilSecond(date.year, date.month, date.day, clock.hour, clock.minute, clock.second);
  }
  return stamp;
}

bool TakeWeekday(absl::string_view& text) {
  absl::string_view rest = text;
  if (TakeOneOf(rest, {"월", "화", "수", "목", "금", "토", "일"}) &&
      absl::ConsumePrefix(&rest, "요일")) {
    text = rest;
    return true;
  }
  rest = text;
  if (TakeOneOf(rest, {"月", "火", "水", "木", "金", "土", "日"}) && TakeOneOf(rest, {"曜日"})) {
    text = rest;
    return true;
  }
  for (const absl::string_view day :
       {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}) {
    if (TakeIgnoringCase(text, day)) return true;
  }
  return false;
}

}  // namespace

std::optional<ClockTime> TakeClock(absl::string_view& text) {
  absl::string_view rest = text;
  Half half = TakeHalf(rest);
  if (half != Half::kNone) SkipBlanks(rest);
  const auto hour = TakeNumber(rest, 1, 2);
  if (!hour || !absl::ConsumePrefix(&rest, ":")) return std::nullopt;
  const auto minute = TakeNumber(rest, 2, 2);
  if (!minute) return std::nullopt;
  ClockTime clock{.hour = *hour, .minute = *minute};
  absl::string_view behind = rest;
  if (absl::ConsumePrefix(&behind, ":")) {
    if (const auto second = TakeNumber(behind, 2, 2)) {
      clock.second = *second;
      rest = behind;
    }
  }
  if (half == Half::kNone) {
    behind = rest;
    SkipBlanks(behind);
    half = TakeHalf(behind);
    if (half != Half::kNone) rest = behind;
  }
  clock.exists = clock.minute < 60 && clock.second < 60 && clock.hour < 24;
  if (half != Half::kNone) {
    clock.exists = clock.exists && clock.hour <= 12;
    clock.hour = clock.hour % 12 + (half == Half::kAfternoon ? 12 : 0);
  }
  text = rest;
  return clock;
}

std::optional<Stamp> TakeStamp(absl::string_view& text) {
  absl::string_view rest = text;
  if (auto date = TakeYearFirst(rest)) {
    SkipBlanks(rest);
    const auto clock = TakeClock(rest);
    if (!clock) return std::nullopt;
    text = rest;
    return StampOf(*date, *clock);
  }
  rest = text;
  if (auto date = TakeNamedMonth(rest)) {
    if (!absl::ConsumePrefix(&rest, ",")) {
      SkipBlanks(rest);
      if (!absl::ConsumePrefix(&rest, "at")) return std::nullopt;
    }
    SkipBlanks(rest);
    const auto clock = TakeClock(rest);
    if (!clock) return std::nullopt;
    text = rest;
    return StampOf(*date, *clock);
  }
  rest = text;
  const auto clock = TakeClock(rest);
  if (!clock || !absl::ConsumePrefix(&rest, ",")) return std::nullopt;
  SkipBlanks(rest);
  auto date = TakeNamedMonth(rest);
  if (!date) return std::nullopt;
  date->style = StampStyle::kTimeFirst;
  text = rest;
  return StampOf(*date, *clock);
}

std::optional<DayLine> ReadDayLine(absl::string_view text) {
  std::optional<Date> date;
  if (TakeWeekday(text)) {
    absl::ConsumePrefix(&text, ",");
    SkipBlanks(text);
    date = TakeNamedMonth(text);
  } else {
    date = TakeYearFirst(text);
    SkipBlanks(text);
    if (!date || !TakeWeekday(text)) return std::nullopt;
  }
  SkipBlanks(text);
  if (!date || !text.empty()) return std::nullopt;
  DayLine line{.exists = date->exists()};
  if (line.exists) line.day = absl::CivilDay(date->year, date->month, date->day);
  return line;
}

std::optional<DayLine> ReadDateBar(absl::string_view line) {
  constexpr std::size_t kLeastDashes = 5;  // there are 15
  line = absl::StripAsciiWhitespace(line);
  std::size_t before = 0, behind = 0;
  while (absl::ConsumePrefix(&line, "-")) ++before;
  while (absl::ConsumeSuffix(&line, "-")) ++behind;
  if (before < kLeastDashes || behind < kLeastDashes) return std::nullopt;
  return ReadDayLine(absl::StripAsciiWhitespace(line));
}

}  // namespace sealbook::anonymizer
