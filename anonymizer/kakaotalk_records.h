// The messages of a KakaoTalk export, from its lines: what begins a message, what goes on with it,
// and what is said by the app. Four forms:
//
//   phones     STAMP, author : text          Android and iOS; kakaotalk_stamp.h has the stamps
//   computers  --- day --- and [author] [time] text
//   CSV        Date,User,Message             Mac, and newer computers
//
// The form is that of the file's first message; what looks like another form is text.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/kakaotalk_stamp.h"
#include "anonymizer/kakaotalk_words.h"
#include "anonymizer/text_source.h"

namespace sealbook::anonymizer {

enum class KakaoTalkForm { kPhone, kComputer, kCsv };

struct KakaoTalkShape {
  KakaoTalkForm form{};
  StampStyle style{};  // of phones
};

// The form of a file, by its first lines; nullopt: it is none of KakaoTalk.
std::optional<KakaoTalkShape> FindKakaoTalkShape(const std::deque<TextLine>& sample);

// Whether a line that only KakaoTalk writes stands before any that WhatsApp could have written: a
// piece of either may be pasted into a chat of the other.
bool BeginsAsKakaoTalk(const std::deque<TextLine>& sample);

// Belongs to one thread.
class KakaoTalkRecords {
 public:
  KakaoTalkRecords(std::unique_ptr<TextSource> source, const KakaoTalkShape& shape,
                   const ChatReaderOptions& options)
      : source_(std::move(source)),
        shape_(shape),
        zone_(options.zone),
        latest_(options.latest),
        last_bar_(absl::CivilDay()) {}

  // As ChatReader::Next.
  absl::StatusOr<bool> Next(ChatMessage& message);

  const KakaoTalkTitle& title() const { return title_; }
  // Notices that have the time of what stands above them, since they have none themselves.
  std::uint64_t notices_without_time() const { return notices_without_time_; }
  // Texts in whose cells of CSV the quotes are not doubled.
  std::uint64_t broken_quotes() const { return broken_quotes_; }
  // The file ends there in the middle of a character; 0: it does not, as far as it was read.
  std::int64_t cut_line() const { return cut_line_; }
  std::uint64_t bytes_read() const { return source_->bytes_read(); }

 private:
  // What a line is.
  struct Start {
    enum class What { kNothing, kDivider, kMessage, kNotice } what = What::kNothing;
    std::string author;
    std::size_t text_at = 0;  // in the line
    absl::CivilSecond time;
    std::string fault;
    // Of a divider of phones: it stands behind an empty line; it has a time, not the day alone.
    bool behind_blank = true, has_clock = false;
  };
  struct Line {
    TextLine text;
    Start start;
  };

  absl::StatusOr<bool> ReadLine(Line& line);
  Start StartOf(absl::string_view line, bool behind_blank) const;
  Start StartOfPhone(absl::string_view line, bool behind_blank) const;
  Start StartOfComputer(absl::string_view line) const;
  Start StartOfCsv(absl::string_view line) const;
  absl::StatusOr<const TextLine*> PeekLine();  // nullptr: the end
  // Whether a line that the file's end cut off began a message, so far that it would be taken for
  // something else.
  bool IsCutStart(const Line& line) const;
  absl::StatusOr<bool> IsNotice(const Line& line);
  // Whether a line that looks like one is, below an open message.
  absl::StatusOr<bool> IsDivider(const Start& divider);
  void Begin(Line line, ChatMessage& message);
  void Continue(const Line& line, ChatMessage& message);
  void Finish(ChatMessage& message);
  void FinishCsv(ChatMessage& message);
  bool IsHead(const TextLine& line);

  std::unique_ptr<TextSource> source_;
  KakaoTalkShape shape_;
  absl::TimeZone zone_;
  absl::Time latest_;
  KakaoTalkTitle title_;
  bool has_title_ = false, began_ = false;  // the first message was met
  std::deque<Line> ahead_;                  // lines that were looked at already
  bool behind_blank_ = true;

  // The message being put together: its lines as they stand, and where in them its text begins.
  std::string lines_;
  std::size_t text_at_ = 0;
  std::string head_shape_;  // of its first line, as ShapeOf has it
  bool is_cut_ = false;     // the file ends in it
  std::int64_t cut_line_ = 0;
  std::size_t blanks_ = 0;  // empty lines that are text only if more follows
  bool too_long_ = false, in_quotes_ = false;
  Start start_;

  // Of computers.
  absl::CivilDay last_bar_;
  bool has_bar_ = false, bar_exists_ = false;
  absl::CivilSecond last_time_;
  std::uint64_t notices_without_time_ = 0, broken_quotes_ = 0;
};

}  // namespace sealbook::anonymizer
