// Several processes on one vault, and imports that are interrupted.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;

class ProcessesTest : public VaultTest {
 public:
  // A list of so many people, each with a phone of their own.
  std::string BigList(int people) {
    std::string list = "name,phone,note\n";
    for (int i = 0; i < people; ++i)
      absl::StrAppend(&list, "Person ", i, ",010-", 2000 + i / 9000, "-", 1000 + i % 9000, ",note ",
                      i, "\n");
    return Write("big.csv", list);
  }
  std::multiset<std::string> Customers() {
    const Ran ran = As("owner", {"list", "--json"});
    EXPECT_EQ(ran.exit, 0);
    std::multiset<std::string> customers;
    std::istringstream in(ran.out);
    for (std::string line; std::getline(in, line);)
      customers.insert(line.substr(line.find("\"books\"")));
    return customers;
  }
};

TEST_F(ProcessesTest, AnImportThatIsInterruptedAndRunAgainEndsAsOneThatWasNot) {
  constexpr int kPeople = 45'000;  // batches of 16,000
  const std::string file = BigList(kPeople);
  CopyVault("empty");
  Process importing = StartAs("importer", {"import", file, "--book", "seoul", "--json"});
  // The first batch is on its way into the write-ahead log.
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  std::error_code error;
  while (absl::Now() < deadline) {
    const auto size = std::filesystem::file_size(VaultPath("vault.db-wal"), error);
    if (!error && size > 1'000'000) break;
    absl::SleepFor(absl::Milliseconds(1));
  }
  importing.Signal(SIGINT);
  const Ran interrupted = importing.Wait();
  ExpectJsonError(interrupted, 130, "interrupted");
  EXPECT_THAT(interrupted.json()["error"]["hint"].get<std::string>(), HasSubstr("nothing twice"));
  const std::size_t stored = Customers().size();
  EXPECT_GT(stored, 0u);
  EXPECT_LT(stored, static_cast<std::size_t>(kPeople));
  const Json again = Ask("importer", {"import", file, "--book", "seoul"});
  EXPECT_EQ(again["rows"], kPeople);
  EXPECT_EQ(again["duplicates"], stored);
  EXPECT_EQ(again["imported"], kPeople - static_cast<int>(stored));
  const std::multiset<std::string> customers = Customers();
  EXPECT_EQ(customers.size(), static_cast<std::size_t>(kPeople));
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  RestoreVault("empty");
  std::filesystem::remove_all(Path("state"));
  Must("importer", {"import", file, "--book", "seoul"});
  EXPECT_EQ(Customers(), customers);
}

TEST_F(ProcessesTest, AnImportThatIsKilledLeavesAVaultThatWorksAndRunsAgain) {
  constexpr int kPeople = 3'000;
  const std::string file = BigList(kPeople);
  for (const int milliseconds : {30, 90, 150, 210, 270}) {
    Process importing = StartAs("importer", {"import", file, "--book", "seoul"});
    absl::SleepFor(absl::Milliseconds(milliseconds));
    importing.Signal(SIGKILL);
    importing.Wait();
    const std::size_t stored = TokensOf("mina").size();
    EXPECT_TRUE(stored == 0 || stored == kPeople) << stored;  // one batch, whole or not at all
  }
  EXPECT_EQ(Ask("importer", {"import", file, "--book", "seoul"})["rows"], kPeople);
  EXPECT_EQ(TokensOf("mina").size(), static_cast<std::size_t>(kPeople));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(ProcessesTest, TwoImportsOfTheSameListAddEverybodyOnce) {
  constexpr int kPeople = 6'000;
  const std::string file = BigList(kPeople);
  Process first = StartAs("importer", {"import", file, "--book", "seoul", "--json"});
  Process second = StartAs("importer", {"import", file, "--book", "seoul", "--json"});
  const Ran one = first.Wait(), two = second.Wait();
  EXPECT_EQ(one.exit, 0) << one;
  EXPECT_EQ(two.exit, 0) << two;
  EXPECT_EQ(one.json()["imported"].get<int>() + two.json()["imported"].get<int>(), kPeople);
  EXPECT_EQ(TokensOf("mina").size(), static_cast<std::size_t>(kPeople));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(ProcessesTest, WhileAnotherHoldsTheLockItWaitsAndThenIsBusy) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  auto keyring =
      keyring::Keyring::Unlock(keyring::VaultPaths(VaultPath()),
                               {.name = "ada",
                                .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                           .bytes = Secret(PassphraseOf("ada"))}});
  ASSERT_TRUE(keyring.ok());
  const absl::Time start = absl::Now();
  Ran looking, setting;
  {
    auto transaction = (*keyring)->store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    Process lookup = StartAs("mina", {"lookup", token, "--json"}),
            set = StartAs("mina", {"set", token, "note=x", "--json"});
    looking = lookup.Wait(), setting = set.Wait();
  }
  EXPECT_GE(absl::Now() - start, absl::Seconds(10));
  // What cannot be put into the log is not shown.
  ExpectJsonError(looking, 8, "busy");
  ExpectJsonError(setting, 8, "busy");
  ExpectNothingPersonal(looking);
  EXPECT_EQ(As("mina", {"lookup", token}).exit, 0);
}

TEST_F(ProcessesTest, EightAtOnceLeaveOneChain) {
  ImportCustomers();
  const std::string token = TokenOf("김서연"), shared = TokenOf("王嘉豪");
  const std::int64_t before = Ask("owner", {"audit", "verify"})["entries"];
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    std::string list = "name,phone\n";
    for (int i = 0; i < 50; ++i)
      absl::StrAppend(&list, "New ", round, " ", i, ",010-6", 100 + round, "-", 1000 + i, "\n");
    const std::string file = Write("new.csv", list);
    std::vector<Process> processes;
    processes.push_back(StartAs("mina", {"lookup", token}));
    processes.push_back(StartAs("wei", {"lookup", "--name", "王嘉豪"}));
    processes.push_back(StartAs("sora", {"show", token}));
    processes.push_back(StartAs("mina", {"set", shared, absl::StrCat("note=mina ", round)}));
    processes.push_back(StartAs("wei", {"set", shared, absl::StrCat("company=wei ", round)}));
    processes.push_back(StartAs("importer", {"import", file, "--book", "seoul"}));
    processes.push_back(StartAs("owner", {"import", file, "--book", "seoul"}));
    processes.push_back(StartAs("jun", {"list"}));
    for (Process& process : processes) {
      const Ran ran = process.Wait();
      EXPECT_EQ(ran.exit, 0) << ran;
    }
  }
  const Json verified = Ask("owner", {"audit", "verify"});
  EXPECT_EQ(verified["ok"], true);
  EXPECT_EQ(verified["entries"], before + 8 * kRounds);
  const Json doctor = Ask("owner", {"doctor"});
  EXPECT_EQ(doctor["ok"], true) << doctor;
  const Json fields = Ask("jun", {"show", shared})["contacts"][0]["fields"];
  EXPECT_EQ(fields["note"]["value"], absl::StrCat("mina ", kRounds - 1));
  EXPECT_EQ(fields["company"]["value"], absl::StrCat("wei ", kRounds - 1));
  EXPECT_EQ(TokensOf("mina").size(), 6u + 50 * kRounds);
}

TEST_F(ProcessesTest, TwoWhoGuessAtOnceAreBothCounted) {
  Write("wrong", "a guess that is wrong");
  const Words guess = {"list", "--as", "mina", "--passphrase-file", Path("wrong")};
  Process first = Start(guess), second = Start(guess), third = Start(guess);
  for (Process* process : {&first, &second, &third}) EXPECT_EQ(process->Wait().exit, 4);
  Must("owner", {"book", "list"});
  EXPECT_EQ(CountActs("unlock.failed", "failed"), 3);
}

}  // namespace
}  // namespace sealbook::testing
