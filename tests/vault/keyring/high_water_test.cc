#include "vault/keyring/high_water.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/test_vault.h"

namespace sealbook::keyring {
namespace {

using testing::TestVault;

constexpr VaultId kVault = {1, 2, 3};

class HighWaterTest : public ::testing::Test {
 protected:
  HighWaterTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    setenv("XDG_STATE_HOME", (root_ + "/state").c_str(), 1);
  }
  ~HighWaterTest() override { std::filesystem::remove_all(root_); }
  static mode_t ModeOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  static HighWater Marks(std::int64_t audit) {
    return {.roster_version = 3,
            .roster_hash = {1},
            .session = 5,
            .session_hash = {2},
            .audit = audit,
            .audit_hash = {3}};
  }
  std::string root_;
};

TEST_F(HighWaterTest, NothingSeenYet) { EXPECT_EQ(LoadHighWater(kVault)->has_value(), false); }

TEST_F(HighWaterTest, MarksComeBackForTheirVaultOnly) {
  ASSERT_TRUE(SaveHighWater(kVault, Marks(7)).ok());
  const auto loaded = LoadHighWater(kVault);
  ASSERT_TRUE(loaded.ok() && loaded->has_value()) << loaded.status();
  EXPECT_EQ((*loaded)->roster_version, 3u);
  EXPECT_EQ((*loaded)->roster_hash, crypto::Hash256{1});
  EXPECT_EQ((*loaded)->session, 5);
  EXPECT_EQ((*loaded)->session_hash, crypto::Hash256{2});
  EXPECT_EQ((*loaded)->audit, 7);
  EXPECT_EQ((*loaded)->audit_hash, crypto::Hash256{3});
  EXPECT_FALSE(LoadHighWater(VaultId{9})->has_value());
}

TEST_F(HighWaterTest, FilesAreTheUsersAlone) {
  ASSERT_TRUE(SaveHighWater(kVault, Marks(7)).ok());
  EXPECT_EQ(ModeOf(StateDirectory()), 0700u);
  EXPECT_EQ(ModeOf(HighWaterPath(kVault)), 0600u);
}

TEST_F(HighWaterTest, MarksDoNotGoBack) {
  ASSERT_TRUE(SaveHighWater(kVault, Marks(7)).ok());
  ASSERT_TRUE(SaveHighWater(kVault, Marks(6)).ok());  // by a slower process of the same user
  EXPECT_EQ((*LoadHighWater(kVault))->audit, 7);
  HighWater older = Marks(8);
  older.roster_version = 2;
  ASSERT_TRUE(SaveHighWater(kVault, older).ok());
  EXPECT_EQ((*LoadHighWater(kVault))->roster_version, 3u);
  ASSERT_TRUE(SaveHighWater(kVault, Marks(8)).ok());
  EXPECT_EQ((*LoadHighWater(kVault))->audit, 8);
}

TEST_F(HighWaterTest, DamagedFileIsDataLossAndStaysAsItIs) {
  ASSERT_TRUE(SaveHighWater(kVault, Marks(7)).ok());
  const std::string good = *ReadSmallFile(HighWaterPath(kVault), 4096);
  std::vector<std::string> damaged = {"", "[]", "{}", good.substr(0, good.size() / 2)};
  for (const char* key :
       {"roster", "roster_hash", "session", "session_hash", "audit", "audit_hash"}) {
    damaged.push_back(good);
    damaged.back().replace(good.find("\"" + std::string(key) + "\"") + 1, 1, "x");
  }
  for (const auto& [from, to] :
       {std::pair("\"audit\": 7", "\"audit\": -7"), std::pair("\"roster\": 3", "\"roster\": \"3\""),
        std::pair("\"0100", "\"01"), std::pair("\"0100", "\"zz00")}) {
    damaged.push_back(good);
    ASSERT_NE(good.find(from), std::string::npos) << from;
    damaged.back().replace(good.find(from), std::string(from).size(), to);
  }
  for (const std::string& contents : damaged) {
    std::ofstream(HighWaterPath(kVault), std::ios::trunc) << contents;
    EXPECT_TRUE(absl::IsDataLoss(LoadHighWater(kVault).status())) << contents;
    EXPECT_TRUE(absl::IsDataLoss(SaveHighWater(kVault, Marks(9)))) << contents;
  }
}

TEST_F(HighWaterTest, PlaceFollowsTheEnvironment) {
  const std::string home = getenv("HOME") == nullptr ? "" : getenv("HOME");
  EXPECT_EQ(StateDirectory(), root_ + "/state/sealbook");
  setenv("XDG_STATE_HOME", "relative", 1);  // the specification says: ignored
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(StateDirectory(), "/home/somebody/.local/state/sealbook");
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(StateDirectory(), "/home/somebody/.local/state/sealbook");
  unsetenv("HOME");
  EXPECT_EQ(StateDirectory(), "");
  EXPECT_FALSE(LoadHighWater(kVault)->has_value());
  EXPECT_TRUE(absl::IsFailedPrecondition(SaveHighWater(kVault, Marks(1))));
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
}

// A vault that somebody put back.
class OlderVaultTest : public ::testing::Test {
 protected:
  void Copy() {
    std::filesystem::copy(vault_.directory(), vault_.root() + "/copy",
                          std::filesystem::copy_options::recursive);
  }
  void PutBack() {
    std::filesystem::remove_all(vault_.directory());
    std::filesystem::rename(vault_.root() + "/copy", vault_.directory());
  }
  TestVault vault_;
};

TEST_F(OlderVaultTest, SameVaultIsOpenedAgain) {
  ASSERT_TRUE(vault_.Unlock("owner")->SaveMarks().ok());
  EXPECT_TRUE(vault_.TryUnlock("owner").ok());
}

TEST_F(OlderVaultTest, OlderRosterIsNoticedByWhoeverSawTheNewer) {
  ASSERT_TRUE(vault_.AddBook("before").ok());
  Copy();
  ASSERT_TRUE(vault_.AddBook("after").ok());
  const VaultId id = vault_.Unlock("owner")->roster().vault;
  ASSERT_TRUE(vault_.Unlock("owner")->SaveMarks().ok());
  PutBack();
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
  // Whoever saw nothing cannot notice it: docs/threat_model.md.
  ASSERT_TRUE(std::filesystem::remove(HighWaterPath(id)));
  EXPECT_TRUE(vault_.TryUnlock("owner").ok());
}

TEST_F(OlderVaultTest, BranchOfTheSameLengthIsNoticed) {
  Copy();
  ASSERT_TRUE(vault_.AddBook("seen").ok());
  ASSERT_TRUE(vault_.Unlock("owner")->SaveMarks().ok());
  const VaultId id = vault_.Unlock("owner")->roster().vault;
  const std::string marks = *ReadSmallFile(HighWaterPath(id), 4096);
  PutBack();
  ASSERT_TRUE(std::filesystem::remove(HighWaterPath(id)));
  ASSERT_TRUE(vault_.AddBook("another").ok());  // the same version numbers, other contents
  std::ofstream(HighWaterPath(id)) << marks;
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

TEST_F(OlderVaultTest, ReplacedNewestSessionIsNoticed) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(TestVault::Import(*owner, {TestVault::Draft("11112222")}, {}).ok());
  ASSERT_TRUE(owner->SaveMarks().ok());
  EXPECT_TRUE(vault_.TryUnlock("owner").ok());  // the positive control
  ASSERT_TRUE(owner->store().database().Execute("UPDATE session SET record = x'00'").ok());
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

TEST_F(OlderVaultTest, AlteredAuditHeadIsNoticed) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(owner->SaveMarks().ok());
  auto [sequence, record] = *owner->store().LastAudit();
  record[record.size() - 70] ^= 1;  // in the row's hash
  auto update = owner->store().database().Prepare("UPDATE audit SET record = ? WHERE sequence = ?");
  ASSERT_TRUE(update->Bind(1, ByteView(record)).Bind(2, sequence).Run().ok());
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

}  // namespace
}  // namespace sealbook::keyring
