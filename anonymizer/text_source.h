// A text file as lines of UTF-8, streamed: any encoding of anonymizer/encodings.h, line ends LF,
// CRLF and CR. A line that is not text of its encoding, holds a NUL or is too long is handed over
// with its fault, so that one bad line costs one row and not the file.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/byte_source.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {

struct TextLine {
  std::int64_t number = 0;  // from 1
  std::string text;         // UTF-8, without its end; empty where there is a fault
  std::string fault;        // a clause: "is longer than 1 MiB"
  // The file ends in the middle of a character, of which `text` has nothing; only where that is
  // allowed for. Otherwise it is a fault.
  bool cut = false;
  // Of a faulty line: what stands there, bytes that are no text as "\\xB0". Empty where the line is
  // too long.
  std::string raw;
};

// Belongs to one thread at a time.
class TextSource {
 public:
  static constexpr std::size_t kMaxLineBytes = 1 << 20;
  static constexpr std::size_t kSampleBytes = 64 * 1024;
  static constexpr std::size_t kSampleLines = 256;

  // Finds the encoding where none is named. `bytes` outlives the source.
  // `may_be_cut`: where the last line ends in the middle of a character, it is good up to there.
  // InvalidArgument: not a text file, or one of another encoding; the hint says what to do.
  static absl::StatusOr<std::unique_ptr<TextSource>> Open(ByteSource& bytes,
                                                          std::optional<Encoding> encoding,
                                                          bool may_be_cut = false);

  Encoding encoding() const { return encoding_; }
  // The first lines, which Next gives all the same: to see what kind of file this is.
  const std::deque<TextLine>& sample() const { return sample_; }
  // False at the end. Internal: the disk failed. Cancelled: interrupted.
  absl::StatusOr<bool> Next(TextLine& line);
  std::uint64_t bytes_read() const { return bytes_.bytes_read(); }

 private:
  explicit TextSource(ByteSource& bytes) : bytes_(bytes), decoder_(Encoding::kUtf8) {}
  absl::Status Start(std::optional<Encoding> encoding);
  absl::Status CheckSample() const;
  absl::Status Fill();  // reads a block
  std::size_t FindEnd(std::size_t from);
  absl::StatusOr<bool> ReadLine(TextLine& line);
  void DecodeLine(absl::string_view bytes, bool last, TextLine& line);

  ByteSource& bytes_;
  Encoding encoding_ = Encoding::kUtf8;
  std::size_t width_ = 1;  // bytes of a line feed
  bool may_be_cut_ = false;
  bool told_ = false;     // the encoding, by whoever asks or by a mark
  bool guessed_ = false;  // UTF-8, where nothing in the sample speaks for it
  Decoder decoder_;
  bool at_end_ = false;
  std::string block_;  // as it stands in the file
  std::size_t position_ = 0;
  std::size_t next_feed_ = 0, next_return_ = 0;  // in block_, from where they were looked for
  std::int64_t line_ = 0;
  std::deque<TextLine> sample_;
  std::size_t sample_position_ = 0;
};

}  // namespace sealbook::anonymizer
