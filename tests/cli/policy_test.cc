// The policy: shown as its file, checked with line and column, put in force by those who may.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PolicyTest : public VaultTest {
 public:
  PolicyTest() { text_ = As("owner", {"policy", "show"}).out; }
  // The policy in force, with `from` replaced by `to`, in a file.
  std::string Changed(const std::string& from, const std::string& to) {
    std::string text = text_;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return Write("changed.toml", text);
  }

 protected:
  std::string text_;
};

TEST_F(PolicyTest, ShowPrintsTheFileThatIsInForce) {
  EXPECT_THAT(text_, HasSubstr("[roles.agent]"));
  const Json json = Ask("mina", {"policy", "show"});
  EXPECT_EQ(json["policy"], text_);
  EXPECT_EQ(json["hash"].get<std::string>().size(), 64u);
  EXPECT_EQ(Run({"policy", "check", Write("same.toml", text_)}).exit, 0);
}

TEST_F(PolicyTest, CheckNeedsNoVaultAndTellsEveryFaultWithLineAndColumn) {
  const std::string file = Write("bad.toml", "version = 1\nregion = \"Korea\"\nfrob = 3\n" +
                                                 text_.substr(text_.find("[token]")));
  const Ran text = Run({"policy", "check", file}, {.environment = {{"SEALBOOK_VAULT", ""}}});
  EXPECT_EQ(text.exit, 6) << text;
  EXPECT_THAT(text.out, HasSubstr(file + ":2:10: "));
  EXPECT_THAT(text.out, HasSubstr(file + ":3:1: unknown key"));
  const Ran json = Run({"policy", "check", file, "--json"});
  EXPECT_EQ(json.exit, 6);
  EXPECT_EQ(json.err, "");
  const Json report = json.json();
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["faults"].size(), 2u);
  for (const Json& fault : report["faults"]) {
    EXPECT_TRUE(fault["line"].is_number_integer() && fault["column"].is_number_integer() &&
                fault["message"].is_string());
  }
  const Ran good = Run({"policy", "check", Write("good.toml", text_), "--json"});
  EXPECT_EQ(good.exit, 0);
  EXPECT_EQ(good.json(), Json::parse(R"({"ok":true,"faults":[]})"));
}

TEST_F(PolicyTest, CheckRefusesWhatIsNoPolicyFile) {
  ExpectJsonError(Run({"policy", "check", Path("none"), "--json"}), 6, "bad_input");
  ExpectJsonError(Run({"policy", "check", root(), "--json"}), 6, "bad_input");
  ExpectJsonError(Run({"policy", "check", Write("huge", std::string(4'000'000, '#')), "--json"}), 6,
                  "bad_input");
  for (const std::string& text : {std::string(), std::string("\xff\xfe\0\0", 4),
                                  std::string("[roles"), std::string("version = 2\n")}) {
    const Ran ran = Run({"policy", "check", Write("bad", text), "--json"});
    EXPECT_EQ(ran.exit, 6) << ran;
    EXPECT_EQ(ran.json()["ok"], false);
  }
}

TEST_F(PolicyTest, ApplySignsANewVersionThatIsInForceAtOnce) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  const std::string file = Changed("may = [\"audit\"]", "may = [\"audit\", \"assign\"]");
  const Json applied = Ask("owner", {"policy", "apply", file});
  EXPECT_EQ(applied["applied"], true);
  EXPECT_EQ(As("mina", {"policy", "show"}).out, ReadFile(file));
  EXPECT_EQ(As("audra", {"book", "assign", "nowhere", token}).exit,
            5);  // no longer for want of the right
  const Json again = Ask("owner", {"policy", "apply", file});
  EXPECT_EQ(again["applied"], false);
  EXPECT_EQ(again["version"], applied["version"]);
  EXPECT_EQ(As("owner", {"policy", "apply", file}).out, "This policy is in force already.\n");
  EXPECT_EQ(CountActs("policy.apply"), 1);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(PolicyTest, ANewLockOutAndLookupLimitCountFromThenOn) {
  ImportCustomers();
  Must("owner", {"policy", "apply", Changed("shown = 50", "shown = 1")});
  EXPECT_EQ(As("mina", {"lookup", "--name", "김", "--json", "--quiet"}).json()["contacts"].size(),
            1u);
  text_ = As("owner", {"policy", "show"}).out;
  Must("owner", {"policy", "apply", Changed("after = 5", "after = 3")});
  EXPECT_THAT(ReadFile(VaultPath("lockout.json")), HasSubstr("\"after\": 3"));
}

TEST_F(PolicyTest, ChangesThatNeedResealingAreRefusedWithTheReasonAndNothingChanges) {
  const std::pair<std::string, std::string> changes[] = {
      {"fields = [\"birth_date\"]",
       "fields = [\"birth_date\", \"note\"]"},  // below: taken out of profile
      {"phone = \"phone\"", "phone = \"last4\""},
      {"service = true\nmay = [\"retention\"]", "may = [\"retention\"]"},
      // The escrow key is not encrypted to it: with its identity alone nobody would read archives.
      {"[archives]\nrecipients = [",
       "[archives]\nrecipients = [\n  "
       "\"age1fly3wl7vg5tesdf2nwqll4kvrlthpeygzhqcjsjny6rk7ev8myzqx80g25\","}};
  for (const auto& [from, to] : changes) {
    std::string file = Changed(from, to);
    if (to.find("\"birth_date\", \"note\"") != std::string::npos) {
      std::string text = ReadFile(file);
      const auto at = text.find("\"orders\", \"note\", ");
      ASSERT_NE(at, std::string::npos);
      text.replace(at, 18, "\"orders\", ");
      file = Write("changed.toml", text);
    }
    ASSERT_EQ(Run({"policy", "check", file}).exit, 0) << to << Run({"policy", "check", file});
    const Ran ran = As("owner", {"policy", "apply", file, "--json", "--quiet"});
    ExpectJsonError(ran, 2, "usage");
    EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("sealed again")) << to;
    EXPECT_EQ(As("owner", {"policy", "show"}).out, text_);
  }
}

TEST_F(PolicyTest, WhatARoleReadsIsGivenAndTakenWithThePolicy) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  const auto seen = [&](const std::string& field) {
    return FieldOf(Ask("mina", {"show", token})["contacts"][0], field);
  };
  EXPECT_TRUE(seen("birth_date").is_null());
  Must("mina", {"set", token, "note=by mina"});
  const std::string agents =
      "clear = [\"profile\", \"chat\"]\nmasked = [\"identity\"]\nchange = "
      "[\"profile\"]";
  const std::string more = Changed(
      agents,
      "clear = [\"profile\", \"sensitive\", \"chat\"]\nmasked = [\"identity\"]\nchange = []");
  EXPECT_EQ(Ask("owner", {"policy", "apply", more})["undrained"], 0);
  EXPECT_EQ(seen("birth_date")["value"], "1990-02-03");
  // What was written under the policy of then counts, and nothing is written any more.
  EXPECT_EQ(seen("note")["value"], "by mina");
  ExpectJsonError(As("mina", {"set", token, "note=x", "--json"}), 3, "permission_denied");
  text_ = As("owner", {"policy", "show"}).out;
  const std::string less = Changed(
      "clear = [\"profile\", \"sensitive\", \"chat\"]\nmasked = "
      "[\"identity\"]\nchange = []",
      "clear = [\"profile\"]");
  const Json applied = Ask("ada", {"policy", "apply", less});
  EXPECT_GT(applied["rewrapped"], 0);
  EXPECT_EQ(applied["undrained"], 0);
  EXPECT_TRUE(seen("birth_date").is_null());
  EXPECT_TRUE(seen("phone").is_null());
  EXPECT_EQ(seen("note")["value"], "by mina");
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(PolicyTest, ApplyIsForThoseWhoMay) {
  const std::string file = Changed("shown = 50", "shown = 10");
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    ExpectJsonError(As(member, {"policy", "apply", file, "--json"}), 3, "permission_denied");
  }
  EXPECT_EQ(As("owner", {"policy", "show"}).out, text_);
  Write("bad.toml", "version = ");
  ExpectJsonError(As("owner", {"policy", "apply", Path("bad.toml"), "--json"}), 6, "bad_input");
  ExpectJsonError(As("owner", {"policy", "apply", Path("none"), "--json"}), 6, "bad_input");
  EXPECT_EQ(As("ada", {"policy", "apply", file}).exit, 0);
}

}  // namespace
}  // namespace sealbook::testing
