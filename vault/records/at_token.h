// Damage said with whose it is, by token: nothing personal.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {

// DataLoss gets the contact's token in front and says what to do; any other status stays as it is.
inline absl::Status AtToken(std::int64_t token, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return WithHint(
      absl::DataLossError(
          absl::StrCat(FormatToken(token), ": ", absl::string_view(status.message()))),
      "Somebody changed the vault's files. 'sealbook doctor' lists what does not count.");
}

}  // namespace sealbook::records
