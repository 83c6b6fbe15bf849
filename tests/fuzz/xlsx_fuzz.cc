// The bytes make the parts of a workbook, with "\n==\n" between them: the sheets, the shared
// strings, the styles and the list of sheets, as many as there are; each may be a whole part or
// what stands inside of its root. The bytes as they are, as a file, are tried too.
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/fuzz/list_fuzz.h"
#include "tests/support/workbook.h"

namespace {

std::string Workbook(absl::string_view bytes) {
  const std::vector<std::string> texts = absl::StrSplit(bytes, "\n==\n");
  const auto text = [&](std::size_t i) { return i < texts.size() ? texts[i] : std::string(); };
  sealbook::testing::ZipParts parts =
      sealbook::testing::PartsOf({.sheets = {{text(0)}, {text(4), "b"}},
                                  .strings = text(1),
                                  .styles = text(2),
                                  .properties = text(3)});
  const std::pair<absl::string_view, std::size_t> whole[] = {{"xl/worksheets/sheet1.xml", 0},
                                                             {"xl/sharedStrings.xml", 1},
                                                             {"xl/styles.xml", 2},
                                                             {"xl/workbook.xml", 3},
                                                             {"xl/worksheets/sheet2.xml", 4}};
  for (auto& [name, part] : parts) {
    for (const auto& [other, i] : whole) {
      if (name == other &&
          (absl::StartsWith(text(i), "<?xml") || absl::StartsWith(text(i), "\xff")))
        part = text(i);
    }
  }
  return sealbook::testing::WriteZip(parts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sealbook::anonymizer::TableFormat;
  const std::string book = Workbook({reinterpret_cast<const char*>(data), size});
  sealbook::fuzz::ReadList(reinterpret_cast<const std::uint8_t*>(book.data()), book.size(),
                           TableFormat::kXlsx);
  if (size > 2 && data[0] == 'P' && data[1] == 'K')
    sealbook::fuzz::ReadList(data, size, TableFormat::kXlsx);
  return 0;
}
