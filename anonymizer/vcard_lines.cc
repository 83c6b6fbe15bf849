#include "anonymizer/vcard_lines.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
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

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Files that were put together keep each one's byte order mark; old programs end with Ctrl-Z.
absl::string_view WithoutMark(absl::string_view text) {
  while (absl::ConsumePrefix(&text, "\xef\xbb\xbf")) {
  }
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

absl::string_view WithoutBlanks(absl::string_view text) {
  text = WithoutMark(text);
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\x1a')) text.remove_suffix(1);
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
  while (!line.empty() && IsBlank(line.back())) line.remove_suffix(1);
  return absl::EndsWith(line, "=");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The last bytes of quoted-printable text, enough for one character.
std::string DecodedTail(absl::string_view text) {
  std::string reversed;
  while (!text.empty() && reversed.size() < 4) {
    const std::size_t size = text.size();
    if (size >= 3 && text[size - 3] == '=' && HexDigit(text[size - 2]) >= 0 &&
        HexDigit(text[size - 1]) >= 0) {
      reversed += static_cast<char>(HexDigit(text[size - 2]) * 16 + HexDigit(text[size - 1]));
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
  text = WithoutMark(text);
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

std::size_t CutBytes(absl::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0xc2 && byte <= 0xf4) {
      const std::size_t width = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return back < width ? back : 0;
    }
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return 0;
}

VcardSource::VcardSource(Read read, Encoding form)
    : read_(std::move(read)), form_(form), decoder_(form) {}

absl::Status VcardSource::Fill() {
  buffer_.erase(0, position_);
  position_ = line_feed_ = 0;
  const bool decodes = form_ == Encoding::kUtf16Le || form_ == Encoding::kUtf16Be;
  std::string& into = decodes ? block_ : buffer_;
  const std::size_t old = decodes ? 0 : buffer_.size();
  into.resize(old + kPieceBytes);
  const auto got = read_(into.data() + old, kPieceBytes);
  into.resize(old + (got.ok() ? *got : 0));
  RETURN_IF_ERROR(got.status());
  at_end_ = *got == 0;
  if (decodes) decoder_.Decode(block_, at_end_, buffer_);
  return absl::OkStatus();
}

absl::StatusOr<bool> VcardSource::Next(Piece& piece) {
  for (;;) {
    const char* const begin = buffer_.data() + position_;
    const std::size_t size = buffer_.size() - position_;
    // Looked for once, and not again for each line of a file whose lines end with CR.
    if (line_feed_ < position_ || (line_feed_ == 0 && position_ == 0)) {
      const void* found = size > 0 ? std::memchr(begin, '\n', size) : nullptr;
      line_feed_ = found == nullptr
                       ? buffer_.size()
                       : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    }
    std::size_t length = line_feed_ - position_;
    const void* const carriage = length > 0 ? std::memchr(begin, '\r', length) : nullptr;
    if (carriage != nullptr)
      length = static_cast<std::size_t>(static_cast<const char*>(carriage) - begin);
    std::size_t end = 0;
    if (length < size)
      end = begin[length] == '\r' && length + 1 < size && begin[length + 1] == '\n' ? 2 : 1;
    // What follows a line end must be in sight, to tell whether the line goes on.
    const bool complete = end > 0 && (length + end < size || at_end_);
    if (!complete && !at_end_ && (end > 0 || size < kPieceBytes)) {
      RETURN_IF_ERROR(Fill());
      continue;
    }
    if (size == 0) {
      if (!in_line_) return false;
      piece = {.line = line_, .text = {}, .end = {}, .first = false, .last = true};
      in_line_ = false;
      return true;
    }
    piece.first = !in_line_;
    if (piece.first) ++line_;
    piece.line = line_;
    piece.text = absl::string_view(begin, length);
    piece.end = absl::string_view(begin + length, end);
    piece.last = end > 0 || at_end_;
    in_line_ = !piece.last;
    position_ += length + end;
    return true;
  }
}

absl::StatusOr<absl::string_view> VcardSource::PeekLine() {
  for (;;) {
    const absl::string_view rest = absl::string_view(buffer_).substr(position_, kPeekBytes);
    const std::size_t end = rest.find_first_of("\r\n");
    if (end != absl::string_view::npos) return rest.substr(0, end);
    if (at_end_ || rest.size() == kPeekBytes) return rest;
    RETURN_IF_ERROR(Fill());
  }
}

void VcardRaw::Add(const VcardSource::Piece& piece, bool is_picture) {
  if (!is_picture) plain_bytes_ += piece.text.size();
  if (overflown_ || plain_bytes_ > kMaxTextBytes || text_.size() > kMaxBytes) {
    overflown_ = true;
    text_.clear();
    text_.shrink_to_fit();
    cut_.clear();
    return;
  }
  absl::string_view text = piece.text;
  if (text_.empty() && cut_.empty()) text = WithoutMark(text);
  std::string joined;
  if (!cut_.empty()) {
    // A character in the middle of which the line is folded is put together, and the fold left out.
    if (!piece.first || (!text.empty() && IsBlank(text.front()))) {
      if (piece.first) text.remove_prefix(1);
      joined = cut_;
      joined.append(text.data(), text.size());
      text = joined;
      cut_.clear();
    } else {
      FlushCut();
    }
  }
  if (IsUtf8(text)) {
    text_.append(text.data(), text.size()).append(piece.end.data(), piece.end.size());
    return;
  }
  const std::size_t cut = CutBytes(text);
  if (cut > 0 && IsUtf8(text.substr(0, text.size() - cut))) {
    text_.append(text.data(), text.size() - cut);
    cut_.assign(text.data() + text.size() - cut, cut);
    cut_end_.assign(piece.end.data(), piece.end.size());
    return;
  }
  if (fallback_ && piece.first && piece.last &&
      !absl::StrContains(absl::AsciiStrToLower(text), "charset=")) {
    if (const auto utf8 = ToUtf8(text, *fallback_)) {
      text_.append(*utf8).append(piece.end.data(), piece.end.size());
      return;
    }
  }
  Append(text, piece.end);
}

// Writes what is no text as its bytes.
void VcardRaw::Append(absl::string_view text, absl::string_view end) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t width = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (width <= text.size() && IsUtf8(text.substr(0, width))) {
      text_.append(text.data(), width);
      text.remove_prefix(width);
      continue;
    }
    text_.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    text.remove_prefix(1);
  }
  text_.append(end.data(), end.size());
}

void VcardRaw::FlushCut() {
  Append(cut_, cut_end_);
  cut_.clear();
}

void VcardRaw::MarkLine() {
  if (!cut_.empty()) FlushCut();
  mark_ = text_.size();
}

std::string VcardRaw::Take() {
  if (!cut_.empty()) FlushCut();
  std::string taken = std::move(text_);
  text_.clear();
  mark_ = plain_bytes_ = 0;
  overflown_ = false;
  return taken;
}

std::string VcardRaw::TakeBeforeLine(absl::string_view lost) {
  if (!cut_.empty()) FlushCut();
  std::string last = overflown_ ? std::string(lost) : text_.substr(mark_);
  text_.resize(std::min(mark_, text_.size()));
  std::string taken = Take();
  plain_bytes_ = last.size();
  text_ = std::move(last);
  return taken;
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
    if (std::memchr(piece_.text.data(), '\0', piece_.text.size()) != nullptr)
      property.fault = VcardProperty::Fault::kNul;
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
    while (!line_.empty() && IsBlank(line_.back())) line_.pop_back();
    line_.pop_back();
    // Nothing stands inside a character, so that a blank there is a fold's.
    if (!text.empty() && IsBlank(text.front()) && CutBytes(DecodedTail(line_)) > 0)
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
    nul = nul || std::memchr(piece_.text.data(), '\0', piece_.text.size()) != nullptr;
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
