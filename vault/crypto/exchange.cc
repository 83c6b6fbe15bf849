#include "vault/crypto/exchange.h"

#include <sodium.h>

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
  // Clamping makes every scalar a multiple of the cofactor 8, so any scalar tells.
  static constexpr std::array<std::uint8_t, kKeyBytes> kAnyScalar{8};
  std::array<std::uint8_t, kKeyBytes> ignored;
  return internal::X25519(kAnyScalar, point, ignored);
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
