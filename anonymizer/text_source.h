// A text file as lines of UTF-8, streamed: UTF-8 and UTF-16 with and without a byte order mark,
// line ends LF, CRLF and CR. A line that is not text of its encoding, holds a NUL or is too long is
// handed over with its fault, so that one bad line costs one row and not the file.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

enum class Encoding { kUtf8, kUtf16Le, kUtf16Be };
absl::string_view NameOf(Encoding encoding);
// InvalidArgument: an encoding that is not read.
absl::StatusOr<Encoding> ParseEncoding(absl::string_view name);

struct TextLine {
  std::int64_t number = 0;  // from 1
  std::string text;         // UTF-8, without its end; empty where there is a fault
  std::string fault;        // a clause: "is longer than 1 MiB"
};

// Belongs to one thread at a time.
class TextSource {
 public:
  static constexpr std::size_t kMaxLineBytes = 1 << 20;
  static constexpr std::size_t kSampleBytes = 64 * 1024;
  static constexpr std::size_t kSampleLines = 256;

  // InvalidArgument: cannot be opened, is empty, or is not a text file; the hint says what to do
  // with a workbook or another encoding.
  static absl::StatusOr<std::unique_ptr<TextSource>> Open(const std::string& path,
                                                          std::optional<Encoding> encoding);
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  Encoding encoding() const { return encoding_; }
  // The first lines, which Next gives all the same: to see what kind of file this is.
  const std::deque<TextLine>& sample() const { return sample_; }
  // False at the end. Internal: the disk failed.
  absl::StatusOr<bool> Next(TextLine& line);
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_total() const { return bytes_total_; }  // 0: unknown (a pipe)

 private:
  TextSource(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status Start(std::optional<Encoding> encoding);
  absl::Status CheckSample() const;
  absl::Status Fill();  // reads and decodes a block
  void Decode(absl::string_view bytes);
  absl::StatusOr<bool> ReadLine(TextLine& line);

  int fd_;
  std::string path_;
  Encoding encoding_ = Encoding::kUtf8;
  std::uint64_t bytes_read_ = 0, bytes_total_ = 0;
  bool at_end_ = false;
  std::string undecoded_;  // half a UTF-16 character
  std::string decoded_;
  std::size_t position_ = 0;
  std::int64_t line_ = 0;
  std::deque<TextLine> sample_;
  std::size_t sample_position_ = 0;
};

}  // namespace sealbook::anonymizer
