#include "vault/records/index.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::records {

namespace {

crypto::Hash128 HashUnder(const crypto::IndexHashKey& key, IdentifierKind kind,
                          absl::string_view value) {
  const auto kind_byte = static_cast<std::uint8_t>(kind);
  return crypto::KeyedHash128(key.ExposeBytes(), "sealbook/index/1",
                              {ByteView(&kind_byte, 1), crypto::AsBytes(value)});
}

crypto::Hash128 TagUnder(const crypto::IndexTagKey& key, const crypto::Hash128& hash,
                         ContactNumber contact) {
  std::array<std::uint8_t, 8> number;
  for (std::size_t i = 0; i < 8; ++i) {
    number[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(contact) >> (56 - 8 * i));
  }
  return crypto::KeyedHash128(key.ExposeBytes(), "sealbook/index-row/1", {hash, number});
}

}  // namespace

bool IdentifierHashes::Contains(const crypto::Hash128& hash) const {
  return hash == current || std::find(older.begin(), older.end(), hash) != older.end();
}

std::vector<crypto::Hash128> ListedHashes(const store::ContactRow& row) {
  std::vector<crypto::Hash128> hashes;
  for (std::size_t at = 0; at + sizeof(crypto::Hash128) <= row.identifiers.size();
       at += sizeof(crypto::Hash128)) {
    std::copy_n(row.identifiers.begin() + static_cast<std::ptrdiff_t>(at), sizeof(crypto::Hash128),
                hashes.emplace_back().begin());
  }
  return hashes;
}

absl::StatusOr<IdentifierIndex> IdentifierIndex::Open(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  const keyring::Compartment* compartment =
      keyring.roster().FindCompartment(kRootBook, ClassId::kIndex);
  if (compartment == nullptr) return absl::NotFoundError("the vault has no index");
  std::vector<Keys> keys;
  for (std::uint32_t epoch = compartment->epoch; epoch > 0; --epoch) {
    if (epoch < compartment->epoch) {
      ASSIGN_OR_RETURN(const auto link,
                       keyring.store().GetEpochLink(kRootBook, ClassId::kIndex, epoch));
      if (!link) break;
    }
    ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                     keyring.CompartmentPair(kRootBook, ClassId::kIndex, epoch));
    keys.push_back(
        {crypto::DeriveIndexHashKey(pair->secret()), crypto::DeriveIndexTagKey(pair->secret())});
  }
  return IdentifierIndex(keyring, compartment->epoch, std::move(keys));
}

crypto::Hash128 IdentifierIndex::HashOf(IdentifierKind kind, absl::string_view value) const {
  return HashUnder(keys_.front().hash, kind, value);
}

IdentifierHashes IdentifierIndex::HashesOf(IdentifierKind kind, absl::string_view value) const {
  IdentifierHashes hashes{.current = HashOf(kind, value), .older = {}};
  for (std::size_t i = 1; i < keys_.size(); ++i)
    hashes.older.push_back(HashUnder(keys_[i].hash, kind, value));
  return hashes;
}

store::IndexRow IdentifierIndex::MakeRow(const crypto::Hash128& hash, ContactNumber contact) const {
  return {.hash = hash, .tag = TagUnder(keys_.front().tag, hash, contact), .contact = contact};
}

bool IdentifierIndex::IsNewest(const store::IndexRow& row) const {
  return crypto::EqualInConstantTime(row.tag, TagUnder(keys_.front().tag, row.hash, row.contact));
}

absl::Status IdentifierIndex::Check(const store::IndexRow& row) const {
  for (const Keys& keys : keys_) {
    if (crypto::EqualInConstantTime(row.tag, TagUnder(keys.tag, row.hash, row.contact)))
      return absl::OkStatus();
  }
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

absl::StatusOr<std::optional<ContactNumber>> IdentifierIndex::Find(
    const IdentifierHashes& hashes) const {
  ASSIGN_OR_RETURN(std::optional<ContactNumber> contact, Find(hashes.current));
  for (std::size_t i = 0; i < hashes.older.size() && !contact; ++i) {
    ASSIGN_OR_RETURN(contact, Find(hashes.older[i]));
  }
  return contact;
}

}  // namespace sealbook::records
