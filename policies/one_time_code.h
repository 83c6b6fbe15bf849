// One-time codes as people type them, and how they are made: TOTP (RFC 6238, by liboath: SHA-1, six
// digits, steps of 30 seconds from 1970 on) and recovery codes. Nothing here says whether a code is
// right for somebody: policies/second_factor.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "vault/crypto/secret.h"

namespace sealbook::policies {

inline constexpr absl::Duration kTotpStep = absl::Seconds(30);
inline constexpr int kTotpDigits = 6;

// A code without what people put between its characters.
class OneTimeCode {
 public:
  static constexpr std::size_t kMaxTypedBytes = 256;
  enum class Kind { kTotp, kRecovery };

  // Takes digits of any script, full-width characters, any Unicode space or dash anywhere, small
  // letters, and O, I, L for 0, 1, 1 in recovery codes. Unauthenticated: neither six digits nor a
  // recovery code.
  static absl::StatusOr<OneTimeCode> Parse(absl::string_view typed);

  Kind kind() const { return kind_; }
  // Six ASCII digits; or 16 characters of Crockford's base32 in capitals.
  const crypto::SecretBytes& text() const { return text_; }

 private:
  OneTimeCode(Kind kind, crypto::SecretBytes text) : kind_(kind), text_(std::move(text)) {}
  Kind kind_;
  crypto::SecretBytes text_;
};

// The step of a time; 0 for times before 1970.
std::uint64_t TotpStepAt(absl::Time time);
// HOTP (RFC 4226) of a counter, which TOTP has as its step. `digits` is 6 to 8. Internal: liboath
// does not take it.
absl::StatusOr<crypto::SecretBytes> HotpCode(ByteView secret, std::uint64_t counter,
                                             int digits = kTotpDigits);
// Which of the steps around `now`, one of drift either way, has this code: the earliest that is
// later than `last`, or else the earliest. In a time that does not tell. nullopt: none.
absl::StatusOr<std::optional<std::uint64_t>> FindTotpStep(ByteView secret, ByteView code,
                                                          absl::Time now, std::uint64_t last);

// "ABCD-EFGH-JKMN-PQRS": 80 random bits.
crypto::SecretBytes MakeFactorRecoveryCode();

// For an authenticator that cannot read the QR code.
absl::StatusOr<crypto::SecretBytes> Base32Of(ByteView secret);
// "otpauth://totp/Sealbook:NAME?secret=…&issuer=Sealbook", which names no vault and no path.
// Digits, period and algorithm are those that every program takes where none is named.
crypto::SecretBytes OtpauthAddress(absl::string_view member, const crypto::SecretBytes& base32);

}  // namespace sealbook::policies
