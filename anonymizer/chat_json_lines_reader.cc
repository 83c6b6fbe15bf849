// Sealbook's own JSON Lines of chats: one flat object a line,
//
//   {"phone" | "uid" | "whatsapp_id": …, "time": RFC 3339, "direction": "in" | "out", "text": …,
//    "author"?: …, "id"?: …}
//
// all of them strings. What names the customer may stand there more than once in different ways:
// it is then one person. Other keys are not read, and told.
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/identifier_memo.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kMaxIdBytes = 1024;

enum Key { kPhone, kUid, kWhatsAppId, kTime, kDirection, kAuthor, kText, kId, kKeys };
constexpr absl::string_view kNames[kKeys] = {"phone",     "uid",    "whatsapp_id", "time",
                                             "direction", "author", "text",        "id"};

// Takes the object apart as it is parsed: no tree is built, so depth costs nothing.
class Line : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::optional<std::string> values[kKeys];
  bool unknown_keys = false;
  std::string fault;

  bool null() override { return Scalar() && Taken(); }
  bool boolean(bool) override { return Scalar() && NoText(); }
  bool number_integer(number_integer_t) override { return Scalar() && NoText(); }
  bool number_unsigned(number_unsigned_t) override { return Scalar() && NoText(); }
  bool number_float(number_float_t, const string_t&) override { return Scalar() && NoText(); }
  bool string(string_t& value) override {
    if (!Scalar()) return false;
    if (key_ < kKeys && depth_ == 1) values[key_] = std::move(value);
    return Taken();
  }
  bool binary(binary_t&) override { return Fail("is no JSON"); }
  bool start_object(std::size_t) override {
    if (depth_++ > 0) return key_ == kKeys || NoText();
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ > 1) return true;
    key_ = kKeys;
    for (int i = 0; i < kKeys; ++i) {
      if (name == kNames[i]) key_ = i;
    }
    if (key_ == kKeys) {
      unknown_keys = true;
    } else if (seen_[key_]) {
      return Fail(absl::StrCat("names the key ", kNames[key_], " twice"));
    } else {
      seen_[key_] = true;
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return Fail("is no JSON object");
    ++depth_;
    return key_ == kKeys || NoText();
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return Fail("is no JSON");
  }

 private:
  bool Scalar() { return depth_ > 0 || Fail("is no JSON object"); }
  bool Taken() { return true; }
  bool NoText() {
    if (key_ == kKeys) return true;
    return Fail(absl::StrCat("has a ", kNames[key_], " that is no text"));
  }
  bool Fail(absl::string_view reason) {
    if (fault.empty()) fault = std::string(reason);
    return false;
  }

  int depth_ = 0;
  int key_ = kKeys;
  bool seen_[kKeys] = {};
};

// RFC 3339: "2024-01-03T14:05:06+09:00". Empty, or why it is none.
std::string ParseTime(absl::string_view text, absl::Time& time) {
  constexpr absl::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  const std::string wrong = "has a time that is not written as RFC 3339";
  if (text.size() < kShape.size()) return wrong;
  std::string normal(text);
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const auto c = static_cast<unsigned char>(normal[i]);
    if (kShape[i] == 'd' ? !absl::ascii_isdigit(c) : false) return wrong;
    if (kShape[i] == 'T' && (c == 't' || c == ' ')) normal[i] = 'T';
    if (kShape[i] != 'd' && normal[i] != kShape[i]) return wrong;
  }
  absl::string_view zone = absl::string_view(normal).substr(kShape.size());
  if (absl::ConsumePrefix(&zone, ".")) {
    const std::size_t digits = std::min(zone.find_first_not_of("0123456789"), zone.size());
    if (digits == 0) return wrong;
    zone.remove_prefix(digits);
  }
  if (zone.empty()) return "has a time without its zone";
  if (zone == "z") normal.back() = 'Z';
  // "+0900" is of ISO 8601 only.
  const bool offset = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
  if (!offset && zone != "Z" && zone != "z") return wrong;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, normal, &time, &error)) return wrong;
  time = absl::FromUnixSeconds(absl::ToUnixSeconds(time));  // whole seconds
  return "";
}

class ChatJsonLinesReader : public ChatReader {
 public:
  ChatJsonLinesReader(ByteSource& bytes, std::unique_ptr<TextSource> lines,
                      const ChatReaderOptions& options)
      : bytes_(bytes), lines_(std::move(lines)), ids_(options.region), latest_(options.latest) {}

  absl::StatusOr<bool> Next(ChatMessage& message) override {
    message = {};
    TextLine line;
    do {
      ASSIGN_OR_RETURN(const bool more, lines_->Next(line));
      if (!more) return false;
    } while (line.fault.empty() && absl::StripAsciiWhitespace(line.text).empty());
    std::string raw = std::move(line.fault.empty() ? line.text : line.raw);
    std::string fault = line.fault.empty() ? Read(raw, line.number, message) : line.fault;
    if (!fault.empty()) {
      message = {};
      message.fault = std::move(fault);
      message.raw = std::move(raw);
    }
    message.line = line.number;
    return true;
  }
  ChatFormat format() const override { return ChatFormat::kJsonLines; }
  std::vector<std::string> remarks() const override {
    if (unknown_keys_ == 0) return {};
    return {absl::StrCat(unknown_keys_, unknown_keys_ == 1 ? " line has" : " lines have",
                         " keys that are not read, line ", first_unknown_key_,
                         " first; what stands there was left out.")};
  }
  std::uint64_t bytes_read() const override { return bytes_.bytes_read(); }

 private:
  std::string Read(const std::string& text, std::int64_t number, ChatMessage& message) {
    Line line;
    if (!nlohmann::json::sax_parse(text, &line)) return line.fault;
    const auto holds = [&](Key key) { return line.values[key] && !line.values[key]->empty(); };
    for (const auto& value : line.values) {
      if (value && value->find('\0') != std::string::npos) return "holds a NUL, so it is no text";
    }
    for (const Key key : {kTime, kDirection, kText}) {
      if (!holds(key)) return absl::StrCat("has no ", kNames[key]);
    }
    if (holds(kPhone)) {
      const auto& phone = ids_.Normalize(IdentifierKind::kPhone, *line.values[kPhone]);
      if (!phone.ok()) return absl::StrCat("has a phone that ", phone.status().message());
      message.customer.push_back(*phone);
    }
    if (holds(kWhatsAppId)) {
      const auto& id = ids_.Normalize(IdentifierKind::kWhatsAppId, *line.values[kWhatsAppId]);
      if (!id.ok()) return absl::StrCat("has a whatsapp_id that ", id.status().message());
      if (message.customer.empty() || message.customer[0] != *id) message.customer.push_back(*id);
    }
    if (holds(kUid)) {
      const auto token = records::ParseToken(absl::StripAsciiWhitespace(*line.values[kUid]));
      if (!token.ok()) return "has a uid that is no token, or a mistyped one";
      message.token = records::FormatToken(*token);
    }
    if (message.customer.empty() && message.token.empty())
      return "names no customer: it has no phone, uid or whatsapp_id";
    if (std::string fault = ParseTime(*line.values[kTime], message.time); !fault.empty())
      return fault;
    if (const absl::string_view fault = FaultOfTime(message.time, latest_); !fault.empty())
      return std::string(fault);
    const std::string& direction = *line.values[kDirection];
    if (direction != "in" && direction != "out")
      return "has a direction that is neither in nor out";
    message.outgoing = direction == "out";
    message.text = TidyChatText(*line.values[kText]);
    if (message.text.empty()) return "has no text";
    if (message.text.size() > kMaxTextBytes) return "is longer than 1 MiB";
    if (holds(kAuthor)) message.author = TidyAuthor(*line.values[kAuthor]);
    if (holds(kId)) message.id = *std::move(line.values[kId]);
    if (message.id.size() > kMaxIdBytes) return "has an id longer than 1 KiB";
    if (line.unknown_keys && unknown_keys_++ == 0) first_unknown_key_ = number;
    return "";
  }

  ByteSource& bytes_;
  std::unique_ptr<TextSource> lines_;
  IdentifierMemo ids_;
  absl::Time latest_;
  std::uint64_t unknown_keys_ = 0;
  std::int64_t first_unknown_key_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ChatReader>> OpenChatJsonLines(ByteSource& bytes,
                                                              const ChatReaderOptions& options) {
  ASSIGN_OR_RETURN(auto lines, OpenChatLines(bytes));
  return std::make_unique<ChatJsonLinesReader>(bytes, std::move(lines), options);
}

}  // namespace sealbook::anonymizer
