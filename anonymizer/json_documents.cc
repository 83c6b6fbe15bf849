#include "anonymizer/json_documents.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
// Of a stretch that is no JSON, for the file of rejects.
constexpr std::size_t kMaxStretchBytes = 64 * 1024;
// Between a brace and the first key.
constexpr std::size_t kMaxBeginBytes = 256;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// How many bytes of a string come before anything that means something. Most are short, so that
// find_first_of would make its table for each.
std::size_t PlainBytes(absl::string_view text) {
  const auto end = std::find_if(text.begin(), text.end(),
                                [](char c) { return c == '"' || c == '\\' || c == '\n'; });
  return static_cast<std::size_t>(end - text.begin());
}

enum class Begins { kYes, kNo, kPerhaps };

// Whether a text that starts with a brace has a webhook's first key behind it.
Begins BeginsWebhook(absl::string_view text) {
  text.remove_prefix(1);
  while (!text.empty() && IsBlank(text[0])) text.remove_prefix(1);
  for (const absl::string_view key : {"\"object\"", "\"entry\""}) {
    if (absl::StartsWith(text, key)) return Begins::kYes;
    if (absl::StartsWith(key, text)) return Begins::kPerhaps;
  }
  return Begins::kNo;
}

}  // namespace

JsonDocuments::JsonDocuments(ByteSource& bytes) : bytes_(bytes) {
  const auto mark = FindByteOrderMark(bytes.head());
  if (mark && mark->encoding != Encoding::kUtf8) decoder_.emplace(mark->encoding);
}

absl::StatusOr<bool> JsonDocuments::Fill() {
  while (position_ == block_.size() && !at_end_) {
    std::string read(kBlockBytes, '\0');
    const bool begin = bytes_.bytes_read() == 0;
    ASSIGN_OR_RETURN(const std::size_t got, bytes_.Read(read.data(), read.size()));
    read.resize(got);
    at_end_ = got == 0;
    if (begin) {
      const auto mark = FindByteOrderMark(read);
      if (mark) read.erase(0, mark->bytes);
    }
    position_ = 0;
    block_.clear();
    if (decoder_) {
      decoder_->Decode(read, at_end_, block_);
    } else {
      block_ = std::move(read);
    }
  }
  return position_ < block_.size();
}

void JsonDocuments::Take() {
  const char c = block_[position_++];
  if (c == '\n') {
    ++line_;
    column_ = 0;
    only_blanks_ = true;
  } else {
    ++column_;
    only_blanks_ = only_blanks_ && IsBlank(c);
  }
}

// What stands between documents: blanks, the marks of an array, and what is a fault.
absl::StatusOr<bool> JsonDocuments::SkipToDocument(JsonDocument& document) {
  std::string stretch;
  bool is_fault = false;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, HasNext());
    const char c = more ? block_[position_] : '\0';
    const bool ends = !more || c == '\n' || c == '{' || c == ']';
    if (is_fault && ends) {
      document.text = std::move(stretch);
      document.fault = "is no JSON object";
      return true;
    }
    if (!more) return false;
    if (c == '{' || (c == '[' && in_array_)) {
      document.line = line_;
      return true;
    }
    const bool array_mark = c == '[' || (in_array_ && (c == ']' || c == ','));
    if (array_mark && !is_fault) {
      if (c != ',') in_array_ = c == '[';
    } else if (is_fault || !IsBlank(c)) {
      if (!is_fault) document.line = line_;
      is_fault = true;
      if (stretch.size() < kMaxStretchBytes) stretch += c;
    }
    Take();
  }
}

bool JsonDocuments::FindsNext(char c) {
  if (next_.empty()) {
    if (c != '{' || !only_blanks_ || column_ != begin_column_) return false;
    next_line_ = line_;
  }
  next_ += c;
  switch (BeginsWebhook(next_)) {
    case Begins::kYes:
      return true;
    case Begins::kPerhaps:
      if (next_.size() < kMaxBeginBytes) return false;
      break;
    case Begins::kNo:
      break;
  }
  next_.clear();
  return false;
}

absl::Status JsonDocuments::ReadDocument(JsonDocument& document) {
  int depth = 0;
  bool in_string = false, escaped = false, too_large = false, too_deep = false;
  const bool first = first_;
  const bool begins_line = only_blanks_ && !in_array_;
  if (first) begin_column_ = column_;
  first_ = false;
  next_.clear();
  const std::int64_t begin_line = line_;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, HasNext());
    if (!more) {
      document.fault = "is cut off at the end of the file";
      break;
    }
    if (document.text.size() >= kMaxBytes) too_large = true;
    if (in_string && !escaped && next_.empty()) {
      // Most of a document are strings.
      const absl::string_view rest = absl::string_view(block_).substr(position_);
      const std::size_t size = PlainBytes(rest);
      if (size > 0) {
        if (!too_large) document.text.append(rest.data(), size);
        position_ += size;
        column_ += size;
        only_blanks_ = false;
        continue;
      }
    }
    const char c = block_[position_];
    if (c == '\n') {
      if (lines_) {
        document.fault = "is cut off";
        break;
      }
      // No string of JSON has a line break: it was not closed, and what follows is looked at again.
      in_string = escaped = false;
    }
    if (depth > 0 && (c == '{' || !next_.empty()) && (!in_string || !next_.empty()) &&
        FindsNext(c)) {
      // Back to the brace; it is the last thing in the text.
      document.text.resize(document.text.size() - std::min(document.text.size(), next_.size() - 1));
      document.fault = absl::StrCat("is cut off: another begins in line ", next_line_);
      block_.replace(0, position_ + 1, next_);
      position_ = 0;
      line_ = next_line_;
      column_ = begin_column_;
      only_blanks_ = true;
      next_.clear();
      break;
    }
    if (!too_large) document.text += c;
    Take();
    if (in_string) {
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
      continue;
    }
    if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      too_deep = ++depth > kMaxDepth || too_deep;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      if (first && begins_line && line_ == begin_line) {
        ASSIGN_OR_RETURN(bool has_next, HasNext());
        while (has_next && block_[position_] != '\n' && IsBlank(block_[position_])) {
          Take();
          ASSIGN_OR_RETURN(has_next, HasNext());
        }
        lines_ = has_next && block_[position_] == '\n';
      }
      break;
    }
  }
  if (too_large) {
    document.text.clear();
    document.fault = "is larger than 4 MiB";
  } else if (too_deep) {
    document.fault = absl::StrCat("is deeper than ", kMaxDepth, " levels");
  } else if (absl::StrContains(document.text, absl::string_view("\0", 1))) {
    document.fault = "holds a NUL byte, so it is no text";
  } else if (!IsUtf8(document.text)) {
    document.fault = "holds bytes that are no UTF-8";
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> JsonDocuments::Next(JsonDocument& document) {
  document = {};
  ASSIGN_OR_RETURN(const bool more, SkipToDocument(document));
  if (!more) return false;
  if (document.fault.empty()) RETURN_IF_ERROR(ReadDocument(document));
  if (!document.fault.empty()) document.text = ToEscapedUtf8(document.text, Encoding::kUtf8);
  return true;
}

}  // namespace sealbook::anonymizer
