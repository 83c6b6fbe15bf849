// WhatsApp's exports as tests read them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/whatsapp_reader.h"
#include "tests/support/temporary_file.h"

namespace sealbook::anonymizer {

// UTF-8 of what nobody sees.
inline constexpr absl::string_view kLrm = "\u200e", kRlm = "\u200f", kBom = "\ufeff",
                                   kNbsp = "\u00a0", kNarrow = "\u202f", kEmbed = "\u202a",
                                   kPop = "\u202c";

inline ChatReaderOptions TestOptions() {
  ChatReaderOptions options;
  options.zone = absl::UTCTimeZone();
  options.latest = absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone());
  return options;
}

struct WhatsAppChat {
  absl::Status status;  // of opening it or reading on
  ChatSurvey survey;
  std::vector<ChatMessage> messages;  // the good ones
  std::vector<ChatMessage> faults;
  std::vector<std::string> remarks;
};

inline WhatsAppChat ReadFrom(ByteSource& bytes, const ChatReaderOptions& options) {
  WhatsAppChat chat;
  auto reader = OpenWhatsApp(bytes, options);
  chat.status = reader.status();
  if (!reader.ok()) return chat;
  EXPECT_EQ((*reader)->format(), ChatFormat::kWhatsApp);
  for (ChatMessage message;;) {
    const auto more = (*reader)->Next(message);
    chat.status = more.status();
    if (!more.ok() || !*more) break;
    (message.fault.empty() ? chat.messages : chat.faults).push_back(message);
  }
  chat.survey = *(*reader)->survey();
  chat.remarks = (*reader)->remarks();
  return chat;
}

inline WhatsAppChat ReadWhatsApp(absl::string_view text,
                                 const ChatReaderOptions& options = TestOptions()) {
  const testing::TemporaryFile file(text);
  auto bytes = ByteSource::Open(file.path());
  if (!bytes.ok()) return {.status = bytes.status()};
  return ReadFrom(**bytes, options);
}

inline std::string Minute(const ChatMessage& message, absl::TimeZone zone = absl::UTCTimeZone()) {
  return absl::FormatTime("%Y-%m-%d %H:%M", message.time, zone);
}
inline std::string WhatsAppKindName(MessageKind kind) {
  switch (kind) {
    case MessageKind::kText:
      return "text";
    case MessageKind::kMedia:
      return "media";
    case MessageKind::kDeleted:
      return "deleted";
    case MessageKind::kSystem:
      return "system";
  }
  return "";
}
// "2024-01-02 03:04 text Ann: Hello", " edited" behind the kind of such.
inline std::string Told(const ChatMessage& message, absl::TimeZone zone = absl::UTCTimeZone()) {
  return absl::StrCat(Minute(message, zone), " ", WhatsAppKindName(message.kind),
                      message.edited ? " edited" : "", " ", message.author, ": ", message.text);
}
inline std::vector<std::string> Told(const WhatsAppChat& chat,
                                     absl::TimeZone zone = absl::UTCTimeZone()) {
  std::vector<std::string> told;
  for (const ChatMessage& message : chat.messages) told.push_back(Told(message, zone));
  return told;
}

}  // namespace sealbook::anonymizer
