// Prints a list's rows as they are read, for programs that compare: a line of JSON each, with the
// row's number and its cells or, in their place, its fault. The first row is the columns' names.
#include <iostream>
#include <nlohmann/json.hpp>

#include "anonymizer/table_reader.h"

namespace sealbook::anonymizer {
namespace {

absl::Status Print(const char* path) {
  auto bytes = ByteSource::Open(path);
  if (!bytes.ok()) return bytes.status();
  auto reader = OpenTable(**bytes, {});
  if (!reader.ok()) return reader.status();
  std::cout << nlohmann::json({(*reader)->header_line(), (*reader)->columns()}) << "\n";
  TableRow row;
  for (;;) {
    const auto more = (*reader)->Next(row);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (row.fault.empty())
      std::cout << nlohmann::json({row.line, row.cells}) << "\n";
    else
      std::cout << nlohmann::json({row.line, row.fault}) << "\n";
  }
}

}  // namespace
}  // namespace sealbook::anonymizer

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const absl::Status status = sealbook::anonymizer::Print(argv[1]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
