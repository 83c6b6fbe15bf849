#include "anonymizer/vcard_source.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

absl::string_view WithoutVcardMark(absl::string_view text) {
  while (absl::ConsumePrefix(&text, "\xef\xbb\xbf")) {
  }
  while (!text.empty() && IsVcardSpace(text.front())) text.remove_prefix(1);
  return text;
}

std::size_t CutBytes(absl::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0xc2 && byte <= 0xf4) {
      const std::size_t width = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return back < width ? back : 0;
    }
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return 0;
}

VcardSource::VcardSource(Read read, Encoding form)
    : read_(std::move(read)), form_(form), decoder_(form) {}

absl::Status VcardSource::Fill() {
  buffer_.erase(0, position_);
  position_ = line_feed_ = 0;
  const bool decodes = form_ == Encoding::kUtf16Le || form_ == Encoding::kUtf16Be;
  std::string& into = decodes ? block_ : buffer_;
  const std::size_t old = decodes ? 0 : buffer_.size();
  into.resize(old + kPieceBytes);
  const auto got = read_(into.data() + old, kPieceBytes);
  into.resize(old + (got.ok() ? *got : 0));
  RETURN_IF_ERROR(got.status());
  at_end_ = *got == 0;
  if (decodes) decoder_.Decode(block_, at_end_, buffer_);
  return absl::OkStatus();
}

absl::StatusOr<bool> VcardSource::Next(Piece& piece) {
  for (;;) {
    const char* const begin = buffer_.data() + position_;
    const std::size_t size = buffer_.size() - position_;
    // Looked for once, and not again for each line of a file whose lines end with CR.
    if (line_feed_ < position_ || (line_feed_ == 0 && position_ == 0)) {
      const void* found = size > 0 ? std::memchr(begin, '\n', size) : nullptr;
      line_feed_ = found == nullptr
                       ? buffer_.size()
                       : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    }
    std::size_t length = line_feed_ - position_;
    const void* const carriage = length > 0 ? std::memchr(begin, '\r', length) : nullptr;
    if (carriage != nullptr)
      length = static_cast<std::size_t>(static_cast<const char*>(carriage) - begin);
    std::size_t end = 0;
    if (length < size)
      end = begin[length] == '\r' && length + 1 < size && begin[length + 1] == '\n' ? 2 : 1;
    // What follows a line end must be in sight, to tell whether the line goes on.
    const bool complete = end > 0 && (length + end < size || at_end_);
    if (!complete && !at_end_ && (end > 0 || size < kPieceBytes)) {
      RETURN_IF_ERROR(Fill());
      continue;
    }
    if (size == 0) {
      if (!in_line_) return false;
      piece = {.line = line_, .text = {}, .end = {}, .first = false, .last = true};
      in_line_ = false;
      return true;
    }
    piece.first = !in_line_;
    if (piece.first) ++line_;
    piece.line = line_;
    piece.text = absl::string_view(begin, length);
    piece.end = absl::string_view(begin + length, end);
    piece.last = end > 0 || at_end_;
    in_line_ = !piece.last;
    position_ += length + end;
    return true;
  }
}

absl::StatusOr<absl::string_view> VcardSource::PeekLine() {
  for (;;) {
    const absl::string_view rest = absl::string_view(buffer_).substr(position_, kPeekBytes);
    const std::size_t end = rest.find_first_of("\r\n");
    if (end != absl::string_view::npos) return rest.substr(0, end);
    if (at_end_ || rest.size() == kPeekBytes) return rest;
    RETURN_IF_ERROR(Fill());
  }
}

void VcardRaw::Add(const VcardSource::Piece& piece, bool is_picture) {
  if (!is_picture) plain_bytes_ += piece.text.size();
  if (overflown_ || plain_bytes_ > kMaxTextBytes || text_.size() > kMaxBytes) {
    overflown_ = true;
    text_.clear();
    text_.shrink_to_fit();
    cut_.clear();
    return;
  }
  absl::string_view text = piece.text;
  if (text_.empty() && cut_.empty()) text = WithoutVcardMark(text);
  std::string joined;
  if (!cut_.empty()) {
    // A character in the middle of which the line is folded is put together, and the fold left out.
    if (!piece.first || (!text.empty() && IsVcardSpace(text.front()))) {
      if (piece.first) text.remove_prefix(1);
      joined = cut_;
      joined.append(text.data(), text.size());
      text = joined;
      cut_.clear();
    } else {
      FlushCut();
    }
  }
  const bool nul = !text.empty() && std::memchr(text.data(), '\0', text.size()) != nullptr;
  if (!nul && IsUtf8(text)) {
    text_.append(text.data(), text.size()).append(piece.end.data(), piece.end.size());
    return;
  }
  const std::size_t cut = CutBytes(text);
  if (cut > 0 && !nul && IsUtf8(text.substr(0, text.size() - cut))) {
    text_.append(text.data(), text.size() - cut);
    cut_.assign(text.data() + text.size() - cut, cut);
    cut_end_.assign(piece.end.data(), piece.end.size());
    return;
  }
  if (fallback_ && !nul && piece.first && piece.last &&
      !absl::StrContains(absl::AsciiStrToLower(text), "charset=")) {
    if (const auto utf8 = ToUtf8(text, *fallback_)) {
      text_.append(*utf8).append(piece.end.data(), piece.end.size());
      return;
    }
  }
  Append(text, piece.end);
}

// Writes what is no text, and NUL, as its bytes.
void VcardRaw::Append(absl::string_view text, absl::string_view end) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t width = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (byte != 0 && width <= text.size() && IsUtf8(text.substr(0, width))) {
      text_.append(text.data(), width);
      text.remove_prefix(width);
      continue;
    }
    text_.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    text.remove_prefix(1);
  }
  text_.append(end.data(), end.size());
}

void VcardRaw::FlushCut() {
  Append(cut_, cut_end_);
  cut_.clear();
}

void VcardRaw::MarkLine() {
  if (!cut_.empty()) FlushCut();
  mark_ = text_.size();
}

std::string VcardRaw::Take() {
  if (!cut_.empty()) FlushCut();
  std::string taken = std::move(text_);
  text_.clear();
  mark_ = plain_bytes_ = 0;
  overflown_ = false;
  return taken;
}

std::string VcardRaw::TakeBeforeLine(absl::string_view lost) {
  if (!cut_.empty()) FlushCut();
  std::string last = overflown_ ? std::string(lost) : text_.substr(mark_);
  text_.resize(std::min(mark_, text_.size()));
  std::string taken = Take();
  plain_bytes_ = last.size();
  text_ = std::move(last);
  return taken;
}

}  // namespace sealbook::anonymizer
