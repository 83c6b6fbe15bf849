// A score: KakaoTalk's forms as each system, language and clock writes them, 50 messages each, read
// to the minute. Each form has its own writer here, and what it wrote is what must be read.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_format.h"
#include "tests/anonymizer/chat_fixture.h"

namespace sealbook::anonymizer {
namespace {

enum class Lang { kKorean, kEnglish, kJapanese };
enum class Style { kWords, kDots, kTimeFirst, kMonthFirst, kMonthFirstAt, kDayFirst, kBars, kCsv };

struct Form {
  const char* name;
  Style style;
  Lang lang;
  bool half_days;
};
constexpr Form kForms[] = {
    {"Android, Korean", Style::kWords, Lang::kKorean, true},
    {"Android, Korean, 24 hours", Style::kWords, Lang::kKorean, false},
    {"Android, English", Style::kTimeFirst, Lang::kEnglish, true},
    {"Android, English, 24 hours", Style::kTimeFirst, Lang::kEnglish, false},
    {"Android, Japanese", Style::kWords, Lang::kJapanese, true},
    {"iOS, Korean", Style::kDots, Lang::kKorean, true},
    {"iOS, Korean, 24 hours", Style::kDots, Lang::kKorean, false},
    {"iOS, English", Style::kMonthFirst, Lang::kEnglish, true},
    {"iOS, English, 24 hours", Style::kMonthFirst, Lang::kEnglish, false},
    {"iOS, newer English", Style::kMonthFirstAt, Lang::kEnglish, true},
    {"iOS, British", Style::kDayFirst, Lang::kEnglish, false},
    {"Windows, Korean", Style::kBars, Lang::kKorean, true},
    {"Windows, Korean, 24 hours", Style::kBars, Lang::kKorean, false},
    {"Windows, English", Style::kBars, Lang::kEnglish, true},
    {"Windows, English, 24 hours", Style::kBars, Lang::kEnglish, false},
    {"Windows, Japanese", Style::kBars, Lang::kJapanese, true},
    {"Mac, CSV", Style::kCsv, Lang::kKorean, false},
};

struct Written {
  absl::CivilSecond time;
  MessageKind kind = MessageKind::kText;
  std::string author;
  std::string text;
};

constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

std::vector<Written> Messages(Lang lang) {
  static constexpr absl::string_view kAuthors[] = {"김하나", "Lee, Sue", "박[대리]", "회원님",
                                                   "이름 with 공백"};
  static constexpr absl::string_view kTexts[] = {"안녕하세요",
                                                 "see: http://example.org/a?b=c",
                                                 "값은 1,000원 : 맞나요?",
                                                 "\"따옴표\" 있음",
                                                 "😀👍🏽",
                                                 "2024년 5월에 봐요",
                                                 "[공지] 내일 쉽니다",
                                                 "- 목록",
                                                 "12:30 PM",
                                                 "a,b,\"c\""};
  static constexpr absl::string_view kLong[] = {"첫 줄\n둘째 줄", "위\n\n\n아래",
                                                "인용:\n> [이] [안녕] 네\n끝", "1.\n2.\n3.",
                                                "\"여러\n줄\" 따옴표"};
  static constexpr absl::string_view kMedia[3][4] = {
      {"사진", "동영상", "이모티콘", "파일: 견적서 (1).xlsx"},
      {"Photo", "Video", "(Emoticon)", "File: quote (1).xlsx"},
      {"写真", "動画", "スタンプ", "ファイル: a.xlsx"}};
  static constexpr absl::string_view kDeleted[] = {
      "삭제된 메시지입니다.", "This message was deleted.", "削除されたメッセージです。"};
  static constexpr absl::string_view kNotices[3][2] = {
      {"최셋님이 들어왔습니다.", "최셋님이 나갔습니다."},
      {"Choi joined this chatroom.", "Choi left this chatroom."},
      {"チェが参加しました。", "チェが退室しました。"}};
  const auto language = static_cast<std::size_t>(lang);
  std::vector<Written> messages;
  absl::CivilSecond time(2023, 12, 30, 0, 3, 0);
  for (std::size_t i = 0; i < 50; ++i) {
    Written one{.time = time, .author = std::string(kAuthors[i % std::size(kAuthors)])};
    if (i % 10 == 3) {
      one.text = std::string(kLong[i / 10]);
    } else if (i % 10 == 5) {
      one.kind = MessageKind::kMedia;
      one.text = std::string(kMedia[language][i / 10 % 4]);
    } else if (i % 10 == 7) {
      one.kind = MessageKind::kSystem;
      one.author.clear();
      one.text = std::string(kNotices[language][i / 10 % 2]);
    } else if (i % 20 == 8) {
      one.kind = MessageKind::kDeleted;
      one.text = std::string(kDeleted[language]);
    } else {
      one.text = std::string(kTexts[i % std::size(kTexts)]);
    }
    messages.push_back(one);
    time += static_cast<int>(i % 3 == 0 ? 60 * 187 : 60 * (i % 4));  // several a minute as well
  }
  return messages;
}

std::string Clock(const Form& form, const absl::CivilSecond& time) {
  if (!form.half_days) return absl::StrFormat("%02d:%02d", time.hour(), time.minute());
  const bool morning = time.hour() < 12;
  const int hour = time.hour() % 12 == 0 ? 12 : time.hour() % 12;
  const std::string clock = absl::StrFormat("%d:%02d", hour, time.minute());
  switch (form.lang) {
    case Lang::kKorean:
      return absl::StrCat(morning ? "오전 " : "오후 ", clock);
    case Lang::kJapanese:
      // 12 o'clock is 0 there.
      return absl::StrFormat("%s%d:%02d", morning ? "午前" : "午後", time.hour() % 12,
                             time.minute());
    case Lang::kEnglish:
      break;
  }
  if (form.style == Style::kTimeFirst) return absl::StrCat(clock, morning ? "am" : "pm");
  return absl::StrCat(clock, form.style == Style::kMonthFirstAt ? "\u202f" : " ",
                      morning ? "AM" : "PM");
}

std::string Day(const Form& form, const absl::CivilSecond& time, bool weekday) {
  static constexpr const char* kWeekdays[3][7] = {
      {"월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"},
      {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
      {"月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"}};
  const auto number = static_cast<std::size_t>(absl::GetWeekday(time));
  const char* const name = kWeekdays[static_cast<std::size_t>(form.lang)][number];
  const auto year = static_cast<int>(time.year());
  if (form.lang == Lang::kEnglish) {
    return absl::StrCat(weekday ? absl::StrCat(name, ", ") : "", kMonths[time.month() - 1], " ",
                        time.day(), ", ", year);
  }
  const std::string day = form.lang == Lang::kKorean
                              ? absl::StrFormat("%d년 %d월 %d일", year, time.month(), time.day())
                              : absl::StrFormat("%d年%d月%d日", year, time.month(), time.day());
  return weekday ? absl::StrCat(day, " ", name) : day;
}

std::string Stamp(const Form& form, const absl::CivilSecond& time) {
  const std::string clock = Clock(form, time);
  const auto year = static_cast<int>(time.year());
  const std::string month = std::string(kMonths[time.month() - 1]).substr(0, 3);
  switch (form.style) {
    case Style::kWords:
      return absl::StrCat(Day(form, time, false), " ", clock);
    case Style::kDots:
      return absl::StrFormat("%d. %d. %d. %s", year, time.month(), time.day(), clock);
    case Style::kTimeFirst:
      return absl::StrCat(clock, ", ", Day(form, time, false));
    case Style::kMonthFirst:
      return absl::StrFormat("%s %d, %d, %s", month, time.day(), year, clock);
    case Style::kMonthFirstAt:
      return absl::StrFormat("%s %d, %d at %s", month, time.day(), year, clock);
    case Style::kDayFirst:
      return absl::StrFormat("%d %s %d at %s", time.day(), month, year, clock);
    case Style::kBars:
    case Style::kCsv:
      break;
  }
  return clock;
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

// The file, with "\n" at the ends of lines; computers' notices get the time of the message above.
std::string Write(const Form& form, std::vector<Written>& messages) {
  std::string out;
  if (form.style == Style::kCsv) {
    out = "Date,User,Message\n";
  } else if (form.lang == Lang::kEnglish) {
    out = form.style == Style::kBars
              ? "Team with KakaoTalk Chats\nDate Saved : 2024-02-03 00:47:14\n\n"
              : "KakaoTalk Chats with Team (4)\nDate Saved : 1:01am, February 3, 2024\n\n\n";
  } else if (form.lang == Lang::kKorean) {
    out = "상담방 (4명)과 카카오톡 대화\n저장한 날짜 : 2024. 2. 3. 오전 12:15\n\n\n";
  }
  absl::CivilDay day;
  absl::CivilSecond last;
  for (Written& one : messages) {
    const bool new_day = absl::CivilDay(one.time) != day;
    day = absl::CivilDay(one.time);
    if (form.style == Style::kBars) {
      if (new_day) {
        absl::StrAppend(&out, "--------------- ", Day(form, one.time, true), " ---------------\n");
        last = absl::CivilSecond(day);
      }
      if (one.kind == MessageKind::kSystem) {
        one.time = last;
        absl::StrAppend(&out, one.text, "\n");
        continue;
      }
      last = one.time;
      absl::StrAppend(&out, "[", one.author, "] [", Clock(form, one.time), "] ", one.text, "\n");
    } else if (form.style == Style::kCsv) {
      one.time += one.text.size() % 60;
      // There the one whom a notice is about is its author.
      const std::string author = one.kind == MessageKind::kSystem ? "최셋" : one.author;
      absl::StrAppend(&out, absl::FormatCivilTime(absl::CivilDay(one.time)),
                      absl::StrFormat(" %02d:%02d:%02d,", one.time.hour(), one.time.minute(),
                                      one.time.second()),
                      Quoted(author), ",", Quoted(one.text), "\n");
    } else {
      const bool phone_of_apple = form.style != Style::kWords && form.style != Style::kTimeFirst;
      if (new_day) {
        absl::StrAppend(&out, "\n",
                        phone_of_apple ? Day(form, one.time, true) : Stamp(form, one.time), "\n");
      }
      const bool notice = one.kind == MessageKind::kSystem;
      absl::StrAppend(&out, Stamp(form, one.time), notice && phone_of_apple ? ": " : ", ",
                      notice ? "" : absl::StrCat(one.author, " : "), one.text, "\n");
    }
  }
  return out;
}

TEST(KakaoTalkScoreTest, AllFormsAreReadToTheMinute) {
  std::size_t forms = 0, perfect = 0;
  for (const Form& form : kForms) {
    for (const bool crlf : {false, true}) {
      for (const bool mark : {false, true}) {
        std::vector<Written> expected = Messages(form.lang);
        std::string bytes = Write(form, expected);
        if (crlf) bytes = absl::StrReplaceAll(bytes, {{"\n", "\r\n"}});
        if (mark) bytes = "\xef\xbb\xbf" + bytes;
        ++forms;
        const auto chat = ReadChat(bytes);
        ASSERT_TRUE(chat.ok()) << form.name << ": " << chat.status();
        EXPECT_EQ(chat->format, ChatFormat::kKakaoTalk) << form.name;
        std::size_t good = 0;
        for (std::size_t i = 0; i < expected.size() && i < chat->messages.size(); ++i) {
          ChatMessage wanted;
          wanted.line = chat->messages[i].line;
          wanted.time = absl::FromCivil(expected[i].time, TestChatOptions().zone);
          wanted.kind = expected[i].kind;
          wanted.author = expected[i].author;
          wanted.text = expected[i].text;
          EXPECT_EQ(Describe(chat->messages[i]), Describe(wanted)) << form.name;
          good += Describe(chat->messages[i]) == Describe(wanted) ? 1 : 0;
        }
        EXPECT_EQ(chat->messages.size(), expected.size()) << form.name;
        EXPECT_TRUE(chat->faults().empty())
            << form.name << ": " << absl::StrJoin(chat->faults(), "; ");
        if (good == expected.size() && chat->rejects.empty()) ++perfect;
      }
    }
  }
  std::printf("KakaoTalk: %zu of %zu forms, 50 messages each, read to the minute\n", perfect,
              forms);
  EXPECT_EQ(perfect, forms);
}

}  // namespace
}  // namespace sealbook::anonymizer
