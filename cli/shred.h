// Overwrites a file and unlinks it, once what it held is elsewhere.
//
// On a journalling file system on a magnetic disk that makes the bytes unreadable. On SSDs,
// copy-on-write file systems (btrfs, ZFS), snapshots, network shares and in backups older copies of
// the blocks may stay: nothing that a program does to a file reaches those.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sealbook::cli {

class Shredder {
 public:
  // Before the file is read: FailedPrecondition (wrong usage) where it could not be shredded later,
  // so that this is known before anything is stored.
  static absl::StatusOr<std::unique_ptr<Shredder>> Prepare(const std::string& path);
  ~Shredder();
  Shredder(const Shredder&) = delete;
  Shredder& operator=(const Shredder&) = delete;

  // True where an earlier run was interrupted while it overwrote this file: all of it is stored,
  // and only Shred is left to do.
  absl::StatusOr<bool> WasBegun() const;
  // Unavailable: the file was changed or replaced meanwhile, and is left alone. Internal: the disk
  // failed.
  absl::Status Shred();

 private:
  Shredder(int fd, std::string path, const struct stat& seen)
      : fd_(fd), path_(std::move(path)), seen_(seen) {}
  int fd_;
  std::string path_;
  struct stat seen_;
};

}  // namespace sealbook::cli
