// Secret bytes: move-only, wiped, never printed, compared in constant time.
//
// Two kinds, because locked memory is scarce (RLIMIT_MEMLOCK is often 8 MiB):
//   Key<Purpose>   32 bytes in guarded, locked memory, excluded from core dumps. For every key.
//   SecretBytes    any length, in ordinary memory, wiped when it goes. For opened values.
//
// A key's purpose is part of its type, so that an index key cannot seal a field. Its bytes are
// reached through ExposeBytes() alone, which is easy to grep for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vault/crypto/bytes.h"
#include "vault/ids.h"

namespace sealbook::crypto {

inline constexpr std::size_t kKeyBytes = 32;

// Prepares the process for secrets: starts libsodium, switches core dumps off, makes the process
// undumpable (PR_SET_DUMPABLE) and asks for as much locked memory as the system grants. Call first
// thing in main; calling it again does no harm. Internal: one of the first three does not work.
absl::Status PrepareProcess();

// False where the system did not let all memory of keys be locked (RLIMIT_MEMLOCK), so that a key
// may reach the swap space. Keys work all the same: whoever talks to the user says so.
bool KeyMemoryIsLocked();

// Overwrites `size` bytes in a way that no optimizer removes (sodium_memzero).
void Wipe(void* bytes, std::size_t size);
void Wipe(std::string& text);  // wipes all that it ever held in its present memory, and clears it
// Different lengths are different at once: lengths are no secrets.
bool EqualInConstantTime(ByteView a, ByteView b);

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);  // zeros
  static SecretBytes CopyOf(ByteView bytes);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;  // wipes what was here
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView ExposeBytes() const { return {bytes_.get(), size_}; }
  std::span<std::uint8_t> ExposeMutable() { return {bytes_.get(), size_}; }
  absl::string_view ExposeText() const { return AsText(ExposeBytes()); }
  void Truncate(std::size_t size);  // wipes the tail

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

namespace internal {
// One 32-byte slot of a slab of guarded memory (sodium_malloc costs 23 us a call, so slots share
// one). All zeros. Thread-safe. Never fails: without any memory left the process ends.
std::uint8_t* AllocateKeySlot();
void FreeKeySlot(std::uint8_t* slot);  // wipes
}  // namespace internal

template <typename Purpose>
class Key {
 public:
  static Key Random();
  // `bytes` must be kKeyBytes long (checked); the caller still owns and wipes its copy.
  static Key CopyOf(ByteView bytes);

  // A moved-from key has no bytes: reading them ends the process.
  Key(Key&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  Key& operator=(Key&& other) noexcept {  // wipes what was here
    if (this == &other) return *this;
    Key old(std::move(*this));
    slot_ = std::exchange(other.slot_, nullptr);
    return *this;
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() {
    if (slot_ != nullptr) internal::FreeKeySlot(slot_);
  }

  Key Duplicate() const { return CopyOf(ExposeBytes()); }
  ByteView ExposeBytes() const { return {slot_, kKeyBytes}; }

 private:
  friend struct KeyAccess;
  Key() : slot_(internal::AllocateKeySlot()) {}
  std::uint8_t* slot_;
};

// For code that computes a key in place; only vault/crypto includes what uses it.
struct KeyAccess {
  template <typename Purpose>
  static Key<Purpose> Empty() {
    return Key<Purpose>();
  }
  template <typename Purpose>
  static std::span<std::uint8_t> Mutable(Key<Purpose>& key) {
    return {key.slot_, kKeyBytes};
  }
};

// The purposes. A new one gets a type here and a label of its own where it is derived.
struct UnlockPurpose;       // from a passphrase, a recovery code or a key file; opens a bundle
struct DatabasePurpose;     // SQLCipher's raw key
struct ExchangePurpose;     // an X25519 secret: of a member, a compartment, a session
struct SigningPurpose;      // an Ed25519 seed
struct SessionPurpose;      // s(P): what a session shares with one compartment
struct ValuePurpose;        // K(contact, class, revision)
struct WrapPurpose;         // seals value keys for one book
struct IndexHashPurpose;    // finds identifiers
struct IndexTagPurpose;     // binds an index row to its contact
struct EpochLinkPurpose;    // seals an older epoch's secret under a newer one's
struct ChatPurpose;         // K(contact, session)
struct ChatTagPurpose;      // knows messages again
struct ChatTagSealPurpose;  // seals that key
struct SuppressionPurpose;  // knows the identifiers of erased contacts again
struct SpillPurpose;  // seals what a process puts aside on a disk for itself; random, never kept
using UnlockKey = Key<UnlockPurpose>;
using DatabaseKey = Key<DatabasePurpose>;
using ExchangeSecret = Key<ExchangePurpose>;
using SigningSeed = Key<SigningPurpose>;
using SessionSecret = Key<SessionPurpose>;
using ValueKey = Key<ValuePurpose>;
using WrapKey = Key<WrapPurpose>;
using IndexHashKey = Key<IndexHashPurpose>;
using IndexTagKey = Key<IndexTagPurpose>;
using EpochLinkKey = Key<EpochLinkPurpose>;
using ChatKey = Key<ChatPurpose>;
using ChatTagKey = Key<ChatTagPurpose>;
using ChatTagSealKey = Key<ChatTagSealPurpose>;
using SuppressionKey = Key<SuppressionPurpose>;
using SpillKey = Key<SpillPurpose>;

}  // namespace sealbook::crypto

#include "vault/crypto/secret_inl.h"
