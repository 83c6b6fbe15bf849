// A masked value in the clear: by whom, how often, and what is left of it in the log and elsewhere.
#include <gmock/gmock.h>

#include "absl/strings/str_replace.h"
#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RevealTest : public VaultTest {
 public:
  RevealTest() {
    ImportCustomers();
    kim_ = TokenOf("김서연");
  }
  static Words Reveal(const std::string& uid, const std::string& field,
                      const std::string& reason = "call back") {
    return {"reveal", uid, field, "--reason", reason};
  }
  Ran JsonAs(const std::string& member, Words words) {
    words.push_back("--json");
    return As(member, words);
  }
  void Limit(int daily, int burst) {
    const std::string text = As("owner", {"policy", "show"}).out;
    Must("owner", {"policy", "apply",
                   Write("limits.toml",
                         absl::StrReplaceAll(
                             text, {{"reveal_daily = 20", absl::StrCat("reveal_daily = ", daily)},
                                    {"\nburst = 10", absl::StrCat("\nburst = ", burst)}}))});
  }

 protected:
  std::string kim_;
};

TEST_F(RevealTest, SupervisorsSeeOneValueWithHowManyAreLeft) {
  const Json json = Ask("sora", Reveal(kim_, "phone"));
  EXPECT_EQ(
      json,
      Json({{"uid", kim_}, {"field", "phone"}, {"value", "+821012345678"}, {"left_today", 19}}));
  const Ran text = As("sora", Reveal(kim_, "email"));
  EXPECT_EQ(text.exit, 0) << text;
  EXPECT_EQ(text.out, "seoyeon@example.com\n");  // and nothing else, so that it can be piped
  EXPECT_THAT(text.err, HasSubstr("18 more reveals are left"));
  EXPECT_EQ(As("sora", {"reveal", kim_, "phone", "--reason=call back", "--quiet"}).err, "");
  // What is shown stays masked.
  EXPECT_EQ(FieldOf(Ask("sora", {"show", kim_})["contacts"][0], "phone")["form"], "masked");
}

TEST_F(RevealTest, NumberedFieldsAndThoseInTheClearAreFields) {
  Must("owner", {"set", kim_, "phone_2=010-5555-6666", "address=Somewhere 1"});
  EXPECT_EQ(Ask("sora", Reveal(kim_, "phone_2"))["value"], "+821055556666");
  EXPECT_EQ(Ask("sora", Reveal(kim_, "address"))["value"], "Somewhere 1");  // has no mask
  EXPECT_EQ(Ask("sora", Reveal(kim_, "birth_date"))["value"], "1990-02-03");
  EXPECT_EQ(Ask("owner", Reveal(kim_, "phone_2"))["left_today"], 19);
  EXPECT_EQ(Ask("mina", Reveal(kim_, "name"))["value"], "김서연");
}

TEST_F(RevealTest, RolesThatDoNotHoldTheClassAreRefused) {
  for (const char* member : {"mina", "jun", "audra", "importer"}) {
    const Ran ran = JsonAs(member, Reveal(kim_, "phone"));
    ExpectJsonError(ran, 3, "permission_denied");
    ExpectNothingPersonal(ran);
  }
  // Whether it is there or not: they do not learn that.
  EXPECT_EQ(JsonAs("mina", Reveal(kim_, "phone_9")).out, JsonAs("mina", Reveal(kim_, "phone")).out);
  EXPECT_EQ(JsonAs("mina", Reveal(NobodysToken(), "phone")).out,
            JsonAs("mina", Reveal(kim_, "phone")).out);
  EXPECT_EQ(CountActs("reveal"), 0);
  EXPECT_EQ(CountActs("reveal", "denied"), 8);
}

TEST_F(RevealTest, WhatIsNotTheirsOrNotThereIsNotFoundAndCostsNothing) {
  const Ran others = JsonAs("sora", Reveal(TokenOf("王芳"), "phone"));
  ExpectJsonError(others, 5, "not_found");
  ExpectNothingPersonal(others);
  EXPECT_EQ(JsonAs("sora", Reveal(NobodysToken(), "phone")).out, others.out);
  for (const char* field : {"phone_2", "jid", "01012345678", "hong_gildong", "kakao"}) {
    const Ran ran = JsonAs("sora", Reveal(kim_, field));
    ExpectJsonError(ran, 5, "not_found");
    EXPECT_THAT(ran.out, Not(HasSubstr(field)));
  }
  for (const char* field : {"01012345678", "hong_gildong"}) {
    const Ran ran = JsonAs("mina", Reveal(kim_, field));
    ExpectJsonError(ran, 3, "permission_denied");
    EXPECT_THAT(ran.out, Not(HasSubstr(field)));
  }
  EXPECT_EQ(Ask("sora", Reveal(kim_, "phone"))["left_today"], 19);
  EXPECT_EQ(CountActs("reveal", "not_found"), 7);
}

TEST_F(RevealTest, AReasonIsOneLineOfUpTo200Characters) {
  const std::vector<Words> wrong = {{"reveal", kim_, "phone"},
                                    {"reveal", kim_, "phone", "--reason"},
                                    {"reveal", kim_, "--reason", "call back"},
                                    {"reveal", kim_, "phone", "email", "--reason", "call back"},
                                    Reveal(kim_, "phone", ""),
                                    Reveal(kim_, "phone", " \u3000 "),
                                    Reveal(kim_, "phone", "call\nback"),
                                    Reveal(kim_, "phone", "call\tback"),
                                    Reveal(kim_, "phone", std::string(201, 'x')),
                                    Reveal("UID_123", "phone"),
                                    Reveal("김서연", "phone"),
                                    Reveal(kim_, "Phone number"),
                                    Reveal(kim_, "")};
  for (Words words : wrong) {
    words.push_back("--json");
    const Ran ran = As("sora", words);
    ExpectJsonError(ran, 2, "usage");
    ExpectNothingPersonal(ran);
  }
  std::string long_reason;
  for (int i = 0; i < 200; ++i) long_reason += "전";
  EXPECT_EQ(Ask("sora", Reveal(kim_, "phone", long_reason))["left_today"], 19);
  EXPECT_EQ(Ask("sora", Reveal(kim_, "phone", "  call \x1b[31mback\u202e "))["left_today"], 18);
  const std::vector<Json> log = AuditLog({"--member", "sora"});
  EXPECT_EQ(log[log.size() - 2]["detail"]["reason"], long_reason);
  EXPECT_EQ(log.back()["detail"]["reason"], "call [31mback");
}

TEST_F(RevealTest, TheLogHasMemberFieldAndReasonAndNoValue) {
  Must("sora", Reveal(kim_, "phone", "배송 확인"));
  const std::vector<Json> log = AuditLog({"--member", "sora", "--uid", kim_});
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["act"], "reveal");
  EXPECT_EQ(log[0]["outcome"], "done");
  EXPECT_EQ(log[0]["detail"], Json::parse(R"({"field":"phone","reason":"배송 확인"})"));
  ExpectNothingPersonal(As("owner", {"audit", "log"}));
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(RevealTest, ABudgetThatIsUsedUpIsRefusedAndOthersGoOn) {
  Limit(3, 100);
  for (const int left : {2, 1, 0})
    EXPECT_EQ(Ask("sora", Reveal(kim_, "phone"))["left_today"], left);
  const Ran ran = JsonAs("sora", Reveal(kim_, "phone"));
  ExpectJsonError(ran, 3, "permission_denied");
  EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(),
              AllOf(HasSubstr("budget of 3"), HasSubstr("UTC")));
  ExpectNothingPersonal(ran);
  EXPECT_EQ(As("sora", {"show", kim_}).exit, 0);
  EXPECT_EQ(Ask("owner", Reveal(kim_, "phone"))["left_today"], 19);
  EXPECT_EQ(CountActs("reveal"), 4);
  EXPECT_EQ(CountActs("reveal", "denied"), 1);
}

TEST_F(RevealTest, ProcessesAtOnceShareOneBudget) {
  Limit(3, 100);
  std::vector<Process> processes;
  Words words = Reveal(kim_, "phone");
  words.push_back("--json");
  for (int i = 0; i < 6; ++i) processes.push_back(StartAs("sora", words));
  std::multiset<int> left;
  int denied = 0;
  for (Process& process : processes) {
    const Ran ran = process.Wait();
    if (ran.exit == 3)
      ++denied;
    else
      left.insert(ran.json()["left_today"].get<int>());
  }
  EXPECT_EQ(left, (std::multiset<int>{0, 1, 2}));
  EXPECT_EQ(denied, 3);
  EXPECT_EQ(CountActs("reveal"), 3);
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
}

TEST_F(RevealTest, ABurstLocksTheMemberUntilAnAdminEndsIt) {
  Limit(20, 2);
  for (int i = 0; i < 2; ++i) Must("sora", Reveal(kim_, "phone"));
  const Ran burst = JsonAs("sora", Reveal(kim_, "phone"));
  ExpectJsonError(burst, 4, "not_authenticated");
  EXPECT_THAT(burst.out, HasSubstr("locked for 60 minutes"));
  ExpectNothingPersonal(burst);
  // Every command of hers, with the right passphrase, again and again; and everybody else's works.
  for (const Words& words : {Words{"show", kim_}, Words{"list"}, Reveal(kim_, "phone")}) {
    const Ran ran = JsonAs("sora", words);
    ExpectJsonError(ran, 4, "not_authenticated");
    EXPECT_THAT(ran.out, HasSubstr("more minutes"));
  }
  EXPECT_EQ(As("mina", {"show", kim_}).exit, 0);
  EXPECT_EQ(As("sora", {"list"}).exit, 4);
  EXPECT_EQ(CountActs("reveal"), 2);
  EXPECT_EQ(CountActs("member.lock"), 1);
  for (const char* member : {"mina", "audra"})
    ExpectJsonError(JsonAs(member, {"member", "unlock", "sora"}), 3, "permission_denied");
  ExpectJsonError(JsonAs("sora", {"member", "unlock", "sora"}), 4, "not_authenticated");
  ExpectJsonError(JsonAs("ada", {"member", "unlock", "nobody"}), 5, "not_found");
  ExpectJsonError(JsonAs("ada", {"member", "unlock", "a\tb"}), 2, "usage");
  EXPECT_EQ(Ask("ada", {"member", "unlock", "sora"}),
            Json::parse(R"({"name":"sora","was_locked":true})"));
  EXPECT_EQ(Ask("sora", Reveal(kim_, "phone"))["left_today"], 17);
  EXPECT_EQ(As("ada", {"member", "unlock", "sora"}).out, "sora was not locked.\n");
  Json lock, unlock;
  for (const Json& line : AuditLog()) {
    if (line["act"] == "member.lock") lock = line;
    if (line["act"] == "member.unlock" && line["outcome"] == "done" && unlock.is_null())
      unlock = line;
  }
  EXPECT_EQ(lock["member"], "sora");
  EXPECT_EQ(lock["uid"], kim_);
  EXPECT_EQ(lock["detail"], Json::parse(R"({"reveals":2,"within_minutes":10,"minutes":60})"));
  EXPECT_EQ(unlock["member"], "ada");
  EXPECT_EQ(unlock["detail"], Json::parse(R"({"member":"sora"})"));
  EXPECT_EQ(CountActs("member.unlock", "denied"), 2);
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
}

TEST_F(RevealTest, ALockAfterWrongPassphrasesIsEndedToo) {
  Write("wrong", "a guess that is wrong");
  for (int i = 0; i < 3; ++i) Run({"list", "--as", "mina", "--passphrase-file", Path("wrong")});
  Write(
      "vault/lockout.json",
      absl::StrReplaceAll(ReadFile(VaultPath("lockout.json")), {{"\"after\": 5", "\"after\": 3"}}),
      0660);
  ExpectJsonError(JsonAs("mina", {"list"}), 4, "not_authenticated");
  EXPECT_EQ(As("owner", {"member", "unlock", "mina"}).out, "mina is not locked any more.\n");
  EXPECT_EQ(As("mina", {"list"}).exit, 0);
  EXPECT_EQ(CountActs("unlock.failed", "failed"), 3);
}

TEST_F(RevealTest, WhatWasAlteredInTheLogRevealsNothing) {
  Must("sora", Reveal(kim_, "phone"));
  Alter("DELETE FROM audit WHERE sequence = (SELECT max(sequence) - 1 FROM audit)");
  const Ran ran = JsonAs("sora", Reveal(kim_, "phone"));
  ExpectJsonError(ran, 7, "integrity");
  ExpectNothingPersonal(ran);
}

}  // namespace
}  // namespace sealbook::testing
