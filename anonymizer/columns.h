// What the columns of a customer list mean: recognised by their names (anonymizer/known_headers.h),
// by what stands in them, or told.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/known_headers.h"

namespace sealbook::anonymizer {

enum class RecognizedBy { kName, kContent, kMapping, kNothing };

struct Column {
  std::string name;   // as the file has it, cleaned; empty: the file has none
  std::string field;  // "phone", "name", …; a field of its own name where nothing was recognised
  RecognizedBy by = RecognizedBy::kNothing;
  std::string group = "";      // of an address: parts of one group make one address
  bool complete = false;       // an address that repeats its parts, which stand beside it
  bool may_lack_plus = false;  // what is no number of the region may be one without its +
  bool country_coded = false;  // phones of digits alone begin with the country code, without a +
  // Its cells are values of `field` as they are (anonymizer/exported_list.h): nothing is looked for
  // in them.
  bool exact = false;
};

// For a column that nobody knows: its own name as a field name, or column_7.
std::string FieldNameFor(absl::string_view header, std::size_t position);
// InvalidArgument: a field name is small letters of any script, digits and underscores, up to 64,
// and none that means something else: "ignore", or a column beside the fields of an exported list.
absl::Status CheckFieldName(absl::string_view field);

// `sample` are rows of cells. Two columns may have the same field. `exact`, by position: the header
// is the name of a field, or of a column beside the fields, which is left out.
std::vector<Column> RecognizeColumns(const std::vector<std::string>& headers,
                                     const std::vector<std::vector<std::string>>& sample,
                                     absl::string_view region, const std::vector<bool>& exact = {});
// Columns that nobody knows, from `from` on, get fields of their own: values of two columns never
// meet under one name.
void SeparateUnknownFields(std::vector<Column>& columns, std::size_t from);

// The field that a column's values end up in: "name" for a part of one, or for a recipient.
absl::string_view FieldWritten(const Column& column);

// `mappings` are "COLUMN=FIELD"; COLUMN is a name, or a number from 1. InvalidArgument otherwise.
absl::Status ApplyMappings(const std::vector<std::string>& mappings, std::vector<Column>& columns);

bool LooksLikeHeader(const std::vector<std::string>& cells);
bool LooksLikeData(const std::vector<std::string>& cells);

}  // namespace sealbook::anonymizer
