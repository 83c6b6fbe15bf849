#include "anonymizer/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "anonymizer/spill_file.h"
#include "vault/crypto/secret.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr int kPollMilliseconds = 200;
constexpr std::size_t kKeptBlockBytes = 256 * 1024;

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path,
                                                             std::function<bool()> interrupted) {
  const bool standard_input = path == kStandardInput;
  // Without waiting, so that a pipe with no writer does not hang before it is looked at.
  const int fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    if (standard_input) {
      return WithHint(absl::InvalidArgumentError("there is no standard input"),
                      "Name a file, or send the list through a pipe.");
    }
    if (error == ENOENT) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat("there is no file ", path)),
                      "Check the name.");
    }
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(error))),
        "Check its permissions.");
  }
  std::unique_ptr<ByteSource> source(
      new ByteSource(fd, standard_input ? "standard input" : path, std::move(interrupted)));
  RETURN_IF_ERROR(source->Start());
  return source;
}

ByteSource::ByteSource(int fd, std::string name, std::function<bool()> interrupted)
    : fd_(fd), name_(std::move(name)), interrupted_(std::move(interrupted)) {}

ByteSource::~ByteSource() {
  crypto::Wipe(unsaved_);
  crypto::Wipe(block_);
  close(fd_);
}

absl::Status ByteSource::Start() {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return absl::InternalError(absl::StrCat("cannot read ", name_));
  if (S_ISDIR(info.st_mode)) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(name_, " is a folder, not a file")),
                    "Name a file.");
  }
  if (isatty(fd_) != 0) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(name_, " is a terminal, not a list")),
                    "Name a file, or send the list through a pipe.");
  }
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(name_, " is a device, not a file")),
                    "Name a file.");
  }
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
  regular_ = S_ISREG(info.st_mode);
  if (regular_) {
    bytes_total_ = static_cast<std::uint64_t>(info.st_size);
    begin_ = std::max<off_t>(lseek(fd_, 0, SEEK_CUR), 0);
  }
  head_.resize(kHeadBytes);
  std::size_t size = 0;
  while (size < head_.size()) {
    ASSIGN_OR_RETURN(const std::size_t got,
                     ReadDescriptor(head_.data() + size, head_.size() - size));
    if (got == 0) break;
    size += got;
  }
  head_is_all_ = size < kHeadBytes;
  head_.resize(size);
  if (head_.empty()) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(name_, " is empty")),
                    "Check that it was saved whole.");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> ByteSource::ReadDescriptor(char* out, std::size_t size) {
  for (;;) {
    if (!regular_ && interrupted_) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      const int ready = poll(&waiting, 1, kPollMilliseconds);
      if (interrupted_()) {
        return WithHint(absl::CancelledError("interrupted: what was stored so far stays"),
                        "Run the same import again; it adds nothing twice.");
      }
      if (ready <= 0) continue;
    }
    const ssize_t got = read(fd_, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR)
      return absl::InternalError(absl::StrCat("cannot read ", name_, ": ", std::strerror(errno)));
  }
}

absl::StatusOr<std::size_t> ByteSource::Read(char* out, std::size_t size) {
  std::size_t got = 0;
  if (position_ < head_.size()) {
    got = std::min<std::size_t>(size, head_.size() - position_);
    std::memcpy(out, head_.data() + position_, got);
  } else if (!head_is_all_) {
    if (rewound_) {
      ASSIGN_OR_RETURN(got, ReadKept(out, size));
    } else {
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, limit_ - position_));
      if (size == 0) return 0;
      ASSIGN_OR_RETURN(got, ReadDescriptor(out, size));
      if (kept_ != nullptr) {
        unsaved_.append(out, got);
        if (unsaved_.size() >= kKeptBlockBytes) RETURN_IF_ERROR(PutAside());
      }
    }
  }
  position_ += got;
  return got;
}

absl::Status ByteSource::KeepForRewind() {
  if (regular_) {
    const auto begin = static_cast<std::uint64_t>(begin_);
    limit_ = std::max<std::uint64_t>(bytes_total_ - std::min(bytes_total_, begin), head_.size());
  }
  if (regular_ || head_is_all_ || kept_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(kept_, SpillFile::Create());
  return absl::OkStatus();
}

absl::Status ByteSource::PutAside() {
  RETURN_IF_ERROR(kept_->Add(crypto::AsBytes(unsaved_)));
  unsaved_.clear();
  return absl::OkStatus();
}

absl::Status ByteSource::Rewind() {
  if (regular_) {
    const off_t behind_head = begin_ + static_cast<off_t>(head_.size());
    if (lseek(fd_, behind_head, SEEK_SET) != behind_head)
      return absl::InternalError(absl::StrCat("cannot read ", name_, ": ", std::strerror(errno)));
  } else if (!head_is_all_) {
    if (kept_ == nullptr) return absl::InternalError("a pipe was to be read again, but not kept");
    // Whatever the pipe still holds belongs to it as well.
    std::string rest(kKeptBlockBytes, '\0');
    while (!rewound_) {
      ASSIGN_OR_RETURN(const std::size_t got, ReadDescriptor(rest.data(), rest.size()));
      if (got == 0) break;
      unsaved_.append(rest, 0, got);
      if (unsaved_.size() >= kKeptBlockBytes) RETURN_IF_ERROR(PutAside());
    }
    if (!unsaved_.empty()) RETURN_IF_ERROR(PutAside());
    rewound_ = true;
    next_block_ = in_block_ = 0;
    block_.clear();
  }
  position_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> ByteSource::ReadKept(char* out, std::size_t size) {
  if (in_block_ == block_.size()) {
    if (next_block_ == kept_->size()) return 0;
    ASSIGN_OR_RETURN(const crypto::SecretBytes block, kept_->Read(next_block_++));
    block_.assign(block.ExposeText().data(), block.size());
    in_block_ = 0;
  }
  const std::size_t got = std::min(size, block_.size() - in_block_);
  std::memcpy(out, block_.data() + in_block_, got);
  in_block_ += got;
  return got;
}

absl::Status ByteSource::HoldAll() {
  if (regular_ || holds_all_) return absl::OkStatus();
  while (!head_is_all_) {
    if (head_.size() > kMaxHeldBytes) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat(
                          name_, " is larger than ", kMaxHeldBytes >> 20,
                          " MiB, and a file of this kind cannot be read piece by piece")),
                      "Save it as a file and name that.");
    }
    const std::size_t old = head_.size();
    head_.resize(old + (1 << 20));
    ASSIGN_OR_RETURN(const std::size_t got, ReadDescriptor(head_.data() + old, 1 << 20));
    head_.resize(old + got);
    head_is_all_ = got == 0;
  }
  holds_all_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> ByteSource::Size() {
  RETURN_IF_ERROR(HoldAll());
  return regular_ ? bytes_total_ : head_.size();
}

absl::StatusOr<std::size_t> ByteSource::ReadAt(std::uint64_t offset, char* out, std::size_t size) {
  RETURN_IF_ERROR(HoldAll());
  if (!regular_) {
    if (offset >= head_.size()) return 0;
    const std::size_t got = std::min<std::size_t>(size, head_.size() - offset);
    std::memcpy(out, head_.data() + offset, got);
    return got;
  }
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd_, out + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return absl::InternalError(absl::StrCat("cannot read ", name_, ": ", std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

absl::Status About(absl::string_view name, const absl::Status& status) {
  if (!absl::IsInvalidArgument(status)) return status;
  return WithHint(absl::Status(status.code(), absl::StrCat(name, " ", status.message())),
                  HintOf(status));
}

}  // namespace sealbook::anonymizer
