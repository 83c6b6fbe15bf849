// vCards as tests read them: the cells that a card fills, by column.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "anonymizer/table_reader.h"
#include "tests/support/temporary_file.h"

namespace sealbook::anonymizer {

using Cells = std::map<std::string, std::string>;

struct Vcards {
  std::vector<Cells> cards;         // the good ones
  std::vector<std::string> faults;  // "LINE FAULT"
  std::vector<std::string> raws;    // of all
  std::vector<std::string> remarks;
  std::vector<std::string> columns;
  std::optional<Encoding> encoding;
  absl::Status end;  // not OK: could not be opened or read to its end
};

inline Vcards ReadVcards(absl::string_view bytes, const TableOptions& options = {}) {
  Vcards out;
  const testing::TemporaryFile file(bytes);
  auto source = ByteSource::Open(file.path());
  if (!source.ok()) return Vcards{.end = source.status()};
  auto reader = OpenTable(**source, options);
  if (!reader.ok()) return Vcards{.end = reader.status()};
  TableRow row;
  for (;;) {
    const auto more = (*reader)->Next(row);
    if (!more.ok()) out.end = more.status();
    if (!more.ok() || !*more) break;
    out.raws.push_back(row.raw);
    if (!row.fault.empty()) {
      out.faults.push_back(absl::StrCat(row.line, " ", row.fault));
      continue;
    }
    Cells cells;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (!row.cells[i].empty()) cells[(*reader)->columns()[i]] = row.cells[i];
    }
    out.cards.push_back(std::move(cells));
  }
  out.remarks = (*reader)->remarks();
  out.columns = (*reader)->columns();
  out.encoding = (*reader)->encoding();
  return out;
}

// One card around lines that end with "\n", which becomes CRLF.
inline std::string Card(absl::string_view version, absl::string_view lines) {
  return absl::StrReplaceAll(
      absl::StrCat("BEGIN:VCARD\nVERSION:", version, "\n", lines, "END:VCARD\n"), {{"\n", "\r\n"}});
}

// The cells of that card, or {"!": "LINE FAULT"}.
inline Cells CellsOf(absl::string_view version, absl::string_view lines,
                     const TableOptions& options = {}) {
  const Vcards read = ReadVcards(Card(version, lines), options);
  if (!read.end.ok()) return {{"!", std::string(read.end.message())}};
  if (!read.faults.empty()) return {{"!", read.faults[0]}};
  return read.cards.empty() ? Cells() : read.cards[0];
}

}  // namespace sealbook::anonymizer
