// The messages of an export's text, between its lines (anonymizer/chat_lines.h) and what the reader
// hands on: lines put together, and what the app wrote told from what people wrote. Some of that
// only the whole file tells, so everything here is done twice: once to learn, once to read.
//
// Belongs to one thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/chat_lines.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/date_order.h"
#include "anonymizer/whatsapp_line.h"

namespace sealbook::anonymizer {

// A message's lines.
struct WhatsAppLines {
  std::int64_t line = 0;
  std::optional<LineStart> start;  // nullopt: what stands before the first message
  std::string text;                // all of it, as it stands, line breaks as "\n"
  std::string fault;               // a clause; empty: all lines were good
  std::int64_t cut_line = 0;       // the file ends there in the middle of a character
  // Without the date and time.
  absl::string_view rest() const { return absl::string_view(text).substr(start ? start->rest : 0); }
};

using WhatsAppForms = std::bitset<LineStart::kForms>;

class WhatsAppMessages {
 public:
  // Lines that begin like a message of a form that is not among `forms` continue the one above.
  WhatsAppMessages(ChatLines::Read read, const WhatsAppForms& forms)
      : lines_(std::move(read)), forms_(forms) {}

  // False at the end.
  absl::StatusOr<bool> Next(WhatsAppLines& message);
  // Lines that continued a message for their form.
  std::uint64_t other_forms() const { return other_forms_; }
  // Lines that were no text, and lines of other letters than ASCII that were.
  std::uint64_t faulty_lines() const { return faulty_lines_; }
  std::uint64_t foreign_lines() const { return foreign_lines_; }

 private:
  void Append(const ChatLine& line, WhatsAppLines& message);

  ChatLines lines_;
  WhatsAppForms forms_;
  std::optional<WhatsAppLines> next_;  // of which the first line was read
  bool at_end_ = false;
  std::uint64_t other_forms_ = 0, faulty_lines_ = 0, foreign_lines_ = 0;
};

// What a message is. `text` and `author` as in ChatMessage.
struct WhatsAppMessage {
  MessageKind kind = MessageKind::kText;
  bool edited = false;
  std::string author;
  std::string text;
};

// What the whole file says of those who write in it.
class WhatsAppAuthors {
 public:
  // `me`: the company's author, as the user names it; empty: not said.
  WhatsAppAuthors(std::string chat_name, absl::string_view me);

  // First of all messages, then Conclude, then Interpret.
  void Learn(const WhatsAppLines& lines);
  // Fills in the survey but for the order of dates.
  void Conclude(ChatSurvey& survey);
  // `lines` has a start.
  WhatsAppMessage Interpret(const WhatsAppLines& lines) const;

  // More authors than ChatSurvey::kMaxAuthors were met; the rest is not in the survey.
  bool too_many() const { return too_many_; }
  // Once concluded. Authors whose name was read to its second colon, since marks of iOS's say so in
  // some of the messages.
  std::uint64_t longer_names() const { return longer_names_; }
  // Authors all of whose messages, not few, begin with the same words and a colon, which may be of
  // the name or of the texts; they were left in the texts.
  std::uint64_t alike_authors() const { return alike_authors_; }

 private:
  struct Author {
    std::uint64_t count = 0;
    std::uint64_t notices = 0;   // what only the app writes
    std::uint64_t marked = 0;    // begins with a mark of direction, and is no placeholder
    std::uint64_t of_group = 0;  // could be said of a group
    bool acts = false;           // one of those can hardly be said of anything else
    // What stands before the second colon, where that is the same in all messages: then the first
    // colon may be one of the name. And what would be media and deleted if it were.
    std::string longer;
    std::uint64_t longer_count = 0, longer_media = 0, longer_deleted = 0;
    enum class Is : std::uint8_t {
      kPerson,
      kGroup,     // the group's name, which iOS writes before what the app says
      kLonger,    // `longer` is the name
      kSentence,  // none: "… changed the description to: …"
    };
    Is is = Is::kPerson;
    // Nothing in it is surely a person's.
    bool could_be_group() const { return notices + marked + of_group == count; }
  };
  void LearnText(absl::string_view raw_text, const LineStart& start, Author& author);
  // What the app itself says.
  void LearnNotice(absl::string_view text);
  // Of the notices that somebody came or went: whether one is of somebody else than the two.
  bool ThirdCameOrWent(const ChatSurvey& survey) const;
  // The colon that ends the author: the first, but where the chat's name or `me` goes to a later
  // one, or where a later one has words of the app's behind it, which iOS marks ("Ann: Office:
  // \u200eimage omitted"). A name that is the chat's or `me`'s ends where it does.
  std::size_t AuthorsColon(absl::string_view rest, const Colons& colons) const;

  std::string chat_name_, me_;
  absl::flat_hash_map<std::string, Author> authors_;
  std::uint64_t system_lines_ = 0, media_ = 0, deleted_ = 0, others_ = 0;
  std::uint64_t longer_names_ = 0, alike_authors_ = 0;
  // Notices that somebody left; as many as a chat of two may have.
  std::vector<std::string> goings_;
  static constexpr std::size_t kMostGoings = 16;
  bool group_notice_ = false, coming_ = false, too_many_ = false;
};

}  // namespace sealbook::anonymizer
