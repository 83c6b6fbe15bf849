#include "tests/fuzz/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealbook::fuzz::ReadList(data, size, sealbook::anonymizer::TableFormat::kVcard);
  return 0;
}
