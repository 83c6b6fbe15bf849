#include "vault/archive/destination_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vault/archive/destination.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DestinationUrlTest, FolderAndSftpAreUnderstood) {
  const auto folder = ParseDestination("file:///srv/archives/");
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->kind, DestinationKind::kFolder);
  EXPECT_EQ(folder->folder, "/srv/archives");
  EXPECT_EQ(folder->ToText(), "file:///srv/archives");

  const auto sftp = ParseDestination("sftp://keeper@Archive.Example.com:2222/srv/보관 1");
  ASSERT_TRUE(sftp.ok()) << sftp.status();
  EXPECT_EQ(sftp->kind, DestinationKind::kSftp);
  EXPECT_EQ(sftp->user, "keeper");
  EXPECT_EQ(sftp->host, "archive.example.com");
  EXPECT_EQ(sftp->port, 2222);
  EXPECT_EQ(sftp->folder, "/srv/보관 1");
  EXPECT_EQ(sftp->ToText(), "sftp://keeper@archive.example.com:2222/srv/보관 1");
}

TEST(DestinationUrlTest, PortRootAndAddressOfSixParts) {
  const auto root = ParseDestination("sftp://u@host:22/");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->folder, "/");
  EXPECT_EQ(root->ToText(), "sftp://u@host/");
  const auto six = ParseDestination("sftp://u@[2001:DB8::1]:22022/a");
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_EQ(six->host, "2001:db8::1");
  EXPECT_EQ(six->ToText(), "sftp://u@[2001:db8::1]:22022/a");
}

TEST(DestinationUrlTest, WhatIsNoAddressIsBadInput) {
  const std::string long_folder(1100, 'a'), long_user(65, 'u');
  for (const std::string& url : std::vector<std::string>{"",
                                                         "/srv",
                                                         "http://host/a",
                                                         "file://",
                                                         "file:///",
                                                         "file://host/a",
                                                         "file:srv",
                                                         "file:///a/../b",
                                                         "file:///a//b",
                                                         "file:///./a",
                                                         "file:///a%2fb",
                                                         "file:///a?b",
                                                         "file:///a#b",
                                                         "file:///a\\b",
                                                         "file:///a\nb",
                                                         "file:///\xff",
                                                         "file:///" + long_folder,
                                                         std::string("file:///a\0b", 11),
                                                         "sftp://host/a",
                                                         "sftp://u@host",
                                                         "sftp://u@/a",
                                                         "sftp://@host/a",
                                                         "sftp://u@host:0/a",
                                                         "sftp://u@host:65536/a",
                                                         "sftp://u@host:/a",
                                                         "sftp://u@host:22x/a",
                                                         "sftp://u@host:+22/a",
                                                         "sftp://u@-host/a",
                                                         "sftp://-u@host/a",
                                                         "sftp://u@ho st/a",
                                                         "sftp://u@ho\x1bst/a",
                                                         "sftp://u@[::1/a",
                                                         "sftp://u@[host]/a",
                                                         "sftp://u@::1/a",
                                                         "sftp://u v@host/a",
                                                         "sftp://u@v@host/a",
                                                         "sftp://u@host/~/a",
                                                         "sftp://u@host/~",
                                                         "sftp://u@host/..",
                                                         "sftp://" + long_user + "@host/a"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDestination(url).status())) << url;
  }
}

TEST(DestinationUrlTest, PasswordIsRefusedAndNotRepeated) {
  const auto status = ParseDestination("sftp://keeper:hunter2@host/a").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("password"));
  EXPECT_THAT(status.ToString() + HintOf(status), Not(HasSubstr("hunter2")));
}

TEST(DestinationUrlTest, S3SaysThatItIsNotThereYet) {
  const auto status = OpenDestination("s3://bucket/prefix", {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no S3"));
}

TEST(DestinationPathTest, OneOrTwoPlainParts) {
  for (const char* path :
       {"a", "subjects/000012.v3", "0f-2026-01-02-7.sba.age", "a_b/c-d.sig", "-"})
    EXPECT_TRUE(CheckPath(path).ok()) << path;
  EXPECT_TRUE(CheckPath(std::string(200, 'a')).ok());
  for (const std::string& path : std::vector<std::string>{"",
                                                          "/",
                                                          "/a",
                                                          "a/",
                                                          "a//b",
                                                          "a/b/c",
                                                          ".",
                                                          "..",
                                                          "../a",
                                                          "a/..",
                                                          ".a",
                                                          "a/.b",
                                                          "A",
                                                          "a b",
                                                          "a\\b",
                                                          "a\nb",
                                                          "ä",
                                                          "a*",
                                                          std::string("a\0", 2),
                                                          std::string(201, 'a'),
                                                          std::string(201, 'a') + "/b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckPath(path))) << path;
  }
}

}  // namespace
}  // namespace sealbook::archive
