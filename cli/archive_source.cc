#include "cli/archive_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/destinations.h"
#include "cli/receipt_key.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/retention_job.h"
#include "vault/archive/spooling.h"
#include "vault/crypto/age_file.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxIdentityBytes = 64 * 1024;

absl::StatusOr<std::uint64_t> OpenFile(const std::string& file, int& fd) {
  fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat what {};
  if (fd < 0 || fstat(fd, &what) != 0 || !S_ISREG(what.st_mode)) {
    return WithHint(absl::InvalidArgumentError("the archive's file cannot be read"),
                    "Name a file that ends in .sba.age.");
  }
  return static_cast<std::uint64_t>(what.st_size);
}

}  // namespace

absl::StatusOr<std::vector<crypto::ExchangePair>> ReadIdentities(const std::string& file) {
  if (file.empty())
    return Usage("archives are opened with the offline identity",
                 "Name its file with --identity F.");
  auto text = keyring::ReadSecretFile(file, kMaxIdentityBytes);
  if (absl::IsNotFound(text.status()))
    return Usage("there is no such identity file", "Name it with --identity F.");
  RETURN_IF_ERROR(text.status());
  std::vector<crypto::ExchangePair> identities;
  for (const absl::string_view line : absl::StrSplit(text->ExposeText(), '\n')) {
    auto identity = crypto::ParseAgeIdentity(absl::StripAsciiWhitespace(line));
    if (identity.ok()) identities.push_back(*std::move(identity));
  }
  if (identities.empty()) {
    return WithHint(
        absl::InvalidArgumentError("that file has no age identity in it"),
        "It is a file with a line AGE-SECRET-KEY-1…, as 'age-keygen' and 'sealbook init "
        "--archive-identity-out' make.");
  }
  return identities;
}

absl::Status ArchiveSource::OpenReader(const std::vector<crypto::ExchangePair>& identities,
                                       archive::SignerKey authority) {
  auto reader = archive::ArchiveReader::Open(access_, identities, signature_);
  if (absl::IsUnauthenticated(reader.status())) {
    return WithHint(absl::UnauthenticatedError("that identity does not open this archive"),
                    "The right one was made at 'init', or before it, and is kept away from the "
                    "vault's machine.");
  }
  RETURN_IF_ERROR(reader.status());
  reader_ = *std::move(reader);
  ASSIGN_OR_RETURN(secrets_,
                   archive::SubjectSecrets::Open(identities, keys_, std::move(authority)));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ArchiveSource>> ArchiveSource::OfFile(
    const std::string& file, const std::string& keys, const std::vector<std::string>& authorities,
    const std::vector<crypto::ExchangePair>& identities) {
  std::unique_ptr<ArchiveSource> source(new ArchiveSource);
  const std::filesystem::path path(file);
  auto beside = keyring::ReadSmallFile(absl::StrCat(file, std::string(archive::kSignatureSuffix)),
                                       archive::ArchiveSignature::kMaxBytes);
  if (absl::IsNotFound(beside.status())) {
    return WithHint(absl::InvalidArgumentError("the archive's signature is not beside it"),
                    "Fetch the file of the same name that ends in .sig, too.");
  }
  RETURN_IF_ERROR(beside.status());
  std::vector<crypto::VerifyKey> keys_given;
  for (const std::string& authority : authorities) {
    ASSIGN_OR_RETURN(const crypto::VerifyKey key, ParseAuthority(authority));
    keys_given.push_back(key);
  }
  const archive::SignerKey by =
      [keys_given](const archive::ArchiveSigner& signer) -> absl::StatusOr<crypto::VerifyKey> {
    if (keys_given.empty() ||
        std::find(keys_given.begin(), keys_given.end(), signer.key) != keys_given.end()) {
      return signer.key;
    }
    return WithHint(absl::DataLossError("it is signed with another key than those of --authority"),
                    "Ask the vault's owner for the key of who signed it ('sealbook receipt key').");
  };
  ASSIGN_OR_RETURN(source->signature_, archive::ArchiveSignature::Verify(
                                           crypto::AsBytes(*beside), path.filename().string(), by));
  int fd = -1;
  const auto size = OpenFile(file, fd);
  source->descriptor_ = std::shared_ptr<int>(new int(fd), [](int* open) {
    if (*open >= 0) close(*open);
    delete open;
  });
  RETURN_IF_ERROR(size.status());
  source->access_ = {.size = *size,
                     .read_at = [fd](std::uint64_t offset,
                                     std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
                       for (;;) {
                         const ssize_t count =
                             pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
                         if (count >= 0) return static_cast<std::size_t>(count);
                         if (errno != EINTR)
                           return absl::InternalError("the archive cannot be read");
                       }
                     }};
  std::string where = keys;
  if (where.empty()) where = path.has_parent_path() ? path.parent_path().string() : ".";
  source->keys_ =
      std::filesystem::is_directory(where) ? archive::KeysIn(where) : archive::KeysOfFile(where);
  RETURN_IF_ERROR(source->OpenReader(identities, by));
  return source;
}

absl::StatusOr<std::unique_ptr<ArchiveSource>> ArchiveSource::OfVault(
    Context& context, const std::string& name,
    const std::vector<crypto::ExchangePair>& identities) {
  keyring::Keyring& keyring = context.keyring();
  const auto parts = archive::ParseArchiveName(name);
  store::ArchiveRow row;
  bool found = false;
  if (parts && parts->vault == keyring.roster().vault) {
    ASSIGN_OR_RETURN(found, keyring.store().GetArchive(parts->run, row));
  }
  if (!found || row.signature.empty()) {
    return WithHint(absl::NotFoundError("this vault has no such archive"),
                    "'sealbook archive list' shows them.");
  }
  if (row.state == static_cast<int>(archive::ArchiveState::kDestroyed)) {
    return WithHint(absl::NotFoundError("that archive was destroyed when the policy's days for it "
                                        "were over"),
                    "'sealbook archive list' shows which are still there.");
  }
  std::unique_ptr<ArchiveSource> source(new ArchiveSource);
  ASSIGN_OR_RETURN(source->signature_, archive::SignatureOf(keyring, row));
  ASSIGN_OR_RETURN(const auto destinations, DestinationsFor(context));
  absl::Status last = WithHint(archive::internal::RefusedError("no destination has this archive"),
                               "'sealbook archive verify --remote' looks for it.");
  std::vector<std::unique_ptr<archive::RemoteReader>> copies;
  for (const auto& [url, open] : destinations) {
    auto destination = open();
    absl::Status status = destination.status();
    if (status.ok()) {
      // All of them are kept: the keys may stand at another one than the archive.
      source->destinations_.push_back(*std::move(destination));
      auto copy = source->destinations_.back()->Read(name);
      status = copy.status();
      if (status.ok()) copies.push_back(*std::move(copy));
    }
    if (!status.ok() && !absl::IsNotFound(status)) last = status;
  }
  std::vector<archive::Destination*> reached;
  for (const auto& destination : source->destinations_) reached.push_back(destination.get());
  source->keys_ = archive::KeysAt(std::move(reached));
  for (auto& copy : copies) {
    source->remote_ = std::move(copy);
    archive::RemoteReader* const remote = source->remote_.get();
    source->access_ = {.size = remote->size(),
                       .read_at = [remote](std::uint64_t offset, std::span<std::uint8_t> out) {
                         return remote->ReadAt(offset, out);
                       }};
    last = source->OpenReader(identities, archive::RosterSigners(keyring));
    // Another destination's copy may be whole; a wrong identity opens none of them.
    if (last.ok()) return source;
  }
  return last;
}

absl::Status ArchiveSource::ReadContact(const archive::ArchiveEntry& entry, const Visitor& visitor,
                                        Read& read) {
  ASSIGN_OR_RETURN(const auto subject,
                   secrets_->Find(signature_.header.vault, entry.contact, entry.token));
  if (!subject) {
    ++(secrets_->HasShardOf(entry.contact) ? read.erased : read.no_shard);
    return absl::OkStatus();
  }
  if (visitor.begin) {
    const absl::Status begun = visitor.begin({.contact = entry.contact, .token = entry.token});
    if (absl::IsNotFound(begun)) return absl::OkStatus();
    RETURN_IF_ERROR(begun);
  }
  RETURN_IF_ERROR(archive::OpenArchivedContact(*reader_, entry, *subject,
                                               [&](const records::ChatEntry& message) {
                                                 ++read.messages;
                                                 return visitor.message(entry.token, message);
                                               }));
  ++read.contacts;
  return visitor.end ? visitor.end() : absl::OkStatus();
}

absl::StatusOr<ArchiveSource::Read> ArchiveSource::EachMessage(std::optional<std::int64_t> token,
                                                               const Visitor& visitor) {
  Read read;
  if (token) {
    ASSIGN_OR_RETURN(const auto entry, reader_->Find(*token));
    if (entry) RETURN_IF_ERROR(ReadContact(*entry, visitor, read));
    if (!entry || read.erased > 0)
      return absl::NotFoundError("this archive has nothing of that customer that can be read");
    return read;
  }
  RETURN_IF_ERROR(
      reader_->EachContact([&](const archive::ArchiveEntry& entry) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(ReadContact(entry, visitor, read));
        return true;
      }));
  return read;
}

}  // namespace sealbook::cli
