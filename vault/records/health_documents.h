// The part of the doctor (health.h) that looks at signed documents beside the contacts: second
// factors, and requests, approvals and records of exports. Rows that were planted or altered do not
// count by their signatures; of rows that were deleted the signed log tells.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "vault/keyring/keyring.h"

namespace sealbook::records::internal {

struct DocumentCounts {
  std::int64_t factors = 0;  // documents of second factors
  std::int64_t requests = 0, approvals = 0, exports = 0;
};

// Within the caller's view. `fault` gets a sentence that names the place for each fault; `step` is
// called for each row, and ends the check where it fails.
struct DocumentVisitor {
  std::function<void(absl::string_view)> fault;
  std::function<absl::Status()> step;
};
absl::Status CheckFactorDocuments(keyring::Keyring& keyring, const DocumentVisitor& visitor,
                                  DocumentCounts& counts);
// Approvals that were deleted are missed by who reads the log's details.
absl::Status CheckExportDocuments(keyring::Keyring& keyring, const DocumentVisitor& visitor,
                                  DocumentCounts& counts);

}  // namespace sealbook::records::internal
