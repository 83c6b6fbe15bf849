// Who wrote a line of WhatsApp: where an author ends, and what can be none.
#include <string>

#include "anonymizer/whatsapp_line.h"
#include "anonymizer/written_text.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kMaxAuthorBytes = 400;

bool IsBlankEnd(absl::string_view text) {
  for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
    if (BlankBytes(text.substr(text.size() - size)) == size) return true;
  }
  return false;
}

}  // namespace

Colons FindColons(absl::string_view rest) {
  Colons colons;
  std::size_t from = 0;
  while (colons.count < kMaxColons) {
    const std::size_t at = rest.find(':', from);
    if (at == absl::string_view::npos || at > kMaxAuthorBytes) break;
    const absl::string_view behind = rest.substr(at + 1);
    if (behind.empty() || BlankBytes(behind) > 0) {
      const std::size_t space = behind.empty() ? 0 : SpaceBytes(behind);
      colons.all[colons.count++] = {.at = at, .text = at + 1 + space};
    }
    from = at + 1;
  }
  return colons;
}

bool MayBeAuthor(absl::string_view rest, const Colon& colon) {
  const absl::string_view author = TrimBlanks(rest.substr(0, colon.at));
  if (author.empty()) return false;
  std::size_t letters = 0;
  for (const char c : author) {
    if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) ++letters;
  }
  if (letters > 100) return false;
  // One between letters is none ("ד\"ר כהן").
  int open = 0;
  for (std::size_t at = author.find('"'); at != absl::string_view::npos;
       at = author.find('"', at + 1)) {
    const bool begins = at == 0 || IsBlankEnd(author.substr(0, at));
    const bool ends = at + 1 == author.size() || BlankBytes(author.substr(at + 1)) > 0;
    if (begins && !ends) ++open;
    if (ends && !begins && open > 0) --open;
  }
  if (open > 0) return false;
  const auto count = [&](absl::string_view mark) {
    std::size_t number = 0;
    for (std::size_t at = author.find(mark); at != absl::string_view::npos;
         at = author.find(mark, at + mark.size())) {
      ++number;
    }
    return number;
  };
  static constexpr absl::string_view kPairs[][2] = {
      {"“", "”"}, {"«", "»"}, {"「", "」"}, {"『", "』"}, {"《", "》"}};
  for (const auto& pair : kPairs) {
    if (count(pair[0]) > count(pair[1])) return false;
  }
  return count("„") <= count("“") + count("”");
}

std::string CleanAuthor(absl::string_view author) {
  std::string clean;
  while (!author.empty()) {
    if (const std::size_t mark = DirectionMarkBytes(author); mark > 0) {
      author.remove_prefix(mark);
      continue;
    }
    clean += author[0];
    author.remove_prefix(1);
  }
  absl::string_view left = TrimBlanks(clean);
  if (left.size() > 1 && left[0] == '~') left = TrimBlanks(left.substr(1));
  return std::string(left);
}

}  // namespace sealbook::anonymizer
