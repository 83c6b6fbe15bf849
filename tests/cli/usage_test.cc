// Help, what is no command, and the shape of errors.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Words& AllCommands() {
  static const Words commands = {
      "init",           "member add",     "member list",      "member passwd",
      "member request", "member unlock",  "book add",         "book list",
      "book members",   "book assign",    "import",           "lookup",
      "list",           "show",           "reveal",           "set",
      "audit log",      "audit verify",   "audit checkpoint", "policy show",
      "policy check",   "policy apply",   "doctor",           "version",
      "member disable", "member role",    "book unassign",    "key rotate",
      "recover",        "consent list",   "chat import",      "chat show",
      "chat search",    "retention plan", "retention run",    "retention status",
      "archive list",   "archive verify", "archive read",     "archive restore",
      "subject erase",  "subject hold",   "subject release",  "subject label",
      "receipt verify", "receipt key",    "receipt list",     "receipt show"};
  return commands;
}
Words Split(const std::string& command) {
  Words words;
  std::istringstream in(command);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

class UsageTest : public CommandTest {};

TEST_F(UsageTest, HelpListsEveryCommand) {
  for (const Words& words : {Words{"help"}, Words{"--help"}, Words{"-h"}}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_EQ(ran.err, "");
    for (const std::string& command : AllCommands())
      EXPECT_THAT(ran.out, HasSubstr("\n  " + command + " ")) << command;
  }
}

TEST_F(UsageTest, EveryCommandExplainsItselfAndItsOptionsHoweverItIsAsked) {
  const std::map<std::string, Words> options = {
      {"init",
       {"--owner", "--region", "--policy", "--archive-recipient", "--archive-identity-out",
        "--archive-destination"}},
      {"member add",
       {"--role", "--book", "--new-passphrase-file", "--key-file-out", "--request",
        "--fingerprint"}},
      {"member passwd", {"--new-passphrase-file"}},
      {"member request", {"-o", "--new-passphrase-file"}},
      {"book members", {"--add", "--remove", "--no-drain"}},
      {"retention run", {"--limit", "--metrics", "--accept-clock"}},
      {"archive verify", {"--remote"}},
      {"archive read", {"--identity", "--uid", "--file", "--keys", "--authority"}},
      {"archive restore", {"--identity", "--uid"}},
      {"subject erase", {"--reason", "-o"}},
      {"subject hold", {"--reason"}},
      {"book unassign", {"--from"}},
      {"member disable", {"--no-drain"}},
      {"member role", {"--no-drain"}},
      {"key rotate", {"--book", "--all", "--database", "--drain", "--no-drain"}},
      {"recover", {"--recovery-code-file", "--new-passphrase-file", "--new-code", "--no-drain"}},
      {"book assign", {"--from"}},
      {"import",
       {"--book", "--format", "--encoding", "--delimiter", "--map", "--region", "--on-duplicate",
        "--rejects", "--dry-run", "--strict"}},
      {"lookup", {"--phone", "--email", "--name", "--last4"}},
      {"chat import",
       {"--book", "--format", "--me", "--without-me", "--contact", "--timezone", "--dry-run",
        "--rejects", "--watch", "--once"}},
      {"chat show", {"--limit"}},
      {"chat search", {"--uid", "--limit"}},
      {"list", {"--book", "--limit"}},
      {"reveal", {"--reason"}},
      {"set", {"--from-file"}},
      {"audit log", {"--member", "--uid", "--since"}},
      {"audit verify", {"--checkpoint"}},
      {"audit checkpoint", {"-o"}},
      {"doctor", {"--repair"}}};
  for (const std::string& command : AllCommands()) {
    const Words words = Split(command);
    Words before = {"--json", "help"}, after = words, first = {"help"};
    before.insert(before.end(), words.begin(), words.end());
    first.insert(first.end(), words.begin(), words.end());
    after.push_back("--help");
    const Ran asked = Run(first);
    EXPECT_EQ(asked.exit, 0) << asked;
    EXPECT_THAT(asked.out, HasSubstr("Usage: sealbook " + command));
    EXPECT_THAT(asked.out, HasSubstr("--passphrase-file F"));
    EXPECT_EQ(Run(before).out, asked.out);
    EXPECT_EQ(Run(after).out, asked.out);
    if (!options.contains(command)) continue;
    for (const std::string& option : options.at(command))
      EXPECT_THAT(asked.out, HasSubstr("  " + option)) << command;
  }
}

TEST_F(UsageTest, WithoutACommandItIsWrongUsageWithTheHelp) {
  const Ran ran = Run({});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.out, HasSubstr("Usage: sealbook COMMAND"));
  ExpectJsonError(Run({"--json"}), 2, "usage");
}

TEST_F(UsageTest, WhatIsNoCommandOrOptionIsWrongUsage) {
  const std::vector<Words> wrong = {{"frobnicate"},
                                    {"member"},
                                    {"member", "frobnicate"},
                                    {"audit", "--since", "2026-01-01"},
                                    {"version", "--frobnicate"},
                                    {"version", "more"},
                                    {"show"},
                                    {"book", "add"},
                                    {"book", "add", "one", "two"},
                                    {"lookup", "--phone"},
                                    {"init", "--owner", "a", "--owner", "b"},
                                    {"version", "--vault"},
                                    {"version", "--passphrase-file", "a", "--key-file", "b"},
                                    {"help", "frobnicate"}};
  for (Words words : wrong) {
    ExpectError(Run(words), 2);
    words.insert(words.begin(), "--json");
    ExpectJsonError(Run(words), 2, "usage");
  }
}

TEST_F(UsageTest, CommandWordsAreShownWithoutControlCharacters) {
  const Ran ran = Run({"evil\x1b[2J\u202e"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ran.err, Not(HasSubstr("\u202e")));
}

TEST_F(UsageTest, VersionNeedsNoVault) {
  const Ran text = Run({"version"});
  EXPECT_EQ(text.exit, 0);
  EXPECT_EQ(text.out.rfind("sealbook ", 0), 0u);
  EXPECT_EQ(Run({"--version"}).out, text.out);
  const Ran json = Run({"version", "--json"});
  EXPECT_EQ("sealbook " + json.json()["version"].get<std::string>() + "\n", text.out);
}

TEST_F(UsageTest, OutputThatCannotBeWrittenIsNoSuccess) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const Ran ran = Run({"version"}, {.stdout_fd = full});
  close(full);
  EXPECT_EQ(ran.exit, 1) << ran;
  EXPECT_THAT(ran.err, HasSubstr("standard output"));
}

TEST_F(UsageTest, TheVaultIsFoundByOptionThenEnvironmentThenDataFolder) {
  const auto looked_in = [&](const Words& words, std::map<std::string, std::string> environment) {
    environment["SEALBOOK_MEMBER"] = "owner";
    const Ran ran = Run(words, {.environment = std::move(environment)});
    EXPECT_EQ(ran.exit, 5) << ran;
    return ran.err;
  };
  EXPECT_THAT(looked_in({"list", "--vault", Path("one")}, {}), HasSubstr(Path("one")));
  EXPECT_THAT(looked_in({"--vault=" + Path("one"), "list"}, {}), HasSubstr(Path("one")));
  EXPECT_THAT(looked_in({"list"}, {}), HasSubstr(Path("vault")));
  EXPECT_THAT(looked_in({"list"}, {{"SEALBOOK_VAULT", ""}}), HasSubstr(Path("data/sealbook")));
  EXPECT_THAT(looked_in({"list"}, {{"SEALBOOK_VAULT", ""}, {"XDG_DATA_HOME", ""}}),
              HasSubstr(Path("home/.local/share/sealbook")));
  ExpectError(
      Run({"list"}, {.environment = {{"SEALBOOK_VAULT", ""}, {"XDG_DATA_HOME", ""}, {"HOME", ""}}}),
      2);
}

class UnlockUsageTest : public VaultTest {};

TEST_F(UnlockUsageTest, TheCommandLineOutweighsTheEnvironment) {
  RunOptions options = Member("importer");
  options.environment["SEALBOOK_MEMBER"] = "";
  EXPECT_EQ(Run({"member", "list"}, options).exit, 0);
  // A passphrase on the command line in place of the environment's key file, and the other way
  // round.
  EXPECT_EQ(Run({"member", "list", "--as", "owner", "--passphrase-file", Path("owner.passphrase")},
                options)
                .exit,
            0);
  options = Member("owner");
  options.environment["SEALBOOK_MEMBER"] = "";
  EXPECT_EQ(Run({"member", "list", "--key-file", Path("importer.key")}, options).exit, 0);
}

TEST_F(UnlockUsageTest, PassphraseComesFromStandardInputWithOrWithoutItsNewline) {
  for (const char* end : {"", "\n", "\r\n"}) {
    RunOptions options{.environment = {{"SEALBOOK_MEMBER", "owner"}},
                       .stdin_text = PassphraseOf("owner") + end};
    EXPECT_EQ(Run({"member", "list", "--passphrase-file", "-"}, options).exit, 0);
  }
}

TEST_F(UnlockUsageTest, SecretsThatOthersMayReadAreRefused) {
  for (const mode_t mode : {0640u, 0604u, 0660u}) {
    Write("owner.passphrase", PassphraseOf("owner"), mode);
    ExpectError(As("owner", {"member", "list"}), 2);
    Write("importer.key", ReadFile(Path("importer.key")), mode);
    const Ran ran = As("importer", {"member", "list"});
    ExpectError(ran, 2);
    EXPECT_THAT(ran.err, HasSubstr("chmod 600"));
  }
}

TEST_F(UnlockUsageTest, MissingAndOversizedSecretFilesAreWrongUsage) {
  ExpectJsonError(Run({"list", "--json", "--as", "owner", "--passphrase-file", Path("none")}), 2,
                  "usage");
  ExpectJsonError(Run({"list", "--json", "--as", "owner", "--passphrase-file", root()}), 2,
                  "usage");
  ExpectJsonError(Run({"list", "--json", "--as", "owner", "--passphrase-file",
                       Write("big", std::string(5000, 'x'))}),
                  2, "usage");
}

TEST_F(UnlockUsageTest, WithoutATerminalThePassphraseCannotBeAsked) {
  ExpectJsonError(Run({"list", "--json", "--as", "owner"}), 2, "usage");
}

TEST_F(UnlockUsageTest, WhoIsNoMemberIsNotAuthenticated) {
  ExpectJsonError(
      Run({"list", "--json", "--as", "stranger", "--passphrase-file", Path("owner.passphrase")}), 4,
      "not_authenticated");
  // The OS user's name is no member's either.
  ExpectJsonError(Run({"list", "--json", "--passphrase-file", Path("owner.passphrase")}), 4,
                  "not_authenticated");
  ExpectJsonError(
      Run({"list", "--json", "--as", "a\x1b", "--passphrase-file", Path("owner.passphrase")}), 4,
      "not_authenticated");
}

TEST_F(UnlockUsageTest, KeyFilesThatDoNotFitAreNotAuthenticated) {
  ExpectJsonError(As("importer", {"list", "--json", "--as", "owner"}), 4, "not_authenticated");
  ExpectJsonError(Run({"list", "--json", "--key-file", Write("no.key", "not a key\n")}), 4,
                  "not_authenticated");
  ExpectJsonError(Run({"list", "--json", "--key-file", Write("huge.key", std::string(10000, 'k'))}),
                  4, "not_authenticated");
  // A service account without its key file, and a person's name on a key.
  ExpectJsonError(
      Run({"list", "--json", "--as", "importer", "--passphrase-file", Path("owner.passphrase")}), 4,
      "not_authenticated");
  std::string key = ReadFile(Path("importer.key"));
  key.replace(key.find("importer"), 8, "owner");
  ExpectJsonError(Run({"list", "--json", "--key-file", Write("owner.key", key)}), 4,
                  "not_authenticated");
}

TEST_F(UnlockUsageTest, KeyFileOfAnotherVaultIsNotAuthenticatedAndLocksNobodyOut) {
  std::string key = ReadFile(Path("importer.key"));
  const auto at = key.find(' ') + 1;
  key[at] = key[at] == '0' ? '1' : '0';
  Write("other.key", key);
  for (int i = 0; i < 6; ++i) {
    const Ran ran = Run({"list", "--json", "--key-file", Path("other.key")});
    ExpectJsonError(ran, 4, "not_authenticated");
    EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("another vault"));
  }
  EXPECT_EQ(As("importer", {"book", "list"}).exit, 0);
}

}  // namespace
}  // namespace sealbook::testing
