// XML that may be larger than memory: the text of an entry, read whole where it is small, or cut
// into the elements of which it has many. Each of those is then parsed by itself.
//
// What XML allows and office programs never write is refused: document types, and with them
// entities, and other encodings than UTF-8 and UTF-16. Errors are InvalidArgument, a clause with
// the part as subject.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/encodings.h"
#include "anonymizer/zip_file.h"

namespace sealbook::anonymizer {

// "row" of "x:row": prefixes differ from program to program, and each element's name says enough.
absl::string_view LocalName(absl::string_view name);
// Whether that is a name's local name.
inline bool IsNamed(const char* name, absl::string_view local_name) {
  // Asked for each element of a sheet, where mostly there is no prefix.
  std::size_t same = 0;
  while (same < local_name.size() && name[same] == local_name[same]) ++same;
  if (same == local_name.size() && name[same] == '\0') return true;
  return std::strchr(name, ':') != nullptr && LocalName(name) == local_name;
}

// An entry's text as UTF-8, without its mark. What is no text becomes bytes that no UTF-8 holds, or
// stays such.
class XmlText {
 public:
  explicit XmlText(std::unique_ptr<ZipEntry> entry) : entry_(std::move(entry)) {}

  // Appends to `out`, at least one byte. False: the end.
  absl::StatusOr<bool> Append(std::string& out);
  // All of it. InvalidArgument: more than `max_bytes`, or a document type.
  absl::StatusOr<std::string> ReadAll(std::size_t max_bytes);
  std::uint64_t position() const { return entry_->position(); }

 private:
  absl::Status Start();

  std::unique_ptr<ZipEntry> entry_;
  std::vector<char> block_;
  std::size_t block_size_ = 0;  // bytes that were read to see what the encoding is
  std::optional<Decoder> decoder_;
  bool started_ = false, ended_ = false;
};

// The elements of one name inside of another: `row` of `sheetData`, `si` of `sst`.
class ElementCutter {
 public:
  static constexpr std::size_t kMaxElementBytes = 1 << 20;
  // What may be passed over in search of an element's end.
  static constexpr std::size_t kMaxSkippedBytes = 100 << 20;

  // Both names without prefixes; they live as long as the cutter.
  ElementCutter(XmlText text, absl::string_view container, absl::string_view element)
      : text_(std::move(text)), container_(container), element_(element) {}

  struct Element {
    std::span<char> xml;    // may be parsed in place; good until the next call
    bool too_long = false;  // then only its first tag is there
  };
  // False at the end.
  absl::StatusOr<bool> Next(Element& element);
  std::uint64_t position() const { return text_.position(); }

 private:
  struct Tag {
    absl::string_view name;  // local
    bool closes = false, is_empty = false;
    std::size_t bytes = 0;
  };
  absl::StatusOr<bool> Fill();
  absl::Status Need(std::size_t bytes);
  absl::Status PassOver(std::size_t opening, absl::string_view closing);
  absl::Status PassOverUnlessTag(bool& tag);
  static std::size_t TagBytes(absl::string_view text);
  absl::StatusOr<Tag> ReadTag();
  void PassPlainTags();
  absl::StatusOr<bool> EndsElement();

  XmlText text_;
  absl::string_view container_, element_;
  std::string buffer_;
  std::size_t at_ = 0;                     // where to go on
  std::size_t begin_ = 0, tag_bytes_ = 0;  // of the element that at_ stands in
  std::size_t skipped_ = 0;                // bytes of it, where it is too long
  bool in_element_ = false, too_long_ = false;
  bool in_container_ = false, saw_container_ = false;
};

}  // namespace sealbook::anonymizer
