// Character encodings in which lists arrive: their names, which of them a file is in, and their
// bytes as UTF-8. Conversions are ICU's. Functions may be called from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

enum class Encoding {
  kUtf8,
  kUtf16Le,
  kUtf16Be,
  kCp949,        // Korean; holds EUC-KR, which is KS_C_5601-1987
  kGbk,          // Simplified Chinese, of two bytes at most
  kGb18030,      // the same with characters of four bytes
  kBig5,         // Traditional Chinese: code page 950, and where it ends, Hong Kong's supplement
  kWindows1252,  // Western European
};
absl::string_view NameOf(Encoding encoding);
// "CP949", as people write it in a sentence.
std::string TitleOf(Encoding encoding);
// Any usual name: "euc-kr", "ks_c_5601-1987", "cp936", "gb2312", "latin1", … InvalidArgument: an
// encoding that is not read.
absl::StatusOr<Encoding> ParseEncoding(absl::string_view name);

// The encoding that a mark at the beginning names, and the mark's length.
struct ByteOrderMark {
  Encoding encoding{};
  std::size_t bytes = 0;
};
std::optional<ByteOrderMark> FindByteOrderMark(absl::string_view bytes);

bool IsAscii(absl::string_view text);
bool IsUtf8(absl::string_view text);

// Which encoding the bytes of a file without a mark are in, judged by a part of them that may end
// in the middle of a character. InvalidArgument: they are of no encoding that is read, or of two
// that cannot be told apart; the message is a clause, the hint names the candidates.
absl::StatusOr<Encoding> DetectEncoding(absl::string_view sample);

// Bytes of one encoding, given in pieces that may end in the middle of a character, as UTF-8. What
// is no text becomes the byte 0xff, which no UTF-8 holds: whoever reads lines finds it there.
class Decoder {
 public:
  explicit Decoder(Encoding encoding);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Appends to `out`. `last`: nothing follows.
  void Decode(absl::string_view bytes, bool last, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All of `bytes`, for people to see and mend: what is no text, and NUL bytes, as "\\xB0".
std::string ToEscapedUtf8(absl::string_view bytes, Encoding encoding);

// All of `bytes`, or nullopt where a part of them is no text of that encoding.
std::optional<std::string> ToUtf8(absl::string_view bytes, Encoding encoding);

}  // namespace sealbook::anonymizer
