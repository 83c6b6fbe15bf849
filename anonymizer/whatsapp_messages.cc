#include "anonymizer/whatsapp_messages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/whatsapp_words.h"
#include "anonymizer/written_text.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr absl::string_view kTooLong = "is longer than 1 MiB";
// A name that is hardly met decides nothing.
constexpr std::uint64_t kEnough = 5;
// Notices are whole sentences.
constexpr std::size_t kMinNoticeBytes = 48;

bool IsMarked(absl::string_view text) { return DirectionMarkBytes(text) > 0; }

// Where the app says something of `author`, what it says: "\u200eAnn left" of Ann; otherwise empty.
// Marked, which no person's text is.
absl::string_view SaidOf(absl::string_view author, absl::string_view raw_text) {
  constexpr std::size_t kMost = 600;
  absl::string_view text = TrimDirectionMarks(raw_text);
  if (!IsMarked(raw_text) || raw_text.size() > kMost) return "";
  if (absl::ConsumePrefix(&text, "~")) text = TrimBlanks(text);
  text = TrimDirectionMarks(text);
  if (author.empty() || !absl::ConsumePrefix(&text, author)) return "";
  return text;
}

// Somebody's coming or going, or what somebody did to the group, under that person's own name.
bool IsGroupNoticeOf(absl::string_view author, absl::string_view raw_text, const LineStart& start) {
  if (!start.bracket) return false;
  const absl::string_view said = SaidOf(author, raw_text);
  return !said.empty() && GroupSignOf(said) != GroupSign::kNone;
}

// Said by the app though a name stands before it, which only iOS does.
bool IsNoticeOfApp(absl::string_view author, absl::string_view raw_text, const LineStart& start) {
  if (!start.bracket) return false;
  if (IsGroupNoticeOf(author, raw_text, start)) return true;
  const absl::string_view text = TrimDirectionMarks(raw_text);
  return IsNotice(text) && (IsMarked(raw_text) || absl::StrContains(text, "WhatsApp") ||
                            (text.size() >= kMinNoticeBytes && !absl::StartsWith(text, "This ")));
}

// The app's words are sent as they are, people's without blank lines at their end; those are of the
// file, which may end with some.
absl::string_view TrimEnd(absl::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Where `rest` has one author at most. A notice has none, whatever colons stand in it.
bool HasNoAuthor(absl::string_view rest) { return IsNotice(TrimDirectionMarks(rest)); }

}  // namespace

WhatsAppAuthors::WhatsAppAuthors(std::string chat_name, absl::string_view me)
    : chat_name_(std::move(chat_name)), me_(CleanText(me)) {}

// What decides is the same in every export of a chat, so that a longer one has the same authors;
// only what iOS marks may be missing in a shorter one.
std::size_t WhatsAppAuthors::AuthorsColon(absl::string_view rest, const Colons& colons) const {
  if (colons.count < 2) return 0;
  const auto name_to = [&](std::size_t i) { return CleanAuthor(rest.substr(0, colons.all[i].at)); };
  const auto is_known = [&](const std::string& name) {
    return !name.empty() && (name == chat_name_ || (!me_.empty() && CleanText(name) == me_));
  };
  // Nearly no name has one.
  if (absl::StrContains(chat_name_, ":") || absl::StrContains(me_, ":")) {
    if (is_known(name_to(0))) return 0;
    for (std::size_t i = 1; i < colons.count; ++i) {
      if (is_known(name_to(i))) return i;
    }
  }
  for (std::size_t i = 1; i < colons.count; ++i) {
    const absl::string_view raw = rest.substr(std::min(rest.size(), colons.all[i].text));
    if (!IsMarked(raw)) continue;
    const absl::string_view text = TrimDirectionMarks(raw);
    if (IsNotice(text) || IsMediaPlaceholder(text) || IsDeletedPlaceholder(text))
      return is_known(name_to(0)) ? 0 : i;
  }
  return 0;
}

void WhatsAppMessages::Append(const ChatLine& line, WhatsAppLines& message) {
  if (line.fault.empty()) {
    if (!IsAscii(line.text)) ++foreign_lines_;
  } else {
    ++faulty_lines_;
    if (message.fault.empty()) {
      message.fault = line.number == message.line
                          ? std::string(line.fault)
                          : absl::StrCat(line.fault, " (line ", line.number, ")");
    }
  }
  if (line.cut) message.cut_line = line.number;
  if (message.text.size() + line.text.size() + 1 >
      ChatReader::kMaxTextBytes + (message.start ? message.start->rest : 0)) {
    if (message.fault.empty()) message.fault = std::string(kTooLong);
    return;
  }
  if (line.number != message.line) message.text += '\n';
  message.text.append(line.text.data(), line.text.size());
}

absl::StatusOr<bool> WhatsAppMessages::Next(WhatsAppLines& message) {
  message = WhatsAppLines();
  bool begun = false;
  if (next_) {
    message = *std::exchange(next_, std::nullopt);
    begun = true;
  }
  while (!at_end_) {
    ChatLine line;
    ASSIGN_OR_RETURN(const bool more, lines_.Next(line));
    if (!more) {
      at_end_ = true;
      break;
    }
    auto start = ParseLineStart(line.text);
    if (start && !forms_[start->form]) {
      ++other_forms_;
      start.reset();
    }
    if (start) {
      WhatsAppLines begins{.line = line.number, .start = start};
      Append(line, begins);
      if (begun) {
        next_ = std::move(begins);
        return true;
      }
      message = std::move(begins);
      begun = true;
      continue;
    }
    if (!begun) {
      // Blank lines before the first message are nothing.
      if (line.fault.empty() && !line.cut && TrimBlanks(line.text).empty()) continue;
      message.line = line.number;
      begun = true;
    }
    Append(line, message);
  }
  return begun;
}

void WhatsAppAuthors::LearnText(absl::string_view raw_text, const LineStart& start,
                                Author& author) {
  absl::string_view text = TrimDirectionMarks(TrimEnd(raw_text));
  if (const std::size_t mark = EditedMarkBytes(text); mark > 0) text.remove_suffix(mark);
  if (IsDeletedPlaceholder(text)) {
    ++deleted_;
  } else if (IsMediaPlaceholder(text)) {
    ++media_;
  } else if (!start.bracket) {
    // Only iOS writes a group's name before what the app says.
  } else if (start.marked || IsMarked(raw_text)) {
    ++author.marked;
    if (author.could_be_group() && IsGroupAct(text)) author.acts = true;
  } else if (author.notices + author.marked + author.of_group + 1 == author.count &&
             GroupSignOf(raw_text) != GroupSign::kNone) {
    // Only while the author could be a group: the words are many.
    ++author.of_group;
    if (IsGroupAct(text)) author.acts = true;
  }
}

void WhatsAppAuthors::LearnNotice(absl::string_view text) {
  if (group_notice_) return;
  // A customer may be called "Smith Group".
  const GroupSign sign = chat_name_.empty()
                             ? GroupSignOf(text)
                             : GroupSignOf(absl::StrReplaceAll(text, {{chat_name_, "\u2026"}}));
  if (sign == GroupSign::kGroup) {
    group_notice_ = true;
  } else if (sign == GroupSign::kComing) {
    coming_ = true;
  } else if (sign == GroupSign::kGoing) {
    if (goings_.size() < kMostGoings) {
      goings_.emplace_back(text.substr(0, 1000));
    } else {
      coming_ = true;
    }
  }
}

bool WhatsAppAuthors::ThirdCameOrWent(const ChatSurvey& survey) const {
  if (!coming_ && goings_.empty()) return false;
  // The chat has the other one's name, as no group has.
  const std::string name = CleanText(chat_name_);
  if (!name.empty() && std::any_of(survey.authors.begin(), survey.authors.end(),
                                   [&](const auto& of) { return CleanText(of.first) == name; })) {
    return false;
  }
  if (coming_) return true;
  const auto is_of = [&](const std::string& going, absl::string_view who) {
    return !who.empty() && absl::StartsWith(going, who);
  };
  return !std::all_of(goings_.begin(), goings_.end(), [&](const std::string& going) {
    return is_of(going, chat_name_) ||
           std::any_of(survey.authors.begin(), survey.authors.end(),
                       [&](const auto& of) { return is_of(going, of.first); });
  });
}

void WhatsAppAuthors::Learn(const WhatsAppLines& lines) {
  if (!lines.start || !lines.fault.empty()) return;
  const absl::string_view rest = lines.rest();
  const absl::string_view line = rest.substr(0, rest.find('\n'));
  const Colons colons = FindColons(line);
  const std::size_t ends = AuthorsColon(rest, colons);
  std::string name;
  if (colons.count > 0 && !HasNoAuthor(rest) && MayBeAuthor(line, colons.all[ends]))
    name = CleanAuthor(line.substr(0, colons.all[ends].at));
  if (name.empty()) {
    ++system_lines_;
    LearnNotice(TrimDirectionMarks(TrimEnd(rest)));
    return;
  }
  auto found = authors_.find(name);
  if (found == authors_.end()) {
    if (authors_.size() >= ChatSurvey::kMaxAuthors) {
      too_many_ = true;
      ++others_;
      return;
    }
    found = authors_.try_emplace(std::move(name)).first;
  }
  Author& author = found->second;
  ++author.count;
  absl::string_view raw_text = rest.substr(std::min(rest.size(), colons.all[ends].text));
  if (IsNoticeOfApp(found->first, raw_text, *lines.start)) {
    ++author.notices;
    if (IsGroupNoticeOf(found->first, raw_text, *lines.start))
      LearnNotice(TrimDirectionMarks(TrimEnd(raw_text)));
    return;
  }
  if (ends == 0 && colons.count > 1 && !IsMarked(raw_text) && MayBeAuthor(line, colons.all[1])) {
    const absl::string_view behind = rest.substr(std::min(rest.size(), colons.all[1].text));
    std::string longer = CleanAuthor(line.substr(0, colons.all[1].at));
    if (!absl::StartsWith(behind, "http") && (author.count == 1 || longer == author.longer)) {
      author.longer = std::move(longer);
      ++author.longer_count;
      const absl::string_view text = TrimDirectionMarks(TrimEnd(behind));
      if (IsDeletedPlaceholder(text)) {
        ++author.longer_deleted;
      } else if (IsMediaPlaceholder(text)) {
        ++author.longer_media;
      }
    }
  }
  LearnText(raw_text, *lines.start, author);
}

void WhatsAppAuthors::Conclude(ChatSurvey& survey) {
  survey.chat_name = chat_name_;
  survey.system_lines = system_lines_;
  survey.messages = others_;
  survey.is_group = group_notice_;
  std::uint64_t persons = 0;
  for (const auto& [name, author] : authors_) persons += author.could_be_group() ? 0 : 1;
  for (auto& [name, author] : authors_) {
    const bool app_speaks = author.marked + author.of_group > 0 && author.could_be_group();
    const bool named = name == chat_name_ && (persons >= 2 || author.acts);
    if (app_speaks && (named || (author.notices > 0 && persons >= 2))) {
      author.is = Author::Is::kGroup;
    } else if (author.longer_count == author.count && authors_.contains(author.longer) &&
               name != chat_name_ && (me_.empty() || CleanText(name) != me_)) {
      author.is = Author::Is::kLonger;
      ++longer_names_;
      media_ += author.longer_media;
      deleted_ += author.longer_deleted;
    } else if (author.count < kEnough && IsGroupAct(name)) {
      author.is = Author::Is::kSentence;
    }
    if (author.is == Author::Is::kGroup || author.is == Author::Is::kSentence) {
      survey.system_lines += author.count;
      survey.is_group = true;
      continue;
    }
    survey.system_lines += author.notices;
    if (author.count == author.notices) continue;
    // Nobody writes the same word and a colon so often without a reason, whichever it is.
    if (author.is == Author::Is::kPerson && author.longer_count == author.count &&
        author.count >= kEnough) {
      ++alike_authors_;
    }
    survey.messages += author.count - author.notices;
    survey.authors[author.is == Author::Is::kLonger ? author.longer : name] +=
        author.count - author.notices;
  }
  survey.media = media_;
  survey.deleted = deleted_;
  survey.is_group = survey.is_group || survey.authors.size() >= 3 || ThirdCameOrWent(survey);
}

WhatsAppMessage WhatsAppAuthors::Interpret(const WhatsAppLines& lines) const {
  WhatsAppMessage message;
  const absl::string_view rest = lines.rest();
  const absl::string_view line = rest.substr(0, rest.find('\n'));
  const Colons colons = FindColons(line);
  absl::string_view raw = rest;
  const std::size_t ends = AuthorsColon(rest, colons);
  if (colons.count > 0 && !HasNoAuthor(rest) && MayBeAuthor(line, colons.all[ends])) {
    message.author = CleanAuthor(line.substr(0, colons.all[ends].at));
  }
  if (!message.author.empty()) {
    const auto found = authors_.find(message.author);
    const Author::Is is = found == authors_.end() ? Author::Is::kPerson : found->second.is;
    if (is == Author::Is::kSentence) {
      message.author.clear();
    } else {
      raw = rest.substr(std::min(rest.size(), colons.all[ends].text));
      if (is == Author::Is::kGroup || IsNoticeOfApp(message.author, raw, *lines.start)) {
        message.author.clear();
      } else if (is == Author::Is::kLonger && ends == 0 && colons.count > 1) {
        message.author = found->second.longer;
        raw = rest.substr(std::min(rest.size(), colons.all[1].text));
      }
    }
  }
  absl::string_view text = TrimDirectionMarks(TrimEnd(raw));
  if (message.author.empty()) {
    message.kind = MessageKind::kSystem;
    message.text = std::string(text);
    return message;
  }
  if (const std::size_t mark = EditedMarkBytes(text); mark > 0) {
    message.edited = true;
    text.remove_suffix(mark);
    text = TrimDirectionMarks(text);
  }
  if (IsDeletedPlaceholder(text)) {
    message.kind = MessageKind::kDeleted;
  } else if (IsMediaPlaceholder(text)) {
    message.kind = MessageKind::kMedia;
  }
  message.text = std::string(text);
  return message;
}

}  // namespace sealbook::anonymizer
