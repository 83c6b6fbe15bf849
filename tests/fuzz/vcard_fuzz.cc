#include "tests/fuzz/list_fuzz.h"

namespace sealbook::fuzz {
namespace {

// What a rejects file would hold of each card is text, whatever stood in it.
void ReadCards(const std::uint8_t* data, std::size_t size) {
  using namespace anonymizer;
  const MemoryFile file(data, size);
  auto bytes = ByteSource::Open(file.path());
  if (!bytes.ok()) return;
  auto cards = OpenTable(**bytes, {.format = TableFormat::kVcard});
  if (!cards.ok()) return;
  TableRow row;
  for (;;) {
    const auto more = (*cards)->Next(row);
    Check(more.ok(), "what was opened is read to its end");
    if (!*more) break;
    Check(IsUtf8(row.raw) && row.raw.find('\0') == std::string::npos, "raw is text");
    Check(row.cells.size() <= (*cards)->columns().size(), "a cell has a column");
    for (const std::string& cell : row.cells) Check(IsUtf8(cell), "a cell is text");
    for (const char c : row.fault) Check(c >= ' ' && c < 0x7f, "a fault holds nothing of the card");
  }
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealbook::fuzz::ReadCards(data, size);
  sealbook::fuzz::ReadList(data, size, sealbook::anonymizer::TableFormat::kVcard);
  return 0;
}
