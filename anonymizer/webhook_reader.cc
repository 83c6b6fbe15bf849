// Webhooks of WhatsApp's Cloud API as they were kept: anonymizer/json_documents.h finds them in the
// file, anonymizer/webhook_messages.h takes them apart.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/json_documents.h"
#include "anonymizer/webhook_messages.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

class WebhookReader : public ChatReader {
 public:
  WebhookReader(ByteSource& bytes, absl::Time latest)
      : bytes_(bytes), documents_(bytes), messages_(latest) {}

  absl::StatusOr<bool> Next(ChatMessage& message) override {
    while (ready_.empty()) {
      JsonDocument document;
      ASSIGN_OR_RETURN(const bool more, documents_.Next(document));
      if (!more) return false;
      nlohmann::json json;
      if (document.fault.empty()) document.fault = ParseWebhook(document.text, json);
      if (document.fault.empty()) {
        messages_.Add(json, document.line, document.text, ready_);
        continue;
      }
      ChatMessage fault;
      fault.line = document.line;
      fault.fault = std::move(document.fault);
      fault.raw = std::move(document.text);
      ready_.push_back(std::move(fault));
    }
    message = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }
  ChatFormat format() const override { return ChatFormat::kWebhook; }
  std::vector<std::string> remarks() const override {
    std::vector<std::string> remarks;
    const auto add = [&](std::uint64_t count, absl::string_view one, absl::string_view many,
                         absl::string_view rest) {
      if (count > 0) remarks.push_back(absl::StrCat(count, " ", count == 1 ? one : many, rest));
    };
    const WebhookCounts& counts = messages_.counts();
    add(counts.statuses, "status of a message was", "statuses of messages were",
        " passed over: they say what became of a message, and are none.");
    add(counts.other_events, "event of another kind was", "events of other kinds were",
        " passed over: calls, contacts, templates and the like.");
    add(counts.in_groups, "message was", "messages were",
        " written in a group; each is in the chat of whoever wrote it.");
    add(counts.unknown_types, "message is", "messages are",
        " of a type that is not known: only its name and the time were taken.");
    add(counts.strange_ids, "message names", "messages name",
        " its customer by something more, which is neither a phone nor an id of WhatsApp; that "
        "was left out.");
    return remarks;
  }
  std::uint64_t bytes_read() const override { return bytes_.bytes_read(); }

 private:
  ByteSource& bytes_;
  JsonDocuments documents_;
  WebhookMessages messages_;
  std::deque<ChatMessage> ready_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ChatReader>> OpenWebhooks(ByteSource& bytes,
                                                         const ChatReaderOptions& options) {
  return std::make_unique<WebhookReader>(bytes, options.latest);
}

}  // namespace sealbook::anonymizer
