// The messages of one webhook of WhatsApp's Cloud API (Graph API, "webhooks", field `messages` and
// those of businesses that use the app beside it: `smb_message_echoes`, `history`).
//
//   {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": …, "value": {…}}]}]}
//
// A change or a value without what stands around it is taken as well, as programs keep them.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/time/time.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/identifier_memo.h"

namespace sealbook::anonymizer {

// What webhooks hold beside messages.
struct WebhookCounts {
  std::uint64_t statuses = 0;       // sent, delivered, read, failed
  std::uint64_t other_events = 0;   // calls, contacts of the phone, templates, accounts
  std::uint64_t in_groups = 0;      // messages that customers wrote in groups
  std::uint64_t unknown_types = 0;  // of which only time and type are known
  std::uint64_t strange_ids = 0;    // identifiers that cannot be read, beside some that can
};

// The document of `text`, or why it is none: "is no JSON", "names the same key twice".
// Half a character ("\ud83d" alone) is read as U+FFFD.
std::string ParseWebhook(const std::string& text, nlohmann::json& document);

// Belongs to one thread.
class WebhookMessages {
 public:
  explicit WebhookMessages(absl::Time latest) : latest_(latest) {}

  // Appends the messages of a document that begins at `line`, with their faults. What is no webhook
  // of WhatsApp is one fault. `text`: as it stands, for the file of rejects.
  void Add(const nlohmann::json& document, std::int64_t line, const std::string& text,
           std::deque<ChatMessage>& out);
  const WebhookCounts& counts() const { return counts_; }

 private:
  struct Person;
  void AddChange(const nlohmann::json& change);
  void AddValue(const nlohmann::json& value);
  void AddList(const nlohmann::json& value, const char* key, bool outgoing);
  void AddHistory(const nlohmann::json& value);
  void AddThread(const nlohmann::json& value, const nlohmann::json& thread);
  void AddMessage(const nlohmann::json& value, const nlohmann::json& json, bool outgoing,
                  Person person);
  void AddFault(absl::string_view fault, std::string raw);
  std::string SetCustomer(const Person& person, bool outgoing, ChatMessage& message);

  absl::Time latest_;
  IdentifierMemo ids_;
  WebhookCounts counts_;
  // Of the document that is being read.
  std::deque<ChatMessage>* out_ = nullptr;
  std::int64_t line_ = 0;
  std::size_t found_ = 0;  // parts of it that are known
};

}  // namespace sealbook::anonymizer
