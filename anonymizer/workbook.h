// A workbook's parts apart from its rows: which sheets it has and where they stand, which of its
// styles are dates, and its shared strings. Errors are InvalidArgument, a clause with the file as
// subject that names a part by what it is and never by what it is called.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "anonymizer/byte_source.h"
#include "anonymizer/workbook_strings.h"
#include "anonymizer/workbook_values.h"
#include "anonymizer/xml_part.h"
#include "anonymizer/zip_file.h"

namespace sealbook::anonymizer {

struct WorkbookLimits {
  std::size_t string_bytes = WorkbookStrings::kMemoryBytes;  // held in memory
};

struct WorkbookSheet {
  std::string name;  // as the file has it
  std::string part;  // empty: no table, but a chart or a macro
  bool hidden = false;
};

class Workbook {
 public:
  static constexpr std::size_t kMaxSheets = 1000;
  static constexpr std::size_t kMaxPartBytes = 16 << 20;  // of parts that are read whole

  // `bytes` outlives the workbook. InvalidArgument: no workbook, one of another kind, or a damaged
  // one.
  static absl::StatusOr<std::unique_ptr<Workbook>> Open(ByteSource& bytes,
                                                        const WorkbookLimits& limits);

  const std::vector<WorkbookSheet>& sheets() const { return sheets_; }
  // `position` is the sheet's, from 0.
  absl::StatusOr<XmlText> OpenSheet(std::size_t position) const;

  bool since_1904() const { return since_1904_; }
  // By a cell's style; those that are not there are plain.
  NumberKind KindOfStyle(std::size_t style) const {
    return style < kinds_.size() ? kinds_[style] : NumberKind::kPlain;
  }
  WorkbookStrings& strings() { return strings_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  explicit Workbook(const WorkbookLimits& limits) : strings_(limits.string_bytes) {}
  absl::StatusOr<std::string> ReadSmallPart(const std::string& part, absl::string_view what) const;
  absl::Status ReadSheets(const std::string& main_part);
  absl::Status ReadStyles(const std::string& part);
  absl::Status ReadStrings(const std::string& part);

  std::unique_ptr<ZipFile> zip_;
  std::vector<WorkbookSheet> sheets_;
  std::vector<NumberKind> kinds_;  // of the cells' styles
  bool since_1904_ = false;
  WorkbookStrings strings_;
  std::uint64_t file_bytes_ = 0;
};

// "cannot be read: WHAT is cut off", with a hint.
absl::Status InPart(absl::string_view what, const absl::Status& status);

}  // namespace sealbook::anonymizer
