// Consents: what parses is written as it stood; what stands in cells never breaks the grammar.
#include "anonymizer/consents.h"
#include "tests/fuzz/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealbook;
  using sealbook::fuzz::Check;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = records::ParseConsent(text);
  if (parsed.ok()) {
    const auto again = records::FormatConsent(*parsed);
    Check(again.ok() && *again == text, "a consent is written as it stood");
  }
  for (const bool utc : {false, true}) {
    const std::string time = records::ConsentTime(text, utc);
    Check(time.empty() || records::ConsentTime(time, false) == time, "a time stays as it is");
  }
  Check(records::SameConsent(text, text), "a consent is the same as itself");
  anonymizer::ConsentState(text);
  anonymizer::ConsentColumnOf(text);
  // As a cell of each kind of column, and as a column's and a file's name.
  const std::string clean = anonymizer::CleanText(text);
  if (clean.empty()) return 0;
  anonymizer::ConsentReader reader(text);
  const std::vector<anonymizer::Column> columns = {
      {.name = "OPTIN_TIME", .field = "consent"},       {.name = "OPTIN_IP", .field = "consent"},
      {.name = "Newsletter", .field = "consent"},       {.name = "Opt in date", .field = "consent"},
      {.name = "Email opt-out", .field = "consent"},    {.name = clean, .field = "consent"},
      {.name = "Consent timestamp", .field = "consent"}};
  for (std::size_t with = 1; with < (1u << columns.size()); with += 5) {
    reader.Begin();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if ((with >> i & 1) != 0) reader.Take(columns[i], i, i == 2 && with % 2 == 0 ? "yes" : clean);
    }
    for (const auto& field : reader.Finish(columns, 1)) {
      Check(!field.value.empty(), "a field has a value");
      if (field.name == records::kConsentField)
        Check(records::ParseConsent(field.value).ok(), "a consent parses");
    }
  }
  return 0;
}
