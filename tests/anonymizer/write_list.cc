// Writes a list, for programs that compare: write_list FORMAT < CONTACTS > FILE. The first line of
// CONTACTS is a JSON list of the columns, each other one a contact: {"uid": N, "books": […],
// "fields": {…}}.
#include <iostream>
#include <nlohmann/json.hpp>

#include "anonymizer/list_writer.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

class StandardOutput : public ByteSink {
 public:
  absl::Status Append(ByteView bytes) override {
    const absl::string_view text = crypto::AsText(bytes);
    std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
    return std::cout ? absl::OkStatus() : absl::InternalError("cannot write");
  }
};

absl::Status Write(const char* format_name) {
  ASSIGN_OR_RETURN(const ListFormat format, ParseListFormat(format_name));
  std::string line;
  std::getline(std::cin, line);
  StandardOutput output;
  ASSIGN_OR_RETURN(auto writer, ListWriter::Create(format, nlohmann::json::parse(line), output));
  constexpr std::size_t kBatch = 100;
  std::vector<ListedContact> batch;
  std::uint64_t rows = 0;
  const auto flush = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(RenderedRows rendered, writer->Render(batch, rows));
    rows += batch.size();
    batch.clear();
    return writer->Append(std::move(rendered));
  };
  while (std::getline(std::cin, line)) {
    const auto json = nlohmann::json::parse(line);
    ListedContact contact{.token = json["uid"], .books = json["books"], .fields = {}};
    for (const auto& [name, value] : json["fields"].items())
      contact.fields.push_back({name, value.get<std::string>()});
    batch.push_back(std::move(contact));
    if (batch.size() == kBatch) RETURN_IF_ERROR(flush());
  }
  RETURN_IF_ERROR(flush());
  return writer->Finish();
}

}  // namespace
}  // namespace sealbook::anonymizer

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const absl::Status status = sealbook::anonymizer::Write(argv[1]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
