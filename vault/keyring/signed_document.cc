#include "vault/keyring/signed_document.h"

#include <algorithm>

namespace sealbook::keyring {

void SignDocument(const crypto::SigningPair& pair, absl::string_view label, crypto::Bytes& body) {
  const crypto::Signature signature = pair.Sign(label, body);
  body.insert(body.end(), signature.begin(), signature.end());
}

std::optional<SignedParts> SplitDocument(ByteView document) {
  constexpr std::size_t kBytes = std::tuple_size_v<crypto::Signature>;
  if (document.size() <= kBytes) return std::nullopt;
  SignedParts parts{.body = document.first(document.size() - kBytes), .signature = {}};
  std::copy_n(document.end() - kBytes, kBytes, parts.signature.begin());
  return parts;
}

}  // namespace sealbook::keyring
