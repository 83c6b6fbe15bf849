// Receipts: a short signed statement of something that was done, for whoever must believe it
// without the vault. It holds no personal value.
//
// A text file of lines `key: value`, whose last line is the signature over the exact bytes before
// it (docs/format.md, "Receipt"):
//
//   Sealbook receipt 1
//   kind: export
//   …
//   signature: <base64>
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/signature.h"

namespace sealbook::audit {

struct Receipt {
  static constexpr std::size_t kMaxBytes = 1 << 20;
  static constexpr absl::string_view kFirstLine = "Sealbook receipt 1";

  std::string kind;  // "export"
  crypto::Hash128 id{};
  std::array<std::uint8_t, 16> vault{};
  absl::Time time;          // whole seconds
  MemberId member{};        // who did it and signs
  crypto::VerifyKey key{};  // that member's public key
  // What was done, in the order in which it is written. Keys are small letters, digits and "_";
  // values are one line.
  std::vector<std::pair<std::string, std::string>> facts;

  // `signing` is the pair of `key`.
  std::string Sign(const crypto::SigningPair& signing) const;

  // InvalidArgument: not a receipt. DataLoss: altered, or signed with another key than `authority`.
  static absl::StatusOr<Receipt> Verify(absl::string_view text, const crypto::VerifyKey& authority);

  // The same, with the key that `key_for` gives for who the receipt claims to be from; its errors.
  static absl::StatusOr<Receipt> Verify(
      absl::string_view text,
      const std::function<absl::StatusOr<crypto::VerifyKey>(const Receipt& claimed)>& key_for);

  const std::string* Find(absl::string_view fact) const;
};

}  // namespace sealbook::audit
