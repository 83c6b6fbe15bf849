#include "vault/archive/archive_cursor.h"

#include <algorithm>

#include "vault/status.h"

namespace sealbook::archive::internal {

using crypto::AgeRangeReader;

absl::StatusOr<ByteView> ArchiveCursor::Take(std::size_t size) {
  if (size > end_ - offset()) return absl::DataLossError("an archive ends before it should");
  if (buffered() < size) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(taken_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= taken_;
    taken_ = 0;
    const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(
        std::max(size - filled_, AgeRangeReader::kMaxReadBytes), end_ - at_));
    if (buffer_.size() < filled_ + more) buffer_.resize(filled_ + more);
    RETURN_IF_ERROR(age_.Read(at_, std::span(buffer_).subspan(filled_, more)));
    at_ += more;
    filled_ += more;
  }
  const ByteView bytes = ByteView(buffer_).subspan(taken_, size);
  taken_ += size;
  if (hash_ != nullptr) hash_->Update(bytes);
  return bytes;
}

absl::Status ArchiveCursor::Skip(std::uint64_t size) {
  while (size > 0) {
    const auto step =
        static_cast<std::size_t>(std::min<std::uint64_t>(size, AgeRangeReader::kMaxReadBytes));
    RETURN_IF_ERROR(Take(step).status());
    size -= step;
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive::internal
