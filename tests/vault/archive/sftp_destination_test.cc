// An SFTP server as it is met: keys that are known or not, accounts with few rights, a disk that is
// full, a power cut, silence.
#include "vault/archive/sftp_destination.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "absl/time/clock.h"
#include "tests/support/sftp_server.h"
#include "tests/vault/archive/destination_fixture.h"

namespace sealbook::archive {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SftpServer;
using testing::SftpServerOptions;

class SftpDestinationTest : public ::testing::Test {
 protected:
  void SetUp() override { SFTP_SERVER_OR_SKIP(); }
  static absl::StatusOr<std::unique_ptr<Destination>> Open(const SftpServer& server) {
    return OpenDestination(server.url(), server.options());
  }
  static std::unique_ptr<Destination> OpenOrDie(const SftpServer& server) {
    auto opened = Open(server);
    EXPECT_TRUE(opened.ok()) << opened.status() << "\n" << server.Log();
    return *std::move(opened);
  }
};

TEST_F(SftpDestinationTest, UnknownHostKeyIsRefusedAndNotLearnt) {
  SftpServer server;
  for (const char* known : {"", "# nothing\n\n", "other.example.com ssh-ed25519 AAAA\n"}) {
    WriteLocal(server.known_hosts_file(), known);
    const auto opened = Open(server);
    ExpectRefused(opened.status());
    EXPECT_THAT(HintOf(opened.status()), HasSubstr(server.HostKeyFingerprint()));
    EXPECT_THAT(HintOf(opened.status()),
                HasSubstr(absl::StrCat("ssh-keyscan -p ", server.port(), " 127.0.0.1 >> ",
                                       server.known_hosts_file())));
    EXPECT_EQ(ReadLocal(server.known_hosts_file()), known);
  }
  std::filesystem::remove(server.known_hosts_file());
  ExpectRefused(Open(server).status());
  EXPECT_FALSE(std::filesystem::exists(server.known_hosts_file()));
}

TEST_F(SftpDestinationTest, ChangedHostKeyIsRefused) {
  SftpServer server;
  EXPECT_TRUE(Open(server).ok());
  const std::string known = ReadLocal(server.known_hosts_file());
  server.ChangeHostKey();
  const auto opened = Open(server);
  ExpectRefused(opened.status());
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("another host key"));
  EXPECT_THAT(HintOf(opened.status()), HasSubstr(server.HostKeyFingerprint()));
  EXPECT_EQ(ReadLocal(server.known_hosts_file()), known);
}

TEST_F(SftpDestinationTest, HashedNamesAndSeveralKeysAreUnderstood) {
  SftpServer server;
  server.MakeKey("other");
  const std::string name = absl::StrCat("[127.0.0.1]:", server.port());
  // The old key and the new one, while a server changes it.
  WriteLocal(server.known_hosts_file(), absl::StrCat(name, " ", server.Read("other.pub"), name, " ",
                                                     server.Read("host_key.pub")));
  EXPECT_TRUE(Open(server).ok());
  WriteLocal(server.known_hosts_file(), absl::StrCat(name, " ", server.Read("host_key.pub")));
  ASSERT_EQ(
      system(absl::StrCat("ssh-keygen -q -H -f ", server.known_hosts_file(), " >/dev/null 2>&1")
                 .c_str()),
      0);
  ASSERT_THAT(ReadLocal(server.known_hosts_file()), HasSubstr("|1|"));
  EXPECT_TRUE(Open(server).ok());
  // A key for the same host at another port is another server's.
  WriteLocal(server.known_hosts_file(), absl::StrCat("127.0.0.1 ", server.Read("host_key.pub")));
  ExpectRefused(Open(server).status());
}

TEST_F(SftpDestinationTest, KnownHostsThatIsNotUnderstoodIsBadInput) {
  SftpServer server;
  const std::string name = absl::StrCat("[127.0.0.1]:", server.port());
  const std::string good = absl::StrCat(name, " ", server.Read("host_key.pub"));
  for (const std::string& known :
       {absl::StrCat(good, "@revoked * ", server.Read("host_key.pub")),
        absl::StrCat(good, name, " ssh-ed25519 !!!\n"), absl::StrCat(good, name, "\n")}) {
    WriteLocal(server.known_hosts_file(), known);
    const auto opened = Open(server);
    EXPECT_TRUE(absl::IsInvalidArgument(opened.status())) << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr("line 2"));
  }
}

TEST_F(SftpDestinationTest, KeyThatTheServerDoesNotKnowIsRefused) {
  SftpServer server;
  server.MakeKey("wrong");
  DestinationOptions options = server.options();
  options.key_file = server.Path("wrong");
  const auto opened = OpenDestination(server.url(), options);
  ExpectRefused(opened.status());
  EXPECT_THAT(HintOf(opened.status()), HasSubstr("authorized_keys"));
}

TEST_F(SftpDestinationTest, KeyFileThatCannotBeUsedIsToldBeforeAnyConnection) {
  SftpServer server;
  server.Kill();
  DestinationOptions options = server.options();
  server.MakeKey("locked", {"-t", "ed25519", "-N", "a passphrase"});
  server.MakeKey("locked_pem", {"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "a passphrase"});
  WriteLocal(server.Path("text"), "no key at all");
  WriteLocal(server.Path("empty"), "");
  WriteLocal(server.Path("large"), std::string(70'000, 'x'));
  for (const char* name : {"text", "empty", "large"}) {
    ASSERT_EQ(chmod(server.Path(name).c_str(), 0600), 0);
  }
  std::filesystem::copy_file(server.key_file(), server.Path("shared"));
  ASSERT_EQ(chmod(server.Path("shared").c_str(), 0640), 0);
  for (const char* name :
       {"missing", "locked", "locked_pem", "text", "empty", "large", "shared", "key.pub"}) {
    options.key_file = server.Path(name);
    const auto opened = OpenDestination(server.url(), options);
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << name << opened.status();
    EXPECT_NE(HintOf(opened.status()), "") << name;
  }
  options.key_file = "";
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenDestination(server.url(), options).status()));
  options = server.options();
  options.known_hosts_file = "";
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenDestination(server.url(), options).status()));
}

TEST_F(SftpDestinationTest, KeysOfOtherKindsWork) {
  SftpServer server;
  server.MakeKey("rsa", {"-t", "rsa", "-b", "2048", "-N", ""});
  server.MakeKey("pem", {"-t", "ecdsa", "-m", "PEM", "-N", ""});
  WriteLocal(server.Path("authorized_keys"),
             absl::StrCat(server.Read("rsa.pub"), server.Read("pem.pub")));
  for (const char* name : {"rsa", "pem"}) {
    DestinationOptions options = server.options();
    options.key_file = server.Path(name);
    const auto opened = OpenDestination(server.url(), options);
    EXPECT_TRUE(opened.ok()) << name << opened.status();
  }
}

TEST_F(SftpDestinationTest, NobodyAtThePortIsAborted) {
  SftpServer server;
  server.Kill();
  ExpectWorthRetrying(Open(server).status());
  const auto unknown = OpenDestination("sftp://u@no-such-host.invalid/a", server.options());
  ExpectWorthRetrying(unknown.status());
}

// A listener that takes connections and never says anything: a hung server, a firewall.
TEST_F(SftpDestinationTest, SilentServerTimesOut) {
  SftpServer server;
  server.Kill();
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = htons(static_cast<std::uint16_t>(server.port())),
                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 5), 0);
  DestinationOptions options = server.options();
  options.timeout = absl::Milliseconds(300);
  const absl::Time start = absl::Now();
  const auto opened = OpenDestination(server.url(), options);
  ExpectWorthRetrying(opened.status());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  close(listener);
}

TEST_F(SftpDestinationTest, ServerThatFreezesTimesOutInEveryCall) {
  SftpServer server;
  const std::string bytes = Pattern(8 << 20);
  WriteLocal(server.folder() + "/large", bytes);
  DestinationOptions options = server.options();
  options.timeout = absl::Seconds(3);  // in which a busy machine still connects
  auto writing = OpenDestination(server.url(), options);
  auto reading = OpenDestination(server.url(), options);
  auto asking = OpenDestination(server.url(), options);
  ASSERT_TRUE(writing.ok() && reading.ok() && asking.ok())
      << writing.status() << reading.status() << asking.status();
  const auto writer = (*writing)->Create("new");
  const auto reader = (*reading)->Read("large");
  ASSERT_TRUE(writer.ok() && reader.ok()) << writer.status() << reader.status();
  server.Freeze();
  const absl::Time start = absl::Now();
  std::thread appends([&] {
    // More than all buffers between here and there take.
    absl::Status appended;
    for (int i = 0; i < 8 && appended.ok(); ++i) {
      appended = (*writer)->Append(crypto::AsBytes(bytes));
    }
    ExpectWorthRetrying(appended);
    ExpectWorthRetrying((*writer)->Finish());
  });
  std::thread reads([&] {
    StringSink sink;
    ExpectWorthRetrying((*reader)->Stream(0, bytes.size(), sink));
  });
  ExpectWorthRetrying((*asking)->Size("large").status());
  // Nothing waits again on a connection that is given up.
  const absl::Time given_up = absl::Now();
  ExpectWorthRetrying((*asking)->List("").status());
  ExpectWorthRetrying((*asking)->Create("other").status());
  EXPECT_LT(absl::Now() - given_up, absl::Seconds(1));
  appends.join();
  reads.join();
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
  server.Wake();
  EXPECT_EQ(*Get(*OpenOrDie(server), "large"), bytes);
}

TEST_F(SftpDestinationTest, ServerKilledInTheMiddleAndTheUploadGoesOn) {
  SftpServer server;
  const TemporaryFolder local;
  const std::string bytes = Pattern(12 << 20);
  WriteLocal(local.Path("file"), bytes);
  int opened = 0;
  bool cut = false;
  UploadOptions options;
  options.sleep = [](absl::Duration) {};
  options.progress = [&](std::uint64_t done) {
    if (opened == 1 && done >= bytes.size() / 3 && !cut) {
      cut = true;
      server.Kill();
      server.Start();
    }
    if (opened == 2 && done >= bytes.size() / 2 && cut) {
      cut = false;
      server.CutConnections();
    }
  };
  const auto uploaded = RetryingUpload(
      [&] {
        ++opened;
        return Open(server);
      },
      local.Path("file"), "a.sba.age", options);
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
  EXPECT_EQ(uploaded->attempts, 3);
  EXPECT_EQ(uploaded->bytes, bytes.size());
  EXPECT_EQ(ReadLocal(server.folder() + "/a.sba.age"), bytes);
}

TEST_F(SftpDestinationTest, ServerKilledWhileReadingIsAborted) {
  SftpServer server;
  const std::string bytes = Pattern(16 << 20);
  WriteLocal(server.folder() + "/a", bytes);
  const auto destination = OpenOrDie(server);
  const auto reader = destination->Read("a");
  ASSERT_TRUE(reader.ok()) << reader.status();
  struct KillingSink : StringSink {
    explicit KillingSink(SftpServer& killed) : server(killed) {}
    absl::Status Append(ByteView piece) override {
      if (text.size() > (1u << 20)) server.Kill();
      return StringSink::Append(piece);
    }
    SftpServer& server;
  } sink(server);
  ExpectWorthRetrying((*reader)->Stream(0, bytes.size(), sink));
  EXPECT_EQ(bytes.compare(0, sink.text.size(), sink.text), 0);
}

TEST_F(SftpDestinationTest, FullDiskIsToldAndTheRestGoesThereLater) {
  SftpServer server({.max_file_bytes = 5'000'000});
  const std::string bytes = Pattern(9'000'000);
  const TemporaryFolder local;
  WriteLocal(local.Path("file"), bytes);
  UploadOptions options{.attempts = 2};
  options.sleep = [](absl::Duration) {};
  const auto open = [&] { return Open(server); };
  const auto full = RetryingUpload(open, local.Path("file"), "a", options);
  ExpectWorthRetrying(full.status());
  EXPECT_THAT(HintOf(full.status()), HasSubstr("full"));
  const std::string part = ReadLocal(server.folder() + "/a");
  EXPECT_LE(part.size(), 5'000'000u);
  EXPECT_GT(part.size(), 0u);
  EXPECT_EQ(bytes.compare(0, part.size(), part), 0);
  server.Restart({});
  const auto rest = RetryingUpload(open, local.Path("file"), "a", options);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(rest->resumed, part.size());
  EXPECT_EQ(ReadLocal(server.folder() + "/a"), bytes);
}

TEST_F(SftpDestinationTest, ReadOnlyServerIsRefused) {
  SftpServer server({.internal_sftp = "-R"});
  WriteLocal(server.folder() + "/a", "x");
  const auto destination = OpenOrDie(server);
  ExpectRefused(destination->Create("b").status());
  ExpectRefused(destination->Create("subjects/b").status());
  ExpectRefused(destination->Resume("a", 1).status());
  ExpectRefused(destination->Remove("a"));
  EXPECT_EQ(*Get(*destination, "a"), "x");
}

TEST_F(SftpDestinationTest, AccountThatMayNotDeleteWillDo) {
  SftpServer server({.internal_sftp = "-P remove,rename,posix-rename,setstat,fsetstat"});
  const auto destination = OpenOrDie(server);
  ASSERT_TRUE(Put(*destination, "a", Pattern(100'000)).ok());
  ExpectRefused(destination->Remove("a"));
  EXPECT_EQ(*destination->ProvesDeletion("subjects"), false);
  EXPECT_EQ(*destination->ProvesDeletion("subjects"), false);
  EXPECT_EQ(destination->List("subjects")->size(), 1u);
  EXPECT_EQ(*Get(*destination, "a"), Pattern(100'000));
}

TEST_F(SftpDestinationTest, ServerWithoutSftpSaysSo) {
  SftpServer server({.config = "ForceCommand /bin/false"});
  const auto opened = Open(server);
  EXPECT_TRUE(IsUnreachable(opened.status())) << opened.status();
}

TEST_F(SftpDestinationTest, KeysAreRenewedInTheMiddle) {
  SftpServer server({.config = "RekeyLimit 1M"});
  const std::string bytes = Pattern(12 << 20);
  const auto destination = OpenOrDie(server);
  ASSERT_TRUE(Put(*destination, "a", bytes).ok());
  EXPECT_EQ(*Get(*destination, "a"), bytes);
}

TEST_F(SftpDestinationTest, OlderCiphersAndHostKeysWork) {
  SftpServer server({.config = "Ciphers chacha20-poly1305@openssh.com"});
  EXPECT_TRUE(Put(*OpenOrDie(server), "a", Pattern(100'000)).ok());
  server.Restart({.config = "Ciphers aes128-ctr\nMACs hmac-sha2-256"});
  EXPECT_EQ(*Get(*OpenOrDie(server), "a"), Pattern(100'000));
}

TEST_F(SftpDestinationTest, NoCommonCipherIsRefused) {
  SftpServer server({.config = "Ciphers 3des-cbc"});
  const auto opened = Open(server);
  ExpectRefused(opened.status());
}

TEST_F(SftpDestinationTest, NothingOfTheUsersOwnIsAsked) {
  SftpServer server;
  // A home whose known_hosts knows the server, whose configuration would send us elsewhere and
  // whose key the server takes.
  const TemporaryFolder home;
  std::filesystem::create_directory(home.Path(".ssh"));
  std::filesystem::copy_file(server.known_hosts_file(), home.Path(".ssh/known_hosts"));
  std::filesystem::copy_file(server.key_file(), home.Path(".ssh/id_ed25519"));
  WriteLocal(home.Path(".ssh/config"), "Host *\n  Port 1\n  User somebody\n");
  const char* before = getenv("HOME");
  const std::string old_home = before == nullptr ? "" : before;
  setenv("HOME", home.path().c_str(), 1);
  EXPECT_TRUE(Open(server).ok());
  WriteLocal(server.known_hosts_file(), "");
  ExpectRefused(Open(server).status());
  server.WriteKnownHosts();
  server.MakeKey("wrong");
  DestinationOptions options = server.options();
  options.key_file = server.Path("wrong");
  ExpectRefused(OpenDestination(server.url(), options).status());
  setenv("HOME", old_home.c_str(), 1);
}

TEST_F(SftpDestinationTest, ErrorsNameThePlaceAndNoKey) {
  SftpServer server;
  const auto destination = OpenOrDie(server);
  const absl::Status status = destination->Read("a.sba.age").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr(server.url() + "/a.sba.age"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("PRIVATE")));
}

}  // namespace
}  // namespace sealbook::archive
