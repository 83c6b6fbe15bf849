// The content lines of vCards, taken apart but not decoded: "item1.TEL;TYPE=CELL:010…". Versions
// 2.1 (versit Consortium, 1996), 3.0 (RFC 2426) and 4.0 (RFC 6350), with what phones make of them.
//
// Lines end with LF, CRLF or CR, and go on: where the next one begins with a blank; after a "=" at
// the end of quoted-printable text; and over lines of base64. That is undone on bytes, since a line
// may be folded in the middle of a character. Pictures are passed over and never held.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/encodings.h"

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
    return position_ < buffer_.size() && (buffer_[position_] == ' ' || buffer_[position_] == '\t');
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

// How many bytes at the end are the beginning of a UTF-8 sequence that was cut.
std::size_t CutBytes(absl::string_view text);

}  // namespace sealbook::anonymizer
