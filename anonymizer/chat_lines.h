// The lines of a chat's text, as phones write it: UTF-8, or UTF-16 where a computer saved it again;
// line ends LF, CRLF and CR. A line that is no text is handed over with its fault, so that it costs
// one message and not the file.
//
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {

struct ChatLine {
  std::int64_t number = 0;  // from 1
  // As it stands, without its end; valid until the next call. Where there is a fault, bytes that
  // may be no text, and only the first of them (kHeadBytes) where it is too long.
  absl::string_view text;
  absl::string_view fault;  // a clause; empty: a good line
  // The file ends in the middle of a character, of which `text` has nothing.
  bool cut = false;
};

class ChatLines {
 public:
  static constexpr std::size_t kMaxLineBytes = 1 << 20;
  static constexpr std::size_t kHeadBytes = 1024;
  // Gives the next bytes, 0 at the end.
  using Read = std::function<absl::StatusOr<std::size_t>(char* out, std::size_t size)>;

  explicit ChatLines(Read read) : read_(std::move(read)) {}

  // False at the end. What `read` says where it fails.
  absl::StatusOr<bool> Next(ChatLine& line);

 private:
  absl::Status Fill();
  void Append(absl::string_view bytes);
  std::size_t FindEnd();
  void Check(ChatLine& line, bool last) const;

  Read read_;
  bool begun_ = false, at_end_ = false;
  std::optional<Decoder> utf16_;
  std::string block_, raw_, head_;
  std::size_t position_ = 0;
  std::size_t next_feed_ = 0;  // in block_, from where it was looked for
  std::int64_t line_ = 0;
};

}  // namespace sealbook::anonymizer
