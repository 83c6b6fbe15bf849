// The strings that a workbook's cells share, found by their number. They come in blocks: the first
// ones are held in memory as they are, later ones in a sealed file (anonymizer/spill_file.h), of
// which a few are open at a time. Spreadsheets number strings by their first use, so that a sheet
// asks for them mostly in their order.
//
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/spill_file.h"

namespace sealbook::anonymizer {

class WorkbookStrings {
 public:
  static constexpr std::size_t kMemoryBytes = 64 << 20;
  static constexpr std::size_t kOpenBytes = 8 << 20;  // of opened blocks; one is always open

  explicit WorkbookStrings(std::size_t memory_bytes = kMemoryBytes) : memory_bytes_(memory_bytes) {}

  // Adds the next string. ResourceExhausted, Internal: the file could not be written.
  absl::Status Add(absl::string_view text);
  // After the last one.
  absl::Status Finish() { return FinishBlock(); }
  std::uint64_t size() const { return size_; }
  std::size_t spilled_blocks() const { return spill_ ? spill_->size() : 0; }

  // `number` is below size(); good until the next call. Internal, DataLoss: the file failed.
  absl::StatusOr<absl::string_view> Get(std::uint64_t number);

 private:
  static constexpr std::size_t kBlockStrings = 256;
  struct Open {
    std::size_t number = 0;
    std::uint64_t used = 0;
    crypto::SecretBytes block;
  };
  absl::Status FinishBlock();
  absl::StatusOr<ByteView> Block(std::size_t number);

  std::size_t memory_bytes_, held_bytes_ = 0;
  std::uint64_t size_ = 0;
  std::vector<std::uint32_t> ends_;  // of the strings of the block that is being filled
  crypto::Bytes text_;
  std::vector<crypto::Bytes> held_;   // the first blocks
  std::unique_ptr<SpillFile> spill_;  // those after them
  std::vector<Open> open_;
  std::size_t open_bytes_ = 0;
  std::uint64_t uses_ = 0;
  std::size_t last_ = 0;  // the block of open_ that was asked for last
};

}  // namespace sealbook::anonymizer
