// What stands in a vCard's properties: quoted-printable and base64, escapes, phone numbers as URIs,
// and names, addresses and dates in the form in which people read them.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "anonymizer/vcard_lines.h"

namespace sealbook::anonymizer {

// Appends the bytes. False: the text is not what it is declared to be.
bool DecodeQuotedPrintable(absl::string_view text, std::string& out);
bool DecodeBase64(absl::string_view text, std::string& out);

// Line breaks as line feeds, whatever they were.
void UnifyLineBreaks(std::string& text);

// "\\n", "\\,", "\\;" and "\\\\" as what they mean; in 2.1 only "\\;".
std::string UnescapeVcard(absl::string_view text, VcardVersion version);
// The parts between separators that are not escaped; at most `kMaxVcardParts`, the last with the
// rest.
inline constexpr std::size_t kMaxVcardParts = 1000;
std::vector<std::string> SplitVcard(absl::string_view text, char separator, VcardVersion version);
// RFC 6868 ("^n", "^^", "^'"), and without quotes.
std::string UnescapeParameter(absl::string_view value);

struct VcardPhone {
  std::string number, extension;
};
// "tel:+82-10-1234-5678;ext=12", "1234;phone-context=+8231" as a URI, "02-123-4567,12" as it is
// dialled.
VcardPhone ReadVcardPhone(absl::string_view text);
// Without "mailto:".
std::string ReadVcardEmail(absl::string_view text);

bool HoldsHangulOrHan(absl::string_view text);

// Family, given and further names, what stands before them and behind.
std::string JoinVcardName(const std::vector<std::string>& parts);
// Post box, room, street, town, region, code, country.
std::string JoinVcardAddress(const std::vector<std::string>& parts);
// "1990-01-02" from what means that; anything else as it is. `omitted_year`: Apple's year that
// stands for none.
std::string ReadVcardDate(absl::string_view text, absl::string_view omitted_year);

// A type that says no more than that it is somebody's phone, mail or address: "CELL", "HOME".
bool IsStandardVcardType(absl::string_view type);
// "직장" from Android's "X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=EC=A7=81=EC=9E=A5)";
// empty: it is none, or damaged.
std::string AndroidVcardLabel(absl::string_view type);

}  // namespace sealbook::anonymizer
