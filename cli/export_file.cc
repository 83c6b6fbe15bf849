#include "cli/export_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/terminal.h"
#include "vault/audit/receipt.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr absl::string_view kMark = ".sealbook-export-";
constexpr std::size_t kBufferBytes = 1 << 20;
// A name has 255 bytes at most; the mark and the id need their part, and so does the receipt's.
constexpr std::size_t kMaxNameBytes = 190;
constexpr int kMaxReceipts = 1000;

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What the names of all temporary files of this place begin with.
std::string PrefixOf(const std::string& path) { return absl::StrCat(".", NameOf(path), kMark); }

absl::Status CannotWrite(absl::string_view path, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithHint(
        absl::ResourceExhaustedError(
            absl::StrCat("there is no room for ", Printable(path), ": ", std::strerror(error))),
        "Free some space, or name a file on another disk with -o. Nothing was exported, "
        "and no code is spent.");
  }
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat(Printable(path), " cannot be written: ", std::strerror(error))),
                  "Name another file with -o.");
}

absl::Status Exists(const std::string& path) {
  return WithHint(absl::FailedPreconditionError(absl::StrCat(Printable(path), " is there already")),
                  "Name another file with -o, or replace it with --force.");
}

absl::Status NoFile(const std::string& path) {
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat(Printable(path),
                                   " is no file: an export is there whole or not at all, "
                                   "which a pipe or device cannot give")),
                  "Name a file with -o.");
}

bool SameFile(const std::string& one, const std::string& two) {
  struct stat first {
  }, second{};
  return stat(one.c_str(), &first) == 0 && stat(two.c_str(), &second) == 0 &&
         first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

// Of two processes one at a time puts a file and its receipt in their places, so that they are of
// the same export. As far as the file system knows locks, and for a while only: in a folder such as
// /tmp anybody could hold it.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int tries = 0; fd_ >= 0 && tries < 100; ++tries) {
      if (flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

bool WriteAll(int fd, const char* bytes, std::size_t size, off_t at) {
  while (size > 0) {
    const ssize_t count = pwrite(fd, bytes, size, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
    at += count;
  }
  return true;
}

// Without overwriting what came to that place, unless `force`.
absl::Status MoveInto(const std::string& from, const std::string& to, bool force) {
  if (force) {
    if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return CannotWrite(to, errno);
  }
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  // Some file systems do not know this way of renaming; a second name does not overwrite either.
  if (errno == EINVAL || errno == ENOSYS) {
    if (link(from.c_str(), to.c_str()) == 0) {
      unlink(from.c_str());
      return absl::OkStatus();
    }
  }
  return errno == EEXIST ? Exists(to) : CannotWrite(to, errno);
}

// Puts a receipt beside `path`: as NAME.receipt, or where something is there already under the next
// free number, since that may be the only receipt of a file that was moved away. `force` replaces
// the first one, where it is a receipt. Gives the name. `temporary` is in the same folder, and this
// process's own.
absl::StatusOr<std::string> PlaceReceipt(const std::string& path, const std::string& temporary,
                                         absl::string_view receipt, bool force) {
  unlink(temporary.c_str());  // what a crash left
  RETURN_IF_ERROR(keyring::CreateNewFile(temporary, receipt, 0600));
  absl::Status status;
  for (int number = 1; number <= kMaxReceipts; ++number) {
    const std::string name =
        number == 1 ? absl::StrCat(path, ".receipt") : absl::StrCat(path, ".receipt-", number);
    status = MoveInto(temporary, name, /*force=*/false);
    if (status.ok()) return name;
    if (!absl::IsFailedPrecondition(status)) break;
    struct stat info {};
    if (lstat(name.c_str(), &info) != 0) break;
    if (!S_ISREG(info.st_mode)) continue;
    const auto there = keyring::ReadSmallFile(name, audit::Receipt::kMaxBytes);
    if (!there.ok()) continue;
    // An earlier run was stopped just behind this.
    const bool same = *there == receipt;
    if (same || (force && number == 1 && absl::StartsWith(*there, audit::Receipt::kFirstLine))) {
      status = MoveInto(temporary, name, /*force=*/true);
      if (status.ok()) return name;
      break;
    }
  }
  unlink(temporary.c_str());
  return status;
}

}  // namespace

absl::Status ExportFile::CheckPlace(const std::string& path, const std::string& vault, bool force) {
  if (path.empty() || path == "-") {
    return WithHint(
        absl::FailedPreconditionError("an export goes into a file: it is there whole or "
                                      "not at all, which a pipe cannot give"),
        "Name one with -o F.");
  }
  if (NameOf(path).empty()) {
    return WithHint(absl::FailedPreconditionError("-o names a folder"), "Name a file in it.");
  }
  if (NameOf(path).size() > kMaxNameBytes) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "the name of an export's file has at most ", kMaxNameBytes, " bytes")),
                    "Name it shorter with -o.");
  }
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    // A link may lead to a device, as /dev/stdout does, and would be replaced itself.
    struct stat target {};
    if (S_ISLNK(info.st_mode) && stat(path.c_str(), &target) == 0 && !S_ISREG(target.st_mode))
      info = target;
    if (S_ISDIR(info.st_mode)) {
      return WithHint(absl::FailedPreconditionError("-o names a folder"), "Name a file in it.");
    }
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) return NoFile(path);
    if (!force) return Exists(path);
  } else if (errno != ENOENT) {
    return CannotWrite(path, errno);
  }
  if (SameFile(FolderOf(path), vault)) {
    return WithHint(absl::FailedPreconditionError("-o names a file in the vault's own folder"),
                    "Name a file in another folder.");
  }
  if (access(FolderOf(path).c_str(), W_OK | X_OK) != 0) return CannotWrite(path, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ExportFile>> ExportFile::Create(const std::string& path,
                                                               const std::string& vault,
                                                               const records::ExportId& id,
                                                               bool force) {
  RETURN_IF_ERROR(CheckPlace(path, vault, force));
  const std::string temporary =
      absl::StrCat(FolderOf(path), "/", PrefixOf(path), records::FormatExportId(id));
  const int fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (fd < 0) return CannotWrite(path, errno);
  auto file = std::unique_ptr<ExportFile>(new ExportFile(path, temporary, fd, force));
  // Tells who looks for interrupted exports that this one is under way. Who looked just before may
  // have taken it for one and removed it.
  struct stat info {};
  if (flock(fd, LOCK_EX) != 0 || fstat(fd, &info) != 0) return CannotWrite(path, errno);
  if (info.st_nlink == 0)
    return absl::UnavailableError("another export to this file ended just now");
  file->buffer_.reserve(kBufferBytes);
  return file;
}

ExportFile::~ExportFile() {
  if (!keep_ && !published_) unlink(temporary_.c_str());
  close(fd_);
  // In the clear where the policy allows that.
  crypto::Wipe(buffer_);
}

void ExportFile::LeaveRoomFor(ByteView header) {
  header_.assign(header.begin(), header.end());
  hash_.Update(header);
  bytes_ = static_cast<std::int64_t>(header.size());
}

absl::Status ExportFile::Flush() {
  if (!WriteAll(fd_, buffer_.data(), buffer_.size(), bytes_)) return CannotWrite(path_, errno);
  bytes_ += static_cast<std::int64_t>(buffer_.size());
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status ExportFile::Append(ByteView bytes) {
  hash_.Update(bytes);
  if (buffer_.size() + bytes.size() > kBufferBytes) RETURN_IF_ERROR(Flush());
  if (bytes.size() < kBufferBytes) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return absl::OkStatus();
  }
  if (!WriteAll(fd_, reinterpret_cast<const char*>(bytes.data()), bytes.size(), bytes_)) {
    return CannotWrite(path_, errno);
  }
  bytes_ += static_cast<std::int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::StatusOr<ExportFile::Written> ExportFile::Close() {
  RETURN_IF_ERROR(Flush());
  // The header's place must not be what the disk has no room for later.
  const std::string zeros(header_.size(), '\0');
  if (!WriteAll(fd_, zeros.data(), zeros.size(), 0)) return CannotWrite(path_, errno);
  if (fsync(fd_) != 0) return CannotWrite(path_, errno);
  // Its name, too: what the vault records must not be gone after a power cut.
  RETURN_IF_ERROR(keyring::SyncDirectory(FolderOf(path_)));
  return Written{.bytes = bytes_, .sha256 = hash_.Finish()};
}

absl::StatusOr<std::string> ExportFile::Publish(absl::string_view receipt) {
  if (!WriteAll(fd_, reinterpret_cast<const char*>(header_.data()), header_.size(), 0) ||
      fsync(fd_) != 0) {
    return CannotWrite(path_, errno);
  }
  const FolderLock lock(FolderOf(path_));
  ASSIGN_OR_RETURN(std::string name,
                   PlaceReceipt(path_, absl::StrCat(temporary_, ".receipt"), receipt, force_));
  RETURN_IF_ERROR(MoveInto(temporary_, path_, force_));
  published_ = true;
  // It is in its place. Where a power cut takes the new name back, the next run gives it once more.
  keyring::SyncDirectory(FolderOf(path_)).IgnoreError();
  return name;
}

absl::StatusOr<InterruptedExports> InterruptedExports::Find(const std::string& path) {
  InterruptedExports found;
  const std::string folder = FolderOf(path), prefix = PrefixOf(path);
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return CannotWrite(path, errno);
  while (const dirent* entry = readdir(entries)) {
    absl::string_view name = entry->d_name;
    if (!absl::ConsumePrefix(&name, prefix) || name.size() != 2 * sizeof(records::ExportId))
      continue;
    const auto id = crypto::FromHex(name);
    if (!id.ok()) continue;
    One one{.id = {}, .path = absl::StrCat(folder, "/", entry->d_name)};
    std::copy(id->begin(), id->end(), one.id.begin());
    const int fd = open(one.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat info {};
    const bool ours = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                      info.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0) close(fd);
    if (ours) found.all_.push_back(std::move(one));
  }
  closedir(entries);
  return found;
}

absl::StatusOr<std::string> InterruptedExports::Publish(const One& one, const std::string& path,
                                                        bool force,
                                                        const records::ExportRecord& record,
                                                        absl::string_view receipt) {
  const int fd = open(one.path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return CannotWrite(path, errno);
  ExportFile file(path, one.path, fd, force);
  file.keep_ = true;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError("another process puts this export in its place");
  }
  const auto header_bytes = static_cast<off_t>(record.header.size());
  crypto::Sha256 hash;
  hash.Update(record.header);
  std::string block(kBufferBytes, '\0');
  off_t at = header_bytes;
  for (;;) {
    const ssize_t count = pread(fd, block.data(), block.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotWrite(path, errno);
    if (count == 0) break;
    hash.Update(
        crypto::AsBytes(absl::string_view(block).substr(0, static_cast<std::size_t>(count))));
    at += count;
  }
  crypto::Wipe(block);
  if (at != record.bytes || hash.Finish() != record.sha256) {
    return WithHint(absl::DataLossError(absl::StrCat(Printable(one.path),
                                                     " is not the export that the vault recorded")),
                    "It was damaged or changed. Move it away, and export once more.");
  }
  file.header_ = record.header;
  return file.Publish(receipt);
}

void InterruptedExports::Remove(const One& one) {
  const int fd = open(one.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  // Under the lock: what came to be under way in between stays.
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlink(one.path.c_str());
  close(fd);
}

}  // namespace sealbook::cli
