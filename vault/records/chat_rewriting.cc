#include "vault/records/chat_rewriting.h"

#include <algorithm>
#include <map>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/audit/log.h"
#include "vault/records/chat_log.h"
#include "vault/records/chat_writer.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// As draining does (draining.cc).
constexpr std::int64_t kScanContacts = 5'000;
constexpr absl::Duration kLockTime = absl::Milliseconds(200);
constexpr absl::Duration kPause = absl::Milliseconds(5);
// A session that wrote so many messages of one contact is worth its keys.
constexpr std::int64_t kWorthItsKeys = 64;

struct Chunks {
  std::int64_t chunks = 0, messages = 0;
};

// Chunks and messages of a contact, by session.
absl::StatusOr<std::map<std::int64_t, Chunks>> BySession(keyring::Keyring& keyring,
                                                         ContactNumber contact) {
  std::map<std::int64_t, Chunks> sessions;
  RETURN_IF_ERROR(
      keyring.store().EachChatDayBack(contact, [&](std::int32_t day) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(keyring.store().EachChat(day, contact, [&](const store::ChatRow& row) {
          Chunks& of = sessions[row.session];
          ++of.chunks;
          of.messages += row.messages;
          return absl::OkStatus();
        }));
        return true;
      }));
  return sessions;
}

absl::StatusOr<std::int64_t> CountChunks(keyring::Keyring& keyring, ContactNumber contact) {
  ASSIGN_OR_RETURN(const auto sessions, BySession(keyring, contact));
  std::int64_t chunks = 0;
  for (const auto& [number, of] : sessions) chunks += of.chunks;
  return chunks;
}

// Those whose few messages are worth being written again together.
absl::StatusOr<std::set<std::int64_t>> SmallSessions(keyring::Keyring& keyring,
                                                     ContactNumber contact, std::size_t at_least) {
  std::set<std::int64_t> small;
  std::size_t keys = 0;
  RETURN_IF_ERROR(keyring.store().EachChatKey(contact, [&](std::int64_t, ByteView) {
    ++keys;
    return absl::OkStatus();
  }));
  if (keys < at_least) return small;  // most contacts: without a look at their chunks
  // On their way into an archive, or in one: they go soon, or are older than what is looked at.
  ASSIGN_OR_RETURN(const bool archived, keyring.store().HasArchiveKeys(contact));
  if (archived) return small;
  ASSIGN_OR_RETURN(const auto sessions, BySession(keyring, contact));
  for (const auto& [number, of] : sessions) {
    if (of.messages < kWorthItsKeys) small.insert(number);
  }
  if (small.size() < at_least) small.clear();
  return small;
}

}  // namespace

absl::StatusOr<std::int64_t> RewriteChats(keyring::Keyring& keyring,
                                          keyring::SessionWriter& session, ChatKeys& keys,
                                          ChatOwner owner, const std::set<std::int64_t>& sessions) {
  store::Store& store = keyring.store();
  std::vector<std::int32_t> days;
  RETURN_IF_ERROR(
      store.EachChatDayBack(owner.contact, [&](std::int32_t day) -> absl::StatusOr<bool> {
        days.push_back(day);
        return true;
      }));
  std::vector<BookId> books;
  for (const keyring::Book& book : keyring.roster().books) books.push_back(book.id);
  std::optional<crypto::ChatKey> key;
  ChunkOpener opener;
  ChunkPacker packer;
  std::int64_t written = 0;
  for (const std::int32_t day : days) {
    bool wanted = false;
    RETURN_IF_ERROR(store.EachChat(day, owner.contact, [&](const store::ChatRow& row) {
      wanted = wanted || sessions.contains(row.session);
      return absl::OkStatus();
    }));
    if (!wanted) continue;
    // What an archive has stays known as that, apart from what came later: else it would be
    // archived twice, or purged without having been.
    std::map<std::pair<std::int64_t, std::int32_t>, std::vector<ChatEntry>> parts;  // by run, due
    const absl::Cleanup wipe = [&] {
      for (auto& [archived, part] : parts) Wipe(part);
    };
    std::vector<store::ArchiveKeyRow> archived;
    std::map<std::int64_t, std::int64_t> gone;  // chunks, by session
    RETURN_IF_ERROR(
        store.EachChat(day, owner.contact, [&](const store::ChatRow& row) -> absl::Status {
          store::ArchiveKeyRow known;
          ASSIGN_OR_RETURN(const bool is,
                           store.GetArchiveKey(owner.contact, day, row.sequence, known));
          if (is) archived.push_back(known);
          ++gone[row.session];
          return OpenChunk(keyring, keys, owner, row, opener, parts[{known.run, known.due}]);
        }));
    if (!key) {
      ASSIGN_OR_RETURN(key, MakeChatKey(keyring, session, owner));
    }
    RETURN_IF_ERROR(store.DeleteChats(day, owner.contact));
    for (const store::ArchiveKeyRow& row : archived)
      RETURN_IF_ERROR(store.DeleteArchiveKey(row.contact, row.day, row.sequence));
    for (const auto& [number, chunks] : gone) {
      ASSIGN_OR_RETURN(const std::int64_t left, store.AddChunks(owner.contact, number, -chunks));
      if (left > 0) continue;
      RETURN_IF_ERROR(store.DeleteChatKey(owner.contact, number));
      RETURN_IF_ERROR(store.DeleteChatWraps(owner.contact, number, books));
    }
    for (auto& [archive, part] : parts) {
      std::stable_sort(part.begin(), part.end(),
                       [](const auto& a, const auto& b) { return a.time < b.time; });
      ASSIGN_OR_RETURN(const std::int64_t before, store.LastChat(day, owner.contact));
      RETURN_IF_ERROR(StoreChunks(keyring, session, *key, owner, day, part, packer));
      written += static_cast<std::int64_t>(part.size());
      if (archive.first == 0) continue;
      ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
      ASSIGN_OR_RETURN(const std::int64_t after, store.LastChat(day, owner.contact));
      for (std::int64_t sequence = before + 1; sequence <= after; ++sequence) {
        RETURN_IF_ERROR(store.PutArchiveKey({.contact = owner.contact,
                                             .day = day,
                                             .sequence = sequence,
                                             .run = archive.first,
                                             .session = number,
                                             .due = archive.second}));
      }
    }
  }
  // Those under which nothing stood.
  for (const std::int64_t number : sessions) {
    RETURN_IF_ERROR(store.DeleteChatKey(owner.contact, number));
    RETURN_IF_ERROR(store.DeleteChatWraps(owner.contact, number, books));
  }
  return written;
}

namespace {

class Compactor {
 public:
  Compactor(keyring::Keyring& keyring, const CompactOptions& options, CompactReport& report)
      : keyring_(keyring), options_(options), report_(report), keys_(keyring) {}

  absl::Status Run() {
    if (!keyring_.role().root_scope || !keyring_.Holds(kRootBook, ClassId::kChat) ||
        !keyring_.role().Has(keyring::Power::kWriteChats)) {
      return WithHint(absl::PermissionDeniedError("this role may not write chats again"),
                      "Ask an admin.");
    }
    std::int64_t total = 0;
    {
      ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
      ASSIGN_OR_RETURN(total, keyring_.store().NextContact());
    }
    ContactNumber next = 1;
    while (next < total) {
      std::vector<ContactNumber> wanted;
      const ContactNumber end = std::min(total, next + kScanContacts);
      {
        ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
        for (; next < end; ++next) {
          ASSIGN_OR_RETURN(const auto small, SmallSessions(keyring_, next, options_.min_sessions));
          if (!small.empty()) wanted.push_back(next);
        }
      }
      for (std::size_t at = 0; at < wanted.size();) {
        RETURN_IF_ERROR(WriteBatch(wanted, at));
        absl::SleepFor(kPause);
        if (options_.interrupted && options_.interrupted()) {
          return WithHint(absl::CancelledError("interrupted: what was written again stays"),
                          "Run the command again for the rest.");
        }
      }
      if (options_.progress) options_.progress(next - 1, total - 1);
    }
    if (report_.messages > 0) {
      // What was moved still stands in the log. Readers in the way only put that off.
      const absl::Status truncated = keyring_.store().database().TruncateWal();
      if (!truncated.ok() && !absl::IsUnavailable(truncated)) return truncated;
    }
    if (report_.damaged == 0) return absl::OkStatus();
    return WithHint(absl::DataLossError(absl::StrCat("the chats of ", report_.damaged,
                                                     " customers do not count, and stay as they "
                                                     "are")),
                    "'sealbook doctor' lists them.");
  }

 private:
  absl::Status WriteBatch(const std::vector<ContactNumber>& wanted, std::size_t& at) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    const absl::Time start = absl::Now();
    auto session = keyring::SessionWriter::Open(keyring_);
    const CompactReport before = report_;
    do {
      ASSIGN_OR_RETURN(store::Savepoint savepoint,
                       store::Savepoint::Begin(keyring_.store().database()));
      const CompactReport so_far = report_;
      const absl::Status status = One(session, wanted[at++]);
      if (absl::IsDataLoss(status)) {
        report_ = so_far;
        ++report_.damaged;
        continue;
      }
      RETURN_IF_ERROR(status);
      RETURN_IF_ERROR(savepoint.Keep());
    } while (at < wanted.size() && absl::Now() - start < kLockTime);
    if (report_.messages == before.messages) return absl::OkStatus();
    RETURN_IF_ERROR(session.Insert());
    RETURN_IF_ERROR(audit::Append(
        keyring_.store(), keyring_.AuditAuthor(),
        {.act = "chat.compact",
         .detail = absl::StrCat("{\"messages\":", report_.messages - before.messages, "}")}));
    return transaction.Commit();
  }

  absl::Status One(keyring::SessionWriter& session, ContactNumber contact) {
    // As it stands now: others may have been here since it was looked at.
    ASSIGN_OR_RETURN(const auto small, SmallSessions(keyring_, contact, options_.min_sessions));
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(contact, row));
    if (small.empty() || !found) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::int64_t before, CountChunks(keyring_, contact));
    const ChatOwner owner{contact, row.token};
    keys_.Turn(owner, {});
    ASSIGN_OR_RETURN(const std::int64_t messages,
                     RewriteChats(keyring_, session, keys_, owner, small));
    ASSIGN_OR_RETURN(const std::int64_t after, CountChunks(keyring_, contact));
    ++report_.contacts;
    report_.messages += messages;
    report_.chunks_before += before;
    report_.chunks_after += after;
    return absl::OkStatus();
  }

  keyring::Keyring& keyring_;
  const CompactOptions& options_;
  CompactReport& report_;
  ChatKeys keys_;
};

}  // namespace

absl::Status CompactChats(keyring::Keyring& keyring, const CompactOptions& options,
                          CompactReport& report) {
  return Compactor(keyring, options, report).Run();
}

}  // namespace sealbook::records
