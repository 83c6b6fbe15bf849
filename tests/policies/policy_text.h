// Policies for tests: the default one, changed in one place.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "policies/policy.h"

namespace sealbook::policies {

// The recipient of age's own README; nobody here holds its identity.
inline constexpr char kRecipient[] =
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

inline std::string DefaultText() {
  return DefaultPolicyText({.region = "KR",
                            .archive_recipients = {kRecipient},
                            .archive_destinations = {"sftp://shop@archive.example/chats"}});
}

// The text with `from`, which stands in it exactly once, replaced.
inline std::string With(std::string text, absl::string_view from, absl::string_view to) {
  const auto at = text.find(from.data(), 0, from.size());
  EXPECT_NE(at, std::string::npos) << "not in the policy: " << from;
  if (at == std::string::npos) return text;
  EXPECT_EQ(text.find(from.data(), at + 1, from.size()), std::string::npos)
      << "twice in the policy: " << from;
  return text.replace(at, from.size(), to.data(), to.size());
}
inline std::string DefaultWith(absl::string_view from, absl::string_view to) {
  return With(DefaultText(), from, to);
}

inline Policy Parsed(absl::string_view text) {
  absl::StatusOr<Policy> policy = Policy::Parse(text);
  EXPECT_TRUE(policy.ok()) << policy.status();
  if (!policy.ok()) return *Policy::Parse(DefaultText());
  return *std::move(policy);
}
inline Policy DefaultPolicy() { return Parsed(DefaultText()); }

using Position = std::pair<int, int>;  // line and column, from 1
inline std::vector<Position> PositionsOf(const std::vector<Fault>& faults) {
  std::vector<Position> out;
  for (const Fault& fault : faults) out.push_back({fault.line, fault.column});
  return out;
}
inline std::string Show(const std::vector<Fault>& faults) {
  std::ostringstream out;
  for (const Fault& fault : faults)
    out << fault.line << ":" << fault.column << " " << fault.message << "\n";
  return out.str();
}

}  // namespace sealbook::policies
