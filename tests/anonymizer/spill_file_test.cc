#include "anonymizer/spill_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using crypto::AsBytes;

// The file behind a SpillFile, as another descriptor of this process; nobody else has a way to it.
int OpenBehind() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    if (absl::EndsWith(target, " (deleted)") && absl::StartsWith(target, ::testing::TempDir()))
      return open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
  }
  return -1;
}

class SpillFileTest : public ::testing::Test {
 protected:
  SpillFileTest() {
    if (const char* folder = getenv("TMPDIR")) old_folder_ = folder;
    std::string folder = ::testing::TempDir();
    setenv("TMPDIR", folder.c_str(), 1);
  }
  ~SpillFileTest() override {
    old_folder_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", old_folder_.c_str(), 1);
  }
  std::string old_folder_;
};

TEST_F(SpillFileTest, BlocksComeBackInAnyOrder) {
  auto file = SpillFile::Create();
  ASSERT_TRUE(file.ok()) << file.status();
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE((*file)->Add(AsBytes(std::string(static_cast<std::size_t>(i * 7), 'a'))).ok());
  for (const std::size_t i : {49, 0, 1, 25, 0})
    EXPECT_EQ((*file)->Read(i)->ExposeText(), std::string(i * 7, 'a'));
}

TEST_F(SpillFileTest, TheDiskHoldsNoBlockAsItIs) {
  const std::string marker = "a marker that is long enough";
  auto file = SpillFile::Create();
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Add(AsBytes(marker)).ok());
  const int behind = OpenBehind();
  ASSERT_GE(behind, 0);
  std::string bytes(4096, '\0');
  const ssize_t size = pread(behind, bytes.data(), bytes.size(), 0);
  EXPECT_GT(size, static_cast<ssize_t>(marker.size()));
  EXPECT_FALSE(absl::StrContains(bytes, marker));
  // The search would have found it.
  ASSERT_EQ(pwrite(behind, marker.data(), marker.size(), 100), static_cast<ssize_t>(marker.size()));
  ASSERT_GT(pread(behind, bytes.data(), bytes.size(), 0), 0);
  EXPECT_TRUE(absl::StrContains(bytes, marker));
  close(behind);
}

TEST_F(SpillFileTest, AlteredOrSwappedBlocksAreDataLoss) {
  auto file = SpillFile::Create();
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Add(AsBytes("one block")).ok());
  ASSERT_TRUE((*file)->Add(AsBytes("two block")).ok());
  const int behind = OpenBehind();
  ASSERT_GE(behind, 0);
  std::string bytes(4096, '\0');
  const auto size = static_cast<std::size_t>(pread(behind, bytes.data(), bytes.size(), 0));
  const std::string swapped = bytes.substr(size / 2, size / 2) + bytes.substr(0, size / 2);
  ASSERT_EQ(pwrite(behind, swapped.data(), size, 0), static_cast<ssize_t>(size));
  EXPECT_TRUE(absl::IsDataLoss((*file)->Read(0).status()));
  ASSERT_EQ(ftruncate(behind, static_cast<off_t>(size - 1)), 0);
  EXPECT_TRUE(absl::IsDataLoss((*file)->Read(1).status()));
  close(behind);
}

TEST_F(SpillFileTest, WithoutRoomItSaysWhatToDo) {
  auto file = SpillFile::Create();
  ASSERT_TRUE(file.ok());
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = (*file)->Add(AsBytes(std::string(5000, 'x')));
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, handler);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_FALSE(HintOf(status).empty());
}

TEST_F(SpillFileTest, WithoutAFolderItSaysWhatToDo) {
  setenv("TMPDIR", "/does/not/exist", 1);
  const auto file = SpillFile::Create();
  EXPECT_TRUE(absl::IsInternal(file.status())) << file.status();
  EXPECT_FALSE(HintOf(file.status()).empty());
}

}  // namespace
}  // namespace sealbook::anonymizer
