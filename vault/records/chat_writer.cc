#include "vault/records/chat_writer.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "vault/crypto/aead.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/chat_keys.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// The WAL is written back after a batch once it is larger: 128 MiB.
constexpr int kWalPages = 32 * 1024;
// Of a packed chunk: a row that is larger with its key does not stay on its page as a whole (SQLite
// keeps 981 bytes of a row of such a table there), and the rest gets a page of its own.
constexpr std::size_t kRowBytes = 896;

}  // namespace

absl::Status MakeChunks(keyring::Keyring& keyring, const ChunkKey& key, ChatOwner owner,
                        std::int32_t day, std::span<const ChatEntry> entries, ChunkPacker& packer,
                        std::vector<store::ChatRow>& rows) {
  ASSIGN_OR_RETURN(std::int64_t sequence, keyring.store().LastChat(day, owner.contact));
  crypto::SecretBytes packed;
  std::size_t most = kMaxChunkMessages;
  while (!entries.empty()) {
    std::size_t taken = std::min(most, ChunkPacker::Take(entries));
    // A long text stands alone, lest its neighbours be strewn over many chunks.
    const auto is_long = [](const ChatEntry& entry) { return entry.text.size() > 2 * kRowBytes; };
    const auto others = entries.first(taken).subspan(1);
    taken = 1 + static_cast<std::size_t>(std::ranges::find_if(others, is_long) - others.begin());
    RETURN_IF_ERROR(packer.Pack(entries.first(taken), packed));
    while (packed.size() > kRowBytes && taken > 1) {
      taken = std::max<std::size_t>(1, std::min(taken - 1, taken * kRowBytes / packed.size()));
      RETURN_IF_ERROR(packer.Pack(entries.first(taken), packed));
    }
    // Those that follow are much the same, unless this was a single long one.
    most = packed.size() > kRowBytes
               ? kMaxChunkMessages
               : std::min(kMaxChunkMessages, taken * kRowBytes / packed.size() + 1);
    store::ChatRow row{.day = day,
                       .contact = owner.contact,
                       .sequence = ++sequence,
                       .session = key.session,
                       .messages = static_cast<std::uint32_t>(taken),
                       .chunk = {}};
    crypto::SealAppend(key.key, ChunkPlace(keyring.roster().vault, owner, row, key.ephemeral),
                       packed.ExposeBytes(), row.chunk);
    rows.push_back(std::move(row));
    entries = entries.subspan(taken);
  }
  return absl::OkStatus();
}

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
  rows.clear();
  return absl::OkStatus();
}

absl::Status StoreChunks(keyring::Keyring& keyring, keyring::SessionWriter& session,
                         const crypto::ChatKey& key, ChatOwner owner, std::int32_t day,
                         std::span<const ChatEntry> entries, ChunkPacker& packer) {
  std::vector<store::ChatRow> rows;
  ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
  const ChunkKey chunk_key{
      .key = key.Duplicate(), .session = number, .ephemeral = session.ephemeral()};
  RETURN_IF_ERROR(MakeChunks(keyring, chunk_key, owner, day, entries, packer, rows));
  return InsertChunks(keyring.store(), rows);
}

absl::StatusOr<ChatWriter> ChatWriter::Open(keyring::Keyring& keyring) {
  const keyring::RoleDefinition& role = keyring.role();
  if (!role.root_scope || !role.Has(keyring::Power::kWriteChats) ||
      !role.MayWriteAgain(ClassId::kChat)) {
    return WithHint(absl::PermissionDeniedError("this role may not write chats"), "Ask an admin.");
  }
  RETURN_IF_ERROR(keyring.CompartmentPair(kRootBook, ClassId::kIndex).status());
  keyring.store().database().DeferCheckpoints();
  return ChatWriter(keyring);
}

namespace {

// Writes one contact's messages. Everything that a contact needs is asked for when it has something
// new.
class OneChat {
 public:
  OneChat(keyring::Keyring& keyring, keyring::SessionWriter& session, const ChatTags& tags,
          ChunkPacker& packer, KnownSubjects& known, KeptChatKeys& kept)
      : keyring_(keyring),
        session_(session),
        tags_(tags),
        packer_(packer),
        known_(known),
        kept_(kept) {}

  // Everything but the chunks, which are appended to `rows`.
  absl::StatusOr<ChatDraftResult> Write(const ChatDraft& draft, std::vector<store::ChatRow>& rows) {
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(draft.contact, row));
    if (!found) return absl::DataLossError("no such contact");
    const ChatOwner owner{draft.contact, row.token};
    std::map<std::int32_t, std::vector<const DraftMessage*>> days;
    for (const DraftMessage& message : draft.messages)
      days[DayOf(message.entry.time)].push_back(&message);

    ChatDraftResult result;
    std::optional<ChunkKey> key;
    for (const auto& [day, messages] : days) {
      ASSIGN_OR_RETURN(std::vector<ChatTag> tags, tags_.Get(draft.contact, day));
      absl::flat_hash_set<ChatTag> known(tags.begin(), tags.end());
      std::vector<ChatEntry> fresh;
      for (const DraftMessage* message : messages) {
        const ChatTag tag = tags_.TagOf(draft.contact, message->entry, message->occurrence);
        if (!known.insert(tag).second) {
          ++result.duplicates;
          continue;
        }
        tags.push_back(tag);
        fresh.push_back(message->entry);
      }
      const absl::Cleanup wipe = [&] { Wipe(fresh); };
      if (fresh.empty()) continue;
      if (!key) {
        ASSIGN_OR_RETURN(key, KeyOf(owner));
      }
      RETURN_IF_ERROR(MakeChunks(keyring_, *key, owner, day, fresh, packer_, rows));
      RETURN_IF_ERROR(tags_.Put(draft.contact, day, tags));
      result.added += fresh.size();
    }
    return result;
  }

  bool made_keys() const { return made_keys_; }

 private:
  absl::StatusOr<ChunkKey> KeyOf(ChatOwner owner) {
    ASSIGN_OR_RETURN(std::optional<ChunkKey> kept, kept_.Find(keyring_, owner, known_));
    if (kept) return *std::move(kept);
    made_keys_ = true;
    crypto::ExchangePublic subject;
    ASSIGN_OR_RETURN(crypto::ChatKey key,
                     MakeChatKey(keyring_, session_, owner, &known_, &subject));
    RETURN_IF_ERROR(kept_.Keep(session_, owner, subject));
    ASSIGN_OR_RETURN(const std::int64_t number, session_.Number());
    return ChunkKey{.key = std::move(key), .session = number, .ephemeral = session_.ephemeral()};
  }

  keyring::Keyring& keyring_;
  keyring::SessionWriter& session_;
  const ChatTags& tags_;
  ChunkPacker& packer_;
  KnownSubjects& known_;
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
    RETURN_IF_ERROR(kept_.Begin(*keyring_));
    auto session = keyring::SessionWriter::Open(*keyring_);
    ASSIGN_OR_RETURN(const ChatTags tags, ChatTags::OpenOrMake(*keyring_));
    OneChat chat(*keyring_, session, tags, packer_, known_, kept_);
    std::size_t added = 0;
    std::vector<store::ChatRow> rows;
    for (const std::size_t i : order) {
      ASSIGN_OR_RETURN(store::Savepoint savepoint,
                       store::Savepoint::Begin(keyring_->store().database()));
      const std::size_t rows_before = rows.size();
      auto result = chat.Write(drafts[i], rows);
      if (result.ok()) {
        RETURN_IF_ERROR(savepoint.Keep());
        results[i] = *result;
        added += result->added;
      } else if (absl::IsDataLoss(result.status())) {
        // One contact that does not count must not keep the others' messages out.
        rows.resize(rows_before);
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
