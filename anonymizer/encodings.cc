#include "anonymizer/encodings.h"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// UTF-16 of mostly Latin letters has its zeros on one side; without a mark, that tells it.
std::optional<Encoding> GuessUtf16(absl::string_view bytes) {
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
  const std::size_t pairs = bytes.size() / 2;
  if (pairs < 4) return std::nullopt;
  // The other side has some too: U+AC00 and U+4E00 are common letters.
  if (zeros[1] * 5 > pairs && zeros[0] * 4 < zeros[1]) return Encoding::kUtf16Le;
  if (zeros[0] * 5 > pairs && zeros[1] * 4 < zeros[0]) return Encoding::kUtf16Be;
  return std::nullopt;
}

}  // namespace

absl::string_view NameOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "utf-8";
    case Encoding::kUtf16Le:
      return "utf-16le";
    case Encoding::kUtf16Be:
      return "utf-16be";
    case Encoding::kCp949:
      return "cp949";
    case Encoding::kGbk:
      return "gbk";
    case Encoding::kGb18030:
      return "gb18030";
    case Encoding::kBig5:
      return "big5";
    case Encoding::kWindows1252:
      return "windows-1252";
  }
  return "";
}

absl::StatusOr<Encoding> ParseEncoding(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (lower == "utf-8" || lower == "utf8") return Encoding::kUtf8;
  if (lower == "utf-16" || lower == "utf-16le" || lower == "utf16" || lower == "utf16le")
    return Encoding::kUtf16Le;
  if (lower == "utf-16be" || lower == "utf16be") return Encoding::kUtf16Be;
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the encoding '", name, "' is not read")),
                  "Use utf-8, utf-16le or utf-16be, or save the list as \"CSV UTF-8\".");
}

std::optional<ByteOrderMark> FindByteOrderMark(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xef\xbb\xbf")) return ByteOrderMark{Encoding::kUtf8, 3};
  if (absl::StartsWith(bytes, "\xff\xfe")) return ByteOrderMark{Encoding::kUtf16Le, 2};
  if (absl::StartsWith(bytes, "\xfe\xff")) return ByteOrderMark{Encoding::kUtf16Be, 2};
  return std::nullopt;
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < size;) {
    if (bytes[i] < 0x80) {
      ++i;
      continue;
    }
    UChar32 character;
    U8_NEXT(bytes, i, size, character);
    if (character < 0) return false;
  }
  return true;
}

absl::StatusOr<Encoding> DetectEncoding(absl::string_view sample) {
  return GuessUtf16(sample).value_or(Encoding::kUtf8);
}

struct Decoder::State {
  Encoding encoding;
  std::string rest;  // half a character
};

Decoder::Decoder(Encoding encoding) : state_(new State{encoding, {}}) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::Decode(absl::string_view bytes, bool last, std::string& out) {
  if (state_->encoding == Encoding::kUtf8) {
    out.append(bytes.data(), bytes.size());
    return;
  }
  std::string& rest = state_->rest;
  rest.append(bytes.data(), bytes.size());
  const auto* in = reinterpret_cast<const std::uint8_t*>(rest.data());
  const auto unit = [&](std::size_t at) {
    return static_cast<UChar>(state_->encoding == Encoding::kUtf16Le ? in[at] | in[at + 1] << 8
                                                                     : in[at] << 8 | in[at + 1]);
  };
  std::size_t at = 0;
  while (at + 2 <= rest.size()) {
    UChar32 character = unit(at);
    std::size_t width = 2;
    if (U16_IS_LEAD(character)) {
      if (at + 4 > rest.size()) {
        if (!last) break;  // its other half comes with the next block
      } else if (const UChar trail = unit(at + 2); U16_IS_TRAIL(trail)) {
        character = U16_GET_SUPPLEMENTARY(character, trail);
        width = 4;
      }
    }
    if (U16_IS_SURROGATE(character) && width == 2) {
      out.push_back('\xff');
    } else {
      std::uint8_t utf8[4];
      std::int32_t length = 0;
      U8_APPEND_UNSAFE(utf8, length, character);
      out.append(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length));
    }
    at += width;
  }
  rest.erase(0, at);
  if (last && !rest.empty()) {
    out.push_back('\xff');
    rest.clear();
  }
}

std::optional<std::string> ToUtf8(absl::string_view bytes, Encoding encoding) {
  std::string out;
  Decoder(encoding).Decode(bytes, true, out);
  if (!IsUtf8(out)) return std::nullopt;
  return out;
}

}  // namespace sealbook::anonymizer
