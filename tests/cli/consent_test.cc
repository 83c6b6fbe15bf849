// Merging and consents through the command itself: who may, what is told, and who sees it.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MergeCommandTest : public VaultTest {};
class ConsentTest : public VaultTest {};

TEST_F(MergeCommandTest, NeedsARoleThatReads) {
  ImportCustomers();
  const std::string file = Write("more.csv",
                                 "이름,연락처,회사\n김서준,010-9876-5678;010-7777-8888 "
                                 "(집),새벽상사\n새로운,010-2222-3333,\n");
  const std::set<std::string> before = TokensOf("owner");
  for (const Words& more : {Words{}, Words{"--dry-run"}, Words{"--strict"}}) {
    Words words = {"import", file, "--on-duplicate", "merge"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = As("importer", words);
    ExpectError(ran, 3);
    EXPECT_THAT(ran.err, HasSubstr("to merge is to read"));
    EXPECT_THAT(ran.err, HasSubstr("--on-duplicate merge"));
    words.push_back("--json");
    ExpectJsonError(As("importer", words), 3, "permission_denied");
  }
  EXPECT_EQ(TokensOf("owner"), before);

  const Json report = Ask("ada", {"import", file, "--on-duplicate", "merge"});
  EXPECT_EQ(report["updated"], 1);
  EXPECT_EQ(report["imported"], 1);
  EXPECT_EQ(report["notes_left"], 0);
  const Json found = Ask("owner", {"lookup", "--phone", "010-7777-8888"})["contacts"][0];
  EXPECT_EQ(FieldOf(found, "name")["value"], "김서준");
  EXPECT_EQ(FieldOf(found, "phone")["value"], "+821098765678");
  EXPECT_EQ(FieldOf(found, "phone_2")["value"], "+821077778888");
  EXPECT_EQ(FieldOf(found, "phone_note")["value"], "집");
  EXPECT_EQ(FieldOf(found, "company")["value"], "새벽상사");
  // Her agent finds the new number by its last digits.
  EXPECT_EQ(Ask("mina", {"lookup", "--last4", "8888"})["contacts"][0]["uid"], found["uid"]);
  // Again it changes nothing.
  EXPECT_THAT(As("ada", {"import", file, "--on-duplicate", "merge"}).out,
              HasSubstr("2 rows, 0 imported, 2 known already."));
  Write("more.csv", "연락처,피부\n010-2222-3333,건성\n");
  EXPECT_THAT(As("ada", {"import", file, "--on-duplicate", "merge"}).out,
              HasSubstr("1 row, 0 imported, 1 merged."));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(MergeCommandTest, WhatAnImporterLeftIsToldWithWhatToDo) {
  ImportCustomers();
  const std::string file = Write("more.csv", "이름,연락처\n김서준,010-9876-5678 (집)\n");
  const Ran ran = As("importer", {"import", file, "--on-duplicate", "replace"});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("1 notes and consents of known customers were not stored"));
  EXPECT_THAT(ran.out, HasSubstr("'--on-duplicate merge'"));
  EXPECT_THAT(ran.out, HasSubstr("1 known customers were written anew"));
  EXPECT_THAT(ran.out, Not(HasSubstr("집")));
  const Json report = Ask("importer", {"import", file, "--on-duplicate", "replace"});
  EXPECT_EQ(report["notes_left"], 1);
  EXPECT_EQ(report["consents_unread"], 1);
}

TEST_F(ConsentTest, AMailchimpListBringsEvidenceThatAgentsSee) {
  const std::string file = Write("mailchimp.csv",
                                 "Email Address,First Name,OPTIN_TIME,OPTIN_IP,문자 수신동의\n"
                                 "hana@example.com,하나,2023-04-05 10:11:12,203.0.113.7,미동의\n"
                                 "duri@example.com,두리,,,\n");
  const Json report = Ask("importer", {"import", file, "--book", "seoul"});
  EXPECT_EQ(report["imported"], 2);
  std::map<std::string, std::string> fields;
  for (const Json& column : report["columns"])
    fields[column["column"].get<std::string>()] =
        absl::StrCat(column["field"].get<std::string>(), "/", column["class"].get<std::string>());
  EXPECT_EQ(fields["OPTIN_TIME"], "consent/profile");
  EXPECT_EQ(fields["문자 수신동의"], "consent/profile");
  EXPECT_EQ(Ask("importer", {"import", file, "--book", "seoul"})["duplicates"], 2);

  const std::string hana = TokenOf("하나"), duri = TokenOf("두리");
  for (const char* member : {"mina", "sora", "ada"}) {
    const Json listed = Ask(member, {"consent", "list", hana});
    EXPECT_EQ(listed["uid"], hana);
    ASSERT_EQ(listed["consents"].size(), 2u) << listed;
    const Json email = listed["consents"][0];
    EXPECT_EQ(email["purpose"], "email_marketing");
    EXPECT_EQ(email["state"], "given");
    EXPECT_EQ(email["time"], "2023-04-05T10:11:12Z");
    EXPECT_EQ(email["source"], "mailchimp.csv line 2");
    EXPECT_EQ(email["evidence"], (Json{{{"name", "OPTIN_TIME"}, {"value", "2023-04-05 10:11:12"}},
                                       {{"name", "OPTIN_IP"}, {"value", "203.0.113.7"}}}));
    EXPECT_EQ(listed["consents"][1]["purpose"], "sms_marketing");
    EXPECT_EQ(listed["consents"][1]["state"], "not_given");
    EXPECT_EQ(listed["consents"][1]["time"], "");
  }
  const Ran text = As("mina", {"consent", "list", hana});
  EXPECT_THAT(text.out, HasSubstr("email_marketing"));
  EXPECT_THAT(text.out, HasSubstr("not given"));
  EXPECT_EQ(Ask("mina", {"consent", "list", duri})["consents"], Json::array());
  EXPECT_THAT(As("mina", {"consent", "list", duri}).out, HasSubstr("No consent is on record"));
  EXPECT_EQ(CountActs("consent.list"), 6);

  // Another book's agent learns nothing, and who reads nothing is refused.
  ExpectJsonError(As("wei", {"consent", "list", hana, "--json"}), 5, "not_found");
  ExpectJsonError(As("importer", {"consent", "list", hana, "--json"}), 3, "permission_denied");
  ExpectJsonError(As("audra", {"consent", "list", hana, "--json"}), 3, "permission_denied");
  ExpectJsonError(As("mina", {"consent", "list", "UID_1", "--json"}), 2, "usage");
  // Evidence is not typed over.
  ExpectJsonError(As("mina", {"set", hana, "consent=yes", "--json"}), 2, "usage");
  ExpectJsonError(As("owner", {"set", hana, "consent_2=", "--json"}), 2, "usage");
  EXPECT_EQ(Ask("mina", {"consent", "list", hana})["consents"].size(), 2u);
}

TEST_F(ConsentTest, FromStandardInputTheSourceSaysSo) {
  As("importer", {"import", "-"}, {.stdin_text = "email,Newsletter\na@example.com,yes\n"});
  const std::string token =
      Ask("owner", {"lookup", "--email", "a@example.com"})["contacts"][0]["uid"];
  EXPECT_EQ(Ask("owner", {"consent", "list", token})["consents"][0]["source"],
            "standard input line 2");
}

}  // namespace
}  // namespace sealbook::testing
