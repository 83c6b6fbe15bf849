// An archive that a command reads: from a file with a folder of keys, without any vault; or by its
// name from the vault's spool or the first destination that has it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "vault/archive/archive_reader.h"
#include "vault/archive/archived_chat.h"
#include "vault/archive/destination.h"
#include "vault/archive/subject_secrets.h"
#include "vault/records/chat_keys.h"

namespace sealbook::cli {

// The identities of an age identity file. FailedPrecondition: no such file, or others may read it.
// InvalidArgument: none in it.
absl::StatusOr<std::vector<crypto::ExchangePair>> ReadIdentities(const std::string& file);

class ArchiveSource {
 public:
  // `authorities`: one of these keys must have signed the archive and the shards; where none is
  // given, those that they name themselves.
  static absl::StatusOr<std::unique_ptr<ArchiveSource>> OfFile(
      const std::string& file, const std::string& keys, const std::vector<std::string>& authorities,
      const std::vector<crypto::ExchangePair>& identities);
  // After Unlock. NotFound: the vault knows of no such archive.
  static absl::StatusOr<std::unique_ptr<ArchiveSource>> OfVault(
      Context& context, const std::string& name,
      const std::vector<crypto::ExchangePair>& identities);

  archive::ArchiveReader& reader() { return *reader_; }
  const archive::ArchiveSignature& signature() const { return signature_; }

  // Reads one contact's messages, or everybody's. What cannot be read is counted.
  struct Read {
    std::int64_t contacts = 0, messages = 0;
    std::int64_t erased = 0;    // contacts whose secret is in no shard any more
    std::int64_t no_shard = 0;  // contacts whose shard is not there
  };
  struct Visitor {
    std::function<absl::Status(records::ChatOwner)> begin;  // NotFound: leave this one out
    std::function<absl::Status(std::int64_t token, const records::ChatEntry&)> message;
    std::function<absl::Status()> end;
  };
  // NotFound: `token` is given, and the archive has nothing of it that can be read.
  absl::StatusOr<Read> EachMessage(std::optional<std::int64_t> token, const Visitor& visitor);

 private:
  ArchiveSource() = default;
  absl::Status OpenReader(const std::vector<crypto::ExchangePair>& identities,
                          archive::SignerKey authority);
  absl::Status ReadContact(const archive::ArchiveEntry& entry, const Visitor& visitor, Read& read);

  std::shared_ptr<int> descriptor_;  // of a file; closed with the last who has it
  std::vector<std::unique_ptr<archive::Destination>> destinations_;  // that could be reached
  std::unique_ptr<archive::RemoteReader> remote_;
  archive::KeyFolder keys_;
  crypto::RandomAccess access_;
  archive::ArchiveSignature signature_;
  std::unique_ptr<archive::ArchiveReader> reader_;
  std::optional<archive::SubjectSecrets> secrets_;
};

}  // namespace sealbook::cli
