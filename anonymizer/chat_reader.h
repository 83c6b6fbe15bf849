// Messages of chats, whatever the file's form: a reader for each form, and one interface for those
// who consume messages. Readers know the forms and nothing of the vault: whose chat a message
// belongs to is decided by anonymizer/chat_import.h.
//
// There are two kinds of forms. The *exports* of an app (WhatsApp, KakaoTalk) hold one chat, name
// people as the phone did that wrote them, and give the clock on its wall; what can be told only
// from the whole file (the order of day and month, who takes part) is in the survey, for which the
// file is read once before the first message is given. *Records* (webhooks, JSON Lines) say of each
// message whose it is.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "anonymizer/byte_source.h"
#include "vault/records/index.h"

namespace sealbook::anonymizer {

enum class ChatFormat { kWhatsApp, kKakaoTalk, kWebhook, kJsonLines };
// "whatsapp", "kakaotalk", "webhook", "jsonl".
absl::string_view NameOf(ChatFormat format);
// InvalidArgument: a format that is not read.
absl::StatusOr<ChatFormat> ParseChatFormat(absl::string_view name);

enum class MessageKind : std::uint8_t {
  kText,
  kMedia,    // a placeholder stands for the picture, sound, file; `text` is that line as it stands
  kDeleted,  // a placeholder stands for what was taken back
  kSystem,   // the app speaks: somebody joined, a number changed; there is no author
};

struct ChatMessage {
  std::int64_t line = 0;  // where it begins, from 1; of an array of JSON, the line of its object
  absl::Time time;        // whole seconds; whole minutes where the form has no more
  MessageKind kind = MessageKind::kText;
  bool edited = false;  // a mark said so; it is not part of `text`
  std::string text;     // UTF-8, line breaks as "\n", without marks of direction at its ends

  // As the file names the author, without marks of direction and a leading "~ ". Empty for system
  // lines; of records, wherever they give no name.
  std::string author;

  // Of records: the customer whose chat it is, under all names that the record gives (they are one
  // person's), normalised as anonymizer/identifiers.h does; or the customer's token.
  std::vector<records::IdentifierValue> customer;
  std::string token;
  std::optional<bool> outgoing;  // true: written by the company
  std::string id;                // the service's id of the message; empty where it gives none

  // A clause why the message cannot be taken ("has a time in 1970"); empty where it can. Such a
  // message may lack everything but `line`. Never with a value of the file.
  std::string fault;
  std::string raw;  // of a faulty one: what stands there, for the file of rejects; may be empty
};

// What the whole file of an export says.
struct ChatSurvey {
  // As the file itself or the name inside a zip tells; empty where nothing does. Personal.
  std::string chat_name;
  // Authors, as in ChatMessage, and how many messages each wrote. At most kMaxAuthors.
  std::map<std::string, std::uint64_t> authors;
  static constexpr std::size_t kMaxAuthors = 10'000;
  // The author under whom the app itself says "you" (KakaoTalk's "회원님"): whoever exported the
  // chat. Empty where all authors have their names.
  std::string self;
  // `messages` is what the authors wrote, media and deleted among it.
  std::uint64_t messages = 0, system_lines = 0, media = 0, deleted = 0;
  // True where system lines or the number of authors say that this is a group.
  bool is_group = false;
  // How days are written, and why that was concluded: "day-month-year: a part above 12 (line 31)".
  // Empty where there was nothing to decide.
  std::string date_order;
  // Nothing in the file decided the order of day and month.
  bool date_order_is_assumed = false;
};

struct ChatReaderOptions {
  std::optional<ChatFormat> format;  // none: found from the file
  // Of exports, which give the clock on the wall and not its zone.
  absl::TimeZone zone = absl::LocalTimeZone();
  // For phones without a country code: of the vault (ISO 3166).
  std::string region;
  // Of exports: the company's author, a name or a phone (RoleOptions::me); empty: not said. Tells
  // where a name ends that has a colon in it.
  std::string me;
  // Times after this are faults, and before 2009 (WhatsApp's first year) too. Now and a day.
  absl::Time latest = absl::Now() + absl::Hours(24);
};

// Belongs to one thread at a time.
class ChatReader {
 public:
  // A message beyond this is a fault; WhatsApp's own limit is 65,536 characters.
  static constexpr std::size_t kMaxTextBytes = 1 << 20;

  virtual ~ChatReader() = default;
  // False at the end. InvalidArgument: the file cannot be read any further, a clause with its line.
  virtual absl::StatusOr<bool> Next(ChatMessage& message) = 0;
  virtual ChatFormat format() const = 0;
  // nullptr for records.
  virtual const ChatSurvey* survey() const { return nullptr; }
  // What else people should know of what was found, one sentence each, without any value of the
  // file. Complete once all messages were read.
  virtual std::vector<std::string> remarks() const { return {}; }
  // How far the reader is in the file: bytes of `bytes_total` of its source.
  virtual std::uint64_t bytes_read() const = 0;
};

// Finds out what the file is. `bytes` outlives the reader.
// InvalidArgument: a kind of file that is not read, or no chat; a clause with the line, where there
// is one. FailedPrecondition: options that do not fit the file.
absl::StatusOr<std::unique_ptr<ChatReader>> OpenChat(ByteSource& bytes,
                                                     const ChatReaderOptions& options);

// The readers themselves.
absl::StatusOr<std::unique_ptr<ChatReader>> OpenWhatsApp(ByteSource& bytes,
                                                         const ChatReaderOptions& options);
absl::StatusOr<std::unique_ptr<ChatReader>> OpenKakaoTalk(ByteSource& bytes,
                                                          const ChatReaderOptions& options);
absl::StatusOr<std::unique_ptr<ChatReader>> OpenWebhooks(ByteSource& bytes,
                                                         const ChatReaderOptions& options);
absl::StatusOr<std::unique_ptr<ChatReader>> OpenChatJsonLines(ByteSource& bytes,
                                                              const ChatReaderOptions& options);

}  // namespace sealbook::anonymizer
