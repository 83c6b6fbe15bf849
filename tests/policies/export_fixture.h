// Exports under the default policy, with three admins who have factors, and the clock in the test's
// hands.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/export_control.h"
#include "tests/policies/policy_text.h"
#include "tests/support/factor_member.h"

namespace sealbook::policies {

using testing::FactorMember;
using testing::PolicyVault;

inline constexpr absl::Duration kStep = absl::Minutes(1);

class ExportFixture : public ::testing::Test {
 protected:
  using Changes = std::vector<std::pair<std::string, std::string>>;

  // Factors need nobody's agreement here: that has tests of its own.
  ExportFixture()
      : vault_("KR",
               [](std::string& text) {
                 text = With(text, "countersign = true", "countersign = false");
               }),
        start_(absl::Now()),
        now_(start_) {
    vault_.AddBook("seoul");
    for (const char* admin : {"ada", "bea"}) vault_.AddMember(admin, "admin");
    vault_.AddMember("mina", "supervisor", {"seoul"});
    owner_.emplace(vault_, "owner");
    ada_.emplace(vault_, "ada");
    bea_.emplace(vault_, "bea");
    for (FactorMember* member : {&*owner_, &*ada_, &*bea_}) member->Enroll(now_);
    Pass(kStep);
  }
  void Pass(absl::Duration time) { now_ += time; }
  // From now on.
  void Rules(const Changes& changes) {
    std::string text = vault_.policy().text();
    for (const auto& [from, to] : changes) text = With(text, from, to);
    rules_.push_back(std::make_unique<Policy>(Parsed(text)));
  }
  const Policy& policy() const { return rules_.empty() ? vault_.policy() : *rules_.back(); }

  static crypto::ExchangePublic Recipient(std::uint8_t seed) {
    return crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(crypto::Bytes(32, seed)))
        .public_key();
  }
  static records::ExportSpec Spec() {
    return {.book = kRootBook,
            .format = "csv",
            .fields = {"name", "phone"},
            .recipients = {Recipient(7)},
            .reason = "yearly mailing"};
  }
  // One difference each.
  std::vector<records::ExportSpec> OtherSpecs() {
    std::vector<records::ExportSpec> others(7, Spec());
    others[0].book = owner_->keyring().roster().FindBook("seoul")->id;
    others[1].format = "xlsx";
    others[2].fields = {"name", "phone", "email"};
    others[3].fields = {"phone", "name"};
    others[4].recipients = {Recipient(8)};
    others[5].recipients.push_back(Recipient(8));
    others[6].reason = "yearly mailing, once more";
    return others;
  }
  absl::StatusOr<std::unique_ptr<ExportControl>> Authorize(
      FactorMember& member, const records::ExportSpec& spec = Spec()) {
    return Authorize(member, spec, member.CodeAt(now_));
  }
  absl::StatusOr<std::unique_ptr<ExportControl>> Authorize(FactorMember& member,
                                                           const records::ExportSpec& spec,
                                                           absl::string_view code) {
    return ExportControl::Authorize(member.keyring(), policy(), spec, code, now_);
  }
  static WrittenExport Written() {
    WrittenExport written{.rows = 3, .bytes = 100, .sha256 = {}, .header = {1, 2, 3}};
    written.sha256.fill(0xab);
    return written;
  }
  absl::StatusOr<std::string> Complete(ExportControl& control) {
    control.TakePermit();
    return control.Complete(Written(), now_);
  }
  absl::Status Export(FactorMember& member, const records::ExportSpec& spec = Spec()) {
    ASSIGN_OR_RETURN(const auto control, Authorize(member, spec));
    return Complete(*control).status();
  }
  records::ExportRequest Ask(FactorMember& member, const records::ExportSpec& spec = Spec()) {
    const auto request = RequestExport(member.keyring(), policy(), spec, now_);
    EXPECT_TRUE(request.ok()) << request.status();
    return request.ok() ? *request : records::ExportRequest{};
  }
  absl::Status Approve(FactorMember& member, const records::ExportRequest& request) {
    return ApproveExport(member.keyring(), policy(), request, member.CodeAt(now_), now_);
  }
  RequestStanding Standing(const records::ExportRequest& request) {
    EXPECT_TRUE(owner_->keyring().Refresh().ok());
    const auto standing = StandingOf(owner_->keyring(), policy(), request, now_);
    EXPECT_TRUE(standing.ok()) << standing.status();
    return standing.ok() ? *standing : RequestStanding{};
  }
  // Rows of the log by this act.
  int Count(absl::string_view act) {
    int count = 0;
    EXPECT_TRUE(audit::EachBack(owner_->keyring().store(),
                                [&](const audit::Record& row) -> absl::StatusOr<bool> {
                                  if (row.act == act) ++count;
                                  return true;
                                })
                    .ok());
    return count;
  }
  void Sql(const char* sql) {
    ASSERT_TRUE(owner_->keyring().store().database().Execute(sql).ok()) << sql;
    ASSERT_GT(owner_->keyring().store().database().changes(), 0) << "it did nothing: " << sql;
  }
  static void ExpectDenied(const absl::Status& status, absl::string_view because) {
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(std::string(because)));
  }
  static void ExpectNoCode(const absl::Status& status, absl::string_view because) {
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(std::string(because)));
  }

  PolicyVault vault_;
  std::vector<std::unique_ptr<Policy>> rules_;  // a control keeps the one that it was made under
  absl::Time start_, now_;
  std::optional<FactorMember> owner_, ada_, bea_;
};

}  // namespace sealbook::policies
