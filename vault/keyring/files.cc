#include "vault/keyring/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EEXIST) return absl::AlreadyExistsError(message);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithHint(absl::ResourceExhaustedError(message), "Make room and run the command again.");
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    return WithHint(absl::InternalError(message),
                    "Give this user access to the folder and the files in it.");
  }
  return absl::InternalError(message);
}

absl::Status WriteAll(int fd, absl::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) return SystemError("write", path);
  return absl::OkStatus();
}

std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Reads up to max_bytes into wiped memory; one byte more tells that the file is larger.
absl::StatusOr<crypto::SecretBytes> ReadBounded(int fd, const std::string& path,
                                                std::size_t max_bytes) {
  crypto::SecretBytes bytes(max_bytes + 1);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(fd, bytes.ExposeMutable().data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than ", max_bytes, " bytes"));
  }
  bytes.Truncate(size);
  return bytes;
}

// A new file, or this user's own empty one that nobody else could open, as a process that was
// killed just here leaves it. Otherwise -1, with errno.
int MakeOrTakeEmpty(const std::string& path, mode_t mode) {
  const int made = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  if (made >= 0 || errno != EEXIST) return made;
  const int fd = open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat info {};
  const bool left_behind = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                           info.st_size == 0 && info.st_nlink == 1 && info.st_uid == geteuid() &&
                           (info.st_mode & 07777 & ~mode) == 0;
  if (left_behind) return fd;
  if (fd >= 0) close(fd);
  errno = EEXIST;
  return -1;
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("open", path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return SystemError("read", path);
  if (S_ISDIR(info.st_mode))
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory"));
  if (S_ISREG(info.st_mode) && static_cast<std::size_t>(info.st_size) > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than ", max_bytes, " bytes"));
  }
  const std::size_t bound =
      S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) + 1 : max_bytes;
  ASSIGN_OR_RETURN(const crypto::SecretBytes bytes,
                   ReadBounded(fd.get(), path, std::min(bound, max_bytes)));
  return std::string(bytes.ExposeText());
}

absl::StatusOr<crypto::SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes) {
  if (path == "-") return ReadBounded(STDIN_FILENO, "standard input", max_bytes);
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat("cannot open ", path, ": ", std::strerror(errno))),
                    "Name a file that this user can read.");
  }
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return SystemError("read", path);
  if (S_ISDIR(info.st_mode)) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(path, " is a directory")),
                    "Name a file.");
  }
  if (S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat("others may read ", path)),
                    absl::StrCat("Run 'chmod 600 ", path, "' and treat what is in it as known."));
  }
  return ReadBounded(fd.get(), path, max_bytes);
}

absl::Status SyncDirectory(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return SystemError("sync", path);
  return absl::OkStatus();
}

absl::Status CreateNewFile(const std::string& path, absl::string_view contents, mode_t mode) {
  absl::Status written;
  {
    const Descriptor fd(MakeOrTakeEmpty(path, mode));
    if (fd.get() < 0) return SystemError("make", path);
    // The mode is the caller's decision, not the umask's.
    written = fchmod(fd.get(), mode) == 0 ? WriteAll(fd.get(), contents, path)
                                          : SystemError("set the mode of", path);
  }
  if (!written.ok()) {
    unlink(path.c_str());
    return written;
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status ReplaceFile(const std::string& path, absl::string_view contents, mode_t mode) {
  // One name for all writers: they hold a lock, and what a crash left is overwritten.
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  RETURN_IF_ERROR(CreateNewFile(temporary, contents, mode));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    absl::Status error = SystemError("replace", path);
    unlink(temporary.c_str());
    return error;
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::StatusOr<FileLock> FileLock::Take(const std::string& path, mode_t mode) {
  return TakeAs(path, mode, LOCK_EX);
}

absl::StatusOr<FileLock> FileLock::TryTake(const std::string& path, mode_t mode) {
  return TakeAs(path, mode, LOCK_EX | LOCK_NB);
}

absl::StatusOr<FileLock> FileLock::TakeAs(const std::string& path, mode_t mode, int how) {
  const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, mode);
  if (fd < 0) return SystemError("open", path);
  FileLock lock(fd);
  // Fails where another user owns the file, who has set its mode already.
  (void)fchmod(fd, mode);
  while (flock(fd, how) != 0) {
    if (errno == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(path, " is locked"));
    if (errno != EINTR) return SystemError("lock", path);
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sealbook::keyring
