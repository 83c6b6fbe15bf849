#include "anonymizer/vcard_values.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t CountDigits(absl::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), &IsDigit));
}

// What follows `mark` as two hex digits is a byte. False: not all of it is.
bool DecodeHex(absl::string_view text, char mark, std::string& out) {
  bool sound = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hex = text[i] == mark && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                     HexDigit(text[i + 2]) >= 0;
    if (hex) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
      continue;
    }
    sound = sound && text[i] != mark;
    out += text[i];
  }
  return sound;
}

// A URI's "%20". What is damaged or no text stays as it stands.
std::string DecodePercents(absl::string_view text) {
  std::string out;
  if (!absl::StrContains(text, "%") || !DecodeHex(text, '%', out) || !IsUtf8(out))
    return std::string(text);
  return out;
}

// The escaped character, or '\0' where the backslash is one itself.
char Escaped(absl::string_view text, std::size_t at, VcardVersion version) {
  if (text[at] != '\\' || at + 1 >= text.size()) return '\0';
  const char c = text[at + 1];
  if (version == VcardVersion::k21) return c == ';' ? c : '\0';
  if (c == 'n' || c == 'N') return '\n';
  return c == ',' || c == ';' || c == '\\' || c == ':' ? c : '\0';
}

void AddPart(absl::string_view separator, absl::string_view part, std::string& joined) {
  if (part.empty()) return;
  absl::StrAppend(&joined, joined.empty() ? "" : separator, part);
}

std::string InOneLine(const std::vector<std::string>& parts, std::size_t i) {
  if (i >= parts.size()) return "";
  std::string line;
  for (const absl::string_view piece : absl::StrSplit(parts[i], '\n'))
    AddPart(" ", absl::StripAsciiWhitespace(piece), line);
  return line;
}

}  // namespace

bool DecodeQuotedPrintable(absl::string_view text, std::string& out) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  absl::ConsumeSuffix(&text, "=");  // a soft break with nothing behind it
  out.reserve(out.size() + text.size());
  return DecodeHex(text, '=', out);
}

bool DecodeBase64(absl::string_view text, std::string& out) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return false;
  out += bytes;
  return true;
}

void UnifyLineBreaks(std::string& text) {
  if (text.find('\r') == std::string::npos) return;
  std::size_t to = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[to++] = text[i] == '\r' ? '\n' : text[i];
  }
  text.resize(to);
}

std::string UnescapeVcard(absl::string_view text, VcardVersion version) {
  if (!absl::StrContains(text, "\\")) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escaped = Escaped(text, i, version);
    out += escaped == '\0' ? text[i] : escaped;
    if (escaped != '\0') ++i;
  }
  return out;
}

std::vector<std::string> SplitVcard(absl::string_view text, char separator, VcardVersion version) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && Escaped(text, i, version) != '\0') {
      ++i;
      continue;
    }
    if (i < text.size() && (text[i] != separator || parts.size() + 1 >= kMaxVcardParts)) continue;
    const absl::string_view part = text.substr(begin, i - begin);
    parts.push_back(UnescapeVcard(absl::StripAsciiWhitespace(part), version));
    begin = i + 1;
  }
  return parts;
}

std::string UnescapeParameter(absl::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (value[i] == '^' && (next == 'n' || next == '^' || next == '\'')) {
      out += next == 'n' ? '\n' : next == '^' ? '^' : '"';
      ++i;
    } else if (value[i] != '"') {
      out += value[i];
    }
  }
  return out;
}

VcardPhone ReadVcardPhone(absl::string_view text) {
  VcardPhone phone;
  text = absl::StripAsciiWhitespace(text);
  if (!absl::StartsWithIgnoreCase(text, "tel:")) {
    // A pause, and what is dialled behind it. More digits than that are a second number.
    const std::size_t pause = text.find_first_of(",;pPwWxX");
    if (pause != absl::string_view::npos && CountDigits(text.substr(0, pause)) >= 7) {
      const absl::string_view behind = text.substr(pause);
      const std::size_t digits = CountDigits(behind);
      if (digits > 0 && digits <= 6 &&
          behind.find_first_not_of("0123456789,;pPwWxX*# ") == absl::string_view::npos) {
        phone.number = std::string(absl::StripAsciiWhitespace(text.substr(0, pause)));
        phone.extension = std::string(
            absl::StripAsciiWhitespace(behind.substr(behind.find_first_of("0123456789*#"))));
        return phone;
      }
    }
    phone.number = std::string(text);
    return phone;
  }
  text.remove_prefix(4);
  std::string context;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    absl::string_view part = parts[i];
    if (absl::StartsWithIgnoreCase(part, "ext=")) phone.extension = DecodePercents(part.substr(4));
    if (absl::StartsWithIgnoreCase(part, "phone-context="))
      context = DecodePercents(part.substr(14));
  }
  phone.number = DecodePercents(absl::StripAsciiWhitespace(parts[0]));
  // A context may also be a domain, which says nothing of the number.
  if (absl::StartsWith(context, "+") && !absl::StartsWith(phone.number, "+")) {
    phone.number = absl::StrCat(context, "-", phone.number);
  }
  return phone;
}

std::string ReadVcardEmail(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (!absl::StartsWithIgnoreCase(text, "mailto:")) return std::string(text);
  text.remove_prefix(7);
  return DecodePercents(text.substr(0, text.find('?')));
}

bool HoldsHangulOrHan(absl::string_view text) {
  // Three-byte UTF-8 from U+3040 on: kana, Han, Hangul.
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xe3 && byte <= 0xed;
  });
}

std::string JoinVcardName(const std::vector<std::string>& parts) {
  const std::string family = InOneLine(parts, 0), given = InOneLine(parts, 1),
                    further = InOneLine(parts, 2);
  std::string name;
  if (HoldsHangulOrHan(family) || HoldsHangulOrHan(given)) {
    name = absl::StrCat(family, given, further);
  } else {
    AddPart(" ", given, name);
    AddPart(" ", further, name);
    AddPart(" ", family, name);
  }
  std::string whole = InOneLine(parts, 3);
  AddPart(" ", name, whole);
  for (std::size_t i = 4; i < parts.size(); ++i) AddPart(" ", InOneLine(parts, i), whole);
  return whole;
}

std::string JoinVcardAddress(const std::vector<std::string>& parts) {
  const std::string box = InOneLine(parts, 0), room = InOneLine(parts, 1),
                    street = InOneLine(parts, 2), town = InOneLine(parts, 3),
                    region = InOneLine(parts, 4), code = InOneLine(parts, 5);
  std::string country = InOneLine(parts, 6), address;
  for (std::size_t i = 7; i < parts.size(); ++i) AddPart(" ", InOneLine(parts, i), country);
  if (HoldsHangulOrHan(absl::StrCat(street, town, region))) {
    // From the large to the small.
    for (const std::string& part : {country, region, town, street, room, box, code})
      AddPart(" ", part, address);
    return address;
  }
  std::string state = region;
  AddPart(" ", code, state);
  for (const std::string& part : {box, street, room, town, state, country})
    AddPart(", ", part, address);
  return address;
}

std::string ReadVcardDate(absl::string_view text, absl::string_view omitted_year) {
  text = absl::StripAsciiWhitespace(text);
  std::string digits;
  absl::string_view date = text.substr(0, text.find_first_of("T "));
  const bool dashed = date.size() == 10 && date[4] == '-' && date[7] == '-';
  for (std::size_t i = 0; i < date.size(); ++i) {
    if (dashed && (i == 4 || i == 7)) continue;
    digits += date[i];
  }
  if (digits.size() != 8 || CountDigits(digits) != 8) return std::string(text);
  const int month = (digits[4] - '0') * 10 + digits[5] - '0';
  const int day = (digits[6] - '0') * 10 + digits[7] - '0';
  if (month < 1 || month > 12 || day < 1 || day > 31) return std::string(text);
  const std::string year = digits.substr(0, 4);
  return absl::StrCat(year == omitted_year ? "-" : year, "-", digits.substr(4, 2), "-",
                      digits.substr(6));
}

bool IsStandardVcardType(absl::string_view type) {
  static constexpr absl::string_view kTypes[] = {"home",       "work",
                                                 "cell",       "voice",
                                                 "fax",        "pager",
                                                 "msg",        "pref",
                                                 "bbs",        "modem",
                                                 "car",        "isdn",
                                                 "video",      "pcs",
                                                 "text",       "textphone",
                                                 "main",       "mobile",
                                                 "iphone",     "internet",
                                                 "x400",       "other",
                                                 "dom",        "intl",
                                                 "postal",     "parcel",
                                                 "uri",        "personal",
                                                 "business",   "callback",
                                                 "radio",      "telex",
                                                 "mms",        "main-number",
                                                 "8bit",       "7bit",
                                                 "base64",     "quoted-printable",
                                                 "cellular",   "utf-8",
                                                 "x-internet", "x-mobile",
                                                 "x-iphone",   "x-main",
                                                 "x-other",    "default"};
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [&](absl::string_view known) { return absl::EqualsIgnoreCase(type, known); });
}

std::string AndroidVcardLabel(absl::string_view type) {
  if (!absl::StartsWithIgnoreCase(type, "X-CUSTOM(") || !absl::EndsWith(type, ")")) return "";
  type = type.substr(9, type.size() - 10);
  bool quoted_printable = false;
  for (std::size_t comma = type.find(','); comma != absl::string_view::npos;
       comma = type.find(',')) {
    const absl::string_view head = type.substr(0, comma);
    if (absl::StartsWithIgnoreCase(head, "ENCODING=QUOTED-PRINTABLE"))
      quoted_printable = true;
    else if (!absl::StartsWithIgnoreCase(head, "CHARSET=UTF-8"))
      break;
    type.remove_prefix(comma + 1);
  }
  if (!quoted_printable) return std::string(type);
  std::string label;
  return DecodeQuotedPrintable(type, label) && IsUtf8(label) ? label : "";
}

}  // namespace sealbook::anonymizer
