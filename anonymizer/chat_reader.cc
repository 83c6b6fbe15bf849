#include "anonymizer/chat_reader.h"

#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/encodings.h"
#include "anonymizer/kakaotalk_reader.h"
#include "anonymizer/whatsapp_reader.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr ChatFormat kFormats[] = {ChatFormat::kWhatsApp, ChatFormat::kKakaoTalk,
                                   ChatFormat::kWebhook, ChatFormat::kJsonLines};

// What other programs' files begin with.
struct Signature {
  absl::string_view bytes, what, hint;
};
constexpr absl::string_view kExportAgain = "Export the chat from the app as text, and import that.";
const Signature kForeign[] = {
    {"\x89PNG\r\n\x1a\n", "is a picture, not a chat", kExportAgain},
    {"\xff\xd8\xff", "is a picture, not a chat", kExportAgain},
    {"GIF8", "is a picture, not a chat", kExportAgain},
    {"%PDF-", "is a PDF, not a chat", kExportAgain},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a document of an office program, not a chat",
     kExportAgain},
    {"{\\rtf", "is a text document, not a chat", kExportAgain},
    {"\x1f\x8b", "is compressed with gzip", "Unpack it first."},
    {"Rar!", "is a RAR archive", "Unpack it first."},
    {"7z\xbc\xaf\x27\x1c", "is a 7z archive", "Unpack it first."},
    {"\x28\xb5\x2f\xfd", "is compressed with zstd", "Unpack it first."},
    {"SQLite format 3", "is a database, not a chat",
     "A phone's own database is not read. Export the chat from the app as text."},
};

absl::Status Refused(absl::string_view clause, absl::string_view hint) {
  return WithHint(absl::InvalidArgumentError(clause), hint);
}

// The keys of the first object, as far as they stand in a head that may be cut off.
class FirstKeys : public nlohmann::json_sax<nlohmann::json> {
 public:
  absl::flat_hash_set<std::string> keys;
  bool complete = false;  // the object ended

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool key(string_t& name) override {
    constexpr std::size_t kMostKeys = 1000;
    if (depth_ == 1 && keys.size() < kMostKeys) keys.insert(name);
    return true;
  }
  bool end_object() override {
    complete = --depth_ == 0;
    return !complete;
  }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  int depth_ = 0;
};

// The beginning as UTF-8, without a mark and blanks.
std::string BeginOf(ByteSource& bytes) {
  const absl::string_view head = bytes.head();
  const auto mark = FindByteOrderMark(head);
  std::string text;
  if (mark && mark->encoding != Encoding::kUtf8) {
    Decoder(mark->encoding).Decode(head.substr(mark->bytes), bytes.head_is_all(), text);
  } else {
    text = std::string(head.substr(mark ? mark->bytes : 0));
  }
  return std::string(absl::StripLeadingAsciiWhitespace(text));
}

bool HoldsOneOf(const FirstKeys& first, std::initializer_list<absl::string_view> keys) {
  for (const absl::string_view key : keys) {
    if (first.keys.contains(key)) return true;
  }
  return false;
}

// JSON by its first object; nullopt: it is no JSON. An error: JSON of another kind.
absl::StatusOr<std::optional<ChatFormat>> FindJson(absl::string_view text) {
  absl::string_view inside = text;
  const bool array = absl::ConsumePrefix(&inside, "[");
  if (array) inside = absl::StripLeadingAsciiWhitespace(inside);
  if (array && inside.empty()) return std::nullopt;
  if (!absl::StartsWith(inside, "{")) return std::nullopt;
  // A template's "{name}" is no JSON, nor is "{\\rtf".
  const absl::string_view behind = absl::StripLeadingAsciiWhitespace(inside.substr(1));
  if (!behind.empty() && behind[0] != '"' && behind[0] != '}') return std::nullopt;
  FirstKeys first;
  nlohmann::json::sax_parse(inside, &first, nlohmann::json::input_format_t::json,
                            /*strict=*/false);
  if (HoldsOneOf(first, {"object", "entry", "messaging_product", "statuses", "message_echoes"}) ||
      (HoldsOneOf(first, {"field"}) && HoldsOneOf(first, {"value"})) ||
      (HoldsOneOf(first, {"contacts", "metadata"}) && HoldsOneOf(first, {"messages"}))) {
    return ChatFormat::kWebhook;
  }
  if (HoldsOneOf(first, {"direction", "text"}) &&
      HoldsOneOf(first, {"time", "phone", "uid", "whatsapp_id"})) {
    if (!array) return ChatFormat::kJsonLines;
    return Refused("is a JSON array of messages",
                   "Write one object a line (JSON Lines), with 'jq -c .[]' say.");
  }
  return Refused(
      "is JSON, but neither webhooks of WhatsApp nor chats as Sealbook's JSON Lines",
      "A line of a chat is {\"phone\": …, \"time\": …, \"direction\": \"in\", \"text\": …}.");
}

}  // namespace

absl::string_view NameOf(ChatFormat format) {
  switch (format) {
    case ChatFormat::kWhatsApp:
      return "whatsapp";
    case ChatFormat::kKakaoTalk:
      return "kakaotalk";
    case ChatFormat::kWebhook:
      return "webhook";
    case ChatFormat::kJsonLines:
      return "jsonl";
  }
  return "";
}

absl::StatusOr<ChatFormat> ParseChatFormat(absl::string_view name) {
  for (const ChatFormat format : kFormats) {
    if (absl::EqualsIgnoreCase(name, NameOf(format))) return format;
  }
  return WithHint(absl::InvalidArgumentError("there is no such format of chats"),
                  "Use whatsapp, kakaotalk, webhook or jsonl.");
}

absl::StatusOr<std::unique_ptr<ChatReader>> OpenChat(ByteSource& bytes,
                                                     const ChatReaderOptions& options) {
  for (const Signature& foreign : kForeign) {
    if (absl::StartsWith(bytes.head(), foreign.bytes)) return Refused(foreign.what, foreign.hint);
  }
  const bool zip =
      absl::StartsWith(bytes.head(), "PK\x03\x04") || absl::StartsWith(bytes.head(), "PK\x05\x06");
  if (zip && options.format && *options.format != ChatFormat::kWhatsApp) {
    return WithHint(
        absl::FailedPreconditionError("is a zip file, which only chats of WhatsApp come in"),
        "Unpack it first, or leave --format out.");
  }
  std::optional<ChatFormat> format = options.format;
  // What is wrong with a zip, its reader says best.
  if (zip) format = ChatFormat::kWhatsApp;
  if (!format) {
    ASSIGN_OR_RETURN(format, FindJson(BeginOf(bytes)));
  }
  if (!format && LooksLikeKakaoTalk(bytes, /*anywhere=*/false)) format = ChatFormat::kKakaoTalk;
  if (!format && LooksLikeWhatsApp(bytes)) format = ChatFormat::kWhatsApp;
  if (!format && LooksLikeKakaoTalk(bytes, /*anywhere=*/true)) format = ChatFormat::kKakaoTalk;
  if (!format) {
    return Refused(
        "is no chat: none of its first lines begins a message of WhatsApp or KakaoTalk, and it is "
        "no JSON",
        "Export the chat from the app as text, or name its format with --format.");
  }
  switch (*format) {
    case ChatFormat::kWhatsApp:
      return OpenWhatsApp(bytes, options);
    case ChatFormat::kKakaoTalk:
      return OpenKakaoTalk(bytes, options);
    case ChatFormat::kWebhook:
      return OpenWebhooks(bytes, options);
    case ChatFormat::kJsonLines:
      return OpenChatJsonLines(bytes, options);
  }
  return absl::InternalError("a format of chats without a reader");
}

}  // namespace sealbook::anonymizer
