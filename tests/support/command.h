// The real command, run as people and cron jobs run it: a child process with an environment,
// standard input, a folder and (Terminal) a terminal of its own. Nothing of the caller's
// environment gets in.
//
//   class LookupTest : public VaultTest {};
//   TEST_F(LookupTest, …) {
//     const Ran ran = As("mina", {"lookup", "--name", "김서연", "--json"});
//     EXPECT_EQ(ran.exit, 0) << ran;
//   }
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/scratch.h"

namespace sealbook::testing {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
inline void WriteFile(const std::string& path, const std::string& contents, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << contents;
  ASSERT_EQ(chmod(path.c_str(), mode), 0) << path;
}
inline mode_t ModeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777u : 0;
}

// What a command did.
struct Ran {
  int exit = -1;  // 128 + n where signal n ended it
  std::string out, err;

  // The one object on standard output; null, and a failure, where there is anything else.
  Json json() const {
    Json parsed = Json::parse(out, nullptr, false);
    if (!parsed.is_object() || out.find('\n') != out.size() - 1) {
      ADD_FAILURE() << "standard output is no single JSON object:\n" << out << err;
      return nullptr;
    }
    return parsed;
  }
  std::vector<Json> lines() const {
    std::vector<Json> parsed;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) {
      parsed.push_back(Json::parse(line, nullptr, false));
      if (!parsed.back().is_object()) ADD_FAILURE() << "no JSON object: " << line;
    }
    return parsed;
  }
};
inline std::ostream& operator<<(std::ostream& out, const Ran& ran) {
  return out << "exit " << ran.exit << "\nstandard output:\n"
             << ran.out << "standard error:\n"
             << ran.err;
}

struct RunOptions {
  std::map<std::string, std::string> environment;  // an empty value: not set
  std::string stdin_text;
  int stdout_fd = -1;  // in place of a file
  uid_t user = 0;      // other than 0: becomes this user first (tests that run as root)
  std::string program = SEALBOOK_COMMAND;
  std::string directory;  // where it runs
};

// A child that may still be running. Its output goes to files, so that nothing waits for a reader.
class Process {
 public:
  Process(std::string capture, const Words& words, const RunOptions& options,
          const std::map<std::string, std::string>& environment)
      : capture_(std::move(capture)) {
    std::ofstream(capture_ + ".in", std::ios::binary) << options.stdin_text;
    std::vector<std::string> settings;
    for (const auto& [name, value] : environment) {
      if (!value.empty()) settings.push_back(absl::StrCat(name, "=", value));
    }
    std::vector<char*> argv, envp;
    argv.push_back(const_cast<char*>(options.program.c_str()));
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    for (const std::string& setting : settings) envp.push_back(const_cast<char*>(setting.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const int in = open((capture_ + ".in").c_str(), O_RDONLY | O_CLOEXEC);
    const int out = options.stdout_fd >= 0 ? options.stdout_fd : Create(capture_ + ".out");
    const int err = Create(capture_ + ".err");
    EXPECT_GE(in, 0);
    EXPECT_GE(out, 0);
    pid_ = fork();
    if (pid_ == 0) {
      setsid();  // without a terminal to ask on
      dup2(in, 0), dup2(out, 1), dup2(err, 2);
      if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
      if (options.user != 0 && (setgid(options.user) != 0 || setuid(options.user) != 0)) _exit(126);
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
    close(in), close(err);
    if (options.stdout_fd < 0) close(out);
  }
  Process(Process&& other) noexcept
      : capture_(std::move(other.capture_)), pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (pid_ > 0) {
      Signal(SIGKILL);
      Wait();
    }
  }
  void Signal(int number) const { kill(pid_, number); }
  // Ends it after some minutes, which is a failure.
  Ran Wait() {
    int status = 0;
    const absl::Time deadline = absl::Now() + absl::Minutes(4);
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (absl::Now() > deadline) {
        ADD_FAILURE() << "the command hangs";
        Signal(SIGKILL);
        waitpid(pid_, &status, 0);
        break;
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
    pid_ = -1;
    return {.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            .out = ReadFile(capture_ + ".out"),
            .err = WithoutMemoryNote(ReadFile(capture_ + ".err"))};
  }

 private:
  // What a machine with a small 'ulimit -l' adds is not what a test is about.
  static std::string WithoutMemoryNote(std::string err) {
    const auto at = err.find("sealbook: the system does not let all keys be locked in memory");
    if (at != std::string::npos) err.erase(at, err.find('\n', at) + 1 - at);
    return err;
  }
  static int Create(const std::string& path) {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  std::string capture_;
  pid_t pid_ = -1;
};

// A child with a terminal of 80 columns as its standard input, output and error, and as what it
// asks on.
class Terminal {
 public:
  Terminal(const Words& words, const std::map<std::string, std::string>& environment) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_TRUE(master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0);
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(master_, TIOCSWINSZ, &size);
    const std::string name = ptsname(master_);
    std::vector<std::string> settings;
    for (const auto& [key, value] : environment) {
      if (!value.empty()) settings.push_back(absl::StrCat(key, "=", value));
    }
    std::string program = SEALBOOK_COMMAND;
    std::vector<char*> argv = {program.data()}, envp;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    for (std::string& setting : settings) envp.push_back(setting.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      setsid();
      const int terminal = open(name.c_str(), O_RDWR);
      ioctl(terminal, TIOCSCTTY, 0);
      dup2(terminal, 0), dup2(terminal, 1), dup2(terminal, 2);
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(master_);
  }
  // Reads until `text` was shown after what the last Expect took; false at the end, or after 30 s.
  bool Expect(const std::string& text) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    for (;;) {
      if (const auto at = screen_.find(text, taken_); at != std::string::npos) {
        taken_ = at + text.size();
        return true;
      }
      if (absl::Now() > deadline || !Read()) return false;
    }
  }
  void Type(const std::string& line) { Press(line + "\n"); }
  void Press(const std::string& keys) {
    EXPECT_EQ(write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // Gives the exit code; all that was shown is in screen().
  int Wait() {
    while (Read()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  const std::string& screen() const { return screen_; }
  bool Echoes() const {
    termios now{};
    return tcgetattr(master_, &now) == 0 && (now.c_lflag & ECHO) != 0;
  }

 private:
  bool Read() {
    pollfd wait{.fd = master_, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, 60'000) <= 0) return false;
    char buffer[4096];
    const ssize_t got = read(master_, buffer, sizeof buffer);
    if (got <= 0) return false;  // EIO: the other end is closed
    screen_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  int master_ = -1;
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t taken_ = 0;
};

// A throwaway folder with a home in it, and commands that run there.
class CommandTest : public ::testing::Test {
 public:
  static constexpr uid_t kNobody = 65534;

  CommandTest() {
    root_ = ScratchFolder("cli");
    for (const char* folder : {"home", "data", "state"})
      std::filesystem::create_directory(Path(folder));
    std::filesystem::create_directory(Path("captured"));
    environment_ = {{"HOME", Path("home")},
                    {"XDG_DATA_HOME", Path("data")},
                    {"XDG_STATE_HOME", Path("state")},
                    {"SEALBOOK_VAULT", Path("vault")},
                    {"PATH", "/usr/bin:/bin"},
                    {"LANG", "C.UTF-8"}};
  }
  ~CommandTest() override { std::filesystem::remove_all(root_); }

  const std::string& root() const { return root_; }
  std::string Path(const std::string& name) const { return absl::StrCat(root_, "/", name); }
  // Writes a file into the folder and gives its path.
  std::string Write(const std::string& name, const std::string& contents,
                    mode_t mode = 0600) const {
    WriteFile(Path(name), contents, mode);
    return Path(name);
  }

  Process Start(const Words& words, const RunOptions& options = {}) {
    return Process(Path(absl::StrCat("captured/", ++captured_)), words, options,
                   EnvironmentFor(options));
  }
  Ran Run(const Words& words, const RunOptions& options = {}) {
    return Start(words, options).Wait();
  }

  std::map<std::string, std::string> EnvironmentFor(const RunOptions& options) const {
    std::map<std::string, std::string> environment = environment_;
    for (const auto& [name, value] : options.environment) environment[name] = value;
    return environment;
  }

 protected:
  std::map<std::string, std::string> environment_;

 private:
  std::string root_;
  int captured_ = 0;
};

// With --json: {"error":{"code","message","hint"}} and nothing else on either output.
inline void ExpectJsonError(const Ran& ran, int exit, const std::string& code) {
  EXPECT_EQ(ran.exit, exit) << ran;
  EXPECT_EQ(ran.err, "") << ran;
  const Json json = ran.json();
  if (!json.is_object()) return;
  ASSERT_EQ(json.size(), 1u) << ran;
  ASSERT_TRUE(json.contains("error")) << ran;
  const Json& error = json["error"];
  EXPECT_EQ(error.size(), 3u) << ran;
  EXPECT_EQ(error.value("code", ""), code) << ran;
  EXPECT_NE(error.value("message", ""), "") << ran;
  EXPECT_TRUE(error.contains("hint") && error["hint"].is_string()) << ran;
}

// One sentence that says what, perhaps one that says what to do; nothing on standard output.
inline void ExpectError(const Ran& ran, int exit) {
  EXPECT_EQ(ran.exit, exit) << ran;
  EXPECT_EQ(ran.out, "") << ran;
  EXPECT_EQ(ran.err.rfind("sealbook: ", 0), 0u) << ran;
  const auto newlines = std::count(ran.err.begin(), ran.err.end(), '\n');
  EXPECT_TRUE(newlines == 1 || newlines == 2) << ran;
}

}  // namespace sealbook::testing
