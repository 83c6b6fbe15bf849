// The grammar of consents: every consent is one line that gives it again, and nothing else parses.
#include "vault/records/consent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"

namespace sealbook::records {
namespace {

Consent Mailchimp() {
  return {.purpose = "email_marketing",
          .given = true,
          .time = "2023-04-05T10:11:12Z",
          .evidence = {{"OPTIN_TIME", "2023-04-05 10:11:12"}, {"OPTIN_IP", "203.0.113.7"}},
          .source = "mailchimp.csv",
          .line = 17};
}

TEST(ConsentTest, IsOneLineThatPeopleRead) {
  EXPECT_EQ(*FormatConsent(Mailchimp()),
            "email_marketing given 2023-04-05T10:11:12Z; \"OPTIN_TIME\" = \"2023-04-05 10:11:12\"; "
            "\"OPTIN_IP\" = \"203.0.113.7\"; from \"mailchimp.csv\" line 17");
  EXPECT_EQ(*FormatConsent({.purpose = "marketing"}), "marketing not_given");
}

TEST(ConsentTest, WhatIsWrittenIsReadAgainWhateverItsTexts) {
  std::mt19937 random(7);
  const std::string pieces[] = {"\"", "\\",   "; ",  "from ",   " = ",   "\n", "\t", "\x01",
                                "가", "\x7f", "x0a", " line 3", "given", "=",  "…",  ""};
  const auto text = [&] {
    std::string out;
    for (std::size_t n = random() % 6; n > 0; --n) out += pieces[random() % std::size(pieces)];
    return out;
  };
  const char* times[] = {"", "2023-04-05", "2023-04-05T10:11:12", "2023-04-05T10:11:12Z",
                         "2023-04-05T10:11:12+09:00"};
  for (int i = 0; i < 20'000; ++i) {
    Consent consent{.purpose = absl::StrCat("p_", random() % 10),
                    .given = random() % 2 == 0,
                    .time = times[random() % std::size(times)]};
    for (std::size_t n = random() % 4; n > 0; --n) consent.evidence.push_back({text(), text()});
    consent.source = text();
    if (!consent.source.empty()) consent.line = random() % 3;
    const auto line = FormatConsent(consent);
    ASSERT_TRUE(line.ok()) << line.status();
    EXPECT_EQ(line->find_first_of("\n\t\x01\x7f"), std::string::npos);
    const auto again = ParseConsent(*line);
    ASSERT_TRUE(again.ok()) << *line;
    EXPECT_EQ(*again, consent) << *line;
  }
}

TEST(ConsentTest, WhatIsNoConsentIsNotTakenForOne) {
  const std::string good = *FormatConsent(Mailchimp());
  for (const std::string& bad : {std::string(),
                                 std::string("yes"),
                                 std::string("marketing"),
                                 std::string("marketing "),
                                 std::string("marketing given "),
                                 std::string("Marketing given"),
                                 std::string("marketing maybe"),
                                 std::string("marketing given yesterday"),
                                 std::string("marketing given 2023-02-30"),
                                 std::string("marketing given;"),
                                 std::string("marketing given; \"a\""),
                                 std::string("marketing given; \"a\" = \"b"),
                                 std::string("marketing given; \"a\" = \"\\x41\""),
                                 std::string("marketing given; \"a\" = \"\\q\""),
                                 std::string("marketing given; from \"\""),
                                 std::string("marketing given; from \"a\" line 0"),
                                 std::string("marketing given; from \"a\" line 01"),
                                 std::string("marketing given; from \"a\" line -1"),
                                 std::string("marketing given; from \"a\"; \"b\" = \"c\""),
                                 good + " ",
                                 " " + good,
                                 good + "\n"}) {
    const auto parsed = ParseConsent(bad);
    EXPECT_FALSE(parsed.ok()) << bad;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = ParseConsent(good.substr(0, size));
    if (cut.ok()) {
      EXPECT_NE(*cut, Mailchimp());
      EXPECT_EQ(*FormatConsent(*cut), good.substr(0, size));
    }
  }
}

TEST(ConsentTest, IsBounded) {
  Consent consent = Mailchimp();
  consent.evidence[0].value = std::string(Consent::kMaxTextBytes, 'a');
  EXPECT_TRUE(FormatConsent(consent).ok());
  consent.evidence[0].value += "a";
  EXPECT_TRUE(absl::IsInvalidArgument(FormatConsent(consent).status()));
  consent = Mailchimp();
  consent.evidence.resize(Consent::kMaxEvidence + 1);
  EXPECT_FALSE(FormatConsent(consent).ok());
  consent = Mailchimp();
  consent.purpose = "E-mail";
  EXPECT_FALSE(FormatConsent(consent).ok());
  consent = Mailchimp();
  consent.time = "5/4/2023";
  EXPECT_FALSE(FormatConsent(consent).ok());
}

TEST(ConsentTest, TheSameEvidenceFromAnotherListIsTheSameConsent) {
  const std::string one = *FormatConsent(Mailchimp());
  Consent other = Mailchimp();
  other.source = "later.csv";
  other.line = 18;
  EXPECT_TRUE(SameConsent(one, *FormatConsent(other)));
  other.given = false;
  EXPECT_FALSE(SameConsent(one, *FormatConsent(other)));
  other = Mailchimp();
  other.time = "2023-04-06";
  EXPECT_FALSE(SameConsent(one, *FormatConsent(other)));
  other = Mailchimp();
  other.evidence.pop_back();
  EXPECT_FALSE(SameConsent(one, *FormatConsent(other)));
  EXPECT_TRUE(SameConsent("said yes", "said yes"));
  EXPECT_FALSE(SameConsent("said yes", one));
}

TEST(ConsentTimeTest, YearFirstIsReadAndAnythingElseIsNot) {
  const std::pair<const char*, const char*> local[] = {
      {"2023-04-05", "2023-04-05"},
      {"2023/4/5", "2023-04-05"},
      {"2023.04.05", "2023-04-05"},
      {"2023. 4. 5.", "2023-04-05"},
      {" 2023-04-05 10:11 ", "2023-04-05T10:11:00"},
      {"2023-04-05 9:11:12", "2023-04-05T09:11:12"},
      {"2023-04-05T10:11:12.345Z", "2023-04-05T10:11:12Z"},
      {"2023-04-05T10:11:12+09:00", "2023-04-05T10:11:12+09:00"},
      {"2023-04-05 10:11:12 -0330", "2023-04-05T10:11:12-03:30"},
      {"2023-04-05 10:11:12 UTC", "2023-04-05T10:11:12Z"},
      {"2023-04-05 10:11:12 +0000", "2023-04-05T10:11:12Z"},
      {"2024-02-29", "2024-02-29"}};
  for (const auto& [text, time] : local) {
    EXPECT_EQ(ConsentTime(text, false), time) << text;
    // In its own form it stays as it is.
    EXPECT_EQ(ConsentTime(time, false), time);
  }
  EXPECT_EQ(ConsentTime("2023-04-05 10:11:12", true), "2023-04-05T10:11:12Z");
  EXPECT_EQ(ConsentTime("2023-04-05", true), "2023-04-05");
  EXPECT_EQ(ConsentTime("2023-04-05 10:11:12 +0900", true), "2023-04-05T10:11:12+09:00");
  for (const char* text : {"",
                           "yes",
                           "05/04/2023",
                           "4/5/23",
                           "23-04-05",
                           "2023-13-01",
                           "2023-02-29",
                           "2023-04-31",
                           "0000-00-00 00:00:00",
                           "2023-04-05 24:00",
                           "2023-04-05 10:60",
                           "2023-04-05 10",
                           "2023-04/05",
                           "2023-04-05 10:11:12 PST",
                           "2023-04-05 10:11:12 +99",
                           "2023-04-05 10:11 PM",
                           "20230405",
                           "2023-04-05x",
                           "2023-04-05 10:11:12.",
                           "45021"})
    EXPECT_EQ(ConsentTime(text, true), "") << text;
}

}  // namespace
}  // namespace sealbook::records
