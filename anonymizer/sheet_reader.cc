#include "anonymizer/sheet_reader.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/encodings.h"
#include "anonymizer/workbook_text.h"
#include "anonymizer/workbook_values.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::int64_t kMaxRow = std::int64_t{1} << 31;

// One look at each attribute, of which a cell has a handful.
CellAttributes AttributesOf(pugi::xml_node node) {
  CellAttributes found;
  for (auto attribute = node.first_attribute(); attribute; attribute = attribute.next_attribute()) {
    const char* name = attribute.name();
    if (name[0] == '\0' || name[1] != '\0') continue;
    if (name[0] == 'r') found.place = attribute.value();
    if (name[0] == 't') found.type = attribute.value();
    if (name[0] == 's') found.style = attribute.value();
  }
  return found;
}

// A tag alone, as what a row that is too long leaves.
std::string Closed(absl::string_view tag) {
  return absl::StrCat(absl::StripSuffix(absl::StripSuffix(tag, ">"), "/"), "/>");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SheetReader>> SheetReader::Open(Workbook& book,
                                                               std::size_t position) {
  ASSIGN_OR_RETURN(XmlText text, book.OpenSheet(position));
  return std::unique_ptr<SheetReader>(new SheetReader(book, position, std::move(text)));
}

absl::StatusOr<bool> SheetReader::Next(TableRow& row) {
  ElementCutter::Element element;
  for (;;) {
    const auto more = cutter_.Next(element);
    if (!more.ok()) {
      const std::string where =
          last_row_ == 0 ? absl::StrCat("sheet ", position_ + 1)
                         : absl::StrCat("sheet ", position_ + 1, " below row ", last_row_);
      return InPart(where, more.status());
    }
    if (!*more) return false;
    row.fault.clear();
    row.raw.clear();
    if (element.too_long) {
      std::string tag = Closed({element.xml.data(), element.xml.size()});
      row.cells.clear();
      if (!ParseXml(tag, document_)) document_.reset();
      ReadNumber(row);
      row.fault = "is longer than 1 MiB";
      return true;
    }
    if (!ParseXml(element.xml, document_)) {
      document_.reset();
      row.cells.clear();
      ReadNumber(row);
      row.fault = "is no sound XML";
      return true;
    }
    ReadNumber(row);
    RETURN_IF_ERROR(ReadCells(row));
    if (row.cells.empty() && row.fault.empty()) continue;
    absl::string_view hidden = document_.first_child().attribute("hidden").value();
    if (hidden == "1" || hidden == "true") ++counts_.hidden_rows;
    return true;
  }
}

// Rows that do not say their number follow the one before them.
void SheetReader::ReadNumber(TableRow& row) {
  row.line = last_row_ + 1;
  const absl::string_view said = document_.first_child().attribute("r").value();
  std::int64_t number = 0;
  if (said.empty()) {
    last_row_ = row.line;
  } else if (!absl::SimpleAtoi(said, &number) || number < 1 || number > kMaxRow) {
    row.fault = "has no row's number";
  } else {
    row.line = number;
    if (number <= last_row_)
      row.fault = absl::StrCat("stands below row ", last_row_);
    else
      last_row_ = number;
  }
}

absl::Status SheetReader::ReadCells(TableRow& row) {
  const auto fault = [&](absl::string_view what) {
    if (row.fault.empty()) row.fault = std::string(what);
  };
  // The strings of the row before keep their memory.
  std::size_t width = 0, next_column = 0;
  for (auto node = document_.first_child().first_child(); node; node = node.next_sibling()) {
    if (!IsNamed(node.name(), "c")) continue;
    const CellAttributes cell = AttributesOf(node);
    std::size_t column = next_column;
    if (!cell.place.empty()) {
      const auto place = ParseCellPlace(cell.place);
      if (!place) {
        fault("has a cell without a sound place");
        continue;
      }
      if (place->row != row.line) fault("has a cell of another row");
      column = place->column;
    }
    if (column < next_column) {
      fault("has cells that are out of order");
      continue;
    }
    next_column = column + 1;
    value_.clear();
    absl::string_view problem;
    RETURN_IF_ERROR(ReadCell(node, cell, value_, problem));
    if (!problem.empty()) fault(problem);
    if (value_.empty()) continue;
    if (column >= TableReader::kMaxColumns) {
      if (row.fault.empty())
        row.fault = absl::StrCat("has more than ", TableReader::kMaxColumns, " cells");
      continue;
    }
    if (row.cells.size() <= column) row.cells.resize(column + 1);
    for (; width < column; ++width) row.cells[width].clear();
    row.cells[width++].assign(value_);
  }
  row.cells.resize(width);
  return absl::OkStatus();
}

// `value` is the string's number, and becomes the string.
absl::Status SheetReader::ReadShared(std::string& value, absl::string_view& fault) {
  const auto index = ParseIndex(absl::StripAsciiWhitespace(value));
  value.clear();
  if (!index || *index >= book_.strings().size()) {
    fault = "has a cell whose text is missing";
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const absl::string_view text, book_.strings().Get(*index));
  value.assign(text.data(), text.size());
  return absl::OkStatus();
}

absl::Status SheetReader::ReadCell(pugi::xml_node node, const CellAttributes& cell,
                                   std::string& value, absl::string_view& fault) {
  bool has_formula = false;
  for (auto child = node.first_child(); child; child = child.next_sibling()) {
    if (IsNamed(child.name(), "v"))
      AppendText(child, value);
    else if (IsNamed(child.name(), "is") && cell.type == "inlineStr")
      ReadRichText(child, value);
    else if (IsNamed(child.name(), "f"))
      has_formula = true;
  }
  if (value.empty()) {
    // An empty text is a result too.
    if (has_formula && cell.type != "str") ++counts_.formulas_unsolved;
    return absl::OkStatus();
  }
  const auto strip = [&] { return absl::StripAsciiWhitespace(value); };
  if (cell.type.empty() || cell.type == "n") {
    const NumberKind kind = book_.KindOfStyle(ParseIndex(cell.style).value_or(0));
    std::optional<std::string> date;
    if (kind != NumberKind::kPlain) date = DateOfNumber(strip(), kind, book_.since_1904());
    if (date)
      value = *std::move(date);
    else if (strip().size() != value.size())
      value = std::string(strip());
  } else if (cell.type == "s") {
    RETURN_IF_ERROR(ReadShared(value, fault));
  } else if (cell.type == "str") {
    UnescapeXstring(value);
  } else if (cell.type == "b") {
    value = strip() == "1" || strip() == "true" ? "TRUE" : "FALSE";
  } else if (cell.type == "e") {
    ++counts_.errors;
    value.clear();
  } else if (cell.type == "d") {
    value = DateOfText(value);
  } else if (cell.type != "inlineStr") {
    fault = "has a cell of a kind that is not known";
  }
  if (!IsAscii(value) && !IsUtf8(value)) {
    fault = value == kUnusableText ? "has a cell longer than 64 KiB, or that is no sound XML"
                                   : "has a cell that is no text";
    value.clear();
  }
  return absl::OkStatus();
}

}  // namespace sealbook::anonymizer
