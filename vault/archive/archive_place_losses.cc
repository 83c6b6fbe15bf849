// ArchivePlace's look at whether a destination still has what this vault left there. Of what is
// brought now nobody could read a word without the vault where the keys beside it are gone.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "vault/archive/archive_place.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/subject_shard.h"
#include "vault/archive/upload.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

absl::Status HasLost(const std::string& url, absl::string_view what) {
  return WithHint(
      internal::RefusedError(absl::StrCat(url, " has lost what this vault left there: ", what)),
      "Mount that disk, or bring its files back. Where they are gone for good, take it out of the "
      "policy and 'sealbook retention give-up' it; then it can be named again.");
}

}  // namespace

absl::Status ArchivePlace::CheckEscrow() {
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  const auto there = GetSmall(*destination, kEscrowPath, kMaxEscrowBytes);
  if (absl::IsNotFound(there.status()))
    return HasLost(url(), absl::StrCat(std::string(kEscrowPath), " is missing"));
  RETURN_IF_ERROR(there.status());
  ASSIGN_OR_RETURN(const std::string ours,
                   keyring::ReadSmallFile(keyring_.paths().escrow(), kMaxEscrowBytes));
  if (*there == ours) return absl::OkStatus();
  return WithHint(internal::RefusedError(
                      absl::StrCat(url(), " has another ", std::string(kEscrowPath),
                                   " than this vault's folder, and one of the two is damaged")),
                  "Bring the right one back from another destination or a copy of the vault.");
}

absl::Status ArchivePlace::CheckNoCheckpoint() {
  bool brought = false;
  RETURN_IF_ERROR(keyring_.store().EachRemoteFile(
      url(), absl::StrCat(kCheckpointFolder, "/"),
      [&](absl::string_view, absl::string_view, int state) -> absl::Status {
        brought = brought || state == static_cast<int>(RemoteState::kVerified);
        return absl::OkStatus();
      }));
  return brought ? HasLost(url(), "its checkpoint is missing") : absl::OkStatus();
}

absl::Status ArchivePlace::ListShards() {
  if (listed_shards_) return absl::OkStatus();
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  ASSIGN_OR_RETURN(listed_shards_, destination->List(kShardFolder));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ArchivePlace::LostShards() {
  RETURN_IF_ERROR(ListShards());
  const std::string folder = absl::StrCat(kShardFolder, "/");
  std::vector<std::string> lost;
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  RETURN_IF_ERROR(keyring_.store().EachSubjectShard(
      [&](std::int64_t shard, std::int64_t version) -> absl::Status {
        const std::string path =
            ShardName(static_cast<std::uint32_t>(shard), static_cast<std::uint64_t>(version));
        ASSIGN_OR_RETURN(const RemoteState state, StateOf(path));
        if (state != RemoteState::kVerified) return absl::OkStatus();
        const std::string name(absl::StripPrefix(path, folder));
        if (!std::ranges::binary_search(*listed_shards_, name, {}, &RemoteFile::name))
          lost.push_back(path);
        return absl::OkStatus();
      }));
  return lost;
}

absl::Status ArchivePlace::CheckKeys() {
  RETURN_IF_ERROR(CheckEscrow());
  ASSIGN_OR_RETURN(const std::vector<std::string> lost, LostShards());
  if (lost.empty()) return absl::OkStatus();
  return WithHint(internal::RefusedError(absl::StrCat(url(), " has lost ", lost.size(),
                                                      " of the files with "
                                                      "customers' keys, ",
                                                      lost.front(), " first")),
                  "The next 'sealbook retention run' that has something to do brings them again.");
}

}  // namespace sealbook::archive
