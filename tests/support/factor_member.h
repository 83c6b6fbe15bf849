// A member of a PolicyVault with an authenticator, for tests that have the clock in their hands.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/factor_enrollment.h"
#include "tests/support/policy_vault.h"
#include "vault/status.h"

namespace sealbook::testing {

inline crypto::Bytes FromBase32(absl::string_view text) {
  crypto::Bytes out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    bits = bits << 5 | static_cast<std::uint32_t>(c >= 'A' ? c - 'A' : c - '2' + 26);
    if ((count += 5) >= 8) out.push_back(static_cast<std::uint8_t>(bits >> (count -= 8)));
  }
  return out;
}

class FactorMember {
 public:
  // `policy` outlives this, and is what is asked where no other one is named.
  FactorMember(const PolicyVault& vault, absl::string_view name, const policies::Policy& policy)
      : keyring_(vault.Unlock(name)), policy_(&policy) {}
  FactorMember(const PolicyVault& vault, absl::string_view name)
      : FactorMember(vault, name, vault.policy()) {}

  keyring::Keyring& keyring() { return *keyring_; }
  MemberId id() const { return keyring_->bundle().member; }
  const policies::Policy& policy() const { return *policy_; }
  void Follow(const policies::Policy& policy) { policy_ = &policy; }

  // The id of a new authenticator, which nobody has confirmed yet.
  absl::StatusOr<std::string> Begin(absl::Time now, const policies::CheckedCode* code = nullptr) {
    ASSIGN_OR_RETURN(const policies::NewTotp totp,
                     policies::BeginTotp(*keyring_, *policy_, code, now));
    older_secret_ = std::move(secret_);
    secret_ = FromBase32(totp.base32.ExposeText());
    return totp.id;
  }
  absl::StatusOr<policies::ConfirmedTotp> Confirm(absl::Time now) {
    return policies::ConfirmTotp(*keyring_, *policy_, CodeAt(now), now);
  }
  // Both. Gives the id.
  std::string Enroll(absl::Time now) {
    const auto begun = Begin(now);
    EXPECT_TRUE(begun.ok()) << begun.status();
    const auto confirmed = Confirm(now);
    EXPECT_TRUE(confirmed.ok()) << confirmed.status();
    return begun.ok() ? *begun : "";
  }
  std::string CodeAt(absl::Time time) const { return CodeOf(secret_, time); }
  // Of the authenticator before.
  std::string OlderCodeAt(absl::Time time) const { return CodeOf(older_secret_, time); }
  std::string WrongCode(absl::Time now) const { return CodeAt(now + absl::Hours(5)); }

  absl::StatusOr<policies::CheckedCode> Check(absl::string_view code, absl::Time now) {
    return policies::CheckCode(*keyring_, *policy_, code, now);
  }
  absl::StatusOr<policies::CheckedCode> Check(absl::Time now) { return Check(CodeAt(now), now); }
  absl::Status Spend(const policies::CheckedCode& code, absl::Time now) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_->BeginWrite());
    RETURN_IF_ERROR(policies::SpendCode(*keyring_, *policy_, code, now));
    return transaction.Commit();
  }
  absl::Status Use(absl::string_view code, absl::Time now) {
    ASSIGN_OR_RETURN(const policies::CheckedCode checked, Check(code, now));
    return Spend(checked, now);
  }
  absl::Status Use(absl::Time now) { return Use(CodeAt(now), now); }
  absl::StatusOr<policies::Approved> Approve(absl::string_view id, absl::Time now) {
    ASSIGN_OR_RETURN(const policies::CheckedCode code, Check(now));
    return policies::ApproveFactor(*keyring_, *policy_, id, code, now);
  }
  absl::StatusOr<std::optional<std::string>> Remove(MemberId member, absl::Time now) {
    ASSIGN_OR_RETURN(const policies::CheckedCode code, Check(now));
    return policies::RemoveFactors(*keyring_, *policy_, member, &code, now);
  }
  absl::StatusOr<std::vector<std::string>> MakeRecoveryCodes(
      absl::Time now, const policies::CheckedCode* code = nullptr) {
    std::vector<std::string> codes;
    RETURN_IF_ERROR(policies::MakeRecoveryCodes(*keyring_, *policy_, code, now,
                                                [&](const std::vector<crypto::SecretBytes>& made) {
                                                  for (const crypto::SecretBytes& one : made)
                                                    codes.emplace_back(one.ExposeText());
                                                  return absl::OkStatus();
                                                }));
    return codes;
  }
  // What `factor list` says of this member's, seen by `eyes`: "totp active", …
  std::vector<std::string> SeenBy(FactorMember& eyes) const {
    const auto items = policies::ListFactors(*eyes.keyring_, *eyes.policy_, id());
    EXPECT_TRUE(items.ok()) << items.status();
    std::vector<std::string> out;
    if (!items.ok()) return out;
    for (const policies::FactorItem& item : *items)
      out.push_back(absl::StrCat(item.kind, " ", policies::NameOf(item.status)));
    return out;
  }

 private:
  static std::string CodeOf(const crypto::Bytes& secret, absl::Time time) {
    const auto code = policies::HotpCode(secret, policies::TotpStepAt(time));
    EXPECT_TRUE(code.ok()) << code.status();
    return code.ok() ? std::string(code->ExposeText()) : "";
  }

  std::unique_ptr<keyring::Keyring> keyring_;
  const policies::Policy* policy_;
  crypto::Bytes secret_, older_secret_;
};

}  // namespace sealbook::testing
