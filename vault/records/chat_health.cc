#include "vault/records/chat_health.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "vault/records/chat_keys.h"
#include "vault/records/chat_log.h"
#include "vault/records/chat_tags.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

class ChatDoctor {
 public:
  ChatDoctor(keyring::Keyring& keyring, const std::function<absl::Status()>& step,
             const std::function<void(absl::string_view)>& fault, ChatHealth& seen)
      : keyring_(keyring),
        step_(step),
        fault_(fault),
        seen_(seen),
        reader_(keyring),
        keys_(keyring) {}

  absl::Status Run() {
    opens_ = keyring_.role().root_scope && keyring_.Holds(kRootBook, ClassId::kChat);
    if (keyring_.Holds(kRootBook, ClassId::kIndex)) {
      auto tags = ChatTags::Open(keyring_);
      if (tags.ok())
        tags_.emplace(*std::move(tags));
      else if (absl::IsDataLoss(tags.status()))
        fault_(absl::string_view(tags.status().message()));
      else if (!absl::IsNotFound(tags.status()))
        return tags.status();
    }
    RETURN_IF_ERROR(Contacts());
    return Chunks();
  }

 private:
  // A fault is told and passed over; anything else ends the check.
  absl::Status Tell(std::int64_t token, const absl::Status& status) {
    if (!absl::IsDataLoss(status)) return status;
    fault_(absl::StrCat(FormatToken(token), ": ", absl::string_view(status.message())));
    return absl::OkStatus();
  }

  absl::Status Contacts() {
    return keyring_.store().EachContact(
        1, [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
          RETURN_IF_ERROR(step_());
          RETURN_IF_ERROR(Tell(row.token, Contact({row.number, row.token})));
          return true;
        });
  }

  // The subject key, the chat keys and their wraps, and the tags of one contact.
  absl::Status Contact(ChatOwner owner) {
    std::set<std::int64_t> sessions;
    RETURN_IF_ERROR(
        keyring_.store().EachChatKey(owner.contact, [&](std::int64_t session, ByteView) {
          sessions.insert(session);
          return absl::OkStatus();
        }));
    store::SubjectRow subject;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetSubject(owner.contact, subject));
    if (found) RETURN_IF_ERROR(CheckSubject(keyring_, subject, owner.token));
    if (!found && !sessions.empty()) return absl::DataLossError("a chat has no subject key");
    for (const std::int64_t session : sessions) RETURN_IF_ERROR(CheckChatWriter(keyring_, session));
    if (tags_) {
      RETURN_IF_ERROR(keyring_.store().EachChatDayBack(
          owner.contact, [&](std::int32_t day) -> absl::StatusOr<bool> {
            RETURN_IF_ERROR(tags_->Get(owner.contact, day).status());
            return true;
          }));
    }
    const auto books = reader_.AssignedBooks(owner.contact);
    // One that does not count is told among the contacts.
    if (absl::IsDataLoss(books.status())) return absl::OkStatus();
    RETURN_IF_ERROR(books.status());
    for (const store::BookContactRow& book : *books)
      RETURN_IF_ERROR(Wraps(owner, book.book, sessions));
    return absl::OkStatus();
  }

  // Each session's chat key is there for the book, and opens as its members would open it.
  absl::Status Wraps(ChatOwner owner, BookId book, const std::set<std::int64_t>& sessions) {
    std::set<std::int64_t> wrapped;
    RETURN_IF_ERROR(keyring_.store().EachChatWrap(
        book, owner.contact, [&](const store::ChatWrapRow& row) -> absl::Status {
          wrapped.insert(row.session);
          if (!keyring_.Holds(book, ClassId::kChat)) return absl::OkStatus();
          keys_.Turn(owner, {});
          return keys_.OpenWrap(row).status();
        }));
    if (wrapped != sessions)
      return absl::DataLossError("a book has other keys to a chat than there are");
    return absl::OkStatus();
  }

  absl::Status Chunks() {
    ChunkOpener opener;
    std::vector<ChatEntry> entries;
    return keyring_.store().EachChatAfter(
        std::numeric_limits<std::int32_t>::min(), 0, 0,
        [&](const store::ChatRow& row) -> absl::StatusOr<bool> {
          RETURN_IF_ERROR(step_());
          ++seen_.chunks;
          seen_.messages += row.messages;
          store::ContactRow contact;
          ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(row.contact, contact));
          if (!found) {
            fault_("a chat of nobody is there");
            return true;
          }
          Wipe(entries);
          RETURN_IF_ERROR(
              Tell(contact.token, Chunk({row.contact, contact.token}, row, opener, entries)));
          return true;
        });
  }

  absl::Status Chunk(ChatOwner owner, const store::ChatRow& row, ChunkOpener& opener,
                     std::vector<ChatEntry>& entries) {
    RETURN_IF_ERROR(CheckChatWriter(keyring_, row.session));
    bool has_key = false;
    RETURN_IF_ERROR(
        keyring_.store().EachChatKey(owner.contact, [&](std::int64_t session, ByteView) {
          has_key = has_key || session == row.session;
          return absl::OkStatus();
        }));
    if (!has_key) return absl::DataLossError("the key of a chat is missing");
    if (!opens_) return absl::OkStatus();
    keys_.Turn(owner, {});
    return OpenChunk(keyring_, keys_, owner, row, opener, entries);
  }

  keyring::Keyring& keyring_;
  const std::function<absl::Status()>& step_;
  const std::function<void(absl::string_view)>& fault_;
  ChatHealth& seen_;
  ContactReader reader_;
  ChatKeys keys_;
  bool opens_ = false;
  std::optional<ChatTags> tags_;
};

}  // namespace

absl::Status CheckChats(keyring::Keyring& keyring, const std::function<absl::Status()>& step,
                        const std::function<void(absl::string_view)>& fault, ChatHealth& seen) {
  return ChatDoctor(keyring, step, fault, seen).Run();
}

}  // namespace sealbook::records
