// One destination, and what the vault knows of it: what has been brought there and read back
// (the table remote_file), and what is still to be brought or taken away.
//
// Everything that is put there is read back, on a connection that did not write it, before it
// counts as there. Nothing that is there is ever written over. Belongs to one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/archive_signature.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/purge.h"
#include "vault/archive/upload.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_keys.h"

namespace sealbook::archive {

struct PlaceOptions {
  std::string url;  // as the policy has it
  DestinationOpener open;
  UploadOptions upload = {};
  std::function<bool()> interrupted = nullptr;
  // What is about to happen ("upload", "verify", "shard", …), for progress and for tests that end
  // the process there.
  std::function<void(absl::string_view step)> at = nullptr;
};

class ArchivePlace {
 public:
  ArchivePlace(keyring::Keyring& keyring, PlaceOptions options);

  const std::string& url() const { return options_.url; }

  // Compares the vault with the newest checkpoint there, and brings the escrow file. Before
  // anything else. DataLoss: the vault is older than the checkpoint. kOutOfRange: see
  // destination.h; or it has lost what was brought there, as the empty folder of a disk has that is
  // not mounted.
  absl::Status Begin();
  // Whether all stands there by which whoever has the offline identity reads archives without the
  // vault: the escrow file and the newest shards. kOutOfRange: something is missing.
  absl::Status CheckKeys();

  // Brings the current version of every subject shard, and takes the older ones away. False: what
  // is deleted there is not gone, so that no shard may stand there.
  absl::StatusOr<bool> SyncShards(absl::Time now);
  // Whether what is deleted in the folder of shards is gone: by a probe, once.
  absl::StatusOr<bool> Erasable();
  // Whether a version of the contact's shard stands there that may still have it: asked of the
  // destination, and not of what the vault remembers.
  absl::StatusOr<bool> HasOlderShard(ContactNumber contact, std::int64_t version);
  // Where such a one was brought that is none of `urls`.
  struct Elsewhere {
    std::vector<std::string> waiting, given_up;  // addresses
  };
  static absl::StatusOr<Elsewhere> OldShardsElsewhere(keyring::Keyring& keyring,
                                                      const std::vector<std::string>& urls,
                                                      ContactNumber contact, std::int64_t version);
  // Brings the tombstones.
  absl::Status SyncTombstones();
  // Brings an archive from the spool, then its signature. AlreadyExists: another file has that
  // name.
  absl::Status Upload(const ArchiveSignature& archive, ByteView signature,
                      const std::string& spooled);
  // Reads archive and signature back on a new connection. kOutOfRange: they are not there, or
  // differ from what was signed.
  absl::StatusOr<VerifiedArchive> Verify(const ArchiveSignature& archive, ByteView signature);
  // Takes an archive and its signature away. False: they are there still, since this account may
  // not delete, or deletion does not delete there.
  absl::StatusOr<bool> Destroy(const ArchiveSignature& archive);
  // Brings a checkpoint of the vault as it stands, where it has changed since the last one, and
  // takes older ones away where it may.
  absl::Status PutCheckpoint(absl::Time now);

  // What an erasure still has to reach here.
  static absl::StatusOr<bool> IsPending(keyring::Keyring& keyring, const std::string& url,
                                        ContactNumber contact, std::int64_t token,
                                        std::int64_t shard_version);
  // How many erasures have something to reach, at those or elsewhere.
  static absl::StatusOr<std::int64_t> PendingErasures(keyring::Keyring& keyring,
                                                      const std::vector<std::string>& urls);

 private:
  absl::StatusOr<Destination*> Connection();
  // Forgets the connection: the next call opens another.
  void Disconnect() { connection_ = nullptr; }
  absl::Status Mark(const std::vector<std::string>& paths, RemoteState state);
  absl::Status Mark(absl::string_view path, RemoteState state) {
    return Mark(std::vector<std::string>{std::string(path)}, state);
  }
  absl::Status Forget(absl::string_view path);
  absl::StatusOr<RemoteState> StateOf(absl::string_view path);
  // Brings a small file and reads it back.
  absl::Status PutAndReadBack(const std::string& path, ByteView bytes);
  // Takes a file away; false: it is there still.
  absl::StatusOr<bool> TakeAway(const std::string& path);
  struct Shard {
    std::uint32_t number = 0;
    std::int64_t version = 0;
    std::string path = {};
    crypto::Bytes bytes = {};
    bool ours = false;  // something was brought there before under its name
  };
  // False: there is none of this vault.
  absl::StatusOr<bool> CompareCheckpoints();
  // There is no checkpoint: whether one should be.
  absl::Status CheckNoCheckpoint();
  absl::Status CheckEscrow();
  absl::Status ListShards();
  // Paths of shards that were brought there and are not there any more.
  absl::StatusOr<std::vector<std::string>> LostShards();
  absl::Status SyncSome(std::vector<Shard> shards, absl::Time now);
  // The next version of one whose name at this version somebody else's file has.
  absl::StatusOr<std::int64_t> NextVersion(std::uint32_t shard);
  absl::Status TakeOlderAway(const Shard& shard);
  absl::StatusOr<bool> IsOurShard(const std::string& path);
  void At(absl::string_view step) const {
    if (options_.at) options_.at(step);
  }

  keyring::Keyring& keyring_;
  PlaceOptions options_;
  std::unique_ptr<Destination> connection_;
  std::optional<bool> deletes_;                           // in the folder of shards
  std::optional<std::vector<RemoteFile>> listed_shards_;  // when first asked for
  bool compared_shards_ = false;
};

}  // namespace sealbook::archive
