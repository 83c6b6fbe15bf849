// What becomes of the vault's records of an archive that is gone from every destination.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "vault/keyring/keyring.h"

namespace sealbook::archive {

// Deletes the tags of the messages that the archive had, but for those of days of which something
// is here or in another archive; then its list of customers. Its row stays, as destroyed, with a
// receipt and a row in the log. In short transactions; may be called again after a crash.
// The receipt's id, hexadecimal.
absl::StatusOr<std::string> ForgetArchive(keyring::Keyring& keyring, const store::ArchiveRow& row,
                                          absl::Time now);

}  // namespace sealbook::archive
