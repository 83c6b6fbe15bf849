#include "vault/crypto/age_format.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "vault/crypto/hkdf.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::crypto::internal {
namespace {

constexpr absl::string_view kX25519Label = "age-encryption.org/v1/X25519";
constexpr absl::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kScryptSaltBytes = 16;
constexpr std::uint32_t kScryptR = 8, kScryptP = 1;
constexpr std::size_t kSealedFileKeyBytes = kAgeFileKeyBytes + kAgeTagBytes;

using ChunkNonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;
static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == kKeyBytes);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == kAgeTagBytes);

ByteView FileKeyBytes(const AgeKey& key) { return key.ExposeBytes().first(kAgeFileKeyBytes); }

AgeKey Derive(ByteView input_key, ByteView salt, absl::string_view info) {
  AgeKey key = KeyAccess::Empty<AgePurpose>();
  HkdfSha256(input_key, salt, AsBytes(info), KeyAccess::Mutable(key));
  return key;
}

// 11 bytes of counter, big-endian, and the mark.
ChunkNonce NonceOf(std::uint64_t number, bool last) {
  ChunkNonce nonce{};
  for (std::size_t i = 0; i < sizeof(number); ++i) {
    nonce[10 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  nonce[11] = last ? 1 : 0;
  return nonce;
}

// The body of a stanza. The zero nonce is the format's: a wrap key seals this one file key and
// nothing else.
std::string SealedFileKey(const AgeKey& wrap, const AgeKey& file_key) {
  std::array<std::uint8_t, kSealedFileKeyBytes> body;
  crypto_aead_chacha20poly1305_ietf_encrypt(body.data(), nullptr, FileKeyBytes(file_key).data(),
                                            kAgeFileKeyBytes, nullptr, 0, nullptr,
                                            ChunkNonce{}.data(), wrap.ExposeBytes().data());
  return ToAgeBase64(body);
}

absl::StatusOr<AgeKey> OpenFileKey(const AgeKey& wrap, ByteView body) {
  if (body.size() != kSealedFileKeyBytes) std::abort();  // the stanza was checked
  AgeKey file_key = KeyAccess::Empty<AgePurpose>();
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          KeyAccess::Mutable(file_key).data(), nullptr, nullptr, body.data(), body.size(), nullptr,
          0, ChunkNonce{}.data(), wrap.ExposeBytes().data()) != 0) {
    return absl::UnauthenticatedError("the age file is sealed to another key");
  }
  return file_key;
}

// InvalidArgument: a share of small order. `owner` is the recipient, whose secret or whose peer's
// ephemeral secret `secret` is; `share` is the ephemeral public key.
absl::StatusOr<AgeKey> X25519WrapKey(ByteView secret, const ExchangePublic& peer,
                                     const ExchangePublic& share, const ExchangePublic& owner) {
  AgeKey shared = KeyAccess::Empty<AgePurpose>();
  if (!X25519(secret, peer, KeyAccess::Mutable(shared))) {
    return absl::InvalidArgumentError("an age file has a public key of small order");
  }
  Bytes salt(share.bytes.begin(), share.bytes.end());
  salt.insert(salt.end(), owner.bytes.begin(), owner.bytes.end());
  return Derive(shared.ExposeBytes(), salt, kX25519Label);
}

absl::StatusOr<AgeKey> ScryptWrapKey(ByteView passphrase, ByteView salt, int work_factor) {
  Bytes labelled(kScryptLabel.begin(), kScryptLabel.end());
  labelled.insert(labelled.end(), salt.begin(), salt.end());
  static constexpr std::uint8_t kNothing = 0;  // an empty view has no pointer
  AgeKey wrap = KeyAccess::Empty<AgePurpose>();
  if (crypto_pwhash_scryptsalsa208sha256_ll(passphrase.empty() ? &kNothing : passphrase.data(),
                                            passphrase.size(), labelled.data(), labelled.size(),
                                            std::uint64_t{1} << work_factor, kScryptR, kScryptP,
                                            KeyAccess::Mutable(wrap).data(), kKeyBytes) != 0) {
    return WithHint(absl::ResourceExhaustedError(absl::StrCat(
                        "not enough memory for the work factor ", work_factor, " of an age file")),
                    absl::StrCat("It takes ", (std::uint64_t{1} << work_factor) / 1024 + 1,
                                 " MiB of free memory."));
  }
  return wrap;
}

ExchangePublic ShareOf(const AgeStanza& stanza) {
  ExchangePublic share;
  const absl::StatusOr<Bytes> bytes = FromAgeBase64(stanza.arguments.at(1));
  if (!bytes.ok() || bytes->size() != kKeyBytes) std::abort();  // the stanza was checked
  std::copy(bytes->begin(), bytes->end(), share.bytes.begin());
  return share;
}

absl::Status MalformedStanza(absl::string_view type) {
  return absl::InvalidArgumentError(absl::StrCat("a malformed ", type, " stanza in an age file"));
}

// The decimal number in its one form, or -1: no sign, no leading zero, nothing that overflows.
int WorkFactorOf(absl::string_view text) {
  int factor = 0;
  if (text.empty() || text.size() > 3 || text[0] == '0' ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &factor)) {
    return -1;
  }
  return factor;
}

}  // namespace

std::string ToAgeBase64(ByteView bytes) {
  std::string text = ToBase64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

absl::StatusOr<Bytes> FromAgeBase64(absl::string_view text) {
  Bytes out(text.size() / 4 * 3 + 3);
  const std::optional<std::size_t> size = DecodeBase64(text, /*padded=*/false, out);
  if (!size.has_value()) return absl::InvalidArgumentError("not the base64 of an age file");
  out.resize(*size);
  return out;
}

AgeKey NewAgeFileKey() { return AgeKey::Random(); }

std::array<std::uint8_t, 32> AgeHeaderMac(const AgeKey& file_key, absl::string_view header) {
  const AgeKey key = Derive(FileKeyBytes(file_key), {}, "header");
  return HmacSha256(key.ExposeBytes(), AsBytes(header));
}

AgeKey AgePayloadKey(const AgeKey& file_key, ByteView nonce) {
  return Derive(FileKeyBytes(file_key), nonce, "payload");
}

absl::StatusOr<std::string> WrapForX25519(const AgeKey& file_key, const ExchangePublic& recipient) {
  const ExchangePair ephemeral = ExchangePair::Generate();
  ASSIGN_OR_RETURN(const AgeKey wrap, X25519WrapKey(ephemeral.secret().ExposeBytes(), recipient,
                                                    ephemeral.public_key(), recipient));
  return absl::StrCat("-> ", kAgeX25519, " ", ToAgeBase64(ephemeral.public_key().bytes), "\n",
                      SealedFileKey(wrap, file_key), "\n");
}

absl::StatusOr<std::string> WrapForPassphrase(const AgeKey& file_key, ByteView passphrase,
                                              int work_factor) {
  std::array<std::uint8_t, kScryptSaltBytes> salt;
  FillRandom(salt);
  ASSIGN_OR_RETURN(const AgeKey wrap, ScryptWrapKey(passphrase, salt, work_factor));
  return absl::StrCat("-> ", kAgeScrypt, " ", ToAgeBase64(salt), " ", work_factor, "\n",
                      SealedFileKey(wrap, file_key), "\n");
}

absl::Status CheckX25519Stanza(const AgeStanza& stanza) {
  if (stanza.arguments.size() != 2 || stanza.body.size() != kSealedFileKeyBytes) {
    return MalformedStanza(kAgeX25519);
  }
  const absl::StatusOr<Bytes> share = FromAgeBase64(stanza.arguments[1]);
  if (!share.ok() || share->size() != kKeyBytes) return MalformedStanza(kAgeX25519);
  return absl::OkStatus();
}

absl::StatusOr<AgeKey> UnwrapX25519(const AgeStanza& stanza, const ExchangePair& identity) {
  const ExchangePublic share = ShareOf(stanza);
  ASSIGN_OR_RETURN(const AgeKey wrap, X25519WrapKey(identity.secret().ExposeBytes(), share, share,
                                                    identity.public_key()));
  return OpenFileKey(wrap, stanza.body);
}

absl::Status CheckScryptStanza(const AgeStanza& stanza, int max_work_factor) {
  if (stanza.arguments.size() != 3 || stanza.body.size() != kSealedFileKeyBytes) {
    return MalformedStanza(kAgeScrypt);
  }
  const absl::StatusOr<Bytes> salt = FromAgeBase64(stanza.arguments[1]);
  const int work_factor = WorkFactorOf(stanza.arguments[2]);
  if (!salt.ok() || salt->size() != kScryptSaltBytes || work_factor < 0) {
    return MalformedStanza(kAgeScrypt);
  }
  if (work_factor > max_work_factor) {
    return absl::InvalidArgumentError(absl::StrCat("the work factor of an age file is ",
                                                   work_factor, ", more than ", max_work_factor));
  }
  return absl::OkStatus();
}

absl::StatusOr<AgeKey> UnwrapScrypt(const AgeStanza& stanza, ByteView passphrase) {
  ASSIGN_OR_RETURN(const Bytes salt, FromAgeBase64(stanza.arguments.at(1)));
  ASSIGN_OR_RETURN(const AgeKey wrap,
                   ScryptWrapKey(passphrase, salt, WorkFactorOf(stanza.arguments.at(2))));
  return OpenFileKey(wrap, stanza.body);
}

void SealAgeChunk(const AgeKey& payload_key, std::uint64_t number, bool last,
                  std::span<std::uint8_t> chunk) {
  // libsodium encrypts in place where both pointers are the same.
  crypto_aead_chacha20poly1305_ietf_encrypt(
      chunk.data(), nullptr, chunk.data(), chunk.size() - kAgeTagBytes, nullptr, 0, nullptr,
      NonceOf(number, last).data(), payload_key.ExposeBytes().data());
}

bool OpenAgeChunk(const AgeKey& payload_key, std::uint64_t number, bool last, ByteView sealed,
                  std::uint8_t* plaintext) {
  // libsodium compares the tag before it decrypts.
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             plaintext, nullptr, nullptr, sealed.data(), sealed.size(), nullptr, 0,
             NonceOf(number, last).data(), payload_key.ExposeBytes().data()) == 0;
}

}  // namespace sealbook::crypto::internal
