#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "vault/keyring/roster.h"
#include "vault/status.h"

namespace sealbook::keyring {

absl::StatusOr<std::string> NormalizeName(absl::string_view name) {
  constexpr int kMaxCharacters = 64;
  const auto refuse = [] {
    return WithHint(
        absl::InvalidArgumentError("this name cannot be used"),
        "A name has 1 to 64 characters, no control characters and no space at its ends.");
  };
  // Decomposed, one Hangul syllable is three characters of three bytes.
  if (name.size() > 9 * kMaxCharacters) return refuse();
  const auto source = icu::UnicodeString::fromUTF8(
      icu::StringPiece(name.data(), static_cast<int32_t>(name.size())));
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return absl::InternalError("ICU's data are missing");
  const icu::UnicodeString text = nfc->normalize(source, error);
  const int32_t count = text.countChar32();
  if (U_FAILURE(error) || count < 1 || count > kMaxCharacters) return refuse();
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    const UChar32 c = text.char32At(at);
    // U+FFFD stands where the bytes were no UTF-8. Format characters could make two names look
    // alike.
    if (c == 0xFFFD || u_iscntrl(c) || u_charType(c) == U_FORMAT_CHAR) return refuse();
  }
  if (u_isUWhiteSpace(text.char32At(0)) || u_isUWhiteSpace(text.char32At(text.length() - 1))) {
    return refuse();
  }
  std::string out;
  text.toUTF8String(out);
  return out;
}

}  // namespace sealbook::keyring
