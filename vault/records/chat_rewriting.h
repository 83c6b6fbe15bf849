// Writing chats again: under new keys when an epoch is drained, and many small chunks, which live
// messages leave behind, as few large ones. By members who read chats and may write them.
#pragma once

#include <functional>
#include <set>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/chat_codec.h"
#include "vault/records/chat_keys.h"

namespace sealbook::records {

// Inside a write transaction: writes again, under `session`, every day of the contact on which a
// chunk of `sessions` stands, and deletes those sessions' chunks, keys and wraps. How many
// messages. DataLoss: a chunk of those days does not count; nothing is to be kept then.
absl::StatusOr<std::int64_t> RewriteChats(keyring::Keyring& keyring,
                                          keyring::SessionWriter& session, ChatKeys& keys,
                                          ChatOwner owner, const std::set<std::int64_t>& sessions);

struct CompactReport {
  std::int64_t contacts = 0, messages = 0;
  std::int64_t chunks_before = 0, chunks_after = 0;  // of the days that were written again
  std::int64_t damaged = 0;                          // contacts that were left as they are
};
struct CompactOptions {
  // Contacts of which fewer sessions than this wrote few messages are left as they are: each
  // session costs a contact two sealed keys, each chunk a nonce, a tag and its padding.
  std::size_t min_sessions = 8;
  std::function<void(std::int64_t seen, std::int64_t total)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};
// In batches, so that others do not wait. May be called again after any interruption.
// PermissionDenied: the member may not. Cancelled: interrupted; what was done stays. DataLoss: some
// contacts' chats do not count; the others were done.
absl::Status CompactChats(keyring::Keyring& keyring, const CompactOptions& options,
                          CompactReport& report);

}  // namespace sealbook::records
