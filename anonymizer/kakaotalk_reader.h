// KakaoTalk's own exports, as phones (Android, iOS) and computers (Windows, Mac) write them, in
// Korean, English and Japanese. The lines are anonymizer/kakaotalk_records.h's; OpenKakaoTalk is
// declared in chat_reader.h.
#pragma once

#include "anonymizer/byte_source.h"

namespace sealbook::anonymizer {

// True for a text with a line of KakaoTalk's before any that WhatsApp could have written; with
// `anywhere`, for one with any such line among its first. Reads nothing with `bytes.Read`: whoever
// reads next gets it all.
bool LooksLikeKakaoTalk(ByteSource& bytes, bool anywhere);

}  // namespace sealbook::anonymizer
