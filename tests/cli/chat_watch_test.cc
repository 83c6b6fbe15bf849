// chat import --watch: a folder whose files are taken once.
#include <gmock/gmock.h>
#include <sys/file.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ChatWatchTest : public VaultTest {
 public:
  ChatWatchTest() { std::filesystem::create_directory(Path("spool")); }

  std::string Put(const std::string& name, int messages, int phone = 0) const {
    std::string lines;
    for (int i = 0; i < messages; ++i) {
      absl::StrAppend(&lines, R"({"phone":"+8210111122)", 10 + phone,
                      R"(","time":"2024-05-01T09:00:00Z","direction":"in","text":"message )", i,
                      "\"}\n");
    }
    return Write("spool/" + name, lines);
  }
  std::vector<std::string> In(const std::string& folder) const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(Path(folder))) return names;
    for (const auto& entry : std::filesystem::directory_iterator(Path(folder))) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  Words Watch(Words more = {}) const {
    more.insert(more.begin(), {"chat", "import", "--watch", Path("spool")});
    return more;
  }
  std::int64_t Messages() {
    const Ran ran = As("owner", {"chat", "search", "message", "--limit", "100000", "--json"});
    EXPECT_EQ(ran.exit, 0) << ran;
    return static_cast<std::int64_t>(ran.lines().size());
  }
  // Until there are so many files in `folder`; false after 30 s.
  bool WaitFor(const std::string& folder, std::size_t files) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (In(folder).size() < files) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return true;
  }
};

TEST_F(ChatWatchTest, OnceTakesWhatIsThereInOrderAndLeavesTheUnfinished) {
  Put("b.jsonl", 2), Put("a.jsonl", 1), Put(".hidden", 1), Put("c.jsonl.part", 1);
  Put("d.tmp", 1);
  Write("spool/bad.txt", "no chat at all\n");
  Write("spool/empty.jsonl", "");
  std::filesystem::create_directory(Path("spool/folder"));
  std::filesystem::create_symlink(Put("../outside.jsonl", 1), Path("spool/link.jsonl"));
  const Ran ran = As("importer", Watch({"--once", "--json"}));
  ASSERT_EQ(ran.exit, 0) << ran;
  const std::vector<Json> told = ran.lines();
  ASSERT_THAT(told, SizeIs(4)) << ran;
  EXPECT_THAT(told[0]["file"].get<std::string>(), HasSubstr("a.jsonl"));
  EXPECT_EQ(told[0]["imported"], 1);
  EXPECT_THAT(told[1]["file"].get<std::string>(), HasSubstr("b.jsonl"));
  EXPECT_EQ(told[1]["imported"], 1);
  EXPECT_EQ(told[1]["duplicates"], 1);
  EXPECT_EQ(told[2]["error"]["code"], "bad_input");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("spool/….txt is no chat"), HasSubstr("empty.jsonl")));
  EXPECT_THAT(In("spool/done"), ElementsAre("a.jsonl", "b.jsonl"));
  EXPECT_THAT(In("spool/failed"), ElementsAre("bad.txt", "empty.jsonl"));
  EXPECT_EQ(ModeOf(Path("spool/done")), 0700u);
  EXPECT_EQ(ModeOf(Path("spool/failed")), 0700u);
  EXPECT_THAT(In("spool"), ElementsAre(".hidden", ".sealbook-watch.lock", "c.jsonl.part", "d.tmp",
                                       "link.jsonl"));
  EXPECT_EQ(Messages(), 2);
  // A name that is taken gets a number, and nothing is lost.
  Put("a.jsonl", 5);
  ASSERT_EQ(As("importer", Watch({"--once"})).exit, 0);
  EXPECT_THAT(In("spool/done"), ElementsAre("a-2.jsonl", "a.jsonl", "b.jsonl"));
  EXPECT_EQ(Messages(), 5);
}

TEST_F(ChatWatchTest, FileOfWhichNothingCouldBeTakenIsNotDone) {
  Write("spool/other.json", R"({"object":"page","entry":[{"x":1}]})");
  const std::string half = Put("half.jsonl", 1);
  Write("spool/half.jsonl", ReadFile(half) + "no json\n");
  const Ran ran = As("importer", Watch({"--once", "--rejects", Path("rejects.jsonl")}));
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("other.json line 1"), Not(HasSubstr("half"))));
  EXPECT_THAT(In("spool/done"), ElementsAre("half.jsonl"));
  EXPECT_THAT(In("spool/failed"), ElementsAre("other.json"));
  EXPECT_THAT(ReadFile(Path("rejects.jsonl")), HasSubstr("no json"));
}

TEST_F(ChatWatchTest, TakesWhatComesAndEndsInPeace) {
  Process watcher = StartAs("importer", Watch());
  Put("one.jsonl", 3);
  EXPECT_TRUE(WaitFor("spool/done", 1));
  Put("two.jsonl", 4, 1);
  EXPECT_TRUE(WaitFor("spool/done", 2));
  // Another one has to stay away.
  const Ran second = As("importer", Watch({"--once"}));
  ExpectError(second, 8);
  watcher.Signal(SIGTERM);
  const Ran ran = watcher.Wait();
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_EQ(Messages(), 7);
  EXPECT_EQ(As("importer", Watch({"--once"})).exit, 0);  // the lock went with it
}

TEST_F(ChatWatchTest, FileThatGrowsIsWaitedFor) {
  Process watcher = StartAs("importer", Watch());
  const std::string lines = ReadFile(Put("../whole.jsonl", 6));
  {
    std::ofstream out(Path("spool/slow.jsonl"), std::ios::binary);
    for (std::size_t i = 0; i < 6; ++i) {
      out << lines.substr(i * lines.size() / 6, (i + 1) * lines.size() / 6 - i * lines.size() / 6)
          << std::flush;
      EXPECT_THAT(In("spool/done"), IsEmpty());
      absl::SleepFor(absl::Milliseconds(400));
    }
  }
  EXPECT_TRUE(WaitFor("spool/done", 1));
  watcher.Signal(SIGINT);
  const Ran ran = watcher.Wait();
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("6 messages, 6 imported"));
  EXPECT_EQ(Messages(), 6);
}

TEST_F(ChatWatchTest, KilledAtAnyMomentItTakesEveryMessageOnce) {
  for (int i = 0; i < 6; ++i) Put(absl::StrCat("f", i, ".jsonl"), 400, i);
  for (int i = 0; i < 8; ++i) {
    Process watcher = StartAs("importer", Watch());
    absl::SleepFor(absl::Milliseconds(1000 + 70 * i));
    watcher.Signal(SIGKILL);
    EXPECT_EQ(watcher.Wait().exit, 128 + SIGKILL);
  }
  // Stored, and killed before it was moved.
  Put("g.jsonl", 400, 5);
  ASSERT_EQ(As("importer", Watch({"--once"})).exit, 0);
  EXPECT_THAT(In("spool/done"), SizeIs(7));
  EXPECT_EQ(Messages(), 2400);
  EXPECT_EQ(As("owner", {"doctor"}).exit, 0);
}

TEST_F(ChatWatchTest, WhoIsDisabledMeanwhileTakesNoMore) {
  Process watcher = StartAs("importer", Watch());
  Put("one.jsonl", 3);
  EXPECT_TRUE(WaitFor("spool/done", 1));
  Must("owner", {"member", "disable", "importer"});
  Put("two.jsonl", 4, 1);
  const Ran ran = watcher.Wait();
  EXPECT_EQ(ran.exit, 4) << ran;
  EXPECT_THAT(In("spool"), ElementsAre(".sealbook-watch.lock", "two.jsonl"));
  EXPECT_EQ(Messages(), 3);
}

TEST_F(ChatWatchTest, NamesThatAppsGiveAreNotTold) {
  Write("spool/WhatsApp Chat with 김서연.txt", "no chat at all\n");
  const Ran ran = As("importer", Watch({"--once"}));
  EXPECT_EQ(ran.exit, 0) << ran;
  ExpectNothingPersonal(ran);
  EXPECT_THAT(ran.err, HasSubstr("WhatsApp….txt"));
  EXPECT_THAT(In("spool/failed"), ElementsAre("WhatsApp Chat with 김서연.txt"));
  for (const char* name : {"김서연.txt", "Talk_김서연.csv", "دردشة واتساب مع 김서연.txt"})
    Write(absl::StrCat("spool/", name), "no chat at all\n");
  ExpectNothingPersonal(As("importer", Watch({"--once"})));
}

TEST_F(ChatWatchTest, UsageIsChecked) {
  Put("a.jsonl", 1);
  ExpectError(As("importer", Watch({Path("spool/a.jsonl")})), 2);
  ExpectError(As("importer", Watch({"--dry-run"})), 2);
  ExpectError(As("importer", {"chat", "import", "--watch", Path("nowhere"), "--once"}), 2);
  ExpectError(As("importer", {"chat", "import", "--watch", Path("spool/a.jsonl"), "--once"}), 2);
  ExpectError(As("mina", Watch({"--once"})), 3);
  EXPECT_THAT(In("spool"), AllOf(Not(IsEmpty()), ::testing::Contains("a.jsonl")));
}

}  // namespace
}  // namespace sealbook::testing
