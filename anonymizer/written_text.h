// What people do not see in a text and readers must: marks of direction, blanks that are no spaces,
// digits of other scripts. All functions look at the beginning of `text`, which need not be UTF-8.
//
// Functions may be called from any thread.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// Bytes of the mark that nobody sees: of direction (U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+2069, U+061C), of no width (U+200B to U+200D, U+2060), of byte order. 0: none.
std::size_t MarkBytes(absl::string_view text);
// Of direction or byte order alone: joiners of no width are parts of words and emoji.
std::size_t DirectionMarkBytes(absl::string_view text);
// Bytes of the blank: a space, a tab, one that does not break (U+00A0, U+202F) or of another width.
std::size_t SpaceBytes(absl::string_view text);
// Of either.
std::size_t BlankBytes(absl::string_view text);
// The digit of any script that counts in tens, and its bytes; -1: none.
int DigitAt(absl::string_view text, std::size_t& bytes);

// Without marks and blanks at its ends.
absl::string_view TrimBlanks(absl::string_view text);
// Without marks of direction at its ends.
absl::string_view TrimDirectionMarks(absl::string_view text);

}  // namespace sealbook::anonymizer
