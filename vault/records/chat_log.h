// Reading chats with the keys that a member holds, and with a permit from the policy.
//
// A member whose role reaches the root book derives chat keys from the root compartment; everybody
// else opens the wraps of the books that they are in, where the assignment counts. What does not
// count (docs/format.md, "What counts") is never used: it is DataLoss, with its place.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"
#include "vault/records/chat_codec.h"
#include "vault/records/chat_keys.h"

namespace sealbook::records {

class ChatLog {
 public:
  explicit ChatLog(keyring::Keyring& keyring)
      : keyring_(keyring), reader_(keyring), keys_(keyring) {}

  // Of one contact, from the newest message back until `visit` gives false. A chunk that does not
  // count is passed over, and the first such error is returned at the end, so that it does not hide
  // the others. NotFound: no such contact, or it is not yours. PermissionDenied: the permit is for
  // another contact or does not allow chats. DataLoss.
  absl::Status EachBack(const ReadPermit& permit, ContactNumber contact,
                        const std::function<absl::StatusOr<bool>(const ChatEntry&)>& visit);

  // Of every contact within reach, or of one book, in the order of their numbers, each from its
  // newest message back, until `visit` gives false. For searches: a permit for all contacts.
  absl::Status Each(const ReadPermit& permit, std::optional<BookId> book,
                    const std::function<absl::StatusOr<bool>(ContactNumber, std::int64_t token,
                                                             const ChatEntry&)>& visit);

 private:
  absl::Status EachOf(ChatOwner owner, std::vector<store::BookContactRow> books, bool& more,
                      absl::Status& damage,
                      const std::function<absl::StatusOr<bool>(const ChatEntry&)>& visit);

  keyring::Keyring& keyring_;
  ContactReader reader_;
  ChatKeys keys_;
  ChunkOpener opener_;
};

// Appends a chunk's messages; `keys` are turned to its owner. DataLoss: it does not count.
absl::Status OpenChunk(keyring::Keyring& keyring, ChatKeys& keys, ChatOwner owner,
                       const store::ChatRow& row, ChunkOpener& opener, std::vector<ChatEntry>& out);

}  // namespace sealbook::records
