// How many messages of how many forms are read as they were written: all of them. Each form's chat
// is made here, with its messages beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "tests/anonymizer/whatsapp_fixture.h"
#include "tests/anonymizer/whatsapp_forms.h"

namespace sealbook::anonymizer {
namespace {

struct Written {
  std::string file;
  std::vector<std::string> told;
};

// Fifty messages: texts of one and of several lines, pictures, what was taken back and mended, the
// app's own lines. `ambiguous`: no day above 12.
Written Write(const WhatsAppForm& form, bool ambiguous, unsigned seed) {
  constexpr int kMessages = 50;
  std::mt19937 random(seed);
  struct Author {
    std::string written, read;
  };
  const std::vector<Author> authors = {{"Ann Example", "Ann Example"},
                                       {"홍길동", "홍길동"},
                                       {"~\u202fMax-Jürgen", "Max-Jürgen"},
                                       {"\u202a+82 10-1234-5678\u202c", "+82 10-1234-5678"},
                                       {"علي", "علي"}};
  const std::vector<std::string> texts = {
      "Hello",
      "안녕하세요: 내일 뵙겠습니다",
      "first line\nsecond: line\n\nfourth",
      "see https://example.com/a?b=c: it says \"no\"",
      "- a list\n- of two",
      "12/05 - lunch at 3.30?",
      "10:30 is fine",
      "<3",
      "\U0001F44D\U0001F3FD",
      "null and void: [sic]",
      "line that ends with a colon:\nand goes on",
      "Prices:\n1.2.2024\n3-4-5\n[1] first",
      "2024",
  };
  Written written;
  absl::CivilMinute time = ambiguous ? absl::CivilMinute(2023, 1 + random() % 12, 1, 9, 0)
                                     : absl::CivilMinute(2022, 1 + random() % 12, 1 + random() % 28,
                                                         random() % 24, random() % 60);
  const absl::civil_diff_t most = ambiguous ? 11 * 24 * 60 / kMessages : 3 * 24 * 60;
  for (int i = 0; i < kMessages; ++i) {
    time += static_cast<absl::civil_diff_t>(random() % static_cast<unsigned>(most));
    // Midnight and noon are what clocks of twelve hours get wrong.
    if (i == 10) time = absl::CivilMinute(absl::CivilDay(time)) + 24 * 60;
    if (i == 11) time += 59;
    if (i == 12) time = absl::CivilMinute(absl::CivilHour(absl::CivilDay(time)) + 12);
    if (i == 13) time += 59;
    const auto second = absl::CivilSecond(time) + (form.seconds ? random() % 60 : 0);
    const std::string start = WriteStart(form, second);
    const std::string minute = absl::FormatCivilTime(time);
    const std::string told_time = absl::StrCat(minute.substr(0, 10), " ", minute.substr(11));
    const Author& author = authors[random() % authors.size()];
    std::string line, kind = "text", text = texts[random() % texts.size()], by = author.read;
    switch (i % 10) {
      case 3: {
        kind = "media";
        line = form.media;
        text = form.media;
        if (random() % 2 == 0) text = line = absl::StrCat(form.media, "\nwith words");
        break;
      }
      case 5:
        kind = "deleted";
        line = text = form.deleted;
        break;
      case 7:
        kind = "text edited";
        line = absl::StrCat(text, form.edited);
        break;
      case 9:
        kind = "system";
        by = "";
        text = i == 9 ? "Messages and calls are end-to-end encrypted. Only people in this chat can "
                        "read, listen to, or share them."
                      : "Ann changed the subject from \"Sales: 2023\" to \"Sales: 2024\"";
        line = text;
        break;
      default:
        line = text;
    }
    absl::StrAppend(&written.file, start,
                    kind == "system" ? "" : absl::StrCat(author.written, ": "), line,
                    i % 2 == 0 ? "\n" : "\r\n");
    // The app's words begin with a mark where phones write one; it is none of the text's.
    if (absl::string_view(text).substr(0, 3) == kLrm) text.erase(0, 3);
    written.told.push_back(absl::StrCat(told_time, " ", kind, " ", by, ": ", text));
  }
  return written;
}

TEST(WhatsAppScoreTest, AllFormsAreReadToTheMinute) {
  const std::vector<WhatsAppForm> forms = AllWhatsAppForms();
  ASSERT_GE(forms.size(), 200U);
  std::size_t messages = 0, good = 0, good_forms = 0, chats = 0;
  std::string failures;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    for (const bool ambiguous : {false, true}) {
      const Written written = Write(forms[i], ambiguous, static_cast<unsigned>(i * 2 + ambiguous));
      const WhatsAppChat chat = ReadWhatsApp(written.file);
      const std::vector<std::string> told = Told(chat);
      ++chats;
      messages += written.told.size();
      std::size_t here = 0;
      for (std::size_t m = 0; m < written.told.size(); ++m) {
        const bool same = m < told.size() && told[m] == written.told[m];
        here += same ? 1 : 0;
        if (!same && failures.size() < 20'000) {
          absl::StrAppend(&failures, forms[i].name, ambiguous ? " (ambiguous)" : "", ": ",
                          chat.status.ToString(), " ", chat.survey.date_order, "\n  wrote ",
                          written.told[m], "\n  as    ",
                          written.file.substr(0, written.file.find('\n')), "\n  read  ",
                          m < told.size() ? told[m] : "nothing", "\n");
          if (!chat.faults.empty())
            absl::StrAppend(&failures, "  fault ", chat.faults[0].fault, "\n");
          break;
        }
      }
      good += here;
      good_forms += here == written.told.size() && told.size() == here && chat.faults.empty();
      EXPECT_FALSE(chat.survey.date_order_is_assumed) << forms[i].name << chat.survey.date_order;
    }
  }
  std::cout << "WhatsApp exports: " << good << " of " << messages << " messages of " << good_forms
            << " of " << chats << " chats in " << forms.size()
            << " forms are read as they were written\n";
  EXPECT_EQ(good, messages) << failures;
  EXPECT_EQ(good_forms, chats);
}

}  // namespace
}  // namespace sealbook::anonymizer
