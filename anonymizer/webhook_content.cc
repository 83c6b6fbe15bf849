#include "anonymizer/webhook_content.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

void AddLine(std::string& text, absl::string_view line) {
  if (line.empty()) return;
  absl::StrAppend(&text, text.empty() ? "" : "\n", line);
}

// "<image>", "<document: name>".
std::string Placeholder(absl::string_view what, absl::string_view name = "") {
  return absl::StrCat("<", what, name.empty() ? "" : ": ", name, ">");
}

bool IsMedia(absl::string_view type) {
  return type == "image" || type == "video" || type == "audio" || type == "voice" ||
         type == "document" || type == "sticker" || type == "gif";
}

void ReadMedia(const Json& json, const std::string& type, ChatMessage& message) {
  message.kind = MessageKind::kMedia;
  const auto* const media = JsonPart(json, type.c_str());
  message.text = Placeholder(type, media != nullptr ? JsonText(*media, "filename") : "");
  if (media != nullptr) AddLine(message.text, JsonText(*media, "caption"));
}

std::string Coordinate(const Json& location, const char* key) {
  const auto found = location.find(key);
  if (found == location.end()) return "";
  return found->is_number() ? found->dump() : JsonText(location, key);
}

void ReadLocation(const Json& location, ChatMessage& message) {
  message.text = Placeholder("location", absl::StrCat(Coordinate(location, "latitude"), ", ",
                                                      Coordinate(location, "longitude")));
  for (const char* const key : {"name", "address", "url"})
    AddLine(message.text, JsonText(location, key));
}

// A card's parts in one line: name, phones, emails.
std::string ContactLine(const Json& contact) {
  std::string line;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) absl::StrAppend(&line, line.empty() ? "" : ", ", part);
  };
  if (const Json* const name = JsonPart(contact, "name")) {
    std::string full = JsonText(*name, "formatted_name");
    if (full.empty()) full = JsonText(*name, "first_name");
    add(full);
  }
  for (const auto& [list, key] : {std::pair("phones", "phone"), std::pair("emails", "email")}) {
    const Json* const values = JsonPart(contact, list);
    if (values == nullptr || !values->is_array()) continue;
    for (const Json& value : *values) add(JsonText(value, key));
  }
  return Placeholder("contact", line);
}

void ReadInteractive(const Json& interactive, ChatMessage& message) {
  for (const char* const reply : {"button_reply", "list_reply"}) {
    if (const Json* const part = JsonPart(interactive, reply)) {
      AddLine(message.text, JsonText(*part, "title"));
      AddLine(message.text, JsonText(*part, "description"));
    }
  }
  if (const Json* const flow = JsonPart(interactive, "nfm_reply")) {
    AddLine(message.text, JsonText(*flow, "body"));
    AddLine(message.text, JsonText(*flow, "response_json"));
  }
  // What the business sends: a body with buttons.
  for (const char* const part : {"header", "body", "footer"}) {
    if (const Json* const inside = JsonPart(interactive, part))
      AddLine(message.text, JsonText(*inside, "text"));
  }
  if (message.text.empty()) message.text = Placeholder("interactive");
}

void ReadOrder(const Json& order, ChatMessage& message) {
  message.text = Placeholder("order");
  AddLine(message.text, JsonText(order, "text"));
  const Json* const items = JsonPart(order, "product_items");
  if (items == nullptr || !items->is_array()) return;
  for (const Json& item : *items) {
    const auto number = [&](const char* key) -> std::string {
      const auto found = item.is_object() ? item.find(key) : item.end();
      if (found == item.end()) return "";
      return found->is_number() ? found->dump() : JsonText(item, key);
    };
    AddLine(message.text,
            absl::StrCat(number("quantity"), " x ", JsonText(item, "product_retailer_id"), " ",
                         number("item_price"), " ", JsonText(item, "currency")));
  }
}

// Names of types are short words; anything else is not repeated.
std::string TypeWord(const std::string& type) {
  constexpr std::size_t kMostBytes = 40;
  const bool word = !type.empty() && type.size() <= kMostBytes &&
                    std::all_of(type.begin(), type.end(),
                                [](unsigned char c) { return absl::ascii_islower(c) || c == '_'; });
  return word ? type : "unknown";
}

}  // namespace

std::string JsonText(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  if (found == object.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return found->dump();
  return "";
}

const Json* JsonPart(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found != object.end() && found->is_structured() ? &*found : nullptr;
}

bool ReadWebhookContent(const Json& json, ChatMessage& message, int depth) {
  const std::string type = JsonText(json, "type");
  const auto* const part = type.empty() ? nullptr : JsonPart(json, type.c_str());
  message.kind = MessageKind::kText;
  message.text.clear();
  if (type == "text") {
    if (part != nullptr) message.text = JsonText(*part, "body");
  } else if (IsMedia(type)) {
    ReadMedia(json, type, message);
  } else if (type == "location" && part != nullptr) {
    ReadLocation(*part, message);
  } else if (type == "contacts" && part != nullptr && part->is_array()) {
    for (const auto& contact : *part) AddLine(message.text, ContactLine(contact));
  } else if (type == "interactive" && part != nullptr) {
    ReadInteractive(*part, message);
  } else if (type == "button" && part != nullptr) {
    message.text = JsonText(*part, "text");
    if (message.text.empty()) message.text = JsonText(*part, "payload");
  } else if (type == "reaction") {
    const std::string emoji = part != nullptr ? JsonText(*part, "emoji") : "";
    message.text = emoji.empty() ? "<reaction taken back>" : Placeholder("reaction", emoji);
  } else if (type == "order" && part != nullptr) {
    ReadOrder(*part, message);
  } else if (type == "template") {
    message.text = Placeholder("template", part != nullptr ? JsonText(*part, "name") : "");
  } else if (type == "system") {
    message.kind = MessageKind::kSystem;
    if (part != nullptr) message.text = JsonText(*part, "body");
    if (message.text.empty()) message.text = Placeholder("system");
  } else if (type == "request_welcome") {
    message.kind = MessageKind::kSystem;
    message.text = "<opened the chat>";
  } else if (type == "edit" && depth == 0 && part != nullptr && JsonPart(*part, "message")) {
    const bool known = ReadWebhookContent(*JsonPart(*part, "message"), message, depth + 1);
    message.edited = true;
    return known;
  } else if (type == "revoke") {
    message.kind = MessageKind::kDeleted;
    message.text = "<taken back>";
  } else if (type == "media_placeholder") {
    // History gives no media that is older than two weeks.
    message.kind = MessageKind::kMedia;
    message.text = Placeholder("media");
  } else if (type == "unsupported" || type == "unknown") {
    message.kind = MessageKind::kMedia;
    message.text = Placeholder("unsupported");
  } else {
    message.kind = MessageKind::kMedia;
    message.text = Placeholder(TypeWord(type));
    return false;
  }
  return true;
}

}  // namespace sealbook::anonymizer
