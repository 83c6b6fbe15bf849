#include "vault/archive/archive_place.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "vault/archive/spooling.h"
#include "vault/archive/subject_shard.h"
#include "vault/crypto/random.h"
#include "vault/records/chat_keys.h"
#include "vault/records/statements.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr std::size_t kMaxStatementBytes = 64 * 1024;
// A version of a shard that somebody else's file has the name of is left out.
constexpr int kShardTries = 3;
constexpr std::size_t kShardsAtOnce = 32;  // some 8 MiB

// Compares what is read back with what was written.
class Comparison : public ByteSink {
 public:
  explicit Comparison(ByteView expected) : rest_(expected) {}
  absl::Status Append(ByteView bytes) override {
    if (bytes.size() > rest_.size() || !std::equal(bytes.begin(), bytes.end(), rest_.begin()))
      return absl::DataLossError("a file that was read back differs from what was written");
    rest_ = rest_.subspan(bytes.size());
    return absl::OkStatus();
  }

 private:
  ByteView rest_;
};

// The same error as one of a destination that does not hold what it should.
absl::Status NotAsItShouldBe(const absl::Status& status, const std::string& url) {
  if (!absl::IsDataLoss(status) && !absl::IsNotFound(status)) return status;
  return WithHint(internal::RefusedError(absl::StrCat(url, ": ", std::string(status.message()))),
                  "Look at that server's disk, and at who may write there.");
}

// Shards: subjects/000012.v3, ascending by version.
absl::StatusOr<std::vector<std::pair<std::string, std::uint64_t>>> KnownVersions(
    store::Store& store, const std::string& url, std::uint32_t shard) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  const std::string first = ShardName(shard, 1);
  const std::string prefix = first.substr(0, first.size() - 1);  // "subjects/000012.v"
  RETURN_IF_ERROR(store.EachRemoteFile(
      url, prefix, [&](absl::string_view, absl::string_view path, int) -> absl::Status {
        const auto parts = ParseShardName(path);
        if (parts && parts->number == shard) out.emplace_back(std::string(path), parts->version);
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<crypto::Bytes> MakeShard(keyring::Keyring& keyring, std::uint32_t shard,
                                        std::int64_t version, ByteView contacts, absl::Time now) {
  SubjectShard out{.vault = keyring.roster().vault,
                   .number = shard,
                   .version = static_cast<std::uint64_t>(version),
                   .signer = SignerOf(keyring, now),
                   .records = {}};
  store::SubjectRow subject;
  store::ContactRow contact;
  for (std::int64_t i = 0; i < SubjectShard::kContacts; ++i) {
    const auto byte = static_cast<std::size_t>(i / 8);
    if (byte >= contacts.size() || (contacts[byte] & (1u << (i % 8))) == 0) continue;
    const ContactNumber number = std::int64_t{shard} * SubjectShard::kContacts + i;
    ASSIGN_OR_RETURN(const bool has, keyring.store().GetSubject(number, subject));
    ASSIGN_OR_RETURN(const bool is, keyring.store().GetContact(number, contact));
    // Erased meanwhile; or a row that does not count, with which nobody could read anything.
    if (!has || !is || !records::CheckSubject(keyring, subject, contact.token).ok()) continue;
    ASSIGN_OR_RETURN(const keyring::Session* session, keyring.sessions().Get(subject.session));
    SubjectRecord record{.contact = number,
                         .token = contact.token,
                         .session = subject.session,
                         .ephemeral = session->ephemeral,
                         .public_key = {subject.public_key},
                         .secret = {}};
    if (subject.secret.size() != record.secret.size()) continue;
    std::copy(subject.secret.begin(), subject.secret.end(), record.secret.begin());
    out.records.push_back(std::move(record));
  }
  return out.Sign(keyring.bundle().signing);
}

absl::Status AtPlace(const absl::Status& status, const std::string& url) {
  if (status.ok() || status.code() != absl::StatusCode::kDataLoss) return status;
  return WithHint(
      absl::Status(status.code(), absl::StrCat(url, ": ", std::string(status.message()))),
      HintOf(status));
}

}  // namespace

ArchivePlace::ArchivePlace(keyring::Keyring& keyring, PlaceOptions options)
    : keyring_(keyring), options_(std::move(options)) {}

absl::StatusOr<Destination*> ArchivePlace::Connection() {
  if (connection_ == nullptr) {
    ASSIGN_OR_RETURN(connection_, options_.open());
  }
  return connection_.get();
}

absl::Status ArchivePlace::Mark(const std::vector<std::string>& paths, RemoteState state) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  for (const std::string& path : paths)
    RETURN_IF_ERROR(keyring_.store().PutRemoteFile(url(), path, static_cast<int>(state)));
  return transaction.Commit();
}

absl::Status ArchivePlace::Forget(absl::string_view path) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  RETURN_IF_ERROR(keyring_.store().DeleteRemoteFile(url(), path));
  return transaction.Commit();
}

absl::StatusOr<RemoteState> ArchivePlace::StateOf(absl::string_view path) {
  ASSIGN_OR_RETURN(const int state, keyring_.store().GetRemoteFile(url(), path));
  return static_cast<RemoteState>(state);
}

absl::Status ArchivePlace::PutAndReadBack(const std::string& path, ByteView bytes) {
  RETURN_IF_ERROR(Mark(path, RemoteState::kBegun));
  {
    ASSIGN_OR_RETURN(Destination* const destination, Connection());
    RETURN_IF_ERROR(PutSmall(*destination, path, bytes));
  }
  Disconnect();
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  Comparison comparison(bytes);
  RETURN_IF_ERROR(NotAsItShouldBe(ReadBack(*destination, path, bytes.size(), comparison), url()));
  return Mark(path, RemoteState::kVerified);
}

absl::StatusOr<bool> ArchivePlace::TakeAway(const std::string& path) {
  RETURN_IF_ERROR(Mark(path, RemoteState::kLeaving));
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  const absl::Status removed = destination->Remove(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) {
    if (WorthRetrying(removed)) return removed;
    return false;
  }
  ASSIGN_OR_RETURN(const auto size, destination->Size(path));
  if (size) return false;
  RETURN_IF_ERROR(Forget(path));
  return true;
}

absl::Status ArchivePlace::Begin() {
  At("connect");
  ASSIGN_OR_RETURN(const bool compared, CompareCheckpoints());
  ASSIGN_OR_RETURN(const RemoteState escrow, StateOf(kEscrowPath));
  if (escrow == RemoteState::kVerified) {
    RETURN_IF_ERROR(CheckEscrow());
    return compared ? absl::OkStatus() : CheckNoCheckpoint();
  }
  if (escrow == RemoteState::kGivenUp) {
    // It is back in the policy: whatever it has is looked at again.
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    RETURN_IF_ERROR(keyring_.store().SetRemoteFiles(url(), static_cast<int>(RemoteState::kBegun)));
    RETURN_IF_ERROR(transaction.Commit());
  }
  // Without it nobody reads an archive where the vault is gone. It opens for the archives'
  // recipients.
  ASSIGN_OR_RETURN(const std::string file,
                   keyring::ReadSmallFile(keyring_.paths().escrow(), kMaxEscrowBytes));
  return PutAndReadBack(std::string(kEscrowPath), crypto::AsBytes(file));
}

absl::StatusOr<bool> ArchivePlace::CompareCheckpoints() {
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  ASSIGN_OR_RETURN(std::vector<RemoteFile> checkpoints, destination->List(kCheckpointFolder));
  // Names are numbers of one width, so that the newest stands last.
  for (auto at = checkpoints.rbegin(); at != checkpoints.rend(); ++at) {
    if (at->bytes > kMaxStatementBytes) continue;
    ASSIGN_OR_RETURN(
        const std::string text,
        GetSmall(*destination, absl::StrCat(kCheckpointFolder, "/", at->name), kMaxStatementBytes));
    const absl::Status same = records::CompareWithCheckpoint(keyring_, text);
    if (absl::IsNotFound(same)) continue;
    RETURN_IF_ERROR(AtPlace(same, url()));
    return true;
  }
  return false;
}

absl::StatusOr<std::int64_t> ArchivePlace::NextVersion(std::uint32_t shard) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  ASSIGN_OR_RETURN(const auto now_there, keyring_.store().GetSubjectShard(shard));
  RETURN_IF_ERROR(keyring_.store().PutSubjectShard(shard, now_there.first + 1, now_there.second));
  RETURN_IF_ERROR(transaction.Commit());
  return now_there.first + 1;
}

// Many at once: each step takes a write to the disk, here or there.
absl::Status ArchivePlace::SyncSome(std::vector<Shard> shards, absl::Time now) {
  std::vector<Shard> taken;
  for (int tries = 0; !shards.empty(); ++tries) {
    std::vector<Shard*> missing;
    std::vector<std::string> paths;
    {
      ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
      for (Shard& shard : shards) {
        // As it is now: an erasure may have made a newer one, and archives go behind it.
        ASSIGN_OR_RETURN(const auto now_there, keyring_.store().GetSubjectShard(shard.number));
        shard.version = now_there.first;
        shard.path = ShardName(shard.number, static_cast<std::uint64_t>(shard.version));
        ASSIGN_OR_RETURN(const RemoteState state, StateOf(shard.path));
        if (state == RemoteState::kVerified) continue;
        shard.ours = state != RemoteState::kUnknown;
        ASSIGN_OR_RETURN(shard.bytes,
                         MakeShard(keyring_, shard.number, shard.version, now_there.second, now));
        missing.push_back(&shard);
        paths.push_back(shard.path);
      }
    }
    if (!paths.empty()) RETURN_IF_ERROR(Mark(paths, RemoteState::kBegun));
    At("shard");
    paths.clear();
    for (Shard*& shard : missing) {
      ASSIGN_OR_RETURN(Destination* const destination, Connection());
      const absl::Status put = PutSmall(*destination, shard->path, shard->bytes);
      const bool name_taken = IsUnreachable(put) && !WorthRetrying(put);
      if (name_taken && tries + 1 < kShardTries) {
        // An older run that was cut, which goes with the older versions; or a stranger's file.
        if (!shard->ours) RETURN_IF_ERROR(Forget(shard->path));
        taken.push_back({.number = shard->number, .version = shard->version});
        shard = nullptr;
        continue;
      }
      RETURN_IF_ERROR(put);
      paths.push_back(shard->path);
    }
    Disconnect();
    for (const Shard* shard : missing) {
      if (shard == nullptr) continue;
      ASSIGN_OR_RETURN(Destination* const destination, Connection());
      Comparison comparison(shard->bytes);
      RETURN_IF_ERROR(NotAsItShouldBe(
          ReadBack(*destination, shard->path, shard->bytes.size(), comparison), url()));
    }
    if (!paths.empty()) RETURN_IF_ERROR(Mark(paths, RemoteState::kVerified));
    for (const Shard& shard : shards) {
      const bool again = std::any_of(taken.begin(), taken.end(),
                                     [&](const Shard& one) { return one.number == shard.number; });
      if (!again) RETURN_IF_ERROR(TakeOlderAway(shard));
    }
    for (Shard& shard : taken) {
      ASSIGN_OR_RETURN(shard.version, NextVersion(shard.number));
    }
    shards = std::exchange(taken, {});
  }
  return absl::OkStatus();
}

// Also those of which nobody here knows any more.
absl::Status ArchivePlace::TakeOlderAway(const Shard& shard) {
  // Only once the newer one is there.
  ASSIGN_OR_RETURN(const RemoteState state,
                   StateOf(ShardName(shard.number, static_cast<std::uint64_t>(shard.version))));
  if (state != RemoteState::kVerified) return absl::OkStatus();
  ASSIGN_OR_RETURN(auto versions, KnownVersions(keyring_.store(), url(), shard.number));
  RETURN_IF_ERROR(ListShards());
  const std::string prefix = absl::StrFormat("%06d.v", shard.number);
  auto at = std::lower_bound(
      listed_shards_->begin(), listed_shards_->end(), prefix,
      [](const RemoteFile& file, const std::string& name) { return file.name < name; });
  for (; at != listed_shards_->end() && absl::StartsWith(at->name, prefix); ++at) {
    if (const auto parts = ParseShardName(at->name))
      versions.emplace_back(ShardName(parts->number, parts->version), parts->version);
  }
  std::set<std::string> gone;
  for (const auto& [older, number] : versions) {
    if (number >= static_cast<std::uint64_t>(shard.version) || !gone.insert(older).second) continue;
    ASSIGN_OR_RETURN(const RemoteState known, StateOf(older));
    if (known == RemoteState::kUnknown) {
      ASSIGN_OR_RETURN(const bool ours, IsOurShard(older));
      if (!ours) continue;
    }
    At("old shard");
    RETURN_IF_ERROR(TakeAway(older).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ArchivePlace::Erasable() {
  if (!deletes_) {
    At("probe");
    ASSIGN_OR_RETURN(Destination* const destination, Connection());
    ASSIGN_OR_RETURN(deletes_, destination->ProvesDeletion(kShardFolder));
    Disconnect();
  }
  return *deletes_;
}

absl::StatusOr<bool> ArchivePlace::HasOlderShard(ContactNumber contact, std::int64_t version) {
  if (version == 0) return false;
  RETURN_IF_ERROR(ListShards());
  const std::uint32_t shard = SubjectShard::NumberOf(contact);
  for (const RemoteFile& file : *listed_shards_) {
    const auto parts = ParseShardName(file.name);
    if (!parts || parts->number != shard || parts->version >= static_cast<std::uint64_t>(version))
      continue;
    // As listed before; it may have been taken away since.
    ASSIGN_OR_RETURN(Destination* const destination, Connection());
    const std::string path = ShardName(parts->number, parts->version);
    ASSIGN_OR_RETURN(const auto size, destination->Size(path));
    if (!size) continue;
    ASSIGN_OR_RETURN(const bool ours, IsOurShard(path));
    if (ours) return true;
  }
  return false;
}

// Other vaults may have the same folder.
absl::StatusOr<bool> ArchivePlace::IsOurShard(const std::string& path) {
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  const auto text = GetSmall(*destination, path, SubjectShard::kMaxBytes);
  if (absl::IsNotFound(text.status())) return false;
  RETURN_IF_ERROR(text.status());
  const auto shard = SubjectShard::Verify(crypto::AsBytes(*text), path, RosterSigners(keyring_));
  return shard.ok() && shard->vault == keyring_.roster().vault;
}

absl::StatusOr<ArchivePlace::Elsewhere> ArchivePlace::OldShardsElsewhere(
    keyring::Keyring& keyring, const std::vector<std::string>& urls, ContactNumber contact,
    std::int64_t version) {
  const std::uint32_t shard = SubjectShard::NumberOf(contact);
  const std::string first = ShardName(shard, 1);
  std::set<std::string> waiting, given_up;
  RETURN_IF_ERROR(keyring.store().EachRemoteFile(
      "", first.substr(0, first.size() - 1),
      [&](absl::string_view url, absl::string_view path, int state) -> absl::Status {
        const auto parts = ParseShardName(path);
        if (!parts || parts->number != shard ||
            parts->version >= static_cast<std::uint64_t>(version) ||
            std::find(urls.begin(), urls.end(), url) != urls.end())
          return absl::OkStatus();
        (state == static_cast<int>(RemoteState::kGivenUp) ? given_up : waiting).emplace(url);
        return absl::OkStatus();
      }));
  return Elsewhere{.waiting = {waiting.begin(), waiting.end()},
                   .given_up = {given_up.begin(), given_up.end()}};
}

absl::StatusOr<bool> ArchivePlace::SyncShards(absl::Time now) {
  store::Store& store = keyring_.store();
  // Shards before archives: what the vault remembers of them is held against the place once.
  if (!compared_shards_) {
    ASSIGN_OR_RETURN(const std::vector<std::string> lost, LostShards());
    if (!lost.empty()) RETURN_IF_ERROR(Mark(lost, RemoteState::kBegun));
    compared_shards_ = true;
  }
  std::vector<Shard> wanted;
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    RETURN_IF_ERROR(
        store.EachSubjectShard([&](std::int64_t shard, std::int64_t version) -> absl::Status {
          const auto number = static_cast<std::uint32_t>(shard);
          ASSIGN_OR_RETURN(const auto known, KnownVersions(store, url(), number));
          const std::string path = ShardName(number, static_cast<std::uint64_t>(version));
          ASSIGN_OR_RETURN(const RemoteState state, StateOf(path));
          if (state != RemoteState::kVerified || known.size() > 1)
            wanted.push_back({.number = number, .version = version});
          return absl::OkStatus();
        }));
  }
  if (wanted.empty()) return true;
  ASSIGN_OR_RETURN(const bool erasable, Erasable());
  if (!erasable) return false;
  for (std::size_t i = 0; i < wanted.size(); i += kShardsAtOnce) {
    if (options_.interrupted && options_.interrupted()) return absl::CancelledError("interrupted");
    const auto some = std::span(wanted).subspan(i, std::min(kShardsAtOnce, wanted.size() - i));
    RETURN_IF_ERROR(SyncSome({some.begin(), some.end()}, now));
  }
  return true;
}

absl::Status ArchivePlace::SyncTombstones() {
  std::vector<std::pair<std::string, crypto::Bytes>> wanted;
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    RETURN_IF_ERROR(
        keyring_.store().EachTombstone([&](ContactNumber, std::int64_t token, std::int64_t,
                                           ByteView document, bool) -> absl::Status {
          const std::string path = TombstonePath(token);
          ASSIGN_OR_RETURN(const RemoteState state, StateOf(path));
          if (state != RemoteState::kVerified)
            wanted.emplace_back(path, crypto::Bytes(document.begin(), document.end()));
          return absl::OkStatus();
        }));
  }
  for (const auto& [path, document] : wanted) {
    At("tombstone");
    RETURN_IF_ERROR(PutAndReadBack(path, document));
  }
  return absl::OkStatus();
}

absl::Status ArchivePlace::Upload(const ArchiveSignature& archive, ByteView signature,
                                  const std::string& spooled) {
  const std::string name = ArchiveName(archive.header);
  const std::string beside = absl::StrCat(name, std::string(kSignatureSuffix));
  ASSIGN_OR_RETURN(const RemoteState state, StateOf(beside));
  At("upload");
  ASSIGN_OR_RETURN(Destination * destination, Connection());
  ASSIGN_OR_RETURN(const auto there, destination->Size(name));
  if (state == RemoteState::kVerified && there == archive.digest.size) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RemoteState ours, StateOf(name));
  if (there && ours == RemoteState::kUnknown) {
    // Somebody may have copied it there from another destination.
    ArchiveChecker checker(archive.digest);
    absl::Status same = ReadBack(*destination, name, archive.digest.size, checker);
    if (same.ok()) same = checker.Finish();
    if (!same.ok())
      return absl::AlreadyExistsError(absl::StrCat(url(), " has a file of that name already"));
  }
  // Before anything is sent that would be cut in the middle.
  ASSIGN_OR_RETURN(const auto free, destination->FreeBytes());
  const std::uint64_t missing =
      archive.digest.size - std::min(there.value_or(0), archive.digest.size);
  if (free && *free < missing) {
    return WithHint(UnreachableError(absl::StrCat(url(), " has too little room for an archive of ",
                                                  archive.digest.size, " bytes")),
                    "Make room there and run the command again: nothing was lost.");
  }
  RETURN_IF_ERROR(Mark(name, RemoteState::kBegun));
  Disconnect();
  const auto uploaded = RetryingUpload(options_.open, spooled, name, options_.upload);
  RETURN_IF_ERROR(uploaded.status());
  At("signature");
  RETURN_IF_ERROR(Mark(beside, RemoteState::kBegun));
  ASSIGN_OR_RETURN(destination, Connection());
  return PutSmall(*destination, beside, signature);
}

absl::StatusOr<VerifiedArchive> ArchivePlace::Verify(const ArchiveSignature& archive,
                                                     ByteView signature) {
  const std::string name = ArchiveName(archive.header);
  const std::string beside = absl::StrCat(name, std::string(kSignatureSuffix));
  At("verify");
  Disconnect();
  ASSIGN_OR_RETURN(Destination* const destination, Connection());
  ArchiveChecker checker(archive.digest);
  RETURN_IF_ERROR(
      NotAsItShouldBe(ReadBack(*destination, name, archive.digest.size, checker), url()));
  RETURN_IF_ERROR(NotAsItShouldBe(checker.Finish(), url()));
  Comparison comparison(signature);
  RETURN_IF_ERROR(
      NotAsItShouldBe(ReadBack(*destination, beside, signature.size(), comparison), url()));
  RETURN_IF_ERROR(Mark(name, RemoteState::kVerified));
  RETURN_IF_ERROR(Mark(beside, RemoteState::kVerified));
  return VerifiedArchive(archive.header.run, url());
}

absl::StatusOr<bool> ArchivePlace::Destroy(const ArchiveSignature& archive) {
  const std::string name = ArchiveName(archive.header);
  At("destroy");
  bool gone = true;
  // The signature first: an archive without one counts for nothing.
  for (const std::string& path : {absl::StrCat(name, std::string(kSignatureSuffix)), name}) {
    ASSIGN_OR_RETURN(const RemoteState state, StateOf(path));
    if (state == RemoteState::kUnknown) continue;
    ASSIGN_OR_RETURN(const bool one, TakeAway(path));
    gone = gone && one;
  }
  return gone;
}

absl::Status ArchivePlace::PutCheckpoint(absl::Time now) {
  ASSIGN_OR_RETURN(const keyring::HighWater heads, keyring_.Heads());
  // By the log's row: whatever changes the vault stands in the log. Each try has a name of its own.
  const std::string prefix = CheckpointPrefix(heads.audit);
  std::vector<std::string> older;
  bool there = false;
  RETURN_IF_ERROR(keyring_.store().EachRemoteFile(
      url(), absl::StrCat(kCheckpointFolder, "/"),
      [&](absl::string_view, absl::string_view one, int state) -> absl::Status {
        there = there || (absl::StartsWith(one, prefix) &&
                          state == static_cast<int>(RemoteState::kVerified));
        older.emplace_back(one);
        return absl::OkStatus();
      }));
  if (there) return absl::OkStatus();
  At("checkpoint");
  std::array<std::uint8_t, 4> random;
  crypto::FillRandom(random);
  const std::string text = records::MakeCheckpoint(keyring_, heads, now);
  RETURN_IF_ERROR(
      PutAndReadBack(absl::StrCat(prefix, crypto::ToHex(random)), crypto::AsBytes(text)));
  // One is kept, for whoever asks when the vault looked like that; where this account may not
  // delete, all are.
  std::sort(older.begin(), older.end());
  for (std::size_t i = 0; i + 1 < older.size(); ++i) {
    ASSIGN_OR_RETURN(const bool gone, TakeAway(older[i]));
    if (!gone) RETURN_IF_ERROR(Forget(older[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ArchivePlace::IsPending(keyring::Keyring& keyring, const std::string& url,
                                             ContactNumber contact, std::int64_t token,
                                             std::int64_t shard_version) {
  store::Store& store = keyring.store();
  ASSIGN_OR_RETURN(const int tombstone, store.GetRemoteFile(url, TombstonePath(token)));
  if (tombstone != static_cast<int>(RemoteState::kVerified)) return true;
  ASSIGN_OR_RETURN(const auto versions, KnownVersions(store, url, SubjectShard::NumberOf(contact)));
  return std::any_of(versions.begin(), versions.end(), [&](const auto& version) {
    return version.second < static_cast<std::uint64_t>(shard_version);
  });
}

absl::StatusOr<std::int64_t> ArchivePlace::PendingErasures(keyring::Keyring& keyring,
                                                           const std::vector<std::string>& urls) {
  std::int64_t count = 0;
  RETURN_IF_ERROR(keyring.store().EachTombstone([&](ContactNumber contact, std::int64_t token,
                                                    std::int64_t version, ByteView,
                                                    bool confirmed) -> absl::Status {
    bool pending = !confirmed;
    for (std::size_t i = 0; !pending && i < urls.size(); ++i) {
      ASSIGN_OR_RETURN(pending, IsPending(keyring, urls[i], contact, token, version));
    }
    count += pending ? 1 : 0;
    return absl::OkStatus();
  }));
  return count;
}

}  // namespace sealbook::archive
