#include "vault/archive/upload.h"

#include "tests/support/lying_destination.h"
#include "tests/vault/archive/destination_fixture.h"

namespace sealbook::archive {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Lies;
using testing::LyingDestination;

class UploadTest : public ::testing::Test {
 protected:
  UploadTest() : bytes_(Pattern(1'000'000)) {
    std::filesystem::create_directory(root_.Path("there"));
    WriteLocal(root_.Path("file"), bytes_);
    options_.sleep = [this](absl::Duration wait) { waits_.push_back(wait); };
  }
  absl::StatusOr<std::unique_ptr<Destination>> Open() const {
    ASSIGN_OR_RETURN(auto real, OpenDestination("file://" + root_.Path("there"), {}));
    return std::make_unique<LyingDestination>(std::move(real), lies_);
  }
  absl::StatusOr<Uploaded> Upload() {
    return RetryingUpload([this] { return Open(); }, root_.Path("file"), "a", options_);
  }
  std::string There() const { return ReadLocal(root_.Path("there/a")); }
  absl::Status ReadBackIt(StringSink& sink) const {
    ASSIGN_OR_RETURN(const auto destination, Open());
    return ReadBack(*destination, "a", bytes_.size(), sink);
  }

  const TemporaryFolder root_;
  const std::string bytes_;
  const std::shared_ptr<Lies> lies_ = std::make_shared<Lies>();
  UploadOptions options_;
  std::vector<absl::Duration> waits_;
};

TEST_F(UploadTest, FileArrivesAndComesBack) {
  std::vector<std::uint64_t> progress;
  options_.progress = [&](std::uint64_t done) { progress.push_back(done); };
  const auto uploaded = Upload();
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
  EXPECT_EQ(uploaded->bytes, bytes_.size());
  EXPECT_EQ(uploaded->resumed, 0u);
  EXPECT_EQ(uploaded->attempts, 1);
  EXPECT_THAT(progress, ElementsAre(0, 262'144, 524'288, 786'432, 1'000'000));
  StringSink sink;
  ASSERT_TRUE(ReadBackIt(sink).ok());
  EXPECT_EQ(sink.text, bytes_);
}

TEST_F(UploadTest, LostAtEachCallItArrivesAtTheNextAttempt) {
  for (int call = 1;; ++call) {
    std::filesystem::remove(root_.Path("there/a"));
    lies_->calls.clear();
    lies_->fail_at_call = call;
    lies_->fail_calls = 1;
    const auto uploaded = Upload();
    ASSERT_TRUE(uploaded.ok()) << call << uploaded.status();
    EXPECT_EQ(There(), bytes_) << call;
    if (uploaded->attempts == 1) {
      EXPECT_GT(call, 7);  // Size, Create, four Appends, Finish
      break;
    }
    EXPECT_EQ(uploaded->attempts, 2) << call;
  }
}

TEST_F(UploadTest, PartsAreNotSentTwice) {
  lies_->fail_after_bytes = 700'000;
  options_.attempts = 1;
  ExpectWorthRetrying(Upload().status());
  EXPECT_EQ(There().size(), 700'000u);
  lies_->fail_after_bytes.reset();
  lies_->written = 0;
  const auto uploaded = Upload();
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
  EXPECT_EQ(uploaded->resumed, 700'000u);
  EXPECT_EQ(lies_->written, 300'000u);
  EXPECT_EQ(There(), bytes_);
  // All there: it is flushed once more, and nothing sent.
  lies_->written = 0;
  lies_->calls.clear();
  EXPECT_EQ(Upload()->resumed, bytes_.size());
  EXPECT_EQ(lies_->written, 0u);
  EXPECT_THAT(lies_->calls, ElementsAre("Size a", "Resume a", "Finish"));
}

TEST_F(UploadTest, WaitsGrowAndTheLastErrorIsGiven) {
  lies_->full = true;
  options_ = {.attempts = 5,
              .first_wait = absl::Seconds(2),
              .max_wait = absl::Seconds(9),
              .sleep = options_.sleep};
  const auto uploaded = Upload();
  ExpectWorthRetrying(uploaded.status());
  EXPECT_THAT(std::string(uploaded.status().message()), HasSubstr("no space left"));
  EXPECT_THAT(waits_,
              ElementsAre(absl::Seconds(2), absl::Seconds(4), absl::Seconds(8), absl::Seconds(9)));
}

TEST_F(UploadTest, WhatIsRefusedIsNotTriedAgain) {
  lies_->read_only = true;
  ExpectRefused(Upload().status());
  EXPECT_THAT(waits_, ElementsAre());
}

TEST_F(UploadTest, LargerFileOfThatNameIsAnotherOne) {
  WriteLocal(root_.Path("there/a"), bytes_ + "x");
  const auto uploaded = Upload();
  ExpectRefused(uploaded.status());
  EXPECT_THAT(std::string(uploaded.status().message()), HasSubstr("another file"));
  EXPECT_EQ(There(), bytes_ + "x");
  EXPECT_THAT(waits_, ElementsAre());
}

TEST_F(UploadTest, LocalFileThatIsMissingOrChangesIsNoFaultOfTheServer) {
  EXPECT_TRUE(absl::IsInternal(
      RetryingUpload([this] { return Open(); }, root_.Path("missing"), "a", options_).status()));
  EXPECT_TRUE(absl::IsInternal(
      RetryingUpload([this] { return Open(); }, root_.path(), "a", options_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      RetryingUpload([this] { return Open(); }, root_.Path("file"), "../a", options_).status()));
  for (const std::size_t size : {bytes_.size() - 1, bytes_.size() + 1, std::size_t{10}}) {
    std::filesystem::remove(root_.Path("there/a"));
    WriteLocal(root_.Path("file"), bytes_);
    options_.progress = [&](std::uint64_t done) {
      if (done == 262'144) std::filesystem::resize_file(root_.Path("file"), size);
    };
    EXPECT_TRUE(absl::IsDataLoss(Upload().status())) << size;
  }
}

TEST_F(UploadTest, LiesShowWhenAllIsReadBack) {
  ASSERT_TRUE(Upload().ok());
  WriteLocal(root_.Path("there/b"), Pattern(bytes_.size() + 5).substr(5));
  StringSink sink;
  lies_->flips = {"a"};
  ASSERT_TRUE(ReadBackIt(sink).ok());
  EXPECT_NE(sink.text, bytes_);
  sink.text.clear();
  *lies_ = {};
  lies_->gives_file = {{"a", "b"}};
  ASSERT_TRUE(ReadBackIt(sink).ok());
  EXPECT_NE(sink.text, bytes_);
  *lies_ = {};
  lies_->gives_bytes = {{"a", "an old file"}};
  EXPECT_TRUE(IsUnreachable(ReadBackIt(sink)));
  *lies_ = {};
  lies_->hides = {"a"};
  EXPECT_TRUE(absl::IsNotFound(ReadBackIt(sink)));
  // Says yes to everything and keeps half.
  *lies_ = {};
  std::filesystem::remove(root_.Path("there/a"));
  lies_->keeps_bytes = 500'000;
  ASSERT_TRUE(Upload().ok());
  EXPECT_TRUE(IsUnreachable(ReadBackIt(sink)));
}

TEST_F(UploadTest, SmallFileIsPutOnceAndGoneOnWith) {
  const auto destination = Open();
  const ByteView bytes = crypto::AsBytes("a signature");
  for (const char* earlier : {"", "a sig", "a signature"}) {
    WriteLocal(root_.Path("there/a"), earlier);
    EXPECT_TRUE(PutSmall(**destination, "a", bytes).ok()) << earlier;
    EXPECT_EQ(There(), "a signature");
  }
  std::filesystem::remove(root_.Path("there/a"));
  EXPECT_TRUE(PutSmall(**destination, "a", bytes).ok());
  EXPECT_EQ(*GetSmall(**destination, "a", 11), "a signature");
  for (const char* other : {"b", "a signaturE", "a signature of others"}) {
    WriteLocal(root_.Path("there/a"), other);
    ExpectRefused(PutSmall(**destination, "a", bytes));
    EXPECT_EQ(There(), other);
  }
}

TEST_F(UploadTest, SmallFileIsBounded) {
  WriteLocal(root_.Path("there/a"), "0123456789");
  const auto destination = Open();
  EXPECT_EQ(*GetSmall(**destination, "a", 10), "0123456789");
  ExpectRefused(GetSmall(**destination, "a", 9).status());
  EXPECT_TRUE(absl::IsNotFound(GetSmall(**destination, "b", 9).status()));
}

}  // namespace
}  // namespace sealbook::archive
