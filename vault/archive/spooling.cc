#include "vault/archive/spooling.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_writer.h"
#include "vault/archive/frames.h"
#include "vault/archive/subject_shard.h"
#include "vault/audit/log.h"
#include "vault/records/chat_keys.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("cannot ", what, " ", path, ": ", strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithHint(absl::ResourceExhaustedError(message),
                    "Make room on that disk and run the command again: nothing was lost.");
  }
  return absl::InternalError(message);
}

// A new file that is not there under its name before Finish.
class SpoolFile : public ByteSink {
 public:
  static absl::StatusOr<std::unique_ptr<SpoolFile>> Create(const std::string& path) {
    const std::string part = path + ".part";
    if (unlink(part.c_str()) != 0 && errno != ENOENT) return SystemError("remove", part);
    const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) return SystemError("write", part);
    return std::unique_ptr<SpoolFile>(new SpoolFile(path, fd));
  }
  ~SpoolFile() override {
    if (fd_ >= 0) close(fd_);
    if (!finished_) unlink((path_ + ".part").c_str());
  }
  absl::Status Append(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return SystemError("write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return absl::OkStatus();
  }
  absl::Status Finish() {
    if (fsync(fd_) != 0) return SystemError("write", path_);
    if (close(std::exchange(fd_, -1)) != 0) return SystemError("write", path_);
    if (rename((path_ + ".part").c_str(), path_.c_str()) != 0) return SystemError("write", path_);
    finished_ = true;
    return keyring::SyncDirectory(path_.substr(0, path_.rfind('/')));
  }

 private:
  SpoolFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
  bool finished_ = false;
};

// By number, as archives have them, and all the tables that are read: so each page is read once.
absl::StatusOr<std::vector<records::ChatOwner>> OwnersOf(store::Store& store, std::int64_t run,
                                                         std::vector<ContactNumber>& damaged) {
  std::vector<records::ChatOwner> owners;
  ContactNumber last = 0;
  store::ContactRow row;
  RETURN_IF_ERROR(
      store.EachArchiveKey({.contact = 0, .day = std::numeric_limits<std::int32_t>::min()},
                           [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
                             if (key.run != run || key.contact == last) return true;
                             last = key.contact;
                             ASSIGN_OR_RETURN(const bool found, store.GetContact(key.contact, row));
                             if (found) {
                               owners.push_back({.contact = key.contact, .token = row.token});
                             } else {
                               damaged.push_back(key.contact);
                             }
                             return true;
                           }));
  return owners;
}

// A set of the contacts of one shard, a bit each.
constexpr std::size_t kShardSetBytes = SubjectShard::kContacts / 8;

absl::Status AddToShards(store::Store& store, const std::vector<ContactNumber>& contacts) {
  for (std::size_t i = 0; i < contacts.size();) {
    const std::int64_t shard = SubjectShard::NumberOf(contacts[i]);
    ASSIGN_OR_RETURN(auto now, store.GetSubjectShard(shard));
    auto& [version, set] = now;
    set.resize(kShardSetBytes);
    bool changed = false;
    for (; i < contacts.size() && SubjectShard::NumberOf(contacts[i]) == shard; ++i) {
      const auto bit = static_cast<std::size_t>(contacts[i] % SubjectShard::kContacts);
      const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
      changed = changed || (set[bit / 8] & mask) == 0;
      set[bit / 8] = static_cast<std::uint8_t>(set[bit / 8] | mask);
    }
    if (changed) RETURN_IF_ERROR(store.PutSubjectShard(shard, version + 1, set));
  }
  return absl::OkStatus();
}

}  // namespace

std::string SpoolPath(const keyring::VaultPaths& paths, const std::string& name) {
  return absl::StrCat(SpoolFolder(paths), "/", name);
}

ArchiveSigner SignerOf(const keyring::Keyring& keyring, absl::Time now) {
  return {.member = keyring.bundle().member,
          .roster_version = keyring.roster().version,
          .time = absl::FromUnixMillis(absl::ToUnixMillis(now)),
          .key = keyring.bundle().signing.verify_key()};
}

SignerKey RosterSigners(const keyring::Keyring& keyring) {
  return [&keyring](const ArchiveSigner& signer) -> absl::StatusOr<crypto::VerifyKey> {
    const keyring::Member* member =
        keyring.history().SignerAt(signer.member, signer.roster_version);
    const keyring::RoleDefinition* role =
        member == nullptr ? nullptr
                          : keyring.history().Version(signer.roster_version)->RoleOf(*member);
    // Whoever erases renews shards, too.
    if (role == nullptr ||
        (!role->Has(keyring::Power::kRetention) && !role->Has(keyring::Power::kSubjects))) {
      return absl::DataLossError("it is signed by somebody who may not archive");
    }
    return member->verify;
  };
}

absl::Status CheckSpooled(const std::string& path, const ArchiveDigest& digest) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("there is no file ", path));
    return SystemError("read", path);
  }
  ArchiveChecker checker(digest);
  std::vector<std::uint8_t> buffer(kBufferBytes);
  absl::Status status;
  for (;;) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) status = SystemError("read", path);
    if (count <= 0) break;
    status = checker.Append({buffer.data(), static_cast<std::size_t>(count)});
    if (!status.ok()) break;
  }
  close(fd);
  RETURN_IF_ERROR(status);
  return checker.Finish();
}

absl::Status SpoolArchive(keyring::Keyring& keyring, std::int64_t run, const SpoolOptions& options,
                          absl::Time now, SpoolReport& report) {
  store::Store& store = keyring.store();
  const std::string folder = SpoolFolder(keyring.paths());
  // It has the vault's setgid by itself; a service that is kept from setting it could not ask for
  // it.
  if (mkdir(folder.c_str(), 0770) != 0 && errno != EEXIST) return SystemError("make", folder);

  store::ArchiveRow row;
  std::vector<ContactNumber> damaged, moved;
  ArchiveSignature signature;
  {
    // One view: what is written is what was there at one moment.
    ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
    ASSIGN_OR_RETURN(const bool found, store.GetArchive(run, row));
    if (!found || row.state != static_cast<int>(ArchiveState::kPlanned))
      return absl::InternalError("the archive is not planned");
    signature.header = {.vault = keyring.roster().vault,
                        .run = run,
                        .first_day = row.first_day,
                        .last_day = row.last_day};
    const std::string path = SpoolPath(keyring.paths(), ArchiveName(signature.header));
    ASSIGN_OR_RETURN(const auto file, SpoolFile::Create(path));
    ASSIGN_OR_RETURN(const auto writer,
                     ArchiveWriter::Open(*file, options.recipients, signature.header));
    ASSIGN_OR_RETURN(const std::vector<records::ChatOwner> owners, OwnersOf(store, run, damaged));
    FrameWriter frames(*writer);
    FrameReader reader(keyring, signature.header, frames);
    std::uint64_t chunks = 0;
    for (const records::ChatOwner& owner : owners) {
      const auto step = [&]() -> absl::StatusOr<bool> {
        if (++chunks % 1024 == 0 && options.progress) options.progress(chunks);
        return chunks % 1024 != 0 || !options.interrupted || !options.interrupted();
      };
      const auto count = reader.Move(owner, step);
      if (absl::IsCancelled(count.status())) {
        return WithHint(count.status(), "Run the command again: what was planned stays planned.");
      }
      if (absl::IsDataLoss(count.status())) {
        damaged.push_back(owner.contact);
        continue;
      }
      RETURN_IF_ERROR(count.status());
      if (*count > 0) moved.push_back(owner.contact);
    }
    RETURN_IF_ERROR(frames.Finish());
    if (!moved.empty()) {
      ASSIGN_OR_RETURN(const FinishedArchive finished, writer->Finish());
      RETURN_IF_ERROR(file->Finish());
      signature.totals = finished.totals;
      signature.digest = finished.digest;
    }
  }
  std::sort(moved.begin(), moved.end());
  std::sort(damaged.begin(), damaged.end());
  report.damaged = damaged;

  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  // What could not be moved stays where it is, and is planned again by the next run.
  for (const ContactNumber contact : damaged) {
    std::vector<store::ArchiveKeyRow> keys;
    RETURN_IF_ERROR(store.EachArchiveKeyOf(contact, [&](const store::ArchiveKeyRow& key) {
      if (key.run == run) keys.push_back(key);
      return absl::OkStatus();
    }));
    for (const store::ArchiveKeyRow& key : keys)
      RETURN_IF_ERROR(store.DeleteArchiveKey(key.contact, key.day, key.sequence));
  }
  if (moved.empty()) {
    report.empty = true;
    // Its number is not used again: half of an archive may stand somewhere under it.
    row.state = static_cast<int>(ArchiveState::kDestroyed);
    RETURN_IF_ERROR(store.PutArchive(row));
    return transaction.Commit();
  }
  for (std::size_t i = 0; i < moved.size(); i += kContactsPerBlock) {
    const std::vector<ContactNumber> block(
        moved.begin() + static_cast<std::ptrdiff_t>(i),
        moved.begin() + static_cast<std::ptrdiff_t>(std::min(moved.size(), i + kContactsPerBlock)));
    RETURN_IF_ERROR(store.PutArchiveSubjects(run, block.front(), PackContacts(block)));
  }
  RETURN_IF_ERROR(AddToShards(store, moved));
  // Whoever signs must be who the rosters say at this moment.
  signature.signer = SignerOf(keyring, now);
  row.state = static_cast<int>(ArchiveState::kSpooled);
  row.signature = signature.Sign(keyring.bundle().signing);
  RETURN_IF_ERROR(store.PutArchive(row));
  RETURN_IF_ERROR(audit::Append(
      store, keyring.AuditAuthor(),
      {.act = "archive.write",
       .detail = absl::StrCat("{\"run\":", run, ",\"messages\":", signature.totals.messages,
                              ",\"damaged\":", damaged.size(), "}")}));
  return transaction.Commit();
}

}  // namespace sealbook::archive
