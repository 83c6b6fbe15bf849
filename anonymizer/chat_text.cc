#include "anonymizer/chat_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "anonymizer/encodings.h"
#include "anonymizer/identifiers.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// U+061C, U+200B, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, U+FEFF: bytes of the mark at
// the beginning of the text, 0 where there is none.
std::size_t MarkAt(absl::string_view text) {
  if (text.size() >= 2 && text[0] == '\xd8' && text[1] == '\x9c') return 2;
  if (text.size() < 3) return 0;
  const auto third = static_cast<unsigned char>(text[2]);
  if (text[0] == '\xe2' && text[1] == '\x80') {
    return third == 0x8b || third == 0x8e || third == 0x8f || (third >= 0xaa && third <= 0xae) ? 3
                                                                                               : 0;
  }
  if (text[0] == '\xe2' && text[1] == '\x81') return third >= 0xa6 && third <= 0xa9 ? 3 : 0;
  return text[0] == '\xef' && text[1] == '\xbb' && third == 0xbf ? 3 : 0;
}

std::size_t MarkBeforeEnd(absl::string_view text) {
  for (const std::size_t size : {std::size_t{2}, std::size_t{3}}) {
    if (text.size() >= size && MarkAt(text.substr(text.size() - size)) == size) return size;
  }
  return 0;
}

// UTF-8 by the majority of the lines that hold more than ASCII.
bool IsMostlyUtf8(absl::string_view head) {
  std::size_t good = 0, bad = 0;
  for (const absl::string_view line : absl::StrSplit(head, absl::ByAnyChar("\r\n"))) {
    // The head may end in the middle of a letter.
    if (line.data() + line.size() == head.data() + head.size() && good + bad > 0) break;
    if (IsAscii(line)) continue;
    ++(IsUtf8(line) ? good : bad);
  }
  return bad == 0 || good > bad;
}

}  // namespace

absl::string_view WithoutMarks(absl::string_view text) {
  while (const std::size_t size = MarkAt(text)) text.remove_prefix(size);
  while (const std::size_t size = MarkBeforeEnd(text)) text.remove_suffix(size);
  return text;
}

std::string TidyChatText(absl::string_view text) {
  for (absl::string_view before; before.size() != text.size();) {
    before = text;
    text = WithoutMarks(text);
    while (absl::ConsumePrefix(&text, "\n") || absl::ConsumePrefix(&text, "\r")) {
    }
    while (absl::ConsumeSuffix(&text, "\n") || absl::ConsumeSuffix(&text, "\r")) {
    }
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

std::string TidyAuthor(absl::string_view name) {
  std::string clean = CleanText(name);
  absl::string_view inner = clean;
  if (absl::ConsumePrefix(&inner, "~")) return CleanText(inner);
  return clean;
}

absl::string_view FaultOfTime(absl::Time time, absl::Time latest) {
  static const absl::Time earliest =
      absl::FromCivil(absl::CivilSecond(2009, 1, 1), absl::UTCTimeZone()) - absl::Hours(14);
  if (time < earliest) return "has a time before 2009";
  if (time > latest) return "has a time in the future";
  return "";
}

absl::StatusOr<std::unique_ptr<TextSource>> OpenChatLines(ByteSource& bytes, Encoding old,
                                                          bool may_be_cut) {
  const absl::string_view head = bytes.head();
  std::optional<Encoding> encoding;
  const bool zeros = absl::StrContains(head.substr(0, 1024), absl::string_view("\0", 1));
  if (!FindByteOrderMark(head) && !zeros) encoding = IsMostlyUtf8(head) ? Encoding::kUtf8 : old;
  auto lines = TextSource::Open(bytes, encoding, may_be_cut);
  if (lines.ok() || !absl::IsInvalidArgument(lines.status())) return lines;
  // The hints there are for lists.
  return WithHint(absl::InvalidArgumentError(lines.status().message()),
                  "Export the chat again, or save the file as UTF-8.");
}

}  // namespace sealbook::anonymizer
