#include "vault/keyring/epochs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/test_vault.h"

namespace sealbook::keyring {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TestVault;

class EpochsTest : public ::testing::Test {
 protected:
  EpochsTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("jun", "agent", {"seoul", "busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    owner_ = vault_.Unlock("owner");
  }
  const Roster& Now() {
    EXPECT_TRUE(owner_->Refresh().ok());
    return owner_->roster();
  }
  BookId Book(const char* name) { return Now().FindBook(name)->id; }
  std::uint32_t Epoch(BookId book, ClassId class_id) {
    return Now().FindCompartment(book, class_id)->epoch;
  }
  // Compartments whose epoch is not 1.
  std::set<std::pair<BookId, ClassId>> Renewed() {
    std::set<std::pair<BookId, ClassId>> out;
    for (const Compartment& c : Now().compartments) {
      if (c.epoch != 1) out.insert({c.book, c.class_id});
    }
    return out;
  }
  std::int64_t Grants(MemberId member) {
    std::int64_t count = 0;
    EXPECT_TRUE(owner_->store()
                    .EachGrant([&](const store::GrantRow& row) {
                      count += row.member == member ? 1 : 0;
                      return absl::OkStatus();
                    })
                    .ok());
    return count;
  }

  TestVault vault_;
  std::unique_ptr<Keyring> owner_;
};

TEST_F(EpochsTest, DisablingAnAgentRenewsWhatTheAgentHeldAndNothingElse) {
  const BookId seoul = Book("seoul");
  const MemberId mina = Now().FindMember("mina")->id;
  ASSERT_TRUE(DisableMember(*owner_, "mina").ok());
  EXPECT_EQ(Renewed(),
            (std::set<std::pair<BookId, ClassId>>{
                {seoul, ClassId::kMasked}, {seoul, ClassId::kProfile}, {seoul, ClassId::kChat}}));
  EXPECT_EQ(Grants(mina), 0);
  EXPECT_FALSE(Now().FindMember("mina")->active);
  EXPECT_THAT(Now().BooksOf(mina), IsEmpty());
  EXPECT_THAT(*ListUndrained(*owner_), SizeIs(3));
  EXPECT_EQ(UndrainedFrom(owner_->history(), *Now().FindMember("mina"), *ListUndrained(*owner_)),
            3u);
  EXPECT_EQ(UndrainedFrom(owner_->history(), *Now().FindMember("jun"), *ListUndrained(*owner_)),
            0u);
  // Those who remain hold the new epoch, and through it the old one.
  auto jun = vault_.Unlock("jun");
  for (const std::uint32_t epoch : {1u, 2u})
    EXPECT_TRUE(jun->CompartmentPair(seoul, ClassId::kProfile, epoch).ok()) << epoch;
}

TEST_F(EpochsTest, DisablingAnAdminRenewsEverything) {
  const MemberId ada = Now().FindMember("ada")->id;
  ASSERT_TRUE(DisableMember(*owner_, "ada").ok());
  EXPECT_EQ(Renewed().size(), Now().compartments.size());
  EXPECT_EQ(Grants(ada), 0);
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(mina->Holds(Book("seoul"), ClassId::kProfile));
  EXPECT_FALSE(mina->Holds(Book("busan"), ClassId::kProfile));
}

TEST_F(EpochsTest, AnAdminWhoBecomesAnAgentKeepsTheBooksThatItIsIn) {
  ASSERT_TRUE(AddBookMember(*owner_, "seoul", "ada").ok());
  ASSERT_TRUE(ChangeRole(*owner_, "ada", "agent").ok());
  const BookId seoul = Book("seoul"), busan = Book("busan");
  EXPECT_EQ(Epoch(seoul, ClassId::kProfile), 1u);
  EXPECT_EQ(Epoch(seoul, ClassId::kIdentity), 2u);
  EXPECT_EQ(Epoch(busan, ClassId::kProfile), 2u);
  EXPECT_EQ(Epoch(kRootBook, ClassId::kProfile), 2u);
  auto ada = vault_.Unlock("ada");
  EXPECT_TRUE(ada->Holds(seoul, ClassId::kProfile));
  EXPECT_FALSE(ada->Holds(busan, ClassId::kProfile));
  // The book's secret, which was not renewed, is sealed to the root compartment's new epoch.
  owner_ = vault_.Unlock("owner");
  EXPECT_TRUE(owner_->Holds(seoul, ClassId::kProfile));
  EXPECT_TRUE(vault_.AddMember("new", "agent", {"seoul", "busan"}).ok());
  EXPECT_TRUE(vault_.Unlock("new")->Holds(seoul, ClassId::kProfile));
}

TEST_F(EpochsTest, NothingIsRenewedWhereNobodyLosesAnything) {
  ASSERT_TRUE(AddBookMember(*owner_, "busan", "mina").ok());
  ASSERT_TRUE(ChangeRole(*owner_, "mina", "supervisor").ok());
  ASSERT_TRUE(AddBook(*owner_, "tokyo").ok());
  EXPECT_THAT(Renewed(), IsEmpty());
  EXPECT_TRUE(vault_.Unlock("mina")->Holds(Book("busan"), ClassId::kSensitive));
}

TEST_F(EpochsTest, LeavingABookAndComingBackGivesTheNewEpoch) {
  ASSERT_TRUE(RemoveBookMember(*owner_, "seoul", "jun").ok());
  ASSERT_TRUE(AddBookMember(*owner_, "seoul", "jun").ok());
  EXPECT_EQ(Epoch(Book("seoul"), ClassId::kProfile), 2u);
  EXPECT_TRUE(vault_.Unlock("jun")->Holds(Book("seoul"), ClassId::kProfile));
  EXPECT_TRUE(absl::IsNotFound(RemoveBookMember(*owner_, "busan", "mina")));
  EXPECT_TRUE(absl::IsNotFound(RemoveBookMember(*owner_, "tokyo", "mina")));
}

TEST_F(EpochsTest, OldEpochsOpenByTheirLinksAlone) {
  const BookId seoul = Book("seoul");
  ASSERT_TRUE(RotateBook(*owner_, "seoul").ok());
  ASSERT_TRUE(RotateBook(*owner_, "seoul").ok());
  const auto fresh = [&] { owner_ = vault_.Unlock("owner"); };
  fresh();
  for (const std::uint32_t epoch : {1u, 2u, 3u})
    EXPECT_TRUE(owner_->CompartmentPair(seoul, ClassId::kProfile, epoch).ok()) << epoch;
  // Swapped, altered, missing: each is damage, and the newest epoch is not concerned.
  const char* const damages[] = {
      "UPDATE epoch_link SET sealed = (SELECT sealed FROM epoch_link l WHERE l.book = "
      "epoch_link.book AND l.class = epoch_link.class AND l.epoch = 3 - epoch_link.epoch)",
      "UPDATE epoch_link SET sealed = (SELECT sealed FROM epoch_link l WHERE l.epoch = "
      "epoch_link.epoch AND l.class = 1) WHERE class = 3",
      "UPDATE epoch_link SET sealed = zeroblob(72)", "UPDATE epoch_link SET sealed = x''",
      "DELETE FROM epoch_link"};
  for (const char* damage : damages) {
    fresh();
    auto transaction = owner_->store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(owner_->store().database().Execute(damage).ok()) << damage;
    EXPECT_TRUE(absl::IsDataLoss(owner_->CompartmentPair(seoul, ClassId::kProfile, 1).status()))
        << damage;
    EXPECT_TRUE(owner_->CompartmentPair(seoul, ClassId::kProfile, 3).ok()) << damage;
  }
}

TEST_F(EpochsTest, AReplayedGrantOfAnOlderEpochGivesNothing) {
  const BookId seoul = Book("seoul");
  const Member mina = *Now().FindMember("mina");
  store::GrantRow grant{
      .member = mina.id, .book = seoul, .class_id = ClassId::kProfile, .epoch = 1, .sealed = {}};
  grant.sealed = **owner_->store().GetGrant(mina.id, seoul, ClassId::kProfile, 1);
  ASSERT_TRUE(RemoveBookMember(*owner_, "seoul", "mina").ok());
  const auto plant = [&] {
    auto transaction = owner_->store().BeginWrite();
    ASSERT_TRUE(owner_->store().PutGrant(grant).ok() && transaction->Commit().ok());
  };
  plant();
  EXPECT_FALSE(vault_.Unlock("mina")->Holds(seoul, ClassId::kProfile));
  grant.epoch = 2;  // and moved to the epoch of today
  plant();
  EXPECT_TRUE(
      absl::IsDataLoss(vault_.Unlock("mina")->CompartmentPair(seoul, ClassId::kProfile).status()));
}

TEST_F(EpochsTest, AnAdminWhoWasRemovedSignsNothingMore) {
  auto ada = vault_.Unlock("ada");
  ASSERT_TRUE(DisableMember(*owner_, "ada").ok());
  // The next version, signed by ada as if nothing had happened.
  Roster forged = Now();
  ++forged.version;
  forged.previous = owner_->history().current_hash();
  forged.signer = ada->bundle().member;
  const crypto::Bytes document = forged.Sign(ada->bundle().signing);
  EXPECT_TRUE(absl::IsDataLoss(owner_->history().CheckNext(document).status()));
  auto transaction = owner_->store().BeginWrite();
  ASSERT_TRUE(owner_->store().InsertRoster(forged.version, document).ok() &&
              transaction->Commit().ok());
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("mina").status()));
}

TEST_F(EpochsTest, ASessionOfARemovedMemberCountsOnlyWhereItStoodAllAlong) {
  auto ada = vault_.Unlock("ada");
  ASSERT_TRUE(TestVault::Import(*ada, {TestVault::Draft("11112222")}, {"seoul"}).ok());
  ASSERT_TRUE(TestVault::Import(*ada, {TestVault::Draft("33334444")}, {"seoul"}).ok());
  ASSERT_TRUE(DisableMember(*owner_, "ada").ok());
  owner_ = vault_.Unlock("owner");
  EXPECT_TRUE(owner_->sessions().Get(1).ok());
  EXPECT_TRUE(owner_->sessions().Get(2).ok());
  // Another one in the place of the first, dated back, with the key that ada still has.
  Session forged = **owner_->sessions().Get(1), later = **owner_->sessions().Get(2);
  forged.ephemeral = crypto::ExchangePair::Generate().public_key();
  const crypto::Bytes record = forged.Sign(ada->bundle().signing);
  ASSERT_TRUE(CheckSession(1, record, owner_->history()).ok());  // by itself it is flawless
  {
    auto transaction = owner_->store().BeginWrite();
    ASSERT_TRUE(owner_->store().database().Execute("DELETE FROM session WHERE number = 1").ok() &&
                owner_->store().InsertSession(1, record).ok() && transaction->Commit().ok());
  }
  owner_ = vault_.Unlock("owner");
  EXPECT_TRUE(absl::IsDataLoss(owner_->sessions().Get(1).status()));
  EXPECT_TRUE(owner_->sessions().Get(2).ok());
  // Nor behind the last: the roster of that time ended where it ended.
  later.number = 3;
  EXPECT_TRUE(absl::IsDataLoss(
      CheckSession(3, later.Sign(ada->bundle().signing), owner_->history()).status()));
}

TEST_F(EpochsTest, ARosterThatNoReaderWouldAcceptIsNotPublished) {
  auto ada = vault_.Unlock("ada");
  const std::uint64_t version = Now().version;
  EXPECT_FALSE(PublishRoster(*ada, {.act = "x"}, [](Roster& next) {
                 next.members[0].active = false;  // the owner
                 return absl::OkStatus();
               }).ok());
  EXPECT_EQ(Now().version, version);
}

}  // namespace
}  // namespace sealbook::keyring
