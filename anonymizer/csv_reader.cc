// CSV as spreadsheets write it, by libcsv: any delimiter, quotes with doubled quotes and line
// breaks inside. libcsv is fed line by line, so that each row knows where it begins.
#include <csv.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/header_finder.h"
#include "anonymizer/table_reader.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// A quoted cell may run over this many lines; more means that a quote was never closed. In lists of
// our own none is left open, and a note may be long.
constexpr std::size_t kMaxRowLines = 200;
constexpr std::size_t kMaxRowBytes = 1 << 20;
constexpr int kMaxBrokenQuotes = 100;
constexpr std::size_t kSampleRowLines = 20;

// libcsv's parser with its callbacks; rows come out whole.
class Parser {
 public:
  explicit Parser(char delimiter, unsigned char options = 0) {
    csv_init(&parser_, options);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_space_func(&parser_, [](unsigned char c) { return c == ' ' ? 1 : 0; });
    // Lines come without their ends; what ends a row is the line feed that is put behind each.
    csv_set_term_func(&parser_, [](unsigned char c) { return c == '\n' ? 1 : 0; });
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // True where `line` ends a row, whose cells are then in cells(). Blank lines end no row.
  bool Feed(absl::string_view line) {
    ended_ = false;
    if (fresh_) cells_.clear();
    Parse(line);
    Parse("\n");
    fresh_ = ended_ || parser_.pstate == 0;
    return ended_;
  }
  bool in_row() const { return !fresh_; }
  // With CSV_STRICT: quotes stood elsewhere than around cells, or were not doubled.
  bool failed() const { return failed_; }
  std::vector<std::string>& cells() { return cells_; }

 private:
  void Parse(absl::string_view text) {
    if (csv_parse(&parser_, text.data(), text.size(), &Parser::OnCell, &Parser::OnRow, this) !=
        text.size())
      failed_ = true;
  }
  static void OnCell(void* cell, std::size_t size, void* self) {
    static_cast<Parser*>(self)->cells_.emplace_back(static_cast<const char*>(cell), size);
  }
  static void OnRow(int, void* self) { static_cast<Parser*>(self)->ended_ = true; }

  csv_parser parser_{};
  std::vector<std::string> cells_;
  bool ended_ = false, fresh_ = true, failed_ = false;
};

// A quote that was not closed takes the lines below it along, up to the next one; that one then
// stands where no program writes it. So a row of several lines must have its quotes as the format
// wants them.
bool HasSoundQuotes(const std::deque<TextLine>& lines, char delimiter) {
  Parser parser(delimiter, CSV_STRICT);
  for (const TextLine& line : lines) parser.Feed(line.text);
  return !parser.failed();
}

// The delimiter with which most lines have one number of cells, and more than one.
char FindDelimiter(const std::deque<TextLine>& sample) {
  char best = ',';
  double best_score = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    auto parser = std::make_unique<Parser>(candidate);
    std::map<std::size_t, std::size_t> rows_by_cells;
    std::size_t rows = 0, lines_in_row = 0;
    for (const TextLine& line : sample) {
      if (!line.fault.empty()) continue;
      if (parser->Feed(line.text)) {
        ++rows;
        ++rows_by_cells[parser->cells().size()];
      }
      lines_in_row = parser->in_row() ? lines_in_row + 1 : 0;
      // A quote that is never closed must not hide what the rest of the file says.
      if (lines_in_row > kSampleRowLines)
        parser = std::make_unique<Parser>(candidate), lines_in_row = 0;
    }
    std::size_t cells = 0, agreeing = 0;
    for (const auto& [count, times] : rows_by_cells) {
      if (count > 1 && times >= agreeing) cells = count, agreeing = times;
    }
    if (cells == 0) continue;
    const double score = static_cast<double>(agreeing) / static_cast<double>(rows) +
                         0.001 * static_cast<double>(std::min<std::size_t>(cells, 100));
    if (score > best_score) best = candidate, best_score = score;
  }
  return best;
}

// The delimiter with which the first line is a header of our own, whatever stands in the cells.
std::optional<char> DelimiterOfExported(const std::deque<TextLine>& sample,
                                        const TableOptions& options) {
  if (sample.empty() || options.is_exported == nullptr) return std::nullopt;
  for (const char candidate : {',', ';', '\t', '|'}) {
    Parser parser(candidate);
    if (parser.Feed(sample.front().text) && options.is_exported(parser.cells())) return candidate;
  }
  return std::nullopt;
}

// "sep=;", which Excel reads and writes as a first line.
std::optional<char> DelimiterLine(absl::string_view text) {
  if (text.size() == 5 && absl::StartsWithIgnoreCase(text, "sep=")) return text[4];
  return std::nullopt;
}

class CsvReader : public TableReader {
 public:
  CsvReader(std::unique_ptr<TextSource> source, TableFormat format, char delimiter,
            const TableOptions& options)
      : source_(std::move(source)),
        format_(format),
        delimiter_(delimiter),
        parser_(std::make_unique<Parser>(delimiter)),
        is_exported_(options.is_exported),
        header_(options, HeaderFinder::Rows::kWhole, "line") {}

  absl::Status ReadHeader();
  absl::StatusOr<bool> Next(TableRow& row) override {
    if (!header_.TakeHeld(row)) {
      ASSIGN_OR_RETURN(const bool more, ReadRow(row));
      if (!more) return false;
    }
    header_.CheckWidth(row);
    return true;
  }
  const std::vector<std::string>& columns() const override { return header_.columns(); }
  std::int64_t header_line() const override { return header_.header_line(); }
  TableFormat format() const override { return format_; }
  char delimiter() const override { return delimiter_; }
  std::optional<Encoding> encoding() const override { return source_->encoding(); }
  std::uint64_t bytes_read() const override { return source_->bytes_read(); }

 private:
  absl::StatusOr<bool> NextLine(TextLine& line) {
    if (!again_.empty()) {
      line = std::move(again_.front());
      again_.pop_front();
      return true;
    }
    return source_->Next(line);
  }
  absl::StatusOr<bool> ReadRow(TableRow& row);
  absl::Status GiveUpQuote(std::deque<TextLine> lines, TableRow& row);

  std::unique_ptr<TextSource> source_;
  TableFormat format_;
  char delimiter_;
  std::unique_ptr<Parser> parser_;
  std::deque<TextLine> again_;  // lines after a quote that was never closed
  int broken_quotes_ = 0;
  bool (*is_exported_)(const std::vector<std::string>&);
  bool exported_ = false;
  HeaderFinder header_;
};

// The quote that opened the first of these lines is wrong, not what follows it: that is read again.
absl::Status CsvReader::GiveUpQuote(std::deque<TextLine> lines, TableRow& row) {
  if (++broken_quotes_ > kMaxBrokenQuotes) {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat("line ", lines.front().number,
                                     " opens a quote that is never closed, as many lines before")),
                    "Save the list again as CSV from the program that made it.");
  }
  parser_ = std::make_unique<Parser>(delimiter_);
  row.line = lines.front().number;
  row.fault = "opens a quote that is never closed";
  row.raw = std::move(lines.front().text);
  lines.pop_front();
  again_.insert(again_.begin(), std::make_move_iterator(lines.begin()),
                std::make_move_iterator(lines.end()));
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::ReadRow(TableRow& row) {
  row = {};
  std::deque<TextLine> lines;
  std::size_t bytes = 0;
  TextLine line;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, NextLine(line));
    const bool too_much = (lines.size() > kMaxRowLines && !exported_) || bytes > kMaxRowBytes;
    if ((!more && parser_->in_row()) || (more && too_much) ||
        (more && !line.fault.empty() && parser_->in_row())) {
      if (more) lines.push_back(std::move(line));
      RETURN_IF_ERROR(GiveUpQuote(std::move(lines), row));
      return true;
    }
    if (!more) return false;
    if (!line.fault.empty()) {
      row.line = line.number;
      row.fault = std::move(line.fault);
      row.raw = std::move(line.raw);
      return true;
    }
    const bool ended = parser_->Feed(line.text);
    if (!ended && !parser_->in_row()) continue;  // a blank line
    bytes += line.text.size();
    const std::int64_t number = line.number;
    lines.push_back(std::move(line));
    if (!ended) continue;
    if (lines.size() > 1 && !HasSoundQuotes(lines, delimiter_)) {
      RETURN_IF_ERROR(GiveUpQuote(std::move(lines), row));
      return true;
    }
    row.line = lines.empty() ? number : lines.front().number;
    row.cells = std::move(parser_->cells());
    if (std::all_of(row.cells.begin(), row.cells.end(),
                    [](const std::string& cell) { return cell.empty(); })) {
      lines.clear();
      bytes = 0;
      continue;  // a row of empty cells, as spreadsheets leave them at the end
    }
    if (FilledWidth(row.cells) > kMaxColumns)
      row.fault = absl::StrCat("has more than ", kMaxColumns, " cells");
    return true;
  }
}

absl::Status CsvReader::ReadHeader() {
  bool first = true;
  RETURN_IF_ERROR(header_.Read([&](TableRow& row) -> absl::StatusOr<bool> {
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, ReadRow(row));
      exported_ = exported_ || (more && is_exported_ != nullptr && is_exported_(row.cells));
      const bool names_delimiter = first && more && row.fault.empty() && row.cells.size() <= 2 &&
                                   absl::StartsWithIgnoreCase(row.cells[0], "sep=");
      if (!names_delimiter) {
        first = false;
        return more;
      }
    }
  }));
  return header_.Choose();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> OpenCsv(std::unique_ptr<TextSource> source,
                                                     TableFormat format,
                                                     const TableOptions& options) {
  char delimiter = format == TableFormat::kTsv ? '\t' : '\0';
  if (options.delimiter) delimiter = *options.delimiter;
  if (delimiter == '\0' && !source->sample().empty()) {
    if (const auto named = DelimiterLine(source->sample().front().text)) delimiter = *named;
  }
  if (delimiter == '\0') delimiter = DelimiterOfExported(source->sample(), options).value_or('\0');
  if (delimiter == '\0') delimiter = FindDelimiter(source->sample());
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || delimiter == ' ') {
    return WithHint(absl::InvalidArgumentError("that delimiter cannot stand between cells"),
                    "Use a comma, a semicolon, a tab or a bar.");
  }
  auto reader = std::make_unique<CsvReader>(
      std::move(source), delimiter == '\t' ? TableFormat::kTsv : format, delimiter, options);
  RETURN_IF_ERROR(reader->ReadHeader());
  return reader;
}

}  // namespace sealbook::anonymizer
