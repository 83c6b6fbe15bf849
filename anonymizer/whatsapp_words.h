// What WhatsApp itself writes into an export, in the languages in which that was seen. Words only
// classify: which line is whose is told by the lines' structure (anonymizer/whatsapp_line.h), so a
// language that is missing here costs a picture that counts as a text, and no message.
//
// Functions may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// All of these look at a text without marks of direction at its ends.

// A picture, sound, film, file or card that is not in the export, or the name of a file that is.
// Only the first line counts: what people wrote to a picture stands below it.
bool IsMediaPlaceholder(absl::string_view text);
bool IsDeletedPlaceholder(absl::string_view text);
// Bytes at the end of `text` that say that it was edited, with the blank before; 0: none. Where a
// mark of direction stands before it, in any language.
std::size_t EditedMarkBytes(absl::string_view text);
// Says that messages are encrypted, that a code or number changed: never what a person wrote, so it
// is told even where an author seems to stand before it.
bool IsNotice(absl::string_view text);
// What the app's words say of a group. People may write such words too: only for what is known to
// be the app's, or the group's own name's.
enum class GroupSign : std::uint8_t {
  kNone,
  kComing,  // somebody came, was added or removed, or became an admin, as it seems
  kGoing,   // somebody left, who is named at the beginning
  kGroup,   // it speaks of a group as such
};
GroupSign GroupSignOf(absl::string_view text);
// kGroup of fewer words, which no name has ("changed the subject").
bool IsGroupAct(absl::string_view text);

// Whose chat a file's name says this is: "WhatsApp Chat with X.txt", "X님과의 WhatsApp 대화.zip".
// `path` may have folders. nullopt: the name is not of that kind.
std::optional<std::string> ChatNameOf(absl::string_view path);

}  // namespace sealbook::anonymizer
