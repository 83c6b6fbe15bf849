#include "vault/archive/folder_destination.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vault/archive/destination_fixture.h"

namespace sealbook::archive {
namespace {

class FolderDestinationTest : public ::testing::Test {
 protected:
  std::unique_ptr<Destination> Open() const {
    auto opened = OpenDestination("file://" + root_.path(), {});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  const TemporaryFolder root_;
};

// Runs `body` in a child whose files may have `bytes` at most; its failures end it with 1.
template <typename Body>
void WithFullDisk(std::uint64_t bytes, Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(FolderDestinationTest, FullDiskIsToldAndThePartCanBeGoneOnWith) {
  const std::string bytes = Pattern(1'000'000);
  WithFullDisk(600'000, [&] {
    const auto destination = Open();
    const absl::Status status = Put(*destination, "a", bytes);
    return IsUnreachable(status) && WorthRetrying(status) && !HintOf(status).empty();
  });
  const auto destination = Open();
  const auto size = destination->Size("a");
  ASSERT_TRUE(size.ok() && size->has_value()) << size.status();
  EXPECT_EQ(size->value(), 600'000u);
  const auto writer = destination->Resume("a", 600'000);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Append(crypto::AsBytes(bytes).subspan(600'000)).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(*Get(*destination, "a"), bytes);
}

TEST_F(FolderDestinationTest, ReadOnlyFileSystemIsRefused) {
  const std::string folder = root_.Path("mounted");
  std::filesystem::create_directory(folder);
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_RDONLY, "size=64k") != 0) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  {
    const auto destination = OpenDestination("file://" + folder, {});
    ASSERT_TRUE(destination.ok()) << destination.status();
    ExpectRefused((*destination)->Create("a").status());
    ExpectRefused((*destination)->Create("subjects/a").status());
  }
  EXPECT_EQ(umount2(folder.c_str(), MNT_DETACH), 0);
}

TEST_F(FolderDestinationTest, NothingIsFollowedOrWaitedFor) {
  const TemporaryFolder outside;
  WriteLocal(outside.Path("secret"), "x");
  std::filesystem::create_symlink(outside.Path("secret"), root_.Path("link"));
  std::filesystem::create_symlink(outside.path(), root_.Path("subjects"));
  ASSERT_EQ(mkfifo(root_.Path("pipe").c_str(), 0600), 0);
  const auto destination = Open();
  for (const char* path : {"link", "pipe", "subjects/secret"}) {
    ExpectRefused(destination->Size(path).status());
    ExpectRefused(destination->Read(path).status());
    ExpectRefused(destination->Resume(path, 1).status());
  }
  ExpectRefused(destination->Create("subjects/new").status());
  ExpectRefused(destination->List("subjects").status());
  EXPECT_EQ(ReadLocal(outside.Path("secret")), "x");
  EXPECT_FALSE(std::filesystem::exists(outside.Path("new")));
}

TEST_F(FolderDestinationTest, FileThatShrinksWhileItIsReadIsAborted) {
  const auto destination = Open();
  ASSERT_TRUE(Put(*destination, "a", Pattern(1000)).ok());
  const auto reader = destination->Read("a");
  ASSERT_EQ(truncate(root_.Path("a").c_str(), 10), 0);
  StringSink sink;
  EXPECT_TRUE(IsUnreachable((*reader)->Stream(0, 1000, sink)));
}

}  // namespace
}  // namespace sealbook::archive
