#include "anonymizer/table_reader.h"

namespace sealbook::anonymizer {

absl::StatusOr<std::unique_ptr<TableReader>> OpenVcards(ByteSource&, const TableOptions&) {
  return absl::UnimplementedError("vCards");
}

}  // namespace sealbook::anonymizer
