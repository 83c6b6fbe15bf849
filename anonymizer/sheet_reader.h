// The rows of one sheet of a workbook, one at a time. Belongs to one thread; the workbook outlives
// it, and of several readers of one workbook each may be asked in turn.
#pragma once

#include <cstdint>
#include <memory>
#include <pugixml.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "anonymizer/table_reader.h"
#include "anonymizer/workbook.h"
#include "anonymizer/xml_part.h"

namespace sealbook::anonymizer {

// What was met in the rows so far and is worth telling.
struct SheetCounts {
  std::int64_t hidden_rows = 0;
  std::int64_t errors = 0;             // cells such as #REF!, which are taken as empty
  std::int64_t formulas_unsolved = 0;  // cells without the result of their formula: as empty
};

// The attributes of a cell that matter.
struct CellAttributes {
  absl::string_view place, type, style;
};

class SheetReader {
 public:
  // `position` is the sheet's, from 0.
  static absl::StatusOr<std::unique_ptr<SheetReader>> Open(Workbook& book, std::size_t position);

  // The next row that is not empty, without empty cells at its end; a row's line is its number in
  // the sheet. False at the end. InvalidArgument: the sheet cannot be read any further, a clause
  // with the file as subject.
  absl::StatusOr<bool> Next(TableRow& row);
  const SheetCounts& counts() const { return counts_; }
  std::uint64_t position() const { return cutter_.position(); }  // in the file

 private:
  SheetReader(Workbook& book, std::size_t position, XmlText text)
      : book_(book), position_(position), cutter_(std::move(text), "sheetData", "row") {}
  void ReadNumber(TableRow& row);
  absl::Status ReadCells(TableRow& row);
  absl::Status ReadCell(pugi::xml_node node, const CellAttributes& cell, std::string& value,
                        absl::string_view& fault);
  absl::Status ReadShared(std::string& value, absl::string_view& fault);

  Workbook& book_;
  std::size_t position_;
  ElementCutter cutter_;
  pugi::xml_document document_;
  std::string value_;
  std::int64_t last_row_ = 0;
  SheetCounts counts_;
};

}  // namespace sealbook::anonymizer
