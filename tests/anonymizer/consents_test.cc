// Consent in customer lists: which columns, which words, and what becomes of the rest.
#include "anonymizer/consents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "anonymizer/customer_list.h"
#include "tests/support/temporary_file.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryFile;

// The fields of the list's rows that do not identify, "name=value"; the file's name as FILE.
std::vector<std::string> FieldsOf(absl::string_view text, std::vector<std::string> mappings = {}) {
  const TemporaryFile file(text);
  const std::string name = file.path().substr(file.path().rfind('/') + 1);
  auto list = CustomerList::Open(file.path(), {.mappings = std::move(mappings), .region = "KR"});
  EXPECT_TRUE(list.ok()) << list.status();
  std::vector<std::string> out;
  CustomerRow row;
  while (list.ok()) {
    const auto more = (*list)->Next(row);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) break;
    EXPECT_EQ(row.reject, "");
    for (const records::Field& field : row.fields) {
      if (field.name != "email" && field.name != "phone" && field.name != "name")
        out.push_back(
            absl::StrCat(field.name, "=", absl::StrReplaceAll(field.value, {{name, "FILE"}})));
    }
  }
  return out;
}

TEST(ConsentColumnTest, HeadersOfTheNamedSystemsAndPlainWordsAreKnown) {
  const std::tuple<const char*, const char*, ConsentPart> headers[] = {
      {"OPTIN_TIME", "email_marketing", ConsentPart::kGivenTime},
      {"OPTIN_IP", "email_marketing", ConsentPart::kDetail},
      {"CONFIRM_TIME", "email_marketing", ConsentPart::kDetail},
      {"Accepts Email Marketing", "email_marketing", ConsentPart::kState},
      {"Accepts SMS Marketing", "sms_marketing", ConsentPart::kState},
      {"Accepts Marketing", "marketing", ConsentPart::kState},
      {"Unsubscribed from all email", "email_marketing", ConsentPart::kOptOut},
      {"Opted out of email: One to One", "email_marketing", ConsentPart::kOptOut},
      {"OPT_IN", "marketing", ConsentPart::kState},
      {"Email Marketing Consent", "email_marketing", ConsentPart::kState},
      {"Email Marketing Consent Timestamp", "email_marketing", ConsentPart::kTime},
      {"마케팅 수신동의", "marketing", ConsentPart::kState},
      {"광고 수신동의", "marketing", ConsentPart::kState},
      {"이메일 수신동의", "email_marketing", ConsentPart::kState},
      {"문자 수신동의", "sms_marketing", ConsentPart::kState},
      {"수신동의일시", "marketing", ConsentPart::kGivenTime},
      {"개인정보 동의", "personal_data", ConsentPart::kState},
      {"是否同意营销", "marketing", ConsentPart::kState},
      {"同意接收短信", "sms_marketing", ConsentPart::kState},
      {"メルマガ購読", "email_marketing", ConsentPart::kState},
      {"Newsletter", "email_marketing", ConsentPart::kState},
      {"Einwilligung", "unspecified", ConsentPart::kState},
      {"Consent", "unspecified", ConsentPart::kState},
      {"Opt in date", "marketing", ConsentPart::kGivenTime}};
  for (const auto& [header, purpose, part] : headers) {
    const auto column = ConsentColumnOf(header);
    ASSERT_TRUE(column) << header;
    EXPECT_EQ(column->purpose, purpose) << header;
    EXPECT_EQ(column->part, part) << header;
  }
  for (const char* header : {"Email Address", "MEMBER_RATING", "Marketing contact status", "LEID",
                             "Total Spent", "Name", "", "Consenting adult"})
    EXPECT_FALSE(ConsentColumnOf(header)) << header;
}

TEST(ConsentStateTest, WordsAndSignsOfManyLanguages) {
  for (const char* yes : {"yes", "Yes", " TRUE ", "1", "Y", "O", "Ｏ", "○", "동의", "수신 동의",
                          "예", "是", "同意", "SUBSCRIBED", "はい", "Sí", "Ja"})
    EXPECT_EQ(ConsentState(yes), true) << yes;
  for (const char* no : {"no", "FALSE", "0", "N", "X", "x", "×", "미동의", "동의 안함", "아니오",
                         "否", "不同意", "Never Subscribed", "UNSUBSCRIBED", "いいえ", "não"})
    EXPECT_EQ(ConsentState(no), false) << no;
  for (const char* neither : {"", "maybe", "2", "pending", "yes and no", "?", "-", "2023-04-05"})
    EXPECT_EQ(ConsentState(neither), std::nullopt) << neither;
}

TEST(ConsentReaderTest, MailchimpsTimeIsTheEvidence) {
  EXPECT_THAT(
      FieldsOf("Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,MEMBER_RATING\n"
               "a@example.com,2023-04-05 10:11:12,203.0.113.7,2023-04-05 10:12:00,203.0.113.7,2\n"
               "b@example.com,,,2023-04-05 10:12:00,,2\n"),
      ElementsAre("member_rating=2",
                  "consent=email_marketing given 2023-04-05T10:11:12Z; \"OPTIN_TIME\" = "
                  "\"2023-04-05 10:11:12\"; \"OPTIN_IP\" = \"203.0.113.7\"; \"CONFIRM_TIME\" = "
                  "\"2023-04-05 10:12:00\"; \"CONFIRM_IP\" = \"203.0.113.7\"; from \"FILE\" line 2",
                  // Whom the list's owner added has a time of confirmation as well.
                  "member_rating=2", "confirm_time=2023-04-05 10:12:00"));
}

TEST(ConsentReaderTest, ShopifysStatesAreEachTheirOwn) {
  EXPECT_THAT(FieldsOf("Email,Accepts Email Marketing,Accepts SMS Marketing\n"
                       "a@example.com,yes,no\nb@example.com,,\n"),
              ElementsAre("consent=email_marketing given; \"Accepts Email Marketing\" = \"yes\"; "
                          "from \"FILE\" line 2",
                          "consent_2=sms_marketing not_given; \"Accepts SMS Marketing\" = \"no\"; "
                          "from \"FILE\" line 2"));
}

TEST(ConsentReaderTest, StateAndTimeBelongTogetherAndTheStateDecides) {
  EXPECT_THAT(FieldsOf("전화,수신동의,수신동의일\n010-1234-5678,동의,2023.4.5\n"
                       "010-1234-5679,미동의,2023.4.6\n010-1234-5680,,2023.4.7\n"),
              ElementsAre("consent=marketing given 2023-04-05; \"수신동의\" = \"동의\"; "
                          "\"수신동의일\" = \"2023.4.5\"; from \"FILE\" line 2",
                          "consent=marketing not_given 2023-04-06; \"수신동의\" = \"미동의\"; "
                          "\"수신동의일\" = \"2023.4.6\"; from \"FILE\" line 3",
                          // The list says who agreed; of this one it does not.
                          "수신동의일=2023.4.7"));
}

TEST(ConsentReaderTest, WhatIsNotUnderstoodStaysAFieldOfItsOwn) {
  EXPECT_THAT(
      FieldsOf("email,Newsletter,OPTIN_TIME,Consent\n"
               "a@example.com,weekly,,perhaps\nb@example.com,-,0000-00-00 00:00:00,\n"),
      ElementsAre("newsletter=weekly", "consent_text=perhaps", "optin_time=0000-00-00 00:00:00"));
  EXPECT_THAT(
      FieldsOf(absl::StrCat("email,Newsletter\na@example.com,", std::string(600, 'y'), "\n")),
      ElementsAre(absl::StrCat("newsletter=", std::string(600, 'y'))));
}

TEST(ConsentReaderTest, ATimeOfTwoMeaningsIsEvidenceWithoutATime) {
  EXPECT_THAT(FieldsOf("email,Opt in date\na@example.com,05/04/2023\n"),
              ElementsAre("consent=marketing given; \"Opt in date\" = \"05/04/2023\"; from "
                          "\"FILE\" line 2"));
}

TEST(ConsentReaderTest, NotHavingOptedOutIsNoConsent) {
  EXPECT_THAT(FieldsOf("email,Unsubscribed from all email\na@example.com,Yes\nb@example.com,No\n"),
              ElementsAre("consent=email_marketing not_given; \"Unsubscribed from all email\" = "
                          "\"Yes\"; from \"FILE\" line 2",
                          "unsubscribed_from_all_email=No"));
}

TEST(ConsentReaderTest, OfTwoStatesForOnePurposeNoneTakesTheTime) {
  const auto fields = FieldsOf(
      "email,Newsletter,Email consent,OPTIN_TIME\na@example.com,yes,no,2023-04-05 10:11:12\n");
  EXPECT_THAT(fields, ElementsAre("consent=email_marketing given; \"Newsletter\" = \"yes\"; from "
                                  "\"FILE\" line 2",
                                  "consent_2=email_marketing not_given; \"Email consent\" = "
                                  "\"no\"; from \"FILE\" line 2",
                                  "optin_time=2023-04-05 10:11:12"));
}

TEST(ConsentReaderTest, AMappedColumnHasTheStateForWhatIsNotSaid) {
  EXPECT_THAT(FieldsOf("email,ok to write\na@example.com,yes\n", {"ok to write=consent"}),
              ElementsAre("consent=unspecified given; \"ok to write\" = \"yes\"; from \"FILE\" "
                          "line 2"));
  // Mapped or not, it becomes no other field of that name.
  EXPECT_THAT(FieldsOf("email,mobile\na@example.com,call me\n", {"mobile=consent"}),
              ElementsAre("consent_text=call me"));
}

TEST(ConsentReaderTest, ARejectedRowLeavesNothingToTheNext) {
  const TemporaryFile file(
      "email,Newsletter,phone\na@example.com,yes,12\nb@example.com,,\nc@example.com,no,\n");
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  ASSERT_TRUE(list.ok()) << list.status();
  CustomerRow row;
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_NE(row.reject, "");
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_THAT(row.fields, ElementsAre(records::Field{"email", "b@example.com"}));
}

// Its kind is looked up while that of the time is at hand.
TEST(ConsentReaderTest, StateColumnThatStandsRightOfTheTimeDecidesToo) {
  EXPECT_THAT(FieldsOf("email,Opt in date,a,b,c,d,e,f,g,Opt-in\n"
                       "a@example.com,2023-04-05,,,,,,,,\nb@example.com,2023-04-06,,,,,,,,no\n"),
              ElementsAre("opt_in_date=2023-04-05",
                          "consent=marketing not_given 2023-04-06; \"Opt-in\" = \"no\"; \"Opt in "
                          "date\" = \"2023-04-06\"; from \"FILE\" line 3"));
}

TEST(ConsentReaderTest, SourceMayBeUnknown) {
  ConsentReader reader;
  const std::vector<Column> columns = {{.name = "Newsletter", .field = "consent"}};
  reader.Begin();
  reader.Take(columns[0], 0, "yes");
  const auto fields = reader.Finish(columns, 9);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].value, "email_marketing given; \"Newsletter\" = \"yes\"");
  EXPECT_THAT(reader.Finish(columns, 10), IsEmpty());
}

TEST(ConsentReaderTest, WithoutIdentifiersARowIsTheSameInAnotherFile) {
  std::vector<std::string> marks;
  for (const char* text : {"name,Newsletter\nAda,yes\n", "name,Newsletter\n\nAda,yes\n",
                           "name,Newsletter\nAda,no\n"}) {
    const TemporaryFile file(text);
    auto list = CustomerList::Open(file.path(), {.region = "KR"});
    ASSERT_TRUE(list.ok()) << list.status();
    CustomerRow row;
    ASSERT_TRUE(*(*list)->Next(row));
    marks.push_back(row.identifiers.at(0).value);
  }
  EXPECT_EQ(marks[0], marks[1]);
  EXPECT_NE(marks[0], marks[2]);
}

TEST(LooksLikeHeaderTest, ConsentColumnsCountAndTheirWordsDoNot) {
  EXPECT_TRUE(LooksLikeHeader({"Email Address", "OPTIN_TIME", "LEID"}));
  EXPECT_FALSE(LooksLikeHeader({"010-1234-5678", "동의"}));
  EXPECT_FALSE(LooksLikeHeader({"김하나", "동의", "subscribed"}));
}

}  // namespace
}  // namespace sealbook::anonymizer
