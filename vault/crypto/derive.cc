#include "vault/crypto/derive.h"

#include "vault/crypto/hash.h"

namespace sealbook::crypto {
namespace {

void PutContact(std::span<std::uint8_t, 8> out, ContactNumber contact) {
  for (std::size_t i = 0; i < 8; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(contact) >> (56 - 8 * i));
}

}  // namespace

void DeriveValueKeyInto(ValueKey& key, const SessionSecret& secret, ContactNumber contact,
                        ClassId class_id, std::uint32_t revision) {
  std::uint8_t place[8 + 1 + 4];
  PutContact(std::span<std::uint8_t, 8>(place, 8), contact);
  place[8] = static_cast<std::uint8_t>(class_id);
  for (int i = 0; i < 4; ++i) place[9 + i] = static_cast<std::uint8_t>(revision >> (24 - 8 * i));
  DeriveKeyInto(key, secret, "sealbook/value-key/1", {place});
}
ValueKey DeriveValueKey(const SessionSecret& secret, ContactNumber contact, ClassId class_id,
                        std::uint32_t revision) {
  ValueKey key = KeyAccess::Empty<ValuePurpose>();
  DeriveValueKeyInto(key, secret, contact, class_id, revision);
  return key;
}

WrapKey DeriveWrapKey(const SessionSecret& secret) {
  return DeriveKey<WrapPurpose>(secret, "sealbook/wrap-key/1", {});
}
IndexHashKey DeriveIndexHashKey(const ExchangeSecret& index_compartment) {
  return DeriveKey<IndexHashPurpose>(index_compartment, "sealbook/index-hash/1", {});
}
IndexTagKey DeriveIndexTagKey(const ExchangeSecret& index_compartment) {
  return DeriveKey<IndexTagPurpose>(index_compartment, "sealbook/index-tag/1", {});
}
EpochLinkKey DeriveEpochLinkKey(const ExchangeSecret& newer_epoch) {
  return DeriveKey<EpochLinkPurpose>(newer_epoch, "sealbook/epoch-link/1", {});
}
ChatKey DeriveChatKey(const SessionSecret& secret, ContactNumber contact) {
  std::array<std::uint8_t, 8> place{};
  PutContact(place, contact);
  return DeriveKey<ChatPurpose>(secret, "sealbook/chat-key/1", {place});
}
ChatTagSealKey DeriveChatTagSealKey(const ExchangeSecret& index_compartment) {
  return DeriveKey<ChatTagSealPurpose>(index_compartment, "sealbook/chat-tag-seal/1", {});
}

}  // namespace sealbook::crypto
