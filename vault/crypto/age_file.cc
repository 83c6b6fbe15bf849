#include "vault/crypto/age_file.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/bech32.h"
#include "vault/crypto/hkdf.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::crypto {
namespace {

// The constants of C2SP age.md.
constexpr absl::string_view kRecipientPrefix = "age";
constexpr absl::string_view kIdentityPrefix = "age-secret-key-";
constexpr absl::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr absl::string_view kX25519Label = "age-encryption.org/v1/X25519";
constexpr std::size_t kFileKeyBytes = 16;
constexpr std::size_t kPayloadNonceBytes = 16;
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kTagBytes = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr std::size_t kMaxRecipients = 20;

struct AgePurpose;  // a key of an age file; lives no longer than the call that makes the file
using AgeKey = Key<AgePurpose>;
using ChunkNonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;
static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == kKeyBytes);

AgeKey Derive(ByteView input_key, ByteView salt, absl::string_view info) {
  AgeKey key = KeyAccess::Empty<AgePurpose>();
  internal::HkdfSha256(input_key, salt, AsBytes(info), KeyAccess::Mutable(key));
  return key;
}

// age leaves the padding of its base64 out.
std::string ToRawBase64(ByteView bytes) {
  std::string text = ToBase64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

void AppendSealed(const AgeKey& key, const ChunkNonce& nonce, ByteView plaintext, Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + plaintext.size() + kTagBytes);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data() + start, nullptr, plaintext.data(),
                                            plaintext.size(), nullptr, 0, nullptr, nonce.data(),
                                            key.ExposeBytes().data());
}

// The file key, wrapped for one recipient.
absl::StatusOr<std::string> X25519Stanza(const ExchangePublic& recipient, ByteView file_key) {
  const ExchangePair ephemeral = ExchangePair::Generate();
  AgeKey shared = KeyAccess::Empty<AgePurpose>();
  if (!internal::X25519(ephemeral.secret().ExposeBytes(), recipient, KeyAccess::Mutable(shared))) {
    return absl::InvalidArgumentError("an age recipient of small order");
  }
  Bytes salt(ephemeral.public_key().bytes.begin(), ephemeral.public_key().bytes.end());
  salt.insert(salt.end(), recipient.bytes.begin(), recipient.bytes.end());
  const AgeKey wrap = Derive(shared.ExposeBytes(), salt, kX25519Label);
  Bytes body;
  // The zero nonce is the format's: each wrap key seals this one file key and nothing else.
  AppendSealed(wrap, ChunkNonce{}, file_key, body);
  return absl::StrCat("-> X25519 ", ToRawBase64(ephemeral.public_key().bytes), "\n",
                      ToRawBase64(body), "\n");
}

// STREAM: chunks of 64 KiB, each under its number and a mark on the last. Only an empty file has an
// empty chunk.
void AppendPayload(const AgeKey& key, ByteView plaintext, Bytes& out) {
  const std::size_t chunks =
      std::max<std::size_t>(1, (plaintext.size() + kChunkBytes - 1) / kChunkBytes);
  out.reserve(out.size() + plaintext.size() + chunks * kTagBytes);
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    const bool last = chunk + 1 == chunks;
    ChunkNonce nonce{};  // 11 bytes of counter, big-endian, and the mark
    for (std::size_t i = 0; i < sizeof(chunk); ++i) {
      nonce[10 - i] = static_cast<std::uint8_t>(chunk >> (8 * i));
    }
    nonce[11] = last ? 1 : 0;
    const ByteView rest = plaintext.subspan(chunk * kChunkBytes);
    AppendSealed(key, nonce, rest.first(std::min(rest.size(), kChunkBytes)), out);
  }
}

// The 32 bytes behind `prefix`. The errors do not repeat the text: it may be somebody's identity.
absl::StatusOr<SecretBytes> ParseBech32Key(absl::string_view prefix, absl::string_view text) {
  ASSIGN_OR_RETURN(internal::Bech32Text decoded, internal::DecodeBech32(text));
  if (decoded.prefix != prefix) return absl::InvalidArgumentError("another prefix than age's");
  if (decoded.data.size() != kKeyBytes) return absl::InvalidArgumentError("not an X25519 key");
  return std::move(decoded.data);
}

}  // namespace

absl::StatusOr<ExchangePublic> ParseAgeRecipient(absl::string_view text) {
  // age itself takes recipients in lower case only.
  if (std::any_of(text.begin(), text.end(), absl::ascii_isupper)) {
    return absl::InvalidArgumentError("an age recipient is written in lower case");
  }
  ASSIGN_OR_RETURN(const SecretBytes bytes, ParseBech32Key(kRecipientPrefix, text));
  ExchangePublic recipient;
  std::copy_n(bytes.ExposeBytes().begin(), kKeyBytes, recipient.bytes.begin());
  if (!IsUsablePoint(recipient)) {
    return absl::InvalidArgumentError("an age recipient of small order");
  }
  return recipient;
}

std::string FormatAgeRecipient(const ExchangePublic& recipient) {
  return std::string(internal::EncodeBech32(kRecipientPrefix, recipient.bytes).ExposeText());
}

SecretBytes FormatAgeIdentity(const ExchangePair& identity) {
  SecretBytes text = internal::EncodeBech32(kIdentityPrefix, identity.secret().ExposeBytes());
  for (std::uint8_t& c : text.ExposeMutable()) {
    c = static_cast<std::uint8_t>(absl::ascii_toupper(c));
  }
  return text;
}

absl::StatusOr<ExchangePair> ParseAgeIdentity(absl::string_view text) {
  // As with age, an identity is in upper case, so that nobody takes it for a recipient.
  if (std::any_of(text.begin(), text.end(), absl::ascii_islower)) {
    return absl::InvalidArgumentError("an age identity is written in upper case");
  }
  ASSIGN_OR_RETURN(const SecretBytes bytes, ParseBech32Key(kIdentityPrefix, text));
  return ExchangePair::FromSecret(ExchangeSecret::CopyOf(bytes.ExposeBytes()));
}

absl::StatusOr<Bytes> EncryptAge(const std::vector<ExchangePublic>& recipients,
                                 ByteView plaintext) {
  if (recipients.empty()) return absl::InvalidArgumentError("an age file needs a recipient");
  if (recipients.size() > kMaxRecipients) {
    return absl::InvalidArgumentError("too many recipients of an age file");
  }
  const AgeKey random = AgeKey::Random();
  const ByteView file_key = random.ExposeBytes().first(kFileKeyBytes);

  std::string header(kVersionLine);
  for (const ExchangePublic& recipient : recipients) {
    ASSIGN_OR_RETURN(const std::string stanza, X25519Stanza(recipient, file_key));
    header += stanza;
  }
  header += "---";
  const AgeKey mac_key = Derive(file_key, {}, "header");
  absl::StrAppend(&header, " ",
                  ToRawBase64(internal::HmacSha256(mac_key.ExposeBytes(), AsBytes(header))), "\n");

  Bytes file(header.begin(), header.end());
  std::array<std::uint8_t, kPayloadNonceBytes> nonce;
  FillRandom(nonce);
  file.insert(file.end(), nonce.begin(), nonce.end());
  AppendPayload(Derive(file_key, nonce, "payload"), plaintext, file);
  return file;
}

}  // namespace sealbook::crypto
