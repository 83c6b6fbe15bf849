// KakaoTalk's own exports, as phones (Android, iOS) and computers (Windows, Mac) write them, in
// Korean, English and Japanese. The lines are anonymizer/kakaotalk_records.h's; OpenKakaoTalk is
// declared in chat_reader.h.
#pragma once

#include "anonymizer/byte_source.h"

namespace sealbook::anonymizer {

// True for a text that begins as only KakaoTalk's do; with `anywhere`, for one of which any of the
// first lines does: the beginning may be cut off, but it may also be another app's chat into which
// a piece of this was pasted. Reads nothing with `bytes.Read`: whoever reads next gets it all.
bool LooksLikeKakaoTalk(ByteSource& bytes, bool anywhere);

}  // namespace sealbook::anonymizer
