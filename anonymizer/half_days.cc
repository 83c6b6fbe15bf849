#include "anonymizer/half_days.h"

#include <unicode/dtfmtsym.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"
#include "anonymizer/written_text.h"

namespace sealbook::anonymizer {
namespace {

// Words without spaces, dots and marks, in small letters.
constexpr absl::string_view kMorning =
    // Latin
    "am a vorm vormittags morgens dop dopoledne dopołudnia ráno rano de reggel délelőtt sa sáng "
    "pd paradite eparadites öö sabah priekšp priekšpusdienā prp priešpiet fm förmiddag ap vm "
    "prijepodne prepodne pg pagi umaga asubuhi to əm damanhã delamañana delamadrugada madrugada "
    "mañana manhã inthemorning matin dumatin mattina dimattina "
    // Greek, Cyrillic, Armenian
    "πμ дп ранку утра утро преобяд проб претпл претпладне препподне преподне лт үө тң կա "
    // Han, kana, Hangul
    "오전 午前 上午 早上 清晨 凌晨 清早 早晨 "
    // Arabic, Hebrew, Ethiopic
    "ص صباحا صباحًا قظ قبلازظهر صبح לפנהצ לפנהצהריים בבוקר ጥዋት "
    // of India and beyond
    "पूर्वाह्न मपू सकाळी सुबह পূর্বাহ্ণ সকাল ভোর ਪੂਦੁ ਸਵੇਰ સવારે முற்பகல் காலை పూ ఉదయం ಪೂರ್ವಾಹ್ನ "
    "ಬೆಳಿಗ್ಗೆ രാവിലെ පෙව ก่อนเที่ยง ตอนเช้า เช้า ກ່ອນທ່ຽງ ព្រឹក နံနက်";
constexpr absl::string_view kAfternoon =
    "pm p nachm nachmittags abends odp odpoledne popołudniu wieczorem večer du délután este ch "
    "chiều tối md pasdite epasdites ös akşam pēcp pēcpusdienā popp popiet pop popoldne popodne em "
    "eftermiddag ip nm ptg petang malam sore hapon alasiri jioni tk datarde delatarde tarde "
    "intheafternoon intheevening aprèsmidi delaprèsmidi dusoir soir pomeriggio delpomeriggio sera "
    "disera "
    "μμ пп дня вечера вечора следобед слоб попл попладне поподне үх тк կհ "
    "오후 저녁 午後 下午 傍晚 晚上 黄昏 黃昏 夜 "
    "م مساء مساءً بظ بعدازظهر شام عصر אחהצ אחרהצהריים בערב ከሰዓት "
    "अपराह्न मउ दुपारी संध्याकाळी शाम दोपहर অপরাহ্ণ বিকাল বিকেল সন্ধ্যা ਬਾਦੁ ਸ਼ਾਮ સાંજે બપોરે பிற்பகல் "
    "மாலை అప సాయంత్రం ಅಪರಾಹ್ನ ಸಂಜೆ വൈകുന്നേരം ഉച്ചയ്ക്ക് පව หลังเที่ยง ตอนบ่าย บ่าย ตอนเย็น เย็น "
    "ຫຼັງທ່ຽງ ល្ងាច ညနေ";
constexpr absl::string_view kNoon =
    "中午 正午 noon mittags mediodía delmediodía trưa tengahhari siang เที่ยง ตอนเที่ยง";
constexpr absl::string_view kNight =
    "深夜 半夜 午夜 夜中 새벽 밤 atnight night midnight nachts nuit delanuit noche delanoche noite "
    "danoite notte dinotte đêm gece กลางคืน रात रात्री রাত ਰਾਤ રાત્રે ночи ночі";
// Which say nothing of the hour: what stands between a date and a time, and behind either.
constexpr absl::string_view kSilent =
    "à le klo kello kl kloke at um uhr alle ore às as alas om ob la ve saat lúc pukul jam u uur h "
    "hs "
    "hrs hod hodź time ora óra t o v στις στο ω в во о у ч г р год время ساعت الساعة في בשעה ב be "
    "bc ad ce "
    "ه هـ เวลา น";
// Of languages that write the year first.
constexpr absl::string_view kYearFirst =
    "오전 오후 저녁 새벽 밤 午前 午後 上午 下午 早上 清晨 凌晨 清早 早晨 傍晚 晚上 中午 正午 深夜 "
    "半夜 午夜 夜中";

using Marks = absl::flat_hash_map<std::string, HalfDayMark>;

const Marks& AllMarks() {
  static const Marks* const marks = [] {
    auto* all = new Marks();
    const auto add = [&](absl::string_view words, HalfDay half) {
      for (const absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty()))
        all->try_emplace(std::string(word), HalfDayMark{.half = half});
    };
    add(kSilent, HalfDay::kNone);
    add(kMorning, HalfDay::kMorning);
    add(kAfternoon, HalfDay::kAfternoon);
    add(kNoon, HalfDay::kNoon);
    add(kNight, HalfDay::kNight);
    for (const absl::string_view word : absl::StrSplit(kYearFirst, ' '))
      (*all)[std::string(word)].year_first = true;
    return all;
  }();
  return *marks;
}

// Without spaces, dots, commas and marks.
std::string Bare(absl::string_view phrase) {
  std::string bare;
  while (!phrase.empty()) {
    if (const std::size_t blank = BlankBytes(phrase); blank > 0) {
      phrase.remove_prefix(blank);
      continue;
    }
    static constexpr absl::string_view kOther[] = {"،", "，", "、", "״", "׳", "’", "'", "\"", "。"};
    bool skipped = phrase[0] == '.' || phrase[0] == ',' || phrase[0] == ';';
    std::size_t size = 1;
    for (const absl::string_view other : kOther) {
      if (phrase.substr(0, other.size()) != other) continue;
      skipped = true;
      size = other.size();
    }
    if (!skipped) bare.append(phrase.data(), size);
    phrase.remove_prefix(size);
  }
  return bare;
}

std::string Folded(const std::string& text) {
  std::string folded;
  icu::UnicodeString::fromUTF8(text).foldCase().toUTF8String(folded);
  return folded;
}

// The marks of all languages that ICU has, but for words that one of them has for the morning and
// another for the afternoon. Made when a word is met that the table above does not hold.
const Marks& MarksOfAllLanguages() {
  static const Marks* const marks = [] {
    auto* all = new Marks();
    std::int32_t locales = 0;
    const icu::Locale* const locale = icu::Locale::getAvailableLocales(locales);
    for (std::int32_t i = 0; i < locales; ++i) {
      UErrorCode error = U_ZERO_ERROR;
      const icu::DateFormatSymbols symbols(locale[i], error);
      std::int32_t count = 0;
      const icu::UnicodeString* const halves = symbols.getAmPmStrings(count);
      if (U_FAILURE(error) != 0 || count < 2) continue;
      for (int half = 0; half < 2; ++half) {
        std::string text;
        halves[half].toUTF8String(text);
        const HalfDay is = half == 0 ? HalfDay::kMorning : HalfDay::kAfternoon;
        const auto mark = all->try_emplace(Folded(Bare(text)), HalfDayMark{.half = is});
        if (mark.first->second.half != is) mark.first->second.half = HalfDay::kUnknown;
      }
    }
    return all;
  }();
  return *marks;
}

// The whole of `phrase`, however many words it is of.
HalfDayMark FindWord(absl::string_view phrase) {
  std::string bare = Bare(phrase);
  if (bare.empty()) return {};
  // What nearly all files have.
  if (bare == "AM" || bare == "am") return {.half = HalfDay::kMorning, .english = true};
  if (bare == "PM" || bare == "pm") return {.half = HalfDay::kAfternoon, .english = true};
  const Marks& marks = AllMarks();
  auto found = marks.find(bare);
  if (found != marks.end()) return found->second;
  const std::string folded = Folded(bare);
  found = marks.find(folded);
  if (found != marks.end()) return found->second;
  const Marks& others = MarksOfAllLanguages();
  found = others.find(folded);
  return found != others.end() ? found->second : HalfDayMark{.half = HalfDay::kUnknown};
}

}  // namespace

HalfDayMark FindHalfDay(absl::string_view phrase) {
  const HalfDayMark whole = FindWord(phrase);
  if (whole.half != HalfDay::kUnknown) return whole;
  // A mark behind a word that says nothing, or before one: "à p. m.", "오후 ώρα".
  for (std::size_t space = phrase.find(' '); space != absl::string_view::npos;
       space = phrase.find(' ', space + 1)) {
    const HalfDayMark before = FindWord(phrase.substr(0, space));
    const HalfDayMark behind = FindWord(phrase.substr(space + 1));
    if (before.half == HalfDay::kNone && behind.half != HalfDay::kUnknown) return behind;
    if (behind.half == HalfDay::kNone && before.half != HalfDay::kUnknown) return before;
  }
  return {.half = HalfDay::kUnknown};
}

std::optional<int> HourOf(int hour, HalfDay half) {
  if (hour < 0 || hour > 24) return std::nullopt;
  if (hour == 24) return 0;
  if (half == HalfDay::kNone || half == HalfDay::kUnknown) return hour;
  if (hour > 12) return hour;
  const int of_twelve = hour % 12;
  switch (half) {
    case HalfDay::kMorning:
      return of_twelve;
    case HalfDay::kNoon:
      return of_twelve >= 10 ? of_twelve : of_twelve + 12;
    case HalfDay::kNight:
      return of_twelve < 6 ? of_twelve : of_twelve + 12;
    default:
      return of_twelve + 12;
  }
}

}  // namespace sealbook::anonymizer
