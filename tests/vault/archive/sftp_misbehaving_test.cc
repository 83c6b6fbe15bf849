// Servers that break the protocol or lie, made by a filter in front of OpenSSH's.
#include "tests/support/sftp_server.h"
#include "tests/vault/archive/destination_fixture.h"

namespace sealbook::archive {
namespace {

using ::testing::IsEmpty;
using testing::SftpServer;

class SftpMisbehavingTest : public ::testing::Test {
 protected:
  void SetUp() override { SFTP_SERVER_OR_SKIP(); }
  static absl::StatusOr<std::unique_ptr<Destination>> Open(const SftpServer& server) {
    return OpenDestination(server.url(), server.options());
  }
};

TEST_F(SftpMisbehavingTest, FilterWithoutRulesChangesNothing) {
  SftpServer server({.filter = {"delay=0"}});
  const auto destination = Open(server);
  ASSERT_TRUE(destination.ok()) << destination.status() << server.Log();
  ASSERT_TRUE(Put(**destination, "a", Pattern(3'000'000)).ok());
  EXPECT_EQ(*Get(**destination, "a"), Pattern(3'000'000));
  EXPECT_EQ(*(*destination)->ProvesDeletion(""), true);
}

TEST_F(SftpMisbehavingTest, DeletionIsProvenInOneFolderAlone) {
  SftpServer server({.filter = {"keep-outside=subjects"}});
  const auto destination = Open(server);
  ASSERT_TRUE(destination.ok()) << destination.status();
  EXPECT_EQ(*(*destination)->ProvesDeletion("subjects"), true);
  EXPECT_EQ(*(*destination)->ProvesDeletion(""), false);
  EXPECT_EQ(*(*destination)->ProvesDeletion("tombstones"), false);
}

TEST_F(SftpMisbehavingTest, AnswersInAnyOrderAndOfAnySizeAreRead) {
  const std::string bytes = Pattern(5'000'000);
  for (const char* rule : {"short-reads", "reorder", "no-extensions"}) {
    SftpServer server({.filter = {rule}});
    const auto destination = Open(server);
    ASSERT_TRUE(destination.ok()) << rule << destination.status();
    ASSERT_TRUE(Put(**destination, "a", bytes).ok()) << rule;
    EXPECT_TRUE(*Get(**destination, "a") == bytes) << rule;
    std::vector<std::uint8_t> out(1'000'000);
    const auto reader = (*destination)->Read("a");
    EXPECT_EQ(*(*reader)->ReadAt(4'500'000, out), 500'000u) << rule;
    EXPECT_TRUE((*destination)->FreeBytes().ok());
  }
}

TEST_F(SftpMisbehavingTest, RefusedWriteLeavesNoGap) {
  SftpServer server({.filter = {"fail-write=3"}});
  const std::string bytes = Pattern(3'000'000);
  const auto destination = Open(server);
  ASSERT_TRUE(destination.ok()) << destination.status();
  const absl::Status status = Put(**destination, "a", bytes);
  EXPECT_TRUE(IsUnreachable(status)) << status;
  const std::string part = ReadLocal(server.folder() + "/a");
  EXPECT_GT(part.size(), 0u);
  EXPECT_EQ(bytes.compare(0, part.size(), part), 0);
  // The connection is still of use.
  EXPECT_EQ(*(*destination)->Size("a"), part.size());
}

TEST_F(SftpMisbehavingTest, ConnectionCutAgainAndAgainStillEnds) {
  SftpServer server({.filter = {"cut-after=500000", "no-extensions"}});
  const std::string bytes = Pattern(1'700'000);
  const TemporaryFolder local;
  WriteLocal(local.Path("file"), bytes);
  UploadOptions options{.attempts = 8};
  options.sleep = [](absl::Duration) {};
  const auto open = [&] { return Open(server); };
  const auto uploaded = RetryingUpload(open, local.Path("file"), "a", options);
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
  EXPECT_GT(uploaded->attempts, 3);
  EXPECT_TRUE(ReadLocal(server.folder() + "/a") == bytes);
}

TEST_F(SftpMisbehavingTest, SilenceInTheMiddleTimesOut) {
  SftpServer server({.filter = {"hang-after=1000000"}});
  DestinationOptions options = server.options();
  options.timeout = absl::Seconds(3);
  const auto destination = OpenDestination(server.url(), options);
  ASSERT_TRUE(destination.ok()) << destination.status();
  const absl::Time start = absl::Now();
  ExpectWorthRetrying(Put(**destination, "a", Pattern(6'000'000)));
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(SftpMisbehavingTest, SlowServerThatAnswersInTimeIsWaitedFor) {
  SftpServer server({.filter = {"delay=80", "no-extensions"}});
  DestinationOptions options = server.options();
  options.timeout = absl::Seconds(3);
  const auto destination = OpenDestination(server.url(), options);
  ASSERT_TRUE(destination.ok()) << destination.status();
  // 40 requests: longer than the timeout in all.
  const std::string bytes = Pattern(40 * 32 * 1024);
  const absl::Time start = absl::Now();
  EXPECT_TRUE(Put(**destination, "a", bytes).ok());
  EXPECT_GT(absl::Now() - start, options.timeout);
  EXPECT_TRUE(ReadLocal(server.folder() + "/a") == bytes);
}

TEST_F(SftpMisbehavingTest, ProtocolThatIsBrokenIsRefused) {
  for (const char* rule : {"greeting", "wrong-number"}) {
    SftpServer server({.filter = {rule}});
    ExpectRefused(Open(server).status());
  }
  SftpServer server({.filter = {"long-data"}});
  WriteLocal(server.folder() + "/a", "x");
  const auto destination = Open(server);
  ASSERT_TRUE(destination.ok()) << destination.status();
  ExpectRefused(Get(**destination, "a").status());
  // What broke the protocol once is asked nothing more.
  ExpectRefused((*destination)->Size("a").status());
}

TEST_F(SftpMisbehavingTest, HostileListingsAreBounded) {
  for (const char* kind : {"endless", "empty", "twice"}) {
    SftpServer server({.filter = {absl::StrCat("list=", kind)}});
    const auto destination = Open(server);
    ASSERT_TRUE(destination.ok()) << destination.status();
    const auto files = (*destination)->List("");
    ExpectRefused(files.status());
  }
}

TEST_F(SftpMisbehavingTest, StrangeNamesAreLeftOut) {
  SftpServer server({.filter = {"list=strange"}});
  const auto destination = Open(server);
  ASSERT_TRUE(destination.ok()) << destination.status();
  const auto files = (*destination)->List("");
  ASSERT_TRUE(files.ok()) << files.status();
  std::vector<std::string> names;
  for (const RemoteFile& file : *files) {
    EXPECT_TRUE(IsPathPart(file.name)) << file.name;
    EXPECT_EQ(file.bytes, 7u);
    names.push_back(file.name);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("-dash", "good-1", "good-2", std::string(200, 'l')));
}

}  // namespace
}  // namespace sealbook::archive
