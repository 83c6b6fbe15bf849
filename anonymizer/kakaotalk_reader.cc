#include "anonymizer/kakaotalk_reader.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/kakaotalk_records.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

class KakaoTalkReader : public ChatReader {
 public:
  KakaoTalkReader(ByteSource& bytes, Encoding encoding, KakaoTalkRecords records, ChatSurvey survey)
      : bytes_(bytes),
        encoding_(encoding),
        records_(std::move(records)),
        survey_(std::move(survey)) {}

  absl::StatusOr<bool> Next(ChatMessage& message) override { return records_.Next(message); }
  ChatFormat format() const override { return ChatFormat::kKakaoTalk; }
  const ChatSurvey* survey() const override { return &survey_; }
  std::vector<std::string> remarks() const override {
    std::vector<std::string> remarks;
    if (encoding_ == Encoding::kCp949)
      remarks.push_back("The file is not UTF-8; it was read as CP949, Korea's older encoding.");
    if (const std::uint64_t count = records_.notices_without_time(); count > 0) {
      remarks.push_back(absl::StrCat(
          count, count == 1 ? " notice of the app has" : " notices of the app have",
          " no time of their own in such a file: they got that of the message above, or the "
          "beginning of the day."));
    }
    if (const std::int64_t line = records_.cut_line(); line > 0) {
      remarks.push_back(absl::StrCat("The file ends in the middle of a character, in line ", line,
                                     "; its last message is not whole."));
    }
    if (const std::uint64_t count = records_.broken_quotes(); count > 0) {
      remarks.push_back(absl::StrCat(count, count == 1 ? " message has" : " messages have",
                                     " quotes that the export did not double; their texts were "
                                     "taken as they stand."));
    }
    return remarks;
  }
  std::uint64_t bytes_read() const override { return bytes_.bytes_read(); }

 private:
  ByteSource& bytes_;
  Encoding encoding_;
  KakaoTalkRecords records_;
  ChatSurvey survey_;
};

// Reads the file once.
absl::StatusOr<ChatSurvey> Survey(KakaoTalkRecords& records) {
  ChatSurvey survey;
  std::set<std::string> others;  // who came or went
  ChatMessage message;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, records.Next(message));
    if (!more) break;
    if (!message.fault.empty()) continue;
    switch (message.kind) {
      case MessageKind::kSystem:
        ++survey.system_lines;
        survey.is_group = survey.is_group || TellsOfGroup(message.text);
        // A third one more is enough.
        if (others.size() < 3) {
          if (std::string who = WhoCameOrWent(message.text); !who.empty()) others.insert(who);
        }
        continue;
      case MessageKind::kMedia:
        ++survey.media;
        break;
      case MessageKind::kDeleted:
        ++survey.deleted;
        break;
      case MessageKind::kText:
        break;
    }
    ++survey.messages;
    const auto known = survey.authors.find(message.author);
    if (known != survey.authors.end()) {
      ++known->second;
    } else if (survey.authors.size() < ChatSurvey::kMaxAuthors) {
      if (survey.self.empty() && IsKakaoTalkSelf(message.author)) survey.self = message.author;
      survey.authors[message.author] = 1;
    }
  }
  survey.chat_name = records.title().chat_name;
  // The other of a chat of two may leave it, and come again.
  std::size_t people = survey.authors.size();
  for (const std::string& who : others) people += survey.authors.contains(who) ? 0 : 1;
  survey.is_group = survey.is_group || people > 2 || records.title().members > 2;
  return survey;
}

}  // namespace

bool LooksLikeKakaoTalk(ByteSource& bytes, bool anywhere) {
  const auto mark = FindByteOrderMark(bytes.head());
  const absl::string_view head = bytes.head().substr(mark ? mark->bytes : 0);
  std::vector<Encoding> encodings = {Encoding::kUtf8, Encoding::kCp949};
  if (mark) encodings = {mark->encoding};
  for (const Encoding encoding : encodings) {
    std::string text;
    Decoder(encoding).Decode(head, bytes.head_is_all(), text);
    std::deque<TextLine> lines;
    for (const absl::string_view line : absl::StrSplit(text, absl::ByAnyChar("\r\n"))) {
      lines.push_back({.text = std::string(line)});
      if (lines.size() >= TextSource::kSampleLines) break;
    }
    if (!anywhere && !BeginsAsKakaoTalk(lines)) continue;
    if (FindKakaoTalkShape(lines)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<ChatReader>> OpenKakaoTalk(ByteSource& bytes,
                                                          const ChatReaderOptions& options) {
  RETURN_IF_ERROR(bytes.KeepForRewind());
  ASSIGN_OR_RETURN(auto lines, OpenChatLines(bytes, Encoding::kCp949, /*may_be_cut=*/true));
  const auto shape = FindKakaoTalkShape(lines->sample());
  if (!shape) {
    return WithHint(absl::InvalidArgumentError("is no export of KakaoTalk"),
                    "Leave --format out, or export the chat again from the app.");
  }
  const Encoding encoding = lines->encoding();
  KakaoTalkRecords first(std::move(lines), *shape, options);
  ASSIGN_OR_RETURN(ChatSurvey survey, Survey(first));
  RETURN_IF_ERROR(bytes.Rewind());
  ASSIGN_OR_RETURN(auto again, TextSource::Open(bytes, encoding, /*may_be_cut=*/true));
  return std::make_unique<KakaoTalkReader>(
      bytes, encoding, KakaoTalkRecords(std::move(again), *shape, options), std::move(survey));
}

}  // namespace sealbook::anonymizer
