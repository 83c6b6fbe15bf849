#include "cli/shred.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/table_reader.h"
#include "cli/command.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status Failed(absl::string_view path) {
  return WithHint(
      absl::InternalError(absl::StrCat("cannot overwrite ", path, ": ", std::strerror(errno))),
      "Everything was imported; delete the list by hand.");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shredder>> Shredder::Prepare(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    return Usage(absl::StrCat("cannot shred ", path, ": ",
                              errno == ELOOP ? "it is a symbolic link" : std::strerror(errno)),
                 "Leave --shred out, or name a file that you may write to.");
  }
  struct stat seen {};
  std::unique_ptr<Shredder> shredder;
  if (fstat(fd, &seen) == 0) shredder.reset(new Shredder(fd, path, seen));
  const char* reason = nullptr;
  if (shredder == nullptr || !S_ISREG(seen.st_mode))
    reason = "it is no plain file";
  else if (seen.st_nlink != 1)
    reason = "it has other names (hard links)";
  else if (access(FolderOf(path).c_str(), W_OK) != 0)
    reason = "its folder may not be written to";
  if (shredder == nullptr) close(fd);
  if (reason != nullptr) {
    return Usage(absl::StrCat("cannot shred ", path, ": ", reason),
                 "Leave --shred out, and delete the list by hand.");
  }
  return shredder;
}

Shredder::~Shredder() { close(fd_); }

absl::StatusOr<bool> Shredder::WasBegun() const {
  std::string head(anonymizer::kShreddingMark.size(), '\0');
  const ssize_t got = pread(fd_, head.data(), head.size(), 0);
  if (got < 0) return absl::InternalError(absl::StrCat("cannot read ", path_));
  head.resize(static_cast<std::size_t>(got));
  const bool whole = head.size() == anonymizer::kShreddingMark.size() || got == seen_.st_size;
  // Empty: it was overwritten, and cut, and not unlinked yet.
  return whole && absl::StartsWith(anonymizer::kShreddingMark, head);
}

absl::Status Shredder::Shred() {
  struct stat now {
  }, named{};
  const bool same = fstat(fd_, &now) == 0 && lstat(path_.c_str(), &named) == 0 &&
                    named.st_ino == seen_.st_ino && named.st_dev == seen_.st_dev &&
                    now.st_size == seen_.st_size && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec && now.st_nlink == 1;
  if (!same) {
    return WithHint(
        absl::UnavailableError(absl::StrCat(path_, " was changed while it was imported")),
        "It was not shredded. Run the same import again; it adds nothing twice.");
  }
  // What is there of the list after an interruption is told from a list by its first bytes.
  std::vector<char> zeros(1 << 20, '\0');
  const absl::string_view mark = anonymizer::kShreddingMark;
  std::copy(mark.begin(), mark.end(), zeros.begin());
  for (off_t done = 0; done < seen_.st_size;) {
    const auto left = static_cast<std::size_t>(seen_.st_size - done);
    const ssize_t written = pwrite(fd_, zeros.data(), std::min(left, zeros.size()), done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failed(path_);
    if (done == 0 && fsync(fd_) != 0) return Failed(path_);
    done += written;
    std::fill_n(zeros.begin(), mark.size(), '\0');
  }
  if (fsync(fd_) != 0 || ftruncate(fd_, 0) != 0 || unlink(path_.c_str()) != 0) return Failed(path_);
  const int folder = open(FolderOf(path_).c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return absl::OkStatus();
}

}  // namespace sealbook::cli
