// A vault in a temporary directory under the default policy, as `init` makes one, for tests of what
// stands on the policy. Unlocking is made cheap; the name says so. (tests/support/test_vault.h is
// for tests of the vault library, which has no policy.)
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policies/decision.h"
#include "policies/policy.h"
#include "tests/support/scratch.h"
#include "vault/crypto/age_file.h"
#include "vault/keyring/administration.h"
#include "vault/records/contact_reader.h"

namespace sealbook::testing {

inline constexpr crypto::PassphraseCost kInsecurePolicyTestCost{.memory_kib = 64, .passes = 1};

class PolicyVault {
 public:
  // `edit` changes the text of the default policy.
  explicit PolicyVault(absl::string_view region = "KR",
                       const std::function<void(std::string&)>& edit = nullptr) {
    crypto::PrepareProcess().IgnoreError();
    root_ = ScratchFolder();
    setenv("XDG_STATE_HOME", (root_ + "/state").c_str(), 1);
    const crypto::ExchangePublic recipient = crypto::ExchangePair::Generate().public_key();
    std::string text =
        policies::DefaultPolicyText({.region = std::string(region),
                                     .archive_recipients = {crypto::FormatAgeRecipient(recipient)},
                                     .archive_destinations = {"file:///tmp/archive"}});
    if (edit) edit(text);
    auto policy = policies::Policy::Parse(text);
    EXPECT_TRUE(policy.ok()) << policy.status();
    if (!policy.ok()) return;
    policy_ = *std::move(policy);
    keyring::CompiledPolicy compiled = policy_->Compile();
    compiled.cost = kInsecurePolicyTestCost;
    const auto created =
        keyring::CreateVault({.directory = directory(),
                              .owner = "owner",
                              .passphrase = SecretOf("owner", false),
                              .policy = std::move(compiled),
                              .archive_recipients = {recipient}},
                             [](const keyring::CreatedVault&) { return absl::OkStatus(); });
    EXPECT_TRUE(created.ok()) << created.status();
  }
  ~PolicyVault() { std::filesystem::remove_all(root_); }
  PolicyVault(const PolicyVault&) = delete;
  PolicyVault& operator=(const PolicyVault&) = delete;

  std::string directory() const { return root_ + "/vault"; }
  const policies::Policy& policy() const { return *policy_; }

  std::unique_ptr<keyring::Keyring> Unlock(absl::string_view name) const {
    auto keyring = keyring::Keyring::Unlock(
        keyring::VaultPaths(directory()),
        {.name = std::string(name),
         .secret = {.kind = KindOf(name), .bytes = SecretOf(name, IsService(name))}});
    EXPECT_TRUE(keyring.ok()) << name << ": " << keyring.status();
    return keyring.ok() ? *std::move(keyring) : nullptr;
  }
  void AddBook(absl::string_view name) const {
    const absl::Status status = keyring::AddBook(*Unlock("owner"), name);
    EXPECT_TRUE(status.ok()) << status;
  }
  // Members whose names begin with "service" are service accounts.
  void AddMember(absl::string_view name, absl::string_view role,
                 std::vector<std::string> books = {}) const {
    const absl::Status status = keyring::AddMember(
        *Unlock("owner"),
        {.name = std::string(name),
         .role = std::string(role),
         .books = std::move(books),
         .secret = {.kind = KindOf(name), .bytes = SecretOf(name, IsService(name))},
         .cost = kInsecurePolicyTestCost});
    EXPECT_TRUE(status.ok()) << status;
  }

  // Every contact within the member's reach as the role sees it: "field=value …", sorted by the
  // texts.
  std::vector<std::string> Contacts(absl::string_view member) const {
    auto keyring = Unlock(member);
    std::vector<std::string> out;
    if (keyring == nullptr) return out;
    const policies::PermitIssuer permits(*policy_);
    const auto all = permits.List(keyring->self().id, keyring->self().role);
    EXPECT_TRUE(all.ok()) << all.status();
    if (!all.ok()) return out;
    std::vector<ContactNumber> numbers;
    records::ContactReader reader(*keyring);
    const absl::Status listed =
        reader.Each(*all, std::nullopt, [&](const records::Contact& contact) {
          numbers.push_back(contact.number);
          return true;
        });
    EXPECT_TRUE(listed.ok()) << listed;
    for (const ContactNumber number : numbers) {
      const auto permit = permits.ReadOne(keyring->self().id, keyring->self().role, number);
      const auto contact = reader.Read(*permit, number);
      EXPECT_TRUE(contact.ok()) << contact.status();
      if (!contact.ok()) continue;
      std::map<std::string, std::string> fields;
      for (const records::ShownField& field : contact->fields) fields[field.name] = field.value;
      std::string text;
      for (const auto& [name, value] : fields)
        absl::StrAppend(&text, text.empty() ? "" : " ", name, "=", value);
      out.push_back(std::move(text));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  static bool IsService(absl::string_view name) { return name.substr(0, 7) == "service"; }
  static keyring::UnlockSecret::Kind KindOf(absl::string_view name) {
    return IsService(name) ? keyring::UnlockSecret::Kind::kKeyFile
                           : keyring::UnlockSecret::Kind::kPassphrase;
  }
  static crypto::SecretBytes SecretOf(absl::string_view name, bool service) {
    std::string text = absl::StrCat("passphrase of ", name);
    if (service) text.resize(32, '.');
    return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
  }

  std::string root_;
  std::optional<policies::Policy> policy_;
};

}  // namespace sealbook::testing
