#include "tests/fuzz/chat_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealbook::fuzz::ReadChat(data, size, sealbook::anonymizer::ChatFormat::kKakaoTalk);
  return 0;
}
