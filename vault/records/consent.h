// A customer's consent, or that there is none, with where that is known from. Kept among the
// contact's sealed fields as `consent`, `consent_2`, … (docs/format.md, "Consent"), so that keys,
// books, taking away and erasure hold for it as for everything else:
//
//   email_marketing given 2023-04-05T10:11:12Z; "OPTIN_TIME" = "2023-04-05 10:11:12"; from
//   "list.csv" line 17
//
// Nothing in it differs between two imports of the same list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::records {

inline constexpr absl::string_view kConsentField = "consent";

// One cell of a list, word for word.
struct ConsentEvidence {
  std::string name;  // of the column
  std::string value;
  friend bool operator==(const ConsentEvidence&, const ConsentEvidence&) = default;
};

struct Consent {
  static constexpr std::size_t kMaxTextBytes = 512;  // each text of it
  static constexpr std::size_t kMaxEvidence = 8;

  std::string purpose;  // small letters, digits and underscores, at most 64: "email_marketing"
  bool given = false;
  // "2023-04-05", "2023-04-05T10:11:12", with "Z" or "+09:00" where the zone is known; or empty.
  std::string time;
  std::vector<ConsentEvidence> evidence;
  std::string source;     // a file's name, "standard input"; or empty
  std::int64_t line = 0;  // within the source, from 1; 0: not known
  friend bool operator==(const Consent&, const Consent&) = default;
};

// One line of text; ParseConsent gives the same consent again. InvalidArgument: a part that the
// grammar has no room for.
absl::StatusOr<std::string> FormatConsent(const Consent& consent);
// InvalidArgument: that is no consent. The message holds nothing of the text.
absl::StatusOr<Consent> ParseConsent(absl::string_view text);

// The same consent from the same evidence, whatever list and line it stood in: of two exports that
// name it, one is kept. Both are field values; those that cannot be parsed are compared whole.
bool SameConsent(absl::string_view a, absl::string_view b);

// `time` as Consent has it, for a time that is written with the year first. `utc`: without a zone
// it is one of UTC. Empty for everything else, since 5/4/2023 has two meanings.
std::string ConsentTime(absl::string_view text, bool utc);

}  // namespace sealbook::records
