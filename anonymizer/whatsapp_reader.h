// WhatsApp's own exports, as its "Export chat" writes them on every phone and in every language: a
// text, or a zip that holds the text beside its media. The lines are anonymizer/whatsapp_line.h's,
// the order of day and month anonymizer/date_order.h's; OpenWhatsApp is declared in chat_reader.h.
#pragma once

#include "anonymizer/byte_source.h"

namespace sealbook::anonymizer {

// True for a zip, since no other app's chats come in one, and for a text among whose first lines
// one begins as a message of WhatsApp does. Reads nothing: whoever reads next gets it all.
bool LooksLikeWhatsApp(const ByteSource& bytes);

}  // namespace sealbook::anonymizer
