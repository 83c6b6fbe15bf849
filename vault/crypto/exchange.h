// X25519 (RFC 7748) key pairs, sealed boxes to them (libsodium's crypto_box_seal), and sessions.
//
// A session is one batch's writing: an ephemeral pair (e, E = e·G). With a compartment's pair (p,
// P) writer and reader come to the same secret, the writer from e and P, the reader from p and E:
//
//   s(P) = BLAKE2b-256( label || X25519 || E || P )      label "sealbook/session/1"
//
// so whoever writes needs no secret of the compartment, and reads nothing.
#pragma once

#include <array>

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::crypto {

struct ExchangePublic {
  std::array<std::uint8_t, 32> bytes{};
  friend bool operator==(const ExchangePublic&, const ExchangePublic&) = default;
};

// A pair; immutable. Const methods may be called from any thread.
class ExchangePair {
 public:
  static ExchangePair Generate();
  static ExchangePair FromSecret(ExchangeSecret secret);

  const ExchangePublic& public_key() const { return public_; }
  const ExchangeSecret& secret() const { return secret_; }

  // s(P) for this pair as either side. InvalidArgument: `other` is a point of small order.
  // As the writer, this pair is the session's and `other` the compartment's public key.
  absl::StatusOr<SessionSecret> SessionSecretAsWriter(const ExchangePublic& compartment) const;
  // As the reader, this pair is the compartment's and `other` the session's public key.
  absl::StatusOr<SessionSecret> SessionSecretAsReader(const ExchangePublic& session) const;

 private:
  ExchangePair(ExchangePublic public_key, ExchangeSecret secret)
      : public_(public_key), secret_(std::move(secret)) {}
  ExchangePublic public_;
  ExchangeSecret secret_;
};

// False for a point of small order: whatever is sealed to it, everybody can read. Public keys are
// checked with this where they enter the program (a roster's verification, a recipient's text).
bool IsUsablePoint(const ExchangePublic& point);

namespace internal {
// The bare function of RFC 7748 into the 32 bytes of `out`. False: `point` is of small order.
bool X25519(ByteView secret, const ExchangePublic& point, std::span<std::uint8_t> out);
}  // namespace internal

// Sealed box: anybody seals to a public key, its owner opens. It binds nothing: the plaintext
// begins with a label and says what it is for, and the opener compares (docs/format.md, "Grants").
// Ends the process where `recipient` is no usable point: a box that everybody can open must not
// come into being.
Bytes SealToPublic(const ExchangePublic& recipient, ByteView plaintext);
// DataLoss: not sealed to this pair, or altered.
absl::StatusOr<SecretBytes> OpenSealedToPublic(const ExchangePair& pair, ByteView sealed);

}  // namespace sealbook::crypto
