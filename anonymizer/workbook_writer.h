// ListWriter's workbooks with limits of one's own, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "anonymizer/list_writer.h"

namespace sealbook::anonymizer {

struct WorkbookWriterLimits {
  // A sheet has 1,048,576 rows, of which one is the header; the list goes on in another.
  std::uint64_t sheet_rows = 1'048'575;
  // Of a sheet unpacked, and of the file. Beyond 4 GiB zip files need an extension (zip64) whose
  // streamed form spreadsheet programs do not all read.
  std::uint64_t sheet_bytes = 0xf000'0000, file_bytes = 0xf000'0000;
};

absl::StatusOr<std::unique_ptr<ListWriter>> MakeWorkbookWriter(
    std::vector<std::string> columns, ByteSink& sink, const WorkbookWriterLimits& limits = {});

}  // namespace sealbook::anonymizer
