// A real OpenSSH server on loopback, with a folder, a key that it takes and a known_hosts file that
// knows it. As root the account is `nobody`, whom modes of folders bind; otherwise the caller's.
//
//   SFTP_SERVER_OR_SKIP();
//   SftpServer server;
//   OpenDestination(server.url(), server.options());
//   server.Kill();                       // like a machine that loses its power
//   server.Start();                      // on the same port, with the same folder
//
// Programs that use it are linked by CMake's sealbook_uses_sftp(), which makes the filter known.
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <shadow.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "vault/archive/destination.h"

namespace sealbook::testing {

// In a test's body: leaves the test where there is no server.
#define SFTP_SERVER_OR_SKIP()                                                                 \
  if (const std::string reason = ::sealbook::testing::SftpServer::Missing(); !reason.empty()) \
  GTEST_SKIP() << reason

struct SftpServerOptions {
  // sftp_filter's rules. The account is then the caller's own, root's too: the filter is no part of
  // sshd, and runs by the account's shell.
  std::vector<std::string> filter;
  std::string internal_sftp;         // options of internal-sftp: "-R", "-P remove,rename"
  std::uint64_t max_file_bytes = 0;  // RLIMIT_FSIZE: a server whose disk is full; 0: none
  std::string config;                // more lines of sshd_config
};

class SftpServer {
 public:
  // Why no server can run here; empty where it can.
  static std::string Missing() {
    for (const char* program : {kSshd, kKeygen, kSftpServer}) {
      if (access(program, X_OK) != 0) {
        return absl::StrCat(program, " is not here: install openssh-server and openssh-client");
      }
    }
    const spwd* root = geteuid() == 0 ? getspnam("root") : nullptr;
    if (root != nullptr && root->sp_pwdp[0] == '!') return "root's account is locked: no log-in";
    return "";
  }

  explicit SftpServer(SftpServerOptions options = {}) : options_(std::move(options)) {
    root_ = absl::StrCat(Above(), "/sealbook-sftp-XXXXXX");
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
    EXPECT_EQ(chmod(root_.c_str(), 0755), 0);
    std::filesystem::create_directory(folder());
    const bool as_nobody = geteuid() == 0 && options_.filter.empty();
    const passwd* account = as_nobody ? getpwnam("nobody") : getpwuid(geteuid());
    if (account == nullptr) {
      ADD_FAILURE() << "there is no account to log in as";
      return;
    }
    user_ = account->pw_name;
    user_id_ = account->pw_uid;
    EXPECT_EQ(chown(folder().c_str(), user_id_, account->pw_gid), 0);
    MakeKey("key");
    std::filesystem::copy_file(Path("key.pub"), Path("authorized_keys"));
    MakeKey("host_key");
    port_ = FreePort();
    WriteKnownHosts();
    Start();
  }
  ~SftpServer() {
    Kill();
    std::filesystem::remove_all(root_);
  }
  SftpServer(const SftpServer&) = delete;
  SftpServer& operator=(const SftpServer&) = delete;

  int port() const { return port_; }
  const std::string& user() const { return user_; }
  // What the server serves, as this machine sees it.
  std::string folder() const { return Path("files"); }
  std::string url() const { return UrlOf("files"); }
  // Another folder beside it: the account may not write there where tests run as root.
  std::string UrlOf(const std::string& name) const {
    return absl::StrCat("sftp://", user_, "@127.0.0.1:", port_, root_, "/", name);
  }
  std::string key_file() const { return Path("key"); }
  std::string known_hosts_file() const { return Path("known_hosts"); }
  archive::DestinationOptions options() const {
    return {.key_file = key_file(),
            .known_hosts_file = known_hosts_file(),
            .timeout = absl::Seconds(60)};
  }
  // In the server's own folder, for tests' files.
  std::string Path(const std::string& name) const { return absl::StrCat(root_, "/", name); }
  // Whether the account may do what modes of folders forbid.
  bool modes_bind() const { return user_id_ != 0; }

  // Waits until it answers. Another process may have taken the port since: then this fails.
  void Start() {
    if (geteuid() == 0) std::filesystem::create_directories("/run/sshd");
    WriteConfig();
    pid_ = fork();
    if (pid_ == 0) Become();
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!Answers()) {
      if (absl::Now() > deadline || waitpid(pid_, nullptr, WNOHANG) != 0) {
        ADD_FAILURE() << "sshd does not run:\n" << Log();
        return;
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  // The server and all its connections are gone at once.
  void Kill() {
    if (pid_ <= 0) return;
    // Stopped first, so that it makes no more of them meanwhile.
    kill(pid_, SIGSTOP);
    for (const pid_t pid : Descendants(pid_)) kill(pid, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // Its connections only; new ones are taken.
  void CutConnections() {
    for (const pid_t pid : Descendants(pid_)) kill(pid, SIGKILL);
  }
  // It keeps its connections and says nothing more, until Wake().
  void Freeze() { SignalAll(SIGSTOP); }
  void Wake() { SignalAll(SIGCONT); }
  void Restart(SftpServerOptions options) {
    Kill();
    options_ = std::move(options);
    Start();
  }
  // As a server that was installed anew, or somebody else in its place.
  void ChangeHostKey() {
    Kill();
    MakeKey("host_key");
    Start();
  }
  void WriteKnownHosts() const {
    std::ofstream(known_hosts_file())
        << absl::StrCat("[127.0.0.1]:", port_, " ", Read("host_key.pub"));
  }
  // "SHA256:…" of the present host key, as ssh-keygen tells it.
  std::string HostKeyFingerprint() const {
    Run({kKeygen, "-l", "-f", Path("host_key.pub")}, Path("fingerprint"));
    std::istringstream words(Read("fingerprint"));
    std::string bits, fingerprint;
    words >> bits >> fingerprint;
    return fingerprint;
  }
  std::string Log() const { return Read("log"); }
  std::string Read(const std::string& name) const {
    std::ifstream in(Path(name), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // A new key pair: `name` and `name`.pub.
  void MakeKey(const std::string& name,
               const std::vector<std::string>& more = {"-t", "ed25519", "-N", ""}) const {
    unlink(Path(name).c_str());
    unlink(Path(name + ".pub").c_str());
    std::vector<std::string> words = {kKeygen, "-q", "-C", "test", "-f", Path(name)};
    words.insert(words.end(), more.begin(), more.end());
    Run(words, "/dev/null");
  }

 private:
  static constexpr const char* kSshd = "/usr/sbin/sshd";
  static constexpr const char* kKeygen = "/usr/bin/ssh-keygen";
  static constexpr const char* kSftpServer = "/usr/lib/openssh/sftp-server";

  // In memory where there is enough: the server waits for the disk after each file.
  static std::string Above() {
    struct statvfs info {};
    const bool roomy = statvfs("/dev/shm", &info) == 0 && access("/dev/shm", W_OK) == 0 &&
                       info.f_bavail * info.f_frsize >= std::uint64_t{1} << 30;
    return roomy ? "/dev/shm" : "/tmp";
  }
  static void Run(const std::vector<std::string>& words, const std::string& output) {
    const pid_t pid = fork();
    if (pid == 0) {
      const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      dup2(out, 1), dup2(out, 2);
      std::vector<char*> argv;
      for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0) << absl::StrJoin(words, " ");
  }
  static int FreePort() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd, generic, size), 0);
    EXPECT_EQ(getsockname(fd, generic, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
  }
  bool Answers() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = htons(static_cast<std::uint16_t>(port_)),
                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const bool connected =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return connected;
  }
  // All processes below `parent`.
  static std::vector<pid_t> Descendants(pid_t parent) {
    std::vector<std::pair<pid_t, pid_t>> pairs;  // process, parent
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream in(entry.path() / "stat");
      std::string text;
      std::getline(in, text, '\0');      // empty where it is gone meanwhile
      const auto end = text.rfind(')');  // of the program's name
      int above = 0;
      char state = 0;
      if (end != std::string::npos &&
          std::sscanf(text.c_str() + end + 1, " %c %d", &state, &above) == 2) {
        pairs.emplace_back(std::stoi(name), above);
      }
    }
    std::vector<pid_t> found = {parent};
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (const auto& [pid, above] : pairs) {
        if (above == found[i]) found.push_back(pid);
      }
    }
    found.erase(found.begin());
    return found;
  }
  void SignalAll(int number) {
    kill(pid_, number);
    for (const pid_t pid : Descendants(pid_)) kill(pid, number);
  }
  // The child.
  [[noreturn]] void Become() const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = open(Path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1), dup2(log, 2);
    if (options_.max_file_bytes != 0) {
      // Ignored, it makes a write fail; otherwise it would end the server.
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{options_.max_file_bytes, options_.max_file_bytes};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    umask(022);
    execl(kSshd, kSshd, "-D", "-e", "-f", Path("config").c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  void WriteConfig() const {
    std::string subsystem = absl::StrCat("internal-sftp ", options_.internal_sftp);
    if (!options_.filter.empty()) {
#ifdef SEALBOOK_SFTP_FILTER
      subsystem = absl::StrCat(SEALBOOK_SFTP_FILTER, " ", kSftpServer, " ",
                               absl::StrJoin(options_.filter, " "));
#else
      ADD_FAILURE() << "this program knows no filter: link it by sealbook_uses_sftp()";
#endif
    }
    std::ofstream(Path("config")) << absl::StrCat(
        "ListenAddress 127.0.0.1\nPort ", port_, "\nHostKey ", Path("host_key"),
        "\nPidFile none\nAuthorizedKeysFile ", Path("authorized_keys"),
        "\nAuthenticationMethods publickey\nPermitRootLogin prohibit-password\nUsePAM no\n"
        "StrictModes no\nUseDNS no\nPrintMotd no\nMaxStartups 100\nLogLevel INFO\n"
        "Subsystem sftp ",
        subsystem, "\n", options_.config, "\n");
  }

  SftpServerOptions options_;
  std::string root_, user_;
  uid_t user_id_ = 0;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sealbook::testing
