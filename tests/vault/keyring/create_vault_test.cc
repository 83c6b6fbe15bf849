#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "tests/support/test_vault.h"

namespace sealbook::keyring {
namespace {

using testing::TestPolicy;
using testing::TestVault;

class CreateVaultTest : public ::testing::Test {
 protected:
  CreateVaultTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    setenv("XDG_STATE_HOME", (root_ + "-state").c_str(), 1);
  }
  ~CreateVaultTest() override {
    std::filesystem::remove_all(root_);
    std::filesystem::remove_all(root_ + "-state");
  }
  NewVault Request(const std::string& directory) const {
    return {.directory = directory,
            .owner = "owner",
            .passphrase = TestVault::SecretOf("owner"),
            .policy = TestPolicy(),
            .archive_recipients = {archive_.public_key()}};
  }
  absl::Status Create(const std::string& directory) const {
    return CreateVault(Request(directory), [](const CreatedVault&) { return absl::OkStatus(); })
        .status();
  }
  static absl::Status OpenAsOwner(const std::string& directory) {
    return Keyring::Unlock(VaultPaths(directory),
                           {.name = "owner",
                            .secret = {.kind = UnlockSecret::Kind::kPassphrase,
                                       .bytes = TestVault::SecretOf("owner")}})
        .status();
  }
  std::vector<std::string> Names(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      names.push_back(entry.path().filename());
    return names;
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  std::string root_;
  crypto::ExchangePair archive_ = crypto::ExchangePair::Generate();
};

TEST_F(CreateVaultTest, VaultOpensAndNothingElseIsThere) {
  const std::string directory = root_ + "/vault";
  ASSERT_TRUE(Create(directory).ok());
  EXPECT_TRUE(OpenAsOwner(directory).ok());
  EXPECT_THAT(Names(root_), ::testing::ElementsAre("vault"));
  EXPECT_THAT(Names(directory), ::testing::IsSupersetOf(
                                    {"vault.db", "unlock.json", "lockout.json", "escrow.key.age"}));
}

TEST_F(CreateVaultTest, ModesAreTheGroupsWhateverTheUmask) {
  const mode_t before = umask(0077);
  const std::string directory = root_ + "/vault";
  EXPECT_TRUE(Create(directory).ok());
  umask(before);
  EXPECT_EQ(ModeOf(directory), 02770u);
  for (const std::string& name : Names(directory))
    EXPECT_EQ(ModeOf(directory + "/" + name), 0660u) << name;
}

TEST_F(CreateVaultTest, EmptyDirectoryAndMissingParentsWillDo) {
  std::filesystem::create_directory(root_ + "/empty");
  EXPECT_TRUE(Create(root_ + "/empty").ok());
  EXPECT_TRUE(OpenAsOwner(root_ + "/empty").ok());
  EXPECT_TRUE(Create(root_ + "/a/b/vault/").ok());
  EXPECT_TRUE(OpenAsOwner(root_ + "/a/b/vault").ok());
  EXPECT_TRUE(Create(root_ + "/a/../dotted/./vault").ok());
  EXPECT_TRUE(OpenAsOwner(root_ + "/dotted/vault").ok());
}

TEST_F(CreateVaultTest, AnythingInTheDirectoryIsAlreadyExistsAndStays) {
  const std::string directory = root_ + "/taken";
  std::filesystem::create_directory(directory);
  std::ofstream(directory + "/letter") << "dear";
  EXPECT_TRUE(absl::IsAlreadyExists(Create(directory)));
  EXPECT_THAT(Names(directory), ::testing::ElementsAre("letter"));
  EXPECT_TRUE(absl::IsAlreadyExists(Create(directory + "/letter")));
  const std::string vault = root_ + "/vault";
  ASSERT_TRUE(Create(vault).ok());
  const std::string unlock = *ReadSmallFile(vault + "/unlock.json", UnlockFile::kMaxBytes);
  EXPECT_TRUE(absl::IsAlreadyExists(Create(vault)));
  EXPECT_EQ(*ReadSmallFile(vault + "/unlock.json", UnlockFile::kMaxBytes), unlock);
}

TEST_F(CreateVaultTest, NothingIsLeftWhereTheRecoveryCodeWasNotTaken) {
  const std::string directory = root_ + "/vault";
  bool whole = false;
  const auto created = CreateVault(Request(directory), [&](const CreatedVault& vault) {
    whole = !std::filesystem::exists(directory) &&
            NormalizeRecoveryCode(vault.recovery_code.ExposeText()).ok();
    return absl::CancelledError("the user went away");
  });
  EXPECT_TRUE(absl::IsCancelled(created.status()));
  EXPECT_TRUE(whole);
  EXPECT_THAT(Names(root_), ::testing::IsEmpty());
  EXPECT_TRUE(Create(directory).ok());  // and it can be done again
}

TEST_F(CreateVaultTest, NothingIsLeftWhereAPartFails) {
  NewVault request = Request(root_ + "/vault");
  request.archive_recipients.clear();  // escrow.key.age, after the database
  EXPECT_FALSE(
      CreateVault(std::move(request), [](const CreatedVault&) { return absl::OkStatus(); }).ok());
  request = Request(root_ + "/vault");
  request.policy.cost.passes = 0;
  EXPECT_FALSE(
      CreateVault(std::move(request), [](const CreatedVault&) { return absl::OkStatus(); }).ok());
  EXPECT_THAT(Names(root_), ::testing::IsEmpty());
}

TEST_F(CreateVaultTest, DirectoryFilledMeanwhileIsLeftAlone) {
  const std::string directory = root_ + "/vault";
  EXPECT_FALSE(CreateVault(Request(directory), [&](const CreatedVault&) {
                 std::filesystem::create_directory(directory);
                 std::ofstream(directory + "/letter") << "dear";
                 return absl::OkStatus();
               }).ok());
  EXPECT_THAT(Names(root_), ::testing::ElementsAre("vault"));
  EXPECT_THAT(Names(directory), ::testing::ElementsAre("letter"));
}

TEST_F(CreateVaultTest, InterruptedOneIsCleanedUpByTheNext) {
  const std::string directory = root_ + "/vault";
  const pid_t child = fork();
  if (child == 0) {
    // Dies as by kill -9, with everything written and nothing renamed.
    CreateVault(Request(directory), [](const CreatedVault&) -> absl::Status {
      _exit(7);
    }).IgnoreError();
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  EXPECT_FALSE(std::filesystem::exists(directory));
  const std::string staging = root_ + "/.vault.sealbook-init";
  ASSERT_TRUE(std::filesystem::exists(staging + "/unlock.json"));
  std::ofstream(staging + "/stray") << "x";
  ASSERT_TRUE(Create(directory).ok());
  EXPECT_TRUE(OpenAsOwner(directory).ok());
  EXPECT_THAT(Names(root_), ::testing::ElementsAre("vault"));
  EXPECT_FALSE(std::filesystem::exists(directory + "/stray"));
}

TEST_F(CreateVaultTest, EscrowFileIsAnAgeFileToEveryArchiveRecipient) {
  NewVault request = Request(root_ + "/vault");
  request.archive_recipients.push_back(crypto::ExchangePair::Generate().public_key());
  ASSERT_TRUE(
      CreateVault(std::move(request), [](const CreatedVault&) { return absl::OkStatus(); }).ok());
  const std::string file = *ReadSmallFile(VaultPaths(root_ + "/vault").escrow(), 100000);
  EXPECT_TRUE(absl::StartsWith(file, "age-encryption.org/v1\n-> X25519 "));
  std::size_t stanzas = 0;
  for (std::size_t at = file.find("\n-> "); at != std::string::npos;
       at = file.find("\n-> ", at + 1))
    ++stanzas;
  EXPECT_EQ(stanzas, 2u);
}

TEST_F(CreateVaultTest, TwoVaultsShareNothing) {
  std::vector<CreatedVault> vaults;
  for (const char* name : {"/a", "/b"}) {
    auto created =
        CreateVault(Request(root_ + name), [](const CreatedVault&) { return absl::OkStatus(); });
    ASSERT_TRUE(created.ok());
    vaults.push_back(*std::move(created));
  }
  EXPECT_NE(vaults[0].vault, vaults[1].vault);
  EXPECT_NE(vaults[0].recovery_code.ExposeText(), vaults[1].recovery_code.ExposeText());
  // One's unlock.json beside the other's database.
  std::filesystem::copy_file(root_ + "/a/unlock.json", root_ + "/b/unlock.json",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(absl::IsDataLoss(OpenAsOwner(root_ + "/b")));
}

}  // namespace
}  // namespace sealbook::keyring
