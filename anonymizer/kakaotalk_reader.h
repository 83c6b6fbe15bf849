// KakaoTalk's own exports, as phones (Android, iOS) and computers (Windows, Mac) write them, in
// Korean, English and Japanese. The lines are anonymizer/kakaotalk_records.h's; OpenKakaoTalk is
// declared in chat_reader.h.
#pragma once

#include "anonymizer/byte_source.h"

namespace sealbook::anonymizer {

// True for a text among whose first lines one begins as only KakaoTalk's do. Reads nothing with
// `bytes.Read`: whoever reads next gets it all.
bool LooksLikeKakaoTalk(ByteSource& bytes);

}  // namespace sealbook::anonymizer
