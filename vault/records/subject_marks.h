// Marks on contacts that the retention job heeds without reading them (docs/format.md, "Subject
// marks"): a hold, under which nothing of a contact is purged or destroyed, and a label, under
// which the policy has days of its own.
//
// A mark counts when the member who signed it had the right `subjects`. A hold that does not count
// holds all the same: somebody planted it or altered it, and what was purged would be gone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_keys.h"

namespace sealbook::records {

enum class SubjectMark : int { kHold = 1, kLabel = 2 };

struct MarkRecord {
  ContactNumber contact = 0;
  SubjectMark kind{};
  std::string label;  // empty for a hold
  MemberId member{};
  std::int64_t time_ms = 0;
};

// Inside a write transaction. PermissionDenied: the role has not the right.
absl::Status PutMark(keyring::Keyring& keyring, ChatOwner owner, SubjectMark kind,
                     absl::string_view label, absl::Time now);
// nullopt: there is none. DataLoss: it does not count.
absl::StatusOr<std::optional<MarkRecord>> FindMark(keyring::Keyring& keyring, ChatOwner owner,
                                                   SubjectMark kind);
// DataLoss: it does not count.
absl::StatusOr<MarkRecord> ParseMark(keyring::Keyring& keyring, ChatOwner owner, SubjectMark kind,
                                     ByteView document);

}  // namespace sealbook::records
