// Tokens: how a contact is known outside, UID_ and decimal digits, the last one a Damm check digit
// (H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004), which catches every single wrong
// digit and every swap of neighbours. Random, never derived from the person.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::records {

inline constexpr absl::string_view kTokenPrefix = "UID_";
inline constexpr int kTokenDigits = 10;
inline constexpr int kMaxTokenDigits = 18;

// "UID_2837470195".
std::string FormatToken(std::int64_t token);
// Takes the prefix in any case. InvalidArgument: not a token, or mistyped (the check digit is
// wrong).
absl::StatusOr<std::int64_t> ParseToken(absl::string_view text);
// True where the text has a token's shape, right or mistyped: to tell a token from a phone number.
bool LooksLikeToken(absl::string_view text);

// A random token of so many digits, not starting with 0.
std::int64_t MakeToken(int digits);
// How many digits new tokens have where `existing` stand: one more each time 1 % of the space is
// taken.
int TokenDigitsFor(std::int64_t existing);

}  // namespace sealbook::records
