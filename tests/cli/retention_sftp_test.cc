// retention run against a real SFTP server, and against one that goes away or is not who it was.
#include <gmock/gmock.h>

#include "tests/support/retention_commands.h"
#include "tests/support/sftp_server.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RetentionSftpTest : public RetentionCommandTest {
 public:
  void SetUp() override { SFTP_SERVER_OR_SKIP(); }
  // A server with chats on their way to it.
  void Begin(SftpServerOptions options = {}) {
    server_ = std::make_unique<SftpServer>(std::move(options));
    environment_["SEALBOOK_SFTP_KEY"] = Path("sftp.key");
    environment_["SEALBOOK_SFTP_KNOWN_HOSTS"] = Path("known_hosts");
    Write("sftp.key", ReadFile(server_->key_file()));
    Write("known_hosts", ReadFile(server_->known_hosts_file()));
    SetDestinations({server_->url()});
    WriteChats();
  }
  void ExpectAllArchived() {
    EXPECT_EQ(Archived(server_->folder()), Texts(ChatPhones(), OldDays()));
    EXPECT_EQ(Cron({"retention", "status"})["purged"], kExpired);
  }

 protected:
  std::unique_ptr<SftpServer> server_;
};

TEST_F(RetentionSftpTest, FromThePlanToOneCustomersWords) {
  Begin();
  EXPECT_EQ(Cron({"retention", "plan"})["expired"], kExpired);
  const Json ran = RunJob();
  EXPECT_EQ(ran["archived"], kExpired);
  EXPECT_EQ(ran["purged"], kExpired);
  EXPECT_EQ(RunJob()["state"], "idle");
  ExpectAllArchived();
  const Json verified = Cron({"archive", "verify", "--remote"});
  EXPECT_EQ(verified["ok"], true);
  ASSERT_THAT(verified["archives"], SizeIs(2));
  EXPECT_THAT(verified["archives"][0]["detail"].get<std::string>(), HasSubstr(server_->url()));
  // By its name it is read from the server.
  const Ran read = As("owner", {"archive", "read", ArchiveNames()[0], "--identity", Identity(),
                                "--uid", UidOf(ChatPhones()[1])});
  EXPECT_EQ(read.exit, 0) << read;
  EXPECT_EQ(TextsOf(read), Texts({ChatPhones()[1]}, {OldDays()[0], OldDays()[1]}));
}

TEST_F(RetentionSftpTest, KeysStandInTheVaultWhereNothingElseIsSaid) {
  Begin();
  environment_.erase("SEALBOOK_SFTP_KEY");
  environment_.erase("SEALBOOK_SFTP_KNOWN_HOSTS");
  const Ran without = TryJob();
  EXPECT_EQ(without.exit, 9) << without;
  EXPECT_THAT(without.out, AllOf(HasSubstr("127.0.0.1.key"), HasSubstr("ssh-keygen")));
  ExpectNothingPurged();
  std::filesystem::create_directory(VaultPath("destinations"));
  Write("vault/destinations/127.0.0.1.key", ReadFile(server_->key_file()));
  Write("vault/destinations/127.0.0.1.known_hosts", ReadFile(server_->known_hosts_file()));
  EXPECT_EQ(RunJob()["purged"], kExpired);
}

TEST_F(RetentionSftpTest, SystemdsCredentials) {
  Begin();
  environment_.erase("SEALBOOK_SFTP_KEY");
  environment_.erase("SEALBOOK_SFTP_KNOWN_HOSTS");
  std::filesystem::create_directory(Path("credentials"));
  Write("credentials/127.0.0.1.key", ReadFile(server_->key_file()), 0400);
  Write("credentials/known_hosts", ReadFile(server_->known_hosts_file()), 0400);
  environment_["CREDENTIALS_DIRECTORY"] = Path("credentials");
  EXPECT_EQ(RunJob()["purged"], kExpired);
}

TEST_F(RetentionSftpTest, AHostKeyThatIsUnknownOrChanged) {
  Begin();
  // Unknown: what it shows is told, and nothing is learned from it.
  Write("known_hosts", "# nobody yet\n");
  Ran ran = TryJob();
  EXPECT_EQ(ran.exit, 9) << ran;
  EXPECT_EQ(ran.json()["error"]["code"], "archive_unreachable");
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(),
              AllOf(HasSubstr(server_->HostKeyFingerprint()), HasSubstr("ssh-keyscan")));
  EXPECT_EQ(ReadFile(Path("known_hosts")), "# nobody yet\n");
  ExpectNothingPurged();
  // Changed.
  Write("known_hosts", ReadFile(server_->known_hosts_file()));
  server_->ChangeHostKey();
  ran = TryJob();
  EXPECT_EQ(ran.exit, 9) << ran;
  EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("another host key"));
  ExpectNothingPurged();
  // Compared and taken over by somebody: on it goes.
  server_->WriteKnownHosts();
  Write("known_hosts", ReadFile(server_->known_hosts_file()));
  EXPECT_EQ(RunJob()["purged"], kExpired);
}

TEST_F(RetentionSftpTest, AServerThatIsAwayAndThenBack) {
  Begin();
  server_->Kill();
  ExpectError(As("cron", {"--quiet", "retention", "run"}), 9);
  ExpectNothingPurged();
  server_->Start();
  EXPECT_EQ(RunJob()["purged"], kExpired);
  ExpectAllArchived();
  server_->Kill();
  const Ran verify = As("cron", {"archive", "verify", "--remote", "--json"});
  EXPECT_EQ(verify.exit, 9) << verify;
  EXPECT_EQ(verify.json()["ok"], false);
  ExpectJsonError(
      As("owner", {"archive", "read", ArchiveNames()[0], "--identity", Identity(), "--json"}), 9,
      "archive_unreachable");
}

TEST_F(RetentionSftpTest, AServerThatGoesInTheMiddleAndComesBack) {
  Begin({.filter = {"delay=60"}});
  Process job = StartAs("cron", {"retention", "run", "--json"});
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (FilesIn(server_->folder(), ".sba.age").empty() && absl::Now() < deadline)
    absl::SleepFor(absl::Milliseconds(2));
  ASSERT_THAT(FilesIn(server_->folder(), ".sba.age"), SizeIs(1));
  server_->Kill();
  server_->Restart({});
  // The run may have seen the end of it where nothing is tried again; the next one then finishes.
  const Ran ran = job.Wait();
  EXPECT_TRUE(ran.exit == 0 || ran.exit == 9) << ran;
  if (ran.exit == 9) {
    EXPECT_EQ(TryJob().exit, 0);
  }
  ExpectAllArchived();
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(RetentionSftpTest, AnAccountThatMayNotDeleteArchives) {
  Begin({.filter = {"keep-outside=subjects"}});
  EXPECT_EQ(RunJob()["purged"], kExpired);
  const std::string uid = UidOf(ChatPhones()[0]);
  const Json erased = Ask("owner", {"subject", "erase", uid, "--reason", "letter"});
  EXPECT_THAT(erased["pending_remote"], SizeIs(0));
  EXPECT_EQ(Archived(server_->folder()), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
}

TEST_F(RetentionSftpTest, AnAccountThatMayDeleteNothingPurgesNothing) {
  Begin({.filter = {"keep-outside=nowhere"}});
  const Ran ran = TryJob();
  EXPECT_EQ(ran.exit, 9) << ran;
  EXPECT_THAT(ran.out, HasSubstr("subjects"));
  const Json status = Cron({"retention", "status"});
  EXPECT_EQ(status["purged"], 0);
}

}  // namespace
}  // namespace sealbook::testing
