// Invariant 9, "Secrets stay put": after a vault is locked, nothing that opens it is left anywhere
// in the process. A member unlocks, works and locks again; before and after, all memory of the
// process is read through /proc/self/mem and searched for the secrets that were in use. The control
// is the search before.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <bitset>
#include <fstream>
#include <ostream>

#include "tests/support/test_vault.h"
#include "vault/crypto/derive.h"

namespace sealbook {
namespace {

using testing::TestVault;

// Secrets to look for, kept in a form in which a search does not find them here.
class Needles {
 public:
  // Each half is a needle of its own: what was freed may have lost its beginning to the allocator.
  void Add(const std::string& name, ByteView secret) {
    ASSERT_EQ(secret.size() % kBytes, 0u) << name;
    names_.push_back(name);
    for (; !secret.empty(); secret = secret.subspan(kBytes)) {
      Needle needle{.name = name, .hidden = {}};
      for (std::size_t k = 0; k < kBytes; ++k)
        needle.hidden[k] = static_cast<std::uint8_t>(secret[k] ^ kPad);
      needles_.push_back(std::move(needle));
    }
  }

  // Where each is found in this process's memory: "the owner's signing seed in [heap]".
  std::vector<std::string> Find() const {
    std::bitset<65536> beginnings;
    for (const Needle& needle : needles_)
      beginnings.set(Beginning(needle.hidden[0] ^ kPad, needle.hidden[1] ^ kPad));
    std::vector<std::string> found;
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    EXPECT_GE(memory, 0) << "this process's memory cannot be read";
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      std::uint64_t from = 0, to = 0;
      char rights[8] = {}, name[256] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %7s %*s %*s %*s %255[^\n]", &from, &to, rights, name) <
          3)
        continue;
      for (std::uint64_t at = from; at < to;) {
        const ssize_t got =
            pread(memory, buffer_.data(), std::min<std::uint64_t>(buffer_.size(), to - at),
                  static_cast<off_t>(at));
        if (got <= static_cast<ssize_t>(kBytes)) break;
        const auto size = static_cast<std::size_t>(got);
        for (std::size_t i = 0; i + 1 < size; ++i) {
          if (!beginnings.test(Beginning(buffer_[i], buffer_[i + 1]))) continue;
          for (const Needle& needle : needles_) {
            if (IsAt(needle, i, size) && !IsInBuffer(at + i))
              found.push_back(needle.name + " in " + (name[0] == 0 ? "memory" : name));
          }
        }
        // The last ones again with the next part: one may lie across.
        at += at + size == to ? size : size - kBytes;
      }
    }
    close(memory);
    return found;
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  static constexpr std::uint8_t kPad = 0x5a;
  static constexpr std::size_t kBytes = 16;
  struct Needle {
    std::string name;
    std::array<std::uint8_t, kBytes> hidden;
  };

  static std::size_t Beginning(int first, int second) {
    return static_cast<std::size_t>(first << 8 | second);
  }
  static bool IsAt(const Needle& needle, std::size_t at, std::size_t size) {
    if (at + kBytes > size) return false;
    for (std::size_t k = 0; k < kBytes; ++k) {
      if ((buffer_[at + k] ^ kPad) != needle.hidden[k]) return false;
    }
    return true;
  }
  static bool IsInBuffer(std::uint64_t address) {
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer_.data());
    return address + kBytes > begin && address < begin + buffer_.size();
  }

  std::vector<std::string> names_;
  std::vector<Needle> needles_;
  static std::array<std::uint8_t, 1 << 20> buffer_;
};
std::array<std::uint8_t, 1 << 20> Needles::buffer_;

crypto::SecretBytes RandomSecret(bool as_text) {
  crypto::SecretBytes secret(32);
  crypto::FillRandom(secret.ExposeMutable());
  if (as_text) {
    for (std::uint8_t& byte : secret.ExposeMutable())
      byte = static_cast<std::uint8_t>('a' + byte % 26);
  }
  return secret;
}

crypto::SecretBytes Copy(const crypto::SecretBytes& secret) {
  return crypto::SecretBytes::CopyOf(secret.ExposeBytes());
}

struct Who {
  std::string name;
  std::string role;
  friend void PrintTo(const Who& who, std::ostream* out) { *out << who.role; }
};

class MemoryTest : public ::testing::TestWithParam<Who> {
 protected:
  MemoryTest() {
    // TestVault has made the process undumpable, as main() does; here it is to be looked at.
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    secret_ = RandomSecret(!IsService());
    auto owner = vault_.Unlock("owner");
    EXPECT_TRUE(TestVault::Import(
                    *owner, {TestVault::Draft("10000001"), TestVault::Draft("10000002")}, {"seoul"})
                    .ok());
    if (GetParam().name == "owner") {
      EXPECT_TRUE(keyring::ChangePassphrase(*owner, secret_, testing::kInsecureTestCost).ok());
      return;
    }
    const absl::Status added = keyring::AddMember(
        *owner,
        {.name = GetParam().name,
         .role = GetParam().role,
         .books = IsService() ? std::vector<std::string>() : std::vector<std::string>{"seoul"},
         .secret = {.kind = Kind(), .bytes = Copy(secret_)},
         .cost = testing::kInsecureTestCost});
    EXPECT_TRUE(added.ok()) << added;
  }
  bool IsService() const { return TestVault::IsService(GetParam().name); }
  keyring::UnlockSecret::Kind Kind() const {
    return IsService() ? keyring::UnlockSecret::Kind::kKeyFile
                       : keyring::UnlockSecret::Kind::kPassphrase;
  }

  // What this member's role does all day.
  void Work(keyring::Keyring& keyring) {
    if (GetParam().role == "owner") {
      ASSERT_TRUE(keyring::AddBook(keyring, "busan").ok());
      ASSERT_TRUE(keyring::AddMember(keyring, {.name = "newcomer",
                                               .role = "agent",
                                               .books = {"seoul"},
                                               .secret = {.bytes = RandomSecret(true)},
                                               .cost = testing::kInsecureTestCost})
                      .ok());
    }
    if (GetParam().role != "agent") {
      ASSERT_TRUE(TestVault::Import(keyring, {TestVault::Draft("10000003")}, {"seoul"}).ok());
    }
    if (IsService()) return;
    int seen = 0;
    records::ContactReader reader(keyring);
    ASSERT_TRUE(reader
                    .Each(TestVault::PermitFor(keyring), std::nullopt,
                          [&](const records::Contact&) { return ++seen > 0; })
                    .ok());
    ASSERT_GE(seen, 2);
    ASSERT_TRUE(TestVault::Set(keyring, 1, ClassId::kProfile, {{"name", "Somebody"}}).ok());
    // At last, so that nothing writes over what it leaves.
    ASSERT_TRUE(keyring::ChangePassphrase(keyring, secret_, testing::kInsecureTestCost).ok());
  }

  // Every secret that the member has, or could derive. Value keys live in `alive` for the control.
  void Collect(keyring::Keyring& keyring, Needles& needles, std::vector<crypto::ValueKey>& alive) {
    needles.Add("the passphrase or key file", secret_.ExposeBytes());
    needles.Add("the member's exchange secret", keyring.bundle().exchange.secret().ExposeBytes());
    needles.Add("the member's signing seed", keyring.bundle().signing.seed().ExposeBytes());
    if (keyring.bundle().root_pair)
      needles.Add("the root signing seed", keyring.bundle().root_pair->seed().ExposeBytes());
    for (const keyring::Compartment& compartment : keyring.roster().compartments) {
      const auto pair =
          keyring.CompartmentPair(compartment.book, compartment.class_id, compartment.epoch);
      if (!pair.ok()) continue;
      const std::string place =
          absl::StrCat(" of book ", static_cast<std::uint32_t>(compartment.book), ", class ",
                       static_cast<int>(compartment.class_id));
      needles.Add("the compartment secret" + place, (*pair)->secret().ExposeBytes());
      if (compartment.class_id != ClassId::kProfile) continue;
      const auto keys = keyring.ReadKeys(1, compartment.book, compartment.class_id);
      if (!keys.ok()) continue;
      needles.Add("the session secret" + place, (*keys)->secret.ExposeBytes());
      needles.Add("the wrap key" + place, (*keys)->wrap.ExposeBytes());
    }
    store::ContactRow row;
    ASSERT_TRUE(*keyring.store().GetContact(1, row));
    const auto entries = records::DecodeValues(row.values);
    ASSERT_TRUE(entries.ok()) << entries.status();
    for (const records::ValueEntry& entry : *entries) {
      auto key = records::ContactReader(keyring).OpenValueKey(row, entry);
      if (!key.ok()) continue;
      needles.Add(absl::StrCat("the value key of class ", static_cast<int>(entry.class_id)),
                  key->ExposeBytes());
      alive.push_back(*std::move(key));
    }
  }

  TestVault vault_;
  crypto::SecretBytes secret_;
};

TEST_P(MemoryTest, NothingThatOpensTheVaultIsLeftOnceItIsLocked) {
  Needles secrets, database_key;
  {
    auto keyring = keyring::Keyring::Unlock(
        vault_.paths(),
        {.name = GetParam().name, .secret = {.kind = Kind(), .bytes = Copy(secret_)}});
    ASSERT_TRUE(keyring.ok()) << keyring.status();
    Work(**keyring);
    if (HasFatalFailure()) return;
    std::vector<crypto::ValueKey> alive;
    Collect(**keyring, secrets, alive);
    database_key.Add("the database key", (*keyring)->database_key().ExposeBytes());
    {
      std::string hex = crypto::ToHex((*keyring)->database_key().ExposeBytes());
      database_key.Add("the database key as text", crypto::AsBytes(hex));
      crypto::Wipe(hex);
    }
    const std::vector<std::string> found = secrets.Find();
    for (const std::string& name : secrets.names()) {
      EXPECT_THAT(found, ::testing::Contains(::testing::StartsWith(name + " in")))
          << "the control did not find it";
    }
    // Sealing secrets leaves no copies behind, either, that later work overwrites by luck alone.
    keyring::UnlockFile file((*keyring)->roster().vault);
    ASSERT_TRUE(file.Put("entry", (*keyring)->bundle(), {.kind = Kind(), .bytes = Copy(secret_)},
                         testing::kInsecureTestCost, (*keyring)->database_key())
                    .ok());
    EXPECT_THAT(secrets.Find(), ::testing::UnorderedElementsAreArray(found));
    EXPECT_THAT(database_key.Find(),
                ::testing::Contains(::testing::StartsWith("the database key in")));
  }
  secret_ = crypto::SecretBytes();
  EXPECT_THAT(secrets.Find(), ::testing::IsEmpty());
  // The engine's copies are outside the promise while a connection is open; here it is closed.
  EXPECT_THAT(database_key.Find(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Roles, MemoryTest,
                         ::testing::Values(Who{"owner", "owner"}, Who{"mina", "agent"},
                                           Who{"service", "importer"}),
                         [](const auto& who) { return who.param.role; });

// The control of the control: what is freed and not wiped is found where it was.
TEST(NeedlesTest, FindWhatWasFreedUnwiped) {
  crypto::PrepareProcess().IgnoreError();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  Needles needles;
  const auto key = crypto::DatabaseKey::Random();
  needles.Add("the key", key.ExposeBytes());
  EXPECT_THAT(needles.Find(), ::testing::SizeIs(2));  // its halves
  {
    crypto::Bytes copy(key.ExposeBytes().begin(), key.ExposeBytes().end());
    copy.reserve(1000);
    EXPECT_THAT(needles.Find(), ::testing::SizeIs(::testing::Ge(4)));
  }
  EXPECT_THAT(needles.Find(), ::testing::SizeIs(::testing::Ge(3)));
}

TEST(KeyMemoryTest, IsLockedAndLeftOutOfCoreImages) {
  ASSERT_TRUE(crypto::PrepareProcess().ok());
  const auto key = crypto::DatabaseKey::Random();
  const auto address = reinterpret_cast<std::uintptr_t>(key.ExposeBytes().data());
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  std::string flags;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2)
      inside = from <= address && address < to;
    if (inside && line.rfind("VmFlags:", 0) == 0) flags = line + " ";
  }
  EXPECT_THAT(flags, ::testing::HasSubstr(" dd "));
  if (!crypto::KeyMemoryIsLocked()) GTEST_SKIP() << "the system does not let this user lock memory";
  EXPECT_THAT(flags, ::testing::HasSubstr(" lo "));
}

}  // namespace
}  // namespace sealbook
