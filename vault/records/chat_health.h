// Chats held against "What counts" (docs/format.md), as far as a member's keys reach: a part of
// vault/records/health.h.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "vault/keyring/keyring.h"

namespace sealbook::records {

struct ChatHealth {
  std::int64_t chunks = 0, messages = 0;
};

// Inside one view of the vault. `fault` is told of each, with its token; `step` is called for each
// row and may end it.
absl::Status CheckChats(keyring::Keyring& keyring, const std::function<absl::Status()>& step,
                        const std::function<void(absl::string_view)>& fault, ChatHealth& seen);

}  // namespace sealbook::records
