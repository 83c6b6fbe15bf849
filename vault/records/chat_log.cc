#include "vault/records/chat_log.h"

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/aead.h"
#include "vault/records/at_token.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

absl::Status NotThere() {
  return WithHint(absl::NotFoundError("no such contact among those assigned to you"),
                  "Check the token; 'sealbook list' shows your contacts.");
}

absl::Status MayRead(const keyring::Keyring& keyring, const ReadPermit& permit, bool covers) {
  if (permit.member() == keyring.bundle().member && covers && permit.AllowsClear(ClassId::kChat))
    return absl::OkStatus();
  return absl::PermissionDeniedError("the permit is for something else, or has run out");
}

}  // namespace

absl::Status OpenChunk(keyring::Keyring& keyring, ChatKeys& keys, ChatOwner owner,
                       const store::ChatRow& row, ChunkOpener& opener,
                       std::vector<ChatEntry>& out) {
  ASSIGN_OR_RETURN(const crypto::ChatKey* key, keys.Get(row.session));
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring.sessions().Get(row.session));
  ASSIGN_OR_RETURN(
      const crypto::SecretBytes packed,
      crypto::Open(*key, ChunkPlace(keyring.roster().vault, owner, row, session->ephemeral),
                   row.chunk));
  const std::size_t before = out.size();
  RETURN_IF_ERROR(opener.Open(packed.ExposeBytes(), row.day, out));
  if (out.size() - before != row.messages)
    return absl::DataLossError("a chunk holds another number of messages than it says");
  return absl::OkStatus();
}

absl::Status ChatLog::EachOf(ChatOwner owner, std::vector<store::BookContactRow> books, bool& more,
                             absl::Status& damage,
                             const std::function<absl::StatusOr<bool>(const ChatEntry&)>& visit) {
  keys_.Turn(owner, std::move(books));
  std::vector<ChatEntry> entries;
  const absl::Cleanup wipe = [&] { Wipe(entries); };
  return keyring_.store().EachChatDayBack(
      owner.contact, [&](std::int32_t day) -> absl::StatusOr<bool> {
        Wipe(entries);
        RETURN_IF_ERROR(keyring_.store().EachChat(
            day, owner.contact, [&](const store::ChatRow& row) -> absl::Status {
              const absl::Status opened = OpenChunk(keyring_, keys_, owner, row, opener_, entries);
              if (!absl::IsDataLoss(opened)) return opened;
              if (damage.ok()) damage = AtToken(owner.token, opened);
              return absl::OkStatus();
            }));
        std::stable_sort(entries.begin(), entries.end(),
                         [](const auto& a, const auto& b) { return a.time < b.time; });
        for (auto entry = entries.rbegin(); more && entry != entries.rend(); ++entry) {
          ASSIGN_OR_RETURN(more, visit(*entry));
        }
        return more;
      });
}

absl::Status ChatLog::EachBack(const ReadPermit& permit, ContactNumber contact,
                               const std::function<absl::StatusOr<bool>(const ChatEntry&)>& visit) {
  RETURN_IF_ERROR(MayRead(keyring_, permit, permit.Covers(contact, absl::Now())));
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(contact, row));
  if (!found) return NotThere();
  auto books = reader_.AssignedBooks(contact);
  if (!books.ok()) return AtToken(row.token, books.status());
  if (!keyring_.role().root_scope && books->empty()) return NotThere();
  bool more = true;
  absl::Status damage;
  RETURN_IF_ERROR(EachOf({contact, row.token}, *std::move(books), more, damage, visit));
  return damage;
}

absl::Status ChatLog::Each(const ReadPermit& permit, std::optional<BookId> book,
                           const std::function<absl::StatusOr<bool>(ContactNumber, std::int64_t,
                                                                    const ChatEntry&)>& visit) {
  RETURN_IF_ERROR(MayRead(keyring_, permit, permit.CoversAll(absl::Now())));
  bool more = true;
  absl::Status damage;
  RETURN_IF_ERROR(reader_.EachRow(
      permit, book,
      [&](const store::ContactRow& row,
          const std::vector<store::BookContactRow>& books) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(
            EachOf({row.number, row.token}, books, more, damage,
                   [&](const ChatEntry& entry) { return visit(row.number, row.token, entry); }));
        return more;
      }));
  return damage;
}

}  // namespace sealbook::records
