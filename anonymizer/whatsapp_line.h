// One line of a WhatsApp export taken apart. A grammar, not a list of forms: phones write dates and
// times as their language and settings have it, and nobody has seen all of them.
//
//   start    = marks ( "[" when "]" | when " - " | when ": " ) rest
//   when     = date gap time phrase | time phrase gap date
//   date     = number sep number sep number suffix      with one kind of separator: / . - space, or
//                                                       年月日 and 년월일
//   time     = number (":" | "." | "h" | 時 | 시 …) two digits, and once more for seconds
//   gap      = spaces, commas, a dash, "T", a phrase    ("à", "klo", "오후")
//   phrase   = a mark of anonymizer/half_days.h, or a word that says nothing
//   rest     = author ": " text | text
//
// Marks of direction and blanks of all kinds may stand between any two of them, digits may be of
// any script. Whoever begins a line in such a way in the middle of a message cannot be told from
// the app by the line alone; the reader looks at the form that the file's other lines have.
//
// Functions may be called from any thread and look at nothing but the line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "anonymizer/date_order.h"

namespace sealbook::anonymizer {

struct LineStart {
  WrittenDate date;
  std::int8_t hour = 0, minute = 0;  // 0 to 23, as the mark for the half of the day has it
  std::int8_t second = -1;           // -1: not written
  // A word stands beside the time that is not known: where the hour is 1 to 12, that may be a mark
  // for the half of the day. `hour` is then as it stands.
  bool unknown_word = false;
  bool year_first_language = false;
  // A mark of direction stands before the line: iOS does so where it speaks itself.
  bool marked = false;
  bool bracket = false;
  // Of the brackets or dash, the order of date and time, the separators, the seconds, blanks before
  // it: one export has one form.
  std::uint8_t form = 0;
  static constexpr std::size_t kForms = 256;
  std::size_t rest = 0;  // where the author or the text begins
};

// `line` without its end; nullopt: it continues what stands above it.
std::optional<LineStart> ParseLineStart(absl::string_view line);

// Where an author could end in `rest`: positions of colons that a blank, a mark or the end follows,
// the first kMaxColons.
struct Colon {
  std::size_t at = 0;    // the author is before it
  std::size_t text = 0;  // the text begins here, its marks included
};
inline constexpr std::size_t kMaxColons = 3;
struct Colons {
  std::array<Colon, kMaxColons> all{};
  std::size_t count = 0;
};
Colons FindColons(absl::string_view rest);

// False where what stands before `colon` can be no name: too long, or with quotation marks that
// begin in it and end behind it, as the old and new name of a group have ("… changed the subject to
// “Sales: 2024”").
bool MayBeAuthor(absl::string_view rest, const Colon& colon);

// As ChatMessage::author: without marks of direction, a leading "~" and blanks at the ends.
std::string CleanAuthor(absl::string_view author);

}  // namespace sealbook::anonymizer
