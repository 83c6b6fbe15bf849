// Chats in a TestVault: writing them as a member, and reading them as another.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/test_vault.h"
#include "vault/records/chat_log.h"
#include "vault/records/chat_writer.h"

namespace sealbook::testing {

// 2024-03-11 09:00:00 UTC.
inline constexpr std::int64_t kMonday = 1710147600;

inline records::DraftMessage Message(std::int64_t time, absl::string_view text,
                                     records::ChatDirection direction = records::ChatDirection::kIn,
                                     std::uint32_t occurrence = 1) {
  return {.entry = {.time = time, .direction = direction, .text = std::string(text)},
          .occurrence = occurrence};
}

inline absl::StatusOr<std::vector<records::ChatDraftResult>> WriteChats(
    keyring::Keyring& keyring, const std::vector<records::ChatDraft>& drafts) {
  auto writer = records::ChatWriter::Open(keyring);
  if (!writer.ok()) return writer.status();
  return writer->WriteBatch(drafts, [](const auto&) { return audit::Event{.act = "chat.import"}; });
}

// Texts, oldest first. An error is its message.
inline std::vector<std::string> ChatSeenBy(keyring::Keyring& keyring, ContactNumber contact) {
  std::vector<std::string> texts;
  const absl::Status status = records::ChatLog(keyring).EachBack(
      TestVault::PermitFor(keyring), contact,
      [&](const records::ChatEntry& entry) -> absl::StatusOr<bool> {
        texts.insert(texts.begin(), entry.text);
        return true;
      });
  if (!status.ok()) texts.push_back("error: " + std::string(status.message()));
  return texts;
}

}  // namespace sealbook::testing
