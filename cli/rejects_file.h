// The rows of customer lists that were not taken, as they were, so that they can be mended and
// imported again: rows of tables as CSV, with their line and the reason in front; lines of JSON and
// cards as they stand in their list, with both added. Lists of different columns cannot share a
// file: the second gets one of its own, "rejects-2.csv".
//
// For its owner alone: it holds what the list held. Rows gather in a hidden file beside the one
// that was asked for, ".rejects.csv.sealbook-1", which takes its name once it is whole: what stood
// there before is replaced by a whole file of rejected rows or stays, and nothing but a file of
// rejected rows is ever replaced.
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
  struct Options {
    std::string path;
    std::vector<std::string> inputs;
    std::string vault;  // a folder in which no such file may be
    // Rows of earlier runs may be nowhere else: their file stays, and this run's have another.
    bool keep_existing = false;
  };
  // Makes nothing yet, but removes what an earlier run for the same path left unfinished.
  // FailedPrecondition (wrong usage): cannot be written, is one of the inputs or in the vault, or
  // is there and holds anything but rejected rows.
  static absl::StatusOr<std::unique_ptr<RejectsFile>> Create(Options options);
  ~RejectsFile();
  RejectsFile(const RejectsFile&) = delete;
  RejectsFile& operator=(const RejectsFile&) = delete;

  // What is added from now on is of this list.
  absl::Status StartList(const anonymizer::CustomerList& list);
  // The same of a file that is no list: what is added has a line of JSON as its `raw`.
  void StartLines();
  absl::Status Add(const anonymizer::Reject& reject, const anonymizer::SourceRow& row);
  // Everything is on the disk then, in a file of the name that paths() tells. More may be added.
  absl::Status Flush();
  // Nothing more is added. Where the import `failed`, rejected rows of an earlier run stay.
  absl::Status Close(bool failed);
  // In which there are rows, of this run.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  explicit RejectsFile(Options options) : options_(std::move(options)) {}
  std::string Name(int number) const;
  bool IsInput(const std::string& path) const;
  absl::Status Begin();
  absl::Status Write(const std::string& text);
  absl::Status Sync();
  absl::Status Publish(bool keep_existing);
  absl::Status Finish(bool keep_existing);
  void Discard();

  Options options_;
  std::FILE* file_ = nullptr;
  std::string temporary_;  // the name of `file_`; empty once it has got its own
  bool damaged_ = false;   // a write to `file_` failed
  int number_ = 1;         // of the next file
  // What `file_` holds, and what the list under way would have it hold.
  anonymizer::TableFormat format_{}, wanted_format_{};
  bool is_workbook_ = false;  // the list under way
  std::vector<std::string> header_, wanted_header_;
  std::vector<std::string> paths_;
};

}  // namespace sealbook::cli
