#include "anonymizer/text_source.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

}  // namespace

absl::StatusOr<std::unique_ptr<TextSource>> TextSource::Open(ByteSource& bytes,
                                                             std::optional<Encoding> encoding) {
  std::unique_ptr<TextSource> source(new TextSource(bytes));
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
    ASSIGN_OR_RETURN(encoding_, DetectEncoding(head));
  }
  decoder_ = Decoder(encoding_);
  std::string skipped(mark ? mark->bytes : 0, '\0');
  if (mark) RETURN_IF_ERROR(bytes_.Read(skipped.data(), skipped.size()).status());
  RETURN_IF_ERROR(Fill());
  // Only whole lines of what was read are the sample, unless this is all there is.
  const std::size_t last_line = decoded_.find_last_of("\r\n");
  while (
      sample_.size() < kSampleLines &&
      (at_end_ || sample_.empty() || (last_line != std::string::npos && position_ <= last_line))) {
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
  decoded_.erase(0, position_);
  position_ = 0;
  std::string block(kBlockBytes, '\0');
  ASSIGN_OR_RETURN(const std::size_t got, bytes_.Read(block.data(), block.size()));
  at_end_ = got == 0 || bytes_.at_end();
  decoder_.Decode(absl::string_view(block).substr(0, got), at_end_, decoded_);
  return absl::OkStatus();
}

absl::StatusOr<bool> TextSource::ReadLine(TextLine& line) {
  line.fault.clear();
  line.text.clear();
  bool too_long = false;
  std::size_t scanned = 0;  // from position_
  for (;;) {
    const std::size_t end = decoded_.find_first_of("\r\n", position_ + scanned);
    const bool cr_at_edge =
        end != std::string::npos && decoded_[end] == '\r' && end + 1 == decoded_.size() && !at_end_;
    if (end != std::string::npos && !cr_at_edge) {
      line.text.assign(decoded_, position_, end - position_);
      const bool crlf =
          decoded_[end] == '\r' && end + 1 < decoded_.size() && decoded_[end + 1] == '\n';
      position_ = end + (crlf ? 2 : 1);
      break;
    }
    if (at_end_) {
      if (position_ == decoded_.size() && !too_long) return false;
      line.text.assign(decoded_, position_);
      position_ = decoded_.size();
      break;
    }
    if (decoded_.size() - position_ > kMaxLineBytes) {
      // What has been looked at is dropped, so that a file of one endless line needs no memory.
      too_long = true;
      position_ = decoded_.size() - (cr_at_edge ? 1 : 0);
    }
    scanned = decoded_.size() - position_ - (cr_at_edge ? 1 : 0);
    RETURN_IF_ERROR(Fill());
  }
  line.number = ++line_;
  if (too_long || line.text.size() > kMaxLineBytes) {
    line.fault = "is longer than 1 MiB";
  } else if (line.text.find('\0') != std::string::npos) {
    line.fault = "holds a NUL byte, so it is no text";
  } else if (!IsUtf8(line.text)) {
    line.fault = absl::StrCat("holds bytes that are no ", absl::AsciiStrToUpper(NameOf(encoding_)));
  }
  if (!line.fault.empty()) line.text.clear();
  return true;
}

absl::StatusOr<bool> TextSource::Next(TextLine& line) {
  if (sample_position_ < sample_.size()) {
    line = sample_[sample_position_++];
    return true;
  }
  return ReadLine(line);
}

}  // namespace sealbook::anonymizer
