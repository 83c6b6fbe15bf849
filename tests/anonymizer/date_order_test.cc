#include "anonymizer/date_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

constexpr int kLatestYear = 2026;

WrittenDate Date(int a, int b, int c, int digits_a = 2, int digits_b = 2, int digits_c = 2) {
  const auto digits = [](int number, int at_least) {
    return static_cast<std::uint8_t>(
        std::max<int>(at_least, static_cast<int>(absl::StrCat(number).size())));
  };
  return {.numbers = {static_cast<std::int16_t>(a), static_cast<std::int16_t>(b),
                      static_cast<std::int16_t>(c)},
          .digits = {digits(a, digits_a), digits(b, digits_b), digits(c, digits_c)}};
}

DateOrderFound Find(const std::vector<WrittenDate>& dates, bool year_first_language = false) {
  DateOrderFinder finder(kLatestYear);
  std::int64_t line = 0;
  for (const WrittenDate& date : dates) finder.Add(date, ++line, year_first_language);
  return finder.Conclude();
}

TEST(DateOrderTest, AFourDigitYearAndAPartAboveTwelveDecide) {
  EXPECT_EQ(Find({Date(3, 4, 2024), Date(13, 4, 2024)}).ToString(),
            "day-month-year: a part above 12 (line 2)");
  EXPECT_EQ(Find({Date(3, 4, 2024), Date(4, 13, 2024)}).ToString(),
            "month-day-year: a part above 12 (line 2)");
  EXPECT_EQ(Find({Date(2024, 3, 4)}).ToString(), "year-month-day: the year's digits (line 1)");
  EXPECT_EQ(Find({Date(2024, 13, 4)}).ToString(), "year-day-month: a part above 12 (line 1)");
  EXPECT_FALSE(Find({Date(2024, 3, 4)}).assumed);
}

TEST(DateOrderTest, AYearHasTwoDigitsAtLeast) {
  EXPECT_EQ(Find({Date(24, 8, 9, 2, 1, 1)}).order, DateOrder::kYearMonthDay);
  EXPECT_EQ(Find({Date(9, 13, 11, 1, 2, 2)}).order, DateOrder::kMonthDayYear);
}

TEST(DateOrderTest, ADayThatItsMonthHasNotDecides) {
  EXPECT_EQ(Find({Date(30, 2, 2024), Date(31, 4, 2024), Date(2, 5, 2024), Date(3, 5, 2024)}).order,
            DateOrder::kDayMonthYear)
      << "two days that are not there, and no two months";
  EXPECT_EQ(Find({Date(29, 2, 12), Date(29, 2, 12)}).order, DateOrder::kDayMonthYear)
      << "2012 had one, and 2029 is to come";
}

TEST(DateOrderTest, YearsBeforeWhatsAppOrInTheFutureSpeakAgainstAnOrder) {
  // 5 August 2024, or 2005.
  EXPECT_EQ(Find({Date(5, 8, 24)}).order, DateOrder::kDayMonthYear);
  // 24 September 2011, or 11 September 2024: not decided, so the day stands first.
  const DateOrderFound found = Find({Date(24, 9, 11)});
  EXPECT_EQ(found.order, DateOrder::kDayMonthYear);
  EXPECT_TRUE(found.assumed);
}

TEST(DateOrderTest, TimeRunsForward) {
  // 28 would say it, but both are below 13: 11 December, then 1 (of) 2 …
  const DateOrderFound found = Find(
      {Date(1, 10, 2023), Date(1, 11, 2023), Date(2, 1, 2023), Date(2, 2, 2023), Date(3, 1, 2023)});
  EXPECT_EQ(found.order, DateOrder::kMonthDayYear);
  EXPECT_EQ(found.reason, "time runs forward");
  EXPECT_EQ(found.line, 3);
  EXPECT_FALSE(found.assumed);
}

TEST(DateOrderTest, PhonesPutSomeMessagesTooLate) {
  EXPECT_EQ(Find({Date(10, 5, 2023), Date(11, 5, 2023), Date(10, 5, 2023), Date(11, 5, 2023),
                  Date(12, 5, 2023), Date(1, 6, 2023)})
                .order,
            DateOrder::kDayMonthYear);
}

TEST(DateOrderTest, ThePartThatChangesMostIsTheDay) {
  EXPECT_EQ(Find({Date(1, 2, 2024), Date(2, 2, 2024), Date(3, 2, 2024)}).ToString(),
            "day-month-year: the part that changes most is the day (line 2)");
  EXPECT_EQ(Find({Date(2, 1, 2024), Date(2, 2, 2024), Date(2, 3, 2024)}).order,
            DateOrder::kMonthDayYear);
  EXPECT_EQ(Find({Date(24, 8, 21), Date(24, 8, 22), Date(24, 8, 23)}).order,
            DateOrder::kYearMonthDay);
  EXPECT_EQ(Find({Date(21, 8, 24), Date(22, 8, 24), Date(23, 8, 24)}).order,
            DateOrder::kDayMonthYear);
  EXPECT_EQ(Find({Date(24, 1, 11), Date(24, 2, 11), Date(24, 3, 11), Date(24, 4, 11)}).order,
            DateOrder::kYearDayMonth);
}

TEST(DateOrderTest, NoPhoneWritesTheDayBetweenYearAndMonth) {
  const DateOrderFound found = Find({Date(2024, 8, 9), Date(2024, 9, 9)});
  EXPECT_EQ(found.order, DateOrder::kYearMonthDay) << "two messages are not enough for that";
}

TEST(DateOrderTest, TheMarksLanguageTellsWhereTheYearIs) {
  EXPECT_EQ(Find({Date(24, 8, 21)}, true).order, DateOrder::kYearMonthDay);
  EXPECT_FALSE(Find({Date(24, 8, 21)}, true).assumed);
  // But not against what the dates say.
  EXPECT_EQ(Find({Date(21, 2, 2024)}, true).order, DateOrder::kDayMonthYear);
  EXPECT_EQ(Find({Date(30, 8, 24)}, true).order, DateOrder::kDayMonthYear);
}

TEST(DateOrderTest, WhatNothingDecidesIsAssumedAndSaid) {
  const DateOrderFound found = Find({Date(3, 4, 2024), Date(3, 4, 2024)});
  EXPECT_EQ(found.order, DateOrder::kDayMonthYear);
  EXPECT_TRUE(found.assumed);
  EXPECT_EQ(found.ToString(), "day-month-year: assumed, since nothing in the file decides it");
  EXPECT_TRUE(Find({}).assumed);
}

TEST(DateOrderTest, OneFalseDateDoesNotDecide) {
  std::vector<WrittenDate> dates;
  for (int day = 1; day <= 28; ++day) dates.push_back(Date(day, 3, 2024));
  dates.push_back(Date(3, 14, 2024));
  EXPECT_EQ(Find(dates).order, DateOrder::kDayMonthYear);
  // Nor where no day is above 12.
  dates.clear();
  for (int month = 1; month <= 6; ++month) {
    for (int day = 1; day <= 12; ++day) dates.push_back(Date(day, month, 2024));
  }
  dates.push_back(Date(3, 14, 2024));
  EXPECT_EQ(Find(dates).ToString(), "day-month-year: time runs forward (line 13)");
}

TEST(DateOrderTest, DaysOfOtherCalendars) {
  const auto day = [](int a, int b, int c, DateCalendar calendar) {
    WrittenDate date = Date(a, b, c);
    date.calendar = calendar;
    return ToCivilDay(date, DateOrder::kYearMonthDay);
  };
  EXPECT_EQ(day(1403, 1, 1, DateCalendar::kPersian), absl::CivilDay(2024, 3, 20));
  EXPECT_EQ(day(1403, 12, 30, DateCalendar::kPersian), absl::CivilDay(2025, 3, 20));
  EXPECT_EQ(day(1404, 12, 30, DateCalendar::kPersian), std::nullopt) << "no leap year";
  EXPECT_EQ(day(1445, 9, 1, DateCalendar::kIslamic), absl::CivilDay(2024, 3, 11));
  EXPECT_EQ(ToCivilDay(Date(5, 3, 67), DateOrder::kDayMonthYear, ShortYears::kBuddhist),
            absl::CivilDay(2024, 3, 5));
  EXPECT_EQ(ToCivilDay(Date(29, 2, 2023), DateOrder::kDayMonthYear), std::nullopt);
  EXPECT_EQ(ToCivilDay(Date(29, 2, 2024), DateOrder::kDayMonthYear), absl::CivilDay(2024, 2, 29));
  EXPECT_EQ(ToCivilDay(Date(1, 1, 70), DateOrder::kDayMonthYear), absl::CivilDay(1970, 1, 1));
}

TEST(DateOrderTest, ShortYearsOfThailand) {
  const DateOrderFound found = Find({Date(18, 3, 65), Date(19, 3, 65), Date(20, 3, 65)});
  EXPECT_EQ(found.order, DateOrder::kDayMonthYear);
  EXPECT_EQ(found.years, ShortYears::kBuddhist);
  // One year 1970 in a chat of today's makes no Buddhist of it.
  EXPECT_EQ(Find({Date(18, 3, 24), Date(1, 1, 70), Date(20, 3, 24)}).years, ShortYears::kCommon);
}

// The same rules, slowly: with all dates at hand, each order on its own.
struct Slow {
  DateOrder order{};
  bool assumed = false, year_is_assumed = false;
  ShortYears years{};
};

struct AsOrder {
  int impossible = 0, odd = 0, back = 0, day_changes = 0, year_changes = 0, buddhist = 0,
      common = 0;
};

AsOrder Judge(const std::vector<WrittenDate>& dates, DateOrder order) {
  const int year_at =
      order == DateOrder::kYearMonthDay || order == DateOrder::kYearDayMonth ? 0 : 2;
  const int day_at = order == DateOrder::kDayMonthYear   ? 0
                     : order == DateOrder::kYearMonthDay ? 2
                                                         : 1;
  const int month_at = 3 - year_at - day_at;
  AsOrder judged;
  std::vector<std::array<int, 3>> good;
  for (const WrittenDate& date : dates) {
    const int y = date.numbers[year_at], m = date.numbers[month_at], d = date.numbers[day_at];
    if (date.digits[year_at] < 2 || date.digits[month_at] > 2 || date.digits[day_at] > 2) {
      ++judged.impossible;
      continue;
    }
    int year = y;
    bool is_buddhist = false;
    if (date.digits[year_at] == 2) {
      year = y >= 70 ? 1900 + y : 2000 + y;
      const int thai = 1957 + y;
      if ((year < 2008 || year > kLatestYear + 1) && thai >= 2008 && thai <= kLatestYear + 1) {
        year = thai;
        is_buddhist = true;
      }
    }
    // A day is there if the calendar gives it back.
    if (m < 1 || m > 12 || d < 1 || absl::CivilDay(year, m, d).day() != d) {
      ++judged.impossible;
      continue;
    }
    if (!is_buddhist && (year < 2009 || year > kLatestYear)) {
      ++judged.odd;
      continue;
    }
    if (date.digits[year_at] == 2) ++(is_buddhist ? judged.buddhist : judged.common);
    good.push_back({year, m, d});
  }
  for (std::size_t i = 1; i < good.size(); ++i) {
    if (good[i] >= good[i - 1]) continue;
    const auto days = [](const std::array<int, 3>& of) {
      return (of[0] * 12 + of[1]) * 31 + of[2];
    };
    judged.back += std::min(31, days(good[i - 1]) - days(good[i]));
  }
  for (std::size_t i = 1; i < dates.size(); ++i) {
    judged.day_changes += dates[i].numbers[day_at] != dates[i - 1].numbers[day_at];
    judged.year_changes += dates[i].numbers[year_at] != dates[i - 1].numbers[year_at];
  }
  if (order == DateOrder::kYearDayMonth) {
    int months = 0;
    for (std::size_t i = 1; i < dates.size(); ++i)
      months += dates[i].numbers[month_at] != dates[i - 1].numbers[month_at];
    if (judged.day_changes < 2 || judged.day_changes <= 2 * months) judged.day_changes = 0;
  }
  return judged;
}

Slow Reference(const std::vector<WrittenDate>& dates, bool year_first) {
  std::vector<std::pair<std::array<int, 4>, DateOrder>> ranked;
  for (const DateOrder order : kDateOrders) {
    const AsOrder judged = Judge(dates, order);
    const bool first = order == DateOrder::kYearMonthDay || order == DateOrder::kYearDayMonth;
    ranked.push_back({{31 * (judged.impossible + judged.odd) + judged.back, -judged.day_changes,
                       judged.year_changes, year_first && !first ? 1 : 0},
                      order});
  }
  std::sort(ranked.begin(), ranked.end());
  Slow slow{.order = ranked[0].second};
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    if (ranked[i].first != ranked[0].first || ranked[i].second == DateOrder::kYearDayMonth)
      continue;
    slow.assumed = true;
    if ((ranked[i].second == DateOrder::kYearMonthDay) !=
        (slow.order == DateOrder::kYearMonthDay || slow.order == DateOrder::kYearDayMonth))
      slow.year_is_assumed = true;
  }
  const AsOrder best = Judge(dates, slow.order);
  slow.years = best.buddhist > best.common ? ShortYears::kBuddhist : ShortYears::kCommon;
  return slow;
}

TEST(DateOrderTest, SaysWhatASlowAndObviousReferenceSays) {
  std::mt19937 random(7);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  int right = 0, assumed = 0, chats = 0;
  for (int round = 0; round < 20'000; ++round) {
    const DateOrder order = kDateOrders[static_cast<std::size_t>(below(4))];
    const bool short_year = below(2) == 0, padded = below(2) == 0, year_first = below(8) == 0;
    const int offset = below(20) == 0 ? 543 : 0;
    absl::CivilDay day(2009 + below(18), 1 + below(12), 1 + below(28));
    std::vector<WrittenDate> dates;
    const int length = 1 + below(round % 3 == 0 ? 4 : 40), step = 1 + below(40);
    for (int i = 0; i < length; ++i) {
      day += below(step);
      if (below(15) == 0) day -= below(3);
      const int y = static_cast<int>(day.year()) + offset, m = day.month(), d = day.day();
      const int year = short_year ? y % 100 : y - offset;
      const int least = padded ? 2 : 1;
      switch (order) {
        case DateOrder::kDayMonthYear:
          dates.push_back(Date(d, m, year, least, least, 2));
          break;
        case DateOrder::kMonthDayYear:
          dates.push_back(Date(m, d, year, least, least, 2));
          break;
        case DateOrder::kYearMonthDay:
          dates.push_back(Date(year, m, d, 2, least, least));
          break;
        case DateOrder::kYearDayMonth:
          dates.push_back(Date(year, d, m, 2, least, least));
          break;
      }
      // What somebody pasted, or a phone with a wrong clock.
      if (below(30) == 0) dates.back() = Date(1 + below(31), 1 + below(31), below(100));
    }
    const DateOrderFound found = Find(dates, year_first);
    const Slow slow = Reference(dates, year_first);
    ASSERT_EQ(found.order, slow.order) << "round " << round << " " << found.ToString();
    ASSERT_EQ(found.assumed, slow.assumed) << "round " << round;
    ASSERT_EQ(found.year_is_assumed, slow.year_is_assumed) << "round " << round;
    ASSERT_EQ(found.years, slow.years) << "round " << round;
    if (dates.size() >= 10 && day < absl::CivilDay(2027, 1, 1)) {
      ++chats;
      right += found.order == order ? 1 : 0;
      assumed += found.assumed ? 1 : 0;
    }
  }
  // Ten messages and more nearly always tell.
  EXPECT_GE(right, chats * 95 / 100);
  EXPECT_LE(assumed, chats / 100);
}

}  // namespace
}  // namespace sealbook::anonymizer
