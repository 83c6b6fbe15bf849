// The cells of KakaoTalk's CSV: not quite what other programs write, since some versions do not
// double the quotes inside of texts. Functions may be called from any thread.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "anonymizer/kakaotalk_stamp.h"

namespace sealbook::anonymizer {

// Takes "2015-07-09 20:34:26," off the beginning, with quotes or without, as spreadsheets save it
// again.
std::optional<Stamp> TakeKakaoTalkCsvTime(absl::string_view& line);
// Takes a cell and the comma behind it. nullopt: there is no such cell.
std::optional<std::string> TakeKakaoTalkCsvCell(absl::string_view& line);
// The text of a record's last cell, which runs to the record's end. `broken`: its quotes are not
// doubled, so that only those at its ends are none of it. nullopt: it opens a quote and ends.
std::optional<std::string> UnquoteKakaoTalkCsv(absl::string_view cell, bool& broken);

}  // namespace sealbook::anonymizer
