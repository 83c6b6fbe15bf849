// A folder into which others put files, each of which is taken once: in the order of their names,
// when nobody writes to them any more. Files whose names begin with a dot or end in ".tmp" or
// ".part" are somebody's unfinished business, and whatever is no plain file is left as well.
//
//   ASSIGN_OR_RETURN(auto spool, Spool::Open(folder));
//   while (std::optional<SpoolFile> file = *spool->Next()) { …; spool->MoveTo(*file, "done"); }
//
// A file is taken once its size and time have stood still for kStill. Belongs to one thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sealbook::cli {

// What a file was when it was looked at.
struct SpoolFile {
  std::string name;  // within the folder
  ino_t inode = 0;
  off_t size = 0;
  absl::Time changed;
  friend bool operator==(const SpoolFile&, const SpoolFile&) = default;
};

class Spool {
 public:
  static constexpr absl::Duration kStill = absl::Seconds(1);

  // Locks the folder for this process. Unavailable: another one holds it. FailedPrecondition: there
  // is no such folder, or it may not be written to.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(const std::string& folder);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  std::string PathOf(const SpoolFile& file) const { return folder_ + "/" + file.name; }

  struct Look {
    std::optional<SpoolFile> ready;  // the first by name, if it stands still
    bool empty = true;               // there is nothing to wait for either
  };
  // The first file by name; a later one is not taken before it. With `among`, of those names alone.
  absl::StatusOr<Look> First(const std::vector<std::string>* among = nullptr);
  // Names of all that would be taken, in order.
  absl::StatusOr<std::vector<std::string>> Names() const;
  // Whether the file is still what it was.
  bool IsUnchanged(const SpoolFile& file) const;
  // Into the folder `below`, made where it is not there; under a name with a number where its own
  // is taken. Both folders are on the disk then.
  absl::Status MoveTo(const SpoolFile& file, const std::string& below);

 private:
  Spool(std::string folder, int folder_fd, int lock_fd)
      : folder_(std::move(folder)), folder_fd_(folder_fd), lock_fd_(lock_fd) {}
  struct Seen {
    SpoolFile file;
    absl::Time since;  // when it was first seen like this
  };
  std::optional<SpoolFile> LookAt(const std::string& name) const;

  std::string folder_;
  int folder_fd_, lock_fd_;
  std::map<std::string, Seen> seen_;
};

}  // namespace sealbook::cli
