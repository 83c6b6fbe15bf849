// How a list is known as one that Sealbook itself has written (anonymizer/list_writer.h), and what
// its cells are put into so that spreadsheets take none for a formula.
//
// A column "name" of somebody else's may hold notes, and one of phones several of them; in a list
// of our own each column is a field, and each cell its value and nothing else. What people add to
// such a list, a column under another name say, is read like any other list's.
//
// All functions may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// By its header: kUidColumn, and nothing but names of fields beside it.
bool IsExportedHeader(const std::vector<std::string>& cells);

// A file of JSON Lines that begins so is ours, and so is UTF-8, of which a few letters may look
// like something else.
bool BeginsExportedJson(absl::string_view head);

// Which columns hold fields as they are, by position. None where kUidColumn is not there,
// or is none of tokens in the rows of `sample`.
std::vector<bool> ExactColumns(const std::vector<std::string>& headers,
                               const std::vector<std::vector<std::string>>& sample);
// The column is none of a field, but one that an exported list has beside them.
bool IsBesideFields(absl::string_view header);

// What a spreadsheet takes for a formula: what begins with "=", "+", "-" or "@", also full-width
// ones, or with a tab or a line break behind which one may stand (OWASP, "CSV Injection").
bool BeginsFormula(absl::string_view cell);
// Whether a cell of a CSV file gets an apostrophe in front: a formula, and what already has
// apostrophes in front of one, so that each cell can be told from each other.
bool NeedsApostrophe(absl::string_view value);
// Without that apostrophe. Lists of others have it too.
absl::string_view WithoutApostrophe(absl::string_view cell);

}  // namespace sealbook::anonymizer
