// SQL for a stored byte that is altered for certain: a fixed byte laid over it is, once in 256
// runs, the one that was there.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"

namespace sealbook::testing {

// An expression for the column's bytes with another one at this place, counted from 1 as SQL does.
inline std::string WithAlteredByte(const std::string& column, int at) {
  return absl::StrCat("substr(", column, ", 1, ", at - 1, ") || CASE substr(", column, ", ", at,
                      ", 1) WHEN x'00' THEN x'ff' ELSE x'00' END || substr(", column, ", ", at + 1,
                      ")");
}

}  // namespace sealbook::testing
