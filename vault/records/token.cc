#include "vault/records/token.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// The quasigroup of order 10 of Damm's thesis, page 111.
constexpr std::uint8_t kDamm[10][10] = {
    {0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3}, {4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
    {1, 7, 5, 0, 9, 8, 3, 4, 2, 6}, {6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
    {5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7}, {9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
    {2, 5, 8, 1, 4, 3, 6, 7, 9, 0}};

std::uint8_t Damm(absl::string_view digits) {
  std::uint8_t interim = 0;
  for (const char c : digits) interim = kDamm[interim][c - '0'];
  return interim;
}

std::int64_t PowerOfTen(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

}  // namespace

std::string FormatToken(std::int64_t token) { return absl::StrCat(kTokenPrefix, token); }

bool LooksLikeToken(absl::string_view text) {
  if (!absl::StartsWithIgnoreCase(text, kTokenPrefix)) return false;
  text.remove_prefix(kTokenPrefix.size());
  return !text.empty() && AllDigits(text);
}

absl::StatusOr<std::int64_t> ParseToken(absl::string_view text) {
  if (!LooksLikeToken(text)) {
    return WithHint(absl::InvalidArgumentError("not a token"),
                    "A token looks like UID_2837470195.");
  }
  text.remove_prefix(kTokenPrefix.size());
  if (text.size() < kTokenDigits || text.size() > kMaxTokenDigits || text[0] == '0' ||
      Damm(text) != 0) {
    return WithHint(absl::InvalidArgumentError("a mistyped token: its check digit is wrong"),
                    "Copy it again.");
  }
  std::int64_t token = 0;
  for (const char c : text) token = token * 10 + (c - '0');
  return token;
}

std::int64_t MakeToken(int digits) {
  const std::int64_t lowest = PowerOfTen(digits - 2);
  const auto front = lowest + static_cast<std::int64_t>(
                                  crypto::RandomBelow(static_cast<std::uint64_t>(9 * lowest)));
  return front * 10 + Damm(absl::StrCat(front));
}

int TokenDigitsFor(std::int64_t existing) {
  int digits = kTokenDigits;
  // 9 * 10^(digits-2) tokens of so many digits exist.
  while (digits < kMaxTokenDigits && existing >= 9 * PowerOfTen(digits - 2) / 100) ++digits;
  return digits;
}

}  // namespace sealbook::records
