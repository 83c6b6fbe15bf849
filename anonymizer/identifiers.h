// Identifiers in the one form in which they are kept and found: phones as E.164, emails in lower
// case, WhatsApp's ids. Whatever people and spreadsheets do to them on the way is undone here, or
// refused with a reason; nothing is guessed.
//
// Phone numbers are read by libphonenumber. All functions may be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::anonymizer {

// NFC, without control characters (line feeds and tabs stay), without marks that turn the direction
// of writing, no blanks at the ends.
std::string CleanText(absl::string_view text);

// True for what people write where there is nothing: "-", "없음", "无", "n/a", …
bool MeansNothing(absl::string_view cell);

// ISO 3166 codes that the phone library knows, upper case.
bool IsRegion(absl::string_view region);

// "+821012345678" from any usual writing of it. `region` is for numbers without a country code;
// empty: those are refused. InvalidArgument: a clause such as "is no phone number of region KR".
absl::StatusOr<std::string> NormalizePhone(absl::string_view text, absl::string_view region);

// The same for a number with an extension, which finds nobody: "021-62345678-8001" of China, too.
struct PhoneAndExtension {
  std::string phone;
  std::string extension;  // digits; mostly empty
};
absl::StatusOr<PhoneAndExtension> ParsePhone(absl::string_view text, absl::string_view region);

// Lower case, NFC. InvalidArgument: a clause.
absl::StatusOr<std::string> NormalizeEmail(absl::string_view text);

// A WhatsApp id: the digits of a phone (wa_id, a JID of s.whatsapp.net) become that phone; others
// stay.
absl::StatusOr<records::IdentifierValue> NormalizeWhatsAppId(absl::string_view text);

// What a query or a field's value is, by its form: a phone, an email, a WhatsApp id, a JID; nullopt
// for anything else.
std::optional<records::IdentifierValue> RecognizeIdentifier(absl::string_view text,
                                                            absl::string_view region);

// The identifier that a field holds: `phone_2` → phone. nullopt: the field identifies nobody.
std::optional<IdentifierKind> KindOfField(absl::string_view field);
absl::string_view FieldOfKind(IdentifierKind kind);
// What the fields of a contact identify, as they are kept.
std::vector<records::IdentifierValue> IdentifiersOf(const records::Fields& fields);
absl::StatusOr<records::IdentifierValue> NormalizeIdentifier(IdentifierKind kind,
                                                             absl::string_view text,
                                                             absl::string_view region);

// One cell with one or several identifiers, and what stands beside them.
struct CellParts {
  std::vector<std::string> values;
  std::string note;  // "집" of "010-1234-5678 (집)"
};
CellParts SplitCell(absl::string_view cell);

// "엄마 010-1234-5678", "010-1234-5678 회사": a word beside a number, moved out of `value`. Empty
// where there is none, or where it only says that this is a phone ("Tel.", "휴대폰:").
std::string TakeWordBeside(std::string& value);

}  // namespace sealbook::anonymizer
