// Writing chats (docs/format.md, "Chats"): messages of contacts that are there, under keys that the
// writer forgets. Needs public keys and the index key only, so the importer writes and reads
// nothing.
//
// A batch is one transaction with its audit row, and one session where it made a key: it is there
// as a whole or not at all. Messages that were there already, or that were purged, add nothing;
// they are known by keyed tags, so nobody needs to read them for it.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/audit/log.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_codec.h"
#include "vault/records/chat_keys.h"
#include "vault/records/chat_tags.h"
#include "vault/records/kept_chat_keys.h"

namespace sealbook::records {

struct DraftMessage {
  ChatEntry entry;
  // Tells equal messages of one minute apart where nothing else does: this is the first, second, …
  // of them in its file. From 1. Of no meaning where the entry has an id.
  std::uint32_t occurrence = 1;
};

// Messages of one contact, in the order in which they are to be shown where times are equal.
struct ChatDraft {
  ContactNumber contact = 0;
  std::vector<DraftMessage> messages;
};

struct ChatDraftResult {
  std::size_t added = 0, duplicates = 0;
  // The contact is not there, or what it has of chats does not count; nothing of it was written.
  bool damaged = false;
};

class ChatWriter {
 public:
  // `share_keys`: a contact's key is used again in later batches (vault/records/kept_chat_keys.h).
  // Not for batches of a few messages: chunks that small are written again as larger ones by the
  // sessions that wrote few of them. PermissionDenied: the member may not write chats.
  static absl::StatusOr<ChatWriter> Open(keyring::Keyring& keyring, bool share_keys = true);

  // One result a draft, in order; a contact stands in one draft at most. `event` makes the audit
  // row of the batch, without anything personal; a batch that adds nothing writes nothing.
  absl::StatusOr<std::vector<ChatDraftResult>> WriteBatch(
      std::span<const ChatDraft> drafts,
      const std::function<audit::Event(const std::vector<ChatDraftResult>&)>& event);

 private:
  ChatWriter(keyring::Keyring& keyring, bool share_keys)
      : keyring_(&keyring), share_keys_(share_keys) {}

  keyring::Keyring* keyring_;
  bool share_keys_;
  ChunkPacker packer_;
  KeptChatKeys kept_;
};

// Inside a write transaction: a day's messages as chunks behind those that are there, under the key
// that MakeChatKey made under `session`.
absl::Status StoreChunks(keyring::Keyring& keyring, keyring::SessionWriter& session,
                         const crypto::ChatKey& key, ChatOwner owner, std::int32_t day,
                         std::span<const ChatEntry> entries, ChunkPacker& packer);

}  // namespace sealbook::records
