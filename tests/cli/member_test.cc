// Members: who may be added, what they must do first, and what happens to who guesses passphrases.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class MemberTest : public VaultTest {
 public:
  Ran Add(const std::string& name, Words more, const std::string& by = "owner") {
    more.insert(more.begin(), {"member", "add", name});
    return As(by, more);
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const Json members = Ask("owner", {"member", "list"});
    for (const Json& member : members["members"]) names.push_back(member["name"]);
    return names;
  }
};

TEST_F(MemberTest, ListGivesNameRoleBooksStatusAndFactors) {
  const Json json = Ask("owner", {"member", "list"});
  const std::set<std::string> keys = {"name", "role", "books", "status", "factors"};
  for (const Json& member : json["members"]) {
    for (const auto& [key, value] : member.items()) EXPECT_TRUE(keys.contains(key)) << key;
    EXPECT_EQ(member.size(), keys.size());
  }
  EXPECT_THAT(
      json["members"],
      Contains(Json::parse(
          R"({"name":"jun","role":"agent","books":["seoul","shenzhen"],"status":"active","factors":[]})")));
  const Ran text = As("owner", {"member", "list"});
  EXPECT_EQ(text.exit, 0);
  EXPECT_THAT(text.out, HasSubstr("NAME"));
  EXPECT_THAT(text.out, HasSubstr("jun       agent       active           seoul, shenzhen\n"));
  EXPECT_THAT(text.out, Not(HasSubstr("recovery")));
}

// The whole way of a person, each step by the real command and at the policy's own cost.
TEST_F(MemberTest, APassphraseThatSomebodyElseChoseMustBeChangedBeforeAnythingElse) {
  const std::string first = Write("first", "first words for hana\n"),
                    second = Write("second", "her own secret words\n");
  const Ran added =
      Add("hana", {"--role", "agent", "--book", "seoul", "--new-passphrase-file", first, "--json"});
  ASSERT_EQ(added.exit, 0) << added;
  EXPECT_EQ(added.json(), Json::parse(R"({"name":"hana","role":"agent","books":["seoul"]})"));
  const RunOptions as_hana{
      .environment = {{"SEALBOOK_MEMBER", "hana"}, {"SEALBOOK_PASSPHRASE_FILE", first}}};
  const std::vector<Words> others = {{"list"},
                                     {"lookup", "--name", "x"},
                                     {"show", NobodysToken()},
                                     {"set", NobodysToken(), "note=x"},
                                     {"member", "list"},
                                     {"book", "list"},
                                     {"policy", "show"},
                                     {"doctor"},
                                     {"audit", "verify"}};
  for (Words words : others) {
    words.push_back("--json");
    const Ran ran = Run(words, as_hana);
    ExpectJsonError(ran, 4, "not_authenticated");
    EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("member passwd"));
  }
  EXPECT_EQ(Run({"list", "--json"}, as_hana).exit, 4);
  // The same again, a short one and one that others may read will not do.
  ExpectJsonError(Run({"member", "passwd", "--json", "--new-passphrase-file", first}, as_hana), 2,
                  "usage");
  ExpectJsonError(
      Run({"member", "passwd", "--json", "--new-passphrase-file", Write("short", "short")},
          as_hana),
      2, "usage");
  ExpectJsonError(Run({"member", "passwd", "--json", "--new-passphrase-file",
                       Write("open", "open to all of you", 0644)},
                      as_hana),
                  2, "usage");
  EXPECT_EQ(Run({"list", "--json"}, as_hana).exit, 4);
  const Ran changed = Run({"member", "passwd", "--json", "--new-passphrase-file", second}, as_hana);
  ASSERT_EQ(changed.exit, 0) << changed;
  EXPECT_EQ(changed.json()["name"], "hana");
  EXPECT_EQ(Run({"list", "--json"}, as_hana).exit, 4);  // the old one
  EXPECT_EQ(Run({"list", "--json", "--passphrase-file", second}, as_hana).exit, 0);
}

TEST_F(MemberTest, AServiceAccountGetsAKeyFileOfItsOwn) {
  const Ran added = Add("robot", {"--role", "importer", "--key-file-out", Path("robot.key")});
  ASSERT_EQ(added.exit, 0) << added;
  EXPECT_EQ(ModeOf(Path("robot.key")), 0600u);
  const std::string key = ReadFile(Path("robot.key"));
  EXPECT_EQ(key.rfind("SEALBOOK-KEY-1 ", 0), 0u);
  EXPECT_THAT(added.out, Not(HasSubstr(key.substr(50, 20))));
  EXPECT_EQ(Run({"book", "list", "--key-file", Path("robot.key")}).exit, 0);
  // It has no passphrase to change.
  ExpectJsonError(Run({"member", "passwd", "--json", "--key-file", Path("robot.key")}), 2, "usage");
}

TEST_F(MemberTest, AKeyFileIsNeverWrittenOverSomethingElse) {
  Write("precious", "precious");
  ExpectError(Add("robot", {"--role", "importer", "--key-file-out", Path("precious")}), 2);
  EXPECT_EQ(ReadFile(Path("precious")), "precious");
  EXPECT_THAT(Names(), Not(Contains("robot")));
  // A member's key that is in use.
  const std::string key = ReadFile(Path("importer.key"));
  ExpectError(Add("importer", {"--role", "importer", "--key-file-out", Path("importer.key")}), 2);
  EXPECT_EQ(ReadFile(Path("importer.key")), key);
  // One that an interrupted 'member add' of this name left is replaced.
  std::string left = key;
  left.replace(left.find("importer"), 8, "robot");
  Write("robot.key", left);
  EXPECT_EQ(Add("robot", {"--role", "importer", "--key-file-out", Path("robot.key")}).exit, 0);
  EXPECT_NE(ReadFile(Path("robot.key")), left);
  EXPECT_EQ(Run({"book", "list", "--key-file", Path("robot.key")}).exit, 0);
}

TEST_F(MemberTest, RolesAndSecretsMustFit) {
  const std::string first = Write("first", "first words for hana\n");
  const Words passphrase = {"--new-passphrase-file", first};
  const std::vector<std::tuple<Words, int, std::string>> cases = {
      {{"--role", "importer", "--new-passphrase-file", first}, 2, "usage"},
      {{"--role", "retention", "--new-passphrase-file", first}, 2, "usage"},
      {{"--role", "agent", "--key-file-out", Path("k")}, 2, "usage"},
      {{"--new-passphrase-file", first}, 2, "usage"},
      {{"--role", "agent"}, 2, "usage"},  // nowhere to ask
      {{"--role", "wizard", "--new-passphrase-file", first}, 5, "not_found"},
      {{"--role", "agent", "--book", "busan", "--new-passphrase-file", first}, 5, "not_found"},
      {{"--role", "agent", "--new-passphrase-file", Path("none")}, 2, "usage"},
      {{"--role", "agent", "--new-passphrase-file", Write("weak", "password123456")}, 2, "usage"}};
  for (auto [words, exit, code] : cases) {
    words.push_back("--json");
    ExpectJsonError(Add("hana", words), exit, code);
  }
  EXPECT_FALSE(std::filesystem::exists(Path("k")));
  EXPECT_THAT(Names(), Not(Contains("hana")));
}

TEST_F(MemberTest, NamesAreUniqueHoweverTheyAreComposedAndHoldNoControlCharacters) {
  const std::string first = Write("first", "first words for hana\n");
  const Words more = {"--role", "agent", "--json", "--new-passphrase-file", first};
  ExpectJsonError(Add("mina", more), 2, "usage");
  ASSERT_EQ(Add("Zoë", more).exit, 0);
  ExpectJsonError(Add("Zoe\u0308", more), 2, "usage");
  for (const std::string& name :
       {std::string("a\tb"), std::string("a\x1b[31mb"), std::string("a\nb"),
        std::string("\u202eanim"), std::string(65, 'a'), std::string(" "),
        std::string("\xff\xfe")}) {
    const Ran ran = Add(name, more);
    ExpectJsonError(ran, 2, "usage");
  }
  EXPECT_EQ(Names().size(), 9u);
}

TEST_F(MemberTest, OnlyThoseWhoManageMembersAddThem) {
  const Words more = {"--role", "agent", "--json", "--new-passphrase-file",
                      Write("first", "first words for hana\n")};
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    ExpectJsonError(Add("hana", more, member), 3, "permission_denied");
  }
  EXPECT_EQ(Add("hana", more, "ada").exit, 0);
  // Who changes the roster is made by the owner alone.
  ExpectJsonError(
      Add("boss2", {"--role", "admin", "--json", "--new-passphrase-file", Path("first")}, "ada"), 3,
      "permission_denied");
  EXPECT_EQ(CountActs("member.add", "denied"), 5);
}

TEST_F(MemberTest, WrongPassphrasesSlowDownLockOutAndAreInTheLogAtTheNextUnlock) {
  Write("wrong", "a guess that is wrong");
  const Words guess = {"list", "--json", "--as", "mina", "--passphrase-file", Path("wrong")};
  const absl::Time start = absl::Now();
  // The least that a policy may set is 3; this vault's is 5.
  for (int i = 0; i < 5; ++i) {
    const Ran ran = Run(guess);
    ExpectJsonError(ran, 4, "not_authenticated");
    EXPECT_THAT(ran.out, Not(HasSubstr("locked out"))) << i;
  }
  // 0.5 s after the first, and twice as long after each.
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(7500));
  const Ran locked = Run(guess);
  ExpectJsonError(locked, 4, "not_authenticated");
  EXPECT_THAT(locked.out, HasSubstr("locked out"));
  // The right one does not help now; others work on.
  const Ran right = As("mina", {"list", "--json"});
  ExpectJsonError(right, 4, "not_authenticated");
  EXPECT_THAT(right.out, HasSubstr("locked out"));
  Run({"list", "--as", "stranger", "--passphrase-file", Path("wrong")});
  EXPECT_EQ(As("wei", {"list"}).exit, 0);
  std::map<std::string, int> failures;
  for (const Json& line : AuditLog()) {
    if (line["act"] != "unlock.failed") continue;
    EXPECT_EQ(line["outcome"], "failed");
    EXPECT_EQ(line["member"], "wei");  // who unlocked next wrote it down
    ++failures[line["detail"]["entry"].get<std::string>()];
  }
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[""], 1);  // of a name that is no member's
  for (const auto& [entry, count] : failures) {
    if (!entry.empty()) {
      EXPECT_EQ(count, 5);
    }
  }
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  // Once the time is over the right passphrase opens again.
  std::string lockout = ReadFile(VaultPath("lockout.json"));
  lockout.replace(lockout.find("\"seconds\": 900"), 14, "\"seconds\": 1");
  Write("vault/lockout.json", lockout, 0660);
  absl::SleepFor(absl::Milliseconds(1100));
  EXPECT_EQ(As("mina", {"list"}).exit, 0);
}

TEST_F(MemberTest, ALogOutcomeFollowsEachRefusal) {
  ExpectJsonError(As("mina", {"audit", "verify", "--json"}), 3, "permission_denied");
  const std::vector<Json> log = AuditLog({"--member", "mina"});
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.back()["act"], "audit.verify");
  EXPECT_EQ(log.back()["outcome"], "denied");
}

}  // namespace
}  // namespace sealbook::testing
