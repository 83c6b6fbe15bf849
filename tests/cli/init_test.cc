// A vault is made whole or not at all, and tells its recovery code once.
#include <gmock/gmock.h>

#include "policies/policy.h"
#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kPassphrase[] = "plain words in a row\n";

class InitTest : public CommandTest {
 public:
  InitTest() {
    crypto::PrepareProcess().IgnoreError();
    recipient_ = crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key());
    Write("passphrase", kPassphrase);
    policy_ = CheapPolicyText(recipient_);
    Write("policy.toml", policy_);
  }
  Ran Init(Words more, const RunOptions& options = {}) {
    more.insert(more.begin(), {"init", "--owner", "boss", "--passphrase-file", Path("passphrase")});
    return Run(more, options);
  }
  Words Policy() const { return {"--policy", Path("policy.toml")}; }
  Ran List() {
    return Run(
        {"member", "list", "--json", "--as", "boss", "--passphrase-file", Path("passphrase")});
  }
  void ExpectNoVault() const {
    EXPECT_FALSE(std::filesystem::exists(Path("vault")));
    EXPECT_FALSE(std::filesystem::exists(Path(".vault.sealbook-init")));
  }

 protected:
  std::string recipient_, policy_;
};

TEST_F(InitTest, MakesAVaultWithTheDefaultPolicyThatItsOwnerUnlocks) {
  const Ran made = Init({"--region", "cn", "--archive-recipient", recipient_, "--json", "--quiet"});
  ASSERT_EQ(made.exit, 0) << made;
  EXPECT_EQ(made.err, "");
  const Json json = made.json();
  EXPECT_THAT(json["vault_id"].get<std::string>(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(json["owner"], "boss");
  EXPECT_THAT(json["recovery_code"].get<std::string>(),
              MatchesRegex("([0-9A-Z]{4}-){6}[0-9A-Z]{4}"));
  EXPECT_EQ(json["archive_recipients"], Json::array({recipient_}));
  const Json members = List().json();
  ASSERT_EQ(members["members"].size(), 1u);
  EXPECT_EQ(
      members["members"][0],
      Json::parse(R"({"name":"boss","role":"owner","books":[],"status":"active","factors":[]})"));
  const Ran policy =
      Run({"policy", "show", "--as", "boss", "--passphrase-file", Path("passphrase")});
  EXPECT_EQ(policy.exit, 0) << policy;
  EXPECT_THAT(policy.out, HasSubstr("region = \"CN\""));
  EXPECT_THAT(policy.out, HasSubstr(recipient_));
}

TEST_F(InitTest, PrintsTheRecoveryCodeOnceAndWarnsOfMissingDestinations) {
  const Ran made = Init(Policy());
  ASSERT_EQ(made.exit, 0) << made;
  EXPECT_THAT(made.out, HasSubstr("shown this once"));
  EXPECT_THAT(made.err, HasSubstr("no independent server"));
  const auto at = made.out.find("\n    ");
  ASSERT_NE(at, std::string::npos);
  const std::string code = made.out.substr(at + 5, 34);
  EXPECT_THAT(code, MatchesRegex("([0-9A-Z]{4}-){6}[0-9A-Z]{4}"));
  for (const auto& file : std::filesystem::recursive_directory_iterator(root())) {
    const std::string path = file.path().string();
    if (file.is_regular_file() && path.find("captured") == std::string::npos) {
      EXPECT_THAT(ReadFile(path), Not(HasSubstr(code))) << path;
    }
  }
}

TEST_F(InitTest, FilesAreForTheGroupAlone) {
  const mode_t before = umask(077);
  const Ran made = Init(Policy());
  umask(before);
  ASSERT_EQ(made.exit, 0) << made;
  ASSERT_EQ(List().exit, 0);
  EXPECT_EQ(ModeOf(Path("vault")), 02770u);
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(Path("vault"))) {
    names.insert(file.path().filename().string());
    EXPECT_EQ(ModeOf(file.path().string()), 0660u) << file.path();
  }
  for (const char* name : {"vault.db", "unlock.json", "lockout.json", "escrow.key.age"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST_F(InitTest, ASecondInitChangesNothing) {
  ASSERT_EQ(Init(Policy()).exit, 0);
  const std::string unlock = ReadFile(Path("vault/unlock.json"));
  for (const Words& more : {Policy(), Words{"--archive-identity-out", Path("identity")}}) {
    ExpectError(Init(more), 2);
    Words json = more;
    json.push_back("--json");
    ExpectJsonError(Init(json), 2, "usage");
  }
  EXPECT_EQ(ReadFile(Path("vault/unlock.json")), unlock);
  EXPECT_FALSE(std::filesystem::exists(Path("identity")));
  EXPECT_EQ(List().exit, 0);
}

TEST_F(InitTest, AFolderWithSomethingInItAndAFileAreLeftAlone) {
  std::filesystem::create_directory(Path("vault"));
  Write("vault/mine.txt", "mine");
  ExpectError(Init(Policy()), 2);
  EXPECT_EQ(ReadFile(Path("vault/mine.txt")), "mine");
  Write("file", "mine");
  Words words = Policy();
  words.insert(words.end(), {"--vault", Path("file")});
  ExpectError(Init(words), 2);
  EXPECT_EQ(ReadFile(Path("file")), "mine");
}

TEST_F(InitTest, AnEmptyFolderAndMissingParentsWillDo) {
  std::filesystem::create_directory(Path("vault"));
  EXPECT_EQ(Init(Policy()).exit, 0);
  Words words = Policy();
  words.insert(words.end(), {"--vault", Path("a/b/c/")});
  EXPECT_EQ(Init(words).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(Path("a/b/c/unlock.json")));
}

TEST_F(InitTest, WhatAnInterruptedInitLeftIsReplaced) {
  std::filesystem::create_directory(Path(".vault.sealbook-init"));
  Write(".vault.sealbook-init/unlock.json", "{half");
  Write(".vault.sealbook-init/vault.db", "half");
  ASSERT_EQ(Init(Policy()).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(Path(".vault.sealbook-init")));
  EXPECT_EQ(List().exit, 0);
}

TEST_F(InitTest, KilledAtAnyTimeItLeavesAVaultOrNoneAndRunsAgain) {
  for (int milliseconds = 20; milliseconds <= 320; milliseconds += 60) {
    std::filesystem::remove_all(Path("vault"));
    Words words = {"init",     "--owner",          "boss", "--passphrase-file", Path("passphrase"),
                   "--policy", Path("policy.toml")};
    Process init = Start(words);
    absl::SleepFor(absl::Milliseconds(milliseconds));
    init.Signal(SIGKILL);
    init.Wait();
    if (!std::filesystem::exists(Path("vault"))) {
      ASSERT_EQ(Init(Policy()).exit, 0) << milliseconds;
    }
    EXPECT_EQ(List().exit, 0) << milliseconds;
  }
}

TEST_F(InitTest, TheArchiveIdentityIsTheOwnersAloneAndReusedAfterAnInterruption) {
  // Refused for its passphrase after the identity could be made: nothing is left.
  Write("passphrase", "short\n");
  EXPECT_EQ(Init({"--archive-identity-out", Path("identity")}).exit, 2);
  EXPECT_FALSE(std::filesystem::exists(Path("identity")));
  Write("passphrase", kPassphrase);
  Ran made = Init({"--archive-identity-out", Path("identity"), "--json"});
  ASSERT_EQ(made.exit, 0) << made;
  EXPECT_EQ(ModeOf(Path("identity")), 0600u);
  const std::string identity = ReadFile(Path("identity")),
                    recipient = made.json()["archive_recipients"][0];
  EXPECT_THAT(identity, HasSubstr("AGE-SECRET-KEY-1"));
  EXPECT_THAT(identity, HasSubstr(recipient));
  EXPECT_THAT(made.out + made.err, Not(HasSubstr("AGE-SECRET-KEY")));
  // As if the run had ended between the identity and the vault.
  std::filesystem::remove_all(Path("vault"));
  made = Init({"--archive-identity-out", Path("identity"), "--json"});
  ASSERT_EQ(made.exit, 0) << made;
  EXPECT_EQ(made.json()["archive_recipients"][0], recipient);
  EXPECT_EQ(ReadFile(Path("identity")), identity);
}

TEST_F(InitTest, AFileThatIsNoIdentityIsNotOverwritten) {
  Write("identity", "my diary\n");
  ExpectError(Init({"--archive-identity-out", Path("identity")}), 2);
  EXPECT_EQ(ReadFile(Path("identity")), "my diary\n");
  ExpectNoVault();
}

TEST_F(InitTest, WithoutSomebodyWhoOpensTheArchivesItIsRefusedWithTheReason) {
  const Ran ran = Init({});
  ExpectError(ran, 2);
  EXPECT_THAT(ran.err, HasSubstr("archive"));
  EXPECT_THAT(ran.err, HasSubstr("--archive-identity-out"));
  ExpectNoVault();
}

TEST_F(InitTest, WrongOptionsMakeNoVault) {
  const std::vector<Words> wrong = {
      {"--archive-recipient", "age1nonsense"},
      {"--archive-recipient", recipient_ + "x"},
      {"--archive-recipient", recipient_, "--region", "Korea"},
      {"--archive-recipient", recipient_, "--region", "XX"},
      {"--archive-recipient", recipient_, "--archive-destination", "ftp://example.com/x"},
      {"--archive-recipient", recipient_, "--archive-destination", "file://relative"},
      {"--archive-recipient", recipient_, "--archive-destination", "sftp://"},
      {"--policy", Path("policy.toml"), "--region", "KR"},
      {"--policy", Path("policy.toml"), "--archive-recipient", recipient_}};
  for (const Words& words : wrong) {
    ExpectError(Init(words), 2);
    ExpectNoVault();
  }
  ExpectError(Run({"init", "--archive-recipient", recipient_}), 2);
  for (const std::string& name :
       {std::string("a\nb"), std::string(""), std::string(100, 'x'), std::string("\u202e")}) {
    ExpectError(Run({"init", "--owner", name, "--policy", Path("policy.toml"), "--passphrase-file",
                     Path("passphrase")}),
                2);
  }
  ExpectNoVault();
}

TEST_F(InitTest, DestinationsGoIntoThePolicy) {
  const Ran made =
      Init({"--archive-recipient", recipient_, "--archive-destination",
            "sftp://me@example.com:2222/archives", "--archive-destination", "s3://bucket/prefix"});
  ASSERT_EQ(made.exit, 0) << made;
  EXPECT_EQ(made.err, "");
  const Ran policy =
      Run({"policy", "show", "--as", "boss", "--passphrase-file", Path("passphrase")});
  EXPECT_THAT(policy.out, HasSubstr("\"sftp://me@example.com:2222/archives\""));
  EXPECT_THAT(policy.out, HasSubstr("\"s3://bucket/prefix\""));
}

TEST_F(InitTest, APolicyWithAFaultIsBadInputThatNamesFileAndLine) {
  const auto at = policy_.find("[roles.agent]");
  const auto line =
      1 + std::count(policy_.begin(), policy_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  policy_.replace(at, 13, "[roles.agent]\nfrobs = 1");
  Write("policy.toml", policy_);
  Words words = Policy();
  Ran ran = Init(words);
  ExpectError(ran, 6);
  EXPECT_THAT(ran.err, HasSubstr("policy.toml"));
  EXPECT_THAT(ran.err, HasSubstr(absl::StrCat("line ", line + 1)));
  words.push_back("--json");
  ExpectJsonError(Init(words), 6, "bad_input");
  ExpectJsonError(Init({"--policy", Path("none.toml"), "--json"}), 6, "bad_input");
  ExpectJsonError(Init({"--policy", root(), "--json"}), 6, "bad_input");
  ExpectJsonError(Init({"--policy", Write("binary", std::string("\0\1\2\xff", 4)), "--json"}), 6,
                  "bad_input");
  Write("policy.toml", policies::DefaultPolicyText(
                           {.region = "", .archive_recipients = {}, .archive_destinations = {}}));
  ExpectJsonError(Init({"--policy", Path("policy.toml"), "--json"}), 6, "bad_input");
  ExpectNoVault();
}

TEST_F(InitTest, ShortAndWellKnownPassphrasesAreRefused) {
  const Words common = {"",
                        "eleven char",
                        "열한글자로된암호문장임",
                        "password1234",
                        "PassWord 2024!!",
                        "correct horse battery staple",
                        "123456789012",
                        "aaaaaaaaaaaaaaa",
                        "abcabcabcabcabc",
                        "qwertyuiopasdf",
                        "sealbook2026"};
  for (const std::string& passphrase : common) {
    Write("passphrase", passphrase + "\n");
    Words words = Policy();
    words.push_back("--json");
    const Ran ran = Init(words);
    ExpectJsonError(ran, 2, "usage");
    if (!passphrase.empty()) {
      EXPECT_THAT(ran.out, Not(HasSubstr(passphrase)));
    }
    ExpectNoVault();
  }
  // Twelve characters, each of more than a byte.
  Write("passphrase", "열두글자로된암호문장임다\n");
  EXPECT_EQ(Init(Policy()).exit, 0);
}

TEST_F(InitTest, ThePassphraseFileIsTheOwnersAlone) {
  Write("passphrase", kPassphrase, 0644);
  ExpectError(Init(Policy()), 2);
  ExpectNoVault();
}

TEST_F(InitTest, ThePassphraseComesFromStandardInputAndNeverWithoutATerminal) {
  Words words = {"init", "--owner", "boss", "--policy", Path("policy.toml")};
  ExpectError(Run(words), 2);
  ExpectNoVault();
  words.insert(words.end(), {"--passphrase-file", "-"});
  EXPECT_EQ(Run(words, {.stdin_text = kPassphrase}).exit, 0);
  EXPECT_EQ(List().exit, 0);
}

// The main job from nothing, each step by the real command.
TEST_F(InitTest, AFreshVaultTakesAListInAndAnAgentFindsTheAssignedCustomersAlone) {
  const auto as = [&](const std::string& member, const std::string& file, Words words) {
    words.insert(words.end(), {"--as", member, "--passphrase-file", file});
    return Run(words);
  };
  const std::string boss = Path("passphrase"), first = Write("first", "what the boss chose"),
                    own = Write("own", "what mina chose later");
  ASSERT_EQ(Init(Policy()).exit, 0);
  ASSERT_EQ(as("boss", boss, {"book", "add", "seoul"}).exit, 0);
  ASSERT_EQ(as("boss", boss, {"book", "add", "shenzhen"}).exit, 0);
  ASSERT_EQ(as("boss", boss,
               {"member", "add", "mina", "--role", "agent", "--book", "seoul",
                "--new-passphrase-file", first})
                .exit,
            0);
  ASSERT_EQ(as("boss", boss,
               {"member", "add", "importer", "--role", "importer", "--key-file-out",
                Path("importer.key")})
                .exit,
            0);
  ASSERT_EQ(as("mina", first, {"member", "passwd", "--new-passphrase-file", own}).exit, 0);
  ASSERT_EQ(Run({"import", Write("seoul.csv", kSeoulCsv), "--book", "seoul", "--key-file",
                 Path("importer.key")})
                .exit,
            0);
  ASSERT_EQ(Run({"import", Write("shenzhen.csv", kShenzhenCsv), "--book", "shenzhen", "--region",
                 "CN", "--key-file", Path("importer.key")})
                .exit,
            0);
  const Ran found = as("mina", own, {"lookup", "--name", "김서연"});
  EXPECT_EQ(found.exit, 0) << found;
  EXPECT_THAT(found.out, HasSubstr("+82 10-****-5678  (masked)"));
  const std::string theirs =
      as("boss", boss, {"lookup", "--name", "王芳", "--json"}).json()["contacts"][0]["uid"];
  EXPECT_EQ(as("mina", own, {"lookup", theirs}).exit, 5);
  EXPECT_EQ(as("boss", boss, {"audit", "verify", "--json"}).json()["ok"], true);
  EXPECT_EQ(as("boss", boss, {"doctor"}).exit, 0);
}

TEST_F(InitTest, ARecoveryCodeThatCannotBeShownMakesNoVault) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const Ran ran = Init(Policy(), {.stdout_fd = full});
  close(full);
  EXPECT_EQ(ran.exit, 1) << ran;
  ExpectNoVault();
}

}  // namespace
}  // namespace sealbook::testing
