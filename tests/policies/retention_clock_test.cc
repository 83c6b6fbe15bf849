// Whether expiry can be told by the clock: logs whose rows were written at chosen times.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "policies/retention.h"
#include "tests/support/policy_vault.h"
#include "vault/audit/log.h"

namespace sealbook::policies {
namespace {

using ::sealbook::testing::PolicyVault;

constexpr absl::Duration kDay = absl::Hours(24);

class RetentionClockTest : public ::testing::Test {
 public:
  RetentionClockTest() : owner_(vault_.Unlock("owner")) {}

  // A log with one row for each age, oldest first; negative: in the time to come.
  void SetLog(const std::vector<absl::Duration>& ages) {
    store::Store& store = owner_->store();
    if (first_.empty()) {
      const auto first = store.GetAudit(1);
      ASSERT_TRUE(first.ok() && first->has_value());
      first_ = **first;
    }
    const auto record = audit::Record::Parse(first_);
    ASSERT_TRUE(record.ok()) << record.status();
    // The row's own numbers, as they stand in its bytes: sequence, then time.
    const crypto::Bytes numbers = Numbers(record->sequence, record->time_ms);
    auto transaction = store.BeginWrite();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(store.database().Execute("DELETE FROM audit").ok());
    for (std::size_t i = 0; i < ages.size(); ++i) {
      crypto::Bytes bytes = first_;
      const auto at = std::search(bytes.begin(), bytes.end(), numbers.begin(), numbers.end());
      ASSERT_NE(at, bytes.end());
      const auto sequence = static_cast<std::int64_t>(i) + 1;
      const crypto::Bytes own = Numbers(sequence, absl::ToUnixMillis(now_ - ages[i]));
      std::copy(own.begin(), own.end(), at);
      ASSERT_TRUE(store.InsertAudit(sequence, bytes).ok());
    }
    ASSERT_TRUE(transaction->Commit().ok());
  }
  absl::Status Check(bool accept_pause = false) { return CheckClock(*owner_, now_, accept_pause); }
  // Refused until somebody says that the clock is right.
  void ExpectPause() {
    EXPECT_TRUE(absl::IsFailedPrecondition(Check())) << Check();
    const absl::Status accepted = Check(true);
    EXPECT_TRUE(accepted.ok()) << accepted;
  }
  void ExpectGood() {
    for (const bool accept : {false, true}) {
      const absl::Status status = Check(accept);
      EXPECT_TRUE(status.ok()) << status;
    }
  }

 protected:
  static crypto::Bytes Numbers(std::int64_t sequence, std::int64_t time_ms) {
    crypto::ByteWriter out;
    out.U64(static_cast<std::uint64_t>(sequence)).U64(static_cast<std::uint64_t>(time_ms));
    return out.Take();
  }
  PolicyVault vault_;
  std::unique_ptr<keyring::Keyring> owner_;
  crypto::Bytes first_;  // the log's first row, as it was
  absl::Time now_ = absl::FromUnixMillis(absl::ToUnixMillis(absl::Now()));
};

TEST_F(RetentionClockTest, AVaultOfToday) { ExpectGood(); }

TEST_F(RetentionClockTest, AVaultThatIsUsed) {
  SetLog({2 * kDay, kDay});
  ExpectGood();
  SetLog({90 * kDay, 60 * kDay, 40 * kDay, 20 * kDay});
  ExpectGood();
  std::vector<absl::Duration> daily;
  for (int day = 400; day >= 0; --day) daily.push_back(day * kDay);
  SetLog(daily);
  ExpectGood();
}

TEST_F(RetentionClockTest, NobodySinceTooLong) {
  SetLog({kLongestPause});
  ExpectGood();
  SetLog({kLongestPause + absl::Seconds(1)});
  ExpectPause();
  SetLog({400 * kDay, 300 * kDay});
  ExpectPause();
}

TEST_F(RetentionClockTest, RowsWrittenUnderASuspectClockMakeItNoBetter) {
  // What unlocked and refused since the clock was set ahead, days ago even.
  SetLog({400 * kDay, 399 * kDay, 0 * kDay});
  ExpectPause();
  SetLog({400 * kDay, 399 * kDay, 20 * kDay, 19 * kDay, kDay, 0 * kDay});
  ExpectPause();
  SetLog({kLongestPause + absl::Seconds(1), 0 * kDay});
  ExpectPause();
  SetLog({kLongestPause, 0 * kDay});
  ExpectGood();
}

TEST_F(RetentionClockTest, APauseThatIsPastForLongIsForgotten) {
  std::vector<absl::Duration> ages = {400 * kDay, 399 * kDay};
  for (int day = 40; day >= 0; --day) ages.push_back(day * kDay);
  SetLog(ages);
  ExpectGood();
}

TEST_F(RetentionClockTest, AYoungVaultHasNoPauseBeforeItsFirstRow) {
  SetLog({kDay});
  ExpectGood();
  SetLog({30 * kDay});
  ExpectGood();
}

TEST_F(RetentionClockTest, BehindTheLogNothingHelps) {
  // Clocks of machines differ a little.
  SetLog({kDay, -absl::Minutes(5)});
  ExpectGood();
  for (const absl::Duration ahead : {absl::Minutes(5) + absl::Seconds(1), kDay, 400 * kDay}) {
    SetLog({kDay, -ahead});
    for (const bool accept : {false, true})
      EXPECT_TRUE(absl::IsFailedPrecondition(Check(accept))) << ahead << Check(accept);
  }
}

TEST_F(RetentionClockTest, ALogThatIsNotThereIsNoGoodOne) {
  SetLog({});
  EXPECT_TRUE(absl::IsDataLoss(Check())) << Check();
  SetLog({3 * kDay, 2 * kDay, kDay});
  ASSERT_TRUE(owner_->store().database().Execute("DELETE FROM audit WHERE sequence = 2").ok());
  EXPECT_TRUE(absl::IsDataLoss(Check())) << Check();
}

}  // namespace
}  // namespace sealbook::policies
