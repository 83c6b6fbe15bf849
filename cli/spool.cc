#include "cli/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr char kLockName[] = ".sealbook-watch.lock";
constexpr int kMaxNumbered = 1'000'000;

bool IsTaken(absl::string_view name) {
  return !absl::StartsWith(name, ".") && !absl::EndsWith(name, ".tmp") &&
         !absl::EndsWith(name, ".part");
}

// "chat.txt" → "chat-2.txt".
std::string Numbered(const std::string& name, int number) {
  if (number == 1) return name;
  const std::size_t dot = name.rfind('.');
  const std::size_t at = dot == std::string::npos || dot == 0 ? name.size() : dot;
  return absl::StrCat(name.substr(0, at), "-", number, name.substr(at));
}

absl::Status CannotMove(absl::string_view below) {
  const int error = errno;
  return WithHint(absl::InternalError(absl::StrCat("cannot move a file of the watched folder to ",
                                                   below, ": ", std::strerror(error))),
                  "What it holds is in the vault, and taking it again adds nothing.");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const std::string& folder) {
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) {
    return Usage(absl::StrCat("cannot watch ", Printable(folder), ": ", std::strerror(errno)),
                 "Name a folder that you may write to.");
  }
  const int lock_fd = openat(folder_fd, kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd < 0) {
    const int error = errno;
    close(folder_fd);
    return Usage(absl::StrCat("cannot watch ", Printable(folder), ": ", std::strerror(error)),
                 "Name a folder that you may write to.");
  }
  std::unique_ptr<Spool> spool(new Spool(folder, folder_fd, lock_fd));
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    return WithHint(
        absl::UnavailableError(absl::StrCat("another process watches ", Printable(folder))),
        "One is enough; it takes whatever is put there.");
  }
  return spool;
}

Spool::~Spool() {
  // The lock's file stays: removing it would let two others lock two files of one name.
  close(lock_fd_);
  close(folder_fd_);
}

std::optional<SpoolFile> Spool::LookAt(const std::string& name) const {
  struct stat info {};
  if (fstatat(folder_fd_, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  return SpoolFile{.name = name,
                   .inode = info.st_ino,
                   .size = info.st_size,
                   .changed = absl::TimeFromTimespec(info.st_mtim)};
}

absl::StatusOr<std::vector<std::string>> Spool::Names() const {
  const int fd = openat(folder_fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* directory = fd < 0 ? nullptr : fdopendir(fd);
  if (directory == nullptr) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return absl::InternalError(
        absl::StrCat("cannot read the watched folder: ", std::strerror(error)));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (IsTaken(name) && LookAt(name)) names.push_back(name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Spool::Look> Spool::First(const std::vector<std::string>* among) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, Names());
  if (among != nullptr) {
    std::erase_if(names, [&](const std::string& name) {
      return !std::binary_search(among->begin(), among->end(), name);
    });
  }
  const absl::Time now = absl::Now();
  std::map<std::string, Seen> seen;
  for (const std::string& name : names) {
    const std::optional<SpoolFile> file = LookAt(name);
    if (!file) continue;
    const auto before = seen_.find(name);
    const bool same = before != seen_.end() && before->second.file == *file;
    seen[name] = {*file, same ? std::min(before->second.since, now) : now};
  }
  seen_ = std::move(seen);
  Look look;
  if (seen_.empty()) return look;
  look.empty = false;
  const Seen& first = seen_.begin()->second;
  if (now - first.since >= kStill) look.ready = first.file;
  return look;
}

bool Spool::IsUnchanged(const SpoolFile& file) const { return LookAt(file.name) == file; }

absl::Status Spool::MoveTo(const SpoolFile& file, const std::string& below) {
  if (mkdirat(folder_fd_, below.c_str(), 0700) != 0 && errno != EEXIST) return CannotMove(below);
  const int to = openat(folder_fd_, below.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (to < 0) return CannotMove(below);
  bool moved = false;
  for (int number = 1; !moved && number <= kMaxNumbered; ++number) {
    const std::string name = Numbered(file.name, number);
    moved = renameat2(folder_fd_, file.name.c_str(), to, name.c_str(), RENAME_NOREPLACE) == 0;
    if (!moved && (errno == EINVAL || errno == ENOSYS)) {
      // A file system that knows no such flag.
      moved = linkat(folder_fd_, file.name.c_str(), to, name.c_str(), 0) == 0 &&
              unlinkat(folder_fd_, file.name.c_str(), 0) == 0;
    }
    if (!moved && errno != EEXIST) break;
  }
  const absl::Status status = moved ? absl::OkStatus() : CannotMove(below);
  // Some file systems cannot do that for folders; what a crash undoes is done again, and adds
  // nothing.
  if (moved) (void)(fsync(to) == 0 && fsync(folder_fd_) == 0);
  close(to);
  return status;
}

}  // namespace sealbook::cli
