#include "vault/archive/upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

absl::Status AnotherFile(const Destination& destination, absl::string_view path) {
  return WithHint(internal::RefusedError(absl::StrCat(destination.name(),
                                                      " holds another file under the name ", path)),
                  "See who else writes there. Nothing was written over.");
}

// The file that goes out. It must not change meanwhile.
class LocalFile {
 public:
  static absl::StatusOr<LocalFile> Open(const std::string& path) {
    LocalFile file(path, open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (file.fd_ < 0 || fstat(file.fd_, &info) != 0) return file.Error();
    if (!S_ISREG(info.st_mode)) {
      return absl::InternalError(absl::StrCat(path, " is no regular file"));
    }
    file.size_ = static_cast<std::uint64_t>(info.st_size);
    return file;
  }
  LocalFile(LocalFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  LocalFile& operator=(LocalFile&&) = delete;
  ~LocalFile() {
    if (fd_ >= 0) close(fd_);
  }

  std::uint64_t size() const { return size_; }
  absl::Status Read(std::uint64_t offset, std::span<std::uint8_t> out) const {
    while (!out.empty()) {
      const ssize_t got = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error();
      if (got == 0) return absl::DataLossError(absl::StrCat(path_, " is shorter than it was"));
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return absl::OkStatus();
  }
  absl::Status CheckSize() const {
    struct stat info {};
    if (fstat(fd_, &info) != 0) return Error();
    if (static_cast<std::uint64_t>(info.st_size) == size_) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(path_, " changed while it was sent"));
  }

 private:
  LocalFile(const std::string& path, int fd) : path_(path), fd_(fd) {}
  absl::Status Error() const {
    return absl::InternalError(absl::StrCat("cannot read ", path_, ": ", std::strerror(errno)));
  }
  std::string path_;
  int fd_;
  std::uint64_t size_ = 0;
};

// A writer at the end of what stands under `path`; `there` gets how much that is.
absl::StatusOr<std::unique_ptr<RemoteWriter>> BeginOrResume(Destination& destination,
                                                            absl::string_view path,
                                                            std::uint64_t size,
                                                            std::uint64_t& there) {
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> found, destination.Size(path));
  there = found.value_or(0);
  if (there > size) return AnotherFile(destination, path);
  if (found) return destination.Resume(path, there);
  auto created = destination.Create(path);
  // Somebody was faster; the next attempt sees how much there is.
  if (absl::IsAlreadyExists(created.status())) {
    return UnreachableError(created.status().message());
  }
  return created;
}

absl::Status Attempt(const DestinationOpener& open, const LocalFile& file, absl::string_view path,
                     const UploadOptions& options, std::uint64_t& there) {
  ASSIGN_OR_RETURN(const auto destination, open());
  ASSIGN_OR_RETURN(const auto writer, BeginOrResume(*destination, path, file.size(), there));
  std::uint64_t done = there;
  std::vector<std::uint8_t> piece(std::min<std::uint64_t>(kPieceBytes, file.size() - done));
  if (options.progress) options.progress(done);
  while (done < file.size()) {
    const std::span<std::uint8_t> next(piece.data(),
                                       std::min<std::uint64_t>(piece.size(), file.size() - done));
    RETURN_IF_ERROR(file.Read(done, next));
    RETURN_IF_ERROR(writer->Append(next));
    done += next.size();
    if (options.progress) options.progress(done);
  }
  RETURN_IF_ERROR(file.CheckSize());
  // Also where all of it was there already: nobody knows whether it is on stable storage.
  return writer->Finish();
}

}  // namespace

absl::StatusOr<Uploaded> RetryingUpload(const DestinationOpener& open, const std::string& from,
                                        absl::string_view path, const UploadOptions& options) {
  RETURN_IF_ERROR(CheckPath(path));
  ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(from));
  Uploaded uploaded{.bytes = file.size()};
  absl::Duration wait = options.first_wait;
  for (;;) {
    ++uploaded.attempts;
    std::uint64_t there = 0;
    const absl::Status status = Attempt(open, file, path, options, there);
    // What earlier attempts of this call sent is not what stood there before it.
    if (uploaded.attempts == 1) uploaded.resumed = there;
    if (status.ok()) return uploaded;
    if (!WorthRetrying(status) || uploaded.attempts >= options.attempts) return status;
    if (options.sleep) {
      options.sleep(wait);
    } else {
      absl::SleepFor(wait);
    }
    wait = std::min(2 * wait, options.max_wait);
  }
}

absl::Status PutSmall(Destination& destination, absl::string_view path, ByteView bytes) {
  RETURN_IF_ERROR(CheckPath(path));
  std::uint64_t there = 0;
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> found, destination.Size(path));
  if (found.value_or(0) > bytes.size()) return AnotherFile(destination, path);
  if (found.value_or(0) > 0) {
    ASSIGN_OR_RETURN(const std::string earlier, GetSmall(destination, path, bytes.size()));
    const ByteView beginning = bytes.first(std::min(earlier.size(), bytes.size()));
    if (crypto::AsText(beginning) != earlier) return AnotherFile(destination, path);
  }
  ASSIGN_OR_RETURN(const auto writer, BeginOrResume(destination, path, bytes.size(), there));
  if (there != found.value_or(0)) return AnotherFile(destination, path);
  RETURN_IF_ERROR(writer->Append(bytes.subspan(there)));
  return writer->Finish();
}

absl::Status ReadBack(Destination& destination, absl::string_view path,
                      std::uint64_t expected_bytes, ByteSink& sink) {
  ASSIGN_OR_RETURN(const auto reader, destination.Read(path));
  if (reader->size() != expected_bytes) {
    return UnreachableError(absl::StrCat(destination.name(), " holds ", reader->size(),
                                         " bytes as ", path, " where ", expected_bytes,
                                         " were written"));
  }
  return reader->Stream(0, expected_bytes, sink);
}

absl::StatusOr<std::string> GetSmall(Destination& destination, absl::string_view path,
                                     std::size_t max_bytes) {
  ASSIGN_OR_RETURN(const auto reader, destination.Read(path));
  if (reader->size() > max_bytes) {
    return internal::RefusedError(absl::StrCat(destination.name(), " holds ", reader->size(),
                                               " bytes as ", path, ", more than the ", max_bytes,
                                               " that are read"));
  }
  std::string bytes(reader->size(), '\0');
  ASSIGN_OR_RETURN(
      const std::size_t got,
      reader->ReadAt(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));
  if (got != bytes.size()) {
    return UnreachableError(
        absl::StrCat(destination.name(), " cuts ", path, " short while it is read"));
  }
  return bytes;
}

}  // namespace sealbook::archive
