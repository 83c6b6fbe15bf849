// The chat keys of a writer's earlier batches (docs/format.md, "Chat key"), so that a customer who
// is in many batches of one import costs it one chat key and one wrap for each book, and not one a
// batch. What is kept is what the sessions share with (root, chat), from which chat keys derive;
// the sessions' own secrets are gone.
//
// A key is used again only where nobody's rights changed since: under the same roster version, with
// nothing taken away from anybody, its row in place and its contact's subject key as it was. So
// what is written after a member or an assignment went is under keys that they never had.
//
// Belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "vault/records/chat_keys.h"

namespace sealbook::records {

class KeptChatKeys {
 public:
  // Beyond one of them, all are forgotten: some 6 MiB; and a process that goes on for long does not
  // hold the keys to all that it wrote.
  static constexpr std::size_t kMaxContacts = 100'000, kMaxSessions = 1'000;
  static constexpr absl::Duration kLongest = absl::Minutes(10);

  // Inside a write transaction, first: forgets what must not be used any more.
  // DataLoss: sessions do not count.
  absl::Status Begin(keyring::Keyring& keyring);
  // What chunks of `owner` can be sealed under; nullopt: a new key is needed, and Keep it then.
  // DataLoss: its subject key does not count.
  absl::StatusOr<std::optional<ChunkKey>> Find(keyring::Keyring& keyring, ChatOwner owner);
  // What MakeChatKey made under `session`.
  absl::Status Keep(keyring::SessionWriter& session, ChatOwner owner,
                    const crypto::ExchangePublic& subject);
  // What was written of the contact was taken back.
  void Forget(ContactNumber contact) { contacts_.erase(contact); }
  // The transaction was taken back, or nothing says that it was not.
  void ForgetAll();

 private:
  struct Session {
    std::int64_t number = 0;
    crypto::ExchangePublic ephemeral;
    crypto::SessionSecret secret;  // s(root, chat)
  };
  struct Kept {
    std::size_t session = 0;  // of sessions_
    crypto::ExchangePublic subject;
  };

  std::uint64_t roster_version_ = 0;
  std::int64_t last_taking_ = 0;
  absl::Time since_ = absl::InfinitePast();
  std::vector<Session> sessions_;
  absl::flat_hash_map<ContactNumber, Kept> contacts_;
};

}  // namespace sealbook::records
