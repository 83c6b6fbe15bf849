// What the readers of chats have in common: texts, names and times as ChatMessage wants them, and a
// file's lines, where chats are UTF-8 unless they say otherwise. Functions may be called from any
// thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "anonymizer/text_source.h"

namespace sealbook::anonymizer {

// A message's text: line breaks as "\n", no marks of direction at its ends, no line breaks there
// either. What stands inside stays.
std::string TidyChatText(absl::string_view text);
// Without marks of direction and blanks at its ends and the "~" of people who are in no phone book.
std::string TidyAuthor(absl::string_view name);
absl::string_view WithoutMarks(absl::string_view text);  // of direction, at its ends

// "has a time before 2009", "has a time in the future"; empty for a time that can be.
absl::string_view FaultOfTime(absl::Time time, absl::Time latest);

// The lines of a chat: UTF-16 where a mark or its zeros say so, otherwise UTF-8, or `old` where
// most of the file is not that. No encoding is guessed beyond these: what is of none of them is a
// fault of its line. `may_be_cut` as in TextSource::Open. `bytes` outlives the source.
// InvalidArgument: not a text file.
absl::StatusOr<std::unique_ptr<TextSource>> OpenChatLines(ByteSource& bytes,
                                                          Encoding old = Encoding::kUtf8,
                                                          bool may_be_cut = false);

}  // namespace sealbook::anonymizer
