// Masked renderings: what a role that may not see a value sees of it. Made when the value is
// written, and sealed under a key of their own (class `masked`).
//
//   phone   +821012345678        +82 10-****-5678     country code, first digits, last four
//   email   mina@example.com     m***@example.com
//   last4   wa.1234567890        ****7890
//
// A mask that cannot be made hides the value.
#pragma once

#include <optional>
#include <string>

#include "policies/policy.h"
#include "vault/records/contact_codec.h"

namespace sealbook::policies {

// nullopt: the value is hidden.
std::optional<std::string> Mask(MaskRule rule, absl::string_view value);

// The masked rendering of identity's fields, under the same names.
records::Fields MaskedFields(const Policy& policy, const records::Fields& identity);

// True where `masked` shows exactly these four digits at its end.
bool MaskShowsLast4(absl::string_view masked, absl::string_view digits);

}  // namespace sealbook::policies
