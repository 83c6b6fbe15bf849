#include "anonymizer/vcard_charsets.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/vcard_values.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// Eight bytes at a time: nearly all of a file is ASCII.
bool IsPlain(absl::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080u) != 0) return false;
  }
  return IsAscii(text.substr(i));
}

bool IsUtf16(Encoding encoding) {
  return encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be;
}

// The bytes behind quoted-printable or base64. False: it is damaged.
bool DecodeTransfer(const VcardProperty& property, std::string& out) {
  return property.transfer == VcardProperty::Transfer::kQuotedPrintable
             ? DecodeQuotedPrintable(property.value, out)
             : DecodeBase64(property.value, out);
}

bool IsDeclared(absl::string_view charset) {
  return !charset.empty() && !absl::EqualsIgnoreCase(charset, "US-ASCII") &&
         !absl::EqualsIgnoreCase(charset, "ASCII");
}

}  // namespace

Encoding VcardForm(absl::string_view head) {
  if (const auto mark = FindByteOrderMark(head)) return mark->encoding;
  if (head.size() < 2 || (head[0] == '\0') == (head[1] == '\0')) return Encoding::kUtf8;
  return head[0] == '\0' ? Encoding::kUtf16Be : Encoding::kUtf16Le;
}

absl::StatusOr<VcardCharsets> VcardCharsets::Find(ByteSource& bytes, std::optional<Encoding> told) {
  const absl::string_view head = bytes.head();
  if (absl::StartsWith(head, absl::string_view("\xff\xfe\0\0", 4)) ||
      absl::StartsWith(head, absl::string_view("\0\0\xfe\xff", 4))) {
    return WithHint(absl::InvalidArgumentError("is UTF-32 text"), "Save it as UTF-8.");
  }
  const auto mark = FindByteOrderMark(head);
  if (mark && told && mark->encoding != *told) {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat("begins with the mark of ", NameOf(mark->encoding))),
                    "Leave --encoding out.");
  }
  VcardCharsets charsets;
  charsets.form_ = VcardForm(head);
  if (told && IsUtf16(*told))
    charsets.form_ = *told;
  else
    charsets.told_ = told;
  if (!IsUtf16(charsets.form_) && !told) RETURN_IF_ERROR(charsets.Detect(bytes));
  return charsets;
}

absl::Status VcardCharsets::Detect(ByteSource& bytes) {
  std::size_t scanned = 0;
  const std::size_t limit = bytes.is_regular_file() ? kMaxScannedBytes : bytes.head().size();
  const auto read = [&](char* out, std::size_t size) -> absl::StatusOr<std::size_t> {
    size = std::min(size, limit - scanned);
    if (bytes.is_regular_file()) {
      ASSIGN_OR_RETURN(size, bytes.ReadAt(scanned, out, size));
    } else {
      std::memcpy(out, bytes.head().data() + scanned, size);
    }
    scanned += size;
    return size;
  };
  VcardLines lines(VcardSource(read, Encoding::kUtf8));
  VcardProperty property;
  std::string sample, decoded, last;
  std::size_t cards = 0, utf8 = 0, other = 0;
  while (sample.size() < kMaxSampleBytes) {
    ASSIGN_OR_RETURN(const bool more, lines.Next(property));
    if (!more) break;
    lines.raw().Take();
    if (property.fault != VcardProperty::Fault::kNone || property.is_picture) continue;
    if (property.IsMark("BEGIN")) ++cards;
    if (property.name == "VERSION") {
      lines.set_version(property.value == "2.1" ? VcardVersion::k21 : VcardVersion::k30);
      continue;
    }
    if (IsDeclared(property.charset)) continue;
    absl::string_view value = property.value;
    if (property.transfer != VcardProperty::Transfer::kPlain) {
      decoded.clear();
      if (property.transfer != VcardProperty::Transfer::kQuotedPrintable ||
          !DecodeTransfer(property, decoded)) {
        continue;
      }
      value = decoded;
    }
    if (IsPlain(value)) continue;
    // The last line may have been cut where the scan ends.
    if (IsUtf8(value)) {
      ++utf8;
    } else if (scanned < limit || !IsUtf8(value.substr(0, value.size() - CutBytes(value)))) {
      ++other;
      absl::StrAppend(&sample, value, "\n");
    }
  }
  if (other == 0) return absl::OkStatus();
  auto found = DetectEncoding(sample);
  // A few damaged cards among many sound ones are those cards' fault.
  if (!found.ok() && utf8 < other && cards <= 4 * other) return found.status();
  if (!found.ok() || *found == Encoding::kUtf8 || IsUtf16(*found)) return absl::OkStatus();
  found_ = *found;
  // Short words of other encodings may look like UTF-8 ("천" in CP949 does), so most decide.
  found_first_ = other > utf8;
  return absl::OkStatus();
}

bool VcardCharsets::Use(absl::string_view bytes, Encoding encoding, std::string& out) {
  if (encoding == Encoding::kUtf8) {
    if (!IsUtf8(bytes)) return false;
    out.append(bytes.data(), bytes.size());
    if (!used_) used_ = encoding;
    return true;
  }
  const auto utf8 = ToUtf8(bytes, encoding);
  if (!utf8) return false;
  out += *utf8;
  used_ = encoding;
  return true;
}

bool VcardCharsets::DecodeUndeclared(absl::string_view bytes, bool in_file_form, std::string& out) {
  if (IsPlain(bytes)) {
    out.append(bytes.data(), bytes.size());
    return true;
  }
  if (IsUtf16(form_)) {
    if (!IsUtf8(bytes)) return false;
    out.append(bytes.data(), bytes.size());
    used_ = in_file_form ? form_ : used_.value_or(Encoding::kUtf8);
    return true;
  }
  if (told_) return Use(bytes, *told_, out);
  if (found_first_) return Use(bytes, *found_, out) || Use(bytes, Encoding::kUtf8, out);
  return Use(bytes, Encoding::kUtf8, out) || (found_ && Use(bytes, *found_, out));
}

const char* VcardCharsets::Decode(const VcardProperty& property, std::string& out) {
  using Transfer = VcardProperty::Transfer;
  out.clear();
  const bool plain = property.transfer == Transfer::kPlain;
  if (property.transfer == Transfer::kUnknown) return "an ENCODING that is not read";
  std::string bytes;
  if (!plain && !DecodeTransfer(property, bytes)) {
    return property.transfer == Transfer::kBase64 ? "damaged base64" : "damaged quoted-printable";
  }
  const absl::string_view value = plain ? property.value : absl::string_view(bytes);
  // What is written in UTF-16 was decoded with its file, whatever it declares.
  if (!IsDeclared(property.charset) || (plain && IsUtf16(form_))) {
    if (!DecodeUndeclared(value, plain, out))
      return "bytes that are no text of the file's encoding";
  } else {
    if (property.charset != last_charset_) {
      const auto parsed = ParseEncoding(property.charset);
      last_charset_.assign(property.charset.data(), property.charset.size());
      last_encoding_ = parsed.ok() ? std::optional(*parsed) : std::nullopt;
    }
    if (!last_encoding_) return "a CHARSET that is not read";
    if (IsPlain(value) && !IsUtf16(*last_encoding_)) {
      out.append(value.data(), value.size());
    } else {
      auto utf8 = ToUtf8(value, *last_encoding_);
      if (!utf8) return "bytes that are no text of the declared CHARSET";
      out = *std::move(utf8);
    }
  }
  if (!plain && out.find('\0') != std::string::npos) return "a NUL byte";
  UnifyLineBreaks(out);
  return nullptr;
}

}  // namespace sealbook::anonymizer
