// Small signed statements, which stand at the archives' destinations, too (docs/format.md,
// "Retention"): receipts of the kinds `tombstone` and `checkpoint`, signed by a member of this
// vault.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/audit/receipt.h"
#include "vault/keyring/high_water.h"
#include "vault/keyring/keyring.h"

namespace sealbook::records {

// A receipt of this member's, with `roster_version` as its first fact.
audit::Receipt StatementBy(const keyring::Keyring& keyring, absl::string_view kind, absl::Time now);
// InvalidArgument: no receipt. DataLoss: of another vault or kind, or not signed by a member who
// was active at the roster version that it names. FailedPrecondition: this vault has no such
// version yet.
absl::StatusOr<audit::Receipt> VerifyStatement(const keyring::Keyring& keyring,
                                               absl::string_view kind, absl::string_view text);

// Of an erased contact. The text's bytes are the row's document, and the file's at destinations.
std::string MakeTombstone(const keyring::Keyring& keyring, std::int64_t token, absl::Time now);
// DataLoss: altered, of another token, or signed by somebody who may not erase.
absl::Status CheckTombstone(const keyring::Keyring& keyring, std::int64_t token, ByteView document);

// Of the newest roster version, session and row of the log.
std::string MakeCheckpoint(const keyring::Keyring& keyring, const keyring::HighWater& heads,
                           absl::Time now);
// OK where the vault has what the checkpoint saw. DataLoss: it is older, or another one. NotFound:
// the text is no checkpoint that counts.
absl::Status CompareWithCheckpoint(keyring::Keyring& keyring, absl::string_view text);

}  // namespace sealbook::records
