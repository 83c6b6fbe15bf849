// The numbers by which the vault names its own things. None of them says anything about a person.
#pragma once

#include <cstdint>
#include <span>

namespace sealbook {

using ByteView = std::span<const std::uint8_t>;

// Members and books are numbered in the roster, from 1; the root book is 0 and holds every contact.
enum class MemberId : std::uint32_t {};
enum class BookId : std::uint32_t {};
inline constexpr BookId kRootBook{0};

// A contact's sequential number inside this vault, from 1. Never reused, never shown: outside, a
// contact is known by its token.
using ContactNumber = std::int64_t;

// Sets of fields with one key. Numbers are permanent; 16 to 127 are the policy's own.
enum class ClassId : std::uint8_t {
  kIdentity = 1,
  kMasked = 2,
  kProfile = 3,
  kSensitive = 4,
  kChat = 5,
  kFirstCustom = 16,
  kLastCustom = 127,
  // In the root book only; they hold no fields.
  kIndex = 254,
  kAudit = 255,
};

// The kinds of values that find a contact. Numbers are permanent: they go into the index's hashes.
enum class IdentifierKind : std::uint8_t {
  kPhone = 1,       // E.164
  kEmail = 2,       // lower case
  kWhatsAppId = 3,  // business-scoped user id (BSUID)
  kJid = 4,         // WhatsApp JID that is no phone number
  kUsername = 5,    // lower case, without @
  kRow = 100,       // a whole row without any identifier
};

}  // namespace sealbook
