#include "vault/crypto/exchange.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::crypto {
namespace {

constexpr absl::string_view kSessionLabel = "sealbook/session/1";

absl::StatusOr<SessionSecret> Shared(const ExchangeSecret& mine, const ExchangePublic& theirs,
                                     const ExchangePublic& session,
                                     const ExchangePublic& compartment) {
  ExchangeSecret shared = KeyAccess::Empty<ExchangePurpose>();
  if (!internal::X25519(mine.ExposeBytes(), theirs, KeyAccess::Mutable(shared))) {
    return absl::InvalidArgumentError("a public key of small order");
  }
  SessionSecret secret = KeyAccess::Empty<SessionPurpose>();
  internal::Blake2b({}, kSessionLabel, {shared.ExposeBytes(), session.bytes, compartment.bytes},
                    KeyAccess::Mutable(secret));
  return secret;
}

}  // namespace

namespace internal {

bool X25519(ByteView secret, const ExchangePublic& point, std::span<std::uint8_t> out) {
  static_assert(crypto_scalarmult_BYTES == kKeyBytes && crypto_scalarmult_SCALARBYTES == kKeyBytes);
  if (secret.size() != kKeyBytes || out.size() != kKeyBytes) std::abort();
  // Fails where the result is all zeros, which points of small order give with every secret.
  return crypto_scalarmult(out.data(), secret.data(), point.bytes.data()) == 0;
}

}  // namespace internal

bool IsUsablePoint(const ExchangePublic& point) {
  // All encodings of points whose order divides 8, but for the top bit, which X25519 leaves out: 0,
  // 1, the two of order 8, p - 1, p, p + 1 (Bernstein, https://cr.yp.to/ecdh.html, "How do I
  // validate"). Compared and not multiplied: an archive has a hundred thousand of them. A point is
  // public.
  static constexpr std::array<std::uint8_t, kKeyBytes> kSmallOrder[] = {
      {0},
      {1},
      {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
       0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
       0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
      {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
       0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
       0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
      {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
      {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
      {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}};
  std::array<std::uint8_t, kKeyBytes> reduced = point.bytes;
  reduced.back() &= 0x7f;
  return std::find(std::begin(kSmallOrder), std::end(kSmallOrder), reduced) ==
         std::end(kSmallOrder);
}

ExchangePair ExchangePair::Generate() { return FromSecret(ExchangeSecret::Random()); }

ExchangePair ExchangePair::FromSecret(ExchangeSecret secret) {
  ExchangePublic public_key;
  crypto_scalarmult_base(public_key.bytes.data(), secret.ExposeBytes().data());
  return ExchangePair(public_key, std::move(secret));
}

absl::StatusOr<SessionSecret> ExchangePair::SessionSecretAsWriter(
    const ExchangePublic& compartment) const {
  return Shared(secret_, compartment, public_, compartment);
}

absl::StatusOr<SessionSecret> ExchangePair::SessionSecretAsReader(
    const ExchangePublic& session) const {
  return Shared(secret_, session, session, public_);
}

static_assert(crypto_box_PUBLICKEYBYTES == kKeyBytes && crypto_box_SECRETKEYBYTES == kKeyBytes);

Bytes SealToPublic(const ExchangePublic& recipient, ByteView plaintext) {
  Bytes sealed(plaintext.size() + crypto_box_SEALBYTES);
  if (crypto_box_seal(sealed.data(), plaintext.data(), plaintext.size(), recipient.bytes.data()) !=
      0) {
    std::abort();
  }
  return sealed;
}

absl::StatusOr<SecretBytes> OpenSealedToPublic(const ExchangePair& pair, ByteView sealed) {
  if (sealed.size() < crypto_box_SEALBYTES) return absl::DataLossError("a sealed box is cut short");
  SecretBytes plaintext(sealed.size() - crypto_box_SEALBYTES);
  if (crypto_box_seal_open(plaintext.ExposeMutable().data(), sealed.data(), sealed.size(),
                           pair.public_key().bytes.data(),
                           pair.secret().ExposeBytes().data()) != 0) {
    return absl::DataLossError("a sealed box does not open");
  }
  return plaintext;
}

}  // namespace sealbook::crypto
