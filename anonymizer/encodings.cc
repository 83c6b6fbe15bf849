#include "anonymizer/encodings.h"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/code_tables.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

struct Names {
  Encoding encoding;
  std::vector<absl::string_view> names;  // small letters, '-'; the first one is its own
};

const std::vector<Names>& AllNames() {
  static const auto* const names = new std::vector<Names>{
      {Encoding::kUtf8,
       {"utf-8", "utf8", "cp65001", "65001", "utf-8-bom", "utf-8-sig", "unicode-1-1-utf-8"}},
      {Encoding::kUtf16Le,
       {"utf-16le", "utf16le", "utf-16", "utf16", "unicode", "ucs-2", "ucs2", "ucs-2le", "cp1200"}},
      {Encoding::kUtf16Be, {"utf-16be", "utf16be", "ucs-2be", "cp1201", "unicodefffe"}},
      {Encoding::kCp949,
       {"cp949", "949", "windows-949", "win949", "ms949", "uhc", "euc-kr", "euckr",
        "ks-c-5601-1987", "ks-c-5601-1989", "ks-c-5601", "ksc-5601", "ksc5601", "ks-x-1001",
        "ksx1001", "korean", "iso-ir-149", "cseuckr", "csksc56011987"}},
      {Encoding::kGbk,
       {"gbk", "cp936", "936", "windows-936", "win936", "ms936", "gb2312", "gb-2312", "gb-2312-80",
        "gb2312-80", "gb2312-1980", "euc-cn", "euccn", "chinese", "iso-ir-58", "csgbk",
        "csgb2312"}},
      {Encoding::kGb18030,
       {"gb18030", "gb-18030", "gb18030-2000", "gb18030-2005", "gb18030-2022", "cp54936", "54936",
        "windows-54936", "csgb18030"}},
      {Encoding::kBig5,
       {"big5", "big-5", "cp950", "950", "windows-950", "win950", "ms950", "big5-hkscs",
        "big5hkscs", "big5-eten", "cn-big5", "csbig5"}},
      {Encoding::kWindows1252,
       {"windows-1252", "cp1252", "1252", "win1252", "ansi", "latin1", "latin-1", "l1",
        "iso-8859-1", "iso8859-1", "iso88591", "iso-ir-100", "cp819", "ibm819", "cswindows1252",
        "csisolatin1"}},
  };
  return *names;
}

bool IsWide(Encoding encoding) {
  return encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Where the ASCII that begins at `at` ends.
std::size_t SkipAscii(const std::uint8_t* in, std::size_t at, std::size_t size) {
  for (std::uint64_t eight; at + 8 <= size; at += 8) {
    std::memcpy(&eight, in + at, 8);
    if ((eight & kHighBits) != 0) break;
  }
  while (at < size && in[at] < 0x80) ++at;
  return at;
}

void AppendCharacter(std::string& out, char32_t character) {
  char utf8[4];
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(utf8, length, character);
  out.append(utf8, static_cast<std::size_t>(length));
}

void Append(std::string& out, const std::uint8_t* in, std::size_t from, std::size_t to) {
  out.append(reinterpret_cast<const char*>(in) + from, to - from);
}

// Each of these appends the text at the beginning of `in`, gives `bad` what is none, and says
// how far it came: up to the end, or to the character whose rest is to come.

template <typename Bad>
std::size_t DecodeUtf8(const std::uint8_t* in, std::size_t size, bool last, std::string& out,
                       const Bad& bad) {
  std::size_t at = 0, kept = 0;
  const auto length = static_cast<std::int64_t>(size);
  while ((at = SkipAscii(in, at, size)) < size) {
    std::int64_t next = static_cast<std::int64_t>(at);
    UChar32 character;
    U8_NEXT(in, next, length, character);
    const auto end = static_cast<std::size_t>(next);
    if (character < 0) {
      Append(out, in, kept, at);
      if (!last && end == size && at + 1 + U8_COUNT_TRAIL_BYTES(in[at]) > size) return at;
      bad(out, in + at, end - at);
      kept = end;
    }
    at = end;
  }
  Append(out, in, kept, size);
  return size;
}

template <typename Bad>
std::size_t DecodeUtf16(bool little, const std::uint8_t* in, std::size_t size, bool last,
                        std::string& out, const Bad& bad) {
  const auto unit = [&](std::size_t at) {
    return static_cast<UChar32>(little ? in[at] | in[at + 1] << 8 : in[at] << 8 | in[at + 1]);
  };
  std::size_t at = 0;
  while (at + 2 <= size) {
    UChar32 character = unit(at);
    std::size_t width = 2;
    if (U16_IS_LEAD(character)) {
      if (at + 4 > size) {
        if (!last) return at;  // its other half comes with the next block
      } else if (const UChar32 trail = unit(at + 2); U16_IS_TRAIL(trail)) {
        character = U16_GET_SUPPLEMENTARY(character, trail);
        width = 4;
      }
    }
    if (U16_IS_SURROGATE(character) && width == 2) {
      bad(out, in + at, 2);
    } else if (character < 0x80) {
      out.push_back(static_cast<char>(character));
    } else {
      AppendCharacter(out, static_cast<char32_t>(character));
    }
    at += width;
  }
  if (last && at < size) bad(out, in + at, 1);
  return last ? size : at;
}

template <typename Bad>
std::size_t DecodeTable(const CodeTable& table, const std::uint8_t* in, std::size_t size, bool last,
                        std::string& out, const Bad& bad) {
  std::size_t at = 0;
  for (;;) {
    const std::size_t from = at;
    at = SkipAscii(in, at, size);
    Append(out, in, from, at);
    for (; at < size && in[at] >= 0x80;) {
      const CodeTable::Sequence sequence = table.Read(in + at, size - at);
      if (sequence.bytes == 0) {
        if (!last) return at;
        bad(out, in + at, 1);  // so that digits of a cut character of four bytes stay
        ++at;
        continue;
      }
      if (sequence.character == 0) {
        bad(out, in + at, sequence.bytes);
      } else {
        AppendCharacter(out, sequence.character);
      }
      at += sequence.bytes;
    }
    if (at == size) return at;
  }
}

template <typename Bad>
std::size_t DecodeBytes(Encoding encoding, absl::string_view bytes, bool last, std::string& out,
                        const Bad& bad) {
  const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (encoding == Encoding::kUtf8) return DecodeUtf8(in, bytes.size(), last, out, bad);
  if (IsWide(encoding))
    return DecodeUtf16(encoding == Encoding::kUtf16Le, in, bytes.size(), last, out, bad);
  return DecodeTable(CodeTable::Of(encoding), in, bytes.size(), last, out, bad);
}

}  // namespace

absl::string_view NameOf(Encoding encoding) {
  for (const Names& known : AllNames()) {
    if (known.encoding == encoding) return known.names.front();
  }
  return "";
}

std::string TitleOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kBig5:
      return "Big5";
    case Encoding::kWindows1252:
      return "Windows-1252";
    default:
      return absl::AsciiStrToUpper(NameOf(encoding));
  }
}

absl::StatusOr<Encoding> ParseEncoding(absl::string_view name) {
  static const auto* const encodings = [] {
    auto* out = new absl::flat_hash_map<absl::string_view, Encoding>;
    for (const Names& known : AllNames()) {
      for (const absl::string_view one : known.names) out->emplace(one, known.encoding);
    }
    return out;
  }();
  std::string folded = absl::AsciiStrToLower(absl::StripAsciiWhitespace(name));
  for (char& c : folded) {
    if (c == '_' || c == ' ') c = '-';
  }
  absl::string_view key = folded;
  absl::ConsumePrefix(&key, "x-");
  if (const auto found = encodings->find(key); found != encodings->end()) return found->second;
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the encoding '", name, "' is not read")),
                  "Use utf-8, utf-16le, utf-16be, cp949, gbk, gb18030, big5 or windows-1252, or "
                  "save the list as \"CSV UTF-8\".");
}

std::optional<ByteOrderMark> FindByteOrderMark(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xef\xbb\xbf")) return ByteOrderMark{Encoding::kUtf8, 3};
  if (absl::StartsWith(bytes, "\xff\xfe")) return ByteOrderMark{Encoding::kUtf16Le, 2};
  if (absl::StartsWith(bytes, "\xfe\xff")) return ByteOrderMark{Encoding::kUtf16Be, 2};
  return std::nullopt;
}

bool IsAscii(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  return SkipAscii(bytes, 0, text.size()) == text.size();
}

bool IsUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  std::size_t at = 0;
  while ((at = SkipAscii(bytes, at, text.size())) < text.size()) {
    auto next = static_cast<std::int64_t>(at);
    UChar32 character;
    U8_NEXT(bytes, next, size, character);
    if (character < 0) return false;
    at = static_cast<std::size_t>(next);
  }
  return true;
}

struct Decoder::State {
  Encoding encoding;
  std::string rest;  // the beginning of a character
};

Decoder::Decoder(Encoding encoding) : state_(new State{encoding, {}}) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::Decode(absl::string_view bytes, bool last, std::string& out) {
  const auto bad = [](std::string& text, const std::uint8_t*, std::size_t) {
    text.push_back('\xff');
  };
  std::string& rest = state_->rest;
  if (!rest.empty()) {
    // No character is longer than four bytes, so that a few more settle the one that was begun.
    const std::size_t before = rest.size();
    const std::size_t added = std::min<std::size_t>(bytes.size(), 8);
    rest.append(bytes.data(), added);
    const bool all = added == bytes.size();
    const std::size_t done = DecodeBytes(state_->encoding, rest, all && last, out, bad);
    if (all) {
      rest.erase(0, done);
      return;
    }
    bytes.remove_prefix(done - before);
    rest.clear();
  }
  const std::size_t done = DecodeBytes(state_->encoding, bytes, last, out, bad);
  rest.assign(bytes.data() + done, bytes.size() - done);
}

std::string ToEscapedUtf8(absl::string_view bytes, Encoding encoding) {
  const auto escape = [](std::string& text, const std::uint8_t* bad, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      constexpr char kDigits[] = "0123456789ABCDEF";
      text += {'\\', 'x', kDigits[bad[i] >> 4], kDigits[bad[i] & 15]};
    }
  };
  std::string text;
  DecodeBytes(encoding, bytes, true, text, escape);
  std::string out;
  for (const char c : text) {
    if (c == '\0') {
      out += "\\x00";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> ToUtf8(absl::string_view bytes, Encoding encoding) {
  std::string out;
  Decoder(encoding).Decode(bytes, true, out);
  if (out.find('\xff') != std::string::npos) return std::nullopt;
  return out;
}

}  // namespace sealbook::anonymizer
