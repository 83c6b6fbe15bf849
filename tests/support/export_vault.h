// A vault whose owner has a second factor, and somebody who reads exports, for tests of those.
#pragma once

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "policies/one_time_code.h"
#include "tests/support/command_vault.h"

namespace sealbook::testing {

inline crypto::Bytes FromBase32(const std::string& text) {
  crypto::Bytes out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto at = std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(c);
    if (at == std::string::npos) continue;
    bits = bits << 5 | static_cast<std::uint32_t>(at);
    count += 5;
    if (count >= 8) out.push_back(static_cast<std::uint8_t>(bits >> (count -= 8)));
  }
  return out;
}

class ExportTest : public VaultTest {
 public:
  ExportTest() {
    ImportCustomers();
    Enroll("owner");
    identity_ = crypto::ExchangePair::Generate();
    recipient_ = crypto::FormatAgeRecipient(identity_->public_key());
    Write("identity.txt", std::string(crypto::FormatAgeIdentity(*identity_).ExposeText()) + "\n");
  }

  // Confirmed with the code of the step before; the next ones are this one's and the next one's.
  // Recovery codes give as many more as a test needs.
  // `by`: another admin who agrees, where there is one.
  void Enroll(const std::string& member, const std::string& by = "") {
    const Json pending = Ask(member, {"factor", "enroll", "totp"});
    secrets_[member] = FromBase32(pending["secret"]);
    // Not where the step is about to end: the code of the one before would be out of time.
    while (absl::ToUnixSeconds(absl::Now()) % 30 > 25) absl::SleepFor(absl::Milliseconds(100));
    Must(member, {"factor", "enroll", "totp", "--confirm", CodeAt(member, -1)});
    if (!by.empty()) Must(by, {"factor", "approve", pending["id"], "--otp", Code(by)});
    const Json codes = Ask(member, {"factor", "enroll", "recovery"});
    for (const Json& code : codes["recovery_codes"]) codes_[member].push_back(code);
  }
  std::string CodeAt(const std::string& member, int steps) {
    const auto code = policies::HotpCode(
        secrets_[member], policies::TotpStepAt(absl::Now()) + static_cast<std::uint64_t>(steps));
    return std::string(code->ExposeText());
  }
  // A fresh one.
  std::string Code(const std::string& member = "owner") {
    std::string code = codes_[member].back();
    codes_[member].pop_back();
    return code;
  }
  Words Export(const std::string& file, const std::string& code, Words more = {}) {
    Words words = {"export", "-o", Path(file),    "--reason", "yearly mailing",
                   "--otp",  code, "--recipient", recipient_};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // By Debian's own program.
  std::string Opened(const std::string& file) {
    const std::string out = Path("opened");
    const std::string command = absl::StrCat("age -d -i ", Path("identity.txt"), " -o ", out, " ",
                                             Path(file), " 2>/dev/null");
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return ReadFile(out);
  }
  // What stands in the folder beside what is known.
  std::vector<std::string> LeftBehind() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(Path(""))) {
      const std::string name = entry.path().filename();
      if (absl::StrContains(name, "sealbook-export")) names.push_back(name);
    }
    return names;
  }
  void ChangePolicy(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::string text = As("owner", {"policy", "show"}).out;
    for (const auto& [from, to] : changes) {
      ASSERT_NE(text.find(from), std::string::npos) << from;
      text = absl::StrReplaceAll(text, {{from, to}});
    }
    Must("owner", {"policy", "apply", Write("changed.toml", text)});
  }

 protected:
  std::map<std::string, crypto::Bytes> secrets_;
  std::map<std::string, std::vector<std::string>> codes_;
  std::optional<crypto::ExchangePair> identity_;
  std::string recipient_;
};

}  // namespace sealbook::testing
