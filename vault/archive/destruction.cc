#include "vault/archive/destruction.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_format.h"
#include "vault/archive/archive_states.h"
#include "vault/audit/log.h"
#include "vault/records/statements.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// So many contacts in one transaction.
constexpr std::size_t kContacts = 100;

absl::StatusOr<bool> Has(store::Store& store, std::int64_t run, ContactNumber contact) {
  ASSIGN_OR_RETURN(const auto block, store.FindArchiveSubjects(run, contact));
  if (!block) return false;
  const std::vector<ContactNumber> contacts = UnpackContacts(*block);
  return std::binary_search(contacts.begin(), contacts.end(), contact);
}

// Inside a write transaction.
absl::Status ForgetTags(store::Store& store, const store::ArchiveRow& row,
                        const std::vector<store::ArchiveRow>& others, ContactNumber contact) {
  std::vector<std::int32_t> days;
  RETURN_IF_ERROR(store.EachChatDayBack(contact, [&](std::int32_t day) -> absl::StatusOr<bool> {
    if (day <= row.last_day && day >= row.first_day) days.push_back(day);
    return day >= row.first_day;
  }));
  for (const std::int32_t day : days) {
    ASSIGN_OR_RETURN(bool kept, store.HasChats(day, contact));
    for (const store::ArchiveRow& other : others) {
      if (kept || day < other.first_day || day > other.last_day) continue;
      ASSIGN_OR_RETURN(kept, Has(store, other.run, contact));
    }
    if (!kept) RETURN_IF_ERROR(store.DeleteChatTags(contact, day));
  }
  return absl::OkStatus();
}

// What somebody restored from the archive while it was taken away is in none any more: it expires
// as what came yesterday. Inside a write transaction.
absl::Status LetGo(store::Store& store, std::int64_t run) {
  std::vector<store::ArchiveKeyRow> here;
  RETURN_IF_ERROR(
      store.EachArchiveKey({.contact = 0, .day = std::numeric_limits<std::int32_t>::min()},
                           [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
                             if (key.run == run && key.due != store::ArchiveKeyRow::kGone)
                               here.push_back(key);
                             return true;
                           }));
  for (const store::ArchiveKeyRow& key : here)
    RETURN_IF_ERROR(store.DeleteArchiveKey(key.contact, key.day, key.sequence));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ForgetArchive(keyring::Keyring& keyring, const store::ArchiveRow& row,
                                          absl::Time now) {
  store::Store& store = keyring.store();
  std::vector<store::ArchiveRow> others;
  RETURN_IF_ERROR(store.EachArchive([&](const store::ArchiveRow& other) -> absl::StatusOr<bool> {
    if (other.run != row.run && other.state != static_cast<int>(ArchiveState::kDestroyed) &&
        other.first_day <= row.last_day && other.last_day >= row.first_day) {
      others.push_back(other);
      others.back().signature.clear();
    }
    return true;
  }));
  std::vector<ContactNumber> contacts;
  RETURN_IF_ERROR(store.EachArchiveSubjects(row.run, [&](ByteView block) {
    const std::vector<ContactNumber> some = UnpackContacts(block);
    contacts.insert(contacts.end(), some.begin(), some.end());
    return absl::OkStatus();
  }));
  for (std::size_t i = 0; i < contacts.size();) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
    for (const std::size_t end = std::min(contacts.size(), i + kContacts); i < end; ++i)
      RETURN_IF_ERROR(ForgetTags(store, row, others, contacts[i]));
    RETURN_IF_ERROR(transaction.Commit());
  }
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(LetGo(store, row.run));
  RETURN_IF_ERROR(store.DeleteArchiveSubjects(row.run));
  store::ArchiveRow destroyed = row;
  destroyed.state = static_cast<int>(ArchiveState::kDestroyed);
  RETURN_IF_ERROR(store.PutArchive(destroyed));
  RETURN_IF_ERROR(
      audit::Append(store, keyring.AuditAuthor(),
                    {.act = "archive.destroy", .detail = absl::StrCat("{\"run\":", row.run, "}")}));
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(store));
  audit::Receipt receipt = records::StatementBy(keyring, "destruction", now);
  receipt.facts.insert(receipt.facts.end(),
                       {{"archive", ArchiveName({.vault = keyring.roster().vault,
                                                 .run = row.run,
                                                 .first_day = row.first_day,
                                                 .last_day = row.last_day})},
                        {"from", FormatDay(row.first_day)},
                        {"to", FormatDay(row.last_day)},
                        {"log_entry", absl::StrCat(head.sequence)},
                        {"log_hash", crypto::ToHex(head.hash)}});
  RETURN_IF_ERROR(store.InsertReceipt(receipt.id, receipt.Sign(keyring.bundle().signing)));
  RETURN_IF_ERROR(transaction.Commit());
  return crypto::ToHex(receipt.id);
}

}  // namespace sealbook::archive
