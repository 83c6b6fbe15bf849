#include "vault/archive/restoring.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_states.h"
#include "vault/audit/log.h"
#include "vault/records/chat_writer.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// So many messages a batch hold the lock for a few hundredths of a second.
constexpr std::size_t kBatchMessages = 2'000;

}  // namespace

absl::StatusOr<std::unique_ptr<ChatRestorer>> ChatRestorer::Open(keyring::Keyring& keyring,
                                                                 std::int64_t run,
                                                                 std::int32_t due) {
  RETURN_IF_ERROR(records::ChatWriter::Open(keyring).status());
  return std::unique_ptr<ChatRestorer>(new ChatRestorer(keyring, run, due));
}

ChatRestorer::~ChatRestorer() { records::Wipe(entries_); }

absl::Status ChatRestorer::BeginContact(records::ChatOwner owner) {
  owner_ = owner;
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool erased, keyring_.store().HasTombstone(owner.token));
  ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(owner.contact, row));
  if (erased || !found || row.token != owner.token)
    return absl::NotFoundError("there is no such customer");
  return absl::OkStatus();
}

absl::Status ChatRestorer::Add(const records::ChatEntry& entry) {
  if (entries_.size() >= kBatchMessages &&
      records::DayOf(entries_.back().time) != records::DayOf(entry.time)) {
    RETURN_IF_ERROR(Write());
  }
  entries_.push_back(entry);
  return absl::OkStatus();
}

absl::Status ChatRestorer::EndContact() { return entries_.empty() ? absl::OkStatus() : Write(); }

absl::Status ChatRestorer::Write() {
  store::Store& store = keyring_.store();
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  // The contact may have been erased meanwhile, or the archive destroyed.
  RETURN_IF_ERROR(BeginContact(owner_));
  store::ArchiveRow archive;
  ASSIGN_OR_RETURN(const bool known, store.GetArchive(run_, archive));
  if (!known || archive.state == static_cast<int>(ArchiveState::kDestroyed))
    return absl::NotFoundError("the archive was destroyed");
  // Days of which something of this archive is here.
  std::set<std::int32_t> here;
  RETURN_IF_ERROR(store.EachArchiveKey(
      {.contact = owner_.contact, .day = std::numeric_limits<std::int32_t>::min()},
      [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (key.contact == owner_.contact && key.run == run_ &&
            key.due != store::ArchiveKeyRow::kGone)
          here.insert(key.day);
        return key.contact == owner_.contact;
      }));
  auto session = keyring::SessionWriter::Open(keyring_);
  std::optional<crypto::ChatKey> key;
  std::int64_t written = 0;
  for (std::size_t i = 0; i < entries_.size();) {
    const std::int32_t day = records::DayOf(entries_[i].time);
    std::size_t end = i;
    while (end < entries_.size() && records::DayOf(entries_[end].time) == day) ++end;
    const std::span<const records::ChatEntry> messages(entries_.data() + i, end - i);
    i = end;
    if (here.contains(day)) {
      report_.already += static_cast<std::int64_t>(messages.size());
      continue;
    }
    if (!key) {
      ASSIGN_OR_RETURN(key, records::MakeChatKey(keyring_, session, owner_));
    }
    ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
    ASSIGN_OR_RETURN(const std::int64_t before, store.LastChat(day, owner_.contact));
    RETURN_IF_ERROR(records::StoreChunks(keyring_, session, *key, owner_, day, messages, packer_));
    ASSIGN_OR_RETURN(const std::int64_t after, store.LastChat(day, owner_.contact));
    for (std::int64_t sequence = before + 1; sequence <= after; ++sequence) {
      RETURN_IF_ERROR(store.PutArchiveKey({.contact = owner_.contact,
                                           .day = day,
                                           .sequence = sequence,
                                           .run = run_,
                                           .session = number,
                                           .due = due_}));
    }
    written += static_cast<std::int64_t>(messages.size());
  }
  records::Wipe(entries_);
  if (written == 0) return absl::OkStatus();
  RETURN_IF_ERROR(session.Insert());
  RETURN_IF_ERROR(
      audit::Append(store, keyring_.AuditAuthor(),
                    {.act = "archive.restore",
                     .token = owner_.token,
                     .detail = absl::StrCat("{\"run\":", run_, ",\"messages\":", written, "}")}));
  RETURN_IF_ERROR(transaction.Commit());
  report_.messages += written;
  return absl::OkStatus();
}

}  // namespace sealbook::archive
