#include "cli/receipt_key.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "vault/crypto/bytes.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kKeyFileBytes = 4096;

}  // namespace

absl::StatusOr<crypto::VerifyKey> ParseAuthority(const std::string& given) {
  std::string text = given;
  if (text.size() != 2 * sizeof(crypto::VerifyKey::bytes)) {
    const auto contents = keyring::ReadSmallFile(given, kKeyFileBytes);
    if (contents.ok()) text = std::string(absl::StripAsciiWhitespace(*contents));
  }
  const auto bytes = crypto::FromHex(text);
  crypto::VerifyKey key;
  if (!bytes.ok() || bytes->size() != key.bytes.size()) {
    return WithHint(
        absl::InvalidArgumentError("--authority is neither a key (64 hexadecimal digits) nor a "
                                   "file that holds one"),
        "Ask the vault's owner for the key of who signed: 'sealbook receipt key' shows it.");
  }
  std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
  return key;
}

}  // namespace sealbook::cli
