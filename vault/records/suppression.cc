#include "vault/records/suppression.h"

#include "vault/records/chat_tags.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

crypto::Hash128 HashOf(const crypto::SuppressionKey& key, const IdentifierValue& identifier) {
  const std::uint8_t kind = static_cast<std::uint8_t>(identifier.kind);
  return crypto::KeyedHash128(key.ExposeBytes(), "sealbook/suppression/1",
                              {ByteView(&kind, 1), crypto::AsBytes(identifier.value)});
}

}  // namespace

absl::StatusOr<std::optional<Suppressions>> Suppressions::Open(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const std::int64_t count, keyring.store().CountSuppressions());
  if (count == 0) return std::nullopt;
  auto tags = ChatTags::Open(keyring);
  // Whoever deleted its row wants them back.
  if (absl::IsNotFound(tags.status()))
    return absl::DataLossError("the key of the suppressed identifiers is missing");
  RETURN_IF_ERROR(tags.status());
  return Suppressions(keyring, tags->SuppressionKey());
}

absl::Status Suppressions::Add(keyring::Keyring& keyring,
                               std::span<const IdentifierValue> identifiers) {
  ASSIGN_OR_RETURN(const ChatTags tags, ChatTags::OpenOrMake(keyring));
  const crypto::SuppressionKey key = tags.SuppressionKey();
  for (const IdentifierValue& identifier : identifiers)
    RETURN_IF_ERROR(keyring.store().PutSuppression(HashOf(key, identifier)));
  return absl::OkStatus();
}

absl::StatusOr<bool> Suppressions::Contains(const IdentifierValue& identifier) const {
  return keyring_->store().HasSuppression(HashOf(key_, identifier));
}

}  // namespace sealbook::records
