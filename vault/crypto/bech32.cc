#include "vault/crypto/bech32.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "vault/status.h"

namespace sealbook::crypto::internal {
namespace {

constexpr absl::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumSymbols = 6;
// Longer than anything that age writes: nobody's text makes us work without bound.
constexpr std::size_t kMaxTextBytes = 4096;

// The checksum of BIP 173, fed symbol by symbol.
class Checksum {
 public:
  explicit Checksum(absl::string_view lower_prefix) {
    for (const char c : lower_prefix) Add(static_cast<std::uint8_t>(c) >> 5);
    Add(0);
    for (const char c : lower_prefix) Add(static_cast<std::uint8_t>(c) & 31);
  }
  void Add(std::uint8_t symbol) {
    static constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                   0x2a1462b3};
    const std::uint32_t top = value_ >> 25;
    value_ = ((value_ & 0x1ffffff) << 5) ^ symbol;
    for (int i = 0; i < 5; ++i) {
      if (((top >> i) & 1) != 0) value_ ^= kGenerator[i];
    }
  }
  std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_ = 1;
};

// The place of the separator and all symbols after it, checked. An identity is a secret: its
// symbols live in SecretBytes.
struct Symbols {
  std::string prefix;
  SecretBytes values;  // with the checksum
};

absl::StatusOr<Symbols> ReadSymbols(absl::string_view text) {
  if (text.size() > kMaxTextBytes) return absl::InvalidArgumentError("too long for bech32");
  bool has_lower = false;
  bool has_upper = false;
  for (const char c : text) {
    if (c < 33 || c > 126) return absl::InvalidArgumentError("not a bech32 character");
    has_lower |= absl::ascii_islower(static_cast<unsigned char>(c));
    has_upper |= absl::ascii_isupper(static_cast<unsigned char>(c));
  }
  if (has_lower && has_upper) return absl::InvalidArgumentError("bech32 in mixed case");
  const std::size_t separator = text.rfind('1');
  if (separator == absl::string_view::npos || separator == 0) {
    return absl::InvalidArgumentError("bech32 without a prefix");
  }
  const absl::string_view rest = text.substr(separator + 1);
  if (rest.size() < kChecksumSymbols) return absl::InvalidArgumentError("bech32 is cut short");

  Symbols symbols{absl::AsciiStrToLower(text.substr(0, separator)), SecretBytes(rest.size())};
  Checksum checksum(symbols.prefix);
  const std::span<std::uint8_t> values = symbols.values.ExposeMutable();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const std::size_t value =
        kAlphabet.find(absl::ascii_tolower(static_cast<unsigned char>(rest[i])));
    if (value == absl::string_view::npos) {
      return absl::InvalidArgumentError("not a bech32 character");
    }
    values[i] = static_cast<std::uint8_t>(value);
    checksum.Add(values[i]);
  }
  if (checksum.value() != 1) return absl::InvalidArgumentError("a wrong bech32 checksum");
  return symbols;
}

}  // namespace

SecretBytes EncodeBech32(absl::string_view prefix, ByteView data) {
  const std::size_t symbols = (data.size() * 8 + 4) / 5;
  SecretBytes text(prefix.size() + 1 + symbols + kChecksumSymbols);
  const std::span<std::uint8_t> out = text.ExposeMutable();
  std::size_t at = 0;
  for (const char c : prefix) out[at++] = static_cast<std::uint8_t>(c);
  out[at++] = '1';

  Checksum checksum(prefix);
  std::uint32_t bits = 0;
  int bit_count = 0;
  const auto put = [&](std::uint32_t symbol) {
    checksum.Add(static_cast<std::uint8_t>(symbol));
    out[at++] = static_cast<std::uint8_t>(kAlphabet[symbol]);
  };
  for (const std::uint8_t byte : data) {
    bits = (bits << 8 | byte) & 0xfff;
    for (bit_count += 8; bit_count >= 5; bit_count -= 5) put(bits >> (bit_count - 5) & 31);
  }
  if (bit_count > 0) put(bits << (5 - bit_count) & 31);

  Checksum closed = checksum;
  for (std::size_t i = 0; i < kChecksumSymbols; ++i) closed.Add(0);
  const std::uint32_t sum = closed.value() ^ 1;
  for (int shift = 25; shift >= 0; shift -= 5) {
    out[at++] = static_cast<std::uint8_t>(kAlphabet[sum >> shift & 31]);
  }
  return text;
}

absl::StatusOr<Bech32Text> DecodeBech32(absl::string_view text) {
  ASSIGN_OR_RETURN(const Symbols symbols, ReadSymbols(text));
  const ByteView values =
      symbols.values.ExposeBytes().first(symbols.values.size() - kChecksumSymbols);
  Bech32Text out{symbols.prefix, SecretBytes(values.size() * 5 / 8)};
  const std::span<std::uint8_t> data = out.data.ExposeMutable();
  std::size_t at = 0;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const std::uint8_t value : values) {
    bits = (bits << 5 | value) & 0xfff;
    bit_count += 5;
    if (bit_count >= 8) {
      bit_count -= 8;
      data[at++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
  }
  // One text for one value: what fills up the last symbol is less than a symbol, and zero.
  if (bit_count >= 5 || (bits & ((1U << bit_count) - 1)) != 0) {
    return absl::InvalidArgumentError("bech32 with bits left over");
  }
  return out;
}

bool Bech32ChecksumIsValid(absl::string_view text) { return ReadSymbols(text).ok(); }

}  // namespace sealbook::crypto::internal
