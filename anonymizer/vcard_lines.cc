#include "anonymizer/vcard_lines.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
// What is looked at again with each line of a folded property is bounded, so that reading takes no
// longer than the file is long.
constexpr std::size_t kMaxTrailingBlanks = 76;
constexpr std::size_t kMaxHeadBytes = 16 * 1024;  // name and parameters, where they are folded

// Old programs end a file with Ctrl-Z.
absl::string_view WithoutBlanks(absl::string_view text) {
  text = WithoutVcardMark(text);
  while (!text.empty() && (IsVcardSpace(text.back()) || text.back() == '\x1a'))
    text.remove_suffix(1);
  return text;
}

bool IsMarkLine(absl::string_view text) {
  if (text.size() > kMaxNameBytes) return false;  // nobody writes so many blanks around it
  const absl::string_view line = WithoutBlanks(text);
  return absl::EqualsIgnoreCase(line, "END:VCARD") || absl::EqualsIgnoreCase(line, "BEGIN:VCARD");
}

bool IsBase64Line(absl::string_view text) {
  text = WithoutBlanks(text);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '/' || c == '=';
  });
}

bool IsPictureName(absl::string_view name) {
  return name == "PHOTO" || name == "LOGO" || name == "SOUND" || name == "KEY" ||
         name == "X-MS-CARDPICTURE";
}

// A "=" at the end, behind which mail programs may have put blanks.
bool EndsSoft(absl::string_view line) {
  line.remove_prefix(line.size() - std::min(line.size(), kMaxTrailingBlanks));
  while (!line.empty() && IsVcardSpace(line.back())) line.remove_suffix(1);
  return absl::EndsWith(line, "=");
}

bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

// The last bytes of quoted-printable text, enough for one character.
std::string DecodedTail(absl::string_view text) {
  std::string reversed;
  while (!text.empty() && reversed.size() < 4) {
    const std::size_t size = text.size();
    if (size >= 3 && text[size - 3] == '=' && IsHexDigit(text[size - 2]) &&
        IsHexDigit(text[size - 1])) {
      reversed += absl::HexStringToBytes(text.substr(size - 2));
      text.remove_suffix(3);
    } else {
      reversed += text.back();
      text.remove_suffix(1);
    }
  }
  return std::string(reversed.rbegin(), reversed.rend());
}

void TakeParameter(absl::string_view text, VcardProperty& property) {
  VcardParameter parameter;
  const std::size_t equals = text.find('=');
  if (equals == absl::string_view::npos || absl::StartsWithIgnoreCase(text, "X-CUSTOM(")) {
    parameter.value = text;
  } else {
    parameter = {text.substr(0, equals), text.substr(equals + 1)};
  }
  absl::string_view value = absl::StripAsciiWhitespace(parameter.value);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  using Transfer = VcardProperty::Transfer;
  const bool encoding = absl::EqualsIgnoreCase(parameter.name, "ENCODING");
  if (absl::EqualsIgnoreCase(parameter.name, "CHARSET")) {
    property.charset = value;
  } else if (encoding || parameter.name.empty()) {
    if (absl::EqualsIgnoreCase(value, "QUOTED-PRINTABLE") ||
        (encoding && absl::EqualsIgnoreCase(value, "Q")))
      property.transfer = Transfer::kQuotedPrintable;
    else if (absl::EqualsIgnoreCase(value, "BASE64") ||
             (encoding && absl::EqualsIgnoreCase(value, "B")))
      property.transfer = Transfer::kBase64;
    else if (encoding && !absl::EqualsIgnoreCase(value, "8BIT") &&
             !absl::EqualsIgnoreCase(value, "7BIT"))
      property.transfer = Transfer::kUnknown;
  }
  property.parameters.push_back(parameter);
}

// Returns npos where no colon ends the parameters. `text` begins behind the name.
std::size_t TakeParameters(absl::string_view text, bool quotes, VcardProperty& property) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quotes) quoted = !quoted;
    if (quoted || (c != ';' && c != ':')) continue;
    if (c == ';' && i > 0 && text[i - 1] == '\\') continue;
    if (begin > 0 && i > begin) TakeParameter(text.substr(begin, i - begin), property);
    if (property.parameters.size() > VcardLines::kMaxParameters) return absl::string_view::npos;
    if (c == ':') return i;
    begin = i + 1;
  }
  return absl::string_view::npos;
}

}  // namespace

bool VcardProperty::IsMark(absl::string_view mark) const {
  return name == mark && group.empty() &&
         absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(value), "VCARD");
}

bool ParseVcardLine(absl::string_view text, bool whole, VcardProperty& property) {
  property.name.clear();
  property.group = property.value = property.charset = {};
  property.parameters.clear();
  property.transfer = VcardProperty::Transfer::kPlain;
  property.is_picture = false;
  text = WithoutVcardMark(text);
  std::size_t end = 0, dot = 0;
  bool grouped = false;
  for (; end < text.size() && text[end] != ':' && text[end] != ';'; ++end) {
    const auto c = static_cast<unsigned char>(text[end]);
    if (c == '.') {
      grouped = true;
      dot = end;
    } else if (!absl::ascii_isalnum(c) && c != '-' && c != '_') {
      return false;
    }
  }
  const absl::string_view name = text.substr(grouped ? dot + 1 : 0, end - (grouped ? dot + 1 : 0));
  if (end == text.size() || name.empty() || name.size() > kMaxNameBytes) return false;
  if (grouped) property.group = text.substr(0, dot);
  const absl::string_view rest = text.substr(end);
  std::size_t colon = 0;
  if (rest[0] == ';') {
    colon = TakeParameters(rest, true, property);
    if (colon == absl::string_view::npos && whole) {
      // A quote that nothing closes is a letter like any other.
      property.parameters.clear();
      property.transfer = VcardProperty::Transfer::kPlain;
      property.charset = {};
      colon = TakeParameters(rest, false, property);
    }
    if (colon == absl::string_view::npos) return false;
  }
  property.name.assign(name.data(), name.size());
  for (char& c : property.name) c = absl::ascii_toupper(static_cast<unsigned char>(c));
  property.is_picture = IsPictureName(property.name);
  property.value = rest.substr(colon + 1);
  return true;
}

absl::StatusOr<bool> VcardLines::Next(VcardProperty& property) {
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, source_.Next(piece_));
    if (!more) return false;
    if (piece_.last && WithoutBlanks(piece_.text).empty()) {
      if (!raw_.empty()) raw_.Add(piece_, false);
      continue;
    }
    raw_.MarkLine();
    property.line = piece_.line;
    property.fault = VcardProperty::Fault::kNone;
    if (!piece_.last || (source_.BlankFollows() && !IsMarkLine(piece_.text)))
      return ReadFolded(property);
    const bool known = ParseVcardLine(piece_.text, true, property);
    if (known && (property.transfer != VcardProperty::Transfer::kPlain || property.is_picture))
      return ReadFolded(property);
    raw_.Add(piece_, false);
    if (!known) property.fault = VcardProperty::Fault::kNoProperty;
    if (absl::StrContains(piece_.text, '\0')) property.fault = VcardProperty::Fault::kNul;
    return true;
  }
}

absl::StatusOr<VcardLines::Fold> VcardLines::FoldAfter(const VcardProperty& property, bool known,
                                                       bool last) {
  if (!last) return Fold::kSameLine;
  if (IsMarkLine(line_)) return Fold::kNone;
  if (source_.BlankFollows()) {
    const bool soft =
        known && property.transfer == VcardProperty::Transfer::kQuotedPrintable && EndsSoft(line_);
    return soft ? Fold::kSoftBreak : Fold::kFolded;
  }
  if (!known) return Fold::kNone;
  if (property.transfer == VcardProperty::Transfer::kQuotedPrintable) {
    if (!EndsSoft(line_)) return Fold::kNone;
    ASSIGN_OR_RETURN(const absl::string_view next, source_.PeekLine());
    return IsMarkLine(next) ? Fold::kNone : Fold::kSoftBreak;
  }
  if (property.transfer != VcardProperty::Transfer::kBase64) return Fold::kNone;
  ASSIGN_OR_RETURN(const absl::string_view next, source_.PeekLine());
  // Every property has a colon and base64 has none, so that this cannot be another property.
  return IsBase64Line(next) ? Fold::kBase64 : Fold::kNone;
}

void VcardLines::Join(const VcardProperty& property, bool known, Fold fold) {
  absl::string_view text = piece_.text;
  if (known && property.is_picture) return;
  if (fold == Fold::kSoftBreak) {
    while (!line_.empty() && IsVcardSpace(line_.back())) line_.pop_back();
    line_.pop_back();
    // Nothing stands inside a character, so that a blank there is a fold's.
    if (!text.empty() && IsVcardSpace(text.front()) && CutBytes(DecodedTail(line_)) > 0)
      text.remove_prefix(1);
  } else if (fold == Fold::kFolded) {
    // 2.1 folds where a blank is, and that one stays.
    const bool keeps = version_ == VcardVersion::k21 && known &&
                       property.transfer != VcardProperty::Transfer::kBase64 &&
                       CutBytes(line_) == 0;
    if (!keeps) text.remove_prefix(1);
  }
  if (line_.size() + text.size() > kMaxLineBytes) too_long_ = true;
  if (!too_long_) line_.append(text.data(), text.size());
}

absl::StatusOr<bool> VcardLines::ReadFolded(VcardProperty& property) {
  line_.clear();
  too_long_ = false;
  bool known = false, nul = false;
  Fold fold = Fold::kSameLine;
  for (;;) {
    nul = nul || absl::StrContains(piece_.text, '\0');
    Join(property, known, fold);
    if (!known && absl::StrContains(piece_.text, ":") &&
        line_.size() <= kMaxHeadBytes + piece_.text.size() &&
        ParseVcardLine(line_, false, property)) {
      known = true;
      // Of a picture, only what stands before its value is kept.
      if (property.is_picture) line_.resize(line_.size() - property.value.size());
    }
    raw_.Add(piece_, known && property.is_picture);
    ASSIGN_OR_RETURN(fold, FoldAfter(property, known, piece_.last));
    if (fold == Fold::kNone) break;
    ASSIGN_OR_RETURN(const bool more, source_.Next(piece_));
    if (!more) break;
    if (fold == Fold::kSoftBreak && piece_.text.empty()) {
      // Android writes one more "=" than there are lines; the empty line ends the value.
      raw_.Add(piece_, false);
      break;
    }
  }
  // The line may have moved while it grew.
  if (!ParseVcardLine(line_, true, property)) property.fault = VcardProperty::Fault::kNoProperty;
  if (too_long_) property.fault = VcardProperty::Fault::kTooLong;
  if (nul) property.fault = VcardProperty::Fault::kNul;
  return true;
}

}  // namespace sealbook::anonymizer
