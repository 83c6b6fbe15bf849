#include "vault/records/message_id.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/secret.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kPrefix = "wamid.";
constexpr char kHexDigits[] = "0123456789ABCDEF";

int ValueOfHex(std::uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

void MessageId::Wipe() {
  if (!used_) return;
  crypto::Wipe(bytes_, sizeof bytes_);
  crypto::Wipe(digits_, sizeof digits_);
  used_ = false;
}

void MessageId::Split(absl::string_view id) {
  head_ = {};
  rest_ = crypto::AsBytes(id);
  form_ = id.empty() ? IdForm::kNone : IdForm::kText;
  if (!absl::StartsWith(id, kPrefix)) return;
  used_ = true;
  // It takes no other spelling than ToBase64's, so what it takes comes back.
  const auto size =
      crypto::internal::DecodeBase64(id.substr(kPrefix.size()), /*padded=*/true, bytes_);
  if (!size.has_value() || *size == 0) return;
  form_ = IdForm::kWamid;
  rest_ = ByteView(bytes_, *size);

  // head || number of digits || digits || 0, the longest digits that fit.
  if (rest_.back() != 0) return;
  const ByteView body = rest_.first(rest_.size() - 1);
  std::size_t digits = 0;  // at the end of the body
  for (std::size_t n = 1; n < body.size(); ++n) {
    if (ValueOfHex(body[body.size() - n]) < 0) break;
    if (n % 2 == 0 && body[body.size() - n - 1] == n) digits = n;
  }
  if (digits == 0) return;
  const ByteView text = body.last(digits);
  for (std::size_t i = 0; i < digits; i += 2) {
    digits_[i / 2] = static_cast<std::uint8_t>(ValueOfHex(text[i]) * 16 + ValueOfHex(text[i + 1]));
  }
  form_ = IdForm::kDigits;
  head_ = body.first(body.size() - digits);
  rest_ = ByteView(digits_, digits / 2);
}

std::size_t DigitBytes(ByteView head) {
  return head.empty() || head.back() % 2 != 0 ? 0 : head.back() / 2;
}

namespace {
std::size_t WamidSize(std::size_t bytes) { return kPrefix.size() + (bytes + 2) / 3 * 4; }
}  // namespace

std::size_t JoinedIdSize(IdForm form, ByteView head, ByteView rest) {
  switch (form) {
    case IdForm::kNone:
      return 0;
    case IdForm::kText:
      return rest.size();
    case IdForm::kWamid:
      return WamidSize(rest.size());
    case IdForm::kDigits:
      return WamidSize(head.size() + 2 * rest.size() + 1);
  }
  return 0;
}

std::string JoinId(IdForm form, ByteView head, ByteView rest) {
  switch (form) {
    case IdForm::kNone:
      return {};
    case IdForm::kText:
      return std::string(crypto::AsText(rest));
    case IdForm::kWamid:
      break;
    case IdForm::kDigits: {
      crypto::Bytes bytes;
      bytes.reserve(head.size() + 2 * rest.size() + 1);
      bytes.assign(head.begin(), head.end());
      for (const std::uint8_t byte : rest) {
        bytes.push_back(static_cast<std::uint8_t>(kHexDigits[byte >> 4]));
        bytes.push_back(static_cast<std::uint8_t>(kHexDigits[byte & 15]));
      }
      bytes.push_back(0);
      std::string id = JoinId(IdForm::kWamid, {}, bytes);
      crypto::Wipe(bytes.data(), bytes.size());
      return id;
    }
  }
  std::string base64 = crypto::ToBase64(rest);
  std::string id = absl::StrCat(kPrefix, base64);
  crypto::Wipe(base64);
  return id;
}

}  // namespace sealbook::records
