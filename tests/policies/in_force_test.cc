// What the roster's roles may and hold is what the policy's text says: an admin who gives a role
// more by signing a roster is noticed, not obeyed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/policy.h"
#include "tests/support/policy_vault.h"

namespace sealbook::policies {
namespace {

using testing::PolicyVault;

class PolicyInForceTest : public ::testing::Test {
 protected:
  absl::Status Publish(const std::function<void(keyring::RoleDefinition&)>& change) {
    return keyring::PublishRoster(*vault_.Unlock("owner"), {.act = "x"},
                                  [&](keyring::Roster& next) {
                                    for (keyring::RoleDefinition& role : next.roles) {
                                      if (role.name == "retention") change(role);
                                    }
                                    return absl::OkStatus();
                                  });
  }
  absl::StatusOr<Policy> InForce() {
    auto owner = vault_.Unlock("owner");
    auto policy = PolicyInForce(*owner);
    if (!policy.ok()) return policy;
    const absl::Status roles = CheckRoles(owner->roster(), *policy);
    return roles.ok() ? std::move(policy) : roles;
  }

  PolicyVault vault_;
};

TEST_F(PolicyInForceTest, IsTheTextThatTheRosterNames) {
  const auto policy = InForce();
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->text(), vault_.policy().text());
}

TEST_F(PolicyInForceTest, ARoleThatHoldsMoreThanThePolicySaysIsDataLoss) {
  ASSERT_TRUE(Publish([](auto& role) { role.holds = {ClassId::kProfile}; }).ok());
  EXPECT_TRUE(absl::IsDataLoss(InForce().status()));
}

TEST_F(PolicyInForceTest, ARoleThatMayMoreThanThePolicySaysIsDataLoss) {
  ASSERT_TRUE(Publish([](auto& role) {
                role.powers |= static_cast<std::uint32_t>(keyring::Power::kAssign);
              }).ok());
  EXPECT_TRUE(absl::IsDataLoss(InForce().status()));
}

TEST_F(PolicyInForceTest, ARoleThatReachesOrWritesMoreThanThePolicySaysIsDataLoss) {
  ASSERT_TRUE(Publish([](auto& role) { role.writes = {ClassId::kProfile}; }).ok());
  EXPECT_TRUE(absl::IsDataLoss(InForce().status()));
  ASSERT_TRUE(Publish([](auto& role) { role.writes = {}; }).ok());
  EXPECT_TRUE(InForce().ok());
  ASSERT_TRUE(Publish([](auto& role) { role.root_scope = !role.root_scope; }).ok());
  EXPECT_TRUE(absl::IsDataLoss(InForce().status()));
  // The owner applies the same policy once more.
  ASSERT_TRUE(keyring::ApplyPolicy(*vault_.Unlock("owner"), vault_.policy().Compile()).ok());
  EXPECT_TRUE(InForce().ok());
}

}  // namespace
}  // namespace sealbook::policies
