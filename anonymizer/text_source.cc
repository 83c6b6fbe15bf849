#include "anonymizer/text_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

bool IsUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < size;) {
    if (bytes[i] < 0x80) {
      ++i;
      continue;
    }
    UChar32 character;
    U8_NEXT(bytes, i, size, character);
    if (character < 0) return false;
  }
  return true;
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// UTF-16 of mostly Latin letters has its zeros on one side; without a mark, that tells it.
std::optional<Encoding> GuessUtf16(absl::string_view bytes) {
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
  const std::size_t pairs = bytes.size() / 2;
  if (pairs < 4) return std::nullopt;
  // The other side has some too: U+AC00 and U+4E00 are common letters.
  if (zeros[1] * 5 > pairs && zeros[0] * 4 < zeros[1]) return Encoding::kUtf16Le;
  if (zeros[0] * 5 > pairs && zeros[1] * 4 < zeros[0]) return Encoding::kUtf16Be;
  return std::nullopt;
}

}  // namespace

absl::string_view NameOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "utf-8";
    case Encoding::kUtf16Le:
      return "utf-16le";
    case Encoding::kUtf16Be:
      return "utf-16be";
  }
  return "";
}

absl::StatusOr<Encoding> ParseEncoding(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (lower == "utf-8" || lower == "utf8") return Encoding::kUtf8;
  if (lower == "utf-16" || lower == "utf-16le" || lower == "utf16" || lower == "utf16le")
    return Encoding::kUtf16Le;
  if (lower == "utf-16be" || lower == "utf16be") return Encoding::kUtf16Be;
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the encoding '", name, "' is not read")),
                  "Use utf-8, utf-16le or utf-16be, or save the list as \"CSV UTF-8\".");
}

absl::StatusOr<std::unique_ptr<TextSource>> TextSource::Open(const std::string& path,
                                                             std::optional<Encoding> encoding) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const std::string reason = std::strerror(errno);
    if (errno == ENOENT) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat("there is no file ", path)),
                      "Check the name.");
    }
    return WithHint(absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", reason)),
                    "Check its permissions.");
  }
  std::unique_ptr<TextSource> source(new TextSource(fd, path));
  RETURN_IF_ERROR(source->Start(encoding));
  return source;
}

TextSource::~TextSource() { close(fd_); }

absl::Status TextSource::Start(std::optional<Encoding> encoding) {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return absl::InternalError(absl::StrCat("cannot read ", path_));
  if (S_ISDIR(info.st_mode)) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(path_, " is a folder, not a file")),
                    "Name a file.");
  }
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(path_, " is a device, not a file")),
                    "Name a file.");
  }
  // Opened without waiting, so that a pipe with no writer does not hang before it is looked at.
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
  if (S_ISREG(info.st_mode)) bytes_total_ = static_cast<std::uint64_t>(info.st_size);

  std::string head(kSampleBytes, '\0');
  std::size_t size = 0;
  while (size < head.size()) {
    const ssize_t got = read(fd_, head.data() + size, head.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return absl::InternalError(absl::StrCat("cannot read ", path_, ": ", std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  head.resize(size);
  at_end_ = size < kSampleBytes;
  bytes_read_ = size;
  absl::string_view rest = head;
  if (rest.empty()) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(path_, " is empty")),
                    "Check that it was saved whole.");
  }
  if (absl::StartsWith(rest, "PK\x03\x04")) {
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(path_, " is a workbook or a zip file, not text")),
        "Save the sheet as \"CSV UTF-8\" and import that.");
  }
  if (absl::StartsWith(rest, absl::string_view("\xff\xfe\0\0", 4)) ||
      absl::StartsWith(rest, absl::string_view("\0\0\xfe\xff", 4))) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(path_, " is UTF-32 text")),
                    "Save it as UTF-8.");
  }
  std::optional<Encoding> marked;
  if (absl::ConsumePrefix(&rest, "\xef\xbb\xbf")) {
    marked = Encoding::kUtf8;
  } else if (absl::ConsumePrefix(&rest, "\xff\xfe")) {
    marked = Encoding::kUtf16Le;
  } else if (absl::ConsumePrefix(&rest, "\xfe\xff")) {
    marked = Encoding::kUtf16Be;
  }
  if (marked && encoding && *marked != *encoding) {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat(path_, " begins with the mark of ", NameOf(*marked))),
                    "Leave --encoding out.");
  }
  if (!marked && !encoding) marked = GuessUtf16(rest);
  encoding_ = encoding ? *encoding : marked.value_or(Encoding::kUtf8);
  Decode(rest);
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
      absl::InvalidArgumentError(absl::StrCat(path_, " line ", first->number, " ", first->fault)),
      "Save the list as \"CSV UTF-8\", or name its encoding with --encoding.");
}

void TextSource::Decode(absl::string_view bytes) {
  if (encoding_ == Encoding::kUtf8) {
    decoded_.append(bytes.data(), bytes.size());
    return;
  }
  undecoded_.append(bytes.data(), bytes.size());
  const auto* in = reinterpret_cast<const std::uint8_t*>(undecoded_.data());
  const auto unit = [&](std::size_t at) {
    return static_cast<UChar>(encoding_ == Encoding::kUtf16Le ? in[at] | in[at + 1] << 8
                                                              : in[at] << 8 | in[at + 1]);
  };
  std::size_t at = 0;
  while (at + 2 <= undecoded_.size()) {
    UChar32 character = unit(at);
    std::size_t width = 2;
    if (U16_IS_LEAD(character)) {
      if (at + 4 > undecoded_.size()) {
        if (!at_end_) break;  // its other half comes with the next block
      } else if (const UChar trail = unit(at + 2); U16_IS_TRAIL(trail)) {
        character = U16_GET_SUPPLEMENTARY(character, trail);
        width = 4;
      }
    }
    if (U16_IS_SURROGATE(character) && width == 2) {
      decoded_.push_back('\xff');  // no UTF-8: the line gets its fault
    } else {
      std::uint8_t out[4];
      std::int32_t length = 0;
      U8_APPEND_UNSAFE(out, length, character);
      decoded_.append(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
    }
    at += width;
  }
  undecoded_.erase(0, at);
  if (at_end_ && !undecoded_.empty()) {
    decoded_.push_back('\xff');
    undecoded_.clear();
  }
}

absl::Status TextSource::Fill() {
  decoded_.erase(0, position_);
  position_ = 0;
  std::string block(kBlockBytes, '\0');
  ssize_t got;
  do {
    got = read(fd_, block.data(), block.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return absl::InternalError(absl::StrCat("cannot read ", path_, ": ", std::strerror(errno)));
  at_end_ = got == 0;
  bytes_read_ += static_cast<std::uint64_t>(got);
  Decode(absl::string_view(block).substr(0, static_cast<std::size_t>(got)));
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
