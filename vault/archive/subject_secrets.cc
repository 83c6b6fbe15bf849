#include "vault/archive/subject_secrets.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/upload.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// 300 KiB each at most.
constexpr std::size_t kMaxShardsKept = 32;

}  // namespace

KeyFolder KeysAt(std::vector<Destination*> destinations) {
  return {.read = [destinations](const std::string& path,
                                 std::size_t max_bytes) -> absl::StatusOr<std::string> {
            absl::StatusOr<std::string> text = absl::NotFoundError("there is no such file");
            for (Destination* const destination : destinations) {
              text = GetSmall(*destination, path, max_bytes);
              if (text.ok()) break;
            }
            return text;
          },
          .list = [destinations](
                      const std::string& folder) -> absl::StatusOr<std::vector<std::string>> {
            std::set<std::string> names;
            for (Destination* const destination : destinations) {
              ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, destination->List(folder));
              for (const RemoteFile& file : files) names.insert(file.name);
            }
            return std::vector<std::string>(names.begin(), names.end());
          }};
}

KeyFolder KeysIn(const std::string& folder) {
  return {.read = [folder](const std::string& path,
                           std::size_t max_bytes) -> absl::StatusOr<std::string> {
            return keyring::ReadSmallFile(absl::StrCat(folder, "/", path), max_bytes);
          },
          .list = [folder](const std::string& below) -> absl::StatusOr<std::vector<std::string>> {
            std::vector<std::string> names;
            std::error_code error;
            for (const auto& file :
                 std::filesystem::directory_iterator(absl::StrCat(folder, "/", below), error)) {
              names.push_back(file.path().filename().string());
            }
            return names;
          }};
}

KeyFolder KeysOfFile(const std::string& shard) {
  const std::filesystem::path file(shard);
  const std::string name = file.filename().string();
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  return {.read = [folder, name](const std::string& path,
                                 std::size_t max_bytes) -> absl::StatusOr<std::string> {
            if (path != kEscrowPath)
              return keyring::ReadSmallFile(absl::StrCat(folder, "/", name), max_bytes);
            auto beside = keyring::ReadSmallFile(absl::StrCat(folder, "/", path), max_bytes);
            if (!absl::IsNotFound(beside.status())) return beside;
            return keyring::ReadSmallFile(absl::StrCat(folder, "/../", path), max_bytes);
          },
          .list = [name](const std::string&) -> absl::StatusOr<std::vector<std::string>> {
            return std::vector<std::string>{name};
          }};
}

absl::StatusOr<SubjectSecrets> SubjectSecrets::Open(
    std::span<const crypto::ExchangePair> identities, KeyFolder keys, SignerKey authority) {
  auto file = keys.read(std::string(kEscrowPath), kMaxEscrowBytes);
  if (absl::IsNotFound(file.status())) {
    return WithHint(
        absl::NotFoundError("there is no escrow.key.age, without which no archive is read"),
        "It stands beside the archives and in the vault's folder: name that folder with --keys.");
  }
  RETURN_IF_ERROR(file.status());
  auto escrow = OpenEscrow(identities, crypto::AsBytes(*file));
  if (escrow.ok()) return SubjectSecrets(*std::move(escrow), std::move(keys), std::move(authority));
  if (absl::IsInternal(escrow.status())) return escrow.status();
  return WithHint(
      absl::DataLossError("the escrow.key.age at hand does not open with that identity, though the "
                          "archive does: it is damaged, or another vault's"),
      "Bring it from another destination, or from the vault's folder.");
}

absl::Status SubjectSecrets::List() {
  if (listed_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, keys_.list(std::string(kShardFolder)));
  for (const std::string& name : names) {
    if (const auto parts = ParseShardName(name)) versions_[parts->number].push_back(parts->version);
  }
  for (auto& [number, versions] : versions_)
    std::sort(versions.begin(), versions.end(), std::greater<>());
  listed_ = true;
  return absl::OkStatus();
}

absl::StatusOr<const SubjectShard*> SubjectSecrets::ShardOf(const keyring::VaultId& vault,
                                                            std::uint32_t number) {
  RETURN_IF_ERROR(List());
  if (const auto at = shards_.find(number); at != shards_.end())
    return at->second ? &*at->second : nullptr;
  if (shards_.size() >= kMaxShardsKept) shards_.clear();
  std::optional<SubjectShard> found;
  const auto versions = versions_.find(number);
  if (versions != versions_.end()) {
    for (const std::uint64_t version : versions->second) {
      const std::string name = ShardName(number, version);
      ASSIGN_OR_RETURN(const std::string file, keys_.read(name, SubjectShard::kMaxBytes));
      auto shard = SubjectShard::Verify(crypto::AsBytes(file), name, authority_);
      // The highest that counts: one that was cut when it was written, say, does not.
      if (absl::IsInvalidArgument(shard.status()) || absl::IsDataLoss(shard.status())) continue;
      RETURN_IF_ERROR(shard.status());
      // Another vault's says nothing of who was erased here.
      if (shard->vault != vault) continue;
      found = *std::move(shard);
      break;
    }
  }
  const auto& kept = shards_[number] = std::move(found);
  return kept ? &*kept : nullptr;
}

bool SubjectSecrets::HasShardOf(ContactNumber contact) const {
  const auto at = shards_.find(SubjectShard::NumberOf(contact));
  return at != shards_.end() && at->second.has_value();
}

absl::StatusOr<std::optional<crypto::ExchangePair>> SubjectSecrets::Find(
    const keyring::VaultId& vault, ContactNumber contact, std::int64_t token) {
  ASSIGN_OR_RETURN(const SubjectShard* shard, ShardOf(vault, SubjectShard::NumberOf(contact)));
  if (shard == nullptr) return std::nullopt;
  const SubjectRecord* record = shard->Find(contact);
  if (record == nullptr || record->token != token) return std::nullopt;
  ASSIGN_OR_RETURN(crypto::ExchangePair pair, OpenSubjectSecret(escrow_, vault, *record));
  return pair;
}

}  // namespace sealbook::archive
