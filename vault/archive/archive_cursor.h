// Reads a part of an archive's plaintext in order. Used by ArchiveReader alone.
#pragma once

#include "absl/status/statusor.h"
#include "vault/crypto/age_range_reader.h"
#include "vault/crypto/hash.h"

namespace sealbook::archive::internal {

// Memory: a read of AgeRangeReader, or as much as was ever taken at once.
class ArchiveCursor {
 public:
  // From `begin` to `end`; `hash` (null: none) gets what is taken.
  ArchiveCursor(crypto::AgeRangeReader& age, std::uint64_t begin, std::uint64_t end,
                crypto::LabeledHash* hash)
      : age_(age), at_(begin), end_(end), hash_(hash) {}

  // The next `size` bytes; the view is good until the next call. DataLoss: there are fewer.
  absl::StatusOr<ByteView> Take(std::size_t size);
  absl::Status Skip(std::uint64_t size);
  // Where the next byte stands.
  std::uint64_t offset() const { return at_ - buffered(); }

 private:
  std::size_t buffered() const { return filled_ - taken_; }

  crypto::AgeRangeReader& age_;
  std::uint64_t at_;  // behind what is buffered
  const std::uint64_t end_;
  crypto::LabeledHash* const hash_;
  crypto::Bytes buffer_;
  std::size_t taken_ = 0, filled_ = 0;
};

}  // namespace sealbook::archive::internal
