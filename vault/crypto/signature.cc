#include "vault/crypto/signature.h"

#include <sodium.h>

namespace sealbook::crypto {
namespace {

Bytes Labelled(absl::string_view label, ByteView message) {
  ByteWriter writer;
  writer.U8(static_cast<std::uint8_t>(label.size())).Raw(AsBytes(label)).Raw(message);
  return writer.Take();
}

}  // namespace

namespace internal {

namespace {
VerifyKey ExpandSeed(ByteView seed, SecretBytes& secret_key) {
  VerifyKey key;
  secret_key = SecretBytes(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(key.bytes.data(), secret_key.ExposeMutable().data(), seed.data());
  return key;
}
}  // namespace

Signature SignRaw(ByteView seed, ByteView message) {
  SecretBytes secret_key;
  ExpandSeed(seed, secret_key);
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       secret_key.ExposeBytes().data());
  return signature;
}

bool VerifyRaw(const VerifyKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

}  // namespace internal

SigningPair SigningPair::Generate() { return FromSeed(SigningSeed::Random()); }

SigningPair SigningPair::FromSeed(SigningSeed seed) {
  SecretBytes secret_key;
  const VerifyKey key = internal::ExpandSeed(seed.ExposeBytes(), secret_key);
  return SigningPair(key, std::move(seed));
}

Signature SigningPair::Sign(absl::string_view label, ByteView message) const {
  return internal::SignRaw(seed_.ExposeBytes(), Labelled(label, message));
}

bool Verify(const VerifyKey& key, absl::string_view label, ByteView message,
            const Signature& signature) {
  return internal::VerifyRaw(key, Labelled(label, message), signature);
}

}  // namespace sealbook::crypto
