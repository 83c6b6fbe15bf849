// Prints the default policy with passphrases as cheap as a policy may make them, for tests that
// unlock often. No vault of anybody should have it.
#include <cstdio>

#include "absl/strings/str_replace.h"
#include "policies/policy.h"
#include "vault/crypto/age_file.h"

int main() {
  using namespace sealbook;
  if (!crypto::PrepareProcess().ok()) return 1;
  const std::string recipient =
      crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key());
  const std::string text = absl::StrReplaceAll(
      policies::DefaultPolicyText({.region = "KR", .archive_recipients = {recipient}}),
      {{"memory_mib = 256", "memory_mib = 64"}, {"passes = 3", "passes = 1"}});
  const auto policy = policies::Policy::Parse(text);
  if (!policy.ok() || policy->cost().memory_kib != 64 * 1024 || policy->cost().passes != 1) {
    std::fputs("the default policy is not as this program knows it\n", stderr);
    return 1;
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}
