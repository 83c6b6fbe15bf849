// Chats back from an archive into the vault, for a while: written under a session of whoever
// restores, and known as what the archive has, so that they are purged again and not archived
// twice.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/archive_signature.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_codec.h"
#include "vault/records/chat_keys.h"

namespace sealbook::archive {

struct RestoreReport {
  std::int64_t messages = 0;
  std::int64_t already = 0;  // messages of days that are here from this archive
};

// Takes one contact's messages in the order of the archive. Days are whole: after a crash the same
// archive restored again adds what is missing. Belongs to one thread.
class ChatRestorer {
 public:
  // PermissionDenied: the member may not write chats. `due`: the day from which on they may go
  // again.
  static absl::StatusOr<std::unique_ptr<ChatRestorer>> Open(keyring::Keyring& keyring,
                                                            std::int64_t run, std::int32_t due);
  ~ChatRestorer();  // wipes

  // NotFound: the contact is not here, or was erased.
  absl::Status BeginContact(records::ChatOwner owner);
  absl::Status Add(const records::ChatEntry& entry);
  absl::Status EndContact();

  const RestoreReport& report() const { return report_; }

 private:
  ChatRestorer(keyring::Keyring& keyring, std::int64_t run, std::int32_t due)
      : keyring_(keyring), run_(run), due_(due) {}
  absl::Status Write();

  keyring::Keyring& keyring_;
  std::int64_t run_;
  std::int32_t due_;
  records::ChatOwner owner_;
  std::vector<records::ChatEntry> entries_;  // of whole days
  records::ChunkPacker packer_;
  RestoreReport report_;
};

}  // namespace sealbook::archive
