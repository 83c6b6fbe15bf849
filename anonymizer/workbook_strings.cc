#include "anonymizer/workbook_strings.h"

#include <algorithm>
#include <cstring>

#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// A block: the end of each of its kBlockStrings strings (32 bits, as the machine has them; a block
// never leaves the process but sealed), then their text.
std::uint32_t EndOf(ByteView block, std::size_t index) {
  std::uint32_t end = 0;
  std::memcpy(&end, block.data() + index * sizeof(end), sizeof(end));
  return end;
}

}  // namespace

absl::Status WorkbookStrings::Add(absl::string_view text) {
  const ByteView bytes = crypto::AsBytes(text);
  text_.insert(text_.end(), bytes.begin(), bytes.end());
  ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  ++size_;
  return ends_.size() < kBlockStrings ? absl::OkStatus() : FinishBlock();
}

absl::Status WorkbookStrings::FinishBlock() {
  if (ends_.empty()) return absl::OkStatus();
  ends_.resize(kBlockStrings, ends_.back());
  crypto::Bytes block(kBlockStrings * sizeof(ends_[0]) + text_.size());
  std::memcpy(block.data(), ends_.data(), kBlockStrings * sizeof(ends_[0]));
  std::copy(text_.begin(), text_.end(),
            block.begin() + static_cast<std::ptrdiff_t>(kBlockStrings * sizeof(ends_[0])));
  ends_.clear();
  text_.clear();
  if (!spill_ && held_bytes_ + block.size() <= memory_bytes_) {
    held_bytes_ += block.size();
    held_.push_back(std::move(block));
    return absl::OkStatus();
  }
  if (!spill_) {
    ASSIGN_OR_RETURN(spill_, SpillFile::Create());
  }
  return spill_->Add(block);
}

absl::StatusOr<ByteView> WorkbookStrings::Block(std::size_t number) {
  if (number < held_.size()) return ByteView(held_[number]);
  number -= held_.size();
  if (last_ >= open_.size() || open_[last_].number != number) {
    const auto found = std::find_if(open_.begin(), open_.end(),
                                    [&](const Open& open) { return open.number == number; });
    last_ = static_cast<std::size_t>(found - open_.begin());
    if (found == open_.end()) {
      Open fresh{.number = number};
      ASSIGN_OR_RETURN(fresh.block, spill_->Read(number));
      open_bytes_ += fresh.block.size();
      while (open_bytes_ > kOpenBytes && !open_.empty()) {
        const auto oldest =
            std::min_element(open_.begin(), open_.end(),
                             [](const Open& a, const Open& b) { return a.used < b.used; });
        open_bytes_ -= oldest->block.size();
        *oldest = std::move(open_.back());
        open_.pop_back();
      }
      last_ = open_.size();
      open_.push_back(std::move(fresh));
    }
    open_[last_].used = ++uses_;
  }
  return open_[last_].block.ExposeBytes();
}

absl::StatusOr<absl::string_view> WorkbookStrings::Get(std::uint64_t number) {
  ASSIGN_OR_RETURN(const ByteView block, Block(static_cast<std::size_t>(number / kBlockStrings)));
  const std::size_t index = number % kBlockStrings;
  const std::size_t begin = index == 0 ? 0 : EndOf(block, index - 1);
  return crypto::AsText(block).substr(kBlockStrings * sizeof(std::uint32_t) + begin,
                                      EndOf(block, index) - begin);
}

}  // namespace sealbook::anonymizer
