// Identifiers: what is normalised once stays as it is, and is recognised for what it is.
#include "tests/fuzz/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealbook;
  using namespace sealbook::anonymizer;
  using sealbook::fuzz::Check;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* region : {"KR", "CN", "US", "DE", ""}) {
    const auto phone = NormalizePhone(text, region);
    if (!phone.ok()) continue;
    Check(phone->size() >= 6 && phone->size() <= 18 && (*phone)[0] == '+' &&
              phone->find_first_not_of("0123456789", 1) == std::string::npos,
          "a phone is a plus and digits");
    const auto again = NormalizePhone(*phone, region);
    Check(again.ok() && *again == *phone, "a phone stays as it is");
    Check(RecognizeIdentifier(*phone, region).has_value(), "a phone is recognised");
  }
  for (const IdentifierKind kind : {IdentifierKind::kEmail, IdentifierKind::kWhatsAppId,
                                    IdentifierKind::kJid, IdentifierKind::kUsername}) {
    const auto once = NormalizeIdentifier(kind, text, "KR");
    if (!once.ok()) continue;
    Check(!once->value.empty() && fuzz::IsClean(once->value), "an identifier is clean text");
    const auto again = NormalizeIdentifier(once->kind, once->value, "KR");
    Check(again.ok() && *again == *once, "an identifier stays as it is");
  }
  const std::string clean = CleanText(text);
  Check(fuzz::IsClean(clean) && CleanText(clean) == clean, "clean text stays as it is");
  for (const std::string& value : SplitCell(text).values)
    Check(!value.empty(), "a part of a cell is not empty");
  RecognizeIdentifier(text, "KR");
  FieldOfHeader(text);
  const std::string field = FieldNameFor(text, 0);
  Check(CheckFieldName(field).ok(), "a field's name is one");
  return 0;
}
