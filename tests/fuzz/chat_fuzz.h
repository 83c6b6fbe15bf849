// Reads a chat to its end and checks what is true of every chat, however it was made.
#pragma once

#include <cstdlib>
#include <iostream>

#include "anonymizer/chat_reader.h"
#include "anonymizer/encodings.h"
#include "tests/fuzz/memory_file.h"

namespace sealbook::fuzz {

inline void CheckChat(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

inline void CheckMessage(const anonymizer::ChatMessage& message, bool is_export,
                         const anonymizer::ChatReaderOptions& options) {
  using namespace anonymizer;
  CheckChat(message.line > 0, "a message has a line");
  if (!message.fault.empty()) {
    CheckChat(message.text.empty() && message.customer.empty() && message.author.empty(),
              "a faulty message gives nothing");
    return;
  }
  CheckChat(message.raw.empty(), "a good message is no reject");
  CheckChat(IsUtf8(message.text) && IsUtf8(message.author) && IsUtf8(message.id), "text is UTF-8");
  CheckChat(message.text.find('\0') == std::string::npos, "text holds no NUL");
  CheckChat(message.text.find('\r') == std::string::npos, "line breaks are line feeds");
  CheckChat(message.text.size() <= ChatReader::kMaxTextBytes, "a text has its limit");
  CheckChat(message.time <= options.latest, "no message is of the future");
  CheckChat(message.time >= absl::FromUnixSeconds(1230717600), "no message is older than the app");
  if (is_export) {
    CheckChat(message.author.empty() == (message.kind == MessageKind::kSystem),
              "somebody wrote it, or the app");
    CheckChat(message.customer.empty() && message.token.empty() && !message.outgoing,
              "an export does not say whose chat it is");
  } else {
    CheckChat(!message.customer.empty() || !message.token.empty(), "a record names its customer");
    CheckChat(message.outgoing.has_value(), "a record has its direction");
    CheckChat(!message.text.empty(), "a record has a text");
    for (const auto& one : message.customer) CheckChat(!one.value.empty(), "an identifier is one");
  }
}

inline void ReadOneChat(const std::string& path, const anonymizer::ChatReaderOptions& options) {
  using namespace anonymizer;
  auto source = ByteSource::Open(path);
  if (!source.ok()) return;  // empty
  auto reader = OpenChat(**source, options);
  if (!reader.ok()) {
    CheckChat(
        absl::IsInvalidArgument(reader.status()) || absl::IsFailedPrecondition(reader.status()),
        "what cannot be read is an invalid argument");
    return;
  }
  if ((*reader)->format() == ChatFormat::kWhatsApp) return;  // it has a target of its own
  const ChatSurvey* const survey = (*reader)->survey();
  std::uint64_t messages = 0, system_lines = 0, media = 0, deleted = 0;
  std::int64_t last_line = 0;
  ChatMessage message;
  bool whole = true;
  for (;;) {
    const auto more = (*reader)->Next(message);
    whole = more.ok();
    if (!more.ok() || !*more) break;
    CheckMessage(message, survey != nullptr, options);
    CheckChat(survey != nullptr ? message.line > last_line : message.line >= last_line,
              "lines go up");
    last_line = message.line;
    if (!message.fault.empty()) continue;
    messages += message.kind == MessageKind::kSystem ? 0 : 1;
    system_lines += message.kind == MessageKind::kSystem ? 1 : 0;
    media += message.kind == MessageKind::kMedia ? 1 : 0;
    deleted += message.kind == MessageKind::kDeleted ? 1 : 0;
    if (survey != nullptr && message.kind != MessageKind::kSystem) {
      CheckChat(survey->authors.contains(message.author) ||
                    survey->authors.size() >= ChatSurvey::kMaxAuthors,
                "the survey knows who wrote");
    }
  }
  if (survey != nullptr && whole) {
    CheckChat(survey->messages == messages && survey->system_lines == system_lines &&
                  survey->media == media && survey->deleted == deleted,
              "the survey has counted what came");
  }
  for (const std::string& remark : (*reader)->remarks())
    CheckChat(IsUtf8(remark) && !remark.empty(), "a remark is a sentence");
}

inline void ReadChat(const std::uint8_t* data, std::size_t size, anonymizer::ChatFormat format) {
  anonymizer::ChatReaderOptions options;
  options.zone = absl::FixedTimeZone(9 * 60 * 60);
  options.region = "KR";
  options.latest = absl::FromUnixSeconds(1767225600);
  const MemoryFile file(data, size);
  ReadOneChat(file.path(), options);
  options.format = format;
  ReadOneChat(file.path(), options);
}

}  // namespace sealbook::fuzz
