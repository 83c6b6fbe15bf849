// Several processes that import chats into one vault at once.
#include <gmock/gmock.h>

#include "absl/strings/str_format.h"
#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::SizeIs;

class ChatProcessesTest : public VaultTest {
 public:
  static constexpr int kMessages = 25'000;  // batches of 10,000

  // A chat of somebody who is new, with messages that are equal to others of their minute.
  std::string Export() const {
    std::string text;
    for (int i = 0; i < kMessages; ++i) {
      const int minute = i / 20;
      absl::StrAppend(&text,
                      absl::StrFormat("2024-%02d-%02d, %02d:%02d - ", 1 + minute / 40'320,
                                      1 + minute / 1440 % 28, minute / 60 % 24, minute % 60),
                      i % 3 == 0 ? "Shop" : "Ann", ": message ", i % 4, "\n");
    }
    return Write("export.txt", text);
  }
  std::vector<std::string> Messages() {
    const Ran ran = As("owner", {"chat", "search", "message", "--limit", "10000000", "--json"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::vector<std::string> lines;
    std::istringstream in(ran.out);
    for (std::string line; std::getline(in, line);)
      lines.push_back(line.substr(line.find("\"time\"")));
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

TEST_F(ChatProcessesTest, TheSameExportAtOnceIsThereOnce) {
  CopyVault("empty");
  const Words words = {"chat", "import", Export(), "--me", "Shop", "--book", "seoul", "--json"};
  Must("importer", words);
  const std::vector<std::string> expected = Messages();
  ASSERT_THAT(expected, SizeIs(kMessages));
  RestoreVault("empty");
  std::filesystem::remove_all(Path("state"));
  std::vector<Process> processes;
  for (const char* member : {"importer", "owner", "importer"})
    processes.push_back(StartAs(member, words));
  std::int64_t imported = 0, duplicates = 0, created = 0;
  for (Process& process : processes) {
    const Ran ran = process.Wait();
    ASSERT_EQ(ran.exit, 0) << ran;
    const Json json = ran.json();
    EXPECT_EQ(json["messages"], kMessages);
    EXPECT_EQ(json["rejected"], 0);
    imported += json["imported"].get<std::int64_t>();
    duplicates += json["duplicates"].get<std::int64_t>();
    created += json["contacts_created"].get<std::int64_t>();
  }
  EXPECT_EQ(imported, kMessages);
  EXPECT_EQ(duplicates, 2 * kMessages);
  EXPECT_EQ(created, 1);
  EXPECT_EQ(Messages(), expected);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(ChatProcessesTest, WritingAgainAndImportingAtOnceLoseNothing) {
  std::vector<std::string> files;
  for (int file = 0; file < 12; ++file) {
    std::string lines;
    for (int i = 0; i < 30; ++i) {
      absl::StrAppend(&lines, R"({"phone":"+821020000)", 100 + i, R"(","time":"2024-05-01T09:)",
                      10 + file, R"(:00Z","direction":"in","text":"message )", file, "\"}\n");
    }
    files.push_back(Write(absl::StrCat("live-", 10 + file, ".jsonl"), lines));
  }
  const auto import = [&](std::size_t from, std::size_t to) {
    Words words = {"chat", "import", "--book", "seoul", "--json"};
    words.insert(words.end(), files.begin() + static_cast<std::ptrdiff_t>(from),
                 files.begin() + static_cast<std::ptrdiff_t>(to));
    return words;
  };
  Must("importer", import(0, 8));
  std::vector<Process> processes;
  processes.push_back(StartAs("importer", import(8, 12)));
  processes.push_back(StartAs("owner", {"chat", "compact"}));
  processes.push_back(StartAs("owner", import(5, 10)));
  processes.push_back(StartAs("owner", {"chat", "compact"}));
  for (Process& process : processes) {
    const Ran ran = process.Wait();
    EXPECT_EQ(ran.exit, 0) << ran;
  }
  EXPECT_THAT(Messages(), SizeIs(12 * 30));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
  Must("owner", {"chat", "compact"});
  EXPECT_THAT(Messages(), SizeIs(12 * 30));
}

}  // namespace
}  // namespace sealbook::testing
