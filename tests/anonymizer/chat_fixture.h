// Chats as tests read them: all that a reader says of a file with given bytes.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "anonymizer/chat_reader.h"
#include "tests/support/temporary_file.h"

namespace sealbook::anonymizer {

struct Chat {
  ChatFormat format{};
  std::vector<ChatMessage> messages;  // the good ones
  std::vector<ChatMessage> rejects;
  std::optional<ChatSurvey> survey;
  std::vector<std::string> remarks;
  absl::Status end;  // not OK: the file could not be read to its end

  // "LINE FAULT"
  std::vector<std::string> faults() const {
    std::vector<std::string> out;
    for (const ChatMessage& message : rejects)
      out.push_back(absl::StrCat(message.line, " ", message.fault));
    return out;
  }
};

// Korea's time, and a clock that stands still.
inline ChatReaderOptions TestChatOptions() {
  ChatReaderOptions options;
  options.zone = absl::FixedTimeZone(9 * 60 * 60);
  options.region = "KR";
  options.latest = absl::FromCivil(absl::CivilSecond(2026, 1, 1), absl::UTCTimeZone());
  return options;
}

inline Chat DrainChat(ChatReader& reader) {
  Chat chat{.format = reader.format()};
  ChatMessage message;
  for (;;) {
    const auto more = reader.Next(message);
    if (!more.ok()) chat.end = more.status();
    if (!more.ok() || !*more) break;
    (message.fault.empty() ? chat.messages : chat.rejects).push_back(message);
  }
  if (reader.survey() != nullptr) chat.survey = *reader.survey();
  chat.remarks = reader.remarks();
  return chat;
}

inline absl::StatusOr<Chat> ReadChatFile(const std::string& path,
                                         const ChatReaderOptions& options = TestChatOptions()) {
  auto source = ByteSource::Open(path);
  if (!source.ok()) return source.status();
  auto reader = OpenChat(**source, options);
  if (!reader.ok()) return reader.status();
  return DrainChat(**reader);
}

inline absl::StatusOr<Chat> ReadChat(absl::string_view bytes,
                                     const ChatReaderOptions& options = TestChatOptions()) {
  const testing::TemporaryFile file(bytes);
  return ReadChatFile(file.path(), options);
}

// The same through a pipe, written in small pieces.
inline absl::StatusOr<Chat> ReadChatThroughPipe(
    absl::string_view bytes, const ChatReaderOptions& options = TestChatOptions()) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (absl::string_view rest = bytes; !rest.empty();) {
      const ssize_t written = write(ends[1], rest.data(), std::min<std::size_t>(rest.size(), 777));
      if (written <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    close(ends[1]);
  });
  auto chat = ReadChatFile(absl::StrCat("/proc/self/fd/", ends[0]), options);
  close(ends[0]);
  writer.join();
  return chat;
}

inline absl::string_view KindName(MessageKind kind) {
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

// "LINE 2024-01-03 14:05:00 KIND AUTHOR: TEXT", the time as the test's clock on the wall shows it.
inline std::string Describe(const ChatMessage& message) {
  return absl::StrCat(message.line, " ",
                      absl::FormatTime("%Y-%m-%d %H:%M:%S", message.time, TestChatOptions().zone),
                      " ", KindName(message.kind), message.edited ? " edited" : "", " ",
                      message.author, ": ", absl::StrReplaceAll(message.text, {{"\n", "|"}}));
}

inline std::vector<std::string> DescribeAll(const Chat& chat) {
  std::vector<std::string> out;
  for (const ChatMessage& message : chat.messages) out.push_back(Describe(message));
  return out;
}

}  // namespace sealbook::anonymizer
