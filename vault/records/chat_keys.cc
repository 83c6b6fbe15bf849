#include "vault/records/chat_keys.h"

#include <algorithm>

#include "vault/crypto/aead.h"
#include "vault/crypto/derive.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kChunkLabel = "sealbook-chat--1";
constexpr absl::string_view kKeyLabel = "sealbook-chatk-1";
constexpr absl::string_view kSubjectLabel = "sealbook/subject/1";
constexpr absl::string_view kSecretLabel = "sealbook/subject-secret/1";

template <std::size_t N>
std::array<std::uint8_t, N> Fixed(const crypto::ByteWriter& out) {
  std::array<std::uint8_t, N> fixed{};
  std::copy_n(out.bytes().begin(), N, fixed.begin());
  return fixed;
}

crypto::ByteWriter PlaceOf(absl::string_view label, const keyring::VaultId& vault,
                           ChatOwner owner) {
  crypto::ByteWriter out;
  out.Raw(crypto::AsBytes(label)).Raw(vault);
  out.U64(static_cast<std::uint64_t>(owner.contact)).U64(static_cast<std::uint64_t>(owner.token));
  return out;
}

// What the session's signature covers of a subject key.
crypto::Hash256 HashOfSubject(const keyring::VaultId& vault, const store::SubjectRow& row,
                              std::int64_t token, const crypto::ExchangePublic& session) {
  crypto::ByteWriter out = PlaceOf("", vault, {row.contact, token});
  out.Raw(session.bytes).Raw(row.public_key).Variable(row.secret);
  return crypto::HashOf(kSubjectLabel, {out.bytes()});
}

}  // namespace

std::array<std::uint8_t, 96> ChunkPlace(const keyring::VaultId& vault, ChatOwner owner,
                                        const store::ChatRow& row,
                                        const crypto::ExchangePublic& session) {
  crypto::ByteWriter out = PlaceOf(kChunkLabel, vault, owner);
  out.U32(static_cast<std::uint32_t>(row.day)).U64(static_cast<std::uint64_t>(row.sequence));
  out.U32(row.messages).Raw(session.bytes);
  return Fixed<96>(out);
}

std::array<std::uint8_t, 116> ChatKeyPlace(const keyring::VaultId& vault, ChatOwner owner,
                                           const crypto::ExchangePublic& written,
                                           const crypto::ExchangePublic& wrapped, BookId book) {
  crypto::ByteWriter out = PlaceOf(kKeyLabel, vault, owner);
  out.Raw(written.bytes).Raw(wrapped.bytes).U32(static_cast<std::uint32_t>(book));
  return Fixed<116>(out);
}

absl::Status CheckSubject(keyring::Keyring& keyring, const store::SubjectRow& row,
                          std::int64_t token) {
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring.sessions().Get(row.session));
  const keyring::Roster* roster = keyring.history().Version(session->roster_version);
  const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
  if (role == nullptr || !role->Has(keyring::Power::kWriteChats)) {
    return absl::DataLossError("a subject key was made by a member who writes no chats");
  }
  ASSIGN_OR_RETURN(const auto listed, keyring.sessions().SubjectRow(row.session, row.contact));
  if (!listed) return absl::DataLossError("a subject key is there that no session made");
  if (*listed != HashOfSubject(roster->vault, row, token, session->ephemeral) ||
      !crypto::IsUsablePoint({row.public_key})) {
    return absl::DataLossError("a subject key is not the one that its session made");
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::ExchangePublic> SubjectOf(keyring::Keyring& keyring,
                                                 keyring::SessionWriter& session, ChatOwner owner) {
  store::SubjectRow row;
  ASSIGN_OR_RETURN(const bool found, keyring.store().GetSubject(owner.contact, row));
  if (found) {
    RETURN_IF_ERROR(CheckSubject(keyring, row, owner.token));
    return crypto::ExchangePublic{row.public_key};
  }
  const keyring::Roster& roster = keyring.roster();
  const crypto::ExchangePair pair = crypto::ExchangePair::Generate();
  crypto::ByteWriter secret;
  secret.Text(kSecretLabel).Raw(roster.vault);
  secret.U64(static_cast<std::uint64_t>(owner.contact));
  secret.U64(static_cast<std::uint64_t>(owner.token)).Raw(pair.secret().ExposeBytes());
  crypto::Bytes plaintext = secret.Take();
  row.contact = owner.contact;
  ASSIGN_OR_RETURN(row.session, session.Number());
  row.public_key = pair.public_key().bytes;
  row.secret = crypto::SealToPublic(roster.escrow, plaintext);
  crypto::Wipe(plaintext.data(), plaintext.size());
  RETURN_IF_ERROR(keyring.store().InsertSubject(row));
  session.CoverSubject(owner.contact,
                       HashOfSubject(roster.vault, row, owner.token, session.ephemeral()));
  return pair.public_key();
}

absl::StatusOr<crypto::ChatKey> MakeChatKey(keyring::Keyring& keyring,
                                            keyring::SessionWriter& session, ChatOwner owner,
                                            crypto::ExchangePublic* subject_key) {
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  ASSIGN_OR_RETURN(const crypto::SessionSecret* secret, session.RootSecret(ClassId::kChat));
  crypto::ChatKey key = crypto::DeriveChatKey(*secret, owner.contact);
  const keyring::VaultId& vault = keyring.roster().vault;

  ASSIGN_OR_RETURN(const crypto::ExchangePublic subject, SubjectOf(keyring, session, owner));
  if (subject_key != nullptr) *subject_key = subject;
  ASSIGN_OR_RETURN(const crypto::SessionSecret with_subject, session.SecretWith(subject));
  const auto seal = [&](const crypto::WrapKey& wrap, BookId book) {
    return crypto::Seal(wrap,
                        ChatKeyPlace(vault, owner, session.ephemeral(), session.ephemeral(), book),
                        key.ExposeBytes());
  };
  RETURN_IF_ERROR(keyring.store().InsertChatKey(
      owner.contact, number, seal(crypto::DeriveWrapKey(with_subject), kSubjectBook)));
  for (const keyring::Book& book : keyring.roster().books) {
    store::BookContactRow assigned;
    ASSIGN_OR_RETURN(const bool found,
                     keyring.store().GetBookContact(book.id, owner.contact, assigned));
    if (!found) continue;
    RETURN_IF_ERROR(keyring.sessions().CheckAssignment(book.id, owner.contact, assigned.session));
    ASSIGN_OR_RETURN(const crypto::WrapKey* wrap, session.Wrap(book.id, ClassId::kChat));
    RETURN_IF_ERROR(keyring.store().PutChatWrap({.book = book.id,
                                                 .contact = owner.contact,
                                                 .session = number,
                                                 .wrapped = number,
                                                 .sealed = seal(*wrap, book.id)}));
  }
  return key;
}

absl::Status CheckChatWriter(keyring::Keyring& keyring, std::int64_t number) {
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring.sessions().Get(number));
  const keyring::Roster* roster = keyring.history().Version(session->roster_version);
  const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
  if (role != nullptr && role->root_scope && role->Has(keyring::Power::kWriteChats) &&
      role->MayWriteAgain(ClassId::kChat)) {
    return absl::OkStatus();
  }
  return absl::DataLossError("a chat was written by a member who may not write it");
}

void ChatKeys::Turn(ChatOwner owner, std::vector<store::BookContactRow> books) {
  owner_ = owner;
  books_ = std::move(books);
  keys_.clear();
}

absl::StatusOr<const crypto::ChatKey*> ChatKeys::Get(std::int64_t session) {
  auto at = keys_.find(session);
  if (at == keys_.end()) {
    RETURN_IF_ERROR(CheckChatWriter(keyring_, session));
    ASSIGN_OR_RETURN(crypto::ChatKey key, Open(session));
    at = keys_.emplace(session, std::move(key)).first;
  }
  return &at->second;
}

absl::StatusOr<crypto::ChatKey> ChatKeys::Open(std::int64_t session) {
  if (keyring_.role().root_scope) {
    ASSIGN_OR_RETURN(const keyring::SessionKeys* keys,
                     keyring_.ReadKeys(session, kRootBook, ClassId::kChat));
    return crypto::DeriveChatKey(keys->secret, owner_.contact);
  }
  absl::Status reason = absl::PermissionDeniedError("this member holds no key to that");
  for (const store::BookContactRow& book : books_) {
    if (!keyring_.Holds(book.book, ClassId::kChat)) continue;
    store::ChatWrapRow wrap;
    ASSIGN_OR_RETURN(const bool found,
                     keyring_.store().GetChatWrap(book.book, owner_.contact, session, wrap));
    if (!found) {
      reason = absl::DataLossError("a book lacks the key of a chat");
      continue;
    }
    auto key = OpenWrap(wrap);
    if (key.ok()) return key;
    reason = key.status();
  }
  return reason;
}

absl::StatusOr<crypto::ChatKey> ChatKeys::OpenWrap(const store::ChatWrapRow& row) {
  RETURN_IF_ERROR(reader_.CheckWrap(row.session, row.book, ClassId::kChat, row.wrapped));
  ASSIGN_OR_RETURN(const keyring::Session* written, keyring_.sessions().Get(row.session));
  ASSIGN_OR_RETURN(const keyring::Session* wrapped, keyring_.sessions().Get(row.wrapped));
  ASSIGN_OR_RETURN(const keyring::SessionKeys* keys,
                   keyring_.ReadKeys(row.wrapped, row.book, ClassId::kChat));
  return crypto::OpenKey<crypto::ChatPurpose>(
      keys->wrap,
      ChatKeyPlace(keyring_.roster().vault, owner_, written->ephemeral, wrapped->ephemeral,
                   row.book),
      row.sealed);
}

absl::StatusOr<std::int64_t> WrapChatKeys(
    keyring::Keyring& keyring, keyring::SessionWriter& session, ChatKeys& keys, ChatOwner owner,
    BookId book, const std::function<absl::StatusOr<bool>(std::int64_t session)>& which) {
  std::vector<std::int64_t> written;
  RETURN_IF_ERROR(keyring.store().EachChatKey(
      owner.contact, [&](std::int64_t number, ByteView) -> absl::Status {
        if (which != nullptr) {
          ASSIGN_OR_RETURN(const bool wanted, which(number));
          if (!wanted) return absl::OkStatus();
        }
        written.push_back(number);
        return absl::OkStatus();
      }));
  if (written.empty()) return 0;
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  ASSIGN_OR_RETURN(const crypto::WrapKey* wrap, session.Wrap(book, ClassId::kChat));
  for (const std::int64_t one : written) {
    ASSIGN_OR_RETURN(const crypto::ChatKey* key, keys.Get(one));
    ASSIGN_OR_RETURN(const keyring::Session* of, keyring.sessions().Get(one));
    RETURN_IF_ERROR(keyring.store().PutChatWrap(
        {.book = book,
         .contact = owner.contact,
         .session = one,
         .wrapped = number,
         .sealed = crypto::Seal(
             *wrap,
             ChatKeyPlace(keyring.roster().vault, owner, of->ephemeral, session.ephemeral(), book),
             key->ExposeBytes())}));
  }
  return static_cast<std::int64_t>(written.size());
}

}  // namespace sealbook::records
