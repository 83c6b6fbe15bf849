// Exports of WhatsApp, texts and zips: whatever stands in them, they are read to their end or
// refused, and what comes out is what anonymizer/chat_reader.h says.
#include "anonymizer/chat_reader.h"
#include "anonymizer/whatsapp_reader.h"
#include "tests/fuzz/list_fuzz.h"

namespace sealbook::fuzz {
namespace {

bool IsPlain(const std::string& text) {
  for (const char c : text) {
    if (c < ' ' || c >= 0x7f) return false;
  }
  return true;
}

void ReadExport(const std::uint8_t* data, std::size_t size) {
  using namespace anonymizer;
  static const absl::TimeZone* const zone = [] {
    auto* berlin = new absl::TimeZone;
    if (!absl::LoadTimeZone("Europe/Berlin", berlin)) *berlin = absl::UTCTimeZone();
    return berlin;
  }();
  const MemoryFile file(data, size);
  auto bytes = ByteSource::Open(file.path());
  if (!bytes.ok()) return;
  (void)LooksLikeWhatsApp(**bytes);
  ChatReaderOptions options;
  options.zone = *zone;
  options.latest = absl::FromCivil(absl::CivilDay(2026, 1, 1), *zone);
  auto reader = OpenWhatsApp(**bytes, options);
  if (!reader.ok()) {
    Check(absl::IsInvalidArgument(reader.status()), "what cannot be read is an invalid argument");
    Check(IsPlain(std::string(reader.status().message())), "an error holds nothing of the file");
    return;
  }
  const ChatSurvey& survey = *(*reader)->survey();
  Check(survey.authors.size() <= ChatSurvey::kMaxAuthors, "authors are bounded");
  Check(IsPlain(survey.date_order), "the order holds nothing of the file");
  for (const auto& [author, count] : survey.authors) {
    Check(!author.empty() && IsUtf8(author) && count > 0, "an author has a name and wrote");
  }
  ChatMessage message;
  std::int64_t last_line = 0;
  std::uint64_t written = 0, system = 0;
  for (;;) {
    const auto more = (*reader)->Next(message);
    Check(more.ok(), "what was read once is read again");
    if (!*more) break;
    Check(message.line > last_line, "lines go up");
    last_line = message.line;
    Check(IsPlain(message.fault), "a fault holds nothing of the file");
    if (!message.fault.empty()) {
      Check(IsUtf8(message.raw), "what stands there is text");
      continue;
    }
    Check(IsUtf8(message.text) && IsUtf8(message.author), "a message is text");
    Check(message.text.size() <= ChatReader::kMaxTextBytes, "a text is bounded");
    Check(message.time <= options.latest &&
              message.time > absl::FromCivil(absl::CivilDay(2008, 12, 31), *zone),
          "a time can be");
    Check(message.author.empty() == (message.kind == MessageKind::kSystem),
          "the app has no author");
    ++(message.author.empty() ? system : written);
  }
  // Faults are in the survey too where their time is the fault.
  Check(written <= survey.messages && system <= survey.system_lines, "the survey counted them");
  for (const std::string& remark : (*reader)->remarks())
    Check(IsPlain(remark), "a remark holds nothing of the file");
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealbook::fuzz::ReadExport(data, size);
  return 0;
}
