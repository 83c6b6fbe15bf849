#include "vault/crypto/secret.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace sealbook::crypto {

absl::Status PrepareProcess() {
  if (sodium_init() < 0) return absl::InternalError("libsodium cannot be started");
  const rlimit none{0, 0};
  // A core image would hold clear values even where keys are excluded from it.
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return absl::InternalError("core dumps cannot be switched off");
  }
  // Where this does not help, KeyMemoryIsLocked() tells.
  rlimit lockable{};
  if (getrlimit(RLIMIT_MEMLOCK, &lockable) == 0 && lockable.rlim_cur < lockable.rlim_max) {
    lockable.rlim_cur = lockable.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &lockable);
  }
  return absl::OkStatus();
}

void Wipe(void* bytes, std::size_t size) {
  if (size > 0) sodium_memzero(bytes, size);
}
void Wipe(std::string& text) {
  text.resize(text.capacity());  // a longer text may have stood here before
  Wipe(text.data(), text.size());
  text.clear();
}
bool EqualInConstantTime(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

SecretBytes::SecretBytes(std::size_t size)
    : bytes_(size == 0 ? nullptr : new std::uint8_t[size]()), size_(size), capacity_(size) {}
SecretBytes SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.bytes_.get(), bytes.data(), bytes.size());
  return copy;
}
SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(other.size_), capacity_(other.capacity_) {
  other.size_ = other.capacity_ = 0;
}
SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  // The swap leaves what was here to `other`'s destructor, which wipes it.
  SecretBytes old(std::move(*this));
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}
SecretBytes::~SecretBytes() {
  if (bytes_) Wipe(bytes_.get(), capacity_);
}
void SecretBytes::Truncate(std::size_t size) {
  if (size >= size_) return;
  Wipe(bytes_.get() + size, size_ - size);
  size_ = size;
}

namespace internal {
namespace {

// 16 pages with the 16 bytes of sodium_malloc's canary: fits the smallest usual RLIMIT_MEMLOCK,
// 64 KiB, and keeps slots aligned.
constexpr std::size_t kSlabBytes = 64 * 1024 - kKeyBytes;

std::atomic<bool> all_slabs_locked{true};

// Slabs are never given back: keys in static storage may outlive any order of destruction, and
// their slots are wiped one by one.
class KeySlots {
 public:
  std::uint8_t* Allocate() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) AddSlab();
    std::uint8_t* slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void Free(std::uint8_t* slot) {
    sodium_memzero(slot, kKeyBytes);
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }

 private:
  void AddSlab() {
    // Guard pages around it, locked, left out of core dumps; overwritten slots stay inside.
    if (sodium_init() < 0) std::abort();
    void* slab = sodium_malloc(kSlabBytes);
    if (slab == nullptr) std::abort();
    // sodium_malloc locks its memory and does not say whether it could: asked a second time.
    if (sodium_mlock(slab, kSlabBytes) != 0) all_slabs_locked = false;
    slabs_.push_back(slab);
    auto* bytes = static_cast<std::uint8_t*>(slab);
    free_.reserve(slabs_.size() * (kSlabBytes / kKeyBytes));
    for (std::size_t at = kSlabBytes; at > 0; at -= kKeyBytes) {
      sodium_memzero(bytes + at - kKeyBytes, kKeyBytes);
      free_.push_back(bytes + at - kKeyBytes);
    }
  }
  std::mutex mutex_;
  std::vector<std::uint8_t*> free_;
  std::vector<void*> slabs_;
};

KeySlots& Slots() {
  static auto* const slots = new KeySlots;
  return *slots;
}

}  // namespace

std::uint8_t* AllocateKeySlot() { return Slots().Allocate(); }
void FreeKeySlot(std::uint8_t* slot) { Slots().Free(slot); }
void FillKey(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }
void CopyKey(ByteView from, std::span<std::uint8_t> out) {
  // A key of another length is a programming error that must not become a weak key.
  if (from.size() != out.size()) std::abort();
  std::memcpy(out.data(), from.data(), out.size());
}

}  // namespace internal

bool KeyMemoryIsLocked() {
  // The first slab is there from the first key on; ask when there is one.
  internal::FreeKeySlot(internal::AllocateKeySlot());
  return internal::all_slabs_locked;
}

}  // namespace sealbook::crypto
