// A vault with two books, some members and ten customers, for tests of the commands. Made through
// the library, so that unlocking can be cheaper than any policy allows; the name says so.
//
//   owner            owner                       passphrases in NAME.passphrase
//   ada              admin
//   mina, wei        agents of seoul, shenzhen
//   jun              agent of both
//   sora             supervisor of seoul
//   audra            auditor
//   importer         importer                    a key in importer.key
//
// archive-identity.txt opens its archives.
#pragma once

#include <memory>
#include <set>

#include "policies/policy.h"
#include "tests/support/command.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/records/token.h"

namespace sealbook::testing {

inline constexpr crypto::PassphraseCost kInsecureTestCost{.memory_kib = 64, .passes = 1};

// The customers, of which "jiahao" is in both books. Two of seoul have the same masked phone.
inline constexpr char kSeoulCsv[] =
    "이름,연락처,이메일,회사,메모,생년월일,WhatsApp ID\n"
    "김서연,010-1234-5678,seoyeon@example.com,별빛상사,오후 통화,1990-02-03,\n"
    "김서준,010-9876-5678,seojun@example.com,,,,\n"
    "이하늘,010-3333-9999,haneul@example.org,달빛상사,,,\n"
    "박 하늘,010-4444-1111,,,,,\n"
    "Chloé Ingram,+1 914-555-0189,chloe@example.com,Nowhere Inc.,,,19145550189\n"
    "王嘉豪,+86 136 7005 1676,jiahao@example.net,星河电子,,,\n";
inline constexpr char kShenzhenCsv[] =
    "姓名;手机;邮箱;公司\n"
    "王芳;176-2963-0546;wang.fang@example.net;\n"
    "陈勇;0086 16673349097;;\n"
    "高佳琪;+86 136 7005 9999;gao@example.net;云上贸易\n"
    "王嘉豪;13670051676;jiahao@example.net;星河电子\n";
// Values that only those may see who may read the customer.
inline const std::set<std::string>& SecretValues() {
  static const std::set<std::string> values = {
      "1234-5678", "12345678", "seoyeon",   "김서연", "별빛상사",  "오후 통화", "9876",
      "김서준",    "seojun",   "2963-0546", "王芳",   "wang.fang", "67005",     "嘉豪"};
  return values;
}
inline void ExpectNothingPersonal(const Ran& ran) {
  for (const std::string& value : SecretValues()) {
    EXPECT_EQ((ran.out + ran.err).find(value), std::string::npos) << value << " in " << ran;
  }
}

inline crypto::SecretBytes Secret(const std::string& text) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
}

// The default policy, with passphrases as cheap as a policy may make them.
inline std::string CheapPolicyText(const std::string& recipient) {
  std::string text = policies::DefaultPolicyText(
      {.region = "KR", .archive_recipients = {recipient}, .archive_destinations = {}});
  text.replace(text.find("memory_mib = 256"), 16, "memory_mib = 64");
  text.replace(text.find("passes = 3"), 10, "passes = 1");
  return text;
}

class VaultTest : public CommandTest {
 public:
  VaultTest() {
    crypto::PrepareProcess().IgnoreError();
    setenv("XDG_STATE_HOME", Path("state-of-test").c_str(), 1);
    BuildVault();
  }

  static std::string PassphraseOf(const std::string& name) {
    return absl::StrCat("words only ", name, " would choose");
  }
  std::string VaultPath(const std::string& name = "") const {
    return name.empty() ? Path("vault") : Path("vault/" + name);
  }

  RunOptions Member(const std::string& name, RunOptions options = {}) const {
    options.environment["SEALBOOK_MEMBER"] = name;
    if (std::filesystem::exists(Path(name + ".key"))) {
      options.environment["SEALBOOK_KEY_FILE"] = Path(name + ".key");
    } else {
      options.environment["SEALBOOK_PASSPHRASE_FILE"] = Path(name + ".passphrase");
    }
    return options;
  }
  Ran As(const std::string& name, const Words& words, const RunOptions& options = {}) {
    return Run(words, Member(name, options));
  }
  Process StartAs(const std::string& name, const Words& words, const RunOptions& options = {}) {
    return Start(words, Member(name, options));
  }
  // Of a command that must succeed.
  Json Ask(const std::string& name, Words words) {
    words.push_back("--json");
    const Ran ran = As(name, words);
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_EQ(ran.err, "") << ran;
    return ran.json();
  }
  void Must(const std::string& name, const Words& words) {
    const Ran ran = As(name, words);
    ASSERT_EQ(ran.exit, 0) << ran;
  }

  void ImportCustomers() {
    Write("seoul.csv", kSeoulCsv);
    Write("shenzhen.csv", kShenzhenCsv);
    Must("owner", {"import", Path("seoul.csv"), "--book", "seoul"});
    Must("owner", {"import", Path("shenzhen.csv"), "--book", "shenzhen", "--region", "CN"});
  }
  // Found by name, as the owner. Looking leaves rows in the log.
  std::string TokenOf(const std::string& person) {
    const Json found = Ask("owner", {"lookup", "--name", person});
    EXPECT_EQ(found["contacts"].size(), 1u) << person;
    return found["contacts"].empty() ? "" : found["contacts"][0]["uid"].get<std::string>();
  }
  // Well formed, and of no customer.
  static std::string NobodysToken() { return records::FormatToken(records::MakeToken(10)); }
  // Tokens of what a member may list.
  std::set<std::string> TokensOf(const std::string& member, Words more = {}) {
    more.insert(more.begin(), {"list", "--json"});
    const Ran ran = As(member, more);
    EXPECT_EQ(ran.exit, 0) << ran;
    std::set<std::string> tokens;
    for (const Json& line : ran.lines()) tokens.insert(line["uid"].get<std::string>());
    return tokens;
  }
  static Json FieldOf(const Json& contact, const std::string& field) {
    return contact["fields"].contains(field) ? contact["fields"][field] : Json();
  }
  std::vector<Json> AuditLog(Words more = {}) {
    more.insert(more.begin(), {"audit", "log", "--json"});
    const Ran ran = As("owner", more);
    EXPECT_EQ(ran.exit, 0) << ran;
    return ran.lines();
  }
  std::int64_t CountActs(const std::string& act, const std::string& outcome = "done") {
    std::int64_t count = 0;
    for (const Json& line : AuditLog())
      count += line["act"] == act && line["outcome"] == outcome ? 1 : 0;
    return count;
  }

  // What somebody with the database key and write access can do.
  void Alter(const char* sql) const {
    auto keyring =
        keyring::Keyring::Unlock(keyring::VaultPaths(VaultPath()),
                                 {.name = "owner",
                                  .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                             .bytes = Secret(PassphraseOf("owner"))}});
    ASSERT_TRUE(keyring.ok()) << keyring.status();
    const absl::Status done = (*keyring)->store().database().Execute(sql);
    ASSERT_TRUE(done.ok()) << done;
  }
  // Another copy of the vault's folder.
  void CopyVault(const std::string& to) const {
    std::filesystem::copy(VaultPath(), Path(to), std::filesystem::copy_options::recursive);
  }
  void RestoreVault(const std::string& from) const {
    std::filesystem::remove_all(VaultPath());
    std::filesystem::copy(Path(from), VaultPath(), std::filesystem::copy_options::recursive);
  }

 private:
  void BuildVault() {
    const crypto::ExchangePair archive = crypto::ExchangePair::Generate();
    Write("archive-identity.txt", std::string(crypto::FormatAgeIdentity(archive).ExposeText()));
    auto policy =
        policies::Policy::Parse(CheapPolicyText(crypto::FormatAgeRecipient(archive.public_key())));
    ASSERT_TRUE(policy.ok()) << policy.status();
    keyring::CompiledPolicy compiled = policy->Compile();
    compiled.cost = kInsecureTestCost;
    const auto created =
        keyring::CreateVault({.directory = VaultPath(),
                              .owner = "owner",
                              .passphrase = Secret(PassphraseOf("owner")),
                              .policy = std::move(compiled),
                              .archive_recipients = {archive.public_key()}},
                             [](const keyring::CreatedVault&) { return absl::OkStatus(); });
    ASSERT_TRUE(created.ok()) << created.status();
    Write("owner.passphrase", PassphraseOf("owner"));
    auto owner =
        Unlock("owner", keyring::UnlockSecret::Kind::kPassphrase, Secret(PassphraseOf("owner")));
    ASSERT_TRUE(owner != nullptr && keyring::AddBook(*owner, "seoul").ok() &&
                keyring::AddBook(*owner, "shenzhen").ok());
    AddPerson(*owner, "ada", "admin", {});
    AddPerson(*owner, "mina", "agent", {"seoul"});
    AddPerson(*owner, "wei", "agent", {"shenzhen"});
    AddPerson(*owner, "jun", "agent", {"seoul", "shenzhen"});
    AddPerson(*owner, "sora", "supervisor", {"seoul"});
    AddPerson(*owner, "audra", "auditor", {});
    const std::string key(crypto::kKeyBytes, 'k');
    ASSERT_TRUE(
        keyring::AddMember(*owner, {.name = "importer",
                                    .role = "importer",
                                    .books = {},
                                    .secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile,
                                               .bytes = Secret(key)},
                                    .cost = kInsecureTestCost})
            .ok());
    Write("importer.key", std::string(keyring::FormatKeyFile(owner->roster().vault, "importer",
                                                             crypto::AsBytes(key))
                                          .ExposeText()));
  }
  std::unique_ptr<keyring::Keyring> Unlock(const std::string& name,
                                           keyring::UnlockSecret::Kind kind,
                                           crypto::SecretBytes bytes) {
    auto keyring = keyring::Keyring::Unlock(
        keyring::VaultPaths(VaultPath()),
        {.name = name, .secret = {.kind = kind, .bytes = std::move(bytes)}});
    EXPECT_TRUE(keyring.ok()) << keyring.status();
    return keyring.ok() ? *std::move(keyring) : nullptr;
  }
  void AddPerson(keyring::Keyring& owner, const std::string& name, const std::string& role,
                 std::vector<std::string> books) {
    const absl::Status added =
        keyring::AddMember(owner, {.name = name,
                                   .role = role,
                                   .books = std::move(books),
                                   .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                              .bytes = Secret("what the owner chose")},
                                   .cost = kInsecureTestCost});
    ASSERT_TRUE(added.ok()) << added;
    auto self =
        Unlock(name, keyring::UnlockSecret::Kind::kPassphrase, Secret("what the owner chose"));
    ASSERT_TRUE(
        self != nullptr &&
        keyring::ChangePassphrase(*self, Secret(PassphraseOf(name)), kInsecureTestCost).ok());
    Write(name + ".passphrase", PassphraseOf(name));
  }
};

}  // namespace sealbook::testing
