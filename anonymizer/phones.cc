// The one file that includes libphonenumber.
#include <phonenumbers/phonenumberutil.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/identifiers.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// What a spreadsheet made of a number: "1.38E+10" has lost digits, "3.108207129E9" and
// "13812345678.0" have not.
absl::StatusOr<std::string> UndoSpreadsheet(absl::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const absl::string_view mantissa = text.substr(0, e);
  const std::size_t dot = mantissa.find('.');
  const absl::string_view whole = mantissa.substr(0, dot);
  const absl::string_view fraction = dot == absl::string_view::npos ? "" : mantissa.substr(dot + 1);
  const auto digits_only = [](absl::string_view digits) {
    return digits.find_first_not_of("0123456789") == absl::string_view::npos;
  };
  if (whole.empty() || !digits_only(whole) || !digits_only(fraction)) return std::string(text);
  if (e == absl::string_view::npos) {
    const bool is_whole_number =
        !fraction.empty() && fraction.find_first_not_of('0') == absl::string_view::npos;
    return std::string(is_whole_number ? whole : text);
  }
  absl::string_view exponent_text = text.substr(e + 1);
  absl::ConsumePrefix(&exponent_text, "+");
  if (exponent_text.empty() || exponent_text.size() > 2 || !digits_only(exponent_text))
    return std::string(text);
  const std::size_t exponent = static_cast<std::size_t>(std::stoi(std::string(exponent_text)));
  // With fewer digits after the point than the exponent asks for, the rest may have been cut.
  if (fraction.size() < exponent) {
    return absl::InvalidArgumentError(
        "was shortened by a spreadsheet, so that its last digits are lost");
  }
  if (fraction.find_first_not_of('0', exponent) != absl::string_view::npos)
    return std::string(text);
  return absl::StrCat(whole, fraction.substr(0, exponent));
}

// Digits and blanks of every script, and the full-width plus, as ASCII has them; no characters that
// are not seen.
std::string WithAsciiDigits(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; })) return text;
  const icu::UnicodeString in = icu::UnicodeString::fromUTF8(text);
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < in.length(); i = in.moveIndex32(i, 1)) {
    const UChar32 c = in.char32At(i);
    const std::int32_t digit = u_charDigitValue(c);
    if (digit >= 0)
      out.append(static_cast<UChar32>(U'0' + digit));
    else if (c == 0xff0b)
      out.append(UChar32{U'+'});
    else if (u_isUWhiteSpace(c))
      out.append(UChar32{U' '});
    else if (u_charType(c) != U_FORMAT_CHAR)
      out.append(c);
  }
  std::string utf8;
  out.toUTF8String(utf8);
  return utf8;
}

// "02-XXX-1234": the library would read the letters as those on a dial. Behind the digits stands an
// extension ("ext. 12"), in front of them a word ("Tel.").
bool HasLettersInside(absl::string_view text) {
  const std::size_t first = text.find_first_of("0123456789");
  if (first == absl::string_view::npos) return false;
  std::size_t end = text.size();
  for (std::size_t i = first; i < text.size(); ++i) {
    if (!absl::ascii_isalpha(static_cast<unsigned char>(text[i])) && text[i] != '#') continue;
    end = i;
    break;
  }
  if (end == text.size()) return false;
  const std::string tail = absl::AsciiStrToLower(text.substr(end));
  for (const absl::string_view mark :
       {"ext.", "extn.", "extension", "extn", "ext", "x.", "x", "#"}) {
    absl::string_view rest = tail;
    if (!absl::ConsumePrefix(&rest, mark)) continue;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    absl::ConsumePrefix(&rest, ":");
    rest = absl::StripAsciiWhitespace(rest);
    // An extension has a number of its own; behind one X it is more than a digit or two of a mask.
    if (!rest.empty() && rest.size() <= 7 &&
        rest.find_first_not_of("0123456789") == absl::string_view::npos)
      return false;
  }
  return true;
}

// "021-62345678-8001": the library takes all of it for one number, and for none.
std::optional<PhoneAndExtension> ChineseExtension(absl::string_view text,
                                                  absl::string_view region) {
  constexpr std::size_t kLongestExtension = 6;
  const std::size_t dash = text.rfind('-');
  if (dash == absl::string_view::npos || text.find('-') == dash) return std::nullopt;
  const absl::string_view extension = text.substr(dash + 1);
  const bool chinese = absl::StartsWith(text, "+86") || (region == "CN" && text[0] == '0');
  if (!chinese || extension.empty() || extension.size() > kLongestExtension ||
      extension.find_first_not_of("0123456789") != absl::string_view::npos)
    return std::nullopt;
  auto phone = NormalizePhone(text.substr(0, dash), region);
  if (!phone.ok()) return std::nullopt;
  return PhoneAndExtension{*std::move(phone), std::string(extension)};
}

}  // namespace

namespace {

// "491713920017" in Germany, whose numbers have many lengths: the library takes that for a town's
// number that lost its zero. Nobody's mobile is written so by accident.
bool IsMobileWithCountryCode(absl::string_view digits, const std::string& region) {
  static const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  const std::string code = absl::StrCat(util.GetCountryCodeForRegion(region));
  if (digits.size() < 11 || !absl::StartsWith(digits, code)) return false;
  PhoneNumber number;
  return util.Parse(absl::StrCat("+", digits), "ZZ", &number) ==
             PhoneNumberUtil::NO_PARSING_ERROR &&
         util.IsValidNumberForRegion(number, region) &&
         util.GetNumberType(number) == PhoneNumberUtil::MOBILE;
}

}  // namespace

bool IsRegion(absl::string_view region) {
  static const auto* const regions = [] {
    auto* out = new std::set<std::string>;
    PhoneNumberUtil::GetInstance()->GetSupportedRegions(out);
    return out;
  }();
  return regions->count(std::string(region)) > 0;
}

absl::StatusOr<std::string> NormalizePhone(absl::string_view text, absl::string_view region) {
  ASSIGN_OR_RETURN(PhoneAndExtension parts, ParsePhone(text, region));
  if (!parts.extension.empty())
    return absl::InvalidArgumentError("has an extension, which cannot be reached over WhatsApp");
  return std::move(parts.phone);
}

absl::StatusOr<PhoneAndExtension> ParsePhone(absl::string_view original, absl::string_view region) {
  std::string text = CleanText(original);
  if (absl::StartsWith(text, "'")) text.erase(0, 1);
  // An address that opens a chat with a number.
  for (const absl::string_view link : {"https://wa.me/", "http://wa.me/", "wa.me/"}) {
    if (absl::StartsWithIgnoreCase(text, link))
      text.replace(0, link.size(), text[link.size()] == '+' ? "" : "+");
  }
  text = WithAsciiDigits(text);
  if (text.empty()) return absl::InvalidArgumentError("is empty");
  if (text.size() > 64) return absl::InvalidArgumentError("is too long for a phone number");
  // The library would find the digits in an address on the web.
  if (absl::StrContains(text, "://")) return absl::InvalidArgumentError("is no phone number");
  ASSIGN_OR_RETURN(text, UndoSpreadsheet(text));
  // "010-1234-5676~7" is two numbers, and -1012345671 what a spreadsheet counted with.
  if (absl::StrContains(text, "~"))
    return absl::InvalidArgumentError("names several numbers in short");
  if (text.size() > 1 && text[0] == '-' && absl::ascii_isdigit(static_cast<unsigned char>(text[1])))
    return absl::InvalidArgumentError("is a negative number");
  // The library takes 00 for a country code only where the region dials so; people write it
  // anywhere.
  if (absl::StartsWith(text, "00")) text = absl::StrCat("+", text.substr(2));
  const std::string original_text = text;
  // Without separators the library is a quarter quicker; among these characters there is no
  // extension.
  if (text.find_first_not_of("0123456789 ().-", text[0] == '+' ? 1 : 0) == std::string::npos) {
    text.erase(
        std::remove_if(text.begin() + 1, text.end(),
                       [](char c) { return !absl::ascii_isdigit(static_cast<unsigned char>(c)); }),
        text.end());
  }
  const bool international = absl::StartsWith(text, "+");
  if (!international && region.empty()) {
    return absl::InvalidArgumentError("has no country code, and no region is set");
  }
  if (!international && text[0] != '0' &&
      text.find_first_not_of("0123456789") == std::string::npos &&
      IsMobileWithCountryCode(text, std::string(region)))
    text.insert(0, "+");
  static const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  // "1-800-FLOWERS": letters on a dial, or a word that slipped into the column.
  if (util.IsAlphaNumber(text) || HasLettersInside(text))
    return absl::InvalidArgumentError("is spelled in letters, not digits");
  PhoneNumber number;
  const auto error =
      util.Parse(text, std::string(region.empty() ? absl::string_view("ZZ") : region), &number);
  if (error != PhoneNumberUtil::NO_PARSING_ERROR || !util.IsValidNumber(number)) {
    if (auto parts = ChineseExtension(original_text, region)) return *std::move(parts);
    return absl::InvalidArgumentError(international
                                          ? "is no phone number"
                                          : absl::StrCat("is no phone number of region ", region));
  }
  PhoneAndExtension out{.phone = "", .extension = number.extension()};
  number.clear_extension();
  util.Format(number, PhoneNumberUtil::E164, &out.phone);
  return out;
}

}  // namespace sealbook::anonymizer
