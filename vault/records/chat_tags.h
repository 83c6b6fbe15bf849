// By which a message is known again (docs/format.md, "Chat tags"): keyed hashes of eight bytes,
// made by whoever holds the compartment (root, index). They outlive the messages, so that an old
// export imported again revives nothing.
//
// The key is drawn once a vault and sealed under the secret of (root, index); new epochs seal it
// again and do not change it, since what it was used on may be gone.
#pragma once

#include <array>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_codec.h"

namespace sealbook::records {

using ChatTag = std::array<std::uint8_t, 8>;

class ChatTags {
 public:
  // PermissionDenied: the member does not hold the index's secret. NotFound: no chat was written
  // yet. DataLoss: the key's row does not open.
  static absl::StatusOr<ChatTags> Open(keyring::Keyring& keyring);
  // Inside a write transaction: draws the key where there is none yet.
  static absl::StatusOr<ChatTags> OpenOrMake(keyring::Keyring& keyring);
  // Inside a write transaction: seals the key under the newest epoch where it stands under an older
  // one. False: there was nothing to do.
  static absl::StatusOr<bool> SealAgain(keyring::Keyring& keyring);

  // `occurrence` as in DraftMessage.
  ChatTag TagOf(ContactNumber contact, const ChatEntry& entry, std::uint32_t occurrence) const;

  // Derived from the tags' key, which is never changed either.
  crypto::SuppressionKey SuppressionKey() const;

  // Those of a contact and day. DataLoss: somebody changed them.
  absl::StatusOr<std::vector<ChatTag>> Get(ContactNumber contact, std::int32_t day) const;
  absl::Status Put(ContactNumber contact, std::int32_t day, const std::vector<ChatTag>& tags) const;
  // Of a row as it is stored. DataLoss as Get.
  absl::Status Check(ContactNumber contact, std::int32_t day, ByteView stored) const;

 private:
  ChatTags(keyring::Keyring& keyring, crypto::ChatTagKey key)
      : keyring_(&keyring), key_(std::move(key)) {}
  crypto::Hash128 CheckOf(ContactNumber contact, std::int32_t day, ByteView tags) const;

  keyring::Keyring* keyring_;
  crypto::ChatTagKey key_;
};

}  // namespace sealbook::records
