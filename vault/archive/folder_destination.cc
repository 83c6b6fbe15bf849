#include "vault/archive/folder_destination.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

constexpr mode_t kFolderMode = 0770, kFileMode = 0660;
// Nothing that stands under a file's name is followed, waited for or taken as a terminal.
constexpr int kOpenFlags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// What went wrong with `where`, by errno.
absl::Status SystemError(absl::string_view what, absl::string_view where) {
  const int error = errno;
  const std::string message = absl::StrCat("cannot ", what, " ", where, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return WithHint(UnreachableError(message), "Make room there and run the command again.");
    case EACCES:
    case EPERM:
    case EROFS:
      return WithHint(RefusedError(message), "Give this user the right to write in that folder.");
    case ENOTDIR:
    case ELOOP:
    case EISDIR:
    case ENXIO:
      return WithHint(RefusedError(message), "See what stands under that name.");
    default:
      return UnreachableError(message);
  }
}

absl::Status NoRegularFile(absl::string_view where) {
  return WithHint(RefusedError(absl::StrCat(where, " is no regular file")),
                  "See what stands under that name.");
}

class FolderWriter : public RemoteWriter {
 public:
  FolderWriter(Descriptor file, Descriptor folder, std::string where)
      : file_(std::move(file)), folder_(std::move(folder)), where_(std::move(where)) {}

  absl::Status Append(ByteView bytes) override {
    if (finished_) return absl::FailedPreconditionError("a file at a destination is finished");
    while (status_.ok() && !bytes.empty()) {
      const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        status_ = SystemError("write", where_);
      } else {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      }
    }
    return status_;
  }
  absl::Status Finish() override {
    if (finished_) return absl::FailedPreconditionError("a file at a destination is finished");
    RETURN_IF_ERROR(status_);
    finished_ = true;
    // Network file systems tell of a full disk when a file is closed.
    if (fsync(file_.get()) != 0 || fsync(folder_.get()) != 0 || close(file_.Release()) != 0) {
      status_ = SystemError("write", where_);
    }
    return status_;
  }

 private:
  Descriptor file_, folder_;
  const std::string where_;
  absl::Status status_;
  bool finished_ = false;
};

class FolderReader : public RemoteReader {
 public:
  FolderReader(Descriptor file, std::uint64_t size, std::string where)
      : file_(std::move(file)), size_(size), where_(std::move(where)) {}

  std::uint64_t size() const override { return size_; }
  absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      if (offset + done > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) break;
      const ssize_t got = pread(file_.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return SystemError("read", where_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  const Descriptor file_;
  const std::uint64_t size_;
  const std::string where_;
};

class FolderDestination : public Destination {
 public:
  FolderDestination(std::string path, std::string name)
      : path_(std::move(path)), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }

  // An OK status also where the folder itself is missing and could be made.
  absl::Status Open() {
    base_ = Descriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (base_.ok()) return absl::OkStatus();
    if (errno == ENOENT) {
      struct stat info {};
      if (stat(Above().c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return absl::OkStatus();
      return WithHint(
          UnreachableError(absl::StrCat("there is no folder ", Above(), " for ", name_)),
          "Mount it, or make that folder.");
    }
    if (errno == ENOTDIR) {
      return WithHint(RefusedError(absl::StrCat(name_, " is no folder")),
                      "Name a folder, or a name that is free.");
    }
    return SystemError("open", name_);
  }

  absl::StatusOr<std::optional<std::uint64_t>> Size(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    const auto folder = FolderOf(path, false);
    if (absl::IsNotFound(folder.status())) return std::nullopt;
    RETURN_IF_ERROR(folder.status());
    struct stat info {};
    if (fstatat(folder->get(), NameOf(path).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return std::nullopt;
      return SystemError("look at", Where(path));
    }
    if (!S_ISREG(info.st_mode)) return NoRegularFile(Where(path));
    return static_cast<std::uint64_t>(info.st_size);
  }

  absl::StatusOr<std::unique_ptr<RemoteWriter>> Create(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(Descriptor folder, FolderOf(path, true));
    Descriptor file(openat(folder.get(), NameOf(path).c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | kOpenFlags, kFileMode));
    if (!file.ok()) return SystemError("make", Where(path));
    return std::make_unique<FolderWriter>(std::move(file), std::move(folder), Where(path));
  }

  absl::StatusOr<std::unique_ptr<RemoteWriter>> Resume(absl::string_view path,
                                                       std::uint64_t offset) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(Descriptor folder, FolderOf(path, false));
    Descriptor file(openat(folder.get(), NameOf(path).c_str(), O_WRONLY | O_APPEND | kOpenFlags));
    if (!file.ok()) return SystemError("open", Where(path));
    ASSIGN_OR_RETURN(const std::uint64_t bytes, RegularBytes(file, path));
    if (bytes != offset) {
      return UnreachableError(
          absl::StrCat(Where(path), " has ", bytes, " bytes where ", offset, " were expected"));
    }
    return std::make_unique<FolderWriter>(std::move(file), std::move(folder), Where(path));
  }

  absl::StatusOr<std::unique_ptr<RemoteReader>> Read(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(const Descriptor folder, FolderOf(path, false));
    Descriptor file(openat(folder.get(), NameOf(path).c_str(), O_RDONLY | kOpenFlags));
    if (!file.ok()) return SystemError("open", Where(path));
    ASSIGN_OR_RETURN(const std::uint64_t bytes, RegularBytes(file, path));
    // Read from the disk rather than from what this machine still remembers having written.
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    return std::make_unique<FolderReader>(std::move(file), bytes, Where(path));
  }

  absl::Status Remove(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(const Descriptor folder, FolderOf(path, false));
    if (unlinkat(folder.get(), NameOf(path).c_str(), 0) != 0 || fsync(folder.get()) != 0) {
      return SystemError("delete", Where(path));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<RemoteFile>> List(absl::string_view folder) override {
    if (!folder.empty() && !IsPathPart(folder)) return CheckPath("");
    std::vector<RemoteFile> files;
    auto opened = Subfolder(folder, false);
    if (absl::IsNotFound(opened.status())) return files;
    RETURN_IF_ERROR(opened.status());
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(opened->get()), closedir);
    if (listing == nullptr) return SystemError("list", Where(folder));
    opened->Release();
    for (std::size_t entries = 0;; ++entries) {
      errno = 0;
      const dirent* entry = readdir(listing.get());
      if (entry == nullptr && errno != 0) return SystemError("list", Where(folder));
      if (entry == nullptr) break;
      if (entries == kMaxListed) {
        return RefusedError(absl::StrCat("more than ", kMaxListed, " entries in ", Where(folder)));
      }
      if (!IsPathPart(entry->d_name)) continue;
      struct stat info {};
      if (fstatat(dirfd(listing.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // gone meanwhile
        return SystemError("look at", Where(folder));
      }
      if (!S_ISREG(info.st_mode)) continue;
      files.push_back({.name = entry->d_name, .bytes = static_cast<std::uint64_t>(info.st_size)});
    }
    std::sort(files.begin(), files.end(),
              [](const RemoteFile& a, const RemoteFile& b) { return a.name < b.name; });
    return files;
  }

  absl::StatusOr<std::optional<std::uint64_t>> FreeBytes() override {
    struct statvfs info {};
    const auto base = Subfolder("", false);
    const int asked = base.ok() ? fstatvfs(base->get(), &info) : statvfs(Above().c_str(), &info);
    if (asked != 0) return SystemError("look at", name_);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  // The folder in which the destination's stands.
  std::string Above() const {
    const auto slash = path_.rfind('/');
    return slash == 0 ? "/" : path_.substr(0, slash);
  }
  std::string Where(absl::string_view path) const {
    return path.empty() ? name_ : absl::StrCat(name_, "/", path);
  }
  static std::string NameOf(absl::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
  }

  absl::StatusOr<std::uint64_t> RegularBytes(const Descriptor& file, absl::string_view path) const {
    struct stat info {};
    if (fstat(file.get(), &info) != 0) return SystemError("look at", Where(path));
    if (!S_ISREG(info.st_mode)) return NoRegularFile(Where(path));
    return static_cast<std::uint64_t>(info.st_size);
  }

  absl::StatusOr<Descriptor> FolderOf(absl::string_view path, bool make) {
    const auto slash = path.find('/');
    return Subfolder(slash == absl::string_view::npos ? "" : path.substr(0, slash), make);
  }

  // NotFound: it is missing, and `make` is false.
  absl::StatusOr<Descriptor> Subfolder(absl::string_view folder, bool make) {
    if (!base_.ok()) {
      if (make) RETURN_IF_ERROR(MakeFolder(AT_FDCWD, path_, Above()));
      base_ = Descriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!base_.ok()) return SystemError("open", name_);
    }
    const std::string name = folder.empty() ? "." : std::string(folder);
    const auto open_it = [&] {
      return Descriptor(
          openat(base_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    };
    Descriptor opened = open_it();
    if (!opened.ok() && errno == ENOENT && make) {
      RETURN_IF_ERROR(MakeFolder(base_.get(), name, "."));
      opened = open_it();
    }
    if (!opened.ok()) return SystemError("open", Where(folder));
    return opened;
  }

  absl::Status MakeFolder(int at, const std::string& folder, const std::string& above) const {
    if (mkdirat(at, folder.c_str(), kFolderMode) != 0) {
      if (errno == EEXIST) return absl::OkStatus();
      absl::Status status = SystemError("make a folder for", name_);
      // Not this caller's NotFound: the folder above is gone.
      return absl::IsNotFound(status) ? UnreachableError(status.message()) : status;
    }
    const Descriptor parent(openat(at, above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.ok() || fsync(parent.get()) != 0) return SystemError("sync", name_);
    return absl::OkStatus();
  }

  const std::string path_, name_;
  Descriptor base_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Destination>> OpenFolder(const DestinationUrl& url) {
  auto folder = std::make_unique<FolderDestination>(url.folder, url.ToText());
  RETURN_IF_ERROR(folder->Open());
  return folder;
}

}  // namespace sealbook::archive::internal
