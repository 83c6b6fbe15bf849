#include "vault/crypto/age_armor.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::crypto::internal {
namespace {

constexpr absl::string_view kBeginLine = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr absl::string_view kEndLine = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kLineCharacters = 64;

absl::Status BadArmor(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the armor of an age file ", what));
}

}  // namespace

void AgeArmorSink::AppendLine(ByteView bytes) {
  absl::Base64Escape(AsText(bytes), &line_);
  text_ += line_;
  text_ += '\n';
}

absl::Status AgeArmorSink::Append(ByteView bytes) {
  text_.clear();
  if (!started_) {
    absl::StrAppend(&text_, kBeginLine, "\n");
    started_ = true;
  }
  if (!rest_.empty()) {
    const std::size_t taken = std::min(kAgeLineBytes - rest_.size(), bytes.size());
    rest_.insert(rest_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (rest_.size() == kAgeLineBytes) {
      AppendLine(rest_);
      rest_.clear();
    }
  }
  for (; bytes.size() >= kAgeLineBytes; bytes = bytes.subspan(kAgeLineBytes)) {
    AppendLine(bytes.first(kAgeLineBytes));
  }
  rest_.insert(rest_.end(), bytes.begin(), bytes.end());
  return out_.Append(AsBytes(text_));
}

absl::Status AgeArmorSink::Finish() {
  text_.clear();
  if (!rest_.empty()) AppendLine(rest_);
  absl::StrAppend(&text_, kEndLine, "\n");
  return out_.Append(AsBytes(text_));
}

absl::StatusOr<std::size_t> AgeInput::ReadSource(std::span<std::uint8_t> out) {
  if (source_ended_ || out.empty()) return 0;
  ASSIGN_OR_RETURN(const std::size_t size, source_(out));
  if (size > out.size()) return absl::InternalError("a source gave more than it was asked for");
  source_ended_ = size == 0;
  return size;
}

absl::Status AgeInput::Fill(std::size_t wanted) {
  if (end_ - begin_ >= wanted) return absl::OkStatus();
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  while (end_ < wanted && !source_ended_) {
    ASSIGN_OR_RETURN(const std::size_t size, ReadSource(std::span(buffer_).subspan(end_)));
    end_ += size;
  }
  return absl::OkStatus();
}

absl::Status AgeInput::Start() {
  RETURN_IF_ERROR(Fill(kMaxBlanks + kLineCharacters));
  // A binary file begins with a letter. Blanks may stand before armor, in lines of their own.
  const absl::string_view text = AsText(Buffered());
  const std::size_t at = static_cast<std::size_t>(
      std::find_if_not(text.begin(), text.end(), absl::ascii_isspace) - text.begin());
  if (at == text.size() || text[at] != '-') return absl::OkStatus();
  if (at > kMaxBlanks) return BadArmor("stands behind too many blanks");
  armored_ = true;
  begin_ += at == 0 ? 0 : text.rfind('\n', at) == text.npos ? 0 : text.rfind('\n', at) + 1;
  ASSIGN_OR_RETURN(const absl::string_view first, Line());
  if (first != kBeginLine) return BadArmor("has a wrong first line");
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> AgeInput::Read(std::span<std::uint8_t> out) {
  RETURN_IF_ERROR(status_);
  absl::StatusOr<std::size_t> size = armored_ ? ReadArmor(out) : ReadBinary(out);
  if (!size.ok()) status_ = size.status();
  return size;
}

absl::StatusOr<std::size_t> AgeInput::ReadBinary(std::span<std::uint8_t> out) {
  std::size_t filled = std::min(out.size(), end_ - begin_);
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), filled, out.begin());
  begin_ += filled;
  while (filled < out.size() && !source_ended_) {
    ASSIGN_OR_RETURN(const std::size_t size, ReadSource(out.subspan(filled)));
    filled += size;
  }
  return filled;
}

absl::StatusOr<std::size_t> AgeInput::ReadArmor(std::span<std::uint8_t> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    if (decoded_begin_ == decoded_end_) {
      if (armor_ended_) break;
      RETURN_IF_ERROR(DecodeLine());
      continue;
    }
    const std::size_t taken = std::min(out.size() - filled, decoded_end_ - decoded_begin_);
    std::copy_n(decoded_.begin() + decoded_begin_, taken, out.begin() + filled);
    decoded_begin_ += taken;
    filled += taken;
  }
  return filled;
}

absl::StatusOr<absl::string_view> AgeInput::Line() {
  // The longest line has 64 characters, CR and LF.
  RETURN_IF_ERROR(Fill(kLineCharacters + 2));
  absl::string_view text = AsText(Buffered()).substr(0, kLineCharacters + 2);
  if (text.empty()) return BadArmor("is cut short");
  const auto* newline = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
  if (newline != nullptr) {
    text = text.substr(0, static_cast<std::size_t>(newline - text.data()));
    begin_ += text.size() + 1;
  } else {
    begin_ += text.size();  // the last line of the file needs no end
  }
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.size() > kLineCharacters) return BadArmor("has a line that is too long");
  return text;
}

absl::Status AgeInput::DecodeLine() {
  ASSIGN_OR_RETURN(const absl::string_view line, Line());
  if (line == kEndLine) return CheckEnd();
  if (line.empty()) return BadArmor("has an empty line");
  decoded_begin_ = decoded_end_ = 0;
  const std::optional<std::size_t> size = DecodeBase64(line, /*padded=*/true, decoded_);
  if (!size.has_value()) return BadArmor("has a line that is not base64");
  if (*size < kAgeLineBytes) {  // only the last line is short
    ASSIGN_OR_RETURN(const absl::string_view last, Line());
    if (last != kEndLine) return BadArmor("has a short line inside");
    RETURN_IF_ERROR(CheckEnd());
  }
  decoded_end_ = *size;
  return absl::OkStatus();
}

absl::Status AgeInput::CheckEnd() {
  armor_ended_ = true;
  RETURN_IF_ERROR(Fill(kMaxBlanks + 1));
  const absl::string_view text = AsText(Buffered());
  if (text.size() > kMaxBlanks || !std::all_of(text.begin(), text.end(), absl::ascii_isspace)) {
    return BadArmor("is followed by something else");
  }
  return absl::OkStatus();
}

}  // namespace sealbook::crypto::internal
