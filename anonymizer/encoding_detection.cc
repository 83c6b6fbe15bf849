#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {
namespace {

// UTF-16 of mostly Latin letters has its zeros on one side; without a mark, that tells it.
std::optional<Encoding> GuessUtf16(absl::string_view bytes) {
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
  const std::size_t pairs = bytes.size() / 2;
  if (pairs < 4) return std::nullopt;
  // The other side has some too: U+AC00 and U+4E00 are common letters.
  if (zeros[1] * 5 > pairs && zeros[0] * 4 < zeros[1]) return Encoding::kUtf16Le;
  if (zeros[0] * 5 > pairs && zeros[1] * 4 < zeros[0]) return Encoding::kUtf16Be;
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Encoding> DetectEncoding(absl::string_view sample) {
  return GuessUtf16(sample).value_or(Encoding::kUtf8);
}

}  // namespace sealbook::anonymizer
