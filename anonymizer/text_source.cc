#include "anonymizer/text_source.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr absl::string_view kTooLong = "is longer than 1 MiB";
constexpr std::size_t kBlockBytes = 256 * 1024;
// With so many lines of other letters the first bytes of a file say enough of its encoding.
constexpr std::size_t kEnoughForeignLines = 16;

// Appends the lines of `text` that hold more than ASCII, as far as they fit; counts them.
std::size_t AppendForeignLines(absl::string_view text, std::size_t most, std::string& out) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    const absl::string_view line = text.substr(0, end);
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
    if (IsAscii(line)) continue;
    ++count;
    if (out.size() + line.size() < most) absl::StrAppend(&out, line, "\n");
  }
  return count;
}

// What the encoding is judged by: the head, and where that holds hardly a letter but ASCII, lines
// from further on. A pipe cannot be looked at further on.
absl::StatusOr<std::string> SampleOf(ByteSource& bytes) {
  std::string sample(bytes.head());
  if (bytes.head_is_all() || !bytes.is_regular_file()) return sample;
  // Zeros say by themselves what it is.
  if (absl::StrContains(bytes.head(), absl::string_view("\0", 1))) return sample;
  std::string foreign;
  if (AppendForeignLines(bytes.head(), 0, foreign) >= kEnoughForeignLines) return sample;
  const std::size_t last_end = sample.find_last_of("\r\n");
  if (last_end == std::string::npos) return sample;
  sample.resize(last_end + 1);
  std::uint64_t offset = sample.size();
  std::string block(kBlockBytes, '\0');
  for (std::string rest; foreign.size() < TextSource::kSampleBytes / 2;) {
    ASSIGN_OR_RETURN(const std::size_t got, bytes.ReadAt(offset, block.data(), block.size()));
    if (got == 0) {
      AppendForeignLines(rest, TextSource::kSampleBytes, foreign);
      break;
    }
    offset += got;
    absl::string_view read = absl::string_view(block).substr(0, got);
    const std::size_t end = read.find_last_of("\r\n");
    if (end == absl::string_view::npos) {
      if (rest.size() <= kBlockBytes) absl::StrAppend(&rest, read);
      continue;
    }
    if (IsAscii(read.substr(0, end)) && IsAscii(rest)) {
      rest = std::string(read.substr(end + 1));
      continue;
    }
    absl::StrAppend(&rest, read.substr(0, end));
    AppendForeignLines(rest, TextSource::kSampleBytes, foreign);
    rest = std::string(read.substr(end + 1));
  }
  return absl::StrCat(sample, foreign);
}

// True where a line says by itself that it is UTF-8, so that this is more than a guess.
bool HoldsUtf8(absl::string_view sample) {
  for (const absl::string_view line : absl::StrSplit(sample, absl::ByAnyChar("\r\n"))) {
    if (!IsAscii(line) && IsUtf8(line)) return true;
  }
  return false;
}

bool IsLegacy(Encoding encoding) {
  return encoding != Encoding::kUtf8 && encoding != Encoding::kUtf16Le &&
         encoding != Encoding::kUtf16Be;
}

// True for lines of UTF-8 that were pasted among lines of another encoding, as which they may be
// valid too. Two letters of three bytes are hardly ever anything else.
bool IsPastedUtf8(absl::string_view line) {
  std::size_t letters = 0;
  bool long_ones = false;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    letters += byte >= 0xc0 ? 1 : 0;
    long_ones = long_ones || byte >= 0xe0;
  }
  return letters >= 2 && long_ones && IsUtf8(line);
}

// Whether the bytes end with the beginning of a character.
bool EndsInCharacter(absl::string_view bytes, Encoding encoding) {
  if (bytes.empty()) return false;
  const auto byte_at = [&](std::size_t from_end) {
    return static_cast<unsigned char>(bytes[bytes.size() - from_end]);
  };
  if (encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be) {
    if (bytes.size() % 2 == 1) return true;
    const unsigned char high = byte_at(encoding == Encoding::kUtf16Le ? 1 : 2);
    return high >= 0xd8 && high < 0xdc;
  }
  if (encoding != Encoding::kUtf8) return byte_at(1) >= 0x81 && byte_at(1) < 0xff;
  for (std::size_t size = 1; size <= 3 && size <= bytes.size(); ++size) {
    const unsigned char byte = byte_at(size);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
    return needed > size && byte < 0xf5;
  }
  return false;
}

// Letters before the first byte 0xff, and one.
std::size_t ColumnOfBad(absl::string_view text) {
  std::size_t column = 1;
  for (const char c : text) {
    if (c == '\xff') break;
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++column;
  }
  return column;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TextSource>> TextSource::Open(ByteSource& bytes,
                                                             std::optional<Encoding> encoding,
                                                             bool may_be_cut) {
  std::unique_ptr<TextSource> source(new TextSource(bytes));
  source->may_be_cut_ = may_be_cut;
  RETURN_IF_ERROR(source->Start(encoding));
  return source;
}

absl::Status TextSource::Start(std::optional<Encoding> encoding) {
  const absl::string_view head = bytes_.head();
  if (absl::StartsWith(head, absl::string_view("\xff\xfe\0\0", 4)) ||
      absl::StartsWith(head, absl::string_view("\0\0\xfe\xff", 4))) {
    return WithHint(absl::InvalidArgumentError("is UTF-32 text"), "Save it as UTF-8.");
  }
  const std::optional<ByteOrderMark> mark = FindByteOrderMark(head);
  told_ = mark || encoding;
  if (mark && encoding && mark->encoding != *encoding) {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat("begins with the mark of ", NameOf(mark->encoding))),
                    "Leave --encoding out.");
  }
  if (mark) {
    encoding_ = mark->encoding;
  } else if (encoding) {
    encoding_ = *encoding;
  } else {
    ASSIGN_OR_RETURN(const std::string sample, SampleOf(bytes_));
    ASSIGN_OR_RETURN(encoding_, DetectEncoding(sample));
    guessed_ = encoding_ == Encoding::kUtf8 && !HoldsUtf8(sample);
  }
  decoder_ = Decoder(encoding_);
  width_ = encoding_ == Encoding::kUtf16Le || encoding_ == Encoding::kUtf16Be ? 2 : 1;
  std::string skipped(mark ? mark->bytes : 0, '\0');
  if (mark) RETURN_IF_ERROR(bytes_.Read(skipped.data(), skipped.size()).status());
  RETURN_IF_ERROR(Fill());
  // Only whole lines of what was read are the sample, unless this is all there is.
  while (sample_.size() < kSampleLines &&
         (at_end_ || sample_.empty() || FindEnd(position_) != std::string::npos)) {
    TextLine line;
    ASSIGN_OR_RETURN(const bool more, ReadLine(line));
    if (!more) break;
    sample_.push_back(std::move(line));
  }
  return CheckSample();
}

// A file of another encoding or of no text is refused as a whole, with its first bad line.
absl::Status TextSource::CheckSample() const {
  std::size_t foreign = 0, faulty = 0;
  const TextLine* first = nullptr;
  for (const TextLine& line : sample_) {
    if (line.fault.empty()) {
      if (!IsAscii(line.text)) ++foreign;
      continue;
    }
    ++faulty;
    if (first == nullptr) first = &line;
  }
  if (first == nullptr || (faulty <= foreign && sample_.front().fault.empty()))
    return absl::OkStatus();
  if (faulty < 3 && sample_.front().fault.empty() && sample_.size() > 2 * faulty)
    return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat("line ", first->number, " ", first->fault)),
      "Save the list as \"CSV UTF-8\", or name its encoding with --encoding.");
}

absl::Status TextSource::Fill() {
  block_.erase(0, position_);
  position_ = next_feed_ = next_return_ = 0;
  const std::size_t kept = block_.size();
  block_.resize(kept + kBlockBytes);
  ASSIGN_OR_RETURN(const std::size_t got, bytes_.Read(block_.data() + kept, kBlockBytes));
  block_.resize(kept + got);
  at_end_ = got == 0 || bytes_.at_end();
  return absl::OkStatus();
}

// Where the line ends that goes on at `from`; npos: not in this block. No character of any encoding
// here has a CR or LF for a part, but those of UTF-16.
std::size_t TextSource::FindEnd(std::size_t from) {
  if (width_ == 2) {
    const std::size_t zero = encoding_ == Encoding::kUtf16Le ? 1 : 0;
    for (std::size_t at = from; at + 2 <= block_.size(); at += 2) {
      const char c = block_[at + 1 - zero];
      if ((c == '\n' || c == '\r') && block_[at + zero] == '\0') return at;
    }
    return std::string::npos;
  }
  // Both places are kept: a file of one kind of ends must not be searched for the other again and
  // again.
  const auto find = [&](char c, std::size_t& next) {
    if (next != std::string::npos && (next < from || next == 0)) next = block_.find(c, from);
  };
  find('\n', next_feed_);
  find('\r', next_return_);
  return std::min(next_feed_, next_return_);
}

absl::StatusOr<bool> TextSource::ReadLine(TextLine& line) {
  line.fault.clear();
  line.text.clear();
  line.raw.clear();
  line.cut = false;
  bool last = false;
  const std::size_t letter = width_ == 2 && encoding_ == Encoding::kUtf16Be ? 1 : 0;
  bool too_long = false;
  std::size_t scanned = 0;  // from position_
  absl::string_view bytes;
  for (;;) {
    const std::size_t end = FindEnd(position_ + scanned);
    const bool is_return = end != std::string::npos && block_[end + letter] == '\r';
    const bool at_edge = is_return && end + 2 * width_ > block_.size() && !at_end_;
    if (end != std::string::npos && !at_edge) {
      bytes = absl::string_view(block_).substr(position_, end - position_);
      const std::size_t next = end + width_;
      const bool crlf = is_return && next + width_ <= block_.size() &&
                        block_[next + letter] == '\n' &&
                        (width_ == 1 || block_[next + 1 - letter] == '\0');
      position_ = next + (crlf ? width_ : 0);
      break;
    }
    if (at_end_) {
      if (position_ == block_.size() && !too_long) return false;
      bytes = absl::string_view(block_).substr(position_);
      position_ = block_.size();
      last = true;
      break;
    }
    const std::size_t looked_at =
        at_edge ? end - position_ : (block_.size() - position_) / width_ * width_;
    if (looked_at > kMaxLineBytes * width_) {
      // What has been looked at is dropped, so that a file of one endless line needs no memory.
      too_long = true;
      position_ += looked_at;
      scanned = 0;
    } else {
      scanned = looked_at;
    }
    RETURN_IF_ERROR(Fill());
  }
  line.number = ++line_;
  if (too_long || bytes.size() > kMaxLineBytes * width_) {
    line.fault = std::string(kTooLong);
  } else {
    DecodeLine(bytes, last, line);
  }
  return true;
}

void TextSource::DecodeLine(absl::string_view bytes, bool last, TextLine& line) {
  const bool good_utf8 = encoding_ == Encoding::kUtf8 && IsUtf8(bytes);
  if (good_utf8) {
    line.text.assign(bytes.data(), bytes.size());
  } else {
    decoder_.Decode(bytes, true, line.text);
  }
  if (last && may_be_cut_ && !good_utf8 && EndsInCharacter(bytes, encoding_)) {
    std::size_t size = line.text.size();
    while (size > 0 && line.text[size - 1] == '\xff') --size;
    line.cut = size < line.text.size();
    line.text.resize(size);
  }
  if (line.text.size() > kMaxLineBytes) {
    line.fault = std::string(kTooLong);
  } else if (absl::StrContains(line.text, absl::string_view("\0", 1))) {
    line.fault = "holds a NUL byte, so it is no text";
  } else if (IsLegacy(encoding_) && line.text.size() != bytes.size() && IsPastedUtf8(bytes)) {
    line.fault = absl::StrCat("looks like UTF-8 in a file of ", TitleOf(encoding_));
    line.raw.assign(bytes.data(), bytes.size());
  } else if (!good_utf8 && absl::StrContains(line.text, absl::string_view("\xff", 1))) {
    if (encoding_ == Encoding::kGbk && !told_ && ToUtf8(bytes, Encoding::kGb18030)) {
      line.fault = "holds a letter of GB18030 that GBK has not: give --encoding gb18030";
    } else {
      line.fault = absl::StrCat("holds bytes that are no ", TitleOf(encoding_),
                                ", the first at column ", ColumnOfBad(line.text), " of the line");
      if (guessed_) absl::StrAppend(&line.fault, ": name the encoding with --encoding");
    }
  }
  if (line.fault.empty()) return;
  if (line.raw.empty() && line.fault != kTooLong) line.raw = ToEscapedUtf8(bytes, encoding_);
  line.text.clear();
}

absl::StatusOr<bool> TextSource::Next(TextLine& line) {
  if (sample_position_ < sample_.size()) {
    line = sample_[sample_position_++];
    return true;
  }
  return ReadLine(line);
}

}  // namespace sealbook::anonymizer
