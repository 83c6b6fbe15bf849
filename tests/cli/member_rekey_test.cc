// New keys for members, and the vault's recovery, with the real command.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"
#include "vault/keyring/unlock_file.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MemberRekeyTest : public VaultTest {
 public:
  MemberRekeyTest() { ImportCustomers(); }
  bool AsksForKeys(const std::string& name) {
    const Json listed = Ask("owner", {"member", "list"});
    for (const Json& member : listed["members"]) {
      if (member["name"] == name) return member.value("asks_for_new_keys", false);
    }
    ADD_FAILURE() << "no member " << name;
    return false;
  }
};

TEST_F(MemberRekeyTest, AnAgentAsksAndAnAdminTakesInWhatWasReadOut) {
  const Json asked = Ask("mina", {"member", "rekey"});
  EXPECT_EQ(asked["in_force"], false);
  const std::string fingerprint = asked["fingerprint"];
  EXPECT_TRUE(AsksForKeys("mina"));
  const std::set<std::string> before = TokensOf("mina");
  ExpectJsonError(As("ada", {"member", "rekey", "mina", "--json", "--fingerprint",
                             "11111 22222 33333 44444 55555 66666"}),
                  6, "bad_input");
  EXPECT_TRUE(AsksForKeys("mina"));
  const Json taken = Ask("ada", {"member", "rekey", "mina", "--fingerprint", fingerprint});
  EXPECT_EQ(taken["fingerprint"], fingerprint);
  EXPECT_EQ(taken["in_force"], true);
  EXPECT_GT(taken["rewrapped"], 0);
  EXPECT_EQ(taken["undrained"], 0);
  EXPECT_FALSE(AsksForKeys("mina"));
  EXPECT_EQ(TokensOf("mina"), before);
  ExpectJsonError(As("ada", {"member", "rekey", "mina", "--json"}), 5, "not_found");
  EXPECT_EQ(CountActs("member.rekey_request"), 1);
  EXPECT_EQ(CountActs("member.rekey"), 1);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(MemberRekeyTest, OnATerminalTheAdminIsAskedAndNoTakesNothingIn) {
  const Json asked = Ask("mina", {"member", "rekey"});
  for (const char* answer : {"no", "yes"}) {
    Terminal terminal({"member", "rekey", "mina"}, EnvironmentFor(Member("ada")));
    ASSERT_TRUE(terminal.Expect(asked["fingerprint"].get<std::string>())) << terminal.screen();
    ASSERT_TRUE(terminal.Expect("read out the same?")) << terminal.screen();
    terminal.Type(answer);
    EXPECT_EQ(terminal.Wait(), std::string(answer) == "yes" ? 0 : 6) << terminal.screen();
    EXPECT_EQ(AsksForKeys("mina"), std::string(answer) == "no");
  }
}

TEST_F(MemberRekeyTest, TheOwnerTakesItsOwnInAndAdminsOnlyTheOwnerTakesIn) {
  const Json own = Ask("owner", {"member", "rekey"});
  EXPECT_EQ(own["in_force"], true);
  EXPECT_EQ(own["undrained"], 0);
  EXPECT_EQ(TokensOf("owner").size(), 9u);
  Must("ada", {"member", "rekey"});
  Must("owner", {"member", "rekey", "ada"});
  Must("ada", {"member", "rekey"});
  ExpectJsonError(As("ada", {"member", "rekey", "ada", "--json"}), 3, "permission_denied");
  ExpectJsonError(As("mina", {"member", "rekey", "ada", "--json"}), 3, "permission_denied");
  ExpectJsonError(As("owner", {"member", "rekey", "nobody", "--json"}), 5, "not_found");
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(MemberRekeyTest, AServiceAccountGetsANewKeyFile) {
  ExpectJsonError(As("importer", {"member", "rekey", "--json"}), 2, "usage");
  ExpectJsonError(As("mina", {"member", "rekey", "--json", "--key-file-out", Path("k")}), 2,
                  "usage");
  EXPECT_FALSE(std::filesystem::exists(Path("k")));
  Must("importer", {"member", "rekey", "--key-file-out", Path("new.key")});
  EXPECT_EQ(ModeOf(Path("new.key")), 0600u);
  const auto with = [&](const std::string& file) {
    return Run({"book", "list", "--key-file", Path(file)}).exit;
  };
  EXPECT_EQ(with("importer.key"), 0);
  EXPECT_EQ(with("new.key"), 4);
  Must("owner", {"member", "rekey", "importer"});
  EXPECT_EQ(with("new.key"), 0);
  EXPECT_EQ(with("importer.key"), 4);
  // Where a key file is in the way, nothing is asked for.
  const RunOptions by_new = {.environment = {{"SEALBOOK_KEY_FILE", Path("new.key")}}};
  EXPECT_EQ(Run({"member", "rekey", "--key-file-out", Path("importer.key")}, by_new).exit, 2);
  EXPECT_FALSE(AsksForKeys("importer"));
}

TEST_F(MemberRekeyTest, AHigherCostInThePolicyHoldsForThePassphraseThatIsSetNext) {
  const auto cost_of = [&](const std::string& name) {
    const auto file = keyring::UnlockFile::Load(VaultPath("unlock.json"));
    EXPECT_TRUE(file.ok());
    return file->Find(file->EntryId(name))->cost;
  };
  EXPECT_EQ(cost_of("mina").memory_kib, kInsecureTestCost.memory_kib);
  const Ran shown = As("owner", {"policy", "show"});
  std::string policy = shown.out;
  policy.replace(policy.find("memory_mib = 64"), 15, "memory_mib = 65");
  policy.replace(policy.find("passes = 1"), 10, "passes = 2");
  Must("owner", {"policy", "apply", Write("policy.toml", policy)});
  Must("mina", {"member", "passwd", "--new-passphrase-file", Write("new", "other words of mina")});
  EXPECT_EQ(cost_of("mina"), (crypto::PassphraseCost{.memory_kib = 65 * 1024, .passes = 2}));
  Must("wei", {"member", "rekey"});
  Must("owner", {"member", "rekey", "wei"});
  EXPECT_EQ(cost_of("wei"), (crypto::PassphraseCost{.memory_kib = 65 * 1024, .passes = 2}));
}

}  // namespace
}  // namespace sealbook::testing
