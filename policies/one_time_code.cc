#include "policies/one_time_code.h"

#include <liboath/oath.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

constexpr absl::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kRecoveryCharacters = 16;  // of 5 bits each
constexpr std::size_t kMaxHotpDigits = 8;

absl::Status NoCode() {
  return WithHint(
      absl::UnauthenticatedError("that is no one-time code"),
      "It has six digits, as the authenticator shows them; a recovery code has 16 letters and "
      "digits.");
}

// What is between the characters of a code as it is printed, spoken or pasted.
bool IsBetween(UChar32 c) {
  constexpr UChar32 kZeroWidthSpace = 0x200B, kWordJoiner = 0x2060, kByteOrderMark = 0xFEFF,
                    kMinus = 0x2212;
  return u_isUWhiteSpace(c) || u_charType(c) == U_DASH_PUNCTUATION || c == kMinus ||
         c == kZeroWidthSpace || c == kWordJoiner || c == kByteOrderMark;
}

// An ASCII digit or capital; 0 for what is neither.
char Plain(UChar32 c) {
  if (const int32_t digit = u_charDigitValue(c); digit >= 0) return static_cast<char>('0' + digit);
  constexpr UChar32 kFullWidthFirst = 0xFF01, kFullWidthLast = 0xFF5E, kOffset = 0xFEE0;
  if (c >= kFullWidthFirst && c <= kFullWidthLast) c -= kOffset;
  return c < 0x80 && absl::ascii_isalpha(static_cast<unsigned char>(c))
             ? absl::ascii_toupper(static_cast<unsigned char>(c))
             : '\0';
}

void StartLiboath() {
  static const bool ready = oath_init() == OATH_OK;
  if (!ready) std::abort();
}

}  // namespace

absl::StatusOr<OneTimeCode> OneTimeCode::Parse(absl::string_view typed) {
  if (typed.size() > kMaxTypedBytes) return NoCode();
  crypto::SecretBytes text(kRecoveryCharacters);
  std::size_t size = 0;
  bool digits = true;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(typed.data());
  const auto length = static_cast<int32_t>(typed.size());
  for (int32_t at = 0; at < length;) {
    UChar32 c;
    U8_NEXT(bytes, at, length, c);
    if (c < 0) return NoCode();
    if (IsBetween(c)) continue;
    const char plain = Plain(c);
    if (plain == '\0' || size == text.size()) return NoCode();
    digits &= absl::ascii_isdigit(static_cast<unsigned char>(plain));
    text.ExposeMutable()[size++] = static_cast<std::uint8_t>(plain);
  }
  if (size == kTotpDigits && digits) {
    text.Truncate(size);
    return OneTimeCode(Kind::kTotp, std::move(text));
  }
  if (size != kRecoveryCharacters) return NoCode();
  for (std::uint8_t& c : text.ExposeMutable()) {
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kCrockford.find(static_cast<char>(c)) == absl::string_view::npos) return NoCode();
  }
  return OneTimeCode(Kind::kRecovery, std::move(text));
}

std::uint64_t TotpStepAt(absl::Time time) {
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds / absl::ToInt64Seconds(kTotpStep));
}

absl::StatusOr<crypto::SecretBytes> HotpCode(ByteView secret, std::uint64_t counter, int digits) {
  StartLiboath();
  std::array<char, kMaxHotpDigits + 1> out{};
  const int status =
      oath_hotp_generate(reinterpret_cast<const char*>(secret.data()), secret.size(), counter,
                         static_cast<unsigned>(digits), /*add_checksum=*/false,
                         OATH_HOTP_DYNAMIC_TRUNCATION, out.data());
  if (status != OATH_OK)
    return absl::InternalError(absl::StrCat("a one-time code cannot be made (", status, ")"));
  crypto::SecretBytes code = crypto::SecretBytes::CopyOf(
      crypto::AsBytes(absl::string_view(out.data(), static_cast<std::size_t>(digits))));
  crypto::Wipe(out.data(), out.size());
  return code;
}

absl::StatusOr<std::optional<std::uint64_t>> FindTotpStep(ByteView secret, ByteView code,
                                                          absl::Time now, std::uint64_t last) {
  const std::uint64_t middle = TotpStepAt(now);
  std::optional<std::uint64_t> fresh, used;
  for (const int drift : {1, 0, -1}) {  // so that the earliest is what stays
    if (drift < 0 && middle == 0) continue;
    const std::uint64_t step = middle + static_cast<std::uint64_t>(drift);
    ASSIGN_OR_RETURN(const crypto::SecretBytes expected, HotpCode(secret, step));
    if (!crypto::EqualInConstantTime(expected.ExposeBytes(), code)) continue;
    (step > last ? fresh : used) = step;
  }
  return fresh ? fresh : used;
}

crypto::SecretBytes MakeFactorRecoveryCode() {
  std::array<std::uint8_t, kRecoveryCharacters> random;
  crypto::FillRandom(random);
  crypto::SecretBytes code(kRecoveryCharacters + kRecoveryCharacters / 4 - 1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (i > 0 && i % 4 == 0) code.ExposeMutable()[at++] = '-';
    code.ExposeMutable()[at++] = static_cast<std::uint8_t>(kCrockford[random[i] & 31]);
  }
  crypto::Wipe(random.data(), random.size());
  return code;
}

absl::StatusOr<crypto::SecretBytes> Base32Of(ByteView secret) {
  StartLiboath();
  char* out = nullptr;
  std::size_t size = 0;
  if (oath_base32_encode(reinterpret_cast<const char*>(secret.data()), secret.size(), &out,
                         &size) != OATH_OK) {
    return absl::InternalError("a secret cannot be written in base32");
  }
  crypto::SecretBytes base32 =
      crypto::SecretBytes::CopyOf(crypto::AsBytes(absl::string_view(out, size)));
  crypto::Wipe(out, size);
  std::free(out);
  return base32;
}

crypto::SecretBytes OtpauthAddress(absl::string_view member, const crypto::SecretBytes& base32) {
  std::string name;
  for (const char c : member) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      name += c;
    } else {
      absl::StrAppendFormat(&name, "%%%02X", byte);
    }
  }
  std::string address = absl::StrCat("otpauth://totp/Sealbook:", name,
                                     "?secret=", base32.ExposeText(), "&issuer=Sealbook");
  crypto::SecretBytes out = crypto::SecretBytes::CopyOf(crypto::AsBytes(address));
  crypto::Wipe(address);
  return out;
}

}  // namespace sealbook::policies
