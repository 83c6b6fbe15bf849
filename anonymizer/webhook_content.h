// What a message of a webhook says, by its type: text, or a line that stands for what is no text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "anonymizer/chat_reader.h"

namespace sealbook::anonymizer {

using Json = nlohmann::json;

// Strings and whole numbers as text; anything else, and what is not there, as nothing.
std::string JsonText(const Json& object, const char* key);
// The object or list of that name; nullptr: there is none.
const Json* JsonPart(const Json& object, const char* key);

// Sets text, kind and edited of `message`. False where the type is not known, of which then only
// its name is given. `depth`: an edit holds the message as it is now, which is no edit again.
bool ReadWebhookContent(const Json& json, ChatMessage& message, int depth = 0);

}  // namespace sealbook::anonymizer
