#include "anonymizer/xml_part.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 128 * 1024;
constexpr std::size_t kDeclarationBytes = 256;  // in which <?xml … ?> ends

absl::Status CutOff() { return absl::InvalidArgumentError("is cut off"); }
absl::Status DocumentType() {
  return absl::InvalidArgumentError("has a document type, which no workbook has");
}

// What <?xml version="1.0" encoding="…"?> says; empty: nothing, which is UTF-8.
absl::string_view DeclaredEncoding(absl::string_view text) {
  if (!absl::StartsWith(text, "<?xml")) return "";
  text = text.substr(0, text.find("?>"));
  const std::size_t name = text.find("encoding");
  if (name == absl::string_view::npos) return "";
  const std::size_t quote = text.find_first_of("\"'", name);
  if (quote == absl::string_view::npos) return "";
  const std::size_t end = text.find(text[quote], quote + 1);
  return end == absl::string_view::npos ? "" : text.substr(quote + 1, end - quote - 1);
}

bool IsDeclaredAsRead(absl::string_view text) {
  const std::string encoding = absl::AsciiStrToLower(DeclaredEncoding(text));
  return encoding.empty() || absl::StartsWith(encoding, "utf-8") ||
         absl::StartsWith(encoding, "utf8") || absl::StartsWith(encoding, "utf-16") ||
         encoding == "us-ascii";
}

std::optional<Encoding> Utf16Of(absl::string_view head) {
  if (const auto mark = FindByteOrderMark(head)) {
    if (mark->encoding != Encoding::kUtf8) return mark->encoding;
    return std::nullopt;
  }
  if (absl::StartsWith(head, absl::string_view("<\0", 2))) return Encoding::kUtf16Le;
  if (absl::StartsWith(head, absl::string_view("\0<", 2))) return Encoding::kUtf16Be;
  return std::nullopt;
}

}  // namespace

absl::string_view LocalName(absl::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == absl::string_view::npos ? name : name.substr(colon + 1);
}

absl::Status XmlText::Start() {
  started_ = true;
  block_.resize(kBlockBytes);
  while (block_size_ < kDeclarationBytes) {
    ASSIGN_OR_RETURN(const std::size_t got,
                     entry_->Read(block_.data() + block_size_, block_.size() - block_size_));
    if (got == 0) break;
    block_size_ += got;
  }
  const absl::string_view head(block_.data(), block_size_);
  std::size_t mark = 0;
  if (const auto found = FindByteOrderMark(head)) mark = found->bytes;
  if (const auto encoding = Utf16Of(head)) decoder_.emplace(*encoding);
  block_size_ -= mark;
  std::memmove(block_.data(), block_.data() + mark, block_size_);
  if (!decoder_ && !IsDeclaredAsRead({block_.data(), block_size_}))
    return absl::InvalidArgumentError("is in another encoding than UTF-8");
  return absl::OkStatus();
}

absl::StatusOr<bool> XmlText::Append(std::string& out) {
  if (!started_) RETURN_IF_ERROR(Start());
  const std::size_t old = out.size();
  while (!ended_ && out.size() == old) {
    if (block_size_ == 0) {
      ASSIGN_OR_RETURN(block_size_, entry_->Read(block_.data(), block_.size()));
    }
    ended_ = block_size_ == 0;
    const absl::string_view block(block_.data(), std::exchange(block_size_, 0));
    if (decoder_)
      decoder_->Decode(block, ended_, out);
    else
      out.append(block.data(), block.size());
  }
  // Where the parser would take it for the end.
  if (std::memchr(out.data() + old, '\0', out.size() - old) != nullptr)
    return absl::InvalidArgumentError("holds a NUL byte");
  return out.size() > old;
}

absl::StatusOr<std::string> XmlText::ReadAll(std::size_t max_bytes) {
  std::string all;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, Append(all));
    if (!more) break;
    if (all.size() > max_bytes) return absl::InvalidArgumentError("is far too long");
  }
  if (absl::StrContains(all, "<!DOCTYPE") || absl::StrContains(all, "<!ENTITY"))
    return DocumentType();
  return all;
}

absl::StatusOr<bool> ElementCutter::Fill() {
  if (in_element_ && at_ - begin_ > kMaxElementBytes) too_long_ = true;
  if (too_long_) {
    const std::size_t kept = begin_ + tag_bytes_;
    skipped_ += at_ - kept;
    if (skipped_ > kMaxSkippedBytes)
      return absl::InvalidArgumentError("goes on for more than 100 MB without an end");
    buffer_.erase(kept, at_ - kept);
    at_ = kept;
  }
  const std::size_t passed = in_element_ ? begin_ : at_;
  buffer_.erase(0, passed);
  at_ -= passed;
  begin_ = 0;
  return text_.Append(buffer_);
}

absl::Status ElementCutter::Need(std::size_t bytes) {
  while (buffer_.size() - at_ < bytes) {
    ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return CutOff();
  }
  return absl::OkStatus();
}

absl::Status ElementCutter::PassOver(std::size_t opening, absl::string_view closing) {
  at_ += opening;
  for (;;) {
    const std::size_t found = buffer_.find(closing.data(), at_, closing.size());
    if (found != std::string::npos) {
      at_ = found + closing.size();
      return absl::OkStatus();
    }
    // The closing may be half here.
    if (buffer_.size() - at_ >= closing.size()) at_ = buffer_.size() - closing.size() + 1;
    RETURN_IF_ERROR(Need(buffer_.size() - at_ + 1));
  }
}

// at_ stands before a '<'. What begins no tag is passed over.
absl::Status ElementCutter::PassOverUnlessTag(bool& tag) {
  RETURN_IF_ERROR(Need(2));
  tag = false;
  if (buffer_[at_ + 1] == '?') return PassOver(2, "?>");
  tag = buffer_[at_ + 1] != '!';
  if (tag) return absl::OkStatus();
  RETURN_IF_ERROR(Need(4));
  const auto here = [&] { return absl::string_view(buffer_).substr(at_); };
  if (absl::StartsWith(here(), "<!--")) return PassOver(4, "-->");
  RETURN_IF_ERROR(Need(9));
  if (absl::StartsWith(here(), "<![CDATA[")) return PassOver(9, "]]>");
  return DocumentType();
}

// How long the tag is that begins `text`; 0 where its end is not there. A '>' in quotes is none.
std::size_t ElementCutter::TagBytes(absl::string_view text) {
  const std::size_t first = text.find('>');
  if (first == absl::string_view::npos) return 0;
  const absl::string_view before = text.substr(0, first);
  if (std::count(before.begin(), before.end(), '"') % 2 == 0 && !absl::StrContains(before, '\''))
    return first + 1;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return i + 1;
    }
  }
  return 0;
}

absl::StatusOr<ElementCutter::Tag> ElementCutter::ReadTag() {
  std::size_t bytes = 0;
  while ((bytes = TagBytes(absl::string_view(buffer_).substr(at_))) == 0) {
    if (buffer_.size() - at_ > kMaxElementBytes)
      return absl::InvalidArgumentError("has a tag that is far too long");
    RETURN_IF_ERROR(Need(buffer_.size() - at_ + 1));
  }
  const absl::string_view text(buffer_.data() + at_ + 1, bytes - 2);
  Tag tag{.name = text, .bytes = bytes};
  tag.closes = absl::ConsumePrefix(&tag.name, "/");
  tag.is_empty = absl::EndsWith(text, "/");
  std::size_t end = 0;
  while (end < tag.name.size() && tag.name[end] != '/' &&
         !absl::ascii_isspace(static_cast<unsigned char>(tag.name[end])))
    ++end;
  tag.name = LocalName(tag.name.substr(0, end));
  return tag;
}

// at_ stands before a '<' inside of the element. True, and behind it, where that ends the element.
absl::StatusOr<bool> ElementCutter::EndsElement() {
  if (buffer_[at_ + 1] != '/') {
    ++at_;
    return false;
  }
  std::size_t end = 0;
  while ((end = buffer_.find('>', at_)) == std::string::npos) {
    // No name is that long: it is no tag, which the parser will find too.
    if (buffer_.size() - at_ > 256) break;
    RETURN_IF_ERROR(Need(buffer_.size() - at_ + 1));
  }
  if (end == std::string::npos || end - at_ > 256) {
    at_ += 2;
    return false;
  }
  const absl::string_view name(buffer_.data() + at_ + 2, end - at_ - 2);
  at_ = end + 1;
  return name.size() >= element_.size() &&
         LocalName(absl::StripTrailingAsciiWhitespace(name)) == element_;
}

// Goes on to the next '<' that may end the element or hide its end. Nearly all that stands in a row
// is passed here, so that it is done without a call each.
void ElementCutter::PassPlainTags() {
  const char* const end = buffer_.data() + buffer_.size();
  const char* at = buffer_.data() + at_;
  const std::size_t name = element_.size();
  while ((at = static_cast<const char*>(
              std::memchr(at, '<', static_cast<std::size_t>(end - at)))) != nullptr) {
    at_ = static_cast<std::size_t>(at - buffer_.data());
    if (static_cast<std::size_t>(end - at) < 2 + name) return;
    const bool opens = at[1] != '/' && at[1] != '!' && at[1] != '?';
    const bool closes_shorter = at[1] == '/' && std::memchr(at + 2, '>', name) != nullptr;
    if (!opens && !closes_shorter) return;
    ++at;
    ++at_;
  }
}

absl::StatusOr<bool> ElementCutter::Next(Element& element) {
  for (;;) {
    if (in_element_) PassPlainTags();
    const char* found =
        static_cast<const char*>(std::memchr(buffer_.data() + at_, '<', buffer_.size() - at_));
    if (found == nullptr) {
      at_ = buffer_.size();
      ASSIGN_OR_RETURN(const bool more, Fill());
      if (more) continue;
      if (in_element_ || in_container_) return CutOff();
      if (!saw_container_) return absl::InvalidArgumentError("holds no table");
      return false;
    }
    at_ = static_cast<std::size_t>(found - buffer_.data());
    bool is_tag = false;
    RETURN_IF_ERROR(PassOverUnlessTag(is_tag));
    if (!is_tag) continue;
    if (in_element_) {
      ASSIGN_OR_RETURN(const bool ends, EndsElement());
      if (!ends) continue;
    } else {
      ASSIGN_OR_RETURN(const Tag tag, ReadTag());
      const std::size_t start = at_;
      if (tag.name == container_) {
        saw_container_ = true;
        in_container_ = !tag.closes && !tag.is_empty;
      }
      at_ += tag.bytes;
      if (!in_container_ || tag.closes || tag.name != element_) continue;
      begin_ = start;
      tag_bytes_ = tag.bytes;
      skipped_ = 0;
      too_long_ = false;
      in_element_ = !tag.is_empty;
      if (in_element_) continue;
    }
    in_element_ = false;
    element.too_long = too_long_ || at_ - begin_ > kMaxElementBytes;
    element.xml = {buffer_.data() + begin_, element.too_long ? tag_bytes_ : at_ - begin_};
    too_long_ = false;
    return true;
  }
}

}  // namespace sealbook::anonymizer
