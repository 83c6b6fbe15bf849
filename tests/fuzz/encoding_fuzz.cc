// Decoding and detection: a decoder fed in pieces gives what it gives of the whole, what comes out
// is UTF-8, and lines of a file hold together with what was read of it.
#include <algorithm>

#include "anonymizer/text_source.h"
#include "tests/fuzz/list_fuzz.h"

namespace sealbook::fuzz {
namespace {

using namespace anonymizer;

void CheckDecoder(absl::string_view bytes, Encoding encoding, std::size_t piece) {
  std::string whole, pieces;
  Decoder(encoding).Decode(bytes, true, whole);
  Decoder decoder(encoding);
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    decoder.Decode(bytes.substr(at, piece), false, pieces);
  decoder.Decode("", true, pieces);
  Check(whole == pieces, "pieces give the same text as the whole");
  Check(IsUtf8(ToEscapedUtf8(bytes, encoding)), "what is shown of a line is UTF-8");
  const auto text = ToUtf8(bytes, encoding);
  Check(text.has_value() == (whole.find('\xff') == std::string::npos), "bad bytes are marked");
  if (text) Check(*text == whole && IsUtf8(*text), "text is UTF-8");
  std::string kept;
  for (const char c : whole) {
    if (c != '\xff') kept += c;
  }
  Check(IsUtf8(kept), "what is not marked is UTF-8");
  if (encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be) return;
  const auto ends = [](absl::string_view in) { return std::count(in.begin(), in.end(), '\n'); };
  Check(ends(bytes) == ends(whole), "line ends survive what stands before them");
}

void CheckLines(absl::string_view bytes, std::optional<Encoding> encoding) {
  const MemoryFile file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  auto source = ByteSource::Open(file.path());
  if (!source.ok()) return;
  const auto lines = TextSource::Open(**source, encoding);
  if (!lines.ok()) {
    Check(absl::IsInvalidArgument(lines.status()), "what is no text is an invalid argument");
    return;
  }
  TextLine line;
  for (std::int64_t number = 1;; ++number) {
    const auto more = (*lines)->Next(line);
    Check(more.ok(), "lines are read to the end");
    if (!*more) break;
    Check(line.number == number, "lines are counted");
    Check(IsUtf8(line.text) && IsUtf8(line.raw), "lines are UTF-8");
    Check(line.text.find_first_of("\r\n") == std::string::npos, "a line is one line");
    Check(line.fault.empty() ? line.raw.empty() : line.text.empty() && !line.raw.empty(),
          "a faulty line is kept as it stands");
  }
  Check((*lines)->bytes_read() == bytes.size(), "all of it is read");
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealbook::fuzz;
  if (size < 2 || size > 4096) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto encoding = static_cast<Encoding>(data[0] % 8);
  CheckDecoder(bytes, encoding, data[0] / 8 + 1u);
  CheckLines(bytes, encoding);
  const auto found = DetectEncoding(bytes);
  Check(found.ok() || absl::IsInvalidArgument(found.status()), "it is told, or it is not");
  CheckLines(bytes, std::nullopt);
  return 0;
}
