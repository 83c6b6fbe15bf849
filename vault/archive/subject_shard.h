// Subject shards: small signed files beside the archives that hold the escrowed subject secrets of
// up to 1024 contacts each (docs/format.md, "Subject shard"). An archived contact is readable as
// long as the newest version of its shard has its record: a contact is erased from every archive by
// writing the next version without it and deleting the older ones.
//
// A secret is sealed to the vault's escrow key, whose own secret stands in `escrow.key.age`, sealed
// to the archives' recipients:
//
//   ASSIGN_OR_RETURN(const auto escrow, OpenEscrow(identities, escrow_file));
//   ASSIGN_OR_RETURN(const SubjectShard shard, SubjectShard::Verify(file, name, authority));
//   const SubjectRecord* record = shard.Find(contact);
//   ASSIGN_OR_RETURN(const auto subject, OpenSubjectSecret(escrow, shard.vault, *record));
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/archive/archive_format.h"

namespace sealbook::archive {

// A row of `subject` with the token and E, so that it can be opened without the vault.
struct SubjectRecord {
  // A sealed box of docs/format.md, "Subject key".
  static constexpr std::size_t kSecretBytes = 48 + 4 + 25 + 16 + 8 + 8 + 32;

  ContactNumber contact = 0;
  std::int64_t token = 0;
  std::int64_t session = 0;
  crypto::ExchangePublic ephemeral;  // E of that session
  crypto::ExchangePublic public_key;
  std::array<std::uint8_t, kSecretBytes> secret{};  // sealed to the escrow key
  friend bool operator==(const SubjectRecord&, const SubjectRecord&) = default;
};

struct SubjectShard {
  static constexpr std::int64_t kContacts = 1024;
  static constexpr std::size_t kMaxBytes = 320 * 1024;
  static constexpr std::uint32_t NumberOf(ContactNumber contact) {
    return static_cast<std::uint32_t>(contact / kContacts);
  }

  keyring::VaultId vault{};
  std::uint32_t number = 0;   // holds contacts number * 1024 to number * 1024 + 1023
  std::uint64_t version = 0;  // from 1; the highest one that counts, counts
  ArchiveSigner signer;
  std::vector<SubjectRecord> records;  // by contact number, ascending; may be empty

  // The file. `signing` is the pair of signer.key (checked).
  // DataLoss: records that no shard holds: out of order, of another shard, of a key of small order.
  absl::StatusOr<crypto::Bytes> Sign(const crypto::SigningPair& signing) const;

  // The one way to read one. `name` as ShardName gives it.
  // InvalidArgument: no such document. DataLoss: altered, signed with another key than `authority`
  // gives, of another number or version than its name says. Otherwise `authority`'s errors.
  static absl::StatusOr<SubjectShard> Verify(ByteView file, absl::string_view name,
                                             const SignerKey& authority);

  // Null: there is none (any more).
  const SubjectRecord* Find(ContactNumber contact) const;
};

// The escrow key's pair, from the bytes of `escrow.key.age`. Whoever has a roster compares its
// public key with the roster's.
// InvalidArgument: not an age file. Unauthenticated: the identities do not open it. DataLoss.
absl::StatusOr<crypto::ExchangePair> OpenEscrow(std::span<const crypto::ExchangePair> identities,
                                                ByteView file);

// A contact's subject pair. DataLoss: the box is for another escrow key, vault, contact or token,
// or holds another pair's secret than `record.public_key`'s.
absl::StatusOr<crypto::ExchangePair> OpenSubjectSecret(const crypto::ExchangePair& escrow,
                                                       const keyring::VaultId& vault,
                                                       const SubjectRecord& record);

}  // namespace sealbook::archive
