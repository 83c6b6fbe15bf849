#include "anonymizer/kakaotalk_csv.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace sealbook::anonymizer {

std::optional<Stamp> TakeKakaoTalkCsvTime(absl::string_view& line) {
  absl::string_view rest = line;
  const bool quoted = absl::ConsumePrefix(&rest, "\"");
  int parts[6] = {};
  constexpr absl::string_view kShape = "dddd-dd-dd dd:dd:dd";
  if (rest.size() < kShape.size()) return std::nullopt;
  for (std::size_t i = 0, part = 0; i < kShape.size(); ++i) {
    const auto c = static_cast<unsigned char>(rest[i]);
    if (kShape[i] == 'd') {
      if (!absl::ascii_isdigit(c)) return std::nullopt;
      parts[part] = parts[part] * 10 + (c - '0');
    } else {
      if (c != static_cast<unsigned char>(kShape[i])) return std::nullopt;
      ++part;
    }
  }
  rest.remove_prefix(kShape.size());
  if (quoted && !absl::ConsumePrefix(&rest, "\"")) return std::nullopt;
  if (!absl::ConsumePrefix(&rest, ",")) return std::nullopt;
  Stamp stamp;
  stamp.time = absl::CivilSecond(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  stamp.exists = stamp.time.year() == parts[0] && stamp.time.month() == parts[1] &&
                 stamp.time.day() == parts[2] && stamp.time.hour() == parts[3] &&
                 stamp.time.minute() == parts[4] && stamp.time.second() == parts[5];
  line = rest;
  return stamp;
}

std::optional<std::string> TakeKakaoTalkCsvCell(absl::string_view& line) {
  absl::string_view rest = line;
  std::string cell;
  if (!absl::ConsumePrefix(&rest, "\"")) {
    const std::size_t comma = rest.find(',');
    if (comma == absl::string_view::npos) return std::nullopt;
    cell = std::string(rest.substr(0, comma));
    line = rest.substr(comma + 1);
    return cell;
  }
  for (;;) {
    const std::size_t quote = rest.find('"');
    if (quote == absl::string_view::npos) return std::nullopt;
    absl::StrAppend(&cell, rest.substr(0, quote));
    rest.remove_prefix(quote + 1);
    if (!absl::ConsumePrefix(&rest, "\"")) break;
    cell += '"';
  }
  if (!absl::ConsumePrefix(&rest, ",")) return std::nullopt;
  line = rest;
  return cell;
}

std::optional<std::string> UnquoteKakaoTalkCsv(absl::string_view cell, bool& broken) {
  broken = false;
  // Nothing but blanks may stand behind the closing quote.
  absl::string_view inside = absl::StripTrailingAsciiWhitespace(cell);
  if (!absl::ConsumePrefix(&inside, "\"")) return std::string(cell);
  const bool closed = absl::ConsumeSuffix(&inside, "\"");
  broken = absl::StrReplaceAll(inside, {{"\"\"", ""}}).find('"') != std::string::npos;
  if (broken) return std::string(inside);
  if (!closed) return std::nullopt;
  return absl::StrReplaceAll(inside, {{"\"\"", "\""}});
}

}  // namespace sealbook::anonymizer
