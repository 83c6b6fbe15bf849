// docs/format.md as the tests of its worked example read it, and the steps that it describes, done
// by libsodium alone, with nothing of the library in between.
#pragma once

#include <gtest/gtest.h>
#include <sodium.h>

#include <fstream>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/signature.h"
#include "vault/keyring/roster.h"

namespace sealbook {

using crypto::Bytes;
using crypto::ExchangePair;
using crypto::ExchangeSecret;
using crypto::SigningPair;
using crypto::SigningSeed;

// The fenced blocks of the document: the values of those marked `example`, and the texts of those
// that have a name behind their language.
class Document {
 public:
  static const Document& Get() {
    static const auto* const document = new Document;
    return *document;
  }

  const std::map<std::string, std::string>& values() const { return values_; }
  Bytes Hex(const std::string& name) const {
    const auto bytes = crypto::FromHex(Value(name));
    EXPECT_TRUE(bytes.ok()) << name << " is not hexadecimal";
    return bytes.ok() ? *bytes : Bytes();
  }
  std::string Text(const std::string& name) const {
    absl::string_view text = Value(name);
    EXPECT_TRUE(absl::ConsumePrefix(&text, "\"") && absl::ConsumeSuffix(&text, "\"")) << name;
    return std::string(text);
  }
  std::int64_t Number(const std::string& name) const {
    std::int64_t number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(Value(name), &number)) << name << " is not a number";
    return number;
  }
  std::string Block(const std::string& name) const {
    const auto at = blocks_.find(name);
    EXPECT_NE(at, blocks_.end()) << "no block named " << name;
    return at == blocks_.end() ? "" : at->second;
  }

 private:
  Document() {
    std::ifstream in(SEALBOOK_SOURCE_DIR "/docs/format.md");
    EXPECT_TRUE(in.is_open()) << "docs/format.md cannot be read";
    bool inside = false;
    std::string block, value;
    for (std::string line; std::getline(in, line);) {
      if (absl::StartsWith(line, "```")) {
        inside = !inside;
        const auto space = line.find(' ');
        block = !inside ? "" : space != std::string::npos ? line.substr(space + 1) : line.substr(3);
        value.clear();
      } else if (block == "example") {
        ReadValue(line, value);
      } else if (inside) {
        blocks_[block] += line + "\n";
      }
    }
  }
  void ReadValue(absl::string_view line, std::string& name) {
    if (absl::ConsumePrefix(&line, "  ")) {
      values_[name] += std::string(line);
      return;
    }
    const auto equals = line.find(" =");
    ASSERT_NE(equals, absl::string_view::npos) << line;
    name = std::string(line.substr(0, equals));
    EXPECT_FALSE(values_.contains(name)) << name << " stands twice";
    line.remove_prefix(equals + 2);
    absl::ConsumePrefix(&line, " ");
    values_[name] = std::string(line);
  }
  const std::string& Value(const std::string& name) const {
    static const std::string kNone;
    const auto at = values_.find(name);
    EXPECT_NE(at, values_.end()) << "no value named " << name;
    return at == values_.end() ? kNone : at->second;
  }

  std::map<std::string, std::string> values_;
  std::map<std::string, std::string> blocks_;
};

inline Bytes Hex(const std::string& name) { return Document::Get().Hex(name); }
inline std::string HexText(const std::string& name) { return crypto::ToHex(Hex(name)); }

template <std::size_t N>
std::array<std::uint8_t, N> Array(ByteView bytes) {
  std::array<std::uint8_t, N> out{};
  EXPECT_EQ(bytes.size(), N);
  if (bytes.size() == N) std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}
template <std::size_t N>
std::array<std::uint8_t, N> HexArray(const std::string& name) {
  return Array<N>(Hex(name));
}
template <typename KeyType>
KeyType HexKey(const std::string& name) {
  return KeyType::CopyOf(HexArray<32>(name));
}
template <typename KeyType>
inline std::string HexOf(const KeyType& key) {
  return crypto::ToHex(key.ExposeBytes());
}
inline ExchangePair PairOf(const std::string& secret) {
  return ExchangePair::FromSecret(HexKey<ExchangeSecret>(secret));
}
inline SigningPair SignerOf(const std::string& seed) {
  return SigningPair::FromSeed(HexKey<SigningSeed>(seed));
}
inline keyring::VaultId ExampleVault() { return HexArray<16>("vault_id"); }
inline ContactNumber ExampleContact() { return Document::Get().Number("contact_number"); }
inline std::uint32_t ExampleRevision() {
  return static_cast<std::uint32_t>(Document::Get().Number("revision_number"));
}

// What the document says, done by libsodium alone.
namespace raw {

inline Bytes Join(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}
inline Bytes BigEndian(std::uint64_t value, int width) {
  Bytes out;
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  return out;
}
inline std::uint64_t Number(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}
inline std::uint64_t Varint(ByteView& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const std::uint8_t byte = bytes[0];
    bytes = bytes.subspan(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
inline ByteView Ascii(absl::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline Bytes WithLabel(absl::string_view label, std::initializer_list<ByteView> parts) {
  const Bytes message = Join(parts);
  return Join({BigEndian(label.size(), 1), Ascii(label), message});
}
inline Bytes Hash(std::size_t size, ByteView key, absl::string_view label,
                  std::initializer_list<ByteView> parts) {
  const Bytes message = WithLabel(label, parts);
  Bytes out(size);
  EXPECT_EQ(
      crypto_generichash(out.data(), size, message.data(), message.size(), key.data(), key.size()),
      0);
  return out;
}
inline Bytes ScalarMult(ByteView secret, ByteView point) {
  Bytes out(32);
  EXPECT_EQ(crypto_scalarmult(out.data(), secret.data(), point.data()), 0);
  return out;
}
inline Bytes PublicOf(ByteView secret) {
  Bytes out(32);
  EXPECT_EQ(crypto_scalarmult_base(out.data(), secret.data()), 0);
  return out;
}
inline Bytes VerifyKeyOf(ByteView seed) {
  Bytes key(32), expanded(64);
  EXPECT_EQ(crypto_sign_seed_keypair(key.data(), expanded.data(), seed.data()), 0);
  return key;
}
inline bool Verifies(ByteView key, absl::string_view label, ByteView message, ByteView signature) {
  const Bytes signed_bytes = WithLabel(label, {message});
  return crypto_sign_verify_detached(signature.data(), signed_bytes.data(), signed_bytes.size(),
                                     key.data()) == 0;
}
inline Bytes Open(ByteView key, ByteView place, ByteView sealed) {
  Bytes out(sealed.size() - 40);
  EXPECT_EQ(crypto_aead_xchacha20poly1305_ietf_decrypt(
                out.data(), nullptr, nullptr, sealed.data() + 24, sealed.size() - 24, place.data(),
                place.size(), sealed.data(), key.data()),
            0)
      << "it does not open";
  return out;
}
inline Bytes OpenBox(ByteView secret, ByteView sealed) {
  Bytes out(sealed.size() - 48);
  EXPECT_EQ(crypto_box_seal_open(out.data(), sealed.data(), sealed.size(), PublicOf(secret).data(),
                                 secret.data()),
            0)
      << "it does not open";
  return out;
}
inline Bytes SessionSecret(ByteView secret, ByteView other, ByteView session,
                           ByteView compartment) {
  return Hash(32, {}, "sealbook/session/1", {ScalarMult(secret, other), session, compartment});
}

}  // namespace raw

}  // namespace sealbook
