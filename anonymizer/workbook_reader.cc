#include "anonymizer/table_reader.h"

namespace sealbook::anonymizer {

absl::StatusOr<std::unique_ptr<TableReader>> OpenWorkbook(ByteSource&, const TableOptions&) {
  return absl::UnimplementedError("workbooks");
}

}  // namespace sealbook::anonymizer
