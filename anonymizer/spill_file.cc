#include "anonymizer/spill_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "vault/crypto/aead.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

absl::Status Failure(absl::string_view what, int error) {
  const std::string message =
      absl::StrCat("cannot ", what, " a temporary file: ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithHint(absl::ResourceExhaustedError(message),
                    "Make room, or name another folder in TMPDIR, and run the command again.");
  }
  return WithHint(absl::InternalError(message), "Name a folder that can be written in TMPDIR.");
}

crypto::Bytes PlaceOf(std::size_t number) {
  crypto::ByteWriter place;
  place.Raw(crypto::AsBytes("sealbook/spill/1")).U64(number);
  return place.Take();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpillFile>> SpillFile::Create() {
  const char* named = std::getenv("TMPDIR");
  const std::string folder = named != nullptr && *named != '\0' ? named : "/tmp";
  int fd = open(folder.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    // Not every file system makes files without a name.
    std::string path = absl::StrCat(folder, "/sealbook-XXXXXX");
    fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return Failure("make", errno);
    unlink(path.c_str());
  }
  return std::unique_ptr<SpillFile>(new SpillFile(fd));
}

SpillFile::~SpillFile() { close(fd_); }

absl::Status SpillFile::Add(ByteView block) {
  const std::uint64_t begin = ends_.empty() ? 0 : ends_.back();
  sealed_.clear();
  crypto::SealAppend(key_, PlaceOf(ends_.size()), block, sealed_);
  for (std::size_t done = 0; done < sealed_.size();) {
    const ssize_t wrote =
        pwrite(fd_, sealed_.data() + done, sealed_.size() - done, static_cast<off_t>(begin + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failure("write", errno);
    done += static_cast<std::size_t>(wrote);
  }
  ends_.push_back(begin + sealed_.size());
  return absl::OkStatus();
}

absl::StatusOr<crypto::SecretBytes> SpillFile::Read(std::size_t number) {
  const std::uint64_t begin = number == 0 ? 0 : ends_[number - 1];
  sealed_.resize(ends_[number] - begin);
  for (std::size_t done = 0; done < sealed_.size();) {
    const ssize_t got =
        pread(fd_, sealed_.data() + done, sealed_.size() - done, static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure("read", errno);
    if (got == 0) return absl::DataLossError("a temporary file lost its end");
    done += static_cast<std::size_t>(got);
  }
  auto block = crypto::Open(key_, PlaceOf(number), sealed_);
  if (!block.ok()) return absl::DataLossError("a temporary file was altered");
  return block;
}

}  // namespace sealbook::anonymizer
