// Under which keys chats stand (docs/format.md, "Chats"): one key a contact and session, wrapped
// for every book that the contact is in and to the contact's subject key, which archives are read
// with.
#pragma once

#include <array>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "vault/crypto/hash.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/store/store.h"

namespace sealbook::records {

// Whose chat: both are bound.
struct ChatOwner {
  ContactNumber contact = 0;
  std::int64_t token = 0;
};

// The associated data of a chunk. `session` is E of the session that sealed it.
std::array<std::uint8_t, 96> ChunkPlace(const keyring::VaultId& vault, ChatOwner owner,
                                        const store::ChatRow& row,
                                        const crypto::ExchangePublic& session);

// Stands for the subject key where a book's number would be.
inline constexpr BookId kSubjectBook{0xffff'ffff};
// The associated data of a chat key wrapped for a book, or for the subject key. `written` is E of
// the session of the chunks, `wrapped` that of the session that made the wrap.
std::array<std::uint8_t, 116> ChatKeyPlace(const keyring::VaultId& vault, ChatOwner owner,
                                           const crypto::ExchangePublic& written,
                                           const crypto::ExchangePublic& wrapped, BookId book);

// Inside a write transaction: the contact's subject key, made under `session` where it has none.
// DataLoss: the one that is there does not count.
absl::StatusOr<crypto::ExchangePublic> SubjectOf(keyring::Keyring& keyring,
                                                 keyring::SessionWriter& session, ChatOwner owner);
// DataLoss: it was planted, or moved here from another contact: the session that it names does not
// list it as it stands here.
absl::Status CheckSubject(keyring::Keyring& keyring, const store::SubjectRow& row,
                          std::int64_t token);

// Inside a write transaction: makes the chat key of `session` for a contact and stores its wraps:
// for the subject key, and for the books to which the contact is assigned. DataLoss: an assignment
// or a subject key that does not count is there; nothing is wrapped for anybody then. `subject`,
// where it is given, gets the subject key.
absl::StatusOr<crypto::ChatKey> MakeChatKey(keyring::Keyring& keyring,
                                            keyring::SessionWriter& session, ChatOwner owner,
                                            crypto::ExchangePublic* subject = nullptr);

// What chunks are sealed under: a chat key, and the session whose it is.
struct ChunkKey {
  crypto::ChatKey key;
  std::int64_t session = 0;
  crypto::ExchangePublic ephemeral;  // E of that session
};

// Opens chat keys as far as the member's own reach. Inside one view of the vault; belongs to one
// thread.
class ChatKeys {
 public:
  explicit ChatKeys(keyring::Keyring& keyring) : keyring_(keyring), reader_(keyring) {}

  // Turns to a contact. `books` are ContactReader::AssignedBooks of it, which the root's readers do
  // not need.
  void Turn(ChatOwner owner, std::vector<store::BookContactRow> books);
  // Of the chunks that `session` wrote. DataLoss: they do not count, or no key to them does.
  // PermissionDenied: the member holds none. The pointer lives until the next Turn.
  absl::StatusOr<const crypto::ChatKey*> Get(std::int64_t session);

  // Through one book's wrap alone, as the book's members would. DataLoss: it does not count.
  absl::StatusOr<crypto::ChatKey> OpenWrap(const store::ChatWrapRow& row);

 private:
  absl::StatusOr<crypto::ChatKey> Open(std::int64_t session);

  keyring::Keyring& keyring_;
  ContactReader reader_;
  ChatOwner owner_;
  std::vector<store::BookContactRow> books_;
  absl::flat_hash_map<std::int64_t, crypto::ChatKey> keys_;
};

// DataLoss: `session` does not count, or its member may not write chats.
absl::Status CheckChatWriter(keyring::Keyring& keyring, std::int64_t session);

// Inside a write transaction: wraps all chat keys of a contact for one more book, or again for one
// that has them, where `which` says so (null: all). How many.
absl::StatusOr<std::int64_t> WrapChatKeys(
    keyring::Keyring& keyring, keyring::SessionWriter& session, ChatKeys& keys, ChatOwner owner,
    BookId book, const std::function<absl::StatusOr<bool>(std::int64_t session)>& which = nullptr);

}  // namespace sealbook::records
