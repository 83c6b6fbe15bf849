// CSV as RFC 4180 has it, for people who open it in a spreadsheet: UTF-8 with a mark, and formulas
// defused. Phones get their apostrophe too: without it "+821012345678" becomes the number 8.21E+11
// in a spreadsheet, and saved from there the number has lost its digits. With it the program shows
// '+821012345678, which is text everywhere and readable, and has no two meanings.
#include <array>

#include "anonymizer/exported_list.h"
#include "anonymizer/list_rows.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// What a cell is put in quotes for. Semicolons, tabs and bars too: programs may take them for
// delimiters as well, behind which a formula could begin.
constexpr std::array<bool, 256> kToQuote = [] {
  std::array<bool, 256> quoted{};
  for (const char c : {',', ';', '\t', '|', '"', '\r', '\n'})
    quoted[static_cast<unsigned char>(c)] = true;
  return quoted;
}();

bool NeedsQuotes(absl::string_view value) {
  if (value.front() == ' ' || value.back() == ' ') return true;
  for (const char c : value) {
    if (kToQuote[static_cast<unsigned char>(c)]) return true;
  }
  return false;
}

void AppendCell(absl::string_view value, std::string& out) {
  if (value.empty()) return;
  const bool apostrophe = NeedsApostrophe(value);
  if (!NeedsQuotes(value)) {
    if (apostrophe) out += '\'';
    out.append(value.data(), value.size());
    return;
  }
  out += '"';
  if (apostrophe) out += '\'';
  for (std::size_t at = 0;;) {
    const std::size_t quote = value.find('"', at);
    out.append(value.data() + at, std::min(quote, value.size()) - at);
    if (quote == absl::string_view::npos) break;
    out += "\"\"";
    at = quote + 1;
  }
  out += '"';
}

class CsvWriter : public PlainListWriter {
 public:
  using PlainListWriter::PlainListWriter;

  absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                      std::uint64_t) const override {
    std::string out;
    RowCells cells(columns());
    for (const ListedContact& contact : contacts) {
      RETURN_IF_ERROR(cells.Take(contact));
      // Every character a quote, and what stands around a cell.
      Reserve(out, 2 * cells.bytes() + 4 * columns().size() + 2);
      for (std::size_t i = 0; i < columns().size(); ++i) {
        if (i > 0) out += ',';
        AppendCell(cells[i], out);
      }
      out += "\r\n";
    }
    return RenderedRows(std::move(out));
  }
};

}  // namespace

std::unique_ptr<ListWriter> MakeCsvWriter(std::vector<std::string> columns, ByteSink& sink) {
  return std::make_unique<CsvWriter>(std::move(columns), sink);
}

}  // namespace sealbook::anonymizer
