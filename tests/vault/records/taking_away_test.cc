// Invariant 2, "Revoked is revoked", as attacks: what a member took along (secrets, and what they
// opened then) is tried on every later state of the files: at once, in the middle of the draining,
// and after it. What opens is compared with what may open, exactly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/attacker.h"
#include "tests/support/test_vault.h"
#include "vault/keyring/epochs.h"
#include "vault/records/draining.h"
#include "vault/records/health.h"

namespace sealbook {
namespace {

using records::ContactReader;
using testing::Attacker;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TestVault;
using testing::Times;
using testing::Values;

class TakingAwayTest : public ::testing::Test {
 protected:
  TakingAwayTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("jun", "agent", {"seoul", "busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("sujin", "supervisor", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    in_seoul_ = Import("11112222", {"seoul"});
    changed_ = Import("11113333", {"seoul"});
    in_busan_ = Import("33334444", {"busan"});
    in_both_ = Import("55556666", {"seoul", "busan"});
    in_none_ = Import("77778888", {});
    // Written by a member of the book: what it is worth must not hang on that member.
    auto jun = vault_.Unlock("jun");
    EXPECT_TRUE(TestVault::Set(*jun, in_both_, ClassId::kProfile, {{"name", "By Jun"}}).ok());
  }
  ContactNumber Import(absl::string_view tag, const std::vector<std::string>& books,
                       absl::string_view by = "service importer") {
    auto importer = vault_.Unlock(by);
    auto results = TestVault::Import(*importer, {TestVault::Draft(tag)}, books);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0].contact : 0;
  }
  BookId Book(const char* name) { return Owner().roster().FindBook(name)->id; }
  // As it is now; earlier ones live on.
  keyring::Keyring& Owner() {
    owners_.push_back(vault_.Unlock("owner"));
    return *owners_.back();
  }
  // What is written after the taking: a changed value, and a new contact.
  void WriteLater() {
    ASSERT_TRUE(TestVault::Set(Owner(), changed_, ClassId::kProfile, {{"name", "Later"}}).ok());
    ASSERT_TRUE(TestVault::Set(Owner(), changed_, ClassId::kMasked, {{"phone", "Later"}}).ok());
    later_ = Import("99990000", {"seoul"}, "owner");
  }
  records::DrainReport Drain(absl::string_view by = "owner",
                             std::function<bool()> interrupted = nullptr) {
    auto member = vault_.Unlock(by);
    records::DrainReport report;
    const absl::Status status = records::Drain(
        *member, {.identifiers_of = &TestVault::IdentifiersOf, .interrupted = interrupted}, report);
    EXPECT_TRUE(status.ok() || (interrupted && absl::IsCancelled(status))) << status;
    return report;
  }
  std::vector<keyring::Undrained> Undrained() { return *keyring::ListUndrained(Owner()); }
  // Everybody who should still read everything that they should, with nothing damaged.
  void ExpectHealthy() {
    auto owner = vault_.Unlock("owner");
    const auto checks = records::CheckHealth(*owner, {});
    ASSERT_TRUE(checks.ok()) << checks.status();
    for (const records::HealthCheck& check : *checks)
      EXPECT_TRUE(check.ok) << check.name << ": " << check.detail;
  }
  std::string NameSeenBy(absl::string_view member, ContactNumber contact) {
    auto keyring = vault_.Unlock(member);
    const auto read = ContactReader(*keyring).Read(TestVault::PermitFor(*keyring), contact);
    return read.ok() ? TestVault::ValueOf(*read, "name") : std::string(read.status().message());
  }

  absl::Status OwnerReads(ContactNumber contact) {
    keyring::Keyring& owner = Owner();
    return ContactReader(owner).Read(TestVault::PermitFor(owner), contact).status();
  }

  static inline const std::vector<ClassId> kAgents = {ClassId::kMasked, ClassId::kProfile};
  TestVault vault_;
  std::vector<std::unique_ptr<keyring::Keyring>> owners_;
  ContactNumber in_seoul_, changed_, in_busan_, in_both_, in_none_, later_ = 0;
};

TEST_F(TakingAwayTest, DisabledAgentOpensNothingThatIsWrittenLater) {
  Attacker mina;
  mina.Take(*vault_.Unlock("mina"));
  Values had = Times({in_seoul_, changed_, in_both_}, kAgents);
  had.erase({in_both_, ClassId::kProfile, 1});
  had.insert({in_both_, ClassId::kProfile, 2});
  ASSERT_EQ(mina.Opens(Owner()), had);

  ASSERT_TRUE(keyring::DisableMember(Owner(), "mina").ok());
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("mina").status()));
  EXPECT_EQ(mina.Opens(Owner()), had);  // as in the copy; nothing is drained yet
  WriteLater();
  Values left = had;
  for (const ClassId class_id : kAgents) left.erase({changed_, class_id, 1});
  EXPECT_EQ(mina.Opens(Owner()), left);
  EXPECT_THAT(Undrained(), SizeIs(3));  // masked, profile, chat of seoul
  EXPECT_EQ(NameSeenBy("jun", in_seoul_), "Person 11112222");

  EXPECT_EQ(Drain().undrained, 0u);
  // Whoever kept a copy as well still has what stood there, but for what members of the book wrote,
  // which was written again; in the later copy alone, nothing opens.
  left.erase({in_both_, ClassId::kProfile, 2});
  EXPECT_EQ(mina.Opens(Owner()), left);
  mina.Forget();
  EXPECT_EQ(mina.Opens(Owner()), Values());
  EXPECT_EQ(NameSeenBy("jun", in_seoul_), "Person 11112222");
  EXPECT_EQ(NameSeenBy("jun", in_both_), "By Jun");
  EXPECT_EQ(NameSeenBy("sujin", later_), "Person 99990000");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, RemovedFromOneBookAnAgentKeepsTheOther) {
  Attacker jun;
  jun.Take(*vault_.Unlock("jun"));
  ASSERT_TRUE(keyring::RemoveBookMember(Owner(), "seoul", "jun").ok());
  WriteLater();
  EXPECT_EQ(Drain().undrained, 0u);
  jun.Forget();
  Values busan = Times({in_busan_, in_both_}, kAgents);
  busan.erase({in_both_, ClassId::kProfile, 1});
  busan.insert({in_both_, ClassId::kProfile, 3});  // what Jun wrote, written again
  EXPECT_EQ(jun.Opens(Owner()), busan);
  EXPECT_EQ(NameSeenBy("jun", in_busan_), "Person 33334444");
  EXPECT_EQ(NameSeenBy("jun", in_seoul_), "no such contact among those assigned to you");
  EXPECT_EQ(NameSeenBy("mina", in_both_), "By Jun");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, ARoleWithFewerClassesLosesThemAndKeepsTheRest) {
  Attacker sujin;
  sujin.Take(*vault_.Unlock("sujin"));
  ASSERT_TRUE(keyring::ChangeRole(Owner(), "sujin", "agent").ok());
  WriteLater();
  // At once: what is new opens in the classes of the new role alone.
  Values now;
  for (const testing::Value& value : sujin.Opens(Owner())) {
    if (value.contact == later_) now.insert(value);
  }
  EXPECT_EQ(now, Times({later_}, kAgents));
  EXPECT_EQ(Drain().undrained, 0u);
  sujin.Forget();
  for (const testing::Value& value : sujin.Opens(Owner()))
    EXPECT_THAT(kAgents, ::testing::Contains(value.class_id)) << value.contact;
  EXPECT_EQ(NameSeenBy("sujin", in_seoul_), "Person 11112222");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, ARoleWithMoreClassesReadsThemOfOldAndNewContacts) {
  ASSERT_TRUE(keyring::ChangeRole(Owner(), "mina", "supervisor").ok());
  EXPECT_THAT(Undrained(), IsEmpty());  // nothing was taken from anybody
  auto mina = vault_.Unlock("mina");
  const auto read = ContactReader(*mina).Read(TestVault::PermitFor(*mina), in_seoul_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(TestVault::ValueOf(*read, "skin"), "dry 11112222");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, UnassignedContactOpensNoMoreAndWhatItsReadersWroteCountsOn) {
  Attacker jun;
  jun.Take(*vault_.Unlock("jun"));
  const auto result = records::UnassignContacts(
      Owner(), Book("seoul"), {in_both_, in_seoul_, in_none_}, {.act = "book.unassign"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->unassigned, 2);
  EXPECT_EQ(result->already, 1);
  // What Jun wrote was written again: under a key that only the other book has.
  EXPECT_EQ(NameSeenBy("owner", in_both_), "By Jun");
  EXPECT_EQ(NameSeenBy("jun", in_both_), "By Jun");  // through busan
  EXPECT_EQ(NameSeenBy("mina", in_both_), "no such contact among those assigned to you");
  EXPECT_EQ(NameSeenBy("jun", in_seoul_), "no such contact among those assigned to you");
  ASSERT_TRUE(TestVault::Set(Owner(), in_seoul_, ClassId::kProfile, {{"name", "Later"}}).ok());
  jun.Forget();
  Values may = Times({changed_, in_busan_, in_both_}, kAgents);
  may.erase({in_both_, ClassId::kProfile, 1});
  may.insert({in_both_, ClassId::kProfile, 3});
  EXPECT_EQ(jun.Opens(Owner()), may);
  ExpectHealthy();
}

TEST_F(TakingAwayTest, UnassignedAndAssignedAgainIsReadAgain) {
  ASSERT_TRUE(
      records::UnassignContacts(Owner(), Book("seoul"), {in_both_}, {.act = "book.unassign"}).ok());
  ASSERT_TRUE(
      records::AssignContacts(Owner(), Book("seoul"), {in_both_}, {.act = "book.assign"}).ok());
  EXPECT_EQ(NameSeenBy("mina", in_both_), "By Jun");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, DisabledAdminOpensNothingLaterAndAfterDrainingNothingAtAll) {
  Attacker ada;
  ada.Take(*vault_.Unlock("ada"));
  const std::size_t had = ada.Opens(Owner()).size();
  ASSERT_EQ(had, 20u);  // five contacts, four classes
  auto still_open = vault_.Unlock("ada");
  const std::int64_t log_end = audit::ReadHead(Owner().store())->sequence;

  ASSERT_TRUE(keyring::DisableMember(Owner(), "ada").ok());
  WriteLater();
  Values later;
  for (const testing::Value& value : ada.Opens(Owner())) {
    if (value.contact == later_ || value.revision > 1) later.insert(value);
  }
  EXPECT_EQ(later, (Values{{in_both_, ClassId::kProfile, 2}}));  // Jun's, of before
  EXPECT_TRUE(ada.Confirms(Owner(), IdentifierKind::kPhone, "+821011112222"));
  EXPECT_FALSE(ada.Confirms(Owner(), IdentifierKind::kPhone, "+821099990000"));

  const records::DrainReport report = Drain();
  EXPECT_EQ(report.undrained, 0u);
  EXPECT_GT(report.rewrapped, 20);
  ada.Forget();
  EXPECT_EQ(ada.Opens(Owner()), Values());
  EXPECT_FALSE(ada.Confirms(Owner(), IdentifierKind::kPhone, "+821011112222"));
  // Details of the log are never written again: those of before stay, and no later one opens.
  EXPECT_GT(ada.OpensDetails(Owner(), 1), 0);
  EXPECT_EQ(ada.OpensDetails(Owner(), log_end + 1), 0);

  // A process of theirs does nothing more.
  EXPECT_TRUE(absl::IsUnauthenticated(
      TestVault::Import(*still_open, {TestVault::Draft("12121212")}, {"seoul"}).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(
      ContactReader(*still_open).Read(TestVault::PermitFor(*still_open), in_seoul_).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(keyring::AddBook(*still_open, "tokyo")));

  EXPECT_EQ(NameSeenBy("mina", in_both_), "By Jun");
  EXPECT_EQ(NameSeenBy("owner", later_), "Person 99990000");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, DisabledImporterTestsNoNumberThatComesLater) {
  Attacker importer;
  importer.Take(*vault_.Unlock("service importer"));
  ASSERT_TRUE(keyring::DisableMember(Owner(), "service importer").ok());
  later_ = Import("99990000", {"seoul"}, "owner");
  EXPECT_TRUE(importer.Confirms(Owner(), IdentifierKind::kPhone, "+821011112222"));
  EXPECT_FALSE(importer.Confirms(Owner(), IdentifierKind::kPhone, "+821099990000"));
  // Found under the old key and the new one alike, meanwhile: nobody is added twice.
  auto again = TestVault::Import(
      Owner(), {TestVault::Draft("11112222"), TestVault::Draft("99990000")}, {"seoul"});
  ASSERT_TRUE(again.ok()) << again.status();
  for (const auto& result : *again)
    EXPECT_EQ(result.outcome, records::DraftResult::Outcome::kDuplicate);
  EXPECT_EQ(Drain().undrained, 0u);
  EXPECT_FALSE(importer.Confirms(Owner(), IdentifierKind::kPhone, "+821011112222"));
  EXPECT_EQ(importer.Opens(Owner()), Values());
  again = TestVault::Import(Owner(), {TestVault::Draft("11112222")}, {"seoul"});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)[0].outcome, records::DraftResult::Outcome::kDuplicate);
  ExpectHealthy();
}

TEST_F(TakingAwayTest, DrainingInterruptedGoesOnWhereItStopped) {
  Attacker jun;
  jun.Take(*vault_.Unlock("jun"));
  ASSERT_TRUE(keyring::DisableMember(Owner(), "jun").ok());
  EXPECT_THAT(Undrained(), SizeIs(6));
  int calls = 0;
  Drain("owner", [&] { return ++calls > 1; });  // in the second book
  EXPECT_THAT(Undrained(), SizeIs(3));
  jun.Forget();
  const Values middle = jun.Opens(Owner());
  EXPECT_FALSE(middle.contains({in_seoul_, ClassId::kProfile, 1}) &&
               middle.contains({in_busan_, ClassId::kProfile, 1}));
  ExpectHealthy();
  EXPECT_EQ(Drain("ada").undrained, 0u);  // by another admin
  jun.Forget();
  EXPECT_EQ(jun.Opens(Owner()), Values());
  EXPECT_EQ(Drain().rewrapped, 0);
  ExpectHealthy();
}

TEST_F(TakingAwayTest, AMemberOfTheBookDrainsWhatItHoldsTheKeysTo) {
  Attacker sujin;
  sujin.Take(*vault_.Unlock("sujin"));
  ASSERT_TRUE(keyring::DisableMember(Owner(), "sujin").ok());
  EXPECT_THAT(Undrained(), SizeIs(5));
  EXPECT_EQ(Drain("mina").undrained, 2u);  // identity and sensitive are not hers
  EXPECT_EQ(NameSeenBy("jun", in_seoul_), "Person 11112222");
  sujin.Forget();
  for (const testing::Value& value : sujin.Opens(Owner()))
    EXPECT_THAT(kAgents, ::testing::Not(::testing::Contains(value.class_id)));
  EXPECT_EQ(Drain().undrained, 0u);
  ExpectHealthy();
}

TEST_F(TakingAwayTest, RotatingAllLeavesEverybodyWhatTheyHad) {
  Attacker everybody;
  for (const char* name : {"mina", "jun", "sujin", "ada", "service importer"})
    everybody.Take(*vault_.Unlock(name));
  // What they took from the files, without the keys of today's members.
  ASSERT_TRUE(keyring::RotateAll(Owner()).ok());
  ASSERT_TRUE(keyring::RotateAll(Owner()).ok());  // two epochs back
  EXPECT_EQ(NameSeenBy("mina", in_seoul_), "Person 11112222");
  ExpectHealthy();
  EXPECT_EQ(Drain().undrained, 0u);
  EXPECT_EQ(NameSeenBy("mina", in_both_), "By Jun");
  EXPECT_EQ(NameSeenBy("sujin", in_seoul_), "Person 11112222");
  ExpectHealthy();
}

TEST_F(TakingAwayTest, WhatWasPutBackFromAnOlderCopyIsReported) {
  store::BookContactRow old_row;
  ASSERT_TRUE(*Owner().store().GetBookContact(Book("seoul"), in_seoul_, old_row));
  store::ContactRow old_contact;
  ASSERT_TRUE(*Owner().store().GetContact(in_seoul_, old_contact));
  ASSERT_TRUE(keyring::RotateAll(Owner()).ok());
  Drain();
  const auto write = [&](const std::function<absl::Status(store::Store&)>& change) {
    keyring::Keyring& owner = Owner();
    auto transaction = owner.store().BeginWrite();
    ASSERT_TRUE(transaction.ok() && change(owner.store()).ok() && transaction->Commit().ok());
  };
  write([&](store::Store& store) { return store.PutBookContact(old_row); });
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(
      absl::IsDataLoss(ContactReader(*mina).Read(TestVault::PermitFor(*mina), in_seoul_).status()));
  write([&](store::Store& store) { return store.UpdateContact(old_contact); });
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_seoul_)));
}

TEST_F(TakingAwayTest, UnassignedRowPutBackIsReportedAndNotUsed) {
  store::BookContactRow row;
  ASSERT_TRUE(*Owner().store().GetBookContact(Book("seoul"), in_seoul_, row));
  ASSERT_TRUE(records::UnassignContacts(Owner(), Book("seoul"), {in_seoul_}, {.act = "x"}).ok());
  auto mina = vault_.Unlock("mina");
  auto transaction = mina->store().BeginWrite();
  ASSERT_TRUE(mina->store().PutBookContact(row).ok() && transaction->Commit().ok());
  EXPECT_TRUE(
      absl::IsDataLoss(ContactReader(*mina).Read(TestVault::PermitFor(*mina), in_seoul_).status()));
  EXPECT_TRUE(
      absl::IsDataLoss(TestVault::Set(Owner(), in_seoul_, ClassId::kProfile, {{"name", "x"}})));
  // Unassigning once more takes it away again.
  ASSERT_TRUE(records::UnassignContacts(Owner(), Book("seoul"), {in_seoul_}, {.act = "x"}).ok());
  EXPECT_EQ(NameSeenBy("owner", in_seoul_), "Person 11112222");
}

TEST_F(TakingAwayTest, WhatAUserHasLookedThroughIsNotLookedThroughAgain) {
  const BookId seoul = Book("seoul");
  ASSERT_TRUE(records::UnassignContacts(Owner(), seoul, {in_seoul_}, {.act = "x"}).ok());
  const std::int64_t taking = *Owner().store().LastSession();
  auto mina = vault_.Unlock("mina");
  for (const char* name : {"a", "b", "c"})
    ASSERT_TRUE(TestVault::Set(*mina, changed_, ClassId::kProfile, {{"name", name}}).ok());
  keyring::Keyring& owner = Owner();
  EXPECT_EQ(*owner.sessions().LastTaking(), taking);
  ASSERT_TRUE(owner.SaveMarks().ok());
  // A session that was passed over then, spoilt since.
  ASSERT_TRUE(
      owner.store()
          .database()
          .Execute(
              absl::StrCat("UPDATE session SET record = x'00' WHERE number = ", taking + 2).c_str())
          .ok());
  EXPECT_EQ(*Owner().sessions().LastTaking(), taking);
  // Whoever has not looked yet finds it; and so does the doctor.
  std::filesystem::remove_all(vault_.root() + "/state");
  EXPECT_TRUE(absl::IsDataLoss(Owner().sessions().LastTaking().status()));
}

// The newest session is itself the newest taking: looked at, not jumped to again and again.
TEST_F(TakingAwayTest, ATakingThatIsTheNewestSessionIsTheNewestTaking) {
  ASSERT_TRUE(records::UnassignContacts(Owner(), Book("seoul"), {in_seoul_}, {.act = "x"}).ok());
  const std::int64_t taking = *Owner().store().LastSession();
  ASSERT_TRUE(Owner().SaveMarks().ok());
  EXPECT_EQ(*Owner().sessions().LastTaking(), taking);
  EXPECT_THAT(NameSeenBy("mina", in_seoul_), HasSubstr("no such contact"));
}

TEST_F(TakingAwayTest, TheVaultsLastDoorCannotBeLocked) {
  EXPECT_TRUE(absl::IsFailedPrecondition(keyring::DisableMember(Owner(), "owner")));
  EXPECT_TRUE(absl::IsFailedPrecondition(keyring::ChangeRole(Owner(), "owner", "agent")));
  auto ada = vault_.Unlock("ada");
  EXPECT_TRUE(absl::IsFailedPrecondition(keyring::DisableMember(*ada, "ada")));
  EXPECT_TRUE(absl::IsFailedPrecondition(keyring::DisableMember(*ada, "owner")));
  EXPECT_TRUE(absl::IsNotFound(keyring::DisableMember(*ada, "nobody")));
  EXPECT_TRUE(absl::IsPermissionDenied(keyring::DisableMember(*vault_.Unlock("mina"), "jun")));
  EXPECT_TRUE(absl::IsPermissionDenied(keyring::ChangeRole(*ada, "mina", "admin")));
  EXPECT_TRUE(absl::IsFailedPrecondition(keyring::ChangeRole(*ada, "mina", "importer")));
  EXPECT_TRUE(keyring::DisableMember(*ada, "mina").ok());
  // Again: what an interrupted run may have left is finished, and it says so.
  EXPECT_TRUE(absl::IsAlreadyExists(keyring::DisableMember(*ada, "mina")));
}

}  // namespace
}  // namespace sealbook
