// Joining by a request: the new member's command, the admin's, and the first unlock, as they are
// typed. Requests are mostly made through the library, so that they cost less than the command's.
#include <gmock/gmock.h>

#include "absl/strings/str_replace.h"
#include "tests/support/command_vault.h"
#include "vault/keyring/join_request.h"

namespace sealbook::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kFingerprint[] = "[0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5}";

class MemberRequestTest : public VaultTest {
 public:
  MemberRequestTest() { Write("hana.passphrase", PassphraseOf("hana") + "\n"); }

  // Writes hana.request and gives its fingerprint.
  std::string CheapRequest(mode_t mode = 0600) {
    const auto request = keyring::JoinRequest::MakeWithInsecureCostForTests(
        Secret(PassphraseOf("hana")), kInsecureTestCost);
    EXPECT_TRUE(request.ok()) << request.status();
    Write("hana.request", request->Format(), mode);
    return request->Fingerprint();
  }
  Words AddWords(Words more = {}) const {
    Words words = {"member", "add",       "hana",
                   "--role", "agent",     "--book",
                   "seoul",  "--request", Path("hana.request")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Ran Add(const Words& more = {}, const std::string& by = "owner") {
    return As(by, AddWords(more));
  }
  Ran Request(Words more) {
    more.insert(more.begin(), {"member", "request"});
    // Without a vault: none is looked for.
    return Run(more, {.environment = {{"SEALBOOK_VAULT", Path("no-vault")}}});
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const Json list = Ask("owner", {"member", "list"});
    for (const Json& member : list["members"]) names.push_back(member["name"]);
    return names;
  }
  std::size_t CountEntries() const {
    return Json::parse(ReadFile(VaultPath("unlock.json")))["entries"].size();
  }
  // Nobody in the roster, no entry in unlock.json, no grants of nobody.
  void ExpectNobodyAdded() {
    EXPECT_THAT(Names(), Not(Contains("hana")));
    EXPECT_EQ(CountEntries(), 9u);
    EXPECT_EQ(CountActs("member.add"), 7);
    EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
  }
};

// The whole way at the real cost, each step by the real command.
TEST_F(MemberRequestTest, ANewMemberJoinsWithAPassphraseThatNobodyElseEverKnew) {
  ImportCustomers();
  const Ran asked =
      Request({"-o", Path("hana.request"), "--passphrase-file", Path("hana.passphrase"), "--json"});
  ASSERT_EQ(asked.exit, 0) << asked;
  EXPECT_EQ(asked.err, "");
  EXPECT_EQ(asked.json().size(), 2u);
  EXPECT_EQ(asked.json()["file"], Path("hana.request"));
  const std::string fingerprint = asked.json()["fingerprint"];
  EXPECT_THAT(fingerprint, MatchesRegex(kFingerprint));
  EXPECT_EQ(ModeOf(Path("hana.request")), 0600u);
  EXPECT_FALSE(std::filesystem::exists(Path("no-vault")));
  EXPECT_THAT(ReadFile(Path("hana.request")), Not(HasSubstr("hana")));

  const Ran added = Add({"--json"});
  ASSERT_EQ(added.exit, 0) << added;
  const Json json = added.json();
  EXPECT_EQ(json.size(), 5u);
  EXPECT_EQ(json["name"], "hana");
  EXPECT_EQ(json["role"], "agent");
  EXPECT_EQ(json["books"], Json::parse(R"(["seoul"])"));
  EXPECT_EQ(json["fingerprint"], fingerprint);
  const std::string vault_fingerprint = json["vault_fingerprint"];
  EXPECT_THAT(vault_fingerprint, MatchesRegex(kFingerprint));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);

  // Nothing must be changed first.
  const Ran first = As("hana", {"lookup", "--name", "김서연", "--json"});
  ASSERT_EQ(first.exit, 0) << first;
  EXPECT_EQ(first.json()["contacts"].size(), 1u);
  EXPECT_THAT(first.err, HasSubstr("first unlock"));
  EXPECT_THAT(first.err, HasSubstr(vault_fingerprint));
  const Ran second = As("hana", {"list", "--json"});
  EXPECT_EQ(second.exit, 0) << second;
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(second.lines().size(), 6u);
  EXPECT_EQ(As("hana", {"lookup", "--name", "王芳"}).exit, 5);
  EXPECT_EQ(CountActs("member.join"), 1);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  // Her passphrase is hers to change, like anybody's.
  Write("second", "her second secret words");
  Must("hana", {"member", "passwd", "--new-passphrase-file", Path("second")});
  EXPECT_EQ(As("hana", {"list"}).exit, 4);
}

TEST_F(MemberRequestTest, WithoutJsonBothReadTheDigits) {
  const std::string fingerprint = CheapRequest(0644);  // it is made to be sent
  const Ran added = Add();
  ASSERT_EQ(added.exit, 0) << added;
  EXPECT_THAT(added.out, HasSubstr("\n    " + fingerprint + "\n"));
  const auto at = added.out.rfind("\n    ");
  const std::string vault_fingerprint = added.out.substr(at + 5, 35);
  EXPECT_THAT(vault_fingerprint, MatchesRegex(kFingerprint));
  EXPECT_NE(vault_fingerprint, fingerprint);
  const Ran first = As("hana", {"book", "list"});
  EXPECT_EQ(first.exit, 0) << first;
  EXPECT_THAT(first.err, HasSubstr("\n    " + vault_fingerprint + "\n"));
  EXPECT_THAT(first.out, Not(HasSubstr(vault_fingerprint)));
}

TEST_F(MemberRequestTest, ARequestIsNotWrittenWhereItCannotBeOrShouldNot) {
  const Words good = {"--passphrase-file", Path("hana.passphrase"), "--json"};
  const auto with = [&](Words words) {
    words.insert(words.end(), good.begin(), good.end());
    return words;
  };
  ExpectJsonError(Request(good), 2, "usage");
  Write("precious", "precious");
  ExpectJsonError(Request(with({"-o", Path("precious")})), 2, "usage");
  EXPECT_EQ(ReadFile(Path("precious")), "precious");
  std::filesystem::create_symlink(Path("elsewhere"), Path("link"));
  ExpectJsonError(Request(with({"-o", Path("link")})), 2, "usage");
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere")));
  ExpectJsonError(Request(with({"-o", root()})), 2, "usage");
  ExpectJsonError(Request(with({"-o", Path("none/hana.request")})), 2, "usage");
  // A passphrase that is short, well known, readable by others, or nowhere.
  for (const std::string& file : {Write("short", "eleven char"), Write("known", "password123456"),
                                  Write("open", "open to all of you", 0644), Path("none")}) {
    ExpectJsonError(Request({"-o", Path("f"), "--new-passphrase-file", file, "--json"}), 2,
                    "usage");
  }
  ExpectJsonError(Request({"-o", Path("f"), "--json"}), 2, "usage");  // no terminal to ask on
  ExpectJsonError(Request(with({"-o", Path("f"), "hana"})), 2, "usage");
  EXPECT_FALSE(std::filesystem::exists(Path("f")));
}

TEST_F(MemberRequestTest, ARequestAsksTwiceOnATerminal) {
  Terminal differing({"member", "request", "-o", Path("f")}, EnvironmentFor({}));
  ASSERT_TRUE(differing.Expect("New passphrase: "));
  EXPECT_FALSE(differing.Echoes());
  differing.Type("some entirely new words");
  ASSERT_TRUE(differing.Expect("Once more: "));
  differing.Type("some entirely other words");
  EXPECT_EQ(differing.Wait(), 2) << differing.screen();
  EXPECT_FALSE(std::filesystem::exists(Path("f")));
  Terminal same({"member", "request", "-o", Path("f")}, EnvironmentFor({}));
  ASSERT_TRUE(same.Expect("New passphrase: "));
  same.Type("some entirely new words");
  ASSERT_TRUE(same.Expect("Once more: "));
  same.Type("some entirely new words");
  EXPECT_EQ(same.Wait(), 0) << same.screen();
  EXPECT_THAT(same.screen(), Not(HasSubstr("entirely")));
  const auto request = keyring::JoinRequest::Parse(ReadFile(Path("f")));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(same.screen(), HasSubstr(request->Fingerprint()));
  EXPECT_EQ(request->secrets().cost, crypto::PassphraseCost());
  EXPECT_EQ(ModeOf(Path("f")), 0600u);
}

TEST_F(MemberRequestTest, ATamperedFileIsBadInputAndNothingIsHalfDone) {
  CheapRequest();
  const std::string good = ReadFile(Path("hana.request"));
  Json json = Json::parse(good);
  std::string body = json["body"], signature = json["signature"];
  const auto altered = [&](const char* part, std::size_t at) {
    Json changed = json;
    std::string text = changed[part];
    text[at] = text[at] == 'A' ? 'B' : 'A';
    changed[part] = text;
    return changed.dump(1) + "\n";
  };
  const std::vector<std::string> bad = {
      altered("body", 0),
      altered("body", 60),
      altered("body", 120),
      altered("body", 200),
      altered("signature", 10),
      altered("signature", 70),
      good.substr(0, good.size() / 2),
      absl::StrReplaceAll(good, {{"request\": 1", "request\": 2"}}),
      "",
      "hello\n",
      std::string(70'000, ' ') + good,
      ReadFile(Path("importer.key"))};
  for (const std::string& text : bad) {
    Write("hana.request", text);
    const Ran ran = Add({"--json"});
    ExpectJsonError(ran, 6, "bad_input");
    EXPECT_NE(ran.json()["error"]["hint"], "") << ran;
    EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("hana.request"));
  }
  std::filesystem::remove(Path("hana.request"));
  ExpectJsonError(Add({"--json"}), 6, "bad_input");
  std::filesystem::create_directory(Path("hana.request"));
  ExpectJsonError(Add({"--json"}), 6, "bad_input");
  std::filesystem::remove(Path("hana.request"));
  ExpectNobodyAdded();
  EXPECT_EQ(CountActs("member.add", "failed"), static_cast<std::int64_t>(bad.size()) + 2);
  Write("hana.request", good);
  EXPECT_EQ(Add().exit, 0);
}

TEST_F(MemberRequestTest, AFingerprintThatDiffersAddsNobody) {
  const std::string fingerprint = CheapRequest();
  std::string other = fingerprint;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& wrong :
       {other, std::string(), fingerprint.substr(0, 29), fingerprint + "0", std::string("12345")}) {
    ExpectJsonError(Add({"--json", "--fingerprint", wrong}), 6, "bad_input");
  }
  ExpectError(Add({"--fingerprint", other}), 6);
  ExpectNobodyAdded();
  const Ran added = Add({"--fingerprint", absl::StrReplaceAll(fingerprint, {{" ", ""}})});
  EXPECT_EQ(added.exit, 0) << added;
  EXPECT_THAT(Names(), Contains("hana"));
}

TEST_F(MemberRequestTest, OnATerminalTheAdminIsAskedAndAnythingButYesAddsNobody) {
  const std::string fingerprint = CheapRequest();
  const auto environment = EnvironmentFor(Member("owner"));
  for (const char* answer :
       {"no", "", "y", "yes no", "yes it is quite the same one", "yes                      not"}) {
    Terminal terminal(AddWords(), environment);
    ASSERT_TRUE(terminal.Expect(fingerprint)) << terminal.screen();
    ASSERT_TRUE(terminal.Expect("yes or no: "));
    terminal.Type(answer);
    EXPECT_EQ(terminal.Wait(), 6) << terminal.screen();
  }
  {
    Terminal terminal(AddWords(), environment);
    ASSERT_TRUE(terminal.Expect("yes or no: "));
    terminal.Press("\x03");
    EXPECT_EQ(terminal.Wait(), 128 + SIGINT);
  }
  {
    Terminal terminal(AddWords(), environment);
    ASSERT_TRUE(terminal.Expect("yes or no: "));
    terminal.Press("\x04");  // the end of input
    EXPECT_EQ(terminal.Wait(), 6);
  }
  ExpectNobodyAdded();
  Terminal terminal(AddWords(), environment);
  ASSERT_TRUE(terminal.Expect("yes or no: "));
  terminal.Type(" Yes ");
  EXPECT_EQ(terminal.Wait(), 0) << terminal.screen();
  EXPECT_THAT(Names(), Contains("hana"));
}

TEST_F(MemberRequestTest, OnATerminalNobodyIsAskedWithJsonQuietOrTheDigits) {
  for (const Words& more : {Words{"--json"}, Words{"--quiet"}, Words{"--fingerprint", ""}}) {
    const std::string fingerprint = CheapRequest();
    Words words = AddWords(more);
    words[2] = "hana" + more[0].substr(2);
    if (more.size() == 2) words.back() = fingerprint;
    Terminal terminal(words, EnvironmentFor(Member("owner")));
    EXPECT_EQ(terminal.Wait(), 0) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr(fingerprint));
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("yes or no")));
  }
}

TEST_F(MemberRequestTest, ARequestIsUsedOnce) {
  CheapRequest();
  ASSERT_EQ(Add().exit, 0);
  const std::string unlock = ReadFile(VaultPath("unlock.json"));
  Words again = AddWords({"--json"});
  again[2] = "hana2";
  ExpectJsonError(As("owner", again), 6, "bad_input");
  ExpectJsonError(Add({"--json"}), 2, "usage");  // the name is taken
  ASSERT_EQ(As("hana", {"list"}).exit, 0);
  ExpectJsonError(As("owner", again), 6, "bad_input");
  EXPECT_THAT(Names(), Not(Contains("hana2")));
  EXPECT_EQ(CountEntries(), 10u);
}

TEST_F(MemberRequestTest, RequestsAreForPeopleAndStandAlone) {
  const std::string fingerprint = CheapRequest();
  const std::string request = Path("hana.request"), first = Write("first", "first words for hana");
  const std::vector<Words> wrong = {
      {"--role", "importer", "--request", request},
      {"--role", "retention", "--request", request, "--key-file-out", Path("k")},
      {"--role", "agent", "--request", request, "--key-file-out", Path("k")},
      {"--role", "agent", "--request", request, "--new-passphrase-file", first},
      {"--role", "agent", "--new-passphrase-file", first, "--fingerprint", fingerprint},
      {"--role", "agent", "--fingerprint", fingerprint}};
  for (Words words : wrong) {
    words.insert(words.begin(), {"member", "add", "hana"});
    words.push_back("--json");
    ExpectJsonError(As("owner", words), 2, "usage");
  }
  EXPECT_FALSE(std::filesystem::exists(Path("k")));
  ExpectNobodyAdded();
}

TEST_F(MemberRequestTest, OnlyThoseWhoManageMembersAdmit) {
  CheapRequest();
  for (const char* member : {"mina", "sora", "importer"})
    ExpectJsonError(Add({"--json"}, member), 3, "permission_denied");
  ExpectNobodyAdded();
  EXPECT_EQ(Add({}, "ada").exit, 0);
  EXPECT_EQ(As("hana", {"list"}).exit, 0);
}

TEST_F(MemberRequestTest, AWrongPassphraseLeavesTheWayOpen) {
  CheapRequest();
  ASSERT_EQ(Add().exit, 0);
  Write("wrong", "a guess that is wrong");
  ExpectJsonError(Run({"list", "--json", "--as", "hana", "--passphrase-file", Path("wrong")}), 4,
                  "not_authenticated");
  const Ran first = As("hana", {"list"});
  EXPECT_EQ(first.exit, 0) << first;
  EXPECT_THAT(first.err, HasSubstr("first unlock"));
}

TEST_F(MemberRequestTest, KilledAtAnyTimeTheFirstUnlockCanBeTriedAgain) {
  CheapRequest();
  ASSERT_EQ(Add().exit, 0);
  CopyVault("joining");
  for (int milliseconds = 0; milliseconds <= 36; milliseconds += 4) {
    std::filesystem::remove_all(Path("state"));
    RestoreVault("joining");
    Process first = StartAs("hana", {"list"});
    absl::SleepFor(absl::Milliseconds(milliseconds));
    first.Signal(SIGKILL);
    first.Wait();
    EXPECT_EQ(As("hana", {"list"}).exit, 0) << milliseconds;
    const Ran again = As("hana", {"list"});
    EXPECT_EQ(again.exit, 0) << milliseconds;
    EXPECT_EQ(again.err, "") << milliseconds;
    EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true) << milliseconds;
  }
}

TEST_F(MemberRequestTest, ADamagedAdmissionIsAnIntegrityFailureAndTheWayStaysOpen) {
  CheapRequest();
  ASSERT_EQ(Add().exit, 0);
  const std::string unlock = ReadFile(VaultPath("unlock.json"));
  std::string damaged = unlock;
  const auto at = damaged.find("\"admission\": \"");
  ASSERT_NE(at, std::string::npos);
  damaged[at + 40] = damaged[at + 40] == 'A' ? 'B' : 'A';
  Write("vault/unlock.json", damaged, 0660);
  ExpectJsonError(As("hana", {"list", "--json"}), 7, "integrity");
  Write("vault/unlock.json", unlock, 0660);
  EXPECT_EQ(As("hana", {"list"}).exit, 0);
}

// A whole other vault in the folder before the first unlock: keys cannot tell, the digits do.
TEST_F(MemberRequestTest, AnotherVaultInItsPlaceShowsOtherDigits) {
  CheapRequest();
  const std::string read_out = Add({"--json"}).json()["vault_fingerprint"];
  Write("policy.toml",
        CheapPolicyText(crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key())));
  Must("owner",
       {"init", "--vault", Path("hostile"), "--owner", "owner", "--policy", Path("policy.toml")});
  Must("owner", {"member", "add", "hana", "--vault", Path("hostile"), "--role", "agent",
                 "--request", Path("hana.request")});
  std::filesystem::rename(VaultPath(), Path("true"));
  std::filesystem::rename(Path("hostile"), VaultPath());
  const Ran deceived = As("hana", {"list"});
  EXPECT_EQ(deceived.exit, 0) << deceived;
  EXPECT_THAT(deceived.err, HasSubstr("first unlock"));
  EXPECT_THAT(deceived.err, Not(HasSubstr(read_out)));
  // The true one still shows them.
  std::filesystem::remove_all(VaultPath());
  std::filesystem::rename(Path("true"), VaultPath());
  EXPECT_THAT(As("hana", {"list"}).err, HasSubstr(read_out));
}

}  // namespace
}  // namespace sealbook::testing
