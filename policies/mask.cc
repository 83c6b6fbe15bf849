#include "policies/mask.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sealbook::policies {
namespace {

// How many digits the country calling code has (ITU-T E.164, list of assigned codes): 1 and 7 stand
// alone; of the rest these have two digits, and all others three.
std::size_t CallingCodeLength(absl::string_view digits) {
  if (digits[0] == '1' || digits[0] == '7') return 1;
  static constexpr absl::string_view kTwo[] = {
      "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
      "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
      "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"};
  return std::find(std::begin(kTwo), std::end(kTwo), digits.substr(0, 2)) != std::end(kTwo) ? 2 : 3;
}

std::optional<std::string> MaskPhone(absl::string_view value) {
  if (!absl::StartsWith(value, "+")) return std::nullopt;
  const absl::string_view digits = value.substr(1);
  // E.164: at most 15 digits, and no country's code begins with 0. Anything else is not only a
  // number.
  if (digits.size() < 7 || digits.size() > 15 || digits[0] == '0' ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    return std::nullopt;
  }
  const std::size_t code = CallingCodeLength(digits);
  const absl::string_view national = digits.substr(code);
  const std::string country = absl::StrCat("+", digits.substr(0, code), " ");
  // Four digits shown of at least eight, else two: never more than half, beside an area's first
  // ones.
  if (national.size() < 8)
    return absl::StrCat(country, "****", national.substr(national.size() - 2));
  const std::size_t front = std::min<std::size_t>(national.size() - 8, 3);
  return absl::StrCat(country, national.substr(0, front), front > 0 ? "-" : "", "****-",
                      national.substr(national.size() - 4));
}

// The first character of UTF-8 text, whole.
absl::string_view FirstCharacter(absl::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return text.substr(0, size);
}

std::optional<std::string> MaskEmail(absl::string_view value) {
  const auto at = value.rfind('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == value.size()) return std::nullopt;
  // The domain is shown whole, so it must be one, and not "example.com, 010-1234-5678". One that is
  // not in ASCII is hidden too: what else stands in it cannot be told from here.
  const absl::string_view domain = value.substr(at + 1);
  const absl::string_view top = domain.substr(domain.rfind('.') + 1);
  if (top.empty() || !absl::ascii_isalpha(top[0]) ||
      !std::all_of(domain.begin(), domain.end(),
                   [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-'; })) {
    return std::nullopt;
  }
  // One character of two or more: of a single one nothing.
  const absl::string_view local = value.substr(0, at);
  const absl::string_view first = FirstCharacter(local);
  return absl::StrCat(first.size() < local.size() ? first : "", "***", value.substr(at));
}

std::optional<std::string> MaskLast4(absl::string_view value) {
  std::size_t characters = 0, start_of_last = value.size(), seen = 0;
  for (const char c : value) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  if (characters < 8) return std::nullopt;
  while (start_of_last > 0 && seen < 4) {
    --start_of_last;
    seen += (static_cast<unsigned char>(value[start_of_last]) & 0xC0) != 0x80;
  }
  return absl::StrCat("****", value.substr(start_of_last));
}

}  // namespace

std::optional<std::string> Mask(MaskRule rule, absl::string_view value) {
  switch (rule) {
    case MaskRule::kPhone:
      return MaskPhone(value);
    case MaskRule::kEmail:
      return MaskEmail(value);
    case MaskRule::kLast4:
      return MaskLast4(value);
    case MaskRule::kHidden:
      return std::nullopt;
  }
  return std::nullopt;
}

records::Fields MaskedFields(const Policy& policy, const records::Fields& identity) {
  records::Fields out;
  for (const records::Field& field : identity) {
    if (auto masked = Mask(policy.MaskOf(field.name), field.value)) {
      out.push_back({field.name, *std::move(masked)});
    }
  }
  return out;
}

bool MaskShowsLast4(absl::string_view masked, absl::string_view digits) {
  return digits.size() == 4 && std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) &&
         absl::EndsWith(masked, digits) && absl::StrContains(masked, "****");
}

}  // namespace sealbook::policies
