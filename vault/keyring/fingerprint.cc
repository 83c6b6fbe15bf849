#include "vault/keyring/fingerprint.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace sealbook::keyring {
namespace {

constexpr std::size_t kGroups = 6, kGroupBytes = 5;

}  // namespace

// Each group is 40 bits of the hash, modulo 100,000: even to one part in ten million.
std::string FingerprintOf(const crypto::Hash256& hash) {
  std::string out;
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < kGroupBytes; ++i)
      value = value << 8 | hash[group * kGroupBytes + i];
    absl::StrAppendFormat(&out, "%s%05d", group == 0 ? "" : " ", value % 100'000);
  }
  return out;
}

std::string VaultFingerprint(const VaultId& vault, const crypto::VerifyKey& root) {
  return FingerprintOf(crypto::HashOf("sealbook/vault-fingerprint/1", {vault, root.bytes}));
}

bool IsFingerprint(absl::string_view given, absl::string_view fingerprint) {
  const auto digits = [](absl::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); });
    return out;
  };
  return digits(given) == digits(fingerprint);
}

}  // namespace sealbook::keyring
