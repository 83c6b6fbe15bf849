#include "vault/records/chat_writer.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <tuple>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/chat_keys.h"
#include "vault/records/chunk_maker.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// The WAL is written back after a batch once it is larger: 128 MiB.
constexpr int kWalPages = 32 * 1024;
// A batch of fewer messages is written by one thread.
constexpr std::size_t kManyMessages = 256;

// In the order of the table: pages stay fuller than with rows strewn over them.
absl::Status InsertChunks(store::Store& store, std::vector<store::ChatRow>& rows) {
  std::sort(rows.begin(), rows.end(), [](const store::ChatRow& a, const store::ChatRow& b) {
    return std::tie(a.day, a.contact, a.sequence) < std::tie(b.day, b.contact, b.sequence);
  });
  std::map<std::pair<ContactNumber, std::int64_t>, std::int64_t> chunks;  // by contact and session
  for (const store::ChatRow& row : rows) {
    RETURN_IF_ERROR(store.InsertChat(row));
    ++chunks[{row.contact, row.session}];
  }
  for (const auto& [whose, count] : chunks)
    RETURN_IF_ERROR(store.AddChunks(whose.first, whose.second, count).status());
  return absl::OkStatus();
}

}  // namespace

absl::Status StoreChunks(keyring::Keyring& keyring, keyring::SessionWriter& session,
                         const crypto::ChatKey& key, ChatOwner owner, std::int32_t day,
                         std::span<const ChatEntry> entries, ChunkPacker& packer) {
  std::vector<store::ChatRow> rows;
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  const ChunkKey chunk_key{
      .key = key.Duplicate(), .session = number, .ephemeral = session.ephemeral()};
  ASSIGN_OR_RETURN(const std::int64_t sequence, keyring.store().LastChat(day, owner.contact));
  RETURN_IF_ERROR(
      MakeChunks(keyring.roster().vault, chunk_key, owner, day, sequence, entries, packer, rows));
  return InsertChunks(keyring.store(), rows);
}

absl::StatusOr<ChatWriter> ChatWriter::Open(keyring::Keyring& keyring, bool share_keys) {
  const keyring::RoleDefinition& role = keyring.role();
  if (!role.root_scope || !role.Has(keyring::Power::kWriteChats) ||
      !role.MayWriteAgain(ClassId::kChat)) {
    return WithHint(absl::PermissionDeniedError("this role may not write chats"), "Ask an admin.");
  }
  RETURN_IF_ERROR(keyring.CompartmentPair(kRootBook, ClassId::kIndex).status());
  keyring.store().database().DeferCheckpoints();
  return ChatWriter(keyring, share_keys);
}

namespace {

// Writes one contact's messages. Everything that a contact needs is asked for when it has something
// new.
class OneChat {
 public:
  OneChat(keyring::Keyring& keyring, keyring::SessionWriter& session, const ChatTags& tags,
          ChunkMaker& maker, KeptChatKeys& kept)
      : keyring_(keyring), session_(session), tags_(tags), maker_(maker), kept_(kept) {}

  // Everything but the chunks, which go to the maker, of the contact at `place` of the batch.
  absl::StatusOr<ChatDraftResult> Write(const ChatDraft& draft, std::size_t place) {
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(draft.contact, row));
    if (!found) return absl::DataLossError("no such contact");
    const ChatOwner owner{draft.contact, row.token};
    std::map<std::int32_t, std::vector<const DraftMessage*>> days;
    for (const DraftMessage& message : draft.messages)
      days[DayOf(message.entry.time)].push_back(&message);

    ChatDraftResult result;
    std::shared_ptr<const ChunkKey> key;
    for (const auto& [day, messages] : days) {
      ASSIGN_OR_RETURN(std::vector<ChatTag> tags, tags_.Get(draft.contact, day));
      absl::flat_hash_set<ChatTag> known(tags.begin(), tags.end());
      std::vector<const ChatEntry*> fresh;
      for (const DraftMessage* message : messages) {
        const ChatTag tag = tags_.TagOf(draft.contact, message->entry, message->occurrence);
        if (!known.insert(tag).second) {
          ++result.duplicates;
          continue;
        }
        tags.push_back(tag);
        fresh.push_back(&message->entry);
      }
      if (fresh.empty()) continue;
      if (!key) {
        ASSIGN_OR_RETURN(ChunkKey made, KeyOf(owner));
        key = std::make_shared<const ChunkKey>(std::move(made));
      }
      RETURN_IF_ERROR(tags_.Put(draft.contact, day, tags));
      ASSIGN_OR_RETURN(const std::int64_t sequence, keyring_.store().LastChat(day, draft.contact));
      result.added += fresh.size();
      maker_.Add({.batch_place = place,
                  .key = key,
                  .owner = owner,
                  .day = day,
                  .sequence = sequence,
                  .entries = std::move(fresh)});
    }
    return result;
  }

  bool made_keys() const { return made_keys_; }

 private:
  absl::StatusOr<ChunkKey> KeyOf(ChatOwner owner) {
    ASSIGN_OR_RETURN(std::optional<ChunkKey> kept, kept_.Find(keyring_, owner));
    if (kept) return *std::move(kept);
    made_keys_ = true;
    crypto::ExchangePublic subject;
    ASSIGN_OR_RETURN(crypto::ChatKey key, MakeChatKey(keyring_, session_, owner, &subject));
    RETURN_IF_ERROR(kept_.Keep(session_, owner, subject));
    ASSIGN_OR_RETURN(const std::int64_t number, session_.Number());
    return ChunkKey{.key = std::move(key), .session = number, .ephemeral = session_.ephemeral()};
  }

  keyring::Keyring& keyring_;
  keyring::SessionWriter& session_;
  const ChatTags& tags_;
  ChunkMaker& maker_;
  KeptChatKeys& kept_;
  bool made_keys_ = false;
};

}  // namespace

absl::StatusOr<std::vector<ChatDraftResult>> ChatWriter::WriteBatch(
    std::span<const ChatDraft> drafts,
    const std::function<audit::Event(const std::vector<ChatDraftResult>&)>& event) {
  std::vector<ChatDraftResult> results(drafts.size());
  // In the order of the tables: neighbours stand on one page.
  std::vector<std::size_t> order(drafts.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return drafts[a].contact < drafts[b].contact; });
  // What was made in a transaction that does not end well is nowhere.
  absl::Cleanup forget = [&] { kept_.ForgetAll(); };
  {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_->BeginWrite());
    if (!share_keys_) kept_.ForgetAll();
    RETURN_IF_ERROR(kept_.Begin(*keyring_));
    auto session = keyring::SessionWriter::Open(*keyring_);
    ASSIGN_OR_RETURN(const ChatTags tags, ChatTags::OpenOrMake(*keyring_));
    std::size_t messages = 0;
    for (const ChatDraft& draft : drafts) messages += draft.messages.size();
    ChunkMaker maker(keyring_->roster().vault, packer_, messages >= kManyMessages);
    OneChat chat(*keyring_, session, tags, maker, kept_);
    std::size_t added = 0;
    std::vector<bool> dropped(drafts.size());
    for (const std::size_t i : order) {
      ASSIGN_OR_RETURN(store::Savepoint savepoint,
                       store::Savepoint::Begin(keyring_->store().database()));
      auto result = chat.Write(drafts[i], i);
      if (result.ok()) {
        RETURN_IF_ERROR(savepoint.Keep());
        results[i] = *result;
        added += result->added;
      } else if (absl::IsDataLoss(result.status())) {
        // One contact that does not count must not keep the others' messages out.
        dropped[i] = true;
        kept_.Forget(drafts[i].contact);
        results[i] = {.damaged = true};
      } else {
        return result.status();
      }
    }
    if (added == 0) {
      if (!chat.made_keys()) std::move(forget).Cancel();
      return results;
    }
    std::vector<store::ChatRow> rows;
    RETURN_IF_ERROR(maker.Finish(dropped, rows));
    RETURN_IF_ERROR(InsertChunks(keyring_->store(), rows));
    if (chat.made_keys()) RETURN_IF_ERROR(session.Insert());
    RETURN_IF_ERROR(audit::Append(keyring_->store(), keyring_->AuditAuthor(), event(results)));
    RETURN_IF_ERROR(transaction.Commit());
  }
  std::move(forget).Cancel();
  RETURN_IF_ERROR(keyring_->store().database().CheckpointPast(kWalPages));
  return results;
}

}  // namespace sealbook::records
