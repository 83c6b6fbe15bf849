// In which order an export writes day, month and year. A line alone often does not tell
// ("03/04/24"); the whole file mostly does:
//
//   1. by what no calendar allows: a number of four digits that would not be the year, one of a
//      single digit that would, a month above 12, a day that its month has not; a year before 2009
//      or in the future; and by time, which runs forward. A false date weighs as much as a step
//      back of a month, so that one line of many cannot decide against all others.
//   2. else the part that changes most is the day;
//   3. else by the language of the marks for morning and afternoon, where that writes the year
//      first;
//   4. else the day stands first, and that is said to be assumed.
//
// Nothing of the dates is kept but counts, so files may be of any length.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace sealbook::anonymizer {

// kYearDayMonth is what no phone is known to write; it is read where a file leaves nothing else.
enum class DateOrder : std::uint8_t { kDayMonthYear, kMonthDayYear, kYearMonthDay, kYearDayMonth };
inline constexpr std::array kDateOrders = {DateOrder::kDayMonthYear, DateOrder::kMonthDayYear,
                                           DateOrder::kYearMonthDay, DateOrder::kYearDayMonth};
// "day-month-year", …
absl::string_view NameOf(DateOrder order);

// Whose months and days the numbers are. Years of other calendars that have the common months
// (Buddhist, Japanese eras, Minguo) are common years already.
enum class DateCalendar : std::uint8_t { kCommon, kPersian, kIslamic };

// A date as it stands: three numbers.
struct WrittenDate {
  std::array<std::int16_t, 3> numbers{};
  std::array<std::uint8_t, 3> digits{};  // how many each was written with; a converted year has 4
  DateCalendar calendar = DateCalendar::kCommon;

  friend bool operator==(const WrittenDate&, const WrittenDate&) = default;
};

// A year of two digits counts from 2000, from 1900 where it is above 69; or in Thailand's calendar
// from 1957 (the year 2500).
enum class ShortYears : std::uint8_t { kCommon, kBuddhist };

// The day, or nullopt where no calendar has it.
std::optional<absl::CivilDay> ToCivilDay(const WrittenDate& date, DateOrder order,
                                         ShortYears years = ShortYears::kCommon);

struct DateOrderFound {
  DateOrder order = DateOrder::kDayMonthYear;
  ShortYears years = ShortYears::kCommon;
  std::string reason;     // a clause: "a part above 12"; never a number of the file
  std::int64_t line = 0;  // where that was seen first; 0: nowhere
  bool assumed = false;   // rule 4
  // Of what is assumed: the year may stand elsewhere too, so that even the year is uncertain.
  bool year_is_assumed = false;

  // "day-month-year: a part above 12 (line 31)".
  std::string ToString() const;
};

// Belongs to one thread.
class DateOrderFinder {
 public:
  // Years above `latest_year` are in the future.
  explicit DateOrderFinder(int latest_year) : latest_year_(latest_year) {}

  // The next message's date. `year_first_language`: its half-day mark is of a language that writes
  // the year first.
  void Add(const WrittenDate& date, std::int64_t line, bool year_first_language);
  bool empty() const { return !last_; }
  DateOrderFound Conclude() const;

 private:
  struct Seen {
    std::uint64_t count = 0;
    std::int64_t line = 0;  // the first
    void Add(std::int64_t at, std::uint64_t by = 1) {
      if (count == 0) line = at;
      count += by;
    }
  };
  struct Candidate {
    // Rule 1, by its parts: the year's digits; what is above 12 or no day of its month; the year.
    Seen wrong_digits, no_day, odd_year;
    Seen steps_back;                         // in days, each step a month at most
    std::int64_t last = 0;                   // the message before, in days of months of 31
    std::uint64_t buddhist = 0, common = 0;  // years of two digits, by what they would be
  };

  int latest_year_;
  std::array<Candidate, 4> candidates_;
  std::array<Seen, 3> changes_;
  Seen year_first_language_;
  std::optional<WrittenDate> last_;
};

}  // namespace sealbook::anonymizer
