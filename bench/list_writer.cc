// How quickly lists are written, by format: rows of eight columns, rendered on one thread and
// appended to nowhere. Run: bench_list_writer [ROWS]
#include "anonymizer/list_writer.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

class Nowhere : public ByteSink {
 public:
  absl::Status Append(ByteView part) override {
    bytes += part.size();
    return absl::OkStatus();
  }
  std::uint64_t bytes = 0;
};

double Since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

absl::Status Run(ListFormat format, std::uint64_t rows) {
  constexpr std::size_t kBatch = 4096;
  std::vector<ListedContact> contacts;
  for (std::size_t i = 0; i < kBatch; ++i) {
    contacts.push_back({.token = static_cast<std::int64_t>(2'837'470'195 + i * 7919),
                        .books = {"seoul"},
                        .fields = {{"name", absl::StrCat("김민아 ", i)},
                                   {"phone", absl::StrCat("+8210", 12345678 + i)},
                                   {"email", absl::StrCat("customer", i, "@example.com")},
                                   {"address", absl::StrCat(i, " Example-ro, Mapo-gu, Seoul")},
                                   {"tags", i % 3 == 0 ? "VIP" : "new"},
                                   {"note", i % 5 == 0 ? "sensitive skin;\nno perfume" : "-"}}});
  }
  Nowhere sink;
  auto writer = ListWriter::Create(
      format, {"uid", "name", "phone", "email", "address", "tags", "note", "books"}, sink);
  if (!writer.ok()) return writer.status();
  double render = 0, append = 0;
  for (std::uint64_t row = 0; row < rows; row += kBatch) {
    auto start = std::chrono::steady_clock::now();
    auto rendered = (*writer)->Render(contacts, row);
    render += Since(start);
    if (!rendered.ok()) return rendered.status();
    start = std::chrono::steady_clock::now();
    const absl::Status appended = (*writer)->Append(*std::move(rendered));
    append += Since(start);
    if (!appended.ok()) return appended;
  }
  const absl::Status finished = (*writer)->Finish();
  std::printf("%-6s render %6.2f s, %9.0f rows/s; append %6.2f s; %5.0f MB\n",
              std::string(NameOf(format)).c_str(), render, static_cast<double>(rows) / render,
              append, static_cast<double>(sink.bytes) / 1e6);
  return finished;
}

}  // namespace
}  // namespace sealbook::anonymizer

int main(int argc, char** argv) {
  using sealbook::anonymizer::ListFormat;
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  for (const ListFormat format :
       {ListFormat::kCsv, ListFormat::kJsonLines, ListFormat::kVcard, ListFormat::kWorkbook}) {
    const absl::Status status = sealbook::anonymizer::Run(format, rows);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  return 0;
}
