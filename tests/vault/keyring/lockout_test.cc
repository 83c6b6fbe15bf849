#include "vault/keyring/lockout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "tests/support/test_vault.h"
#include "vault/keyring/files.h"

namespace sealbook::keyring {
namespace {

using testing::TestVault;

constexpr char kMina[] = "0123456789abcdef0123456789abcdef";
constexpr char kJun[] = "fedcba9876543210fedcba9876543210";

class LockoutTest : public ::testing::Test {
 protected:
  LockoutTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/lockout.json";
    EXPECT_TRUE(lockout().SetLimits({.after = 3, .lasts = absl::Minutes(15)}).ok());
  }
  ~LockoutTest() override { std::filesystem::remove_all(root_); }

  Lockout lockout() const { return Lockout(path_); }
  void Fail(const std::string& entry, int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(lockout().RecordFailure(entry, now_).ok());
  }
  absl::Duration Wait(const std::string& entry) {
    const auto wait = lockout().Admit(entry, now_);
    EXPECT_TRUE(wait.ok()) << wait.status();
    return wait.value_or(absl::InfiniteDuration());
  }
  bool LockedOut(const std::string& entry) {
    return absl::IsUnauthenticated(lockout().Admit(entry, now_).status());
  }

  std::string root_, path_;
  absl::Time now_ = absl::FromUnixSeconds(1800000000);
};

TEST_F(LockoutTest, FirstTryIsAdmittedAtOnce) { EXPECT_EQ(Wait(kMina), absl::ZeroDuration()); }

TEST_F(LockoutTest, WaitingDoublesWithEachWrongTry) {
  ASSERT_TRUE(lockout().SetLimits({.after = 100, .lasts = absl::Minutes(15)}).ok());
  for (const double seconds : {0.5, 1.0, 2.0, 4.0, 8.0, 8.0}) {  // no further than eight
    Fail(kMina, 1);
    EXPECT_EQ(Wait(kMina), absl::Seconds(seconds));
  }
  now_ += absl::Seconds(5);
  EXPECT_EQ(Wait(kMina), absl::Seconds(3));
  now_ += absl::Seconds(5);
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
}

TEST_F(LockoutTest, EntryIsLockedAfterTheLimitAndOpenAfterTheTime) {
  Fail(kMina, 2);
  EXPECT_FALSE(LockedOut(kMina));
  Fail(kMina, 1);
  EXPECT_TRUE(LockedOut(kMina));
  now_ += absl::Minutes(15) - absl::Seconds(1);
  EXPECT_TRUE(LockedOut(kMina));
  now_ += absl::Seconds(1);
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
}

TEST_F(LockoutTest, CountingBeginsAnewWhenTheLockHasRunOut) {
  Fail(kMina, 3);
  now_ += absl::Minutes(16);
  Fail(kMina, 1);
  EXPECT_FALSE(LockedOut(kMina));
  Fail(kMina, 2);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, TriesDuringTheLockMakeItLonger) {
  Fail(kMina, 3);
  now_ += absl::Minutes(14);
  Fail(kMina, 1);  // by a program that asks nobody
  now_ += absl::Minutes(14);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, OneEntryDoesNotLockAnother) {
  Fail(kMina, 5);
  EXPECT_TRUE(LockedOut(kMina));
  EXPECT_EQ(Wait(kJun), absl::ZeroDuration());
}

TEST_F(LockoutTest, ClockSetBackDoesNotOpenTheLock) {
  Fail(kMina, 3);
  now_ -= absl::Hours(24);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, SuccessForgetsTheCountAndHandsOverTheFailures) {
  Fail(kMina, 2);
  now_ += absl::Seconds(1);
  Fail(kJun, 1);
  const auto pending = lockout().RecordSuccess(kMina);
  ASSERT_TRUE(pending.ok()) << pending.status();
  ASSERT_EQ(pending->size(), 3u);
  EXPECT_EQ((*pending)[0].entry_id, kMina);
  EXPECT_EQ((*pending)[0].time, now_ - absl::Seconds(1));
  EXPECT_EQ((*pending)[2].entry_id, kJun);
  EXPECT_EQ((*pending)[2].time, now_);
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
  EXPECT_GT(Wait(kJun), absl::ZeroDuration());  // its own failures stay
}

TEST_F(LockoutTest, FailuresWaitUntilTheyAreForgotten) {
  Fail(kMina, 2);
  ASSERT_EQ(lockout().RecordSuccess(kMina)->size(), 2u);
  Fail(kJun, 1);                                          // after they were handed over
  ASSERT_EQ(lockout().RecordSuccess(kMina)->size(), 3u);  // the commit did not come
  ASSERT_TRUE(lockout().ForgetPending(2).ok());
  const auto rest = lockout().RecordSuccess(kMina);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].entry_id, kJun);
  ASSERT_TRUE(lockout().ForgetPending(99).ok());
  EXPECT_TRUE(lockout().RecordSuccess(kMina)->empty());
}

TEST_F(LockoutTest, LimitsAreKeptAndChangingThemKeepsTheCounts) {
  Fail(kMina, 3);
  ASSERT_TRUE(lockout().SetLimits({.after = 4, .lasts = absl::Minutes(1)}).ok());
  EXPECT_FALSE(LockedOut(kMina));
  Fail(kMina, 1);
  EXPECT_TRUE(LockedOut(kMina));
  now_ += absl::Minutes(1);
  EXPECT_FALSE(LockedOut(kMina));
}

// Locks that the policy orders.

TEST_F(LockoutTest, LockHoldsUntilItsTimeAndSaysForHowLong) {
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(60)).ok());
  const absl::Status status = lockout().Admit(kMina, now_).status();
  EXPECT_TRUE(absl::IsUnauthenticated(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "61 more minutes")) << status;
  EXPECT_TRUE(absl::IsUnauthenticated(lockout().CheckLock(kMina, now_)));
  EXPECT_EQ(Wait(kJun), absl::ZeroDuration());
  now_ += absl::Minutes(60) - absl::Milliseconds(1);
  EXPECT_TRUE(absl::StrContains(lockout().Admit(kMina, now_).status().message(), "1 more minute"));
  now_ += absl::Milliseconds(1);
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
  EXPECT_TRUE(lockout().CheckLock(kMina, now_).ok());
}

TEST_F(LockoutTest, LockIsNotEndedByTheRightPassphraseNorByWhatElseIsWritten) {
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(60)).ok());
  Fail(kMina, 1);
  EXPECT_EQ(lockout().RecordSuccess(kMina)->size(), 1u);
  ASSERT_TRUE(lockout().ForgetPending(1).ok());
  ASSERT_TRUE(lockout().SetLimits({.after = 4, .lasts = absl::Minutes(1)}).ok());
  Fail(kJun, 1);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, SecondLockMakesItLongerAndNeverShorter) {
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(60)).ok());
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(5)).ok());
  now_ += absl::Minutes(59);
  EXPECT_TRUE(LockedOut(kMina));
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(5)).ok());
  now_ += absl::Minutes(4);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, ClockSetBackDoesNotShortenTheLock) {
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(60)).ok());
  now_ -= absl::Hours(24 * 400);
  EXPECT_TRUE(LockedOut(kMina));
  now_ += absl::Hours(24 * 400) + absl::Minutes(59);
  EXPECT_TRUE(LockedOut(kMina));
}

TEST_F(LockoutTest, UnlockEndsBothKindsOfLockForThatEntryAlone) {
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(60)).ok());
  ASSERT_TRUE(lockout().Lock(kJun, now_ + absl::Minutes(60)).ok());
  Fail(kMina, 3);
  EXPECT_TRUE(*lockout().Unlock(kMina));
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
  EXPECT_TRUE(LockedOut(kJun));
  EXPECT_EQ(lockout().RecordSuccess(kMina)->size(), 3u);  // they still go into the audit log
  EXPECT_FALSE(*lockout().Unlock(kMina));
  Fail(kMina, 3);
  EXPECT_TRUE(LockedOut(kMina));
  EXPECT_TRUE(*lockout().Unlock(kMina));
  EXPECT_FALSE(LockedOut(kMina));
}

TEST_F(LockoutTest, FileOfAnEarlierVersionHasNoLocks) {
  std::ofstream(path_, std::ios::trunc)
      << R"({"after":3,"seconds":900,"counts":{")" << kJun
      << R"(":{"failures":3,"last_ms":1800000000000}},"pending":[]})";
  EXPECT_EQ(Wait(kMina), absl::ZeroDuration());
  ASSERT_TRUE(lockout().Lock(kMina, now_ + absl::Minutes(1)).ok());
  EXPECT_TRUE(LockedOut(kMina));
  EXPECT_TRUE(LockedOut(kJun));
}

TEST_F(LockoutTest, DamagedFileLocksNobodyOutAndStillCounts) {
  for (const char* contents :
       {"", "{", "[]", "null", R"({"seconds":-1,"counts":[],"pending":{}})",
        R"({"after":"x","counts":{"a":7},"pending":[7,{"entry":8}]})", R"({"locks":[1]})",
        R"({"locks":{"0123456789abcdef0123456789abcdef":"9"}})", "\xff\xfe\x00garbage"}) {
    std::ofstream(path_, std::ios::trunc) << contents;
    EXPECT_EQ(Wait(kMina), absl::ZeroDuration()) << contents;
    ASSERT_TRUE(lockout().RecordFailure(kMina, now_).ok()) << contents;
    EXPECT_GT(Wait(kMina), absl::ZeroDuration()) << contents;
  }
}

TEST_F(LockoutTest, HostileNumbersAreBounded) {
  std::ofstream(path_, std::ios::trunc)
      << R"({"after":9000000000,"seconds":9000000000,"counts":{")" << kMina
      << R"(":{"failures":9000000000,"last_ms":-9223372036854775808}}})";
  EXPECT_FALSE(LockedOut(kMina));  // long past, whatever the count
  std::ofstream(path_, std::ios::trunc)
      << R"({"after":1,"seconds":9000000000,"counts":{")" << kMina
      << R"(":{"failures":9000000000,"last_ms":9223372036854775807}}})";
  EXPECT_TRUE(LockedOut(kMina));
  Fail(kMina, 1);
  now_ += absl::Hours(24);  // the longest lock
  EXPECT_FALSE(LockedOut(kMina));
}

TEST_F(LockoutTest, EightAtOnceAreAllCounted) {
  ASSERT_TRUE(lockout().SetLimits({.after = 80, .lasts = absl::Minutes(15)}).ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) EXPECT_TRUE(lockout().RecordFailure(kMina, now_).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lockout().RecordSuccess(kMina)->size(), 40u);
}

TEST_F(LockoutTest, FileIsForTheGroupAndHoldsIdsAlone) {
  Fail(kMina, 1);
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  EXPECT_TRUE(absl::StrContains(*ReadSmallFile(path_, 10000), kMina));
}

// Through the whole of Unlock.

absl::Status TryWrong(const TestVault& vault, absl::string_view name) {
  return Keyring::Unlock(vault.paths(), {.name = std::string(name),
                                         .secret = {.kind = UnlockSecret::Kind::kPassphrase,
                                                    .bytes = TestVault::SecretOf("somebody else")}})
      .status();
}
int FailedUnlocksIn(Keyring& keyring) {
  int found = 0;
  EXPECT_TRUE(keyring.store()
                  .EachAudit(1,
                             [&](std::int64_t, ByteView bytes) {
                               if (audit::Record::Parse(bytes)->act == "unlock.failed") ++found;
                               return absl::OkStatus();
                             })
                  .ok());
  return found;
}

TEST(UnlockTest, WrongPassphraseIsUnauthenticatedAndReachesTheAuditLogOnce) {
  TestVault vault;
  EXPECT_TRUE(absl::IsUnauthenticated(TryWrong(vault, "owner")));
  EXPECT_EQ(FailedUnlocksIn(*vault.Unlock("owner")), 1);
  EXPECT_EQ(FailedUnlocksIn(*vault.Unlock("owner")), 1);
}

TEST(UnlockTest, UnknownNameIsUnauthenticated) {
  TestVault vault;
  EXPECT_TRUE(absl::IsUnauthenticated(TryWrong(vault, "nobody")));
  EXPECT_FALSE(absl::StrContains(*ReadSmallFile(vault.paths().lockout(), 10000), "nobody"));
}

TEST(UnlockTest, LockedOutMemberIsRefusedEvenWithTheRightPassphrase) {
  TestVault vault;
  const auto file = UnlockFile::Load(vault.paths().unlock());
  ASSERT_TRUE(file.ok());
  Lockout lockout(vault.paths().lockout());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lockout.RecordFailure(file->EntryId("owner"), absl::Now()).ok());
  }
  EXPECT_TRUE(absl::IsUnauthenticated(vault.TryUnlock("owner").status()));
}

TEST(UnlockTest, MemberWhomThePolicyLockedIsRefusedWithTheRightPassphraseUntilUnlocked) {
  TestVault vault;
  const auto file = UnlockFile::Load(vault.paths().unlock());
  ASSERT_TRUE(file.ok());
  Lockout lockout(vault.paths().lockout());
  ASSERT_TRUE(lockout.Lock(file->EntryId("owner"), absl::Now() + absl::Minutes(5)).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsUnauthenticated(vault.TryUnlock("owner").status()));
  }
  // Refused before the passphrase is tried, so that nobody learns whether a guess is right.
  const absl::Status wrong = TryWrong(vault, "owner");
  EXPECT_TRUE(absl::IsUnauthenticated(wrong));
  EXPECT_TRUE(absl::StrContains(wrong.message(), "more minute")) << wrong;
  EXPECT_TRUE(*lockout.Unlock(file->EntryId("owner")));
  EXPECT_EQ(FailedUnlocksIn(*vault.Unlock("owner")), 0);
}

TEST(UnlockTest, DirectoryWithoutAVaultIsNotFound) {
  TestVault vault;
  const VaultPaths elsewhere(vault.root() + "/elsewhere");
  EXPECT_TRUE(absl::IsNotFound(
      Keyring::Unlock(elsewhere, {.name = "owner",
                                  .secret = {.kind = UnlockSecret::Kind::kPassphrase,
                                             .bytes = TestVault::SecretOf("owner")}})
          .status()));
}

TEST_F(LockoutTest, AfterAWrongTryTheNextOnesAreMadeOneAtATime) {
  EXPECT_FALSE(lockout().WaitForTurn(kMina)->has_value());  // nothing to wait for
  Fail(kMina, 1);
  auto turn = lockout().WaitForTurn(kMina);
  ASSERT_TRUE(turn.ok() && turn->has_value());
  EXPECT_FALSE(lockout().WaitForTurn(kJun)->has_value());  // who made no mistake does not wait
  std::atomic<bool> second = false;
  std::thread other([&] {
    const auto next = lockout().WaitForTurn(kMina);
    second = next.ok() && next->has_value();
  });
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_FALSE(second);
  turn->reset();
  other.join();
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace sealbook::keyring
