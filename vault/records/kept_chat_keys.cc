#include "vault/records/kept_chat_keys.h"

#include "vault/crypto/derive.h"
#include "vault/status.h"

namespace sealbook::records {

void KeptChatKeys::ForgetAll() {
  contacts_.clear();
  sessions_.clear();
}

absl::Status KeptChatKeys::Begin(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const std::int64_t taking, keyring.sessions().LastTaking());
  const std::uint64_t version = keyring.roster().version;
  const absl::Time now = absl::Now();
  // A clock that was set back counts as much as one that ran too far.
  const bool stale = now < since_ || now - since_ > kLongest;
  if (version == roster_version_ && taking == last_taking_ && !stale &&
      contacts_.size() < kMaxContacts && sessions_.size() < kMaxSessions) {
    return absl::OkStatus();
  }
  ForgetAll();
  roster_version_ = version;
  last_taking_ = taking;
  since_ = now;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ChunkKey>> KeptChatKeys::Find(keyring::Keyring& keyring,
                                                           ChatOwner owner) {
  const auto at = contacts_.find(owner.contact);
  if (at == contacts_.end()) return std::nullopt;
  const Session& session = sessions_[at->second.session];
  // Retention and writing again delete the keys under which nothing stands.
  crypto::Bytes sealed;
  ASSIGN_OR_RETURN(const bool stands,
                   keyring.store().GetChatKey(owner.contact, session.number, sealed));
  store::SubjectRow subject;
  ASSIGN_OR_RETURN(const bool found, keyring.store().GetSubject(owner.contact, subject));
  if (!found) return std::nullopt;
  RETURN_IF_ERROR(CheckSubject(keyring, subject, owner.token));
  if (!stands || subject.public_key != at->second.subject.bytes) return std::nullopt;
  return ChunkKey{.key = crypto::DeriveChatKey(session.secret, owner.contact),
                  .session = session.number,
                  .ephemeral = session.ephemeral};
}

absl::Status KeptChatKeys::Keep(keyring::SessionWriter& session, ChatOwner owner,
                                const crypto::ExchangePublic& subject) {
  // By the pair: a transaction that was taken back leaves its number to another session.
  if (sessions_.empty() || sessions_.back().ephemeral != session.ephemeral()) {
    ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
    ASSIGN_OR_RETURN(const crypto::SessionSecret* secret, session.RootSecret(ClassId::kChat));
    sessions_.push_back({number, session.ephemeral(), secret->Duplicate()});
  }
  contacts_[owner.contact] = {sessions_.size() - 1, subject};
  return absl::OkStatus();
}

}  // namespace sealbook::records
