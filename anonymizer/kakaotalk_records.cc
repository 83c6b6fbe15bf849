#include "anonymizer/kakaotalk_records.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/kakaotalk_csv.h"
#include "anonymizer/whatsapp_line.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr absl::string_view kCsvHeader = "Date,User,Message";
constexpr absl::string_view kNoSuchTime = "has a day or a time that does not exist";
constexpr absl::string_view kCutOff = "is cut off by the file's end, before its text";
// What a rejected message may show of itself.
constexpr std::size_t kMaxLinesBytes = ChatReader::kMaxTextBytes + (64 << 10);

bool IsBlankLine(absl::string_view line) {
  return absl::StripAsciiWhitespace(WithoutMarks(line)).empty();
}

// The place of "author : text" where the text begins, and the author; nullopt: a notice.
std::optional<std::pair<absl::string_view, std::size_t>> SplitAuthor(absl::string_view rest) {
  std::size_t colon = rest.find(" : ");
  if (colon != absl::string_view::npos) return std::pair(rest.substr(0, colon), colon + 3);
  // Whoever sent nothing but blanks, in a file from which blanks at the ends were taken.
  if (absl::EndsWith(rest, " :")) return std::pair(rest.substr(0, rest.size() - 2), rest.size());
  return std::nullopt;
}

// The first letters, with one 0 for each number: what days and times have in common.
std::string ShapeOf(absl::string_view line) {
  constexpr std::size_t kMost = 80;
  std::string shape;
  for (const char c : WithoutMarks(line).substr(0, kMost)) {
    const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(c));
    if (!digit || shape.empty() || shape.back() != '0') shape += digit ? '0' : c;
  }
  return shape;
}

}  // namespace

std::optional<KakaoTalkShape> FindKakaoTalkShape(const std::deque<TextLine>& sample) {
  constexpr std::size_t kMostHeadLines = 50;
  bool title = false;
  std::size_t lines = 0;
  for (const TextLine& line : sample) {
    if (++lines > kMostHeadLines && !title) return std::nullopt;
    absl::string_view text = WithoutMarks(line.text);
    if (IsBlankLine(text)) continue;
    absl::string_view rest = text;
    if (absl::StripAsciiWhitespace(text) == kCsvHeader)
      return KakaoTalkShape{.form = KakaoTalkForm::kCsv};
    if (ReadKakaoTalkTitle(text) || IsKakaoTalkSavedLine(text)) {
      title = true;
      continue;
    }
    if (ReadDateBar(text)) return KakaoTalkShape{.form = KakaoTalkForm::kComputer};
    const auto stamp = TakeStamp(rest);
    if (!stamp) continue;
    const bool comma = absl::ConsumePrefix(&rest, ", ");
    // A date alone says little, where nothing else says that this is KakaoTalk.
    if ((comma && SplitAuthor(rest)) ||
        (title && (comma || rest.empty() || absl::StartsWith(rest, ": "))))
      return KakaoTalkShape{.form = KakaoTalkForm::kPhone, .style = stamp->style};
  }
  return std::nullopt;
}

bool BeginsAsKakaoTalk(const std::deque<TextLine>& sample) {
  for (const TextLine& line : sample) {
    const absl::string_view text = absl::StripAsciiWhitespace(WithoutMarks(line.text));
    absl::string_view rest = text;
    if (text == kCsvHeader || ReadKakaoTalkTitle(text) || IsKakaoTalkSavedLine(text) ||
        ReadDateBar(text) ||
        (TakeStamp(rest) && absl::ConsumePrefix(&rest, ", ") && SplitAuthor(rest))) {
      return true;
    }
    if (ParseLineStart(text)) return false;
  }
  return false;
}

KakaoTalkRecords::Start KakaoTalkRecords::StartOfPhone(absl::string_view line,
                                                       bool behind_blank) const {
  Start start;
  const absl::string_view text = WithoutMarks(line);
  absl::string_view rest = text;
  const auto stamp = TakeStamp(rest);
  if (!stamp || stamp->style != shape_.style) {
    // The line above each day; anybody may write a date, which IsDivider looks at.
    const auto day = ReadDayLine(absl::StripAsciiWhitespace(text));
    if (!day) return start;
    start.what = Start::What::kDivider;
    start.behind_blank = behind_blank;
    start.time = absl::CivilSecond(day->day);
    return start;
  }
  start.time = stamp->time;
  if (!stamp->exists) start.fault = std::string(kNoSuchTime);
  if (IsBlankLine(rest)) {
    start.what = Start::What::kDivider;
    start.behind_blank = behind_blank;
    start.has_clock = true;
    return start;
  }
  if (absl::ConsumePrefix(&rest, ", ")) {
    const auto place = [&](absl::string_view inside) {
      return static_cast<std::size_t>(inside.data() - line.data());
    };
    const auto split = SplitAuthor(rest);
    start.what = split ? Start::What::kMessage : Start::What::kNotice;
    if (split) start.author = TidyAuthor(split->first);
    start.text_at = place(rest) + (split ? split->second : 0);
    // Nobody has no name: what follows is said by the app.
    if (split && start.author.empty()) start.what = Start::What::kNotice;
  } else if (absl::ConsumePrefix(&rest, ": ")) {
    start.what = Start::What::kNotice;
    start.text_at = static_cast<std::size_t>(rest.data() - line.data());
  }
  return start;
}

KakaoTalkRecords::Start KakaoTalkRecords::StartOfComputer(absl::string_view line) const {
  Start start;
  const absl::string_view text = WithoutMarks(line);
  if (absl::StartsWith(text, "-")) {
    const auto bar = ReadDateBar(text);
    if (!bar) return start;
    start.what = Start::What::kDivider;
    start.time = absl::CivilSecond(bar->day);
    if (!bar->exists) start.fault = std::string(kNoSuchTime);
    return start;
  }
  if (!absl::StartsWith(text, "[")) return start;
  // A name may hold brackets, so the first pair with a time in it ends the name.
  for (std::size_t close = text.find("] ["); close != absl::string_view::npos;
       close = text.find("] [", close + 1)) {
    absl::string_view rest = text.substr(close + 3);
    const auto clock = TakeClock(rest);
    if (!clock || !absl::ConsumePrefix(&rest, "]")) continue;
    if (!rest.empty() && !absl::ConsumePrefix(&rest, " ")) continue;
    start.what = Start::What::kMessage;
    start.author = TidyAuthor(text.substr(1, close - 1));
    start.text_at = static_cast<std::size_t>(rest.data() - line.data());
    if (!clock->exists || !bar_exists_) {
      start.fault = !has_bar_ ? "has no line with its day above it" : std::string(kNoSuchTime);
    } else {
      start.time = absl::CivilSecond(last_bar_.year(), last_bar_.month(), last_bar_.day(),
                                     clock->hour, clock->minute, clock->second);
    }
    break;
  }
  return start;
}

KakaoTalkRecords::Start KakaoTalkRecords::StartOfCsv(absl::string_view line) const {
  Start start;
  absl::string_view rest = line;
  absl::ConsumePrefix(&rest, "\xef\xbb\xbf");
  const auto stamp = TakeKakaoTalkCsvTime(rest);
  if (!stamp) return start;
  const bool quoted = absl::StartsWith(rest, "\"");
  const auto author = TakeKakaoTalkCsvCell(rest);
  if (!author) return start;
  // Inside a quoted cell a line of another export has its quotes doubled, and is none here.
  if (in_quotes_ && !(quoted && absl::StartsWith(rest, "\""))) return start;
  start.what = Start::What::kMessage;
  start.time = stamp->time;
  if (!stamp->exists) start.fault = std::string(kNoSuchTime);
  start.author = TidyAuthor(*author);
  start.text_at = static_cast<std::size_t>(rest.data() - line.data());
  return start;
}

KakaoTalkRecords::Start KakaoTalkRecords::StartOf(absl::string_view line, bool behind_blank) const {
  switch (shape_.form) {
    case KakaoTalkForm::kPhone:
      return StartOfPhone(line, behind_blank);
    case KakaoTalkForm::kComputer:
      return StartOfComputer(line);
    case KakaoTalkForm::kCsv:
      return StartOfCsv(line);
  }
  return {};
}

absl::StatusOr<bool> KakaoTalkRecords::ReadLine(Line& line) {
  if (!ahead_.empty()) {
    line = std::move(ahead_.front());
    ahead_.pop_front();
    return true;
  }
  line = {};
  return source_->Next(line.text);
}

absl::StatusOr<const TextLine*> KakaoTalkRecords::PeekLine() {
  if (ahead_.empty()) {
    Line next;
    ASSIGN_OR_RETURN(const bool more, ReadLine(next));
    if (!more) return nullptr;
    ahead_.push_back(std::move(next));
  }
  return &ahead_.front().text;
}

bool KakaoTalkRecords::IsCutStart(const Line& line) const {
  if (!line.text.cut) return false;
  const absl::string_view text = WithoutMarks(line.text.text);
  absl::string_view rest = text;
  switch (shape_.form) {
    case KakaoTalkForm::kPhone:
      if (line.start.what == Start::What::kNotice) {
        // The author may be cut off, and then seems to be what the app says.
        return TakeStamp(rest) && absl::StartsWith(rest, ", ");
      }
      return line.start.what == Start::What::kNothing && !text.empty() &&
             absl::ascii_isalnum(static_cast<unsigned char>(text[0])) &&
             absl::StartsWith(head_shape_, ShapeOf(text));
    case KakaoTalkForm::kComputer:
      return line.start.what == Start::What::kNothing &&
             (absl::StartsWith(text, "----") ||
              (absl::StartsWith(text, "[") && !absl::StrContains(text, "]")) ||
              (absl::StartsWith(text, "[") && absl::StrContains(text, "] [") &&
               !absl::StrContains(text.substr(text.rfind("] [") + 3), "]")));
    case KakaoTalkForm::kCsv:
      return line.start.what == Start::What::kNothing && !in_quotes_ &&
             TakeKakaoTalkCsvTime(rest).has_value();
  }
  return false;
}

// Whether a line without a beginning, of a computer's export, is said by the app. A message may
// quote such a line; then mostly more of the message follows.
absl::StatusOr<bool> KakaoTalkRecords::IsNotice(const Line& line) {
  if (shape_.form != KakaoTalkForm::kComputer || !line.text.fault.empty() ||
      IsBlankLine(line.text.text)) {
    return false;
  }
  if (!IsKakaoTalkNotice(absl::StripAsciiWhitespace(WithoutMarks(line.text.text)))) return false;
  ASSIGN_OR_RETURN(const TextLine* const next, PeekLine());
  if (next == nullptr) return true;
  if (!next->fault.empty()) return false;
  return IsBlankLine(next->text) || IsKakaoTalkNotice(absl::StripAsciiWhitespace(next->text)) ||
         StartOf(next->text, false).what != Start::What::kNothing;
}

// A phone's day stands right above its first message; somebody may write a date behind an empty
// line. Where no empty line stands before it, as in files from which they were taken, it must be
// what only a day's line would be by chance: later than the message above, and of the same day, or
// minute, as the message below.
absl::StatusOr<bool> KakaoTalkRecords::IsDivider(const Start& divider) {
  if (shape_.form != KakaoTalkForm::kPhone) return true;
  ASSIGN_OR_RETURN(const TextLine* const next, PeekLine());
  if (next == nullptr) return divider.behind_blank;
  const Start start = StartOf(next->fault.empty() ? next->text : next->raw, false);
  if (start.what != Start::What::kMessage && start.what != Start::What::kNotice) return false;
  if (divider.behind_blank) return true;
  const absl::CivilDay day(divider.time);
  return divider.fault.empty() && start.fault.empty() && day > absl::CivilDay(start_.time) &&
         (divider.has_clock ? start.time == divider.time : absl::CivilDay(start.time) == day);
}

bool KakaoTalkRecords::IsHead(const TextLine& line) {
  if (began_ || !line.fault.empty()) return false;
  if (IsBlankLine(line.text) || IsKakaoTalkSavedLine(line.text)) return true;
  if (shape_.form == KakaoTalkForm::kCsv &&
      absl::StripAsciiWhitespace(WithoutMarks(line.text)) == kCsvHeader) {
    return true;
  }
  if (has_title_) return false;
  auto title = ReadKakaoTalkTitle(line.text);
  if (!title) return false;
  title_ = *std::move(title);
  has_title_ = true;
  return true;
}

void KakaoTalkRecords::Begin(Line line, ChatMessage& message) {
  message.line = line.text.number;
  start_ = std::move(line.start);
  lines_ = line.text.fault.empty() ? std::move(line.text.text) : std::move(line.text.raw);
  text_at_ = std::min(start_.text_at, lines_.size());
  if (start_.fault.empty()) head_shape_ = ShapeOf(lines_);
  is_cut_ = line.text.cut;
  blanks_ = 0;
  too_long_ = false;
  if (!line.text.fault.empty()) message.fault = std::move(line.text.fault);
  if (shape_.form == KakaoTalkForm::kCsv) {
    const absl::string_view text = absl::string_view(lines_).substr(text_at_);
    in_quotes_ = absl::StartsWith(text, "\"") && std::count(text.begin(), text.end(), '"') % 2 == 1;
  }
}

void KakaoTalkRecords::Continue(const Line& line, ChatMessage& message) {
  const TextLine& text = line.text;
  is_cut_ = text.cut;
  if (!text.fault.empty() && message.fault.empty())
    message.fault =
        absl::StrCat("has a line that cannot be read: line ", text.number, " ", text.fault);
  const std::string& more = text.fault.empty() ? text.text : text.raw;
  if (shape_.form == KakaoTalkForm::kCsv && std::count(more.begin(), more.end(), '"') % 2 == 1)
    in_quotes_ = !in_quotes_;
  if (text.fault.empty() && IsBlankLine(more) && !in_quotes_) {
    ++blanks_;
    return;
  }
  if (lines_.size() + blanks_ + 1 + more.size() > kMaxLinesBytes) too_long_ = true;
  if (too_long_) return;
  lines_.append(blanks_ + 1, '\n');
  blanks_ = 0;
  lines_ += more;
}

void KakaoTalkRecords::FinishCsv(ChatMessage& message) {
  in_quotes_ = false;
  // Its closing quote was cut off with the rest.
  if (is_cut_ && absl::StartsWith(message.text, "\"")) message.text += '"';
  bool broken = false;
  const auto text = UnquoteKakaoTalkCsv(message.text, broken);
  if (!text) {
    if (message.fault.empty()) message.fault = "opens a quote that is never closed";
    return;
  }
  broken_quotes_ += broken ? 1 : 0;
  message.text = TidyChatText(*text);
  if (message.author.empty() || IsKakaoTalkNoticeAbout(message.text, message.author)) {
    message.kind = MessageKind::kSystem;
    message.author.clear();
  }
}

void KakaoTalkRecords::Finish(ChatMessage& message) {
  message.kind = start_.what == Start::What::kNotice ? MessageKind::kSystem : MessageKind::kText;
  message.author = std::move(start_.author);
  if (message.fault.empty()) message.fault = std::move(start_.fault);
  if (too_long_ || lines_.size() - text_at_ > ChatReader::kMaxTextBytes)
    message.fault = "is longer than 1 MiB";
  if (message.fault.empty()) {
    message.time = absl::FromCivil(start_.time, zone_);
    message.fault = std::string(FaultOfTime(message.time, latest_));
  }
  const absl::string_view text = absl::string_view(lines_).substr(text_at_);
  if (shape_.form == KakaoTalkForm::kCsv) {
    message.text = std::string(text);
    FinishCsv(message);
  } else {
    message.text = TidyChatText(text);
  }
  if (message.fault.empty() && message.kind != MessageKind::kSystem && message.author.empty())
    message.fault = "has no author";
  if (!message.fault.empty()) {
    const std::int64_t line = message.line;
    std::string fault = std::move(message.fault);
    message = {};
    message.line = line;
    message.fault = std::move(fault);
    message.raw = std::move(lines_);
    lines_.clear();
    return;
  }
  if (message.kind == MessageKind::kText) message.kind = KindOfKakaoTalkText(message.text);
  last_time_ = start_.time;
}

absl::StatusOr<bool> KakaoTalkRecords::Next(ChatMessage& message) {
  message = {};
  bool open = false;
  Line line;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, ReadLine(line));
    if (!more) break;
    const TextLine& text = line.text;
    // A line that is no text may still show where a message begins.
    line.start = StartOf(text.fault.empty() ? text.text : text.raw, behind_blank_);
    if (text.cut) cut_line_ = text.number;
    if (IsCutStart(line)) {
      line.start = {.what = Start::What::kMessage};
      line.start.fault = std::string(kCutOff);
    }
    if (line.start.what == Start::What::kDivider && open) {
      ASSIGN_OR_RETURN(const bool divider, IsDivider(line.start));
      if (!divider) line.start = {};
    }
    if (line.start.what == Start::What::kNothing) {
      ASSIGN_OR_RETURN(const bool notice, IsNotice(line));
      if (notice) line.start.what = Start::What::kNotice;
      // Right below a day no message is open that a line could go on with.
      if (!open && has_bar_ && text.fault.empty() && !IsBlankLine(text.text))
        line.start.what = Start::What::kNotice;
      if (line.start.what == Start::What::kNotice) line.start.time = last_time_;
    }
    const bool was_behind_blank = behind_blank_;
    behind_blank_ = text.fault.empty() && IsBlankLine(text.text);
    if (line.start.what == Start::What::kNothing) {
      if (open) {
        Continue(line, message);
        continue;
      }
      if (IsHead(text) || behind_blank_) continue;
      message.line = text.number;
      message.fault =
          std::string(began_ ? "belongs to no message" : "stands before the first message");
      if (!text.fault.empty()) message.fault = text.fault;
      message.raw = text.fault.empty() ? text.text : text.raw;
      return true;
    }
    if (open) {
      behind_blank_ = was_behind_blank;
      ahead_.push_front(std::move(line));
      break;
    }
    began_ = true;
    if (line.start.what == Start::What::kDivider) {
      if (shape_.form == KakaoTalkForm::kComputer) {
        has_bar_ = true;
        bar_exists_ = line.start.fault.empty();
        if (bar_exists_) last_bar_ = absl::CivilDay(line.start.time);
        last_time_ = line.start.time;
      }
      continue;
    }
    if (shape_.form == KakaoTalkForm::kComputer && line.start.what == Start::What::kNotice) {
      ++notices_without_time_;
      if (!bar_exists_) {
        line.start.fault =
            has_bar_ ? std::string(kNoSuchTime) : "has no line with its day above it";
      }
    }
    open = true;
    Begin(std::move(line), message);
  }
  if (!open) return false;
  Finish(message);
  return true;
}

}  // namespace sealbook::anonymizer
