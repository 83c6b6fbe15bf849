// The JSON documents of a file, one at a time: a single one, several behind one another, one a line
// (JSON Lines), or the elements of an array. Only their extent is found here, whatever they hold,
// in memory that does not grow with the file.
//
// A document that is broken costs itself alone. In JSON Lines each ends with its line; elsewhere
// the next one is known by its first key, "object" or "entry", with which webhooks begin, in the
// column where documents begin in this file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/byte_source.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {

struct JsonDocument {
  std::int64_t line = 0;  // where it begins, from 1
  std::string text;       // UTF-8, unless there is a fault; empty where it is too large
  std::string fault;      // a clause: "is cut off"
};

// Belongs to one thread.
class JsonDocuments {
 public:
  // Meta sends no webhook beyond 3 MB.
  static constexpr std::size_t kMaxBytes = 4 << 20;
  static constexpr int kMaxDepth = 64;

  // UTF-8, or what a mark at the beginning says. `bytes` outlives this.
  explicit JsonDocuments(ByteSource& bytes);

  // False at the end. Internal: the disk failed. Cancelled: interrupted.
  absl::StatusOr<bool> Next(JsonDocument& document);

 private:
  // False at the end; otherwise block_[position_] is the next byte.
  absl::StatusOr<bool> HasNext() {
    if (position_ < block_.size()) return true;
    return Fill();
  }
  absl::StatusOr<bool> Fill();
  void Take();
  absl::StatusOr<bool> SkipToDocument(JsonDocument& document);
  absl::Status ReadDocument(JsonDocument& document);
  // True where another document begins inside of one: goes back to where it does.
  bool FindsNext(char c);

  ByteSource& bytes_;
  std::optional<Decoder> decoder_;
  std::string block_;
  std::size_t position_ = 0;
  bool at_end_ = false;
  std::int64_t line_ = 1;
  std::size_t column_ = 0;   // of the next byte
  bool only_blanks_ = true;  // before it in its line
  bool in_array_ = false;
  bool first_ = true, lines_ = false;  // JSON Lines, as the first document says
  std::size_t begin_column_ = 0;       // of the first document

  // What may be the beginning of another document.
  std::string next_;
  std::int64_t next_line_ = 0;
};

}  // namespace sealbook::anonymizer
