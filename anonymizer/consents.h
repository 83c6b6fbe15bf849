// Consent that customer lists carry: which columns tell of it, what their words mean, and how the
// cells of a row become consents (vault/records/consent.h).
//
// Nothing is guessed: what is no word for yes or no, or a time without a state that it could belong
// to, stays a field of its own, under its column's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "anonymizer/columns.h"
#include "vault/records/consent.h"

namespace sealbook::anonymizer {

enum class ConsentPart {
  kState,      // yes or no
  kOptOut,     // yes means no; a no says nothing
  kGivenTime,  // when it was given: says so by itself where no column has the state
  kTime,       // when the state was as it is
  kDetail,     // an address it came from, a form: part of the evidence
};

struct ConsentColumn {
  absl::string_view purpose;  // "email_marketing"
  ConsentPart part{};
  bool utc = false;  // its times are of UTC unless they say otherwise
};

// Of a header that tells of consent. A column that was mapped to `consent` and whose header is not
// known has the state, for the purpose "unspecified".
std::optional<ConsentColumn> ConsentColumnOf(absl::string_view header);
inline constexpr ConsentColumn kUnspecifiedConsent{"unspecified", ConsentPart::kState, false};

// True for yes, false for no, in the languages and signs of lists; nullopt for anything else.
std::optional<bool> ConsentState(absl::string_view cell);

// Puts the consent columns of rows together, one row after the other.
class ConsentReader {
 public:
  // `source` as it stands in the consents: a file's path (its name is taken), or "standard input".
  explicit ConsentReader(absl::string_view source = "");

  // A new row; forgets what is left of one that was rejected.
  void Begin() { cells_.clear(); }
  // A cell of column `position`, cleaned and not empty.
  void Take(const Column& column, std::size_t position, std::string cell);

  // The fields of the row: consents, and then what is none.
  struct RowField {
    std::string name;
    std::string value;
  };
  std::vector<RowField> Finish(const std::vector<Column>& columns, std::int64_t line);

 private:
  struct Cell {
    std::size_t position = 0;
    std::string name;  // of the column, as evidence
    std::string value;
  };
  ConsentColumn KindOf(const Column& column, std::size_t position);

  std::string source_;
  std::vector<std::optional<ConsentColumn>> kinds_;  // by position
  std::vector<Cell> cells_;                          // of the row
};

// What a row's mark (records::kRowField) is made from in the place of a consent: the same for the
// same row of another file.
std::string WithoutSource(absl::string_view consent);

}  // namespace sealbook::anonymizer
