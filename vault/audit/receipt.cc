#include "vault/audit/receipt.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "vault/status.h"

namespace sealbook::audit {
namespace {

constexpr absl::string_view kReceiptLabel = "sealbook/receipt/1";
constexpr absl::string_view kSignature = "signature: ";
constexpr absl::string_view kTimeFormat = "%Y-%m-%dT%H:%M:%SZ";

absl::Status NoReceipt() {
  return WithHint(absl::InvalidArgumentError("this is no receipt that Sealbook wrote"),
                  "Name the file as it came; nothing may be added to it or taken away.");
}

// The common lines, in this order, before the facts.
constexpr absl::string_view kHead[] = {"kind", "id", "vault", "time", "member", "key"};

template <std::size_t N>
bool ParseHex(absl::string_view text, std::array<std::uint8_t, N>& out) {
  const auto bytes = crypto::FromHex(text);
  if (!bytes.ok() || bytes->size() != N || crypto::ToHex(*bytes) != text) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace

std::string Receipt::Sign(const crypto::SigningPair& signing) const {
  std::string text = absl::StrCat(
      Receipt::kFirstLine, "\nkind: ", kind, "\nid: ", crypto::ToHex(id),
      "\nvault: ", crypto::ToHex(vault),
      "\ntime: ", absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone()),
      "\nmember: ", static_cast<std::uint32_t>(member), "\nkey: ", crypto::ToHex(key.bytes), "\n");
  for (const auto& [name, value] : facts) absl::StrAppend(&text, name, ": ", value, "\n");
  absl::StrAppend(&text, kSignature, crypto::ToBase64(signing.Sign(kReceiptLabel, crypto::AsBytes(text))),
                  "\n");
  return text;
}

absl::StatusOr<Receipt> Receipt::Verify(absl::string_view text,
                                        const crypto::VerifyKey& authority) {
  return Verify(text, [&](const Receipt&) { return authority; });
}

absl::StatusOr<Receipt> Receipt::Verify(
    absl::string_view text,
    const std::function<absl::StatusOr<crypto::VerifyKey>(const Receipt& claimed)>& key_for) {
  if (text.size() > kMaxBytes || text.size() < 2 || text.back() != '\n') return NoReceipt();
  const auto last = text.rfind('\n', text.size() - 2);
  if (last == absl::string_view::npos) return NoReceipt();
  const absl::string_view body = text.substr(0, last + 1);
  absl::string_view signature_line = text.substr(last + 1);
  signature_line.remove_suffix(1);
  if (!absl::ConsumePrefix(&signature_line, kSignature)) return NoReceipt();
  const auto signature_bytes = crypto::FromBase64(signature_line);
  crypto::Signature signature;
  if (!signature_bytes.ok() || signature_bytes->size() != signature.size()) return NoReceipt();
  std::copy(signature_bytes->begin(), signature_bytes->end(), signature.begin());

  std::vector<absl::string_view> lines = absl::StrSplit(body, '\n');
  lines.pop_back();  // behind the last line's end
  if (lines.size() < 1 + std::size(kHead) || lines[0] != Receipt::kFirstLine) return NoReceipt();
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    if (pair.first.empty() || pair.first.size() == lines[i].size()) return NoReceipt();
    pairs.emplace_back(std::string(pair.first), std::string(pair.second));
  }
  for (std::size_t i = 0; i < std::size(kHead); ++i) {
    if (pairs[i].first != kHead[i]) return NoReceipt();
  }
  Receipt receipt;
  std::uint32_t member = 0;
  std::string wrong_time;
  receipt.kind = pairs[0].second;
  if (!ParseHex(pairs[1].second, receipt.id) || !ParseHex(pairs[2].second, receipt.vault) ||
      !absl::ParseTime(kTimeFormat, pairs[3].second, &receipt.time, &wrong_time) ||
      !absl::SimpleAtoi(pairs[4].second, &member) ||
      !ParseHex(pairs[5].second, receipt.key.bytes)) {
    return NoReceipt();
  }
  receipt.member = MemberId{member};
  receipt.facts.assign(pairs.begin() + std::size(kHead), pairs.end());
  ASSIGN_OR_RETURN(const crypto::VerifyKey authority, key_for(receipt));
  if (receipt.key != authority) {
    return WithHint(absl::DataLossError("the receipt is signed with another key"),
                    "Ask the vault's owner for the key of who signed it ('sealbook receipt key').");
  }
  if (!crypto::Verify(authority, kReceiptLabel, crypto::AsBytes(body), signature)) {
    return WithHint(absl::DataLossError("the receipt was altered: its signature is wrong"),
                    "Ask for the receipt once more.");
  }
  return receipt;
}

const std::string* Receipt::Find(absl::string_view fact) const {
  for (const auto& [name, value] : facts) {
    if (name == fact) return &value;
  }
  return nullptr;
}

}  // namespace sealbook::audit
