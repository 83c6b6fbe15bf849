#include "anonymizer/webhook_messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/webhook_content.h"

namespace sealbook::anonymizer {

// Under what a webhook names somebody. User names are left out: people change them, and then
// somebody else may take them.
struct WebhookMessages::Person {
  std::string phone;  // wa_id, from, to
  std::string user_id, parent_user_id;
  std::string new_phone;  // of somebody who changed the number
  std::string name;

  bool empty() const { return phone.empty() && user_id.empty() && parent_user_id.empty(); }
  // One identifier in common and none that differs.
  bool IsSameAs(const Person& other) const {
    const auto same = [](const std::string& a, const std::string& b) {
      return !a.empty() && a == b;
    };
    return same(phone, other.phone) || same(user_id, other.user_id) ||
           same(parent_user_id, other.parent_user_id);
  }
  bool Contradicts(const Person& other) const {
    const auto differs = [](const std::string& a, const std::string& b) {
      return !a.empty() && !b.empty() && a != b;
    };
    return differs(user_id, other.user_id) || differs(parent_user_id, other.parent_user_id);
  }
  void TakeFrom(const Person& other) {
    for (const auto& [mine, others] :
         {std::pair(&phone, &other.phone), std::pair(&user_id, &other.user_id),
          std::pair(&parent_user_id, &other.parent_user_id), std::pair(&name, &other.name)}) {
      if (mine->empty()) *mine = *others;
    }
  }
};

namespace {

constexpr std::size_t kMaxIdBytes = 1024;

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Digits(absl::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits;
}

// False where a list of that name is something else.
bool IsListOrNothing(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found == value.end() || found->is_null() || found->is_array();
}

std::uint64_t CountOf(const Json& value, const char* key) {
  const Json* const list = JsonPart(value, key);
  return list != nullptr ? list->size() : 0;
}

// The code unit that "\uD83D" at the beginning of `text` stands for; -1: there is none.
int EscapedUnit(absl::string_view text) {
  int unit = 0;
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  for (const char c : text.substr(2, 4)) {
    const std::size_t digit = absl::string_view("0123456789abcdefABCDEF").find(c);
    if (digit == absl::string_view::npos) return -1;
    unit = unit * 16 + static_cast<int>(digit < 16 ? digit : digit - 6);
  }
  return unit;
}

// Halves of characters, as phones write where they cut a text off inside an emoji, are no JSON for
// the library, though each other message of the document is: U+FFFD stands for them. nullopt: there
// is none.
std::optional<std::string> WithoutLoneSurrogates(std::string text) {
  bool any = false;
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const absl::string_view rest = absl::string_view(text).substr(at);
    const int unit = EscapedUnit(rest);
    if (unit < 0xd800 || unit > 0xdfff) {
      at += 2;
      continue;
    }
    const int next = EscapedUnit(rest.substr(6));
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      at += 12;
      continue;
    }
    text.replace(at, 6, "\\ufffd");
    at += 6;
    any = true;
  }
  if (!any) return std::nullopt;
  return text;
}

}  // namespace

std::string ParseWebhook(const std::string& text, Json& document) {
  std::vector<std::size_t> keys;  // how many each open object named
  bool twice = false;
  const Json::parser_callback_t watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      keys.push_back(0);
    } else if (event == Json::parse_event_t::object_end) {
      // A key that comes again takes the place of the first one.
      twice = parsed.size() != keys.back() || twice;
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      ++keys.back();
    }
    return true;
  };
  document = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    const auto mended = WithoutLoneSurrogates(text);
    if (!mended) return "is no JSON";
    keys.clear();
    twice = false;
    document = Json::parse(*mended, watch, /*allow_exceptions=*/false);
    if (document.is_discarded()) return "is no JSON";
  }
  if (twice) return "names the same key twice";
  return "";
}

void WebhookMessages::AddFault(absl::string_view fault, std::string raw) {
  ChatMessage message;
  message.line = line_;
  message.fault = std::string(fault);
  message.raw = std::move(raw);
  out_->push_back(std::move(message));
}

void WebhookMessages::Add(const Json& document, std::int64_t line, const std::string& text,
                          std::deque<ChatMessage>& out) {
  out_ = &out;
  line_ = line;
  found_ = 0;
  if (!document.is_object()) return AddFault("is no JSON object", text);
  const std::string object = JsonText(document, "object");
  if (object == "page") return AddFault("is a webhook of Messenger, which is not read", text);
  if (object == "instagram") return AddFault("is a webhook of Instagram, which is not read", text);
  if (document.contains("object") && object != "whatsapp_business_account")
    return AddFault("is a webhook of another product, which is not read", text);
  const Json* const entries = JsonPart(document, "entry");
  if (document.contains("entry") && (entries == nullptr || !entries->is_array()))
    return AddFault("has an entry that is no list", text);
  if (entries != nullptr) {
    for (const Json& entry : *entries) {
      const Json* const changes = JsonPart(entry, "changes");
      if (changes != nullptr && changes->is_array()) {
        ++found_;
        for (const Json& change : *changes) AddChange(change);
      } else if (entry.is_object() && (entry.contains("messaging") || entry.contains("standby"))) {
        AddFault("is a webhook of Messenger or Instagram, which are not read", Dump(entry));
        ++found_;
      } else {
        AddFault("has an entry without changes", Dump(entry));
        ++found_;
      }
    }
  } else if (document.contains("value")) {
    AddChange(document);
  } else {
    AddValue(document);
  }
  if (found_ == 0) AddFault("is no webhook of WhatsApp", text);
}

void WebhookMessages::AddChange(const Json& change) {
  const Json* const value = JsonPart(change, "value");
  if (value == nullptr || !value->is_object()) {
    ++found_;
    return AddFault("has a change without a value", Dump(change));
  }
  const std::size_t before = found_;
  AddValue(*value);
  if (found_ == before && change.contains("field")) {
    ++found_;
    ++counts_.other_events;
  }
}

void WebhookMessages::AddValue(const Json& value) {
  const auto product = value.find("messaging_product");
  if (product != value.end() && *product != "whatsapp") {
    ++found_;
    return AddFault("is a webhook of another product, which is not read", Dump(value));
  }
  for (const char* const key : {"messages", "message_echoes", "history", "statuses", "contacts"}) {
    if (IsListOrNothing(value, key)) continue;
    ++found_;
    return AddFault("has a part that should be a list and is none", Dump(value));
  }
  AddList(value, "messages", false);
  AddList(value, "message_echoes", true);
  AddHistory(value);
  if (const std::uint64_t count = CountOf(value, "statuses"); count > 0) {
    counts_.statuses += count;
    ++found_;
  }
  for (const char* const key : {"calls", "errors", "state_sync", "user_preferences"}) {
    if (const std::uint64_t count = CountOf(value, key); count > 0) {
      counts_.other_events += count;
      ++found_;
    }
  }
  // A webhook of WhatsApp that holds nothing.
  if (product != value.end() && value.contains("metadata")) ++found_;
}

void WebhookMessages::AddList(const Json& value, const char* key, bool outgoing) {
  const Json* const list = JsonPart(value, key);
  if (list == nullptr) return;
  ++found_;
  for (const Json& message : *list) AddMessage(value, message, outgoing, {});
}

void WebhookMessages::AddHistory(const Json& value) {
  const Json* const history = JsonPart(value, "history");
  if (history == nullptr) return;
  ++found_;
  for (const Json& chunk : *history) {
    const Json* const threads = JsonPart(chunk, "threads");
    if (threads == nullptr || !threads->is_array()) {
      // The business did not want its history to be shared.
      ++counts_.other_events;
      continue;
    }
    for (const Json& thread : *threads) AddThread(value, thread);
  }
}

void WebhookMessages::AddThread(const Json& value, const Json& thread) {
  const Json* const messages = JsonPart(thread, "messages");
  if (messages == nullptr || !messages->is_array())
    return AddFault("has a thread without messages", Dump(thread));
  Person person{.phone = JsonText(thread, "id")};
  if (const Json* const context = JsonPart(thread, "context")) {
    if (person.phone.empty()) person.phone = JsonText(*context, "wa_id");
    person.user_id = JsonText(*context, "user_id");
    person.parent_user_id = JsonText(*context, "parent_user_id");
  }
  std::string business;
  if (const Json* const metadata = JsonPart(value, "metadata"))
    business = Digits(JsonText(*metadata, "display_phone_number"));
  for (const Json& message : *messages) {
    const std::string from = Digits(JsonText(message, "from"));
    const bool by_customer = (!from.empty() && from == Digits(person.phone)) ||
                             (from.empty() && !person.user_id.empty() &&
                              JsonText(message, "from_user_id") == person.user_id);
    const bool by_business = !by_customer && !from.empty() &&
                             (from == business || message.contains("to") || !person.phone.empty());
    if (!by_customer && !by_business) {
      AddFault("does not say who wrote it", Dump(message));
      continue;
    }
    AddMessage(value, message, by_business, person);
  }
}

// The customer under all names that the message and its webhook give; otherwise why there is none.
std::string WebhookMessages::SetCustomer(const Person& person, bool outgoing,
                                         ChatMessage& message) {
  bool strange = false;
  for (const std::string& id :
       {person.phone, person.new_phone, person.user_id, person.parent_user_id}) {
    if (id.empty()) continue;
    const auto& value = ids_.Normalize(IdentifierKind::kWhatsAppId, id);
    if (!value.ok()) {
      strange = true;
    } else if (std::find(message.customer.begin(), message.customer.end(), *value) ==
               message.customer.end()) {
      message.customer.push_back(*value);
    }
  }
  if (message.customer.empty()) {
    if (strange) return "names its customer by nothing that is a phone or an id of WhatsApp";
    return outgoing ? "does not say to whom it went" : "does not say who wrote it";
  }
  if (strange) ++counts_.strange_ids;
  return "";
}

void WebhookMessages::AddMessage(const Json& value, const Json& json, bool outgoing,
                                 Person person) {
  if (!json.is_object()) return AddFault("has a message that is no object", Dump(json));
  ChatMessage message;
  message.line = line_;
  message.id = JsonText(json, "id");
  const auto give = [&](std::string fault) {
    if (!fault.empty()) return AddFault(fault, Dump(json));
    out_->push_back(std::move(message));
  };

  const bool known = ReadWebhookContent(json, message);
  message.text = TidyChatText(message.text);
  const bool system = message.kind == MessageKind::kSystem;

  // Who it is.
  const std::string own = outgoing ? "to" : "from";
  Person named{.phone = JsonText(json, own.c_str()),
               .user_id = JsonText(json, (own + "_user_id").c_str()),
               .parent_user_id = JsonText(json, (own + "_parent_user_id").c_str())};
  if (outgoing && named.user_id.empty()) named.user_id = JsonText(json, "recipient_user_id");
  named.TakeFrom(person);
  if (const auto* const part = JsonPart(json, "system"); system && part != nullptr) {
    if (named.phone.empty()) named.phone = JsonText(*part, "customer");
    if (absl::StrContains(JsonText(*part, "type"), "changed_number")) {
      named.new_phone = JsonText(*part, "new_wa_id");
      if (named.new_phone.empty()) named.new_phone = JsonText(*part, "wa_id");
    }
  }
  const auto* const contacts = JsonPart(value, "contacts");
  std::size_t matches = 0;
  Person match;
  if (contacts != nullptr) {
    for (const auto& contact : *contacts) {
      Person one{.phone = JsonText(contact, "wa_id"),
                 .user_id = JsonText(contact, "user_id"),
                 .parent_user_id = JsonText(contact, "parent_user_id")};
      if (const auto* const profile = JsonPart(contact, "profile"))
        one.name = JsonText(*profile, "name");
      // A message that names nobody is of the only contact there is.
      const bool only = contacts->size() == 1 && named.empty() && !outgoing;
      if (!only && !named.IsSameAs(one)) continue;
      if (named.Contradicts(one)) return give("names two people as one");
      if (matches++ == 0 || match.empty()) match = std::move(one);
    }
  }
  named.TakeFrom(match);
  if (JsonPart(json, "group_id") != nullptr || !JsonText(json, "group_id").empty()) {
    if (outgoing) return give("was written to a group, which is no customer's chat");
    ++counts_.in_groups;
  }
  if (std::string fault = SetCustomer(named, outgoing, message); !fault.empty())
    return give(std::move(fault));
  message.outgoing = outgoing;
  if (!outgoing && !system) message.author = TidyAuthor(named.name);

  // When it was.
  const std::string timestamp = JsonText(json, "timestamp");
  std::int64_t seconds = 0;
  if (timestamp.empty()) return give("has no time");
  if (timestamp.size() > 18 || !absl::SimpleAtoi(timestamp, &seconds))
    return give("has a time that is no number of seconds");
  message.time = absl::FromUnixSeconds(seconds);
  if (const absl::string_view fault = FaultOfTime(message.time, latest_); !fault.empty())
    return give(std::string(fault));

  if (message.id.size() > kMaxIdBytes) return give("has an id longer than 1 KiB");
  if (message.text.empty()) return give("has no text");
  if (message.text.size() > ChatReader::kMaxTextBytes) return give("is longer than 1 MiB");
  for (const std::string* const part : {&message.text, &message.id, &message.author}) {
    if (part->find('\0') != std::string::npos) return give("holds a NUL, so it is no text");
  }
  if (!known) ++counts_.unknown_types;
  give("");
}

}  // namespace sealbook::anonymizer
