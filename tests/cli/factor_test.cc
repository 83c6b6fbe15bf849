// Second factors by the command: enrolled, confirmed, locked, agreed to, removed.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class FactorTest : public VaultTest {
 public:
  // By the independent program; `when` as in "30 seconds ago".
  std::string CodeAt(const std::string& secret, const std::string& when = "now") {
    const std::string out = Path("code");
    const std::string command =
        absl::StrCat("oathtool --totp -b -N '", when, "' ", secret, " > ", out);
    EXPECT_EQ(std::system(command.c_str()), 0);
    return ReadFile(out).substr(0, 6);
  }
  std::string Enroll(const std::string& member) {
    const Json pending = Ask(member, {"factor", "enroll", "totp"});
    Must(member,
         {"factor", "enroll", "totp", "--confirm", CodeAt(pending["secret"], "30 seconds ago")});
    id_ = pending["id"];
    return pending["secret"];
  }
  std::string StatusOf(const std::string& member) {
    const Json list = Ask(member, {"factor", "list"});
    for (const Json& factor : list["factors"]) {
      if (factor["member"] == member && factor["kind"] == "totp") return factor["status"];
    }
    return "none";
  }

 protected:
  std::string id_;
};

TEST_F(FactorTest, CountsOnceACodeWasConfirmed) {
  const Json pending = Ask("owner", {"factor", "enroll", "totp"});
  EXPECT_THAT(pending["otpauth"].get<std::string>(),
              HasSubstr("otpauth://totp/Sealbook:owner?secret="));
  EXPECT_NE(StatusOf("owner"), "active");
  EXPECT_EQ(As("owner", {"factor", "enroll", "totp", "--confirm", "000000"}).exit, 4);
  Must("owner", {"factor", "enroll", "totp", "--confirm", CodeAt(pending["secret"])});
  EXPECT_EQ(StatusOf("owner"), "active");
  // The secret was shown once and is nowhere else.
  const std::string secret = pending["secret"];
  EXPECT_THAT(As("owner", {"factor", "list"}).out, Not(HasSubstr(secret)));
  EXPECT_THAT(As("owner", {"audit", "log"}).out, Not(HasSubstr(secret)));
  for (const char* file : {"vault.db", "vault.db-wal", "unlock.json"})
    EXPECT_THAT(ReadFile(VaultPath(file)), Not(HasSubstr(secret)));
}

TEST_F(FactorTest, FiveWrongCodesLockTheRightOneToo) {
  const std::string secret = Enroll("owner");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(As("owner", {"factor", "enroll", "recovery", "--otp", "000000"}).exit, 4);
  const Ran locked = As("owner", {"factor", "enroll", "recovery", "--otp", CodeAt(secret)});
  EXPECT_EQ(locked.exit, 4) << locked;
  EXPECT_THAT(locked.err, HasSubstr("minute"));
}

TEST_F(FactorTest, AnAdminsFactorWaitsForAnotherAdmin) {
  const std::string owners = Enroll("owner");
  Enroll("ada");
  EXPECT_EQ(StatusOf("ada"), "waiting");
  EXPECT_NE(As("ada", {"factor", "approve", id_, "--otp", "123456"}).exit, 0);
  EXPECT_NE(As("mina", {"factor", "approve", id_, "--otp", "123456"}).exit, 0);
  EXPECT_EQ(As("owner", {"factor", "approve", id_, "--otp", "000000"}).exit, 4);
  EXPECT_EQ(StatusOf("ada"), "waiting");
  Must("owner", {"factor", "approve", id_, "--otp", CodeAt(owners)});
  EXPECT_EQ(StatusOf("ada"), "active");
}

// Attack: who holds the database key puts back the row that says what is spent, or takes it away.
TEST_F(FactorTest, AStatePutBackIsAnIntegrityFailure) {
  const std::string secret = Enroll("owner");
  Alter("CREATE TABLE kept AS SELECT * FROM second_factor");
  const std::string code = CodeAt(secret);
  Must("owner", {"factor", "enroll", "recovery", "--otp", code});
  Alter("DELETE FROM second_factor WHERE kind = 4");
  EXPECT_EQ(As("owner", {"factor", "enroll", "recovery", "--otp", code}).exit, 7);
  Alter("DELETE FROM second_factor; INSERT INTO second_factor SELECT * FROM kept");
  EXPECT_EQ(As("owner", {"factor", "enroll", "recovery", "--otp", code}).exit, 7);
}

// Attack: the other admin's rows are taken away, so that nobody seems to be there who would have to
// agree, and put back later.
TEST_F(FactorTest, DeletingAnotherAdminsFactorDoesNotSaveTheirAgreement) {
  const std::string owners = Enroll("owner");
  const auto fault = [&] {
    const Ran ran = As("owner", {"doctor", "--json"});
    const Json json = ran.json();
    for (const Json& check : json["checks"]) {
      if (check["name"] == "factors" && check["ok"] == false)
        return check["detail"].get<std::string>();
    }
    return std::string();
  };
  EXPECT_EQ(fault(), "");
  Alter("CREATE TABLE kept AS SELECT * FROM second_factor; DELETE FROM second_factor");
  EXPECT_THAT(fault(), HasSubstr("member 1"));
  const std::string adas = Enroll("ada");
  EXPECT_EQ(StatusOf("ada"), "waiting");
  EXPECT_EQ(As("ada", {"factor", "enroll", "recovery", "--otp", CodeAt(adas)}).exit, 4);
  // Nor do they once it waits.
  Alter("INSERT INTO second_factor SELECT * FROM kept");
  EXPECT_EQ(fault(), "");
  EXPECT_EQ(StatusOf("ada"), "waiting");
  Alter("DELETE FROM second_factor WHERE member = 1");
  EXPECT_EQ(StatusOf("ada"), "waiting");
  Alter("INSERT INTO second_factor SELECT * FROM kept; DROP TABLE kept");
  Must("owner", {"factor", "approve", id_, "--otp", CodeAt(owners)});
  EXPECT_EQ(StatusOf("ada"), "active");
}

TEST_F(FactorTest, RemovalOfOnesOwnNeedsACode) {
  const std::string secret = Enroll("owner");
  EXPECT_EQ(As("owner", {"factor", "remove"}).exit, 4);
  EXPECT_EQ(StatusOf("owner"), "active");
  Must("owner", {"factor", "remove", "--otp", CodeAt(secret)});
  EXPECT_EQ(StatusOf("owner"), "none");
}

}  // namespace
}  // namespace sealbook::testing
