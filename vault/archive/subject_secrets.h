// The subject secrets that archives are read with: from the offline identity, the escrow file and
// the subject shards, wherever those stand.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/archive/destination.h"
#include "vault/archive/subject_shard.h"

namespace sealbook::archive {

// A folder of keys: `escrow.key.age` and `subjects/`, as a destination has them.
struct KeyFolder {
  // The whole file. NotFound.
  std::function<absl::StatusOr<std::string>(const std::string& path, std::size_t max_bytes)> read;
  // The names in a folder; none where it is not there.
  std::function<absl::StatusOr<std::vector<std::string>>(const std::string& folder)> list;
};
// Of several destinations, which must outlive it: one may have no shards, or older ones.
KeyFolder KeysAt(std::vector<Destination*> destinations);
KeyFolder KeysIn(const std::string& folder);
// The same with one shard in the place of all: a file, beside which or above which the escrow file
// is.
KeyFolder KeysOfFile(const std::string& shard);

// Belongs to one thread. Memory: some shards.
class SubjectSecrets {
 public:
  // For whoever has opened the archive with `identities`. NotFound: there is no escrow file.
  // DataLoss: they do not open it.
  static absl::StatusOr<SubjectSecrets> Open(std::span<const crypto::ExchangePair> identities,
                                             KeyFolder keys, SignerKey authority);

  // The contact's pair; of one vault's contacts at all times. nullopt: no shard that counts has it,
  // since the contact was erased, or the shard is missing (`has_shard` says which). DataLoss: the
  // record does not open.
  absl::StatusOr<std::optional<crypto::ExchangePair>> Find(const keyring::VaultId& vault,
                                                           ContactNumber contact,
                                                           std::int64_t token);
  bool HasShardOf(ContactNumber contact) const;

 private:
  SubjectSecrets(crypto::ExchangePair escrow, KeyFolder keys, SignerKey authority)
      : escrow_(std::move(escrow)), keys_(std::move(keys)), authority_(std::move(authority)) {}
  absl::Status List();
  absl::StatusOr<const SubjectShard*> ShardOf(const keyring::VaultId& vault, std::uint32_t number);

  crypto::ExchangePair escrow_;
  KeyFolder keys_;
  SignerKey authority_;
  bool listed_ = false;
  std::map<std::uint32_t, std::vector<std::uint64_t>> versions_;  // descending
  std::map<std::uint32_t, std::optional<SubjectShard>> shards_;   // a few of those read
};

}  // namespace sealbook::archive
