// OpenWorkbook (anonymizer/table_reader.h) with limits of one's own, for tests.
#pragma once

#include "anonymizer/table_reader.h"
#include "anonymizer/workbook.h"

namespace sealbook::anonymizer {

absl::StatusOr<std::unique_ptr<TableReader>> OpenWorkbook(ByteSource& bytes,
                                                          const TableOptions& options,
                                                          const WorkbookLimits& limits);

}  // namespace sealbook::anonymizer
