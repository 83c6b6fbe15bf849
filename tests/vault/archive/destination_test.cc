// What every destination promises, shown of each.
#include "vault/archive/destination.h"

#include <array>
#include <optional>

#include "tests/support/lying_destination.h"
#include "tests/support/sftp_server.h"
#include "tests/vault/archive/destination_fixture.h"

namespace sealbook::archive {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Lies;
using testing::LyingDestination;
using testing::SftpServer;

class DestinationTest : public ::testing::TestWithParam<DestinationKind> {
 protected:
  void SetUp() override {
    if (GetParam() == DestinationKind::kSftp) {
      SFTP_SERVER_OR_SKIP();
      server_.emplace();
      folder_ = server_->folder();
      url_ = server_->url();
      options_ = server_->options();
    } else {
      folder_ = local_.Path("files");
      std::filesystem::create_directory(folder_);
      url_ = "file://" + folder_;
    }
    destination_ = Open(url_);
    ASSERT_NE(destination_, nullptr);
  }
  std::unique_ptr<Destination> Open(const std::string& url) const {
    auto opened = OpenDestination(url, options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  std::string Local(const std::string& path) const { return folder_ + "/" + path; }
  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  const TemporaryFolder local_;
  std::optional<SftpServer> server_;
  std::string folder_, url_;
  DestinationOptions options_;
  std::unique_ptr<Destination> destination_;
};

INSTANTIATE_TEST_SUITE_P(All, DestinationTest,
                         ::testing::Values(DestinationKind::kFolder, DestinationKind::kSftp),
                         [](const auto& kind) {
                           return kind.param == DestinationKind::kFolder ? "Folder" : "Sftp";
                         });

TEST_P(DestinationTest, FileComesBackAsItWasWritten) {
  EXPECT_EQ(destination_->name(), url_);
  const std::string bytes = Pattern(3'000'001);
  const auto writer = destination_->Create("a.sba.age");
  ASSERT_TRUE(writer.ok()) << writer.status();
  // In pieces of all sizes, with another call between them.
  std::size_t done = 0;
  for (std::size_t piece = 1; done < bytes.size(); piece = piece * 3 + 1) {
    const std::size_t size = std::min(piece, bytes.size() - done);
    ASSERT_TRUE((*writer)->Append(crypto::AsBytes(bytes).subspan(done, size)).ok());
    done += size;
    EXPECT_TRUE(destination_->Size("a.sba.age").ok());
  }
  ASSERT_TRUE((*writer)->Append({}).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition((*writer)->Append({})));
  EXPECT_TRUE(absl::IsFailedPrecondition((*writer)->Finish()));

  EXPECT_EQ(ReadLocal(Local("a.sba.age")), bytes);
  EXPECT_EQ(*destination_->Size("a.sba.age"), bytes.size());
  EXPECT_EQ(*Get(*Open(url_), "a.sba.age"), bytes);
  // 0660 less a umask.
  EXPECT_EQ(ModeOf(Local("a.sba.age")) & ~mode_t{0640}, 0u);
}

TEST_P(DestinationTest, PartsAreReadWhereTheyStand) {
  const std::string bytes = Pattern(700'000);
  ASSERT_TRUE(Put(*destination_, "a", bytes).ok());
  const auto reader = destination_->Read("a");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->size(), bytes.size());
  std::vector<std::uint8_t> out(300'000);
  EXPECT_EQ(*(*reader)->ReadAt(123'456, out), out.size());
  EXPECT_EQ(crypto::AsText(out), absl::string_view(bytes).substr(123'456, out.size()));
  EXPECT_EQ(*(*reader)->ReadAt(699'990, out), 10u);
  EXPECT_EQ(crypto::AsText(out).substr(0, 10), absl::string_view(bytes).substr(699'990));
  EXPECT_EQ(*(*reader)->ReadAt(700'000, out), 0u);
  EXPECT_EQ(*(*reader)->ReadAt(~std::uint64_t{0} - 5, out), 0u);
  EXPECT_EQ(*(*reader)->ReadAt(0, {}), 0u);
  StringSink sink;
  EXPECT_TRUE((*reader)->Stream(1, 699'998, sink).ok());
  EXPECT_EQ(sink.text, bytes.substr(1, 699'998));
  // More than is there: kOutOfRange, not a hang and not less.
  EXPECT_TRUE(IsUnreachable((*reader)->Stream(0, 700'001, sink)));
  StringSink failing;
  failing.fail_after = 1;
  EXPECT_TRUE(absl::IsInternal((*reader)->Stream(0, 700'000, failing)));
  // The connection goes on.
  EXPECT_EQ(*Get(*destination_, "a"), bytes);
}

TEST_P(DestinationTest, EmptyFileIsAFile) {
  ASSERT_TRUE(Put(*destination_, "empty", "").ok());
  EXPECT_EQ(*destination_->Size("empty"), 0u);
  EXPECT_EQ(*Get(*destination_, "empty"), "");
}

TEST_P(DestinationTest, NameThatIsTakenIsNeverWrittenOver) {
  ASSERT_TRUE(Put(*destination_, "a", "first").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Put(*destination_, "a", "second")));
  // Neither where something else stands there.
  std::filesystem::create_directory(Local("folder"));
  std::filesystem::create_symlink("/nonexistent", Local("dangling"));
  for (const char* name : {"folder", "dangling"}) {
    EXPECT_TRUE(absl::IsAlreadyExists(destination_->Create(name).status())) << name;
    ExpectRefused(destination_->Size(name).status());
  }
  EXPECT_FALSE(std::filesystem::exists("/nonexistent"));
  EXPECT_EQ(ReadLocal(Local("a")), "first");
}

TEST_P(DestinationTest, ResumeGoesOnAtTheEndAlone) {
  const std::string bytes = Pattern(500'000);
  {
    const auto writer = destination_->Create("a");
    ASSERT_TRUE((*writer)->Append(crypto::AsBytes(bytes).first(300'000)).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  for (const std::uint64_t wrong : {0u, 299'999u, 300'001u}) {
    EXPECT_TRUE(IsUnreachable(destination_->Resume("a", wrong).status())) << wrong;
  }
  EXPECT_TRUE(absl::IsNotFound(destination_->Resume("b", 0).status()));
  const auto writer = Open(url_);
  const auto more = writer->Resume("a", 300'000);
  ASSERT_TRUE(more.ok()) << more.status();
  ASSERT_TRUE((*more)->Append(crypto::AsBytes(bytes).subspan(300'000)).ok());
  ASSERT_TRUE((*more)->Finish().ok());
  EXPECT_EQ(ReadLocal(Local("a")), bytes);
}

TEST_P(DestinationTest, WriterWithoutFinishLeavesItsPart) {
  const std::string bytes = Pattern(1 << 20);
  {
    const auto writer = destination_->Create("a");
    ASSERT_TRUE((*writer)->Append(crypto::AsBytes(bytes)).ok());
  }
  // A beginning of it, and the connection is still of use.
  const auto size = destination_->Size("a");
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(ReadLocal(Local("a")), bytes.substr(0, size->value()));
  EXPECT_TRUE(Put(*destination_, "b", "after it").ok());
}

TEST_P(DestinationTest, WhatIsNotThereIsNotFound) {
  for (const char* path : {"a", "subjects/a"}) {
    EXPECT_EQ(*destination_->Size(path), std::nullopt);
    EXPECT_TRUE(absl::IsNotFound(destination_->Read(path).status()));
    EXPECT_TRUE(absl::IsNotFound(destination_->Resume(path, 0).status()));
    EXPECT_TRUE(absl::IsNotFound(destination_->Remove(path)));
  }
  EXPECT_THAT(*destination_->List("subjects"), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Local("subjects")));  // asking makes nothing
}

TEST_P(DestinationTest, BadPathsAreBadInputEverywhere) {
  WriteLocal(local_.Path("secret"), "not to be reached");
  for (const char* path : {"", "../secret", "/etc/passwd", "a/b/c", "A", ".", "x/.."}) {
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->Size(path).status())) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->Create(path).status())) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->Resume(path, 0).status())) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->Read(path).status())) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->Remove(path))) << path;
    if (*path == '\0') continue;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->List(path).status())) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(destination_->ProvesDeletion(path).status())) << path;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(destination_->List("a/b").status()));
}

TEST_P(DestinationTest, FoldersAreMadeAndListed) {
  ASSERT_TRUE(Put(*destination_, "subjects/000001.v2", "two").ok());
  ASSERT_TRUE(Put(*destination_, "subjects/000001.v1", "1").ok());
  ASSERT_TRUE(Put(*destination_, "b", "").ok());
  WriteLocal(Local("UPPER"), "foreign");
  WriteLocal(Local(".hidden"), "foreign");
  std::filesystem::create_symlink("b", Local("link"));
  const auto files = destination_->List("subjects");
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].name, "000001.v1");
  EXPECT_EQ((*files)[0].bytes, 1u);
  EXPECT_EQ((*files)[1].name, "000001.v2");
  EXPECT_EQ((*files)[1].bytes, 3u);
  const auto all = destination_->List("");
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].name, "b");
  EXPECT_EQ(ModeOf(Local("subjects")) & ~mode_t{0770}, 0u);
}

TEST_P(DestinationTest, MissingFolderIsMadeByTheFirstFileWhereTheOneAboveIsThere) {
  const auto destination = Open(url_ + "/new");
  ASSERT_NE(destination, nullptr);
  EXPECT_THAT(*destination->List(""), IsEmpty());
  EXPECT_EQ(*destination->Size("a"), std::nullopt);
  EXPECT_TRUE(destination->FreeBytes().ok());
  EXPECT_FALSE(std::filesystem::exists(Local("new")));
  ASSERT_TRUE(Put(*destination, "tombstones/a", "x").ok());
  EXPECT_EQ(ReadLocal(Local("new/tombstones/a")), "x");

  const auto unmounted = OpenDestination(url_ + "/mnt/new", options_);
  EXPECT_TRUE(IsUnreachable(unmounted.status())) << unmounted.status();
  EXPECT_NE(HintOf(unmounted.status()), "");
  EXPECT_FALSE(std::filesystem::exists(Local("mnt")));
}

TEST_P(DestinationTest, FileInPlaceOfTheFolderIsRefused) {
  WriteLocal(Local("file"), "x");
  const auto file = OpenDestination(url_ + "/file", options_);
  ExpectRefused(file.status());
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("no folder"));
  // In place of a folder below it, nothing is written either.
  const auto put = Put(*destination_, "file/a", "y");
  EXPECT_TRUE(IsUnreachable(put)) << put;
  EXPECT_EQ(ReadLocal(Local("file")), "x");
}

TEST_P(DestinationTest, ReadOnlyFolderIsRefused) {
  if (server_ ? !server_->modes_bind() : geteuid() == 0) {
    GTEST_SKIP() << "modes of folders do not bind root";
  }
  ASSERT_TRUE(Put(*destination_, "a", "x").ok());
  ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
  ExpectRefused(destination_->Create("b").status());
  ExpectRefused(destination_->Create("subjects/b").status());
  ExpectRefused(destination_->Remove("a"));
  EXPECT_EQ(*Get(*destination_, "a"), "x");
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
}

TEST_P(DestinationTest, RemovedFileIsGone) {
  ASSERT_TRUE(Put(*destination_, "subjects/a", "x").ok());
  EXPECT_TRUE(destination_->Remove("subjects/a").ok());
  EXPECT_EQ(*destination_->Size("subjects/a"), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(Local("subjects/a")));
}

TEST_P(DestinationTest, FreeBytesAreTold) {
  const auto free = destination_->FreeBytes();
  ASSERT_TRUE(free.ok()) << free.status();
  EXPECT_GT(free->value_or(0), 0u);
}

TEST_P(DestinationTest, DeletionIsProvenAndLeavesNothing) {
  EXPECT_EQ(*destination_->ProvesDeletion("subjects"), true);
  EXPECT_EQ(*destination_->ProvesDeletion(""), true);
  EXPECT_THAT(*destination_->List("subjects"), IsEmpty());
  EXPECT_THAT(*destination_->List(""), IsEmpty());
}

TEST_P(DestinationTest, DeletionThatDoesNotDeleteIsNoProof) {
  const auto lies = std::make_shared<Lies>();
  lies->keeps_deleted = true;
  LyingDestination liar(Open(url_), lies);
  EXPECT_EQ(*liar.ProvesDeletion("subjects"), false);
  // The probe that stayed is taken for the next one.
  EXPECT_EQ(*liar.ProvesDeletion("subjects"), false);
  EXPECT_EQ(destination_->List("subjects")->size(), 1u);
  lies->keeps_deleted = false;
  EXPECT_EQ(*liar.ProvesDeletion("subjects"), true);
  EXPECT_THAT(*destination_->List("subjects"), IsEmpty());
}

TEST_P(DestinationTest, DeletionProbeOverALostConnectionIsAnError) {
  for (int call = 1;; ++call) {
    const auto lies = std::make_shared<Lies>();
    lies->fail_at_call = call;
    LyingDestination gone(Open(url_), lies);
    const auto proof = gone.ProvesDeletion("subjects");
    if (proof.ok()) {
      EXPECT_TRUE(*proof);
      EXPECT_GT(call, 8);
      break;
    }
    EXPECT_TRUE(IsUnreachable(proof.status())) << call << proof.status();
  }
}

}  // namespace
}  // namespace sealbook::archive
