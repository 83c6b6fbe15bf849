// Changes of one customer: what a role may write, and who reads it afterwards.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SetTest : public VaultTest {
 public:
  SetTest() {
    ImportCustomers();
    kim_ = TokenOf("김서연");
    shared_ = TokenOf("王嘉豪");
  }
  Json Set(const std::string& member, const std::string& token, Words changes) {
    changes.insert(changes.begin(), {"set", token});
    return Ask(member, changes)["contacts"][0];
  }
  Json Show(const std::string& member, const std::string& token) {
    return Ask(member, {"show", token})["contacts"][0]["fields"];
  }

 protected:
  std::string kim_, shared_;
};

TEST_F(SetTest, WhatAnAgentWritesEveryOtherBooksMembersRead) {
  const Json contact = Set("mina", shared_, {"note=전화 = 오후, 3시", "company=새 회사"});
  EXPECT_EQ(contact["uid"], shared_);
  EXPECT_EQ(FieldOf(contact, "note"),
            Json::parse(R"({"value":"전화 = 오후, 3시","form":"clear"})"));
  for (const char* member : {"wei", "jun", "sora", "ada", "owner"}) {
    EXPECT_EQ(Show(member, shared_)["note"]["value"], "전화 = 오후, 3시") << member;
    EXPECT_EQ(Show(member, shared_)["company"]["value"], "새 회사") << member;
    EXPECT_EQ(Show(member, shared_)["name"]["value"], "王嘉豪") << member;
  }
  Set("wei", shared_, {"note=from wei"});
  EXPECT_EQ(Show("mina", shared_)["note"]["value"], "from wei");
  const Ran text = As("mina", {"set", kim_, "note=x"});
  EXPECT_EQ(text.exit, 0);
  EXPECT_THAT(text.out, HasSubstr("note"));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(SetTest, FieldsThatTheRoleMayNotWriteAreRefusedAndNothingIsWritten) {
  const std::vector<std::pair<const char*, const char*>> denied = {
      {"mina", "phone=010-1111-2222"},     {"mina", "email=a@example.com"},
      {"mina", "birth_date=2000-01-01"},   {"mina", "skin=dry"},
      {"mina", "phone_2=010-1111-2222"},   {"sora", "phone=010-1111-2222"},
      {"sora", "whatsapp_id=821011112222"}};
  for (const auto& [member, change] : denied) {
    const Ran ran = As(member, {"set", kim_, "note=changed", change, "--json"});
    ExpectJsonError(ran, 3, "permission_denied");
    EXPECT_THAT(ran.out, Not(HasSubstr("1111")));
  }
  EXPECT_EQ(Show("owner", kim_)["note"]["value"], "오후 통화");
  EXPECT_EQ(CountActs("set", "denied"), static_cast<std::int64_t>(denied.size()));
  Set("sora", kim_, {"birth_date=1991-01-01"});
  EXPECT_EQ(Show("owner", kim_)["birth_date"]["value"], "1991-01-01");
  EXPECT_FALSE(Show("mina", kim_).contains("birth_date"));
}

TEST_F(SetTest, ANewPhoneIsMaskedAnewAndFindsTheCustomerAndTheOldOneDoesNot) {
  Set("owner", kim_, {"phone=010-5555-4321", "email=New@Example.ORG"});
  EXPECT_EQ(Show("mina", kim_)["phone"],
            Json::parse(R"({"value":"+82 10-****-4321","form":"masked"})"));
  EXPECT_EQ(Show("mina", kim_)["email"]["value"], "n***@example.org");
  EXPECT_EQ(Show("owner", kim_)["phone"]["value"], "+821055554321");
  EXPECT_EQ(Ask("owner", {"lookup", "--phone", "010 5555 4321"})["contacts"][0]["uid"], kim_);
  EXPECT_EQ(Ask("mina", {"lookup", "--last4", "4321"})["contacts"][0]["uid"], kim_);
  EXPECT_EQ(As("owner", {"lookup", "--phone", "010-1234-5678"}).exit, 5);
  EXPECT_EQ(As("owner", {"lookup", "--email", "seoyeon@example.com"}).exit, 5);
  // The old number is free for another, and importing it makes one.
  EXPECT_EQ(Ask("importer", {"import", Path("seoul.csv")})["imported"], 1);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(SetTest, AnEmptyValueTakesAFieldAway) {
  const Json contact = Set("mina", kim_, {"note=", "company="});
  EXPECT_FALSE(contact["fields"].contains("note"));
  EXPECT_FALSE(Show("owner", kim_).contains("company"));
  Set("owner", kim_, {"email="});
  EXPECT_FALSE(Show("mina", kim_).contains("email"));
  EXPECT_EQ(As("owner", {"lookup", "--email", "seoyeon@example.com"}).exit, 5);
  EXPECT_EQ(Ask("owner", {"lookup", "--phone", "010-1234-5678"})["contacts"][0]["uid"], kim_);
  // One that is not there goes without a word.
  EXPECT_EQ(As("mina", {"set", kim_, "tags="}).exit, 0);
}

TEST_F(SetTest, ASecondPhoneIsMaskedAndFoundAsTheFirst) {
  Set("owner", kim_, {"phone_2=+86 176 0000 1111"});
  EXPECT_EQ(Show("mina", kim_)["phone_2"]["form"], "masked");
  EXPECT_EQ(Show("mina", kim_)["phone"]["value"], "+82 10-****-5678");
  EXPECT_EQ(Ask("owner", {"lookup", "+86 176 0000 1111"})["contacts"][0]["uid"], kim_);
}

TEST_F(SetTest, AnotherCustomersIdentifierIsRefused) {
  const Ran ran = As("owner", {"set", kim_, "phone=010-9876-5678", "note=changed", "--json"});
  EXPECT_TRUE(ran.exit == 2 || ran.exit == 6) << ran;
  ExpectJsonError(ran, ran.exit, ran.exit == 2 ? "usage" : "bad_input");
  ExpectNothingPersonal(ran);
  EXPECT_EQ(Show("owner", kim_)["phone"]["value"], "+821012345678");
  EXPECT_EQ(Show("owner", kim_)["note"]["value"], "오후 통화");
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(SetTest, FromAFileOfLinesOrAJsonObject) {
  EXPECT_EQ(FieldOf(Set("mina", kim_,
                        {"--from-file", Write("lines", "note=first = line\r\n\ncompany=Two\n")}),
                    "note")["value"],
            "first = line");
  EXPECT_EQ(Show("owner", kim_)["company"]["value"], "Two");
  const Json contact =
      Set("mina", kim_,
          {"--from-file", Write("object", " {\"note\": \"한 줄\\n두 줄\", \"company\": null}")});
  EXPECT_EQ(FieldOf(contact, "note")["value"], "한 줄\n두 줄");
  EXPECT_FALSE(contact["fields"].contains("company"));
  const std::pair<const char*, std::string> bad[] = {{"no equals", "note=x\nsecret value\n"},
                                                     {"empty name", "=secret\n"},
                                                     {"no object", "{\"note\": \"sec"},
                                                     {"number", "{\"note\": 12345}"},
                                                     {"nested", "{\"note\": {\"a\": \"secret\"}}"}};
  for (const auto& [name, contents] : bad) {
    const Ran ran = As("mina", {"set", kim_, "--from-file", Write("bad", contents), "--json"});
    ExpectJsonError(ran, 6, "bad_input");
    EXPECT_THAT(ran.out, Not(HasSubstr("secret"))) << name;
    EXPECT_THAT(ran.out, HasSubstr("bad")) << name;
  }
  ExpectJsonError(As("mina", {"set", kim_, "--from-file", Path("none"), "--json"}), 6, "bad_input");
  ExpectJsonError(
      As("mina", {"set", kim_, "--from-file", Write("big", std::string(2'000'000, 'x')), "--json"}),
      6, "bad_input");
  ExpectJsonError(As("mina", {"set", kim_, "--from-file", Write("empty", "\n"), "--json"}), 2,
                  "usage");
  EXPECT_EQ(Show("owner", kim_)["note"]["value"], "한 줄\n두 줄");
}

TEST_F(SetTest, WhatIsNoChangeIsWrongUsageAndWhatIsNoValueBadInput) {
  for (const char* change : {"note", "=x", "Note=x", "no te=x", "a\x1b=x"}) {
    ExpectJsonError(As("owner", {"set", kim_, change, "--json"}), 2, "usage");
  }
  ExpectJsonError(As("owner", {"set", kim_, "--json"}), 2, "usage");
  for (const char* change : {"phone=secret", "phone=12", "email=secret", "note=\x01\x02"}) {
    const Ran ran = As("owner", {"set", kim_, change, "--json"});
    ExpectJsonError(ran, 6, "bad_input");
    EXPECT_THAT(ran.out, Not(HasSubstr("secret")));
  }
  Write("long", "note=" + std::string(70'000, 'x'));
  ExpectJsonError(As("owner", {"set", kim_, "--from-file", Path("long"), "--json"}), 6,
                  "bad_input");
}

TEST_F(SetTest, ControlCharactersAreNotShown) {
  Set("mina", kim_, {"note=a\x1b[31mred\u202e"});
  const Ran shown = As("owner", {"show", kim_});
  EXPECT_THAT(shown.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown.out, Not(HasSubstr("\u202e")));
}

TEST_F(SetTest, TheLogNamesTheFieldsAndNoValue) {
  Set("mina", kim_, {"note=an unusual remark"});
  const std::vector<Json> log = AuditLog({"--uid", kim_, "--member", "mina"});
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["act"], "set");
  EXPECT_EQ(log[0]["detail"], Json::parse(R"({"fields":["note"]})"));
}

}  // namespace
}  // namespace sealbook::testing
