#include "vault/keyring/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sealbook::keyring {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/file";
  }
  ~FilesTest() override { std::filesystem::remove_all(root_); }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(root_))
      names.push_back(entry.path().filename());
    return names;
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  void WriteWithMode(absl::string_view contents, mode_t mode) {
    std::ofstream(path_, std::ios::trunc) << contents;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }

  std::string root_, path_;
};

TEST_F(FilesTest, PathsStandInTheDirectory) {
  const VaultPaths paths("/srv/vault");
  EXPECT_EQ(paths.database(), "/srv/vault/vault.db");
  EXPECT_EQ(paths.unlock(), "/srv/vault/unlock.json");
  EXPECT_EQ(paths.lockout(), "/srv/vault/lockout.json");
  EXPECT_EQ(paths.escrow(), "/srv/vault/escrow.key.age");
}

TEST_F(FilesTest, SmallFileComesBackWhole) {
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(CreateNewFile(path_, contents, 0600).ok());
  EXPECT_EQ(*ReadSmallFile(path_, 4), contents);  // the bound is inclusive
  EXPECT_EQ(*ReadSmallFile(path_, 1000), contents);
  ASSERT_TRUE(ReplaceFile(path_, "", 0600).ok());
  EXPECT_EQ(*ReadSmallFile(path_, 0), "");
}

TEST_F(FilesTest, MissingLargeOrNoFileIsTold) {
  EXPECT_TRUE(absl::IsNotFound(ReadSmallFile(path_, 10).status()));
  ASSERT_TRUE(CreateNewFile(path_, "12345678901", 0600).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSmallFile(path_, 10).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSmallFile(root_, 10).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSmallFile("/dev/zero", 10).status()));  // has no end
}

TEST_F(FilesTest, SecretFileThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0644, 0640, 0604, 0660, 0610, 0602}) {
    WriteWithMode("secret", mode);
    EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecretFile(path_, 100).status()))
        << std::oct << mode;
  }
  for (const mode_t mode : {0600, 0400, 0700}) {
    WriteWithMode("secret", 0600);
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    const auto secret = ReadSecretFile(path_, 100);
    ASSERT_TRUE(secret.ok()) << std::oct << mode << secret.status();
    EXPECT_EQ(secret->ExposeText(), "secret");
    ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  }
}

TEST_F(FilesTest, SecretFileMissingLargeOrADirectoryIsTold) {
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecretFile(path_, 10).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecretFile(root_, 10).status()));
  WriteWithMode("12345678901", 0600);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSecretFile(path_, 10).status()));
  EXPECT_EQ(ReadSecretFile(path_, 11)->size(), 11u);
}

TEST_F(FilesTest, SecretFromStandardInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "from a pipe", 11), 11);
  close(ends[1]);
  const int before = dup(STDIN_FILENO);
  ASSERT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  const auto secret = ReadSecretFile("-", 100);
  ASSERT_EQ(dup2(before, STDIN_FILENO), STDIN_FILENO);
  close(before);
  close(ends[0]);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(secret->ExposeText(), "from a pipe");
}

TEST_F(FilesTest, NewFileOverAnotherIsAlreadyExistsAndLeavesIt) {
  ASSERT_TRUE(CreateNewFile(path_, "first", 0600).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(CreateNewFile(path_, "second", 0660)));
  EXPECT_EQ(*ReadSmallFile(path_, 100), "first");
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_TRUE(absl::IsNotFound(CreateNewFile(root_ + "/missing/file", "x", 0600)));
}

TEST_F(FilesTest, EmptyFileThatAKilledProcessLeftIsWritten) {
  close(open(path_.c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_TRUE(CreateNewFile(path_, "whole", 0600).ok());
  EXPECT_EQ(*ReadSmallFile(path_, 100), "whole");
}

TEST_F(FilesTest, EmptyFileThatOthersMayHaveOpenIsAlreadyExists) {
  close(open(path_.c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_EQ(chmod(path_.c_str(), 0604), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(CreateNewFile(path_, "secret", 0600)));
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  ASSERT_EQ(link(path_.c_str(), (root_ + "/elsewhere").c_str()), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(CreateNewFile(path_, "secret", 0600)));
  EXPECT_EQ(*ReadSmallFile(path_, 100), "");
}

TEST_F(FilesTest, NewFileDoesNotFollowALink) {
  ASSERT_EQ(symlink((root_ + "/elsewhere").c_str(), path_.c_str()), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(CreateNewFile(path_, "x", 0600)));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/elsewhere"));
}

TEST_F(FilesTest, ModeIsTheCallersAndNotTheUmasks) {
  const mode_t before = umask(0077);
  EXPECT_TRUE(ReplaceFile(path_, "x", 0660).ok());
  EXPECT_EQ(ModeOf(path_), 0660u);
  umask(0);
  EXPECT_TRUE(ReplaceFile(path_, "x", 0600).ok());
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_TRUE(FileLock::Take(path_ + ".lock", 0660).ok());
  EXPECT_EQ(ModeOf(path_ + ".lock"), 0660u);
  umask(before);
}

TEST_F(FilesTest, ReaderSeesTheOldFileOrTheNewOne) {
  const std::string old_contents(50000, 'a'), new_contents(70000, 'b');
  ASSERT_TRUE(ReplaceFile(path_, old_contents, 0600).ok());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(ReplaceFile(path_, i % 2 == 0 ? new_contents : old_contents, 0600).ok());
    }
    done = true;
  });
  int reads = 0, seen_old = 0, seen_new = 0;
  do {
    const auto read = ReadSmallFile(path_, 100000);
    if (!read.ok()) {
      ADD_FAILURE() << read.status();
      break;
    }
    ++reads;
    if (*read == old_contents) ++seen_old;
    if (*read == new_contents) ++seen_new;
  } while (!done);
  writer.join();
  EXPECT_GT(reads, 0);
  EXPECT_EQ(seen_old + seen_new, reads);
}

TEST_F(FilesTest, WhatACrashLeftBesideIsOverwritten) {
  ASSERT_TRUE(ReplaceFile(path_, "old", 0600).ok());
  std::ofstream(path_ + ".new") << "half of the ne";  // as a crash before the rename leaves it
  EXPECT_EQ(*ReadSmallFile(path_, 100), "old");
  ASSERT_TRUE(ReplaceFile(path_, "new", 0600).ok());
  EXPECT_EQ(*ReadSmallFile(path_, 100), "new");
  EXPECT_THAT(Names(), ::testing::ElementsAre("file"));
}

TEST_F(FilesTest, ReplaceThatFailsLeavesNothingBeside) {
  std::filesystem::create_directories(path_ + "/inner");  // cannot be renamed over
  EXPECT_FALSE(ReplaceFile(path_, "new", 0600).ok());
  EXPECT_THAT(Names(), ::testing::ElementsAre("file"));
  EXPECT_TRUE(std::filesystem::is_directory(path_ + "/inner"));
}

TEST_F(FilesTest, ReplaceDoesNotWriteThroughALinkBeside) {
  const std::string victim = root_ + "/victim";
  ASSERT_TRUE(CreateNewFile(victim, "untouched", 0600).ok());
  ASSERT_EQ(symlink(victim.c_str(), (path_ + ".new").c_str()), 0);
  ASSERT_TRUE(ReplaceFile(path_, "new", 0600).ok());
  EXPECT_EQ(*ReadSmallFile(victim, 100), "untouched");
  EXPECT_EQ(*ReadSmallFile(path_, 100), "new");
}

TEST_F(FilesTest, LockIsHeldByOneAtATime) {
  std::atomic<bool> taken = false;
  std::thread second;
  {
    const auto lock = FileLock::Take(path_, 0600);
    ASSERT_TRUE(lock.ok());
    second = std::thread([&] {
      const auto waited = FileLock::Take(path_, 0600);
      EXPECT_TRUE(waited.ok());
      taken = true;
    });
    absl::SleepFor(absl::Milliseconds(50));
    EXPECT_FALSE(taken);
  }
  second.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace sealbook::keyring
