#include "vault/archive/archived_chat.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "vault/archive/archive_layout.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/derive.h"
#include "vault/records/chat_keys.h"
#include "vault/status.h"
#include "vault/store/store.h"

namespace sealbook::archive {

struct ArchivedChatOpener::State {
  struct Opened {
    ArchiveKey sealed;
    crypto::ChatKey key;
  };

  keyring::VaultId vault;
  ArchiveContact contact;
  const crypto::ExchangePair* subject = nullptr;
  absl::flat_hash_map<std::int64_t, Opened> keys;  // by session
  records::ChunkOpener opener;

  records::ChatOwner owner() const { return {contact.contact, contact.token}; }
  absl::StatusOr<const crypto::ChatKey*> KeyOf(const ArchiveKey& sealed);
  absl::Status Open(const ArchivedChunk& chunk, std::vector<records::ChatEntry>& out);
};

absl::StatusOr<const crypto::ChatKey*> ArchivedChatOpener::State::KeyOf(const ArchiveKey& sealed) {
  const auto at = keys.find(sealed.session);
  if (at != keys.end() && at->second.sealed == sealed) return &at->second.key;
  const auto shared = subject->SessionSecretAsReader(sealed.ephemeral);
  if (!shared.ok())
    return absl::DataLossError("an archived chat key is of a session of small order");
  ASSIGN_OR_RETURN(crypto::ChatKey key,
                   crypto::OpenKey<crypto::ChatPurpose>(
                       crypto::DeriveWrapKey(*shared),
                       records::ChatKeyPlace(vault, owner(), sealed.ephemeral, sealed.ephemeral,
                                             records::kSubjectBook),
                       sealed.sealed));
  // As many as a frame has at once; beginning anew costs little.
  if (keys.size() >= internal::kKeySlots) keys.clear();
  keys.erase(sealed.session);
  return &keys.emplace(sealed.session, Opened{sealed, std::move(key)}).first->second.key;
}

absl::Status ArchivedChatOpener::State::Open(const ArchivedChunk& archived,
                                             std::vector<records::ChatEntry>& out) {
  ASSIGN_OR_RETURN(const crypto::ChatKey* key, KeyOf(archived.key));
  const ArchiveChunk& chunk = archived.chunk;
  ASSIGN_OR_RETURN(const crypto::SecretBytes packed,
                   crypto::Open(*key,
                                records::ChunkPlace(vault, owner(),
                                                    {.day = chunk.day,
                                                     .contact = contact.contact,
                                                     .sequence = chunk.sequence,
                                                     .session = chunk.session,
                                                     .messages = chunk.messages,
                                                     .chunk = {}},
                                                    archived.key.ephemeral),
                                chunk.sealed));
  // Straight into `out`: what is moved elsewhere leaves copies behind.
  const std::size_t before = out.size();
  RETURN_IF_ERROR(opener.Open(packed.ExposeBytes(), chunk.day, out));
  if (out.size() - before != chunk.messages) {
    for (; out.size() > before; out.pop_back()) {
      crypto::Wipe(out.back().author);
      crypto::Wipe(out.back().text);
      crypto::Wipe(out.back().id);
    }
    return absl::DataLossError("an archived chunk holds another number of messages than it says");
  }
  return absl::OkStatus();
}

ArchivedChatOpener::ArchivedChatOpener(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchivedChatOpener::~ArchivedChatOpener() = default;

absl::StatusOr<std::unique_ptr<ArchivedChatOpener>> ArchivedChatOpener::Create(
    const keyring::VaultId& vault, const ArchiveContact& contact,
    const crypto::ExchangePair& subject) {
  if (contact.subject != subject.public_key()) {
    return absl::DataLossError(
        absl::StrCat("the subject secret at hand is not that of the archive (", "contact ",
                     contact.contact, ")"));
  }
  auto state = std::make_unique<State>();
  state->vault = vault;
  state->contact = contact;
  state->subject = &subject;
  return std::unique_ptr<ArchivedChatOpener>(new ArchivedChatOpener(std::move(state)));
}

absl::Status ArchivedChatOpener::Open(const ArchivedChunk& chunk,
                                      std::vector<records::ChatEntry>& out) {
  return state_->Open(chunk, out);
}

absl::Status OpenArchivedContact(
    ArchiveReader& reader, const ArchiveEntry& entry, const crypto::ExchangePair& subject,
    const std::function<absl::Status(const records::ChatEntry&)>& visit) {
  std::unique_ptr<ArchivedChatOpener> opener;
  std::vector<records::ChatEntry> entries;
  const auto each = [&](const ArchiveContact& contact, const ArchivedChunk& chunk) -> absl::Status {
    if (opener == nullptr) {
      ASSIGN_OR_RETURN(opener, ArchivedChatOpener::Create(reader.header().vault, contact, subject));
    }
    RETURN_IF_ERROR(opener->Open(chunk, entries));
    absl::Status status;
    for (const records::ChatEntry& message : entries) {
      status = visit(message);
      if (!status.ok()) break;
    }
    records::Wipe(entries);
    return status;
  };
  return reader.EachChunk(entry, each);
}

}  // namespace sealbook::archive
