// A vault with chats that have expired, its retention account, and destinations that the policy
// names, for tests of the commands around archives.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/support/command_vault.h"

namespace sealbook::testing {

// Three people, two days of March and one of April 2024 each: 9 messages, which make two archives.
// The fourth message of each is younger.
inline const std::vector<std::string>& ChatPhones() {
  static const std::vector<std::string> phones = {"+821012345678", "+821098765432",
                                                  "+8617629630546"};
  return phones;
}
inline constexpr int kExpired = 9;

class RetentionCommandTest : public VaultTest {
 public:
  RetentionCommandTest() {
    Write("list.csv", absl::StrCat("name,phone\n가나,", ChatPhones()[0], "\n다라,", ChatPhones()[1],
                                   "\nWang,", ChatPhones()[2], "\n"));
    Must("owner", {"import", Path("list.csv"), "--book", "seoul"});
    Must("owner",
         {"member", "add", "cron", "--role", "retention", "--key-file-out", Path("cron.key")});
    std::filesystem::create_directory(Path("nas"));
    SetDestinations({Folder()});
  }

  std::string Folder(const std::string& name = "nas") const {
    return absl::StrCat("file://", Path(name), "/archives");
  }
  std::string Identity() const { return Path("archive-identity.txt"); }

  void ChangePolicy(const std::vector<std::pair<std::string, std::string>>& replacements) {
    const Ran shown = As("owner", {"policy", "show"});
    ASSERT_EQ(shown.exit, 0) << shown;
    const std::string text = absl::StrReplaceAll(shown.out, replacements);
    ASSERT_NE(text, shown.out);
    Must("owner", {"policy", "apply", Write("changed.toml", text)});
  }
  // All of them have to have an archive, or `quorum`.
  void SetDestinations(const std::vector<std::string>& urls, int quorum = 0) {
    const Ran shown = As("owner", {"policy", "show"});
    const auto line = [&](const std::string& key) {
      const auto from = shown.out.find("\n" + key) + 1;
      return shown.out.substr(from, shown.out.find('\n', from) - from);
    };
    std::string list;
    for (const std::string& url : urls)
      absl::StrAppend(&list, list.empty() ? "" : ", ", "\"", url, "\"");
    ChangePolicy({{line("destinations = "), absl::StrCat("destinations = [", list, "]")},
                  {line("quorum = "), absl::StrCat("quorum = ", quorum)}});
  }

  static std::string TextOf(const std::string& phone, const std::string& day) {
    return absl::StrCat("words of ", phone.substr(phone.size() - 4), " on ", day);
  }
  static std::string Yesterday() {
    return absl::FormatTime("%Y-%m-%d", absl::Now() - absl::Hours(24), absl::UTCTimeZone());
  }
  static const std::vector<std::string>& OldDays() {
    static const std::vector<std::string> days = {"2024-03-11", "2024-03-12", "2024-04-20"};
    return days;
  }
  static std::string Line(const std::string& phone, const std::string& day) {
    // What we said has our author.
    const bool out = day == "2024-03-12";
    return absl::StrCat(R"({"phone":")", phone, R"(","time":")", day,
                        R"(T10:00:00Z","direction":")", out ? "out" : "in",
                        R"(","author":"they","text":")", TextOf(phone, day), "\"}\n");
  }
  void WriteChats() {
    std::string lines;
    for (const std::string& phone : ChatPhones()) {
      for (const std::string& day : OldDays()) lines += Line(phone, day);
      lines += Line(phone, Yesterday());
    }
    Must("owner", {"chat", "import", Write("chats.jsonl", lines), "--book", "seoul"});
  }
  // One more that has expired.
  void WriteOneMore() {
    Must("owner", {"chat", "import", Write("more.jsonl", Line(ChatPhones()[0], "2024-05-02")),
                   "--book", "seoul"});
  }
  std::string UidOf(const std::string& phone) {
    const Json found = Ask("owner", {"lookup", "--phone", phone});
    return found["contacts"][0]["uid"].get<std::string>();
  }

  // The job's account, with --json.
  Json Cron(Words words) { return Ask("cron", std::move(words)); }
  Json RunJob() { return Cron({"retention", "run"}); }
  Ran TryJob(Words more = {}, const RunOptions& options = {}) {
    more.insert(more.begin(), {"retention", "run", "--json"});
    return As("cron", more, options);
  }
  // Nothing went, nothing is lost.
  void ExpectNothingPurged() {
    const Json status = Cron({"retention", "status"});
    EXPECT_EQ(status["expired"], kExpired);
    EXPECT_EQ(status["purged"], 0);
  }
  std::vector<std::string> ArchiveNames() {
    std::vector<std::string> names;
    const Json list = Cron({"archive", "list"});
    for (const Json& archive : list["archives"])
      names.push_back(archive["name"].get<std::string>());
    return names;
  }
  // Of those in a folder, as it is read without any vault.
  std::vector<std::string> FilesIn(const std::string& folder, const std::string& suffix) const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
      const std::string name = file.path().filename().string();
      if (name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix)
        names.push_back(file.path().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Texts of lines that a command printed.
  static std::multiset<std::string> TextsOf(const Ran& ran) {
    std::multiset<std::string> texts;
    for (const Json& line : ran.lines()) texts.insert(line["text"].get<std::string>());
    return texts;
  }
  static std::multiset<std::string> Texts(const std::vector<std::string>& phones,
                                          const std::vector<std::string>& days) {
    std::multiset<std::string> texts;
    for (const std::string& phone : phones)
      for (const std::string& day : days) texts.insert(TextOf(phone, day));
    return texts;
  }
  // Everything that the archives of a folder hold, read without the vault.
  std::multiset<std::string> Archived(const std::string& folder) {
    std::multiset<std::string> texts;
    for (const std::string& file : FilesIn(folder, ".sba.age")) {
      const Ran ran = Run({"archive", "read", "--file", file, "--identity", Identity(), "--quiet"},
                          {.environment = {{"SEALBOOK_VAULT", Path("no-vault")}}});
      EXPECT_EQ(ran.exit, 0) << ran;
      texts.merge(TextsOf(ran));
    }
    return texts;
  }
};

}  // namespace sealbook::testing
