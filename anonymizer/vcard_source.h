// A file of vCards as the lines in which it is written, and what was read kept as it was.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {

// What folds a line, and may stand at its end.
inline bool IsVcardSpace(char c) { return c == ' ' || c == '\t'; }

// A file's physical lines. One that is longer than kPieceBytes comes in pieces.
class VcardSource {
 public:
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  using Read = std::function<absl::StatusOr<std::size_t>(char* out, std::size_t size)>;
  struct Piece {
    std::int64_t line = 0;
    absl::string_view text, end;  // valid until Next or PeekLine
    bool first = true, last = true;
  };

  // `form`: UTF-16 is made UTF-8; everything else stays as it is.
  VcardSource(Read read, Encoding form);

  absl::StatusOr<bool> Next(Piece& piece);
  bool BlankFollows() const {
    return position_ < buffer_.size() && IsVcardSpace(buffer_[position_]);
  }
  // The beginning of the next line, kPeekBytes of it at most.
  static constexpr std::size_t kPeekBytes = 1024;
  absl::StatusOr<absl::string_view> PeekLine();

 private:
  absl::Status Fill();

  Read read_;
  Encoding form_;
  Decoder decoder_;
  std::string buffer_, block_;
  std::size_t position_ = 0;
  std::size_t line_feed_ = 0;  // the next one, where it is at or behind position_
  std::int64_t line_ = 0;
  bool in_line_ = false, at_end_ = false;
};

// What was read, as text, for people who mend it. Bytes of no text stand there as "\\xB0".
class VcardRaw {
 public:
  // More than this is not kept at all: of a card with its pictures, and of one without them.
  static constexpr std::size_t kMaxBytes = 8 << 20, kMaxTextBytes = 1 << 20;

  void set_fallback(std::optional<Encoding> encoding) { fallback_ = encoding; }
  bool empty() const { return text_.empty() && !overflown_; }
  void Add(const VcardSource::Piece& piece, bool is_picture);
  void MarkLine();  // a property begins
  std::string Take();
  // The last property stays; `lost` stands for it where nothing was kept.
  std::string TakeBeforeLine(absl::string_view lost);

 private:
  void Append(absl::string_view text, absl::string_view end);
  void FlushCut();

  std::string text_;
  std::string cut_, cut_end_;  // the first half of a character, and the line end behind it
  std::size_t mark_ = 0, plain_bytes_ = 0;
  bool overflown_ = false;
  std::optional<Encoding> fallback_;
};

// Without the byte order mark that files which were put together keep, and blanks.
absl::string_view WithoutVcardMark(absl::string_view text);

// How many bytes at the end are the beginning of a UTF-8 sequence that was cut.
std::size_t CutBytes(absl::string_view text);

}  // namespace sealbook::anonymizer
