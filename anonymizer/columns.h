// What the columns of a customer list mean: recognised by their names in Korean, Chinese, Japanese
// and English (and some in Spanish, Portuguese, German and Indonesian), by what stands in them, or
// told.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// Fields that are put together from columns, and columns that are left out.
inline constexpr absl::string_view kGivenName = "given_name";
inline constexpr absl::string_view kFamilyName = "family_name";
inline constexpr absl::string_view kIgnored = "ignore";

enum class RecognizedBy { kName, kContent, kMapping, kNothing };

struct Column {
  std::string name;   // as the file has it, cleaned; empty: the file has none
  std::string field;  // "phone", "name", …; a field of its own name where nothing was recognised
  RecognizedBy by = RecognizedBy::kNothing;
};

// Compatibility forms folded (full-width letters), small letters, nothing but letters and digits.
std::string FoldHeader(absl::string_view header);

// The field of a known header, empty for others.
absl::string_view FieldOfHeader(absl::string_view header);

// For a column that nobody knows: its own name as a field name, or column_7.
std::string FieldNameFor(absl::string_view header, std::size_t position);
// InvalidArgument: a field name is small letters of any script, digits and underscores, up to 64.
absl::Status CheckFieldName(absl::string_view field);

// `sample` are rows of cells. Two columns may have the same field.
std::vector<Column> RecognizeColumns(const std::vector<std::string>& headers,
                                     const std::vector<std::vector<std::string>>& sample,
                                     absl::string_view region);
// Columns that nobody knows, from `from` on, get fields of their own: values of two columns never
// meet under one name.
void SeparateUnknownFields(std::vector<Column>& columns, std::size_t from);

// The field that a column's values end up in: "name" for a part of one.
absl::string_view FieldWritten(const Column& column);

// `mappings` are "COLUMN=FIELD"; COLUMN is a name, or a number from 1. InvalidArgument otherwise.
absl::Status ApplyMappings(const std::vector<std::string>& mappings, std::vector<Column>& columns);

bool LooksLikeHeader(const std::vector<std::string>& cells);
bool LooksLikeData(const std::vector<std::string>& cells);

}  // namespace sealbook::anonymizer
