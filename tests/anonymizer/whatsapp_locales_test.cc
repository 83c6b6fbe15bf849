// Lines as all languages and calendars that ICU has would write them: short dates, and times with
// seconds and without. That is what phones take their forms from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unicode/datefmt.h>
#include <unicode/locid.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "anonymizer/whatsapp_line.h"

namespace sealbook::anonymizer {
namespace {

// The day is in one of the orders, which a whole file would tell.
bool HoldsDay(const LineStart& start, absl::CivilDay day) {
  for (const DateOrder order : kDateOrders) {
    for (const ShortYears years : {ShortYears::kCommon, ShortYears::kBuddhist}) {
      if (ToCivilDay(start.date, order, years) == day) return true;
    }
  }
  return false;
}

enum class Reading { kRight, kWrong, kNot };

Reading ReadAs(const icu::Locale& locale, icu::DateFormat::EStyle style, int hour,
               std::string& line) {
  const std::unique_ptr<icu::DateFormat> format(
      icu::DateFormat::createDateTimeInstance(icu::DateFormat::kShort, style, locale));
  format->setTimeZone(*icu::TimeZone::getGMT());
  constexpr double kDay = 19797;  // 15 March 2024
  icu::UnicodeString written;
  format->format((kDay * 86400 + hour * 3600 + 25 * 60 + 36) * 1000, written);
  std::string when;
  written.toUTF8String(when);
  line = absl::StrCat("[", when, "] Ann: hi");
  const auto start = ParseLineStart(line);
  if (!start || start->unknown_word) return Reading::kNot;
  const bool right = start->hour == hour && start->minute == 25 &&
                     HoldsDay(*start, absl::CivilDay(2024, 3, 15)) &&
                     absl::string_view(line).substr(start->rest) == "Ann: hi";
  return right ? Reading::kRight : Reading::kWrong;
}

TEST(WhatsAppLocalesTest, LinesOfAllLanguages) {
  std::int32_t count = 0;
  const icu::Locale* const locales = icu::Locale::getAvailableLocales(count);
  ASSERT_GT(count, 500);
  std::set<std::string> not_read, wrong;
  for (std::int32_t i = 0; i < count; ++i) {
    for (const auto style : {icu::DateFormat::kShort, icu::DateFormat::kMedium}) {
      for (const int hour : {0, 9, 12, 23}) {
        std::string line;
        const Reading read = ReadAs(locales[i], style, hour, line);
        if (read == Reading::kNot) not_read.insert(locales[i].getLanguage());
        if (read == Reading::kWrong) wrong.insert(absl::StrCat(locales[i].getName(), " ", line));
      }
    }
  }
  // Months as Roman numbers, two kinds of separators, times in words. No phone has these languages.
  EXPECT_THAT(not_read, ::testing::IsSubsetOf({"brx", "dz", "ee", "haw", "kkj"}));
  EXPECT_THAT(wrong, ::testing::IsEmpty());
}

TEST(WhatsAppLocalesTest, LinesOfOtherCalendars) {
  for (const char* name :
       {"en_TH@calendar=buddhist", "th_TH@calendar=buddhist", "zh_CN@calendar=buddhist",
        "ko_KR@calendar=buddhist", "ja_JP@calendar=japanese", "en_JP@calendar=japanese",
        "zh_TW@calendar=roc", "zh_HK@calendar=roc", "en_TW@calendar=roc", "fa_IR@calendar=persian",
        "en_US@calendar=persian", "ar_SA@calendar=islamic-umalqura",
        "en_GB@calendar=islamic-umalqura"}) {
    for (const int hour : {0, 13}) {
      std::string line;
      EXPECT_EQ(ReadAs(icu::Locale(name), icu::DateFormat::kMedium, hour, line), Reading::kRight)
          << name << " " << line;
    }
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
