// Taking away while others work: members who go, keys that change, readers and writers meanwhile.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "absl/strings/ascii.h"
#include "tests/support/command_vault.h"
#include "vault/keyring/epochs.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kPage = 500;      // contacts that a list reads in one view of the vault
constexpr std::size_t kBatch = 16'000;  // rows of an import

// People with a phone of their own each, numbered from `first`.
std::string People(std::size_t first, std::size_t count, bool header) {
  std::string list = header ? "name,phone,note\n" : "";
  for (std::size_t i = first; i < first + count; ++i)
    absl::StrAppend(&list, "Person ", i, ",010-", 2000 + i / 9000, "-", 1000 + i % 9000, ",note ",
                    i, "\n");
  return list;
}

// Looks until it is so. An event of another process that nothing tells of.
bool Becomes(const std::function<bool()>& so) {
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  while (!so()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class TakingAwayTest : public VaultTest {
 public:
  // A list whose reader has taken the first lines and waits: the command stands in the middle of
  // its first page.
  class Listing {
   public:
    Listing(TakingAwayTest& test, const std::string& member) {
      int ends[2];
      EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
      fcntl(ends[1], F_SETPIPE_SZ, 4096);
      RunOptions options;
      options.stdout_fd = ends[1];
      process_.emplace(test.StartAs(member, {"list", "--json"}, options));
      close(ends[1]);
      in_ = ends[0];
      char first = 0;
      EXPECT_EQ(read(in_, &first, 1), 1);
      text_ = first;
    }
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing() { close(in_); }
    // Reads the rest.
    Ran Finish() {
      char buffer[4096];
      for (ssize_t got = 0; (got = read(in_, buffer, sizeof buffer)) > 0;)
        text_.append(buffer, static_cast<std::size_t>(got));
      Ran ran = process_->Wait();
      ran.out = text_;
      return ran;
    }

   private:
    std::optional<Process> process_;
    std::string text_;
    int in_ = -1;
  };

  // An import that has stored its first batch and waits for more of its list.
  class Importing {
   public:
    explicit Importing(TakingAwayTest& test) {
      const std::string list = test.Path("list.csv");
      EXPECT_EQ(mkfifo(list.c_str(), 0600), 0);
      list_ = open(list.c_str(), O_RDWR | O_CLOEXEC);  // so that it finds a writer
      process_.emplace(test.StartAs("importer", {"import", list, "--book", "seoul", "--json"}));
      Feed(People(0, kFirst, true));
      auto owner = test.OpenAs("owner");
      EXPECT_TRUE(owner != nullptr && Becomes([&] {
                    const auto snapshot = owner->Snapshot();
                    return snapshot.ok() && *owner->store().CountContacts() > 0;
                  }));
    }
    Importing(const Importing&) = delete;
    Importing& operator=(const Importing&) = delete;
    ~Importing() {
      if (list_ >= 0) close(list_);
    }
    // Gives it the rest, which fits into the pipe: whether it still reads or not.
    Ran Finish() {
      Feed(People(kFirst, kRest, false));
      // Nobody else has the pipe open for writing: this is the end of the list.
      close(std::exchange(list_, -1));
      return process_->Wait();
    }
    static constexpr std::size_t kFirst = kBatch + 1000, kRest = 1000;

   private:
    void Feed(const std::string& text) const {
      for (std::size_t at = 0; at < text.size();) {
        const ssize_t put = write(list_, text.data() + at, text.size() - at);
        ASSERT_GT(put, 0);
        at += static_cast<std::size_t>(put);
      }
    }
    std::optional<Process> process_;
    int list_ = -1;
  };

  std::unique_ptr<keyring::Keyring> OpenAs(const std::string& name) const {
    auto keyring =
        keyring::Keyring::Unlock(keyring::VaultPaths(VaultPath()),
                                 {.name = name,
                                  .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                             .bytes = Secret(PassphraseOf(name))}});
    EXPECT_TRUE(keyring.ok()) << keyring.status();
    return keyring.ok() ? *std::move(keyring) : nullptr;
  }
  void ImportPeople(std::size_t count, const std::string& book = "seoul") {
    Must("importer", {"import", Write("people.csv", People(0, count, true)), "--book", book});
  }
  // What a member sees, by token; each once.
  std::map<std::string, std::string> SeenBy(const Ran& ran) const {
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::map<std::string, std::string> seen;
    for (const Json& line : ran.lines()) {
      if (!line.contains("uid")) {
        ADD_FAILURE() << line;
        continue;
      }
      EXPECT_TRUE(seen.emplace(line["uid"], line["fields"].dump()).second) << "twice: " << line;
    }
    return seen;
  }
  std::map<std::string, std::string> SeenBy(const std::string& member) {
    return SeenBy(As(member, {"list", "--json"}));
  }
  void ExpectHealthyAndDrained() {
    const Json drained = Ask("owner", {"key", "rotate", "--drain"});
    EXPECT_EQ(drained["undrained"], 0);
    const Json doctor = Ask("owner", {"doctor"});
    EXPECT_EQ(doctor["ok"], true) << doctor;
  }
  void ExpectShutOut(const std::string& member) {
    ExpectJsonError(As(member, {"list", "--json"}), 4, "not_authenticated");
  }
  std::string NewRecoveryCode() {
    const std::string code = Ask("owner", {"recover", "--new-code"})["recovery_code"];
    Write("code", code + "\n");
    return code;
  }
};

// Two at once.

TEST_F(TakingAwayTest, TwoAdminsDisableTwoMembersOfOneBook) {
  ImportPeople(1'500);
  const auto before = SeenBy("owner");
  Process one = StartAs("owner", {"member", "disable", "mina", "--json"}),
          two = StartAs("ada", {"member", "disable", "jun", "--json"});
  for (Process* process : {&one, &two}) {
    const Ran ran = process->Wait();
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_EQ(ran.json()["status"], "disabled");
  }
  ExpectShutOut("mina");
  ExpectShutOut("jun");
  ExpectHealthyAndDrained();
  EXPECT_EQ(SeenBy("owner"), before);
  EXPECT_EQ(SeenBy("sora").size(), before.size());
}

TEST_F(TakingAwayTest, OneRotatesWhileAnotherAssigns) {
  ImportPeople(1'500);
  const auto before = SeenBy("owner");
  std::string tokens;
  for (const auto& [token, fields] : before) absl::StrAppend(&tokens, token, "\n");
  Process rotating = StartAs("owner", {"key", "rotate", "--all", "--json"}),
          assigning = StartAs(
              "ada", {"book", "assign", "shenzhen", "--from", Write("tokens", tokens), "--json"});
  const Ran rotated = rotating.Wait(), assigned = assigning.Wait();
  EXPECT_EQ(rotated.exit, 0) << rotated;
  EXPECT_EQ(assigned.exit, 0) << assigned;
  EXPECT_EQ(assigned.json()["assigned"], before.size());
  ExpectHealthyAndDrained();
  EXPECT_EQ(SeenBy("owner"), before);
  EXPECT_EQ(SeenBy("wei"), SeenBy("mina"));
  EXPECT_EQ(SeenBy("wei").size(), before.size());
}

TEST_F(TakingAwayTest, TwoDrainAtOnce) {
  ImportPeople(1'500);
  const auto before = SeenBy("owner");
  EXPECT_GT(Ask("owner", {"key", "rotate", "--all", "--no-drain"})["undrained"], 0);
  Process one = StartAs("owner", {"key", "rotate", "--drain", "--json"}),
          two = StartAs("ada", {"key", "rotate", "--drain", "--json"});
  for (Process* process : {&one, &two}) {
    const Ran ran = process->Wait();
    EXPECT_EQ(ran.exit, 0) << ran;
  }
  ExpectHealthyAndDrained();
  EXPECT_EQ(SeenBy("owner"), before);
  EXPECT_EQ(SeenBy("mina").size(), before.size());
}

// An importer in the middle.

TEST_F(TakingAwayTest, ImportGoesOnUnderTheNewKeysOfItsBook) {
  Importing importing(*this);
  EXPECT_EQ(Ask("ada", {"key", "rotate", "--book", "seoul"})["epoch"], 2);
  const Ran imported = importing.Finish();
  EXPECT_EQ(imported.exit, 0) << imported;
  EXPECT_EQ(imported.json()["imported"], Importing::kFirst + Importing::kRest);
  EXPECT_EQ(SeenBy("mina").size(), Importing::kFirst + Importing::kRest);
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, ImportGoesOnUnderTheNewKeyOfTheIndex) {
  Importing importing(*this);
  Must("ada", {"key", "rotate", "--all"});
  const Ran imported = importing.Finish();
  EXPECT_EQ(imported.exit, 0) << imported;
  ExpectHealthyAndDrained();
  // Under whatever key a number was put into the index, it is found.
  const Json again =
      Ask("importer",
          {"import", Write("again.csv", People(kBatch - 500, 3'000, true)), "--book", "seoul"});
  EXPECT_EQ(again["imported"], 500);
  EXPECT_EQ(again["duplicates"], 2'500);
}

TEST_F(TakingAwayTest, ImporterWhoIsDisabledStoresNothingMore) {
  Importing importing(*this);
  EXPECT_EQ(Ask("owner", {"member", "disable", "importer", "--quiet"})["undrained"], 0);
  ExpectJsonError(importing.Finish(), 4, "not_authenticated");
  const auto stored = SeenBy("mina");
  EXPECT_EQ(stored.size(), kBatch);  // the first batch, whole
  ExpectHealthyAndDrained();
  EXPECT_EQ(As("importer", {"import", Path("people.csv")}).exit, 4);
  // What is missing can be imported by another, and nobody is there twice.
  Must("owner", {"import", Write("all.csv", People(0, kBatch + 10, true)), "--book", "seoul"});
  EXPECT_EQ(SeenBy("mina").size(), kBatch + 10);
}

// A reader in the middle.

TEST_F(TakingAwayTest, AgentWhoIsDisabledReadsNoFurtherPage) {
  ImportPeople(3 * kPage);
  Listing listing(*this, "mina");
  Must("owner", {"member", "disable", "mina", "--no-drain"});
  const Ran ran = listing.Finish();
  EXPECT_EQ(ran.exit, 4) << ran.err;
  std::vector<Json> lines = ran.lines();
  ASSERT_EQ(lines.size(), kPage + 1);
  EXPECT_EQ(lines.back()["error"]["code"], "not_authenticated");
  ExpectShutOut("mina");
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, AgentWhoIsTakenOutOfTheBookReadsNoFurtherPageOfIt) {
  ImportPeople(3 * kPage);
  Listing listing(*this, "jun");
  Must("owner", {"book", "members", "seoul", "--remove", "jun", "--no-drain"});
  const Ran ran = listing.Finish();
  EXPECT_EQ(SeenBy(ran).size(), kPage);  // and nothing of the other book, which is empty
  EXPECT_TRUE(SeenBy("jun").empty());
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, ReadersSeeEverybodyOnceWhileAllKeysAreChanged) {
  ImportPeople(3 * kPage);
  const auto before = SeenBy("owner"), of_agents = SeenBy("mina");
  auto watching = OpenAs("ada");
  Listing by_owner(*this, "owner"), by_agent(*this, "mina");
  Process rotating = StartAs("owner", {"key", "rotate", "--all", "--json"});
  const auto drained = [&] {
    return watching->BeginWrite().ok() &&
           watching->roster().FindCompartment(kRootBook, ClassId::kIdentity)->epoch == 2 &&
           keyring::ListUndrained(*watching)->empty();
  };
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  // Readers who begin meanwhile, until everything stands under the new keys…
  do {
    EXPECT_EQ(SeenBy("owner"), before);
    EXPECT_EQ(SeenBy("jun"), of_agents);
  } while (!drained() && absl::Now() < deadline);
  // … and two who began before and go on afterwards.
  EXPECT_EQ(SeenBy(by_owner.Finish()), before);
  EXPECT_EQ(SeenBy(by_agent.Finish()), of_agents);
  const Ran rotated = rotating.Wait();
  EXPECT_EQ(rotated.exit, 0) << rotated;
  EXPECT_EQ(rotated.json()["undrained"], 0);
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, ReadersAndAnImporterGoOnWhenTheDatabaseGetsAnotherKey) {
  Importing importing(*this);
  const auto before = SeenBy("owner"), of_agents = SeenBy("mina");
  Listing by_owner(*this, "owner"), by_agent(*this, "mina");
  const std::string unlock = ReadFile(VaultPath("unlock.json"));
  Process rotating = StartAs("ada", {"key", "rotate", "--database", "--json"});
  EXPECT_TRUE(Becomes([&] {
    const std::string now = ReadFile(VaultPath("unlock.json"));
    return now != unlock && now.find("database_key_next") == std::string::npos;
  }));
  EXPECT_EQ(SeenBy(by_owner.Finish()), before);
  EXPECT_EQ(SeenBy(by_agent.Finish()), of_agents);
  const Ran imported = importing.Finish(), rotated = rotating.Wait();
  EXPECT_EQ(rotated.exit, 0) << rotated;
  EXPECT_EQ(imported.exit, 0) << imported;
  EXPECT_EQ(imported.json()["imported"], Importing::kFirst + Importing::kRest);
  EXPECT_EQ(SeenBy("mina").size(), Importing::kFirst + Importing::kRest);
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, CommandsOfAllKindsRunWhileTheDatabaseGetsOtherKeys) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  for (int round = 0; round < 3; ++round) {
    const std::string list = Write(absl::StrCat("more ", round, ".csv"),
                                   People(static_cast<std::size_t>(round) * 20, 20, true));
    std::vector<Process> processes;
    processes.push_back(StartAs("owner", {"key", "rotate", "--database"}));
    processes.push_back(StartAs("mina", {"lookup", token}));
    processes.push_back(StartAs("sora", {"set", token, absl::StrCat("note=round ", round)}));
    processes.push_back(StartAs("importer", {"import", list, "--book", "seoul"}));
    processes.push_back(StartAs("ada", {"doctor"}));
    processes.push_back(StartAs("audra", {"audit", "verify"}));
    processes.push_back(StartAs("ada", {"key", "rotate", "--book", "seoul"}));
    processes.push_back(StartAs("wei", {"list"}));
    for (Process& process : processes) {
      const Ran ran = process.Wait();
      EXPECT_EQ(ran.exit, 0) << ran;
    }
  }
  EXPECT_EQ(TokensOf("mina").size(), 6u + 60u);
  ExpectHealthyAndDrained();
}

// Files put back.

TEST_F(TakingAwayTest, AnOldUnlockFileLetsNobodyBackIn) {
  ImportCustomers();
  const std::string unlock = VaultPath("unlock.json"), old = ReadFile(unlock);
  Must("owner", {"member", "disable", "mina"});
  const std::string disabled = ReadFile(unlock);
  EXPECT_NE(disabled, old);
  WriteFile(unlock, old, 0660);
  Ran ran = As("mina", {"list", "--json"});
  ExpectJsonError(ran, 4, "not_authenticated");
  ExpectNothingPersonal(ran);
  EXPECT_EQ(TokensOf("jun").size(), 9u);
  WriteFile(unlock, disabled, 0660);
  // With another key of the database the old file opens nothing, for nobody.
  Must("owner", {"key", "rotate", "--database"});
  const std::string rotated = ReadFile(unlock);
  WriteFile(unlock, old, 0660);
  for (const char* member : {"mina", "jun", "owner"}) {
    ran = As(member, {"list", "--json"});
    ExpectJsonError(ran, 7, "integrity");
    ExpectNothingPersonal(ran);
  }
  WriteFile(unlock, rotated, 0660);
  EXPECT_EQ(TokensOf("jun").size(), 9u);
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, AfterRecoveryNeitherTheOldPassphraseNorTheOldCodeNorTheOldFileOpens) {
  ImportCustomers();
  NewRecoveryCode();
  const std::string unlock = VaultPath("unlock.json"), old = ReadFile(unlock);
  Write("new", "another passphrase of the owner");
  const Words recover = {"recover",    "--recovery-code-file",
                         Path("code"), "--new-passphrase-file",
                         Path("new"),  "--json"};
  const Ran recovered = Run(recover);
  EXPECT_EQ(recovered.exit, 0) << recovered;
  EXPECT_EQ(recovered.json()["owner"], "owner");
  EXPECT_EQ(recovered.json()["undrained"], 0);
  EXPECT_EQ(As("owner", {"list"}).exit, 4);
  EXPECT_EQ(Run(recover).exit, 4);
  const std::string now = ReadFile(unlock);
  WriteFile(unlock, old, 0660);
  EXPECT_EQ(As("owner", {"list"}).exit, 4);
  EXPECT_EQ(Run(recover).exit, 4);
  WriteFile(unlock, now, 0660);
  Write("owner.passphrase", "another passphrase of the owner");
  EXPECT_EQ(TokensOf("owner").size(), 9u);
  EXPECT_EQ(TokensOf("jun").size(), 9u);
  // The code that was printed is the next one.
  Write("code", recovered.json()["recovery_code"].get<std::string>());
  Write("new", "a third passphrase of the owner");
  EXPECT_EQ(Run(recover).exit, 0);
  Write("owner.passphrase", "a third passphrase of the owner");
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, AFolderThatGetsReadOnlyInTheMiddleIsToldAndWhatWasBegunIsFinishedLater) {
  if (geteuid() != 0) GTEST_SKIP() << "becomes another user, which root alone can";
  ImportPeople(50);
  NewRecoveryCode();
  Write("new", "another passphrase of the owner");
  // Everything belongs to a user who is not root, and whom modes stop.
  const std::string program = Path("sealbook");
  std::filesystem::copy_file(SEALBOOK_COMMAND, program);
  for (const std::string& path : {program, root()}) chmod(path.c_str(), 0755);
  std::filesystem::create_directory(Path("their-state"));
  for (const char* name :
       {"their-state", "owner.passphrase", "code", "new", "vault", "vault/vault.db",
        "vault/unlock.json", "vault/lockout.json", "vault/escrow.key.age"})
    ASSERT_EQ(chown(Path(name).c_str(), kNobody, kNobody), 0) << name;
  RunOptions options = Member("owner");
  options.environment["XDG_STATE_HOME"] = Path("their-state");
  options.user = kNobody;
  options.program = program;
  const auto as_owner = [&](Words words) {
    words.insert(words.end(), {"--json", "--quiet"});
    return Run(words, options);
  };
  // Somebody keeps the vault open, so that the database's own files are there.
  auto open = OpenAs("ada");
  ASSERT_TRUE(open->BeginWrite().ok());
  for (const char* name : {"vault/vault.db-wal", "vault/vault.db-shm"})
    ASSERT_EQ(chown(Path(name).c_str(), kNobody, kNobody), 0) << name;
  const std::string unlock = ReadFile(VaultPath("unlock.json"));
  const std::uint64_t version = open->roster().version;
  chmod(VaultPath().c_str(), 0550);
  const auto expect_told = [&](const Ran& ran) {
    ExpectJsonError(ran, 1, "internal");
    EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr(VaultPath()));
    EXPECT_EQ(ReadFile(VaultPath("unlock.json")), unlock);
  };
  expect_told(as_owner({"key", "rotate", "--database"}));
  expect_told(Run({"recover", "--recovery-code-file", Path("code"), "--new-passphrase-file",
                   Path("new"), "--json"},
                  options));
  ASSERT_TRUE(open->Refresh().ok());
  EXPECT_EQ(open->roster().version, version);  // nothing of these was done
  // The roster needs no new file: mina is out, and her entry goes later.
  expect_told(as_owner({"member", "disable", "mina"}));
  ExpectShutOut("mina");
  chmod(VaultPath().c_str(), 02770);
  open.reset();
  EXPECT_EQ(as_owner({"member", "disable", "mina"}).exit, 0);
  EXPECT_NE(ReadFile(VaultPath("unlock.json")), unlock);
  // Nothing can be written at all.
  chmod(VaultPath("vault.db").c_str(), 0440);
  for (const Words& words :
       {Words{"key", "rotate", "--drain"}, Words{"key", "rotate", "--all"},
        Words{"key", "rotate", "--database"}, Words{"member", "disable", "wei"}}) {
    const Ran ran = as_owner(words);
    ExpectJsonError(ran, 1, "internal");
    EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("write access"));
  }
  chmod(VaultPath("vault.db").c_str(), 0660);
  EXPECT_EQ(as_owner({"key", "rotate", "--all"}).exit, 0);
  EXPECT_EQ(as_owner({"key", "rotate", "--database"}).exit, 0);
  EXPECT_EQ(SeenBy("jun").size(), 50u);
  EXPECT_EQ(SeenBy("wei").size(), 0u);
  ExpectHealthyAndDrained();
}

// Bad input.

TEST_F(TakingAwayTest, WhatIsNotThereIsToldAndChangesNothing) {
  const std::string nobody = NobodysToken();
  for (const Words& words :
       {Words{"member", "disable", "stranger"}, Words{"member", "role", "stranger", "agent"},
        Words{"member", "role", "mina", "emperor"},
        Words{"book", "members", "busan", "--remove", "mina"},
        Words{"book", "members", "seoul", "--remove", "stranger"},
        Words{"book", "members", "seoul", "--remove", "wei"},
        Words{"book", "unassign", "busan", nobody}, Words{"book", "unassign", "seoul", nobody},
        Words{"key", "rotate", "--book", "busan"}}) {
    Words json = words;
    json.push_back("--json");
    ExpectJsonError(As("owner", json), 5, "not_found");
    ExpectError(As("owner", words), 5);
  }
  ExpectJsonError(As("owner", {"book", "unassign", "seoul", "UID_12", "--json"}), 6, "bad_input");
  EXPECT_EQ(CountActs("member.disable"), 0);
  EXPECT_EQ(CountActs("member.role"), 0);
  EXPECT_EQ(CountActs("key.rotate"), 0);
  EXPECT_EQ(CountActs("book.unassign"), 0);
}

TEST_F(TakingAwayTest, WhatCannotBeIsWrongUsage) {
  Must("owner", {"member", "disable", "audra"});
  for (const Words& words : {Words{"member", "disable", "owner"},  // the last owner
                             Words{"member", "role", "owner", "admin"},
                             Words{"member", "role", "mina", "importer"},  // a service's role
                             Words{"member", "role", "importer", "agent"},
                             Words{"member", "role", "audra", "agent"},  // disabled
                             Words{"member", "disable"}, Words{"member", "role", "mina"},
                             Words{"book", "unassign", "seoul"}, Words{"key", "rotate"},
                             Words{"key", "rotate", "--all", "--drain"},
                             Words{"key", "rotate", "--book", "seoul", "--database"},
                             Words{"recover", "--new-code", "--new-passphrase-file", Path("x")},
                             Words{"recover", "--new-code", "--recovery-code-file", Path("x")}}) {
    Words json = words;
    json.push_back("--json");
    ExpectJsonError(As("owner", json), 2, "usage");
    ExpectError(As("owner", words), 2);
  }
  // Nobody shuts themselves out, nor the owner.
  ExpectJsonError(As("ada", {"member", "disable", "ada", "--json"}), 2, "usage");
  ExpectJsonError(As("ada", {"member", "role", "ada", "agent", "--json"}), 2, "usage");
  ExpectJsonError(As("ada", {"member", "disable", "owner", "--json"}), 2, "usage");
  EXPECT_EQ(SeenBy("ada").size(), 0u);
}

TEST_F(TakingAwayTest, WhoMayNotIsRefused) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    for (const Words& words :
         {Words{"member", "disable", "wei"}, Words{"member", "role", "wei", "agent"},
          Words{"book", "members", "seoul", "--remove", "jun"}, Words{"key", "rotate", "--all"},
          Words{"key", "rotate", "--book", "seoul"}, Words{"key", "rotate", "--database"},
          Words{"recover", "--new-code"}}) {
      Words json = words;
      json.push_back("--json");
      ExpectJsonError(As(member, json), 3, "permission_denied");
    }
  }
  for (const char* member : {"mina", "sora", "audra"})
    ExpectJsonError(As(member, {"book", "unassign", "seoul", token, "--json"}), 3,
                    "permission_denied");
  // Only the owner makes admins, and gives out a recovery code.
  ExpectJsonError(As("ada", {"member", "role", "mina", "admin", "--json"}), 3, "permission_denied");
  ExpectJsonError(As("ada", {"recover", "--new-code", "--json"}), 3, "permission_denied");
  // What a member holds the keys to, it may move.
  Must("owner", {"key", "rotate", "--all", "--no-drain"});
  const Json drained = Ask("mina", {"key", "rotate", "--drain"});
  EXPECT_GT(drained["rewrapped"], 0);
  EXPECT_GT(drained["undrained"], 0);
  ExpectHealthyAndDrained();
}

TEST_F(TakingAwayTest, WhatIsSoAlreadyIsNoErrorAndIsFinished) {
  ImportCustomers();
  Must("owner", {"member", "disable", "mina", "--no-drain"});
  const Json again = Ask("owner", {"member", "disable", "mina", "--quiet"});
  EXPECT_EQ(again["status"], "disabled");
  EXPECT_GT(again["rewrapped"], 0);
  EXPECT_EQ(again["undrained"], 0);
  Must("owner", {"member", "role", "sora", "agent", "--no-drain"});
  const Json role = Ask("owner", {"member", "role", "sora", "agent"});
  EXPECT_EQ(role["role"], "agent");
  EXPECT_EQ(role["undrained"], 0);
  EXPECT_EQ(Ask("owner", {"book", "unassign", "shenzhen", TokenOf("김서연")}),
            Json::parse(R"({"book":"shenzhen","unassigned":0,"already":1})"));
  // A command right after a taking, of the user who took.
  EXPECT_EQ(Ask("owner", {"book", "unassign", "seoul", TokenOf("김서연")})["unassigned"], 1);
  EXPECT_EQ(Ask("owner", {"member", "list"})["members"].empty(), false);
}

TEST_F(TakingAwayTest, WrongRecoveryCodesAreCountedAndSlowedDown) {
  const std::string code = NewRecoveryCode();
  Write("new", "another passphrase of the owner");
  const auto recover = [&](const std::string& typed) {
    return Run({"recover", "--recovery-code-file", Write("typed", typed), "--new-passphrase-file",
                Path("new"), "--json"});
  };
  std::string mistyped = code;
  mistyped.front() = mistyped.front() == '7' ? '8' : '7';
  const absl::Time start = absl::Now();
  // Mistyped, well formed and of no vault, no code at all.
  const std::string other = std::string(keyring::MakeRecoveryCode().ExposeText());
  for (const std::string& wrong : {mistyped, other, std::string("nothing")}) {
    const Ran ran = recover(wrong);
    ExpectJsonError(ran, 4, "not_authenticated");
    EXPECT_THAT(ran.out, Not(HasSubstr(wrong)));
  }
  EXPECT_GE(absl::Now() - start,
            absl::Milliseconds(1400));  // 0.5 s after the first, 1 s then, less a clock being set
  // It does not lock the owner, who sees it in the log.
  EXPECT_EQ(As("owner", {"book", "list"}).exit, 0);
  EXPECT_EQ(CountActs("unlock.failed", "failed"), 3);
  // A passphrase that is none changes nothing.
  Write("new", "short");
  ExpectJsonError(recover(code), 2, "usage");
  Write("new", "another passphrase of the owner");
  // Small letters and spaces are taken as they are meant.
  std::string typed = absl::AsciiStrToLower(code);
  std::replace(typed.begin(), typed.end(), '-', ' ');
  EXPECT_EQ(recover(typed).exit, 0);
}

TEST_F(TakingAwayTest, AfterFiveWrongRecoveryCodesTheRightOneHasToWaitToo) {
  const std::string code = NewRecoveryCode();
  Write("new", "another passphrase of the owner");
  const std::string other = Write("other", std::string(keyring::MakeRecoveryCode().ExposeText()));
  const auto recover = [&](const std::string& file) {
    return Run(
        {"recover", "--recovery-code-file", file, "--new-passphrase-file", Path("new"), "--json"});
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(recover(other).exit, 4);
  const Ran locked = recover(Path("code"));
  ExpectJsonError(locked, 4, "not_authenticated");
  EXPECT_THAT(locked.json()["error"]["message"].get<std::string>(), HasSubstr("locked out"));
}

TEST_F(TakingAwayTest, WithoutAVaultThereIsNothingToRecover) {
  RunOptions options;
  options.environment["SEALBOOK_VAULT"] = Path("nowhere");
  ExpectJsonError(Run({"recover", "--json"}, options), 5, "not_found");
}

}  // namespace
}  // namespace sealbook::testing
