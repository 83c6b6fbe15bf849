// Workbooks (.xlsx, ECMA-376): which of their sheets is the list, and that one's rows.
#include "anonymizer/workbook_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "anonymizer/header_finder.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/sheet_reader.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kShownNameCharacters = 40;

// On one line and no longer than a person reads.
std::string ShownName(absl::string_view name) {
  std::string shown;
  std::size_t characters = 0;
  for (const char c : CleanText(name.substr(0, 1000))) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && characters++ == kShownNameCharacters) return absl::StrCat(shown, "…");
    shown += c == '\n' || c == '\t' ? ' ' : c;
  }
  return shown;
}

std::string Numbered(std::int64_t count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

// "sheet 2", "sheets 2 and 4", "sheets 2, 3 and 5" from positions that count from 0.
std::string Listed(const std::vector<std::size_t>& positions) {
  constexpr std::size_t kMaxListed = 10;
  if (positions.size() > kMaxListed) return absl::StrCat(positions.size(), " sheets");
  std::string out = positions.size() == 1 ? "sheet " : "sheets ";
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (i > 0) absl::StrAppend(&out, i + 1 == positions.size() ? " and " : ", ");
    absl::StrAppend(&out, positions[i] + 1);
  }
  return out;
}

// Rows of a sheet as programs count them: those of a list that goes on in a second sheet follow.
constexpr std::int64_t kRowsOfASheet = 1'048'576;

class WorkbookReader : public TableReader {
 public:
  WorkbookReader(std::unique_ptr<Workbook> book, const TableOptions& options)
      : book_(std::move(book)), options_(options) {}

  // Reads the first rows of each sheet that people see.
  absl::Status ChooseSheet();

  absl::StatusOr<bool> Next(TableRow& row) override {
    while (!list_->header.TakeHeld(row)) {
      ASSIGN_OR_RETURN(const bool more, list_->rows->Next(row));
      if (more) break;
      if (next_sheet_ == continued_.size()) {
        ended_ = true;
        return false;
      }
      RETURN_IF_ERROR(GoOn(continued_[next_sheet_++]));
    }
    list_->header.CheckWidth(row);
    row.line += rows_before_;
    last_line_ = std::max(last_line_, row.line);
    return true;
  }
  const std::vector<std::string>& columns() const override { return list_->header.columns(); }
  std::int64_t header_line() const override { return list_->header.header_line(); }
  TableFormat format() const override { return TableFormat::kXlsx; }
  std::vector<std::string> remarks() const override;
  std::uint64_t bytes_read() const override {
    return ended_ ? book_->file_bytes() : list_->rows->position();
  }

 private:
  struct Sheet {
    std::size_t position;
    std::unique_ptr<SheetReader> rows;
    HeaderFinder header;
  };
  // The more, the better: a header that is known, rows of customers, any rows.
  absl::StatusOr<std::unique_ptr<Sheet>> OpenSheet(std::size_t position);
  bool Continues(Sheet& sheet) const;
  absl::Status GoOn(std::size_t position);
  static int Rank(const Sheet& sheet) {
    if (sheet.header.knows_header()) return 2;
    return sheet.header.sees_customers() ? 1 : 0;
  }

  std::unique_ptr<Workbook> book_;
  TableOptions options_;
  std::unique_ptr<Sheet> list_;
  // Of an exported list: sheets with the same header, in which it goes on.
  std::vector<std::size_t> continued_;
  std::size_t first_ = 0, next_sheet_ = 0;
  std::int64_t rows_before_ = 0, last_line_ = 0;
  SheetCounts counts_;  // of the sheets that are read
  std::vector<std::size_t> hidden_, empty_, charts_, others_, more_customers_;
  bool ended_ = false;
};

absl::StatusOr<std::unique_ptr<WorkbookReader::Sheet>> WorkbookReader::OpenSheet(
    std::size_t position) {
  ASSIGN_OR_RETURN(auto rows, SheetReader::Open(*book_, position));
  auto sheet = std::make_unique<Sheet>(
      Sheet{position, std::move(rows), HeaderFinder(options_, HeaderFinder::Rows::kFilled, "row")});
  RETURN_IF_ERROR(sheet->header.Read([&](TableRow& row) { return sheet->rows->Next(row); }));
  return sheet;
}

// Of an exported list that is longer than a sheet.
bool WorkbookReader::Continues(Sheet& sheet) const {
  return options_.is_exported != nullptr && Rank(*list_) == 2 && Rank(sheet) == 2 &&
         list_->header.Choose().ok() && options_.is_exported(list_->header.columns()) &&
         sheet.header.Choose().ok() && sheet.header.columns() == list_->header.columns();
}

absl::Status WorkbookReader::GoOn(std::size_t position) {
  const SheetCounts& counts = list_->rows->counts();
  counts_.hidden_rows += counts.hidden_rows;
  counts_.errors += counts.errors;
  counts_.formulas_unsolved += counts.formulas_unsolved;
  rows_before_ = std::max(rows_before_ + kRowsOfASheet, last_line_);
  ASSIGN_OR_RETURN(list_, OpenSheet(position));
  return list_->header.Choose();
}

absl::Status WorkbookReader::ChooseSheet() {
  std::vector<std::pair<std::size_t, int>> passed;  // sheets with rows, and their ranks
  for (std::size_t i = 0; i < book_->sheets().size(); ++i) {
    const WorkbookSheet& sheet = book_->sheets()[i];
    if (sheet.hidden) {
      hidden_.push_back(i);
      continue;
    }
    if (sheet.part.empty()) {
      charts_.push_back(i);
      continue;
    }
    ASSIGN_OR_RETURN(auto candidate, OpenSheet(i));
    if (!candidate->header.has_rows()) {
      empty_.push_back(i);
      continue;
    }
    if (list_ != nullptr && Continues(*candidate)) {
      continued_.push_back(i);
      continue;
    }
    passed.emplace_back(i, Rank(*candidate));
    if (list_ == nullptr || Rank(*candidate) > Rank(*list_)) list_ = std::move(candidate);
  }
  if (list_ == nullptr) {
    return WithHint(absl::InvalidArgumentError(hidden_.empty() ? "has no rows in any sheet"
                                                               : "has no rows in any sheet that is "
                                                                 "not hidden"),
                    "Check that it was saved whole, and show the sheet that is the list.");
  }
  for (const auto& [position, rank] : passed) {
    if (position != list_->position) (rank > 0 ? more_customers_ : others_).push_back(position);
  }
  first_ = list_->position;
  const absl::Status chosen = list_->header.Choose();
  if (!absl::IsInvalidArgument(chosen)) return chosen;
  return WithHint(absl::InvalidArgumentError(absl::StrCat(
                      "cannot be read: in sheet ", list_->position + 1, " ", chosen.message())),
                  HintOf(chosen));
}

std::vector<std::string> WorkbookReader::remarks() const {
  std::vector<std::string> remarks;
  const std::string name = ShownName(book_->sheets()[first_].name);
  remarks.push_back(absl::StrCat("sheet ", first_ + 1, " of ", book_->sheets().size(),
                                 name.empty() ? "" : absl::StrCat(" ('", name, "')"), " was read"));
  const auto tell = [&](const std::vector<std::size_t>& positions, absl::string_view one,
                        absl::string_view many) {
    if (!positions.empty())
      remarks.push_back(absl::StrCat(Listed(positions), " ", positions.size() == 1 ? one : many));
  };
  tell(more_customers_,
       "looks like customers too and was not read; save it as a file of its own to import it",
       "look like customers too and were not read; save each as a file of its own to import it");
  tell(others_, "does not look like customers and was not read",
       "do not look like customers and were not read");
  tell(hidden_, "is hidden and was not read", "are hidden and were not read");
  tell(empty_, "is empty", "are empty");
  tell(charts_, "holds no table", "hold no tables");
  if (!continued_.empty()) {
    remarks.push_back(
        absl::StrCat(Listed(continued_), " ", continued_.size() == 1 ? "goes" : "go",
                     " on with the same list and ", continued_.size() == 1 ? "was" : "were",
                     " read behind it; rows of the second sheet count from ", kRowsOfASheet + 1));
  }
  SheetCounts counts = list_->rows->counts();
  counts.hidden_rows += counts_.hidden_rows;
  counts.errors += counts_.errors;
  counts.formulas_unsolved += counts_.formulas_unsolved;
  if (counts.hidden_rows > 0) {
    remarks.push_back(
        absl::StrCat(Numbered(counts.hidden_rows, "hidden row was", "hidden rows were"),
                     " read like the others"));
  }
  if (counts.errors > 0) {
    remarks.push_back(absl::StrCat(
        Numbered(counts.errors, "cell holds an error", "cells hold errors"), " such as #REF! and ",
        counts.errors == 1 ? "was" : "were", " taken as empty"));
  }
  if (counts.formulas_unsolved > 0) {
    remarks.push_back(absl::StrCat(
        Numbered(counts.formulas_unsolved, "cell holds a formula", "cells hold formulas"),
        " without a result and ", counts.formulas_unsolved == 1 ? "was" : "were",
        " taken as empty; open the workbook in a spreadsheet program and save it to have results"));
  }
  return remarks;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> OpenWorkbook(ByteSource& bytes,
                                                          const TableOptions& options,
                                                          const WorkbookLimits& limits) {
  ASSIGN_OR_RETURN(auto book, Workbook::Open(bytes, limits));
  if (options.encoding || options.delimiter) {
    return WithHint(absl::FailedPreconditionError("a workbook says itself how it is written"),
                    "Leave --encoding and --delimiter out.");
  }
  auto reader = std::make_unique<WorkbookReader>(std::move(book), options);
  RETURN_IF_ERROR(reader->ChooseSheet());
  return reader;
}

absl::StatusOr<std::unique_ptr<TableReader>> OpenWorkbook(ByteSource& bytes,
                                                          const TableOptions& options) {
  return OpenWorkbook(bytes, options, WorkbookLimits());
}

}  // namespace sealbook::anonymizer
