// A destination that has lost what this vault left there: a disk that is not mounted, whose empty
// folder stands in its place, or one whose files somebody cleared away. What is brought there now
// could be read by nobody without the vault, so nothing may be purged for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/retention_vault.h"
#include "vault/keyring/files.h"

namespace sealbook {
namespace {

using archive::JobReport;
using ::testing::HasSubstr;
using testing::RetentionVault;
using ::testing::SizeIs;

class LostPlaceTest : public ::testing::Test {
 protected:
  LostPlaceTest() { vault_.WriteAll(); }

  const std::string& folder() const { return vault_.places[0].folder; }
  // One more that has expired, of somebody whose keys are there already.
  void WriteLate() { vault_.Write(vault_.contacts[0], 2, "late"); }
  void ExpectRefused(const std::string& why) {
    const auto before = vault_.Live();
    JobReport report;
    const absl::Status status = vault_.Run(&report);
    EXPECT_TRUE(IsUnreachable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
    EXPECT_NE(HintOf(status), "");
    EXPECT_EQ(report.purged, 0);
    EXPECT_EQ(vault_.Live(), before);
  }

  RetentionVault vault_;
};

TEST_F(LostPlaceTest, AnEmptyFolderInItsPlaceGetsNothing) {
  ASSERT_TRUE(vault_.Run().ok());
  WriteLate();
  std::filesystem::rename(folder(), folder() + "-away");
  ExpectRefused("escrow.key.age");
  EXPECT_FALSE(std::filesystem::exists(folder()));
  std::filesystem::create_directory(folder());
  ExpectRefused("escrow.key.age");
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
  // Mounted again, on it goes.
  std::filesystem::remove(folder());
  std::filesystem::rename(folder() + "-away", folder());
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(vault_.AllArchived(), SizeIs(10));
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(LostPlaceTest, TheOtherDestinationsGoOn) {
  vault_.AddPlace("two");
  ASSERT_TRUE(vault_.Run().ok());
  WriteLate();
  std::filesystem::rename(folder(), folder() + "-away");
  vault_.quorum = 1;
  JobReport report;
  EXPECT_TRUE(IsUnreachable(vault_.Run(&report)));
  EXPECT_EQ(report.purged, 1);
  EXPECT_THAT(vault_.AllArchived(1), SizeIs(10));
  EXPECT_FALSE(std::filesystem::exists(folder()));
}

TEST_F(LostPlaceTest, AnEscrowKeyThatIsNotTheVaults) {
  ASSERT_TRUE(vault_.Run().ok());
  WriteLate();
  std::string escrow = *keyring::ReadSmallFile(folder() + "/escrow.key.age", 1 << 16);
  escrow[escrow.size() / 2] = static_cast<char>(escrow[escrow.size() / 2] ^ 1);
  std::ofstream(folder() + "/escrow.key.age") << escrow;
  ExpectRefused("escrow.key.age");
}

TEST_F(LostPlaceTest, WithoutAnyCheckpointItIsNotTheFolderThatItWas) {
  ASSERT_TRUE(vault_.Run().ok());
  WriteLate();
  std::filesystem::remove_all(folder() + "/checkpoints");
  ExpectRefused("checkpoint");
}

TEST_F(LostPlaceTest, KeysThatAreMissingAreBroughtAgainBeforeAnArchiveIs) {
  ASSERT_TRUE(vault_.Run().ok());
  WriteLate();
  std::filesystem::remove_all(folder() + "/subjects");
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(vault_.AllArchived(), SizeIs(10));
  EXPECT_EQ(vault_.Fault(), "");
}

}  // namespace
}  // namespace sealbook
