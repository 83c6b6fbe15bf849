#include "vault/crypto/age_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "tests/vault/crypto/age_support.h"
#include "tests/vault/crypto/hex.h"
#include "vault/crypto/bech32.h"

namespace sealbook::crypto {
namespace {

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "age_file_test_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string File(absl::string_view name) const {
    return path_ / std::string(name.data(), name.size());
  }
  std::string Write(absl::string_view name, ByteView bytes) const {
    const std::string path = File(name);
    std::ofstream(path, std::ios::binary)
        .write(AsText(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  Bytes Read(absl::string_view name) const {
    std::ifstream file(File(name), std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

 private:
  std::filesystem::path path_;
};

// Runs a program of the search path, without a shell; its output goes nowhere. The exit status, or
// 127 where there is no such program.
int RunProgram(const std::vector<std::string>& arguments) {
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    if (freopen("/dev/null", "w", stderr) == nullptr) _exit(126);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

// The tests of this class ask Debian's `age`, which shares no code with ours.
class StockAgeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RunProgram({"age", "--version"}) == 127) {
      GTEST_SKIP() << "the program `age` is not installed";
    }
    identity_file_ = folder_.Write("identity", AsBytes(FormatAgeIdentity(identity_).ExposeText()));
  }
  // What `age` makes of `file`, or nothing where it refuses.
  std::optional<Bytes> Decrypt(ByteView file, const std::string& identity_file) {
    const std::string sealed = folder_.Write("sealed.age", file);
    std::filesystem::remove(folder_.File("clear"));
    if (RunProgram({"age", "-d", "-i", identity_file, "-o", folder_.File("clear"), sealed}) != 0) {
      return std::nullopt;
    }
    return folder_.Read("clear");
  }
  std::optional<Bytes> Decrypt(ByteView file) { return Decrypt(file, identity_file_); }

  Folder folder_;
  const ExchangePair identity_ = ExchangePair::Generate();
  std::string identity_file_;
};

constexpr std::size_t kSizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000};

TEST_F(StockAgeTest, OpensWhatWasEncrypted) {
  for (const std::size_t size : kSizes) {
    const absl::StatusOr<Bytes> file = EncryptAge({identity_.public_key()}, AgePattern(size));
    ASSERT_TRUE(file.ok());
    const std::optional<Bytes> clear = Decrypt(*file);
    ASSERT_TRUE(clear.has_value()) << size;
    EXPECT_TRUE(*clear == AgePattern(size)) << size;
  }
}

TEST_F(StockAgeTest, EveryRecipientOpens) {
  std::vector<ExchangePair> identities;
  std::vector<ExchangePublic> recipients;
  for (int i = 0; i < 20; ++i) {
    identities.push_back(ExchangePair::Generate());
    recipients.push_back(identities.back().public_key());
  }
  const absl::StatusOr<Bytes> file = EncryptAge(recipients, AgePattern(100));
  ASSERT_TRUE(file.ok());
  for (const std::size_t i : {0, 7, 19}) {
    const std::string identity_file =
        folder_.Write("other", AsBytes(FormatAgeIdentity(identities[i]).ExposeText()));
    EXPECT_EQ(Decrypt(*file, identity_file), AgePattern(100)) << i;
  }
  EXPECT_EQ(Decrypt(*file), std::nullopt);  // not a recipient
}

TEST_F(StockAgeTest, RefusesWhatWasChanged) {
  const Bytes file = EncryptAge({identity_.public_key()}, AgePattern(100)).value();
  ASSERT_TRUE(Decrypt(file).has_value());
  for (std::size_t i = 0; i < file.size(); i += 11) {
    Bytes changed = file;
    changed[i] ^= 0x20;
    EXPECT_EQ(Decrypt(changed), std::nullopt) << i;
  }
  EXPECT_EQ(Decrypt(ByteView(file).first(file.size() - 1)), std::nullopt);
}

TEST_F(StockAgeTest, RefusesAPayloadCutAtAChunk) {
  const Bytes file = EncryptAge({identity_.public_key()}, AgePattern(65536 + 10)).value();
  EXPECT_EQ(Decrypt(ByteView(file).first(file.size() - 10 - 16)), std::nullopt);
}

TEST_F(StockAgeTest, IdentitiesAndRecipientsMeanTheSame) {
  const std::string key_file = folder_.File("key");
  ASSERT_EQ(RunProgram({"age-keygen", "-o", key_file}), 0);
  std::string recipient;
  std::string identity;
  std::ifstream lines(key_file);
  for (std::string line; std::getline(lines, line);) {
    const std::string comment = "# public key: ";
    if (line.rfind(comment, 0) == 0) recipient = line.substr(comment.size());
    if (!line.empty() && line[0] != '#') identity = line;
  }
  const absl::StatusOr<ExchangePair> pair = ParseAgeIdentity(identity);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(FormatAgeIdentity(*pair).ExposeText(), identity);
  EXPECT_EQ(FormatAgeRecipient(pair->public_key()), recipient);
  const absl::StatusOr<ExchangePublic> parsed = ParseAgeRecipient(recipient);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, pair->public_key());
}

TEST(AgeFileTest, FileHasTheSizeOfItsParts) {
  const ExchangePublic recipient = ExchangePair::Generate().public_key();
  for (const std::size_t recipients : {1, 2, 20}) {
    for (const std::size_t size : kSizes) {
      const Bytes file =
          EncryptAge(std::vector<ExchangePublic>(recipients, recipient), AgePattern(size)).value();
      // Version line, stanzas of two lines, MAC line; nonce; a tag for each chunk.
      const std::size_t header = 22 + recipients * (10 + 43 + 1 + 43 + 1) + (4 + 43 + 1);
      const std::size_t chunks = size == 0 ? 1 : (size + 65535) / 65536;
      EXPECT_EQ(file.size(), header + 16 + size + 16 * chunks) << recipients << ", " << size;
    }
  }
}

TEST(AgeFileTest, EncryptingTwiceSharesNothingButTheVersionLine) {
  const ExchangePublic recipient = ExchangePair::Generate().public_key();
  const Bytes a = EncryptAge({recipient}, AgePattern(100)).value();
  const Bytes b = EncryptAge({recipient}, AgePattern(100)).value();
  EXPECT_THAT(std::string(AsText(a)), testing::StartsWith("age-encryption.org/v1\n-> X25519 "));
  EXPECT_NE(Bytes(a.begin() + 32, a.begin() + 75), Bytes(b.begin() + 32, b.begin() + 75));
  EXPECT_NE(Bytes(a.end() - 116, a.end()), Bytes(b.end() - 116, b.end()));
}

TEST(AgeFileTest, NoneTooManyOrUnusableRecipientsAreInvalidArgument) {
  const ExchangePublic recipient = ExchangePair::Generate().public_key();
  EXPECT_EQ(EncryptAge({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncryptAge(std::vector<ExchangePublic>(21, recipient), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncryptAge({recipient, ExchangePublic{}}, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(AgeRecipientTest, TextMakesTheRoundTrip) {
  const ExchangePublic recipient = ExchangePair::Generate().public_key();
  const std::string text = FormatAgeRecipient(recipient);
  EXPECT_THAT(text, testing::StartsWith("age1"));
  EXPECT_EQ(text.size(), 62U);
  const absl::StatusOr<ExchangePublic> parsed = ParseAgeRecipient(text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, recipient);
}

std::string Encoded(absl::string_view prefix, ByteView bytes) {
  return std::string(internal::EncodeBech32(prefix, bytes).ExposeText());
}

TEST(AgeRecipientTest, AnythingElseIsInvalidArgument) {
  const ExchangePair pair = ExchangePair::Generate();
  const std::string text = FormatAgeRecipient(pair.public_key());
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  std::string typo = text;
  typo[20] = typo[20] == 'q' ? 'p' : 'q';
  Bytes small_order(32);
  small_order[0] = 1;
  for (const std::string& bad :
       {std::string(), std::string("age1"), upper, typo, text + " ", " " + text,
        text.substr(0, text.size() - 1), Encoded("age", Bytes(31, 9)), Encoded("age", Bytes(33, 9)),
        Encoded("agf", pair.public_key().bytes), Encoded("age", small_order),
        Encoded("age", Bytes(32)), std::string(FormatAgeIdentity(pair).ExposeText()),
        std::string("ssh-ed25519 AAAA")}) {
    EXPECT_EQ(ParseAgeRecipient(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(AgeIdentityTest, TextMakesTheRoundTrip) {
  const ExchangePair pair = ExchangePair::Generate();
  const SecretBytes text = FormatAgeIdentity(pair);
  EXPECT_THAT(std::string(text.ExposeText()), testing::StartsWith("AGE-SECRET-KEY-1"));
  const absl::StatusOr<ExchangePair> parsed = ParseAgeIdentity(text.ExposeText());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->public_key(), pair.public_key());
}

TEST(AgeIdentityTest, AnythingElseIsInvalidArgumentAndNotRepeated) {
  const ExchangePair pair = ExchangePair::Generate();
  const std::string text(FormatAgeIdentity(pair).ExposeText());
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  std::string mixed = text;
  mixed.back() = static_cast<char>(std::tolower(mixed.back())) == mixed.back() ? 'q' : mixed.back();
  mixed[0] = 'a';
  std::string typo = text;
  typo[30] = typo[30] == 'Q' ? 'P' : 'Q';
  for (const std::string& bad :
       {std::string(), lower, mixed, typo, text + "\n", FormatAgeRecipient(pair.public_key())}) {
    const absl::Status status = ParseAgeIdentity(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    if (bad.size() > 20) {
      EXPECT_EQ(std::string(status.message()).find(bad.substr(16, 8)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sealbook::crypto
