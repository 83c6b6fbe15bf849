// Exports in the middle of which something happens: Ctrl-C, a reader who goes away, another process
// with the same code. Killed ones: scripts/kill_test.
#include <gmock/gmock.h>

#include "tests/support/export_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ExportInterruptedTest : public ExportTest {
 public:
  // So many that an export of them has a middle.
  void ImportMany() {
    std::string list = "name,phone,note\n";
    for (int i = 0; i < kMany; ++i)
      absl::StrAppend(&list, "Person ", i, ",010-", 2000 + i / 9000, "-", 1000 + i % 9000, ",note ",
                      i, "\n");
    Must("owner", {"import", Write("many.csv", list), "--book", "seoul"});
  }
  // Standard output of a command whose reader is gone.
  static int NobodyReads() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    return ends[1];
  }

 protected:
  static constexpr int kMany = 12'000;
};

TEST_F(ExportInterruptedTest, CtrlCInTheMiddleLeavesNothingAndSpendsNothing) {
  ImportMany();
  int exports = 0;
  for (const int signal : {SIGINT, SIGTERM}) {
    SCOPED_TRACE(signal);
    const std::string file = absl::StrCat("by", signal, ".csv.age");
    Ran ran;
    // Where this process comes too late, once more.
    std::string code;
    for (int tries = 0; tries < 4; ++tries) {
      code = Code();
      Words words = Export(file, code);
      words.push_back("--json");
      Process process = StartAs("owner", words);
      const absl::Time deadline = absl::Now() + absl::Minutes(1);
      while (LeftBehind().empty() && !std::filesystem::exists(Path(file)) &&
             absl::Now() < deadline) {
      }
      process.Signal(signal);
      ran = process.Wait();
      if (ran.exit != 0) break;
      ++exports;
      std::filesystem::remove(Path(file));
      std::filesystem::remove(Path(file + ".receipt"));
    }
    ExpectJsonError(ran, 130, "interrupted");
    EXPECT_FALSE(std::filesystem::exists(Path(file)));
    EXPECT_FALSE(std::filesystem::exists(Path(file + ".receipt")));
    EXPECT_THAT(LeftBehind(), IsEmpty());
    EXPECT_EQ(CountActs("export"), exports);
    EXPECT_EQ(CountActs("factor.use"), exports);
    // With the same code.
    EXPECT_EQ(Ask("owner", Export(file, code))["rows"], 9 + kMany);
    EXPECT_EQ(CountActs("export"), ++exports);
    EXPECT_THAT(Opened(file), HasSubstr("note 11999"));
  }
  EXPECT_EQ(CountActs("export", "failed"), 2);
}

// Where its answer cannot be told, the export is there all the same, and recorded.
TEST_F(ExportInterruptedTest, WhoReadsItsAnswerGoesAway) {
  const int nobody = NobodyReads();
  const Ran ran = As("owner", Export("all.csv.age", Code()), {.stdout_fd = nobody});
  close(nobody);
  EXPECT_EQ(ran.exit, 1) << ran;
  EXPECT_THAT(ran.err, HasSubstr("standard output could not be written"));
  EXPECT_THAT(Opened("all.csv.age"), HasSubstr("김서연"));
  EXPECT_TRUE(std::filesystem::exists(Path("all.csv.age.receipt")));
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_EQ(CountActs("export"), 1);
}

TEST_F(ExportInterruptedTest, RecoveryCodesThatNobodySawReplaceNoOthers) {
  const std::string code = Code();
  for (const Words& more : {Words{}, Words{"--json"}}) {
    Words words = {"factor", "enroll", "recovery", "--otp", code};
    words.insert(words.end(), more.begin(), more.end());
    const int nobody = NobodyReads();
    const Ran ran = As("owner", words, {.stdout_fd = nobody});
    close(nobody);
    EXPECT_EQ(ran.exit, 1) << ran;
  }
  // Neither is the code spent that was to pay for them.
  Must("owner", Export("1.csv.age", Code()));
  Must("owner", Export("2.csv.age", code));
}

TEST_F(ExportInterruptedTest, TwoProcessesWithOneCodeAndOnePlace) {
  ImportMany();
  Write("all.csv.age", "an older file");
  for (int i = 0; i < 3; ++i) {
    const std::string code = Code();
    Process first = StartAs("owner", Export("all.csv.age", code, {"--force", "--json"}));
    Process second = StartAs("owner", Export("all.csv.age", code, {"--force", "--json"}));
    const Ran one = first.Wait(), two = second.Wait();
    EXPECT_EQ((one.exit == 0) + (two.exit == 0), 1) << one << two;
    const Ran& lost = one.exit == 0 ? two : one;
    ExpectJsonError(lost, 4, "not_authenticated");
    EXPECT_EQ(CountActs("export"), i + 1);
    EXPECT_THAT(ReadFile(Path("all.csv.age")), StartsWith("age-encryption.org/v1\n"));
    EXPECT_THAT(Opened("all.csv.age"), HasSubstr("note 11999"));
    EXPECT_THAT(LeftBehind(), IsEmpty());
  }
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
}

}  // namespace
}  // namespace sealbook::testing
