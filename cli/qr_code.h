// A QR code on the terminal, in half blocks: two modules a character, so that an otpauth address of
// an ordinary name fits 80 by 24.
#pragma once

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::cli {

// Lines of half blocks for `text`; with `color` dark on light whatever the terminal's colours are,
// without it for a dark terminal. Internal: it is too long, or there is no memory.
absl::StatusOr<crypto::SecretBytes> DrawQrCode(const crypto::SecretBytes& text, bool color);

}  // namespace sealbook::cli
