#include "vault/archive/archive_states.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "vault/records/varint.h"
#include "vault/status.h"

namespace sealbook::archive {

absl::string_view NameOf(ArchiveState state) {
  switch (state) {
    case ArchiveState::kPlanned:
      return "planned";
    case ArchiveState::kSpooled:
      return "spooled";
    case ArchiveState::kUploaded:
      return "uploaded";
    case ArchiveState::kVerified:
      return "verified";
    case ArchiveState::kPurged:
      return "purged";
    case ArchiveState::kDone:
      return "done";
    case ArchiveState::kDestroyed:
      return "destroyed";
  }
  return "unknown";
}

std::string TombstonePath(std::int64_t token) { return absl::StrCat(kTombstoneFolder, "/", token); }

std::string CheckpointPrefix(std::int64_t log_entry) {
  return absl::StrFormat("%s/%012d-", std::string(kCheckpointFolder), log_entry);
}

std::string SpoolFolder(const keyring::VaultPaths& paths) { return paths.directory + "/spool"; }

std::int32_t DayOfTime(absl::Time time) {
  return static_cast<std::int32_t>(absl::ToCivilDay(time, absl::UTCTimeZone()) -
                                   absl::CivilDay(1970, 1, 1));
}

std::string FormatDay(std::int32_t day) {
  return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day);
}

crypto::Bytes PackContacts(const std::vector<ContactNumber>& contacts) {
  crypto::Bytes out;
  ContactNumber before = 0;
  for (const ContactNumber contact : contacts) {
    records::PutVarint(out, static_cast<std::uint64_t>(contact - before));
    before = contact;
  }
  return out;
}

std::vector<ContactNumber> UnpackContacts(ByteView block) {
  std::vector<ContactNumber> out;
  records::VarintReader in(block);
  ContactNumber contact = 0;
  while (!in.done()) {
    contact += static_cast<ContactNumber>(in.Varint() & 0x7fff'ffff'ffff);
    if (!in.ok() || out.size() >= kContactsPerBlock) break;
    out.push_back(contact);
  }
  return out;
}

absl::StatusOr<std::vector<std::int64_t>> ArchivesOf(keyring::Keyring& keyring,
                                                     ContactNumber contact) {
  store::Store& store = keyring.store();
  std::vector<std::int64_t> runs;
  RETURN_IF_ERROR(store.EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
    if (row.state == static_cast<int>(ArchiveState::kDestroyed)) return true;
    ASSIGN_OR_RETURN(const auto block, store.FindArchiveSubjects(row.run, contact));
    if (!block) return true;
    const std::vector<ContactNumber> contacts = UnpackContacts(*block);
    if (std::binary_search(contacts.begin(), contacts.end(), contact)) runs.push_back(row.run);
    return true;
  }));
  // What is planned stands in no list yet.
  RETURN_IF_ERROR(store.EachArchiveKey(
      {.contact = contact}, [&](const store::ArchiveKeyRow& key) -> absl::StatusOr<bool> {
        if (key.contact != contact) return false;
        if (std::find(runs.begin(), runs.end(), key.run) == runs.end()) runs.push_back(key.run);
        return true;
      }));
  std::sort(runs.begin(), runs.end());
  return runs;
}

}  // namespace sealbook::archive
