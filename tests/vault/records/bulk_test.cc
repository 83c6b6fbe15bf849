// Batches that are large enough for the short cuts of a bulk import: index rows that wait in a
// table of their own, and a filter that is asked before the index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/test_vault.h"
#include "vault/records/hash_filter.h"
#include "vault/records/index.h"

namespace sealbook::records {
namespace {

using Outcome = DraftResult::Outcome;
using sealbook::testing::TestVault;
using ::testing::Each;
using ::testing::Field;

constexpr int kBatch = 600;

std::vector<ContactDraft> People(int first, int count) {
  std::vector<ContactDraft> drafts;
  for (int i = first; i < first + count; ++i)
    drafts.push_back(TestVault::Draft(absl::StrCat(10000000 + i)));
  return drafts;
}

class BulkTest : public ::testing::Test {
 protected:
  BulkTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    owner_ = vault_.Unlock(TestVault::kOwner);
    auto writer = ContactWriter::Open(*owner_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_.emplace(*std::move(writer));
  }
  std::vector<DraftResult> Write(const std::vector<ContactDraft>& drafts) {
    const BatchOptions options{.books = {owner_->roster().FindBook("seoul")->id},
                               .on_duplicate = OnDuplicate::kSkip,
                               .event = [](const auto&) { return audit::Event{.act = "import"}; }};
    auto results = writer_->WriteBatch(drafts, options);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : std::vector<DraftResult>();
  }
  static auto All(Outcome outcome) { return Each(Field(&DraftResult::outcome, outcome)); }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> owner_;
  std::optional<ContactWriter> writer_;
};

TEST_F(BulkTest, PeopleOfEarlierBatchesAreDuplicates) {
  for (int i = 0; i < 4; ++i)
    EXPECT_THAT(Write(People(i * kBatch, kBatch)), All(Outcome::kImported));
  EXPECT_GT(*owner_->store().CountRecentIndex(), 0);
  for (int i = 0; i < 4; ++i)
    EXPECT_THAT(Write(People(i * kBatch, kBatch)), All(Outcome::kDuplicate));
}

TEST_F(BulkTest, PeopleWhomAnotherProcessAddedInBetweenAreDuplicates) {
  EXPECT_THAT(Write(People(0, kBatch)), All(Outcome::kImported));
  const auto other = vault_.Unlock(TestVault::kOwner);
  ASSERT_TRUE(TestVault::Import(*other, People(kBatch, kBatch), {"seoul"}).ok());
  EXPECT_THAT(Write(People(kBatch, kBatch)), All(Outcome::kDuplicate));
  EXPECT_THAT(Write(People(0, kBatch)), All(Outcome::kDuplicate));
  EXPECT_THAT(Write(People(2 * kBatch, kBatch)), All(Outcome::kImported));
}

TEST_F(BulkTest, IdentifierThatThisProcessChangedInBetweenIsFound) {
  const auto first = Write(People(0, kBatch));
  ASSERT_EQ(first.size(), std::size_t{kBatch});
  ASSERT_TRUE(ChangeContact(*owner_, first[0].contact,
                            [](const store::ContactRow&) -> absl::StatusOr<ContactChange> {
                              return ContactChange{
                                  .classes = {},
                                  .added = {{IdentifierKind::kEmail, "new@example.com"}}};
                            },
                            {.act = "set"})
                  .ok());
  std::vector<ContactDraft> drafts = People(kBatch, kBatch);
  drafts[7].identifiers = {{IdentifierKind::kEmail, "new@example.com"}};
  const auto results = Write(drafts);
  EXPECT_EQ(results[7].outcome, Outcome::kDuplicate);
  EXPECT_EQ(results[7].contact, first[0].contact);
}

TEST_F(BulkTest, VaultThatHoldsPeopleIsFilteredFromItsIndex) {
  EXPECT_THAT(Write(People(0, kBatch)), All(Outcome::kImported));
  auto again = ContactWriter::Open(*owner_);
  ASSERT_TRUE(again.ok());
  writer_.emplace(*std::move(again));
  for (int i = 1; i < 7; ++i)
    EXPECT_THAT(Write(People(i * kBatch, kBatch)), All(Outcome::kImported));
  for (int i = 0; i < 7; ++i)
    EXPECT_THAT(Write(People(i * kBatch, kBatch)), All(Outcome::kDuplicate));
}

TEST(HashFilterTest, HoldsWhatWasAddedAndHardlyAnythingElse) {
  HashFilter filter;
  std::vector<crypto::Hash128> in(1000), out(1000);
  for (auto& hash : in) crypto::FillRandom(hash);
  for (auto& hash : out) crypto::FillRandom(hash);
  for (const auto& hash : in) filter.Add(hash);
  EXPECT_THAT(
      in, Each(::testing::ResultOf([&](const auto& hash) { return filter.MayHold(hash); }, true)));
  EXPECT_LT(
      std::count_if(out.begin(), out.end(), [&](const auto& hash) { return filter.MayHold(hash); }),
      5);
}

}  // namespace
}  // namespace sealbook::records
