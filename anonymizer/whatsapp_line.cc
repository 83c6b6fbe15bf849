#include "anonymizer/whatsapp_line.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "anonymizer/half_days.h"
#include "anonymizer/written_text.h"

namespace sealbook::anonymizer {
namespace {

// "e pasdites", "pēcpusdienā", "ก่อนเที่ยง": no mark is longer, in bytes.
constexpr std::size_t kMaxPhraseBytes = 48;
// Of a word that is not known more is asked than of one that is.
constexpr std::size_t kMaxUnknownBytes = 24;

enum class Separator : std::uint8_t { kSlash, kDot, kDash, kOther };
enum class Delimiter : std::uint8_t { kBracket, kDash, kColon };

std::uint8_t Byte(absl::string_view text, std::size_t at = 0) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

// Nearly all lines of a long text end here.
bool MayStart(std::uint8_t first) {
  if (first < 0x80) {
    return (first >= '0' && first <= '9') || first == '[' || first == 'R' || first == 'H' ||
           first == 'A' || first == 'B';
  }
  // The first bytes of marks, of digits of other scripts and of 令, 平, 民.
  return first == 0xe2 || first == 0xef || first == 0xd8 || first == 0xd9 || first == 0xdb ||
         first == 0xe0 || first == 0xe1 || first == 0xe4 || first == 0xe5 || first == 0xe6 ||
         first == 0xea || first == 0xf0 || first == 0xdf;
}

// A place in a line, moved over what is read.
class Cursor {
 public:
  explicit Cursor(absl::string_view line) : line_(line), left_(line) {}

  absl::string_view left() const { return left_; }
  std::size_t position() const { return line_.size() - left_.size(); }
  void Move(std::size_t bytes) { left_.remove_prefix(std::min(bytes, left_.size())); }
  bool Take(absl::string_view text) {
    if (!absl::StartsWith(left_, text)) return false;
    left_.remove_prefix(text.size());
    return true;
  }
  bool SkipMarks() {
    bool any = false;
    for (std::size_t bytes; (bytes = MarkBytes(left_)) > 0; any = true) Move(bytes);
    return any;
  }
  // True: there was a blank that can be seen.
  bool SkipBlanks() {
    bool any = false;
    for (;;) {
      if (const std::size_t space = SpaceBytes(left_); space > 0) {
        Move(space);
        any = true;
      } else if (const std::size_t mark = MarkBytes(left_); mark > 0) {
        Move(mark);
      } else {
        return any;
      }
    }
  }
  bool IsAtDigit() const {
    std::size_t bytes;
    return DigitAt(left_, bytes) >= 0;
  }
  // The number of at most `most` digits here, and how many there are; nullopt: none, or more.
  std::optional<int> Number(std::size_t most, std::size_t& digits) {
    int number = 0;
    digits = 0;
    for (;;) {
      std::size_t bytes;
      const int digit = DigitAt(left_, bytes);
      if (digit < 0) break;
      if (++digits > most) return std::nullopt;
      number = number * 10 + digit;
      Move(bytes);
    }
    if (digits == 0) return std::nullopt;
    return number;
  }

 private:
  absl::string_view line_, left_;
};

// '/', '.', '-', ' ' or the letter of a unit; 0: no separator.
char TakeSeparator(Cursor& at) {
  const bool blank = at.SkipBlanks();
  struct Written {
    absl::string_view text;
    char kind;
  };
  static constexpr Written kWritten[] = {{"/", '/'},  {".", '.'},  {"-", '-'},  {"年", 'Y'},
                                         {"년", 'Y'}, {"月", 'M'}, {"월", 'M'}, {"／", '/'},
                                         {"．", '.'}, {"－", '-'}, {"‐", '-'},  {"‑", '-'},
                                         {"–", '-'},  {"−", '-'},  {"⁄", '/'},  {"٫", '.'}};
  for (const Written& written : kWritten) {
    if (!at.Take(written.text)) continue;
    at.SkipBlanks();
    return written.kind;
  }
  return blank ? ' ' : '\0';
}

// The name of an era before a number; 0: none, or one that the year tells by itself. Otherwise the
// year before its first.
int TakeEra(Cursor& at) {
  struct Era {
    absl::string_view name;
    int before;
  };
  static constexpr Era kEras[] = {{"令和", 2018}, {"平成", 1988}, {"民國", 1911}, {"民国", 1911},
                                  {"R", 2018},    {"H", 1988},    {"AP", 0},      {"AH", 0},
                                  {"BE", 0},      {"พ.ศ.", 0},    {"ค.ศ.", 0},    {"佛暦", 0},
                                  {"佛历", 0},    {"불기", 0}};
  for (const Era& era : kEras) {
    if (!at.Take(era.name)) continue;
    at.SkipBlanks();
    return era.before;
  }
  return 0;
}

// A year that says by itself of which calendar it is.
void Convert(WrittenDate& date, std::size_t place) {
  std::int16_t& year = date.numbers[place];
  std::uint8_t& digits = date.digits[place];
  if (digits == 3 && year >= 98 && year < 200) {  // Taiwan's
    year = static_cast<std::int16_t>(year + 1911);
    digits = 4;
  } else if (digits == 4 && year >= 2500 && year < 2700) {  // Buddhist
    year = static_cast<std::int16_t>(year - 543);
  } else if (digits == 4 && year >= 1380 && year <= 1420) {
    date.calendar = DateCalendar::kPersian;
  } else if (digits == 4 && year > 1420 && year < 1500) {
    date.calendar = DateCalendar::kIslamic;
  }
}

std::optional<WrittenDate> TakeDate(Cursor& at, Separator& separator) {
  WrittenDate date;
  char first = '\0';
  for (std::size_t place = 0; place < 3; ++place) {
    const int era = place == 1 ? 0 : TakeEra(at);
    std::size_t digits;
    const auto number = at.Number(era > 0 ? 3 : 4, digits);
    if (!number || (place == 1 && digits > 2)) return std::nullopt;
    date.numbers[place] = static_cast<std::int16_t>(*number + era);
    date.digits[place] = static_cast<std::uint8_t>(era > 0 ? 4 : digits);
    if (place == 2) break;
    at.SkipMarks();
    const char taken = TakeSeparator(at);
    if (taken == '\0') return std::nullopt;
    if (place == 0) {
      first = taken;
    } else if (first == 'Y' ? taken != 'M' : taken != first) {
      return std::nullopt;
    }
  }
  if (first == 'M') return std::nullopt;
  // "3/18/6 R", as English has the eras of Japan.
  if (date.digits[2] <= 2) {
    Cursor behind = at;
    behind.SkipBlanks();
    const int era = behind.Take("R") ? 2018 : behind.Take("H") ? 1988 : 0;
    if (era > 0 &&
        (behind.left().empty() || behind.left()[0] == ',' || SpaceBytes(behind.left()) > 0)) {
      at = behind;
      date.numbers[2] = static_cast<std::int16_t>(date.numbers[2] + era);
      date.digits[2] = 4;
    }
  }
  // There is one year at most, at an end; a line of three short numbers has it there too.
  if (date.digits[0] > 2 && date.digits[2] > 2) return std::nullopt;
  if (date.digits[0] < 2 && date.digits[2] < 2) return std::nullopt;
  for (const std::size_t place : {std::size_t{0}, std::size_t{2}}) {
    Convert(date, place);
    if (date.digits[place] == 3) return std::nullopt;
  }
  separator = first == '/'   ? Separator::kSlash
              : first == '.' ? Separator::kDot
              : first == '-' ? Separator::kDash
                             : Separator::kOther;
  if (first == 'Y') {
    at.SkipBlanks();
    if (!at.Take("日")) at.Take("일");
  }
  return date;
}

struct Clock {
  int hour = 0, minute = 0, second = -1;
};

std::optional<Clock> TakeTime(Cursor& at) {
  Clock clock;
  std::size_t digits;
  const auto hour = at.Number(2, digits);
  if (!hour || *hour > 24) return std::nullopt;
  clock.hour = *hour;
  at.SkipMarks();
  const auto blank_and = [&](const auto& take) {
    const Cursor before = at;
    at.SkipBlanks();
    if (take()) {
      at.SkipBlanks();
      return true;
    }
    at = before;
    return false;
  };
  char separator = '\0';
  if (at.Take(":") || at.Take("：") || at.Take("∶")) {
    separator = ':';
  } else if (at.Take(".") || at.Take("．") || at.Take("٫")) {
    separator = '.';
  } else if (blank_and([&] { return at.Take("h") || at.Take("H"); })) {
    separator = 'h';
  } else if (blank_and([&] {
               return at.Take("時") || at.Take("时") || at.Take("点") || at.Take("시");
             })) {
    separator = 'u';
  } else {
    return std::nullopt;
  }
  at.SkipMarks();
  const auto minute = at.Number(2, digits);
  if (!minute || *minute > 59 || (digits < 2 && separator != 'u')) return std::nullopt;
  clock.minute = *minute;
  bool more = false;
  const Cursor before = at;
  at.SkipMarks();
  switch (separator) {
    case ':':
      more = at.Take(":") || at.Take("：") || at.Take("∶") || at.Take(".");
      break;
    case '.':
      more = at.Take(".") || at.Take("．") || at.Take(":");
      break;
    case 'h':
      more = blank_and([&] { return at.Take("min") || at.Take("m"); }) || at.Take(":");
      break;
    default:
      more = blank_and([&] { return at.Take("分") || at.Take("분"); });
  }
  if (more && at.IsAtDigit()) {
    const auto second = at.Number(2, digits);
    if (!second || *second > 60 || (digits < 2 && separator != 'u')) return std::nullopt;
    clock.second = std::min(*second, 59);
    if (separator == 'h') blank_and([&] { return at.Take("s"); });
    if (separator == 'u') blank_and([&] { return at.Take("秒") || at.Take("초"); });
  } else if (!more || separator == ':' || separator == '.') {
    at = before;
  }
  if (at.IsAtDigit()) return std::nullopt;
  return clock;
}

// Letters, blanks, dots and apostrophes up to a digit or anything else. Commas belong to it where
// `commas`. Not where the phrase is too long to be one.
std::optional<absl::string_view> TakePhrase(Cursor& at, bool commas) {
  const absl::string_view begin = at.left();
  std::size_t size = 0;
  while (size < begin.size()) {
    const absl::string_view here = begin.substr(size);
    std::size_t bytes = 1;
    const std::uint8_t c = Byte(here);
    if (const std::size_t blank = BlankBytes(here); blank > 0) {
      bytes = blank;
    } else if (c < 0x80) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && c != '.' && c != '\'' && c != '"' && !(c == ',' && commas)) break;
    } else {
      if (DigitAt(here, bytes) >= 0) break;
      if (absl::StartsWith(here, "–") || absl::StartsWith(here, "—") ||
          absl::StartsWith(here, "−")) {
        break;
      }
    }
    size += bytes;
    if (size > kMaxPhraseBytes) return std::nullopt;
  }
  at.Move(size);
  return begin.substr(0, size);
}

struct Gap {
  HalfDayMark mark;
  bool blank = false;
};

// What stands beside a time or between it and the date; nullopt: that can be nothing of the kind.
std::optional<Gap> TakeGap(Cursor& at, bool commas) {
  Gap gap;
  const auto phrase = TakePhrase(at, commas);
  if (!phrase) return std::nullopt;
  gap.blank = !phrase->empty() && (SpaceBytes(*phrase) > 0 || MarkBytes(*phrase) > 0 ||
                                   SpaceBytes(phrase->substr(phrase->size() - 1)) > 0 ||
                                   TrimBlanks(*phrase).size() < phrase->size());
  const absl::string_view bare = TrimBlanks(*phrase);
  if (bare.empty() || bare == ",") return gap;
  const absl::string_view word = bare[0] == ',' ? TrimBlanks(bare.substr(1)) : bare;
  gap.mark = FindHalfDay(bare);
  if (gap.mark.half == HalfDay::kUnknown) {
    // A word, or letters with dots; not half a sentence.
    if (word.size() > kMaxUnknownBytes ||
        (absl::StrContains(word, " ") && !absl::StrContains(word, "."))) {
      return std::nullopt;
    }
  }
  return gap;
}

bool TakeDash(Cursor& at) { return at.Take("-") || at.Take("–") || at.Take("—") || at.Take("−"); }

HalfDayMark StrongerOf(const HalfDayMark& a, const HalfDayMark& b) {
  const bool first =
      b.half == HalfDay::kNone || (b.half == HalfDay::kUnknown && a.half != HalfDay::kNone);
  HalfDayMark stronger = first ? a : b;
  stronger.year_first = a.year_first || b.year_first;
  return stronger;
}

// What a mark in front of the clock says beyond the same one behind it.
HalfDayMark BeforeTime(HalfDayMark mark) {
  mark.year_first = mark.year_first || mark.english;
  return mark;
}

struct When {
  WrittenDate date;
  Clock clock;
  HalfDayMark mark;
  Separator separator = Separator::kOther;
  bool time_first = false;
  bool blank_behind = false;
};

std::optional<When> TakeDateThenTime(Cursor& at) {
  When when;
  const auto date = TakeDate(at, when.separator);
  if (!date) return std::nullopt;
  when.date = *date;
  const auto gap = TakeGap(at, true);
  if (!gap) return std::nullopt;
  when.mark = BeforeTime(gap->mark);
  if (TakeDash(at)) {  // "18-03-2022 - 14:56 - "
    if (!gap->blank || !at.SkipBlanks()) return std::nullopt;
    const auto mark = TakeGap(at, false);
    if (!mark) return std::nullopt;
    when.mark = BeforeTime(StrongerOf(when.mark, mark->mark));
  } else if (absl::StartsWith(at.left(), "،") || absl::StartsWith(at.left(), "，")) {
    return std::nullopt;
  }
  const auto clock = TakeTime(at);
  if (!clock) return std::nullopt;
  when.clock = *clock;
  const auto behind = TakeGap(at, false);
  if (!behind) return std::nullopt;
  when.mark = StrongerOf(when.mark, behind->mark);
  when.blank_behind = behind->blank;
  return when;
}

std::optional<When> TakeTimeThenDate(Cursor& at) {
  When when;
  when.time_first = true;
  const auto before = TakeGap(at, false);
  if (!before) return std::nullopt;
  const auto clock = TakeTime(at);
  if (!clock) return std::nullopt;
  when.clock = *clock;
  const auto gap = TakeGap(at, true);
  if (!gap) return std::nullopt;
  when.mark = StrongerOf(BeforeTime(before->mark), gap->mark);
  const auto date = TakeDate(at, when.separator);
  if (!date) return std::nullopt;
  when.date = *date;
  const auto behind = TakeGap(at, true);
  if (!behind) return std::nullopt;
  when.mark = StrongerOf(when.mark, behind->mark);
  when.blank_behind = behind->blank;
  return when;
}

}  // namespace

std::optional<LineStart> ParseLineStart(absl::string_view line) {
  // Of a file in which somebody indented the lines; what was pasted so is of a form of its own.
  const bool indented = !line.empty() && (line[0] == ' ' || line[0] == '\t');
  if (!MayStart(Byte(indented ? TrimBlanks(line) : line))) return std::nullopt;
  Cursor at(line);
  LineStart start;
  if (indented) at.SkipBlanks();
  start.marked = at.SkipMarks();
  const bool bracket = at.Take("[") || at.Take("［");
  if (bracket) at.SkipBlanks();
  Cursor again = at;
  std::optional<When> when = TakeDateThenTime(at);
  if (!when) {
    at = again;
    when = TakeTimeThenDate(at);
    if (!when) return std::nullopt;
  }
  Delimiter delimiter;
  if (bracket) {
    if (!at.Take("]") && !at.Take("］")) return std::nullopt;
    delimiter = Delimiter::kBracket;
    at.SkipBlanks();
    if (absl::StartsWith(at.left(), "- ")) at.Move(2);
  } else if (TakeDash(at)) {
    const bool blank = at.SkipBlanks();
    if (!blank && !when->blank_behind && !at.left().empty()) return std::nullopt;
    delimiter = Delimiter::kDash;
  } else if (at.Take(":")) {
    if (!at.SkipBlanks() && !at.left().empty()) return std::nullopt;
    delimiter = Delimiter::kColon;
  } else {
    return std::nullopt;
  }
  // Marks in front of an author or a text say that the app put them there.
  at.SkipBlanks();
  start.rest = at.position();
  start.bracket = bracket;
  start.date = when->date;
  start.unknown_word = when->mark.half == HalfDay::kUnknown;
  start.year_first_language = when->mark.year_first;
  const auto hour = HourOf(when->clock.hour, when->mark.half);
  if (!hour) return std::nullopt;
  start.hour = static_cast<std::int8_t>(*hour);
  start.minute = static_cast<std::int8_t>(when->clock.minute);
  start.second = static_cast<std::int8_t>(when->clock.second);
  start.form = static_cast<std::uint8_t>(
      static_cast<unsigned>(delimiter) | (when->time_first ? 4U : 0U) |
      (when->clock.second >= 0 ? 8U : 0U) | static_cast<unsigned>(when->separator) << 4 |
      (start.unknown_word ? 64U : 0U) | (indented ? 128U : 0U));
  return start;
}

}  // namespace sealbook::anonymizer
