// The rows of customer lists that were not taken, as they were, so that they can be mended and
// imported again: rows of tables as CSV, with their line and the reason in front; lines of JSON and
// cards as they stand in their list, with both added. Lists of different columns cannot share a
// file: the second gets one of its own, "rejects-2.csv".
//
// For its owner alone: it holds what the list held.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "anonymizer/customer_list.h"
#include "anonymizer/import.h"

namespace sealbook::cli {

class RejectsFile {
 public:
  // FailedPrecondition (wrong usage): cannot be written, is a link, or is one of `inputs`.
  static absl::StatusOr<std::unique_ptr<RejectsFile>> Create(
      const std::string& path, const std::vector<std::string>& inputs);
  ~RejectsFile();
  RejectsFile(const RejectsFile&) = delete;
  RejectsFile& operator=(const RejectsFile&) = delete;

  // What is added from now on is of this list.
  absl::Status StartList(const anonymizer::CustomerList& list);
  absl::Status Add(const anonymizer::Reject& reject, const anonymizer::SourceRow& row);
  // Everything is on the disk then.
  absl::Status Flush();
  absl::Status Close();
  // In which there are rows.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  RejectsFile(std::string path, std::vector<std::string> inputs)
      : path_(std::move(path)), inputs_(std::move(inputs)) {}
  absl::Status OpenNext();
  absl::Status Begin();
  absl::Status Write(const std::string& text);

  std::string path_;
  std::vector<std::string> inputs_;
  std::FILE* file_ = nullptr;
  std::string current_;  // the name of `file_`
  int files_ = 0;
  bool empty_ = true;  // nothing was written to `file_` yet
  // What `file_` holds, and what the list under way would have it hold.
  anonymizer::TableFormat format_{}, wanted_format_{};
  std::vector<std::string> header_, wanted_header_;
  std::vector<std::string> paths_;
};

}  // namespace sealbook::cli
