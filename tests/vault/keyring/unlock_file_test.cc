#include "vault/keyring/unlock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/test_vault.h"

namespace sealbook::keyring {
namespace {

using testing::kInsecureTestCost;
using testing::TestVault;
using Kind = UnlockSecret::Kind;

UnlockSecret Passphrase(absl::string_view text) {
  return {.kind = Kind::kPassphrase, .bytes = crypto::SecretBytes::CopyOf(crypto::AsBytes(text))};
}
UnlockSecret KeyBytes(std::uint8_t fill, std::size_t size = crypto::kKeyBytes) {
  return {.kind = Kind::kKeyFile, .bytes = crypto::SecretBytes::CopyOf(crypto::Bytes(size, fill))};
}
Bundle MakeBundle(bool with_root) {
  const crypto::SigningPair root = crypto::SigningPair::Generate();
  Bundle bundle{.member = MemberId{7},
                .must_change = true,
                .exchange = crypto::ExchangePair::Generate(),
                .signing = crypto::SigningPair::Generate(),
                .root = root.verify_key(),
                .root_pair = std::nullopt};
  if (with_root) bundle.root_pair = crypto::SigningPair::FromSeed(root.seed().Duplicate());
  return bundle;
}

class UnlockFileTest : public ::testing::Test {
 protected:
  UnlockFileTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/unlock.json";
    mina_ = file_.EntryId("mina");
    EXPECT_TRUE(
        file_.Put(mina_, bundle_, Passphrase("right"), kInsecureTestCost, database_key_).ok());
  }
  ~UnlockFileTest() override { std::filesystem::remove_all(root_); }

  std::string Saved() const {
    EXPECT_TRUE(file_.Save(path_).ok());
    return *ReadSmallFile(path_, UnlockFile::kMaxBytes);
  }
  absl::StatusOr<UnlockFile> LoadText(absl::string_view text) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
    return UnlockFile::Load(path_);
  }
  // The saved file with one text in the place of another that stands in it.
  UnlockFile Altered(absl::string_view from, absl::string_view to) const {
    const std::string saved = Saved();
    EXPECT_TRUE(absl::StrContains(saved, from)) << from;
    auto file = LoadText(absl::StrReplaceAll(saved, {{from, to}}));
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : UnlockFile(kVault);
  }

  static constexpr VaultId kVault = {0xaa, 0xbb, 3};
  std::string root_, path_, mina_;
  UnlockFile file_{kVault};
  Bundle bundle_ = MakeBundle(true);
  crypto::DatabaseKey database_key_ = crypto::DatabaseKey::Random();
};

TEST_F(UnlockFileTest, BundleAndDatabaseKeyComeBack) {
  const auto loaded = LoadText(Saved());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->vault(), kVault);
  const auto bundle = loaded->Open(mina_, Passphrase("right"));
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->member, bundle_.member);
  EXPECT_TRUE(bundle->must_change);
  EXPECT_EQ(bundle->exchange.public_key(), bundle_.exchange.public_key());
  EXPECT_EQ(bundle->signing.verify_key(), bundle_.signing.verify_key());
  EXPECT_EQ(bundle->root, bundle_.root);
  ASSERT_TRUE(bundle->root_pair.has_value());
  EXPECT_EQ(bundle->root_pair->verify_key(), bundle_.root);
  const auto key = UnlockFile::OpenDatabaseKey(loaded->Find(mina_)->database_key, *bundle, kVault);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(crypto::EqualInConstantTime(key->ExposeBytes(), database_key_.ExposeBytes()));
}

TEST_F(UnlockFileTest, BundleWithoutRootHasNone) {
  const Bundle agent = MakeBundle(false);
  ASSERT_TRUE(file_.Put(mina_, agent, Passphrase("right"), kInsecureTestCost, database_key_).ok());
  const auto opened = file_.Open(mina_, Passphrase("right"));
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened->root_pair.has_value());
  EXPECT_EQ(opened->root, agent.root);
  EXPECT_EQ(opened->exchange.public_key(), agent.exchange.public_key());  // replaced
  EXPECT_EQ(file_.entries().size(), 1u);
}

TEST_F(UnlockFileTest, WrongSecretIsUnauthenticated) {
  for (const char* wrong : {"", "wrong", "right ", "Right"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(file_.Open(mina_, Passphrase(wrong)).status())) << wrong;
  }
  EXPECT_TRUE(absl::IsUnauthenticated(file_.Open(mina_, KeyBytes(1)).status()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(file_.Open(file_.EntryId("jun"), Passphrase("right")).status()));
}

TEST_F(UnlockFileTest, KeyFileOpensItsEntryOnly) {
  const std::string service = file_.EntryId("service");
  ASSERT_TRUE(file_.Put(service, bundle_, KeyBytes(1), kInsecureTestCost, database_key_).ok());
  EXPECT_TRUE(file_.Open(service, KeyBytes(1)).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(file_.Open(service, KeyBytes(2)).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(file_.Open(service, KeyBytes(1, 31)).status()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(file_.Open(service, Passphrase(std::string(32, '\1'))).status()));
  EXPECT_FALSE(file_.Put(service, bundle_, KeyBytes(1, 31), kInsecureTestCost, database_key_).ok());
}

TEST_F(UnlockFileTest, RemovedEntryIsGone) {
  file_.Remove(mina_);
  EXPECT_EQ(file_.Find(mina_), nullptr);
  EXPECT_TRUE(absl::IsUnauthenticated(file_.Open(mina_, Passphrase("right")).status()));
}

TEST_F(UnlockFileTest, EveryPutHasANewSalt) {
  const std::string again = file_.EntryId("again");
  ASSERT_TRUE(
      file_.Put(again, bundle_, Passphrase("right"), kInsecureTestCost, database_key_).ok());
  EXPECT_NE(file_.Find(again)->salt, file_.Find(mina_)->salt);
  EXPECT_NE(file_.Find(again)->bundle, file_.Find(mina_)->bundle);
}

TEST_F(UnlockFileTest, EntryIdsNameNobodyAndDifferByVault) {
  EXPECT_EQ(mina_.size(), 32u);
  EXPECT_EQ(mina_, UnlockFile(kVault).EntryId("mina"));
  EXPECT_NE(mina_, UnlockFile(VaultId{1}).EntryId("mina"));
  EXPECT_NE(mina_, file_.EntryId("Mina"));
  EXPECT_FALSE(absl::StrContains(Saved(), "mina"));
}

TEST_F(UnlockFileTest, EntryIsBoundToItsIdParametersAndSalt) {
  EXPECT_TRUE(Altered("kdf", "kdf").Open(mina_, Passphrase("right")).ok());  // the positive control
  const std::string jun = file_.EntryId("jun");
  EXPECT_TRUE(absl::IsUnauthenticated(Altered(mina_, jun).Open(jun, Passphrase("right")).status()));
  const UnlockEntry& entry = *file_.Find(mina_);
  crypto::Salt salt = entry.salt;
  salt[0] ^= 1;
  crypto::Bytes bundle = entry.bundle;
  bundle.back() ^= 1;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"memory_kib\": 64", "\"memory_kib\": 65"},
           {"\"passes\": 1", "\"passes\": 2"},
           {crypto::ToBase64(entry.salt), crypto::ToBase64(salt)},
           {crypto::ToBase64(entry.bundle), crypto::ToBase64(bundle)},
           {crypto::ToBase64(entry.bundle), ""},
           {"\"argon2id\"", "\"key-file\""},
           {crypto::ToHex(kVault), crypto::ToHex(VaultId{1})}}) {
    EXPECT_TRUE(
        absl::IsUnauthenticated(Altered(from, to).Open(mina_, Passphrase("right")).status()))
        << from << " " << to;
  }
}

TEST_F(UnlockFileTest, HostileCostIsRefusedWithoutPayingIt) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"memory_kib\": 64",
            absl::StrCat("\"memory_kib\": ", crypto::PassphraseCost::kMaxMemoryKib + 1)},
           {"\"memory_kib\": 64", "\"memory_kib\": 4294967295"},
           {"\"memory_kib\": 64", "\"memory_kib\": 4294967360"},  // 64 in its lower half
           {"\"memory_kib\": 64", "\"memory_kib\": -64"},
           {"\"memory_kib\": 64", "\"memory_kib\": 1"},
           {"\"memory_kib\": 64", "\"memory_kib\": \"64\""},
           {"\"memory_kib\": 64", "\"memory_kib\": 1e30"},
           {"\"passes\": 1", absl::StrCat("\"passes\": ", crypto::PassphraseCost::kMaxPasses + 1)},
           {"\"passes\": 1", "\"passes\": 4294967295"},
           {"\"passes\": 1", "\"passes\": 0"}}) {
    const UnlockFile altered = Altered(from, to);
    const absl::Time start = absl::Now();
    EXPECT_TRUE(absl::IsUnauthenticated(altered.Open(mina_, Passphrase("right")).status())) << to;
    EXPECT_LT(absl::Now() - start, absl::Seconds(2)) << to;
  }
  EXPECT_FALSE(file_
                   .Put(mina_, bundle_, Passphrase("right"),
                        {.memory_kib = 64, .passes = crypto::PassphraseCost::kMaxPasses + 1},
                        database_key_)
                   .ok());
  EXPECT_TRUE(file_.Open(mina_, Passphrase("right")).ok());  // the entry that was there stays
}

TEST_F(UnlockFileTest, DatabaseKeyOfAnotherMemberVaultOrSealIsDataLoss) {
  const UnlockEntry& entry = *file_.Find(mina_);
  const auto open = [&](const UnlockEntry& from, const Bundle& as, const VaultId& vault) {
    return UnlockFile::OpenDatabaseKey(from.database_key, as, vault).status();
  };
  EXPECT_TRUE(open(entry, bundle_, kVault).ok());
  EXPECT_TRUE(absl::IsDataLoss(open(entry, bundle_, VaultId{1})));
  EXPECT_TRUE(absl::IsDataLoss(open(entry, MakeBundle(false), kVault)));
  bundle_.member = MemberId{8};
  EXPECT_TRUE(absl::IsDataLoss(open(entry, bundle_, kVault)));
  bundle_.member = MemberId{7};
  UnlockEntry altered = entry;
  altered.database_key[40] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(open(altered, bundle_, kVault)));
  altered.database_key = crypto::SealToPublic(bundle_.exchange.public_key(), {});
  EXPECT_TRUE(absl::IsDataLoss(open(altered, bundle_, kVault)));
  altered.database_key.clear();
  EXPECT_TRUE(absl::IsDataLoss(open(altered, bundle_, kVault)));
}

TEST_F(UnlockFileTest, MissingFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(UnlockFile::Load(root_ + "/none").status()));
}

TEST_F(UnlockFileTest, FileCutAtEveryOffsetIsDataLoss) {
  const std::string saved = Saved();
  ASSERT_TRUE(absl::EndsWith(saved, "}\n"));
  for (std::size_t size = 0; size + 1 < saved.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(LoadText(saved.substr(0, size)).status())) << size;
  }
  EXPECT_TRUE(LoadText(saved.substr(0, saved.size() - 1)).ok());  // without the line's end
}

TEST_F(UnlockFileTest, ChangedByteNeverOpensAnotherBundle) {
  const std::string saved = Saved();
  for (std::size_t at = 0; at < saved.size(); ++at) {
    std::string text = saved;
    text[at] = static_cast<char>(text[at] ^ 4);
    const auto file = LoadText(text);
    if (!file.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(file.status()) || absl::IsFailedPrecondition(file.status()))
          << at;
      continue;
    }
    const auto bundle = file->Open(mina_, Passphrase("right"));
    if (!bundle.ok()) {
      EXPECT_TRUE(absl::IsUnauthenticated(bundle.status())) << at << bundle.status();
      continue;
    }
    EXPECT_EQ(bundle->exchange.public_key(), bundle_.exchange.public_key()) << at;
    const auto key =
        UnlockFile::OpenDatabaseKey(file->Find(mina_)->database_key, *bundle, file->vault());
    if (key.ok()) {
      EXPECT_TRUE(crypto::EqualInConstantTime(key->ExposeBytes(), database_key_.ExposeBytes()))
          << at;
    } else {
      EXPECT_TRUE(absl::IsDataLoss(key.status())) << at;
    }
  }
}

TEST_F(UnlockFileTest, HostileJsonIsDataLoss) {
  for (
      const char* text :
      {"null", "[]", "7", "{}", R"({"format":"1"})", R"({"format":1})",
       R"({"format":1,"vault":7,"entries":{}})", R"({"format":1,"vault":"aabb","entries":{}})",
       R"({"format":1,"vault":"aabb0300000000000000000000000000"})",
       R"({"format":1,"vault":"aabb0300000000000000000000000000","entries":[]})",
       R"({"format":1,"vault":"aabb0300000000000000000000000000","entries":{"a":[]}})",
       R"({"format":1,"vault":"aabb0300000000000000000000000000","entries":{"a":{"kdf":"md5"}}})",
       R"({"format":1,"vault":"aabb0300000000000000000000000000","entries":{"a":{"kdf":"argon2id","salt":"AA=="}}})"}) {
    EXPECT_TRUE(absl::IsDataLoss(LoadText(text).status())) << text;
  }
  EXPECT_TRUE(absl::IsDataLoss(LoadText(std::string(100000, '[')).status()));
  EXPECT_TRUE(
      LoadText(R"({"format":1,"vault":"aabb0300000000000000000000000000","entries":{}})").ok());
}

TEST_F(UnlockFileTest, AnotherFormatIsFailedPrecondition) {
  EXPECT_TRUE(absl::IsFailedPrecondition(LoadText(R"({"format":2})").status()));
}

TEST_F(UnlockFileTest, FileIsForTheGroup) {
  Saved();
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
}

// Recovery codes.

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

TEST(RecoveryCodeTest, HasTheFormThatIsPromised) {
  const crypto::SecretBytes code = MakeRecoveryCode();
  const absl::string_view text = code.ExposeText();
  ASSERT_EQ(text.size(), 34u);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 5 == 4) {
      EXPECT_EQ(text[i], '-') << i;
    } else {
      EXPECT_NE(kAlphabet.find(text[i]), absl::string_view::npos) << i;
    }
  }
  EXPECT_NE(MakeRecoveryCode().ExposeText(), text);
}

TEST(RecoveryCodeTest, TypedInAnyUsualWayIsTheSame) {
  for (int round = 0; round < 50; ++round) {
    const std::string code(MakeRecoveryCode().ExposeText());
    const std::string plain = absl::StrReplaceAll(code, {{"-", ""}});
    std::string lower = code, mistaken = code, lower_mistaken;
    for (char& c : lower) c = static_cast<char>(c >= 'A' ? c - 'A' + 'a' : c);
    mistaken = absl::StrReplaceAll(code, {{"0", "O"}, {"1", round % 2 == 0 ? "I" : "L"}});
    lower_mistaken = absl::StrReplaceAll(lower, {{"0", "o"}, {"1", round % 2 == 0 ? "l" : "i"}});
    for (const std::string& typed :
         {code, plain, lower, mistaken, lower_mistaken, absl::StrReplaceAll(code, {{"-", " "}}),
          absl::StrCat("  ", code, "\r\n"), absl::StrReplaceAll(code, {{"-", "\t- "}})}) {
      const auto normal = NormalizeRecoveryCode(typed);
      ASSERT_TRUE(normal.ok()) << typed;
      EXPECT_EQ(normal->ExposeText(), plain) << typed;
    }
  }
}

TEST(RecoveryCodeTest, MistypedCodeIsInvalid) {
  const std::string plain = absl::StrReplaceAll(MakeRecoveryCode().ExposeText(), {{"-", ""}});
  int typed = 0, passed = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    for (const char c : kAlphabet) {
      if (c == plain[i]) continue;
      std::string wrong = plain;
      wrong[i] = c;
      const auto normal = NormalizeRecoveryCode(wrong);
      ++typed;
      if (normal.ok()) ++passed;
      // Ten bits check: one in 1024 of the other characters' errors passes; of their own, none.
      if (i >= 26) {
        EXPECT_FALSE(normal.ok()) << wrong;
      }
    }
  }
  EXPECT_EQ(typed, 28 * 31);
  EXPECT_LT(passed, 12);
}

TEST(RecoveryCodeTest, TextThatIsNoCodeIsInvalid) {
  const std::string code(MakeRecoveryCode().ExposeText());
  for (const std::string& typed :
       {std::string(), std::string("-"), code.substr(0, 33), code + "0", code + code,
        "U" + code.substr(1), "*" + code.substr(1), "\xc3\xa9" + code.substr(2),
        std::string(1, '\0') + code.substr(1)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(NormalizeRecoveryCode(typed).status())) << typed;
  }
}

TEST(RecoveryCodeTest, OpensTheVaultWithItsRootKey) {
  TestVault vault;
  auto code = NormalizeRecoveryCode(vault.recovery_code());
  ASSERT_TRUE(code.ok());
  auto keyring = Keyring::Unlock(
      vault.paths(), {.name = std::string(kRecoveryEntryName),
                      .secret = {.kind = Kind::kPassphrase, .bytes = *std::move(code)}});
  ASSERT_TRUE(keyring.ok()) << keyring.status();
  EXPECT_EQ((*keyring)->self().kind, MemberKind::kRecovery);
  EXPECT_TRUE((*keyring)->bundle().root_pair.has_value());
  EXPECT_TRUE((*keyring)->Holds(kRootBook, ClassId::kIdentity));
  EXPECT_FALSE(NormalizeName(kRecoveryEntryName).ok());  // no member can have its name
}

// Key files.

constexpr VaultId kKeyFileVault = {0xde, 0xad};
std::string KeyFileText(absl::string_view name) {
  return std::string(FormatKeyFile(kKeyFileVault, name, crypto::Bytes(32, 0x5a)).ExposeText());
}

TEST(KeyFileTest, ComesBackAsItWasWritten) {
  for (const char* name : {"importer", "night import", "가져오기"}) {
    const std::string text = KeyFileText(name);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    for (const std::string& variant : {text, text.substr(0, text.size() - 1), text + "\r\n"}) {
      const auto parsed = ParseKeyFile(variant);
      ASSERT_TRUE(parsed.ok()) << name << parsed.status();
      EXPECT_EQ(parsed->vault, kKeyFileVault);
      EXPECT_EQ(parsed->name, name);
      EXPECT_TRUE(std::ranges::equal(parsed->secret.ExposeBytes(), crypto::Bytes(32, 0x5a)));
    }
  }
}

TEST(KeyFileTest, CutAtEveryOffsetIsNoKeyFileUntilTheNameBegins) {
  const std::string text = KeyFileText("importer");
  const std::size_t name_at = text.find("importer");
  for (std::size_t size = 0; size <= name_at; ++size) {
    EXPECT_TRUE(absl::IsFailedPrecondition(ParseKeyFile(text.substr(0, size)).status())) << size;
  }
}

TEST(KeyFileTest, OtherTextIsNoKeyFile) {
  const std::string good = KeyFileText("importer");
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"KEY-1", "KEY-2"},
                                                        {" dead", " de"},
                                                        {" dead", " xxad"},
                                                        {" dead", "  dead"},
                                                        {"Wlpa", "Wlp"},
                                                        {"Wlpa", "????"},
                                                        {"importer", "im\nporter"},
                                                        {"importer", "\x01"},
                                                        {"importer", " importer"},
                                                        {"importer", "\xff"},
                                                        {"importer", std::string(65, 'x')}}) {
    ASSERT_TRUE(absl::StrContains(good, from)) << from;
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    EXPECT_TRUE(absl::IsFailedPrecondition(ParseKeyFile(text).status())) << text;
  }
  EXPECT_TRUE(
      absl::IsFailedPrecondition(ParseKeyFile("-----BEGIN OPENSSH PRIVATE KEY-----\n").status()));
}

}  // namespace
}  // namespace sealbook::keyring
