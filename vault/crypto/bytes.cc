#include "vault/crypto/bytes.h"

#include <sodium.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::crypto {

std::string ToHex(ByteView bytes) {
  std::string out(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
  out.pop_back();
  return out;
}

absl::StatusOr<Bytes> FromHex(absl::string_view text) {
  if (text.empty()) return Bytes();
  Bytes out(text.size() / 2);
  std::size_t written = 0;
  const char* end = nullptr;
  if (text.size() % 2 != 0 ||
      sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &written, &end) !=
          0 ||
      written != out.size()) {
    return absl::InvalidArgumentError("not hexadecimal");
  }
  return out;
}

std::string ToBase64(ByteView bytes) {
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();
  return out;
}

std::optional<std::size_t> internal::DecodeBase64(absl::string_view text, bool padded,
                                                  std::span<std::uint8_t> out) {
  // libsodium takes a '+' or '/' with the highest bit set for the same without it.
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isascii)) return std::nullopt;
  std::size_t written = 0;
  const char* end = nullptr;
  if (sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &written, &end,
                        padded ? sodium_base64_VARIANT_ORIGINAL
                               : sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return written;
}

absl::StatusOr<Bytes> FromBase64(absl::string_view text) {
  Bytes out(text.size() / 4 * 3 + 3);
  const std::optional<std::size_t> size = internal::DecodeBase64(text, /*padded=*/true, out);
  if (!size.has_value()) return absl::InvalidArgumentError("not base64");
  out.resize(*size);
  return out;
}

namespace {
template <typename T>
void AppendBigEndian(Bytes& out, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
}
template <typename T>
T FromBigEndian(ByteView bytes) {
  T value = 0;
  for (const std::uint8_t byte : bytes) value = static_cast<T>((value << 8) | byte);
  return value;
}
}  // namespace

ByteWriter& ByteWriter::U8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}
ByteWriter& ByteWriter::U16(std::uint16_t value) {
  AppendBigEndian(bytes_, value);
  return *this;
}
ByteWriter& ByteWriter::U32(std::uint32_t value) {
  AppendBigEndian(bytes_, value);
  return *this;
}
ByteWriter& ByteWriter::U64(std::uint64_t value) {
  AppendBigEndian(bytes_, value);
  return *this;
}
ByteWriter& ByteWriter::Raw(ByteView bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}
ByteWriter& ByteWriter::Variable(ByteView bytes) {
  // A length that is cut would make other bytes than were meant, and perhaps signed ones.
  if (bytes.size() > UINT32_MAX) std::abort();
  U32(static_cast<std::uint32_t>(bytes.size()));
  return Raw(bytes);
}
ByteWriter& ByteWriter::Text(absl::string_view text) { return Variable(AsBytes(text)); }

ByteView ByteReader::Raw(std::size_t size) {
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const ByteView out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return out;
}
std::uint8_t ByteReader::U8() { return FromBigEndian<std::uint8_t>(Raw(1)); }
std::uint16_t ByteReader::U16() { return FromBigEndian<std::uint16_t>(Raw(2)); }
std::uint32_t ByteReader::U32() { return FromBigEndian<std::uint32_t>(Raw(4)); }
std::uint64_t ByteReader::U64() { return FromBigEndian<std::uint64_t>(Raw(8)); }
ByteView ByteReader::Variable() { return Raw(U32()); }
std::string ByteReader::Text() { return std::string(AsText(Variable())); }
std::uint32_t ByteReader::Count(std::size_t item_bytes) {
  const std::uint32_t count = U32();
  if (count > rest_.size() / std::max<std::size_t>(item_bytes, 1)) {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  return count;
}
absl::Status ByteReader::Finish(absl::string_view what) const {
  if (!ok_) return absl::DataLossError(absl::StrCat(what, " is cut short"));
  if (!rest_.empty()) return absl::DataLossError(absl::StrCat(what, " is too long"));
  return absl::OkStatus();
}

}  // namespace sealbook::crypto
