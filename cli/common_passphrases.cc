#include "cli/common_passphrases.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "vault/crypto/secret.h"

namespace sealbook::cli {
namespace {

// Without the digits and marks at their ends.
constexpr absl::string_view kCommon[] = {"",  // digits and marks alone
                                         "password",
                                         "passwordpassword",
                                         "passphrase",
                                         "correcthorsebatterystaple",
                                         "letmein",
                                         "letmeinplease",
                                         "qwertyuiop",
                                         "qwertyuiopasdf",
                                         "qwertyuiopasdfghjkl",
                                         "qwertyuiopasdfghjklzxcvbnm",
                                         "asdfghjkl",
                                         "asdfghjklzxcvbnm",
                                         "zxcvbnm",
                                         "qwerty",
                                         "qwertyqwerty",
                                         "qwertyasdfgh",
                                         "1qaz2wsx3edc",
                                         "1q2w3e4r5t6y",
                                         "1qaz2wsx3edc4rfv",
                                         "qazwsxedcrfv",
                                         "qazwsxedc",
                                         "abcdefghijkl",
                                         "abcdefghijklm",
                                         "abcdefghijklmnop",
                                         "abcdefghijklmnopqrstuvwxyz",
                                         "iloveyou",
                                         "iloveyousomuch",
                                         "iloveyouforever",
                                         "ilovemyfamily",
                                         "administrator",
                                         "adminadminadmin",
                                         "adminadmin",
                                         "welcome",
                                         "welcometothejungle",
                                         "changeme",
                                         "changemenow",
                                         "changemeplease",
                                         "defaultpassword",
                                         "mypassword",
                                         "thisismypassword",
                                         "newpassword",
                                         "secretpassword",
                                         "masterpassword",
                                         "trustno",
                                         "sunshine",
                                         "princess",
                                         "superman",
                                         "spiderman",
                                         "liverpool",
                                         "liverpoolfc",
                                         "manchesterunited",
                                         "manchester",
                                         "barcelona",
                                         "realmadrid",
                                         "chelseafc",
                                         "metallica",
                                         "ledzeppelin",
                                         "starwars",
                                         "maytheforcebewithyou",
                                         "lordoftherings",
                                         "harrypotter",
                                         "jesuschrist",
                                         "jesuslovesme",
                                         "jesusislord",
                                         "bismillah",
                                         "subhanallah",
                                         "goodmorning",
                                         "goodluck",
                                         "helloworld",
                                         "hellokitty",
                                         "monkeymonkey",
                                         "dragondragon",
                                         "whatever",
                                         "computer",
                                         "internet",
                                         "samsung",
                                         "samsunggalaxy",
                                         "whatsapp",
                                         "sealbook",
                                         "sealbooksealbook",
                                         "customer",
                                         "customers",
                                         "saranghae",
                                         "saranghaeyo",
                                         "dkssudgktpdy",
                                         "tkfkdgo",
                                         "tkfkdgody",
                                         "woaini",
                                         "woainiwoaini",
                                         "woaini1314",
                                         "5201314"};

bool IsRepetition(absl::string_view text) {
  for (std::size_t period = 1; period <= 3; ++period) {
    bool repeats = true;
    for (std::size_t i = period; i < text.size() && repeats; ++i)
      repeats = text[i] == text[i - period];
    if (repeats) return true;
  }
  return false;
}

bool IsSequence(absl::string_view text) {  // 123456789012, abcdefghijkl, and back
  for (const int step : {1, -1}) {
    bool runs = true;
    for (std::size_t i = 1; i < text.size() && runs; ++i) {
      const int difference = text[i] - text[i - 1];
      runs = difference == step || difference == -9 * step;
    }
    if (runs) return true;
  }
  return false;
}

}  // namespace

bool IsCommonPassphrase(absl::string_view passphrase) {
  std::string folded;
  for (const char c : passphrase) {
    if (c != ' ') folded += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  absl::string_view core = folded;
  while (!core.empty() && (absl::ascii_isdigit(core.back()) || absl::ascii_ispunct(core.back()))) {
    core.remove_suffix(1);
  }
  const auto listed = [](absl::string_view text) {
    return std::find(std::begin(kCommon), std::end(kCommon), text) != std::end(kCommon);
  };
  const bool common = IsRepetition(folded) || IsSequence(folded) || listed(folded) ||
                      (listed(core) && (!core.empty() || folded.size() < 20));
  crypto::Wipe(folded);
  return common;
}

}  // namespace sealbook::cli
