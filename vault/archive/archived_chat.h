// Opens what an archive holds of one contact, with the contact's subject secret (subject_shard.h)
// and without any vault.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "vault/archive/archive_reader.h"
#include "vault/records/chat_codec.h"

namespace sealbook::archive {

// Belongs to one thread. Memory: one chunk, and the keys of kKeySlots sessions.
class ArchivedChatOpener {
 public:
  // `subject` must outlive it. DataLoss: not the pair of the contact's public key.
  static absl::StatusOr<std::unique_ptr<ArchivedChatOpener>> Create(
      const keyring::VaultId& vault, const ArchiveContact& contact,
      const crypto::ExchangePair& subject);
  ArchivedChatOpener(const ArchivedChatOpener&) = delete;
  ArchivedChatOpener& operator=(const ArchivedChatOpener&) = delete;
  ~ArchivedChatOpener();  // wipes

  // Appends a chunk's messages; whoever holds them ends them with records::Wipe. DataLoss: its key
  // or the chunk does not open, it is of another contact, day or place, or holds another number of
  // messages than it says. Then `out` is as it was.
  absl::Status Open(const ArchivedChunk& chunk, std::vector<records::ChatEntry>& out);

 private:
  struct State;
  explicit ArchivedChatOpener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// All messages of one contact, in the order of day and chunk. `visit`'s errors end it. DataLoss as
// above; what was visited before it was right.
absl::Status OpenArchivedContact(
    ArchiveReader& reader, const ArchiveEntry& entry, const crypto::ExchangePair& subject,
    const std::function<absl::Status(const records::ChatEntry&)>& visit);

}  // namespace sealbook::archive
