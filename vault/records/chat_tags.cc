#include "vault/records/chat_tags.h"

#include <algorithm>

#include "vault/crypto/aead.h"
#include "vault/crypto/derive.h"
#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kSealLabel = "sealbook-chatt-1";
// What a tag is made from: the id that the service gave, or what the message says.
constexpr std::uint8_t kById = 1, kByContent = 2;

crypto::Bytes SealPlace(const keyring::VaultId& vault, std::uint32_t epoch) {
  crypto::ByteWriter out;
  out.Raw(crypto::AsBytes(kSealLabel)).Raw(vault).U32(epoch);
  return out.Take();
}

crypto::Bytes Sealed(keyring::Keyring& keyring, const crypto::ExchangePair& index,
                     std::uint32_t epoch, const crypto::ChatTagKey& key) {
  return crypto::Seal(crypto::DeriveChatTagSealKey(index.secret()),
                      SealPlace(keyring.roster().vault, epoch), key.ExposeBytes());
}

std::uint32_t IndexEpoch(const keyring::Keyring& keyring) {
  return keyring.roster().FindCompartment(kRootBook, ClassId::kIndex)->epoch;
}

std::int64_t MinuteOf(std::int64_t time) { return time >= 0 ? time / 60 : -((-time + 59) / 60); }

}  // namespace

absl::StatusOr<ChatTags> ChatTags::Open(keyring::Keyring& keyring) {
  RETURN_IF_ERROR(keyring.CompartmentPair(kRootBook, ClassId::kIndex).status());
  ASSIGN_OR_RETURN(const auto row, keyring.store().GetChatTagKey());
  if (!row) return absl::NotFoundError("there are no chats");
  const auto& [epoch, sealed] = *row;
  ASSIGN_OR_RETURN(const crypto::ExchangePair* index,
                   keyring.CompartmentPair(kRootBook, ClassId::kIndex, epoch));
  auto key =
      crypto::OpenKey<crypto::ChatTagPurpose>(crypto::DeriveChatTagSealKey(index->secret()),
                                              SealPlace(keyring.roster().vault, epoch), sealed);
  if (!key.ok()) return absl::DataLossError("the key of the chats' tags was altered");
  return ChatTags(keyring, *std::move(key));
}

absl::StatusOr<ChatTags> ChatTags::OpenOrMake(keyring::Keyring& keyring) {
  auto there = Open(keyring);
  if (!absl::IsNotFound(there.status())) return there;
  const std::uint32_t epoch = IndexEpoch(keyring);
  ASSIGN_OR_RETURN(const crypto::ExchangePair* index,
                   keyring.CompartmentPair(kRootBook, ClassId::kIndex, epoch));
  crypto::ChatTagKey key = crypto::ChatTagKey::Random();
  RETURN_IF_ERROR(keyring.store().PutChatTagKey(epoch, Sealed(keyring, *index, epoch, key)));
  return ChatTags(keyring, std::move(key));
}

absl::StatusOr<bool> ChatTags::SealAgain(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto row, keyring.store().GetChatTagKey());
  const std::uint32_t epoch = IndexEpoch(keyring);
  if (!row || row->first == epoch) return false;
  ASSIGN_OR_RETURN(const ChatTags tags, Open(keyring));
  ASSIGN_OR_RETURN(const crypto::ExchangePair* index,
                   keyring.CompartmentPair(kRootBook, ClassId::kIndex, epoch));
  RETURN_IF_ERROR(keyring.store().PutChatTagKey(epoch, Sealed(keyring, *index, epoch, tags.key_)));
  return true;
}

ChatTag ChatTags::TagOf(ContactNumber contact, const ChatEntry& entry,
                        std::uint32_t occurrence) const {
  crypto::ByteWriter head;
  head.U64(static_cast<std::uint64_t>(contact));
  crypto::Hash128 hash;
  if (!entry.id.empty()) {
    head.U8(kById);
    hash = crypto::KeyedHash128(key_.ExposeBytes(), "sealbook/chat-tag/1",
                                {head.bytes(), crypto::AsBytes(entry.id)});
  } else {
    // By the minute, as half of the exports have no seconds; and placeholders by what they stand
    // for, as their words are of the phone's language.
    const bool placeholder = entry.kind == ChatKind::kMedia || entry.kind == ChatKind::kDeleted;
    head.U8(kByContent).U64(static_cast<std::uint64_t>(MinuteOf(entry.time)));
    head.U8(static_cast<std::uint8_t>(entry.direction)).U8(static_cast<std::uint8_t>(entry.kind));
    head.U32(occurrence);
    hash = crypto::KeyedHash128(key_.ExposeBytes(), "sealbook/chat-tag/1",
                                {head.bytes(), crypto::AsBytes(placeholder ? "" : entry.text)});
  }
  ChatTag tag{};
  std::copy_n(hash.begin(), tag.size(), tag.begin());
  return tag;
}

crypto::SuppressionKey ChatTags::SuppressionKey() const {
  return crypto::DeriveKey<crypto::SuppressionPurpose>(key_, "sealbook/suppression-key/1", {});
}

crypto::Hash128 ChatTags::CheckOf(ContactNumber contact, std::int32_t day, ByteView tags) const {
  crypto::ByteWriter place;
  place.U64(static_cast<std::uint64_t>(contact)).U32(static_cast<std::uint32_t>(day));
  return crypto::KeyedHash128(key_.ExposeBytes(), "sealbook/chat-tags/1", {place.bytes(), tags});
}

absl::Status ChatTags::Check(ContactNumber contact, std::int32_t day, ByteView stored) const {
  constexpr std::size_t kCheckBytes = sizeof(crypto::Hash128);
  if (stored.size() >= kCheckBytes) {
    const ByteView tags = stored.first(stored.size() - kCheckBytes);
    if (tags.size() % sizeof(ChatTag) == 0 &&
        crypto::EqualInConstantTime(CheckOf(contact, day, tags), stored.last(kCheckBytes))) {
      return absl::OkStatus();
    }
  }
  return absl::DataLossError("the tags of a day's messages were altered");
}

absl::StatusOr<std::vector<ChatTag>> ChatTags::Get(ContactNumber contact, std::int32_t day) const {
  std::vector<ChatTag> tags;
  crypto::Bytes stored;
  ASSIGN_OR_RETURN(const bool found, keyring_->store().GetChatTags(contact, day, stored));
  if (!found) return tags;
  RETURN_IF_ERROR(Check(contact, day, stored));
  tags.resize((stored.size() - sizeof(crypto::Hash128)) / sizeof(ChatTag));
  for (std::size_t i = 0; i < tags.size(); ++i)
    std::copy_n(stored.begin() + static_cast<std::ptrdiff_t>(i * sizeof(ChatTag)), sizeof(ChatTag),
                tags[i].begin());
  return tags;
}

absl::Status ChatTags::Put(ContactNumber contact, std::int32_t day,
                           const std::vector<ChatTag>& tags) const {
  crypto::Bytes stored;
  stored.reserve(tags.size() * sizeof(ChatTag) + sizeof(crypto::Hash128));
  for (const ChatTag& tag : tags) stored.insert(stored.end(), tag.begin(), tag.end());
  const crypto::Hash128 check = CheckOf(contact, day, stored);
  stored.insert(stored.end(), check.begin(), check.end());
  return keyring_->store().PutChatTags(contact, day, stored);
}

}  // namespace sealbook::records
