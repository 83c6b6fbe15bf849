// The content lines of vCards, taken apart but not decoded: "item1.TEL;TYPE=CELL:010…". Versions
// 2.1 (versit Consortium, 1996), 3.0 (RFC 2426) and 4.0 (RFC 6350), with what phones make of them.
//
// Lines end with LF, CRLF or CR, and go on: where the next one begins with a blank; after a "=" at
// the end of quoted-printable text; and over lines of base64. That is undone on bytes, since a line
// may be folded in the middle of a character. Pictures are passed over and never held.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/vcard_source.h"

namespace sealbook::anonymizer {

enum class VcardVersion { k21, k30, k40 };

struct VcardParameter {
  absl::string_view name;   // empty: 2.1's bare "CELL"
  absl::string_view value;  // with its quotes, if it has them
};

// Views are valid until the next line is read.
struct VcardProperty {
  enum class Transfer { kPlain, kQuotedPrintable, kBase64, kUnknown };
  enum class Fault { kNone, kNul, kTooLong, kNoProperty };

  std::int64_t line = 0;  // where it begins
  std::string name;       // upper case; empty where the line is no property
  absl::string_view group, value;
  std::vector<VcardParameter> parameters;
  absl::string_view charset;  // as it is declared, or empty
  Transfer transfer = Transfer::kPlain;
  bool is_picture = false;  // PHOTO, LOGO, SOUND, KEY: without a value here
  Fault fault = Fault::kNone;

  bool IsMark(absl::string_view mark) const;  // "BEGIN" or "END" of a card
};

// Belongs to one thread at a time.
class VcardLines {
 public:
  static constexpr std::size_t kMaxLineBytes = 1 << 20;  // of a property, unfolded
  static constexpr std::size_t kMaxParameters = 100;

  explicit VcardLines(VcardSource source) : source_(std::move(source)) {}
  void set_version(VcardVersion version) { version_ = version; }
  // False at the end. Blank lines are passed over. Errors are those of the source.
  absl::StatusOr<bool> Next(VcardProperty& property);
  VcardRaw& raw() { return raw_; }

 private:
  enum class Fold { kNone, kFolded, kSoftBreak, kBase64, kSameLine };
  absl::StatusOr<bool> ReadFolded(VcardProperty& property);
  absl::StatusOr<Fold> FoldAfter(const VcardProperty& property, bool known, bool last);
  void Join(const VcardProperty& property, bool known, Fold fold);

  VcardSource source_;
  VcardSource::Piece piece_;
  VcardVersion version_ = VcardVersion::k30;
  VcardRaw raw_;
  std::string line_;  // unfolded
  bool too_long_ = false;
};

// Takes a line apart. False: it is no property. `whole`: nothing follows that could close a quote.
bool ParseVcardLine(absl::string_view text, bool whole, VcardProperty& property);

}  // namespace sealbook::anonymizer
