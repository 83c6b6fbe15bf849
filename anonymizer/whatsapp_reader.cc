#include "anonymizer/whatsapp_reader.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/chat_clock.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/whatsapp_messages.h"
#include "anonymizer/whatsapp_words.h"
#include "anonymizer/written_text.h"
#include "anonymizer/zip_file.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// Of a text, whether it is a chat.
constexpr int kFirstLines = 20;
// WhatsApp puts ten thousand messages' media into a zip, and has put more.
constexpr ZipFile::Limits kZipLimits = {.entries = 100'000, .directory_bytes = 32 << 20};
// Less than a fifth of the messages may be of other forms than the rest and be none for that.
constexpr std::uint64_t kRareForms = 5;
constexpr absl::string_view kExportAgain =
    "Export the chat again, and import the file as WhatsApp made it.";

bool IsZip(absl::string_view head) {
  return absl::StartsWith(head, absl::string_view("PK\3\4", 4)) ||
         absl::StartsWith(head, absl::string_view("PK\5\6", 4));
}

// Zip files are told of as of office programs elsewhere.
absl::Status OfChat(const absl::Status& status, absl::string_view before) {
  if (!absl::IsInvalidArgument(status)) return status;
  std::string message(status.message());
  if (absl::StrContains(message, "workbook")) message = "is packed in a way that is not read";
  if (absl::StrContains(message, "a list")) message = "unpacks to far more than a chat could hold";
  return WithHint(absl::InvalidArgumentError(absl::StrCat(before, message)), kExportAgain);
}

// A chat's text, which can be read from its beginning again and again.
class ChatText {
 public:
  virtual ~ChatText() = default;
  virtual absl::StatusOr<ChatLines::Read> Begin() = 0;
  // Of the file, by the last that Begin gave.
  virtual std::uint64_t position() const = 0;
};

// The whole file.
class SourceText : public ChatText {
 public:
  explicit SourceText(ByteSource& bytes) : bytes_(bytes) {}
  absl::StatusOr<ChatLines::Read> Begin() override {
    RETURN_IF_ERROR(begun_ ? bytes_.Rewind() : bytes_.KeepForRewind());
    begun_ = true;
    return [this](char* out, std::size_t size) { return bytes_.Read(out, size); };
  }
  std::uint64_t position() const override { return bytes_.bytes_read(); }

 private:
  ByteSource& bytes_;
  bool begun_ = false;
};

// The text in a zip.
class ZipText : public ChatText {
 public:
  ZipText(std::unique_ptr<ZipFile> zip, std::string entry)
      : zip_(std::move(zip)), name_(std::move(entry)) {}
  absl::StatusOr<ChatLines::Read> Begin() override {
    auto entry = zip_->OpenEntry(name_);
    if (!entry.ok()) return OfChat(entry.status(), "holds a chat that ");
    entry_ = *std::move(entry);
    return [this](char* out, std::size_t size) -> absl::StatusOr<std::size_t> {
      auto got = entry_->Read(out, size);
      if (!got.ok()) return OfChat(got.status(), "holds a chat that ");
      return got;
    };
  }
  std::uint64_t position() const override { return entry_ ? entry_->position() : 0; }

 private:
  std::unique_ptr<ZipFile> zip_;
  std::string name_;
  std::unique_ptr<ZipEntry> entry_;
};

absl::string_view BaseName(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

bool IsText(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, ".txt") && !absl::StartsWith(BaseName(name), "._") &&
         !absl::StartsWith(name, "__MACOSX/");
}

// One that names itself so: iOS calls it "_chat.txt", Android as the chat.
bool IsChatText(absl::string_view name) {
  return IsText(name) &&
         (absl::EqualsIgnoreCase(BaseName(name), "_chat.txt") || ChatNameOf(name).has_value());
}

// True where one of the first lines begins a message.
absl::StatusOr<bool> HasMessages(ChatLines::Read read) {
  ChatLines lines(std::move(read));
  ChatLine line;
  for (int seen = 0; seen < kFirstLines;) {
    ASSIGN_OR_RETURN(const bool more, lines.Next(line));
    if (!more) return false;
    if (ParseLineStart(line.text)) return true;
    if (!TrimBlanks(line.text).empty()) ++seen;
  }
  return false;
}

bool HeadHasMessages(absl::string_view head) {
  return HasMessages([&head](char* out, std::size_t size) -> absl::StatusOr<std::size_t> {
           const std::size_t got = std::min(size, head.size());
           std::copy_n(head.data(), got, out);
           head.remove_prefix(got);
           return got;
         })
      .value_or(false);
}

// The chats in a zip: by their names, or where none has such a name, the only text.
absl::StatusOr<std::vector<std::string>> FindChats(ZipFile& zip) {
  std::vector<std::string> chats, texts;
  for (const std::string& name : zip.names()) {
    if (IsChatText(name)) chats.push_back(name);
    if (IsText(name)) texts.push_back(name);
  }
  if (!chats.empty() || texts.size() != 1) return chats;
  ASSIGN_OR_RETURN(const auto entry, zip.OpenEntry(texts.front()));
  ASSIGN_OR_RETURN(const bool is_chat, HasMessages([&](char* out, std::size_t size) {
                     return entry->Read(out, size);
                   }));
  if (is_chat) chats = texts;
  return chats;
}

class WhatsAppReader : public ChatReader {
 public:
  WhatsAppReader(std::unique_ptr<ChatText> text, std::string chat_name,
                 const ChatReaderOptions& options)
      : text_(std::move(text)),
        authors_(std::move(chat_name), options.me),
        zone_(options.zone),
        latest_(options.latest),
        clock_(options.zone) {}

  void AddRemark(std::string remark) { remarks_.push_back(std::move(remark)); }
  absl::Status Survey();

  absl::StatusOr<bool> Next(ChatMessage& message) override;
  ChatFormat format() const override { return ChatFormat::kWhatsApp; }
  const ChatSurvey* survey() const override { return &survey_; }
  std::vector<std::string> remarks() const override { return remarks_; }
  std::uint64_t bytes_read() const override { return text_->position(); }

 private:
  struct Learned {
    DateOrderFinder dates;
    std::array<std::uint64_t, LineStart::kForms> forms{};
    std::uint64_t starts = 0, other_forms = 0, faulty_lines = 0, foreign_lines = 0;
    std::int64_t first_fault_line = 0;
    std::string first_fault;
    // With a word beside the time that is not known, an hour stood that a clock of twelve has not.
    bool words_are_silent = false;
  };
  absl::StatusOr<Learned> Learn(const WhatsAppForms& forms);
  // A clause; empty: `message.time` is set.
  std::string ReadTime(const LineStart& start, ChatMessage& message);

  std::unique_ptr<ChatText> text_;
  WhatsAppAuthors authors_;
  absl::TimeZone zone_;
  absl::Time latest_;
  ChatClock clock_;
  ChatSurvey survey_;
  DateOrderFound order_;
  bool words_are_silent_ = false;
  std::optional<WhatsAppMessages> messages_;
  std::vector<std::string> remarks_;
};

absl::StatusOr<WhatsAppReader::Learned> WhatsAppReader::Learn(const WhatsAppForms& forms) {
  Learned learned{.dates =
                      DateOrderFinder(static_cast<int>(absl::ToCivilYear(latest_, zone_).year()))};
  ASSIGN_OR_RETURN(auto read, text_->Begin());
  WhatsAppMessages messages(std::move(read), forms);
  WhatsAppLines lines;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, messages.Next(lines));
    if (!more) break;
    if (!lines.fault.empty() && learned.first_fault_line == 0) {
      learned.first_fault_line = lines.line;
      learned.first_fault = lines.fault;
    }
    if (!lines.start) continue;
    const LineStart& start = *lines.start;
    ++learned.starts;
    ++learned.forms[start.form];
    learned.dates.Add(start.date, lines.line, start.year_first_language);
    if (start.unknown_word && (start.hour == 0 || start.hour > 12)) learned.words_are_silent = true;
    authors_.Learn(lines);
  }
  learned.other_forms = messages.other_forms();
  learned.faulty_lines = messages.faulty_lines();
  learned.foreign_lines = messages.foreign_lines();
  return learned;
}

absl::Status WhatsAppReader::Survey() {
  WhatsAppForms forms;
  forms.set();
  const WhatsAppAuthors none = authors_;
  ASSIGN_OR_RETURN(Learned learned, Learn(forms));
  // What begins like a message of another form than nearly all others was pasted into one.
  const std::uint64_t usual = *std::max_element(learned.forms.begin(), learned.forms.end());
  std::uint64_t rare = 0;
  WhatsAppForms usual_forms;
  for (std::size_t form = 0; form < forms.size(); ++form) {
    const bool is_rare = learned.forms[form] * kRareForms < usual;
    if (is_rare) rare += learned.forms[form];
    usual_forms[form] = !is_rare;
  }
  if (rare > 0 && rare * kRareForms < learned.starts) {
    forms = usual_forms;
    authors_ = none;
    ASSIGN_OR_RETURN(learned, Learn(forms));
  }
  if (learned.faulty_lines >= 3 && learned.faulty_lines > learned.foreign_lines &&
      learned.faulty_lines * 5 > learned.starts) {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat("line ", learned.first_fault_line, " ", learned.first_fault)),
                    "WhatsApp writes UTF-8. Import the file as it was exported, or save it as "
                    "UTF-8.");
  }
  if (learned.starts == 0) {
    return WithHint(absl::InvalidArgumentError("holds no message as WhatsApp writes them"),
                    kExportAgain);
  }
  words_are_silent_ = learned.words_are_silent;
  order_ = learned.dates.Conclude();
  authors_.Conclude(survey_);
  survey_.date_order = order_.ToString();
  survey_.date_order_is_assumed = order_.assumed;
  if (order_.assumed) {
    AddRemark(
        absl::StrCat(order_.year_is_assumed
                         ? "Nothing in the file tells whether the year stands first or last; days "
                           "were read as "
                         : "Nothing in the file tells in which order day and month stand; they "
                           "were read as ",
                     NameOf(order_.order), "."));
  }
  if (order_.years == ShortYears::kBuddhist)
    AddRemark("Years of two digits were read as those of Thailand's calendar.");
  if (learned.other_forms > 0) {
    AddRemark(absl::StrCat(learned.other_forms,
                           " lines that begin like messages of another form than the rest were "
                           "read as parts of the messages in which they stand."));
  }
  if (const std::uint64_t count = authors_.longer_names(); count > 0) {
    AddRemark(absl::StrCat(count, count == 1 ? " name was" : " names were",
                           " read with a colon inside, as lines of the app have ",
                           count == 1 ? "it" : "them",
                           "; an export without such lines has less of the name."));
  }
  if (const std::uint64_t count = authors_.alike_authors(); count > 0) {
    AddRemark(absl::StrCat("All messages of ", count, count == 1 ? " author" : " authors",
                           " begin with the same words and a colon; that was kept in the texts, "
                           "and not taken for a part of the name."));
  }
  if (authors_.too_many()) {
    AddRemark(absl::StrCat("More than ", ChatSurvey::kMaxAuthors,
                           " people write in this chat; not all of them are listed."));
  }
  ASSIGN_OR_RETURN(auto read, text_->Begin());
  messages_.emplace(std::move(read), forms);
  return absl::OkStatus();
}

std::string WhatsAppReader::ReadTime(const LineStart& start, ChatMessage& message) {
  if (start.unknown_word && !words_are_silent_ && start.hour >= 1 && start.hour <= 12) {
    return "has a word beside its time that is not known, so that morning and afternoon cannot be "
           "told apart";
  }
  const auto day = ToCivilDay(start.date, order_.order, order_.years);
  if (!day) return absl::StrCat("has a day that is in no calendar, read as ", NameOf(order_.order));
  if (day->year() < 2009) return "has a time before 2009, when WhatsApp began";
  const absl::CivilSecond wall(day->year(), day->month(), day->day(), start.hour, start.minute,
                               std::max<int>(start.second, 0));
  if (absl::FromCivil(wall, zone_) > latest_) return "has a time in the future";
  message.time = clock_.Read(wall);
  return "";
}

absl::StatusOr<bool> WhatsAppReader::Next(ChatMessage& message) {
  message = ChatMessage();
  WhatsAppLines lines;
  ASSIGN_OR_RETURN(const bool more, messages_->Next(lines));
  if (!more) return false;
  message.line = lines.line;
  if (lines.cut_line > 0) {
    AddRemark(absl::StrCat("The file ends in the middle of a character, in line ", lines.cut_line,
                           "; its last message is not whole."));
  }
  message.fault = !lines.fault.empty() ? lines.fault
                  : !lines.start       ? "stands before the first message"
                                       : ReadTime(*lines.start, message);
  if (!message.fault.empty()) {
    message.time = absl::Time();
    message.raw = ToEscapedUtf8(lines.text, Encoding::kUtf8);
    return true;
  }
  WhatsAppMessage read = authors_.Interpret(lines);
  message.kind = read.kind;
  message.edited = read.edited;
  message.author = std::move(read.author);
  message.text = std::move(read.text);
  return true;
}

}  // namespace

bool LooksLikeWhatsApp(const ByteSource& bytes) {
  return IsZip(bytes.head()) || HeadHasMessages(bytes.head());
}

absl::StatusOr<std::unique_ptr<ChatReader>> OpenWhatsApp(ByteSource& bytes,
                                                         const ChatReaderOptions& options) {
  std::unique_ptr<ChatText> text;
  std::string chat_name = ChatNameOf(bytes.name()).value_or("");
  std::size_t media = 0;
  if (IsZip(bytes.head())) {
    auto zip = ZipFile::Open(bytes, kZipLimits);
    if (!zip.ok()) return OfChat(zip.status(), "");
    const auto chats = FindChats(**zip);
    if (!chats.ok()) return OfChat(chats.status(), "holds a text that ");
    if (chats->empty())
      return WithHint(absl::InvalidArgumentError("is a zip file without a chat of WhatsApp in it"),
                      "Name the chat's text itself, or unpack the zip file first.");
    if (chats->size() > 1) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat("is a zip file with ", chats->size(), " chats")),
          "Unpack it, and import its chats one by one.");
    }
    for (const std::string& name : (*zip)->names()) {
      if (!absl::EndsWith(name, "/") && !absl::StartsWith(name, "__MACOSX/")) ++media;
    }
    --media;
    if (auto name = ChatNameOf(chats->front())) chat_name = *std::move(name);
    text = std::make_unique<ZipText>(*std::move(zip), chats->front());
  } else {
    text = std::make_unique<SourceText>(bytes);
  }
  auto reader = std::make_unique<WhatsAppReader>(std::move(text), std::move(chat_name), options);
  if (media > 0)
    reader->AddRemark(absl::StrCat(media, media == 1
                                              ? " media file in the zip file was left out."
                                              : " media files in the zip file were left out."));
  RETURN_IF_ERROR(reader->Survey());
  return reader;
}

}  // namespace sealbook::anonymizer
