// What KakaoTalk's exports say in words of the app: placeholders of media and of deleted messages,
// notices, the lines at a file's head. In Korean, English and Japanese. Words only classify what
// the structure has already told; where they must do more, it is said here.
//
// Functions may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "anonymizer/chat_reader.h"

namespace sealbook::anonymizer {

// kText, kMedia or kDeleted. Whoever writes "사진" himself cannot be told from the app.
MessageKind KindOfKakaoTalkText(absl::string_view text);

// A notice as a whole line ("…님이 들어왔습니다."). Computers' exports give neither author nor time
// to such lines, so that there the words are all that tells them from a message's further lines.
bool IsKakaoTalkNotice(absl::string_view line);
// Of Mac, whose notices have the one they are about as their author.
bool IsKakaoTalkNoticeAbout(absl::string_view text, absl::string_view author);
// Somebody was invited or sent away, which happens in groups only.
bool TellsOfGroup(absl::string_view notice);
// Who came or went, which may be the other of a chat of two; empty: nobody.
std::string WhoCameOrWent(absl::string_view notice);

// "회원님", "You": the one who exported the chat.
bool IsKakaoTalkSelf(absl::string_view author);

// The first lines of a file.
struct KakaoTalkTitle {
  std::string chat_name;
  std::uint64_t members = 0;  // 0: not said
};
std::optional<KakaoTalkTitle> ReadKakaoTalkTitle(absl::string_view line);
bool IsKakaoTalkSavedLine(absl::string_view line);

}  // namespace sealbook::anonymizer
