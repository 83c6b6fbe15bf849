// In which encodings a file of vCards is written. Each property may declare its own; what declares
// none is UTF-8, or what the file's undeclared bytes are found to be, or what people say it is.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "anonymizer/byte_source.h"
#include "anonymizer/encodings.h"
#include "anonymizer/vcard_lines.h"

namespace sealbook::anonymizer {

class VcardCharsets {
 public:
  // What is looked through to find the encoding: the source's head, and of a file, whose cards may
  // each begin with a picture, more than that.
  static constexpr std::size_t kMaxScannedBytes = 8 << 20, kMaxSampleBytes = 16 * 1024;

  // `told` is what people say. InvalidArgument: the file is of an encoding that is not read, or of
  // another than it is told to be.
  static absl::StatusOr<VcardCharsets> Find(ByteSource& bytes, std::optional<Encoding> told);

  // How the file itself is written: UTF-16, or bytes that hold ASCII.
  Encoding form() const { return form_; }
  // What stands for undeclared bytes that are no UTF-8; nullopt: nothing does.
  std::optional<Encoding> fallback() const { return told_ ? told_ : found_; }
  // What undeclared text was in, if any was not ASCII.
  std::optional<Encoding> used() const { return used_; }

  // The value as UTF-8, with line feeds for line breaks, escapes as they are. nullptr: done; else
  // why not: "bytes that …", to stand behind "holds" and before "in its property FN".
  const char* Decode(const VcardProperty& property, std::string& out);
  // Undeclared text that stands elsewhere, in a parameter say. False: it is none.
  bool DecodeUndeclared(absl::string_view bytes, bool in_file_form, std::string& out);

 private:
  VcardCharsets() = default;
  absl::Status Detect(ByteSource& bytes);
  bool Use(absl::string_view bytes, Encoding encoding, std::string& out);

  Encoding form_ = Encoding::kUtf8;
  std::optional<Encoding> told_, found_, used_;
  bool found_first_ = false;  // most of the undeclared text is in it
  std::string last_charset_;
  std::optional<Encoding> last_encoding_;
};

// The form of a file that begins so. It begins with a letter, which tells UTF-16 without a mark.
Encoding VcardForm(absl::string_view head);

}  // namespace sealbook::anonymizer
