// A join request: how a new member gets into a vault without a passphrase that two people know.
//
//   on the new member's machine   ASSIGN_OR_RETURN(auto request, JoinRequest::Make(passphrase));
//                                 … write request.Format() to a file, read request.Fingerprint()
//   on the admin's                ASSIGN_OR_RETURN(auto request, JoinRequest::Parse(text));
//                                 … compare request.Fingerprint(), then AddMember with it
//
// The file has the new member's public keys, and the secret ones sealed under the new member's own
// passphrase; it names nobody and no vault. It is signed with the key that it brings, so it proves
// that nobody changed it on the way, and not whose it is: for that there is the fingerprint, which
// both read aloud. Bytes: docs/format.md, "Join request".
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/passphrase.h"
#include "vault/crypto/signature.h"
#include "vault/keyring/roster.h"

namespace sealbook::keyring {

// A member's secrets, in the form in which a request carries them.
struct JoinSecrets {
  crypto::ExchangePair exchange;
  crypto::SigningPair signing;
};

// What a request's secrets are sealed with, and bound to.
struct SealedJoinSecrets {
  crypto::ExchangePublic exchange;
  crypto::VerifyKey verify;
  crypto::PassphraseCost cost;
  crypto::Salt salt{};
  crypto::Bytes sealed;

  // Unauthenticated: a wrong passphrase or altered bytes; on purpose not told apart. DataLoss: the
  // secrets are not those of the public keys.
  absl::StatusOr<JoinSecrets> Open(ByteView passphrase) const;
};

// Immutable; only one that verifies can be built.
class JoinRequest {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;
  // Of the passphrase; before a vault is known there is no policy that could ask for more.
  static constexpr int kMinPassphraseLength = 12;

  // New key pairs, sealed under `passphrase` at the default cost.
  static absl::StatusOr<JoinRequest> Make(const crypto::SecretBytes& passphrase);
  static absl::StatusOr<JoinRequest> MakeWithInsecureCostForTests(
      const crypto::SecretBytes& passphrase, const crypto::PassphraseCost& cost);

  // InvalidArgument: not a request, altered since it was signed, or with keys or a cost that cannot
  // be used.
  static absl::StatusOr<JoinRequest> Parse(absl::string_view text);
  std::string Format() const;

  const SealedJoinSecrets& secrets() const { return secrets_; }
  const crypto::ExchangePublic& exchange() const { return secrets_.exchange; }
  const crypto::VerifyKey& verify() const { return secrets_.verify; }
  std::int64_t time_ms() const { return time_ms_; }  // Unix time, as its maker's clock had it
  // "12345 12345 12345 12345 12345 12345": 99 bits of a hash of the exact bytes that are signed.
  std::string Fingerprint() const;

 private:
  JoinRequest() = default;
  static absl::StatusOr<JoinRequest> MakeAtCost(const crypto::SecretBytes& passphrase,
                                                const crypto::PassphraseCost& cost);
  static absl::StatusOr<JoinRequest> ParseBody(ByteView body);

  crypto::Bytes body_;
  crypto::Signature signature_{};
  std::int64_t time_ms_ = 0;
  SealedJoinSecrets secrets_;
};

// In the same form, of a vault's id and root public key: the new member compares it at the first
// unlock (vault/keyring/admission.h says why).
std::string VaultFingerprint(const VaultId& vault, const crypto::VerifyKey& root);

// Whether somebody who typed or read out `given` means `fingerprint`: blanks do not count.
bool IsFingerprint(absl::string_view given, absl::string_view fingerprint);

}  // namespace sealbook::keyring
