#include "vault/archive/archive_digest.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_format.h"
#include "vault/crypto/age_range_reader.h"
#include "vault/status.h"

namespace sealbook::archive {

using crypto::AgeRangeReader;

crypto::Hash256 BlockHash(std::uint64_t number, ByteView bytes) {
  return crypto::HashOf("sealbook/archive-block/1",
                        {crypto::ByteWriter().U64(number).bytes(), bytes});
}

crypto::Hash256 ArchiveDigest::Hash() const {
  crypto::LabeledHash hash("sealbook/archive-hash/1");
  hash.Update(crypto::ByteWriter().U64(size).U32(header_bytes).bytes());
  for (const crypto::Hash256& block : blocks) hash.Update(block);
  return hash.Finish();
}

absl::Status DigestSink::Append(ByteView bytes) {
  if (bytes.size() > kMaxArchiveBytes - digest_.size) {
    return absl::ResourceExhaustedError("an archive would become larger than one may be");
  }
  RETURN_IF_ERROR(out_.Append(bytes));
  digest_.size += bytes.size();
  sha256_.Update(bytes);
  while (!bytes.empty()) {
    if (!in_header_ && block_.empty() && bytes.size() >= AgeRangeReader::kBlockBytes) {
      digest_.blocks.push_back(
          BlockHash(digest_.blocks.size(), bytes.first(AgeRangeReader::kBlockBytes)));
      bytes = bytes.subspan(AgeRangeReader::kBlockBytes);
      continue;
    }
    const std::size_t taken =
        in_header_ ? bytes.size()
                   : std::min(bytes.size(), AgeRangeReader::kBlockBytes - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (!in_header_ && block_.size() == AgeRangeReader::kBlockBytes) EndBlock();
  }
  return absl::OkStatus();
}

void DigestSink::EndBlock() {
  digest_.blocks.push_back(BlockHash(digest_.blocks.size(), block_));
  block_.clear();
}

void DigestSink::EndHeader() {
  if (!in_header_) std::abort();
  in_header_ = false;
  digest_.header_bytes = static_cast<std::uint32_t>(digest_.size);
  EndBlock();
}

ArchiveDigest DigestSink::Finish() {
  if (!block_.empty()) EndBlock();
  digest_.sha256 = sha256_.Finish();
  return std::move(digest_);
}

absl::Status ArchiveChecker::EndBlock() {
  if (number_ >= expected_.blocks.size() ||
      BlockHash(number_, block_) != expected_.blocks[static_cast<std::size_t>(number_)]) {
    return absl::DataLossError(absl::StrCat("an archive differs from what was written, in the ",
                                            block_.size(), " bytes from ", checked_));
  }
  checked_ += block_.size();
  ++number_;
  block_.clear();
  return absl::OkStatus();
}

absl::Status ArchiveChecker::Append(ByteView bytes) {
  RETURN_IF_ERROR(status_);
  while (!bytes.empty()) {
    const std::size_t size = number_ == 0 ? expected_.header_bytes : AgeRangeReader::kBlockBytes;
    const std::size_t taken = std::min(bytes.size(), size - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (block_.size() < size) break;
    status_ = EndBlock();
    RETURN_IF_ERROR(status_);
  }
  return absl::OkStatus();
}

absl::Status ArchiveChecker::Finish() {
  RETURN_IF_ERROR(status_);
  if (!block_.empty()) RETURN_IF_ERROR(status_ = EndBlock());
  if (checked_ != expected_.size || number_ != expected_.blocks.size()) {
    return status_ = absl::DataLossError(absl::StrCat("an archive has ", checked_, " bytes of ",
                                                      expected_.size, " that were written"));
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive
