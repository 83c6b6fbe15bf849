// [retention] and the quorum of [archives] in the policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "policies/retention.h"
#include "tests/policies/policy_text.h"

namespace sealbook::policies {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string DefaultText() {
  return DefaultPolicyText(
      {.region = "KR", .archive_recipients = {kRecipient}, .archive_destinations = {}});
}

constexpr RetentionRule kUsual{.chat_days = 90, .archive_days = 1095};

TEST(RetentionRulesTest, AnOldPolicyHasTheUsualDays) {
  const std::string text = DefaultText();
  const auto from = text.find("[retention]");
  ASSERT_NE(from, std::string::npos);
  const auto to = text.find("\n# Old chats", from);
  const auto policy = Policy::Parse(text.substr(0, from) + text.substr(to));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_THAT(policy->retention(), UnorderedElementsAre(Pair("", kUsual)));
  EXPECT_EQ(policy->audit_days(), 1095);
}

TEST(RetentionRulesTest, LabelsTakeWhatTheyDoNotSayFromTheOthers) {
  const auto policy = Policy::Parse(absl::StrReplaceAll(
      DefaultText(), {{"chat_days = 90", "chat_days = 30"},
                      {"audit_days = 1095",
                       "audit_days = 400\n[retention.labels.warranty]\nchat_days = 730\n"
                       "[retention.labels.\"short-1\"]\narchive_days = 1"}}));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->audit_days(), 400);
  EXPECT_THAT(
      policy->retention(),
      UnorderedElementsAre(Pair("", RetentionRule{.chat_days = 30, .archive_days = 1095}),
                           Pair("warranty", RetentionRule{.chat_days = 730, .archive_days = 1095}),
                           Pair("short-1", RetentionRule{.chat_days = 30, .archive_days = 1})));
}

TEST(RetentionRulesTest, WhatIsOutOfRangeOrUnknownIsAFault) {
  for (const auto& [now, wrong, says] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"chat_days = 90", "chat_days = 0", "chat_days"},
           {"chat_days = 90", "chat_days = \"90\"", "chat_days"},
           {"archive_days = 1095", "archive_days = 36501", "archive_days"},
           {"audit_days = 1095", "audit_days = 364", "audit_days"},
           {"audit_days = 1095", "audit_days = 1095\nweeks = 2", "weeks"},
           {"audit_days = 1095", "audit_days = 1095\n[retention.labels.\"Big Ones\"]", "label"},
           {"audit_days = 1095", "audit_days = 1095\nlabels = 3", "labels"},
           {"audit_days = 1095", "audit_days = 1095\n[retention.labels.a]\naudit_days = 400",
            "audit_days"},
           {"quorum = 0", "quorum = 2", "quorum"},
           {"quorum = 0", "quorum = -1", "quorum"}}) {
    const std::string text = absl::StrReplaceAll(DefaultText(), {{now, wrong}});
    ASSERT_NE(text, DefaultText()) << now;
    const auto policy = Policy::Parse(text);
    ASSERT_FALSE(policy.ok()) << wrong;
    EXPECT_THAT(std::string(policy.status().message()), HasSubstr(says)) << wrong;
  }
}

TEST(RetentionRulesTest, TheJobGetsWhatThePolicySays) {
  const auto policy = Policy::Parse(absl::StrReplaceAll(
      DefaultText(),
      {{"destinations = []", "destinations = [\"file:///a/b\", \"file:///a/c\"]"},
       {"quorum = 0", "quorum = 1"},
       {"audit_days = 1095", "audit_days = 1095\n[retention.labels.a]\nchat_days = 7"}}));
  ASSERT_TRUE(policy.ok()) << policy.status();
  const auto options = RetentionOptions(*policy, absl::Now());
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->quorum, 1u);
  EXPECT_EQ(options->rules.at("a").chats, 7);
  EXPECT_EQ(options->rules.at("").chats, 90);
  EXPECT_EQ(options->recipients.size(), policy->archive_recipients().size());
  EXPECT_TRUE(DestinationsOf(*policy).independent);
  const Destinations none = DestinationsOf(*Policy::Parse(DefaultText()));
  EXPECT_FALSE(none.independent);
  EXPECT_THAT(none.urls, ::testing::ElementsAre(std::string(kOwnFolder)));
}

}  // namespace
}  // namespace sealbook::policies
