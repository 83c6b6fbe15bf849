#include "vault/crypto/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

// What stood in the watched memory at the moment it was given back.
struct Watch {
  const void* memory = nullptr;
  std::size_t size = 0;
  int freed_clear = 0;
  int freed_wiped = 0;
};
thread_local Watch watch;

}  // namespace

#if !SEALBOOK_SANITIZED
// Memory that was given back cannot be read to see whether it was wiped; its way back can be
// watched. Sanitizers bring operators of their own.
// Not inlined: g++ would see free() where it expects the operator.
[[gnu::noinline]] void* operator new[](std::size_t size) {
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
  if (memory != nullptr && memory == watch.memory) {
    const auto* const bytes = static_cast<const std::uint8_t*>(memory);
    const bool wiped = std::all_of(bytes, bytes + watch.size, [](int byte) { return byte == 0; });
    ++(wiped ? watch.freed_wiped : watch.freed_clear);
    watch.memory = nullptr;
  }
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept { operator delete[](memory); }
#endif

namespace sealbook::crypto {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;
using ::testing::Eq;

static_assert(!std::is_copy_constructible_v<SecretBytes> &&
              !std::is_copy_assignable_v<SecretBytes>);
static_assert(!std::is_copy_constructible_v<ValueKey> && !std::is_copy_assignable_v<ValueKey>);
static_assert(std::is_nothrow_move_constructible_v<ValueKey>);
// A key's purpose is part of its type.
static_assert(!std::is_convertible_v<IndexHashKey, ValueKey>);
static_assert(!std::is_assignable_v<ValueKey&, IndexHashKey>);

const Bytes kSecret = {1, 2, 3, 4, 5, 6, 7, 8};

SecretBytes Watched() {
  SecretBytes bytes = SecretBytes::CopyOf(kSecret);
  watch = {bytes.ExposeBytes().data(), bytes.size(), 0, 0};
  return bytes;
}

TEST(SecretBytesTest, GivenBackMemoryIsWiped) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "the sanitizer has its own memory operators";
  { const SecretBytes bytes = Watched(); }
  EXPECT_EQ(watch.freed_wiped, 1);
  EXPECT_EQ(watch.freed_clear, 0);
}

TEST(SecretBytesTest, AssignedOverMemoryIsWiped) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "the sanitizer has its own memory operators";
  SecretBytes bytes = Watched();
  bytes = SecretBytes::CopyOf(Bytes{9});
  EXPECT_EQ(watch.freed_wiped, 1);
  EXPECT_EQ(watch.freed_clear, 0);
  EXPECT_THAT(bytes.ExposeBytes(), ElementsAreArray({9}));
}

TEST(SecretBytesTest, TruncatedMemoryIsWipedToItsOldEnd) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "the sanitizer has its own memory operators";
  {
    SecretBytes bytes = Watched();
    bytes.Truncate(2);
  }
  EXPECT_EQ(watch.freed_wiped, 1);
  EXPECT_EQ(watch.freed_clear, 0);
}

// The control of the three tests above: they would see memory that was not wiped.
TEST(SecretBytesTest, WatchSeesClearMemory) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "the sanitizer has its own memory operators";
  {
    auto bytes = std::make_unique<std::uint8_t[]>(4);
    bytes[3] = 1;
    watch = {bytes.get(), 4, 0, 0};
  }
  EXPECT_EQ(watch.freed_clear, 1);
}

TEST(SecretBytesTest, TruncateWipesTheTailAtOnce) {
  SecretBytes bytes = SecretBytes::CopyOf(kSecret);
  const std::uint8_t* const start = bytes.ExposeBytes().data();
  bytes.Truncate(3);
  EXPECT_THAT(bytes.ExposeBytes(), ElementsAreArray({1, 2, 3}));
  EXPECT_THAT(ByteView(start + 3, 5), Each(Eq(0)));
  bytes.Truncate(100);  // no way to grow
  EXPECT_EQ(bytes.size(), 3U);
}

TEST(SecretBytesTest, MovedFromIsEmpty) {
  SecretBytes from = SecretBytes::CopyOf(kSecret);
  SecretBytes to(std::move(from));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(from.ExposeBytes().empty());
  EXPECT_THAT(to.ExposeBytes(), ElementsAreArray(kSecret));
  SecretBytes again;
  again = std::move(to);
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_THAT(again.ExposeBytes(), ElementsAreArray(kSecret));
  to = SecretBytes::CopyOf(kSecret);  // usable again
  EXPECT_EQ(to.size(), kSecret.size());
}

TEST(SecretBytesTest, NewBytesAreZeroAndEmptyIsAllowed) {
  EXPECT_THAT(SecretBytes(1000).ExposeBytes(), Each(Eq(0)));
  EXPECT_TRUE(SecretBytes(0).empty());
  EXPECT_TRUE(SecretBytes::CopyOf({}).empty());
  EXPECT_EQ(SecretBytes().ExposeText(), "");
  EXPECT_EQ(SecretBytes::CopyOf(AsBytes("text")).ExposeText(), "text");
}

TEST(WipeTest, TextIsWipedWithWhatStoodThereBefore) {
  std::string text = "a passphrase much longer than a small string's buffer";
  text.resize(4);
  const char* const start = text.data();
  const std::size_t capacity = text.capacity();
  Wipe(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), start);
  text.resize(capacity, 'x');
  std::fill(text.begin(), text.end(), 'x');
  Wipe(text);
  text.reserve(capacity);
  EXPECT_THAT(AsBytes({text.data(), 0}), testing::IsEmpty());
  EXPECT_TRUE(std::all_of(start, start + capacity, [](char c) { return c == '\0'; }));
}

TEST(EqualInConstantTimeTest, ComparesBytesAndLength) {
  EXPECT_TRUE(EqualInConstantTime({}, {}));
  EXPECT_TRUE(EqualInConstantTime(kSecret, Bytes(kSecret)));
  EXPECT_FALSE(EqualInConstantTime(kSecret, ByteView(kSecret).first(7)));
  EXPECT_FALSE(EqualInConstantTime({}, kSecret));
  for (std::size_t i = 0; i < kSecret.size() * 8; ++i) {
    Bytes other = kSecret;
    other[i / 8] ^= static_cast<std::uint8_t>(1 << (i % 8));
    EXPECT_FALSE(EqualInConstantTime(kSecret, other)) << "bit " << i;
  }
}

TEST(KeyTest, SlotIsWipedWhenTheKeyGoes) {
  const std::uint8_t* slot;
  {
    const ValueKey key = ValueKey::CopyOf(Bytes(kKeyBytes, 0xa5));
    slot = key.ExposeBytes().data();
    ASSERT_THAT(ByteView(slot, kKeyBytes), Each(Eq(0xa5)));
  }
  // Slabs are never given back, so the slot can still be read.
  EXPECT_THAT(ByteView(slot, kKeyBytes), Each(Eq(0)));
}

TEST(KeyTest, SlotIsWipedWhenTheKeyIsAssignedOver) {
  ValueKey key = ValueKey::CopyOf(Bytes(kKeyBytes, 0xa5));
  ValueKey other = ValueKey::CopyOf(Bytes(kKeyBytes, 0x5a));
  const std::uint8_t* const slot = key.ExposeBytes().data();
  key = std::move(other);
  EXPECT_THAT(ByteView(slot, kKeyBytes), Each(Eq(0)));
  EXPECT_THAT(key.ExposeBytes(), Each(Eq(0x5a)));
}

TEST(KeyTest, AssignedToItselfStaysItself) {
  ValueKey key = ValueKey::CopyOf(Bytes(kKeyBytes, 0xa5));
  ValueKey& same = key;
  key = std::move(same);
  EXPECT_THAT(key.ExposeBytes(), Each(Eq(0xa5)));
}

TEST(KeyTest, DuplicateIsAnotherSlot) {
  const ValueKey key = ValueKey::Random();
  const ValueKey copy = key.Duplicate();
  EXPECT_TRUE(EqualInConstantTime(key.ExposeBytes(), copy.ExposeBytes()));
  EXPECT_NE(key.ExposeBytes().data(), copy.ExposeBytes().data());
}

TEST(KeyTest, RandomKeysDiffer) {
  const ValueKey a = ValueKey::Random();
  const ValueKey b = ValueKey::Random();
  EXPECT_FALSE(EqualInConstantTime(a.ExposeBytes(), b.ExposeBytes()));
  EXPECT_THAT(a.ExposeBytes(), testing::Not(Each(Eq(0))));
}

TEST(KeyDeathTest, CopyOfAnotherLengthEndsTheProcess) {
  for (const std::size_t size : {std::size_t{0}, kKeyBytes - 1, kKeyBytes + 1}) {
    EXPECT_DEATH(ValueKey::CopyOf(Bytes(size)), "") << size;
  }
}

TEST(KeySlotTest, EverySlotIsFreshAndItsOwn) {
  // More than two slabs.
  std::vector<std::uint8_t*> slots(5000);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i] = internal::AllocateKeySlot();
    ASSERT_THAT(ByteView(slots[i], kKeyBytes), Each(Eq(0)));
    std::fill_n(slots[i], kKeyBytes, static_cast<std::uint8_t>(i % 251 + 1));
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ASSERT_THAT(ByteView(slots[i], kKeyBytes), Each(Eq(i % 251 + 1))) << i;
  }
  for (std::uint8_t* const slot : slots) internal::FreeKeySlot(slot);
  std::sort(slots.begin(), slots.end());
  for (std::size_t i = 1; i < slots.size(); ++i) {
    ASSERT_GE(slots[i] - slots[i - 1], static_cast<std::ptrdiff_t>(kKeyBytes));
  }
  for (const std::uint8_t* const slot : slots) {
    ASSERT_THAT(ByteView(slot, kKeyBytes), Each(Eq(0)));
  }
}

TEST(KeySlotTest, FreedSlotIsUsedAgain) {
  std::uint8_t* const slot = internal::AllocateKeySlot();
  internal::FreeKeySlot(slot);
  std::uint8_t* const next = internal::AllocateKeySlot();
  EXPECT_EQ(next, slot);
  internal::FreeKeySlot(next);
}

TEST(KeySlotTest, ThreadsNeverShareASlot) {
  constexpr int kRounds = 2000;
  std::array<int, 4> overwritten{};
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < overwritten.size(); ++thread) {
    threads.emplace_back([&overwritten, thread] {
      const Bytes mark(kKeyBytes, static_cast<std::uint8_t>(thread + 1));
      for (int round = 0; round < kRounds; ++round) {
        std::vector<ValueKey> keys;
        for (int i = 0; i <= round % 7; ++i) keys.push_back(ValueKey::CopyOf(mark));
        for (const ValueKey& key : keys) {
          if (!EqualInConstantTime(key.ExposeBytes(), mark)) ++overwritten[thread];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(overwritten, Each(Eq(0)));
}

// One mapping of this process, as /proc/self/smaps describes it.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string permissions;
  std::string flags;
};

std::vector<Mapping> Mappings() {
  std::vector<Mapping> mappings;
  std::ifstream smaps("/proc/self/smaps");
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char permissions[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, permissions) == 3) {
      mappings.push_back({begin, end, permissions, ""});
    } else if (line.rfind("VmFlags:", 0) == 0 && !mappings.empty()) {
      mappings.back().flags = line.substr(8) + " ";
    }
  }
  return mappings;
}

TEST(KeySlotTest, MemoryIsGuardedLockedAndLeftOutOfCoreDumps) {
  const ValueKey key = ValueKey::Random();
  const auto address = reinterpret_cast<std::uintptr_t>(key.ExposeBytes().data());
  const std::vector<Mapping> mappings = Mappings();
  const auto mapping = std::find_if(mappings.begin(), mappings.end(), [&](const Mapping& m) {
    return m.begin <= address && address < m.end;
  });
  if (mapping == mappings.end() || mapping->flags.empty()) {
    GTEST_SKIP() << "this system does not describe its mappings";
  }
  EXPECT_EQ(mapping->permissions, "rw-p");
  EXPECT_THAT(mapping->flags, testing::HasSubstr(" dd "));
  // Sanitizers turn mlock into nothing.
  if (!SEALBOOK_SANITIZED && KeyMemoryIsLocked()) {
    EXPECT_THAT(mapping->flags, testing::HasSubstr(" lo "));
  }
  ASSERT_NE(mapping, mappings.begin());
  ASSERT_NE(std::next(mapping), mappings.end());
  EXPECT_EQ(std::prev(mapping)->end, mapping->begin);
  EXPECT_EQ(std::prev(mapping)->permissions, "---p");
  EXPECT_EQ(std::next(mapping)->begin, mapping->end);
  EXPECT_EQ(std::next(mapping)->permissions, "---p");
}

// In a child, which may give up its rights. Exit status: 0 as expected, 1 not, 2 cannot be tried.
[[noreturn]] void AskWithoutLockableMemory() {
  if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) _exit(2);
  for (int i = 0; i < 10'000; ++i) internal::AllocateKeySlot();  // certainly a new slab
  _exit(KeyMemoryIsLocked() ? 1 : 0);
}

TEST(KeyMemoryIsLockedDeathTest, UnlockableMemoryIsTold) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "sanitizers turn mlock into nothing";
  EXPECT_EXIT(AskWithoutLockableMemory(), testing::ExitedWithCode(0), "");
}

TEST(PrepareProcessDeathTest, CoreDumpsAreOffAfterOneOrTwoCalls) {
  const auto prepare = [] {
    for (int call = 0; call < 2; ++call) {
      if (!PrepareProcess().ok()) _exit(1);
      rlimit core{1, 1};
      if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) _exit(2);
      if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) _exit(3);
    }
    _exit(0);
  };
  EXPECT_EXIT(prepare(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sealbook::crypto
