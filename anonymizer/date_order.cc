#include "anonymizer/date_order.h"

#include <unicode/calendar.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

constexpr int kFirstYear = 2009;     // WhatsApp's
constexpr int kBuddhistYears = 543;  // ahead of ours
// A chat that was put together from two files steps back by years, once, whatever the order.
constexpr std::uint64_t kMaxStepBack = 31;

struct Places {
  std::size_t day, month, year;
};
constexpr Places PlacesOf(DateOrder order) {
  switch (order) {
    case DateOrder::kDayMonthYear:
      return {.day = 0, .month = 1, .year = 2};
    case DateOrder::kMonthDayYear:
      return {.day = 1, .month = 0, .year = 2};
    case DateOrder::kYearMonthDay:
      return {.day = 2, .month = 1, .year = 0};
    case DateOrder::kYearDayMonth:
      return {.day = 1, .month = 2, .year = 0};
  }
  return {};
}

bool IsYearFirst(DateOrder order) { return PlacesOf(order).year == 0; }

int YearOf(int number, int digits, ShortYears years) {
  if (digits > 2) return number;
  if (years == ShortYears::kBuddhist) return 2500 + number - kBuddhistYears;
  return number > 69 ? 1900 + number : 2000 + number;
}

int DaysOfMonth(const WrittenDate& date, int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  switch (date.calendar) {
    case DateCalendar::kPersian:
      return month <= 6 ? 31 : 30;
    case DateCalendar::kIslamic:
      return 30;
    case DateCalendar::kCommon:
      break;
  }
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && !leap ? 28 : kDays[static_cast<std::size_t>(month - 1)];
}

// Digits of a year are two, or four.
bool HasDigitsOf(const WrittenDate& date, Places places) {
  return date.digits[places.year] >= 2 && date.digits[places.day] <= 2 &&
         date.digits[places.month] <= 2;
}

bool HasDay(const WrittenDate& date, Places places, int year) {
  const int month = date.numbers[places.month], day = date.numbers[places.day];
  return month >= 1 && month <= 12 && day >= 1 && day <= DaysOfMonth(date, year, month);
}

// The year as one of ours, near enough to compare it.
int CommonYear(const WrittenDate& date, int year) {
  switch (date.calendar) {
    case DateCalendar::kPersian:
      return year + 621;
    case DateCalendar::kIslamic:
      return 622 + (year - 1) * 970 / 1000;
    case DateCalendar::kCommon:
      break;
  }
  return year;
}

std::optional<absl::CivilDay> FromCalendar(const char* locale, int year, int month, int day) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::Calendar> calendar(
      icu::Calendar::createInstance(*icu::TimeZone::getGMT(), icu::Locale(locale), error));
  if (U_FAILURE(error) != 0) return std::nullopt;
  calendar->clear();
  calendar->setLenient(0);
  calendar->set(UCAL_EXTENDED_YEAR, year);
  calendar->set(UCAL_MONTH, month - 1);
  calendar->set(UCAL_DATE, day);
  const UDate time = calendar->getTime(error);
  if (U_FAILURE(error) != 0) return std::nullopt;
  constexpr double kMillisecondsOfDay = 86'400'000;
  return absl::CivilDay(1970, 1, 1) + static_cast<std::int64_t>(time / kMillisecondsOfDay);
}

}  // namespace

absl::string_view NameOf(DateOrder order) {
  switch (order) {
    case DateOrder::kDayMonthYear:
      return "day-month-year";
    case DateOrder::kMonthDayYear:
      return "month-day-year";
    case DateOrder::kYearMonthDay:
      return "year-month-day";
    case DateOrder::kYearDayMonth:
      return "year-day-month";
  }
  return "";
}

std::string DateOrderFound::ToString() const {
  std::string text = absl::StrCat(NameOf(order), ": ", reason);
  if (line > 0) absl::StrAppend(&text, " (line ", line, ")");
  return text;
}

std::optional<absl::CivilDay> ToCivilDay(const WrittenDate& date, DateOrder order,
                                         ShortYears years) {
  const Places places = PlacesOf(order);
  if (!HasDigitsOf(date, places)) return std::nullopt;
  const int year = YearOf(date.numbers[places.year], date.digits[places.year], years);
  if (!HasDay(date, places, year)) return std::nullopt;
  const int month = date.numbers[places.month], day = date.numbers[places.day];
  switch (date.calendar) {
    case DateCalendar::kPersian:
      return FromCalendar("@calendar=persian", year, month, day);
    case DateCalendar::kIslamic:
      return FromCalendar("@calendar=islamic-umalqura", year, month, day);
    case DateCalendar::kCommon:
      break;
  }
  return absl::CivilDay(year, month, day);
}

void DateOrderFinder::Add(const WrittenDate& date, std::int64_t line, bool year_first_language) {
  if (year_first_language) year_first_language_.Add(line);
  const bool same = last_ && *last_ == date;
  if (last_ && !same) {
    for (std::size_t place = 0; place < 3; ++place) {
      if (date.numbers[place] != last_->numbers[place]) changes_[place].Add(line);
    }
  }
  for (std::size_t i = 0; i < kDateOrders.size(); ++i) {
    Candidate& candidate = candidates_[i];
    const Places places = PlacesOf(kDateOrders[i]);
    if (!HasDigitsOf(date, places)) {
      candidate.wrong_digits.Add(line);
      continue;
    }
    const int number = date.numbers[places.year], digits = date.digits[places.year];
    const int as_common = YearOf(number, digits, ShortYears::kCommon);
    const int as_buddhist = YearOf(number, digits, ShortYears::kBuddhist);
    const auto is_likely = [&](int year) {
      const int common = CommonYear(date, year);
      return common >= kFirstYear - 1 && common <= latest_year_ + 1;
    };
    const bool buddhist = digits == 2 && !is_likely(as_common) && is_likely(as_buddhist);
    const int year = buddhist ? as_buddhist : as_common;
    if (!HasDay(date, places, year)) {
      candidate.no_day.Add(line);
      continue;
    }
    if (!buddhist &&
        (CommonYear(date, year) < kFirstYear || CommonYear(date, year) > latest_year_)) {
      candidate.odd_year.Add(line);
      continue;
    }
    if (digits == 2) ++(buddhist ? candidate.buddhist : candidate.common);
    const std::int64_t days =
        (std::int64_t{CommonYear(date, year)} * 12 + date.numbers[places.month]) * 31 +
        date.numbers[places.day];
    if (days < candidate.last) {
      const auto back = static_cast<std::uint64_t>(candidate.last - days);
      candidate.steps_back.Add(line, std::min(kMaxStepBack, back));
    }
    candidate.last = days;
  }
  if (!same) last_ = date;
}

DateOrderFound DateOrderFinder::Conclude() const {
  DateOrderFound found;
  std::vector<std::size_t> left = {0, 1, 2, 3};
  const auto keep_least = [&](const auto& cost, const auto& tell) {
    std::uint64_t least = ~std::uint64_t{0};
    for (const std::size_t i : left) least = std::min(least, cost(i));
    std::vector<std::size_t> kept, gone;
    for (const std::size_t i : left) (cost(i) == least ? kept : gone).push_back(i);
    // What takes the last rival away is the reason; what takes one of several, for now.
    if (!gone.empty()) tell(kept, gone);
    left = kept;
  };
  const auto because = [&](absl::string_view reason, std::int64_t line) {
    found.reason = std::string(reason);
    found.line = line;
  };
  // One false date must not outweigh what all others say, so these are weighed together.
  const auto cost = [&](std::size_t i) {
    const Candidate& c = candidates_[i];
    return (c.wrong_digits.count + c.no_day.count + c.odd_year.count) * kMaxStepBack +
           c.steps_back.count;
  };
  keep_least(cost, [&](const auto& kept, const auto& gone) {
    const Candidate& best = candidates_[kept.front()];
    // The year's digits leave two orders at least, so what else there is says more.
    std::vector<std::size_t> near;
    for (const std::size_t i : gone) {
      if (candidates_[i].wrong_digits.count <= best.wrong_digits.count) near.push_back(i);
    }
    const auto tells = [&](const std::vector<std::size_t>& of, Seen Candidate::*seen,
                           absl::string_view reason) {
      std::int64_t line = 0;
      for (const std::size_t i : of) {
        const Seen& each = candidates_[i].*seen;
        if (each.count > (best.*seen).count && (line == 0 || each.line < line)) line = each.line;
      }
      if (line > 0) because(reason, line);
      return line > 0;
    };
    tells(near, &Candidate::no_day, "a part above 12") ||
        tells(near, &Candidate::odd_year, "no years in the future or before 2009") ||
        tells(near, &Candidate::steps_back, "time runs forward") ||
        tells(gone, &Candidate::wrong_digits, "the year's digits");
  });
  const auto day_changes = [&](std::size_t i) {
    const std::uint64_t changes = changes_[PlacesOf(kDateOrders[i]).day].count;
    // Since no phone is known to write it, year-day-month asks for more than a message on the same
    // day of two months.
    if (kDateOrders[i] == DateOrder::kYearDayMonth &&
        (changes < 2 || changes <= 2 * changes_[PlacesOf(DateOrder::kYearDayMonth).month].count)) {
      return std::uint64_t{0};
    }
    return changes;
  };
  // Against an order that no phone writes nothing needs to be said.
  const auto has_rivals = [&](const auto& gone) {
    return found.reason.empty() || gone.size() > 1 ||
           kDateOrders[gone.front()] != DateOrder::kYearDayMonth;
  };
  const auto changed = [&](const auto& kept, const auto& gone) {
    if (!has_rivals(gone)) return;
    because("the part that changes most is the day",
            changes_[PlacesOf(kDateOrders[kept.front()]).day].line);
  };
  keep_least([&](std::size_t i) { return ~day_changes(i); }, changed);
  keep_least([&](std::size_t i) { return changes_[PlacesOf(kDateOrders[i]).year].count; }, changed);
  if (year_first_language_.count > 0) {
    keep_least([&](std::size_t i) { return std::uint64_t{IsYearFirst(kDateOrders[i]) ? 0U : 1U}; },
               [&](const auto&, const auto&) {
                 because("the marks for morning and afternoon are of a language that writes so",
                         year_first_language_.line);
               });
  }
  found.order = kDateOrders[left.front()];
  // A rival that no phone writes is none.
  const auto rivals = std::count_if(left.begin() + 1, left.end(), [](std::size_t i) {
    return kDateOrders[i] != DateOrder::kYearDayMonth;
  });
  if (rivals > 0) {
    found.assumed = true;
    found.year_is_assumed = std::any_of(left.begin() + 1, left.end(), [&](std::size_t i) {
      return kDateOrders[i] != DateOrder::kYearDayMonth &&
             IsYearFirst(kDateOrders[i]) != IsYearFirst(found.order);
    });
    found.reason = "assumed, since nothing in the file decides it";
    found.line = 0;
  } else if (found.reason.empty()) {
    found.reason = "the year stands first";
  }
  const Candidate& winner = candidates_[left.front()];
  if (winner.buddhist > winner.common) found.years = ShortYears::kBuddhist;
  return found;
}

}  // namespace sealbook::anonymizer
