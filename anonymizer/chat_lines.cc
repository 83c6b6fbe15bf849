#include "anonymizer/chat_lines.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr absl::string_view kTooLong = "holds a line longer than 1 MiB";

// Every second byte of what is mostly ASCII is zero.
std::optional<Encoding> FindUtf16(absl::string_view head) {
  if (const auto mark = FindByteOrderMark(head)) {
    if (mark->encoding == Encoding::kUtf16Le || mark->encoding == Encoding::kUtf16Be)
      return mark->encoding;
    return std::nullopt;
  }
  head = head.substr(0, 64);
  std::size_t zeros[2] = {0, 0};
  for (std::size_t at = 0; at < head.size(); ++at) zeros[at % 2] += head[at] == '\0' ? 1 : 0;
  if (head.size() < 8 || (zeros[0] == 0) == (zeros[1] == 0)) return std::nullopt;
  if (zeros[0] + zeros[1] < head.size() / 8) return std::nullopt;
  return zeros[1] > 0 ? Encoding::kUtf16Le : Encoding::kUtf16Be;
}

// Bytes at the end that begin a character which ends elsewhere.
std::size_t CutBytes(absl::string_view text) {
  for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - size]);
    if (U8_IS_TRAIL(byte)) continue;
    const std::size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
    return needed > size && byte < 0xf5 ? size : 0;
  }
  return 0;
}

}  // namespace

void ChatLines::Append(absl::string_view bytes) {
  if (utf16_) {
    utf16_->Decode(bytes, at_end_, block_);
  } else {
    block_.append(bytes.data(), bytes.size());
  }
}

absl::Status ChatLines::Fill() {
  block_.erase(0, position_);
  position_ = 0;
  next_feed_ = 0;
  raw_.resize(kBlockBytes);
  std::size_t size = 0;
  // A first block that is too short to see what it is asks for another.
  do {
    ASSIGN_OR_RETURN(const std::size_t got, read_(raw_.data() + size, raw_.size() - size));
    at_end_ = got == 0;
    size += got;
  } while (!begun_ && !at_end_ && size < 64);
  absl::string_view bytes = absl::string_view(raw_).substr(0, size);
  if (!begun_) {
    begun_ = true;
    if (const auto encoding = FindUtf16(bytes)) utf16_.emplace(*encoding);
    if (const auto mark = FindByteOrderMark(bytes)) bytes.remove_prefix(mark->bytes);
  }
  Append(bytes);
  return absl::OkStatus();
}

// Where the line ends that begins at position_; npos: not in this block.
std::size_t ChatLines::FindEnd() {
  if (next_feed_ != std::string::npos && (next_feed_ < position_ || next_feed_ == 0))
    next_feed_ = block_.find('\n', position_);
  const std::size_t end = std::min(next_feed_, block_.size());
  const void* found = std::memchr(block_.data() + position_, '\r', end - position_);
  if (found == nullptr) return next_feed_;
  const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - block_.data());
  // What follows it may be its LF.
  if (at + 1 == block_.size() && !at_end_) return std::string::npos;
  return at;
}

void ChatLines::Check(ChatLine& line, bool last) const {
  if (line.text.size() > kMaxLineBytes) {
    line.text = line.text.substr(0, kHeadBytes);
    line.fault = kTooLong;
  } else if (std::memchr(line.text.data(), '\0', line.text.size()) != nullptr) {
    line.fault = "holds a NUL byte, so it is no text";
  } else if (!IsUtf8(line.text)) {
    const std::size_t cut = last && !utf16_ ? CutBytes(line.text) : 0;
    if (cut > 0 && IsUtf8(line.text.substr(0, line.text.size() - cut))) {
      line.text.remove_suffix(cut);
      line.cut = true;
    } else if (last && utf16_ && absl::EndsWith(line.text, "\xff") &&
               IsUtf8(line.text.substr(0, line.text.size() - 1))) {
      line.text.remove_suffix(1);
      line.cut = true;
    } else {
      line.fault = utf16_ ? "holds bytes that are no UTF-16" : "holds bytes that are no UTF-8";
    }
  }
}

absl::StatusOr<bool> ChatLines::Next(ChatLine& line) {
  line = {};
  bool too_long = false;
  std::size_t end = std::string::npos;
  for (;;) {
    end = position_ < block_.size() ? FindEnd() : std::string::npos;
    if (end != std::string::npos || at_end_) break;
    // What is too long already is dropped, so that a file of one endless line needs no memory.
    if (block_.size() - position_ > kMaxLineBytes) {
      if (!too_long) head_ = block_.substr(position_, kHeadBytes);
      too_long = true;
      position_ = block_.size() - 1;
    }
    RETURN_IF_ERROR(Fill());
  }
  const bool last = end == std::string::npos;
  if (last && position_ == block_.size() && !too_long) return false;
  line.number = ++line_;
  line.text = absl::string_view(block_).substr(position_, last ? end : end - position_);
  if (last) {
    position_ = block_.size();
  } else {
    const bool crlf = block_[end] == '\r' && end + 1 < block_.size() && block_[end + 1] == '\n';
    position_ = end + (crlf ? 2 : 1);
  }
  if (too_long) {
    line.text = head_;
    line.fault = kTooLong;
  } else {
    Check(line, last);
  }
  return true;
}

}  // namespace sealbook::anonymizer
