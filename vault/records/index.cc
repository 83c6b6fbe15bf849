#include "vault/records/index.h"

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::records {

absl::StatusOr<IdentifierIndex> IdentifierIndex::Open(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                   keyring.CompartmentPair(kRootBook, ClassId::kIndex));
  return IdentifierIndex(keyring, crypto::DeriveIndexHashKey(pair->secret()),
                         crypto::DeriveIndexTagKey(pair->secret()));
}

crypto::Hash128 IdentifierIndex::HashOf(IdentifierKind kind, absl::string_view value) const {
  const auto kind_byte = static_cast<std::uint8_t>(kind);
  return crypto::KeyedHash128(hash_key_.ExposeBytes(), "sealbook/index/1",
                              {ByteView(&kind_byte, 1), crypto::AsBytes(value)});
}

crypto::Hash128 IdentifierIndex::TagOf(const crypto::Hash128& hash, ContactNumber contact) const {
  std::array<std::uint8_t, 8> number;
  for (std::size_t i = 0; i < 8; ++i) {
    number[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(contact) >> (56 - 8 * i));
  }
  return crypto::KeyedHash128(tag_key_.ExposeBytes(), "sealbook/index-row/1", {hash, number});
}

store::IndexRow IdentifierIndex::MakeRow(const crypto::Hash128& hash, ContactNumber contact) const {
  return {.hash = hash, .tag = TagOf(hash, contact), .contact = contact};
}

absl::Status IdentifierIndex::Check(const store::IndexRow& row) const {
  if (crypto::EqualInConstantTime(row.tag, TagOf(row.hash, row.contact))) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(absl::StrCat("an index row of contact number ", row.contact,
                                       " was altered, moved or planted")),
      "Somebody wrote into the vault's files. 'sealbook doctor' lists what does not count.");
}

absl::StatusOr<std::optional<ContactNumber>> IdentifierIndex::Find(
    const crypto::Hash128& hash) const {
  store::IndexRow row;
  ASSIGN_OR_RETURN(const bool found, keyring_->store().FindIndex(hash, row));
  if (!found) return std::nullopt;
  RETURN_IF_ERROR(Check(row));
  return row.contact;
}

}  // namespace sealbook::records
