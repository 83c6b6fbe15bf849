// A grammar of the forms in which phones write a chat's lines, written down a second time and from
// the other side: what it makes is known, minute by minute, before it is read.
#pragma once

#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/date_order.h"

namespace sealbook::anonymizer {

struct WhatsAppForm {
  std::string name;
  DateOrder order = DateOrder::kDayMonthYear;
  std::string separator = "/", behind_separator, behind_date;
  int year_digits = 4;
  int year_offset = 0;  // of another calendar
  std::string before_year, behind_year;
  bool padded = true;
  std::string between = ", ";
  bool time_first = false;
  std::string clock = ":", behind_minute, behind_clock;
  bool seconds = false;
  std::string am, pm;  // empty: a clock of 24 hours
  bool mark_first = false;
  std::string before_mark = " ";
  bool padded_hour = true;
  std::string before_line, open, close = " - ";
  int zero = 0;  // the digit 0 of the script
  std::string media = "<Media omitted>", deleted = "This message was deleted",
              edited = " <This message was edited>";
  bool marks_own_words = false;  // the app's words begin with a mark, as on iOS
};

inline std::string Utf8Of(int character) {
  std::string out;
  if (character < 0x80) return std::string(1, static_cast<char>(character));
  if (character < 0x800) {
    out += static_cast<char>(0xc0 | (character >> 6));
  } else {
    out += static_cast<char>(0xe0 | (character >> 12));
    out += static_cast<char>(0x80 | ((character >> 6) & 0x3f));
  }
  out += static_cast<char>(0x80 | (character & 0x3f));
  return out;
}

inline std::string InDigits(absl::string_view text, int zero) {
  std::string out;
  for (const char c : text) {
    if (zero != 0 && c >= '0' && c <= '9') {
      out += Utf8Of(zero + c - '0');
    } else {
      out += c;
    }
  }
  return out;
}

inline std::string WriteStart(const WhatsAppForm& form, absl::CivilSecond time) {
  const auto number = [&](auto value, bool padded) {
    return padded ? absl::StrFormat("%02d", value) : absl::StrCat(value);
  };
  const auto year = time.year() + form.year_offset;
  const std::string y = absl::StrCat(
      form.before_year, form.year_digits == 2 ? number(year % 100, true) : absl::StrCat(year),
      form.behind_year);
  const std::string m = number(time.month(), form.padded), d = number(time.day(), form.padded);
  const std::string sep = absl::StrCat(form.separator, form.behind_separator);
  std::string date;
  switch (form.order) {
    case DateOrder::kDayMonthYear:
      date = absl::StrCat(d, sep, m, sep, y);
      break;
    case DateOrder::kMonthDayYear:
      date = absl::StrCat(m, sep, d, sep, y);
      break;
    case DateOrder::kYearMonthDay:
      date = absl::StrCat(y, sep, m, sep, d);
      break;
    case DateOrder::kYearDayMonth:
      date = absl::StrCat(y, sep, d, sep, m);
      break;
  }
  absl::StrAppend(&date, form.behind_date);
  const bool twelve = !form.am.empty();
  const int hour = twelve ? (time.hour() + 11) % 12 + 1 : time.hour();
  std::string clock = absl::StrCat(number(hour, form.padded_hour), form.clock,
                                   number(time.minute(), true), form.behind_minute);
  if (form.seconds) {
    absl::StrAppend(&clock, form.behind_minute.empty() ? form.clock : "",
                    number(time.second(), true));
  }
  absl::StrAppend(&clock, form.behind_clock);
  if (twelve) {
    const std::string& mark = time.hour() < 12 ? form.am : form.pm;
    clock = form.mark_first ? absl::StrCat(mark, form.before_mark, clock)
                            : absl::StrCat(clock, form.before_mark, mark);
  }
  const std::string when = form.time_first ? absl::StrCat(clock, form.between, date)
                                           : absl::StrCat(date, form.between, clock);
  return absl::StrCat(form.before_line, form.open, InDigits(when, form.zero), form.close);
}

// Every form: those of the table that whatstk publishes (96), those that phones of many languages
// are known to write, and combinations that nobody has seen yet.
inline std::vector<WhatsAppForm> AllWhatsAppForms() {
  std::vector<WhatsAppForm> forms;
  const auto add = [&](WhatsAppForm form) { forms.push_back(std::move(form)); };
  // whatstk: orders, separators, brackets or dash, clock, seconds; years of two digits.
  for (const DateOrder order : kDateOrders) {
    for (const char* separator : {"-", "/", "."}) {
      for (const bool bracket : {false, true}) {
        for (const bool twelve : {false, true}) {
          for (const bool seconds : {false, true}) {
            WhatsAppForm form;
            form.order = order;
            form.separator = separator;
            form.year_digits = 2;
            form.seconds = seconds;
            if (twelve) form.am = "AM", form.pm = "PM";
            if (bracket) form.open = "[", form.close = "] ", form.between = " ";
            form.name =
                absl::StrCat("whatstk ", NameOf(order), " ", separator, bracket ? " []" : "",
                             twelve ? " 12" : "", seconds ? " s" : "");
            add(form);
          }
        }
      }
    }
  }
  const WhatsAppForm ios{.open = "[", .close = "] "};
  const auto with = [](WhatsAppForm form, const std::string& name, const auto& change) {
    form.name = name;
    change(form);
    return form;
  };
  const auto android = [&](const std::string& name, const auto& change) {
    add(with(WhatsAppForm(), name, change));
  };
  const auto phone = [&](const std::string& name, const auto& change) {
    WhatsAppForm form = ios;
    form.seconds = true;
    form.marks_own_words = true;
    form.media = "\u200eimage omitted";
    form.deleted = "\u200eThis message was deleted.";
    form.edited = " \u200e<This message was edited>";
    add(with(form, name, change));
  };
  using F = WhatsAppForm;
  const auto ymd = DateOrder::kYearMonthDay;
  const auto mdy = DateOrder::kMonthDayYear;
  // FORMATS, and exports of many places.
  android("ko 오후", [&](F& f) {
    f.order = ymd, f.year_digits = 2, f.padded = false, f.between = " ", f.am = "오전",
    f.pm = "오후";
    f.mark_first = true, f.padded_hour = false, f.media = "<미디어 파일 제외됨>";
    f.deleted = "이 메시지는 삭제되었습니다";
  });
  android("ko PM", [&](F& f) {
    f.order = ymd, f.year_digits = 2, f.padded = false, f.between = " ", f.am = "AM", f.pm = "PM";
    f.mark_first = true, f.padded_hour = false, f.media = "<미디어 파일 제외됨>";
  });
  android("ko 24", [&](F& f) {
    f.order = ymd, f.year_digits = 2, f.padded = false, f.between = " ", f.padded_hour = false;
  });
  phone("ko iOS", [&](F& f) {
    f.order = ymd, f.separator = ".", f.behind_separator = " ", f.behind_date = ".",
    f.between = " ";
    f.am = "오전", f.pm = "오후", f.mark_first = true, f.padded = f.padded_hour = false;
    f.media = "\u200e사진 생략됨";
  });
  android("zh 24", [&](F& f) { f.order = ymd, f.between = " ", f.media = "<省略多媒体文件>"; });
  phone("zh iOS 24", [&](F& f) { f.order = ymd, f.between = " ", f.padded = false; });
  phone("zh iOS 下午", [&](F& f) {
    f.order = ymd, f.between = " ", f.padded = f.padded_hour = false, f.am = "上午", f.pm = "下午";
    f.mark_first = true, f.before_mark = "", f.media = "\u200e图片已忽略";
  });
  android("zh-HK", [&](F& f) {
    f.padded = f.padded_hour = false, f.between = " ", f.am = "上午", f.pm = "下午";
    f.mark_first = true, f.before_mark = "", f.deleted = "此訊息已刪除";
  });
  android("ja 午後", [&](F& f) {
    f.order = ymd, f.between = " ", f.am = "午前", f.pm = "午後", f.mark_first = true;
    f.before_mark = "", f.padded_hour = false, f.media = "<メディアは含まれていません>";
  });
  phone("ja era", [&](F& f) {
    f.order = ymd, f.year_digits = 4, f.year_offset = -2018, f.before_year = "R", f.between = " ";
    f.padded = false;
  });
  phone("ja era last",
        [&](F& f) { f.order = mdy, f.year_offset = -2018, f.before_year = "R", f.padded = false; });
  phone("th BE",
        [&](F& f) { f.order = mdy, f.year_offset = 543, f.behind_year = " BE", f.padded = false; });
  phone("th", [&](F& f) { f.year_offset = 543, f.between = " ", f.padded = false; });
  phone("th short", [&](F& f) {
    f.year_offset = 543, f.year_digits = 2, f.between = " ", f.padded = false;
    f.media = "\u200eไม่มีรูปภาพ";
  });
  phone("tw minguo", [&](F& f) {
    f.order = ymd, f.year_offset = -1911, f.between = " ", f.padded = f.padded_hour = false;
    f.am = "上午", f.pm = "下午", f.mark_first = true, f.before_mark = "";
  });
  android("de", [&](F& f) {
    f.separator = ".", f.year_digits = 2, f.media = "<Medien ausgeschlossen>";
    f.deleted = "Diese Nachricht wurde gelöscht", f.edited = " <Diese Nachricht wurde bearbeitet>";
  });
  phone("de iOS",
        [&](F& f) { f.separator = ".", f.year_digits = 2, f.media = "\u200eBild weggelassen"; });
  android("de um", [&](F& f) { f.separator = ".", f.between = " um ", f.behind_clock = " Uhr"; });
  android("es", [&](F& f) {
    f.padded = f.padded_hour = false, f.am = "a. m.", f.pm = "p. m.",
    f.media = "<Multimedia omitido>";
    f.deleted = "Se eliminó este mensaje.", f.edited = " <Se editó este mensaje.>";
  });
  android("es nbsp", [&](F& f) {
    f.padded = f.padded_hour = false, f.am = "a.\u00a0m.", f.pm = "p.\u00a0m.",
    f.before_mark = "\u00a0";
  });
  android("es narrow", [&](F& f) {
    f.padded = f.padded_hour = false, f.am = "a.\u202fm.", f.pm = "p.\u202fm.",
    f.before_mark = "\u202f";
  });
  phone("es iOS", [&](F& f) { f.year_digits = 2, f.am = "a.m.", f.pm = "p.m.", f.between = " "; });
  android("pt-BR", [&](F& f) {
    f.year_digits = 2, f.between = " ", f.media = "<Mídia oculta>";
    f.deleted = "Mensagem apagada", f.edited = " <Mensagem editada>";
  });
  android("pt às", [&](F& f) { f.between = " às "; });
  android("id", [&](F& f) {
    f.year_digits = 2, f.between = " ", f.clock = ".", f.media = "<Media tidak disertakan>";
    f.deleted = "Pesan ini dihapus";
  });
  phone("id iOS", [&](F& f) { f.year_digits = 2, f.between = " ", f.clock = "."; });
  android("en-CA", [&](F& f) {
    f.order = ymd, f.separator = "-", f.padded_hour = false, f.am = "a.m.", f.pm = "p.m.";
  });
  android("en-ZA", [&](F& f) { f.order = ymd, f.padded_hour = false, f.am = "am", f.pm = "pm"; });
  android("en-US", [&](F& f) {
    f.order = mdy, f.year_digits = 2, f.padded = f.padded_hour = false, f.am = "AM", f.pm = "PM";
  });
  android("en-US narrow", [&](F& f) {
    f.order = mdy, f.year_digits = 2, f.padded = f.padded_hour = false, f.am = "AM", f.pm = "PM";
    f.before_mark = "\u202f";
  });
  phone("en-US iOS", [&](F& f) {
    f.order = mdy, f.year_digits = 2, f.padded = f.padded_hour = false, f.am = "AM", f.pm = "PM";
    f.before_mark = "\u202f", f.before_line = "\u200e";
  });
  android("en-IN", [&](F& f) {
    f.year_digits = 2, f.padded_hour = false, f.am = "am", f.pm = "pm", f.before_mark = "\u202f";
  });
  android("en at", [&](F& f) { f.between = " at ", f.am = "AM", f.pm = "PM"; });
  android("en-GB", [&](F&) {});
  phone("en-GB iOS", [&](F&) {});
  android("2012", [&](F& f) { f.between = " ", f.seconds = true, f.close = ": "; });
  android("2014 US", [&](F& f) {
    f.order = mdy, f.year_digits = 2, f.seconds = true, f.padded = f.padded_hour = false;
    f.am = "AM", f.pm = "PM", f.close = ": ";
  });
  android("iso", [&](F& f) { f.order = ymd, f.separator = "-", f.between = "T"; });
  android("iso s",
          [&](F& f) { f.order = ymd, f.separator = "-", f.between = "T", f.seconds = true; });
  android("fr à", [&](F& f) {
    f.between = " à ", f.media = "<Médias omis>", f.deleted = "Ce message a été supprimé";
  });
  android("fr à short", [&](F& f) { f.separator = ".", f.year_digits = 2, f.between = " à "; });
  android("fr-CA",
          [&](F& f) { f.order = ymd, f.separator = "-", f.between = " ", f.clock = " h "; });
  phone("fr-CA iOS", [&](F& f) {
    f.order = ymd, f.separator = "-", f.between = " ", f.clock = " h ", f.behind_minute = " min ";
    f.behind_clock = " s";
  });
  android("fi", [&](F& f) {
    f.separator = ".", f.between = " klo ", f.clock = ".", f.padded = f.padded_hour = false;
    f.media = "<Media jätettiin pois>";
  });
  phone("fi iOS", [&](F& f) {
    f.separator = ".", f.between = " klo ", f.clock = ".", f.padded = f.padded_hour = false;
  });
  android("da", [&](F& f) { f.separator = ".", f.between = " kl. ", f.clock = "."; });
  android("nl", [&](F& f) { f.separator = "-", f.between = " ", f.media = "<Media weggelaten>"; });
  android("sv", [&](F& f) { f.order = ymd, f.separator = "-", f.between = " "; });
  android("cs", [&](F& f) { f.separator = ".", f.behind_separator = " ", f.padded = false; });
  android("cs 12", [&](F& f) {
    f.separator = ".", f.behind_separator = " ", f.padded = f.padded_hour = false;
    f.am = "dop.", f.pm = "odp.";
  });
  android("hr", [&](F& f) { f.separator = ".", f.behind_separator = " ", f.behind_date = "."; });
  phone("hu iOS", [&](F& f) {
    f.order = ymd, f.separator = ".", f.behind_separator = " ", f.behind_date = ".",
    f.padded_hour = false;
  });
  phone("hu 12", [&](F& f) {
    f.order = ymd, f.separator = ".", f.behind_separator = " ", f.behind_date = ".",
    f.padded_hour = false;
    f.am = "de.", f.pm = "du.", f.between = " ", f.mark_first = true;
  });
  phone("bg", [&](F& f) {
    f.separator = ".", f.year_digits = 2, f.behind_date = " г.", f.padded = false,
    f.behind_clock = " ч.";
  });
  android("ru", [&](F& f) {
    f.separator = ".", f.media = "<Без медиафайлов>", f.deleted = "Данное сообщение удалено";
  });
  phone("vi iOS", [&](F& f) { f.time_first = true; });
  phone("vi iOS US",
        [&](F& f) { f.time_first = true, f.order = mdy, f.year_digits = 2, f.padded = false; });
  android("vi 12", [&](F& f) { f.between = " ", f.am = "SA", f.pm = "CH", f.padded_hour = false; });
  android("vi time first", [&](F& f) { f.time_first = true, f.between = " "; });
  android("el", [&](F& f) { f.am = "π.μ.", f.pm = "μ.μ.", f.padded = f.padded_hour = false; });
  android("sq", [&](F& f) {
    f.separator = ".", f.am = "e paradites", f.pm = "e pasdites", f.padded = f.padded_hour = false;
  });
  android("tr", [&](F& f) {
    f.separator = ".", f.between = " ", f.am = "ÖÖ", f.pm = "ÖS", f.mark_first = true;
    f.media = "<Medya dahil edilmedi>", f.deleted = "Bu mesaj silindi";
  });
  android("he", [&](F& f) {
    f.separator = ".", f.media = "<המדיה לא נכללה>", f.deleted = "הודעה זו נמחקה";
  });
  android("he 12",
          [&](F& f) { f.separator = ".", f.am = "לפנה״צ", f.pm = "אחה״צ", f.padded_hour = false; });
  phone("he iOS", [&](F& f) { f.separator = ".", f.before_line = "\u200f"; });
  phone("ar iOS", [&](F& f) {
    f.before_line = "\u200f", f.padded_hour = false, f.am = "ص", f.pm = "م", f.between = "، ";
  });
  phone("ar iOS comma", [&](F& f) {
    f.before_line = "\u200f", f.padded_hour = false, f.am = "ص", f.pm = "م",
    f.before_mark = "\u00a0";
  });
  android("ar digits", [&](F& f) {
    f.zero = 0x660, f.between = "، ", f.am = "ص", f.pm = "م", f.padded = f.padded_hour = false;
    f.media = "<تم استبعاد الوسائط>", f.deleted = "تم حذف هذه الرسالة";
  });
  android("ar rlm", [&](F& f) {
    f.zero = 0x660, f.separator = "\u200f/", f.between = "، ", f.am = "ص", f.pm = "م";
    f.padded = f.padded_hour = false;
  });
  phone("ar digits iOS", [&](F& f) {
    f.zero = 0x660, f.between = "، ", f.am = "ص", f.pm = "م", f.padded = f.padded_hour = false;
  });
  android("fa digits",
          [&](F& f) { f.zero = 0x6f0, f.order = ymd, f.between = "،\u200f ", f.padded = false; });
  android("fa 12", [&](F& f) {
    f.zero = 0x6f0, f.order = ymd, f.between = "، ", f.padded = f.padded_hour = false;
    f.am = "ق.ظ.", f.pm = "ب.ظ.";
  });
  android("hi digits",
          [&](F& f) { f.zero = 0x966, f.year_digits = 2, f.am = "पूर्वाह्न", f.pm = "अपराह्न"; });
  android("mr", [&](F& f) { f.zero = 0x966, f.year_digits = 2, f.am = "म.पू.", f.pm = "म.उ."; });
  android("bn digits", [&](F& f) { f.zero = 0x9e6, f.year_digits = 2, f.am = "AM", f.pm = "PM"; });
  android("my digits", [&](F& f) { f.zero = 0x1040, f.separator = "-", f.between = " "; });
  android("full width", [&](F& f) { f.zero = 0xff10, f.order = ymd; });
  android("ta", [&](F& f) { f.am = "முற்பகல்", f.pm = "பிற்பகல்", f.mark_first = true; });
  android("th 12", [&](F& f) { f.am = "ก่อนเที่ยง", f.pm = "หลังเที่ยง", f.between = " "; });
  android("lv", [&](F& f) { f.separator = ".", f.am = "priekšp.", f.pm = "pēcp."; });
  android("lt",
          [&](F& f) { f.order = ymd, f.separator = "-", f.am = "priešpiet", f.pm = "popiet"; });
  android("uk", [&](F& f) { f.separator = ".", f.year_digits = 2, f.am = "дп", f.pm = "пп"; });
  android("sv 12", [&](F& f) {
    f.order = ymd, f.separator = "-", f.between = " ", f.am = "fm", f.pm = "em";
  });
  android("fi 12", [&](F& f) {
    f.separator = ".", f.between = " klo ", f.clock = ".", f.am = "ap.", f.pm = "ip.";
  });
  android("en dash", [&](F& f) { f.close = " – "; });
  android("date dash time", [&](F& f) { f.between = " - "; });
  android("spaces", [&](F& f) { f.separator = " ", f.between = ", "; });
  android("bom on each", [&](F& f) { f.before_line = "\ufeff"; });
  phone("no comma", [&](F& f) { f.between = " ", f.separator = "-"; });
  // What is left of the grammar, drawn at random but always alike.
  std::mt19937 random(20240601);
  const auto pick = [&](const auto& of) { return of[random() % of.size()]; };
  const std::vector<std::pair<std::string, std::string>> marks = {
      {"", ""},         {"", ""},         {"", ""},          {"AM", "PM"},     {"am", "pm"},
      {"a.m.", "p.m."}, {"오전", "오후"}, {"上午", "下午"},  {"午前", "午後"}, {"ص", "م"},
      {"π.μ.", "μ.μ."}, {"A.M.", "P.M."}, {"a. m.", "p. m."}};
  const std::vector<std::string> separators = {"/", ".", "-"}, after = {"", "", " "},
                                 between = {", ", " ",   " à ",     " klo ", "، ",
                                            "T",  " - ", ",\u00a0", "\u202f"},
                                 clocks = {":", ":", "."},
                                 before_mark = {" ", "", "\u00a0", "\u202f"},
                                 before = {"", "", "\u200e", "\u200f", "\ufeff"};
  const std::vector<int> zeros = {0, 0, 0, 0x660, 0x6f0, 0xff10, 0x966};
  for (int i = 0; i < 160; ++i) {
    WhatsAppForm form;
    form.order = kDateOrders[random() % 3];
    form.separator = pick(separators);
    form.behind_separator = pick(after);
    form.year_digits = random() % 2 == 0 ? 2 : 4;
    form.padded = random() % 2 == 0;
    form.padded_hour = random() % 2 == 0;
    form.between = pick(between);
    form.clock = pick(clocks);
    form.seconds = random() % 2 == 0;
    std::tie(form.am, form.pm) = pick(marks);
    form.mark_first = random() % 2 == 0;
    form.before_mark = pick(before_mark);
    if (form.mark_first && form.between == "T") form.between = ", ";
    form.zero = pick(zeros);
    form.before_line = pick(before);
    switch (random() % 4) {
      case 0:
        form.close = " - ";
        break;
      case 1:
        form.close = " – ";
        break;
      default:
        form.open = "[", form.close = "] ";
    }
    form.name = absl::StrCat("drawn ", i);
    add(form);
  }
  return forms;
}

}  // namespace sealbook::anonymizer
