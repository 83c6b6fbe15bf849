#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/test_vault.h"

namespace sealbook {
namespace {

using records::ContactReader;
using testing::TestVault;
using Outcome = records::DraftResult::Outcome;

class ContactsTest : public ::testing::Test {
 protected:
  ContactsTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddBook("busan").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("jun", "agent", {"busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
  }
  ContactNumber ImportOne(absl::string_view tag, std::vector<std::string> books) {
    auto importer = vault_.Unlock("service importer");
    auto results = TestVault::Import(*importer, {TestVault::Draft(tag)}, books);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0].contact : 0;
  }
  TestVault vault_;
};

TEST_F(ContactsTest, AgentReadsAssignedContactOfOwnBook) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto mina = vault_.Unlock("mina");
  ContactReader reader(*mina);
  const auto read = reader.Read(TestVault::PermitFor(*mina), contact);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(TestVault::ValueOf(*read, "name"), "Person 11112222");
  EXPECT_EQ(TestVault::ValueOf(*read, "phone"), "+82 10-****-2222");
  EXPECT_EQ(TestVault::ValueOf(*read, "skin"), "");
  EXPECT_THAT(read->books, ::testing::ElementsAre("seoul"));
}

TEST_F(ContactsTest, AnotherBooksContactIsTheSameAsNoContact) {
  const ContactNumber contact = ImportOne("11112222", {"busan"});
  auto mina = vault_.Unlock("mina");
  ContactReader reader(*mina);
  const auto theirs = reader.FindToken(TestVault::TokenOf(*mina, contact));
  const auto missing = reader.FindToken(records::MakeToken(10));
  EXPECT_EQ(theirs.status().ToString(), missing.status().ToString());
  EXPECT_TRUE(absl::IsNotFound(theirs.status()));
  EXPECT_TRUE(absl::IsNotFound(reader.Read(TestVault::PermitFor(*mina), contact).status()));
}

TEST_F(ContactsTest, OwnerReadsEverythingAndFindsByIdentifier) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto owner = vault_.Unlock("owner");
  ContactReader reader(*owner);
  const auto found = reader.FindIdentifier(IdentifierKind::kPhone, "+821011112222");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, contact);
  const auto read = reader.Read(TestVault::PermitFor(*owner), *found);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(TestVault::ValueOf(*read, "phone"), "+821011112222");
  EXPECT_EQ(TestVault::ValueOf(*read, "skin"), "dry 11112222");
}

TEST_F(ContactsTest, ImporterReadsNothing) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto importer = vault_.Unlock("service importer");
  ContactReader reader(*importer);
  store::ContactRow row;
  ASSERT_TRUE(*importer->store().GetContact(contact, row));
  for (const ClassId class_id :
       {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile, ClassId::kSensitive}) {
    EXPECT_TRUE(absl::IsPermissionDenied(reader.OpenClass(row, class_id).status()));
  }
}

TEST_F(ContactsTest, SecondImportAddsNothing) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto importer = vault_.Unlock("service importer");
  const auto again = TestVault::Import(
      *importer,
      {TestVault::Draft("11112222"), TestVault::Draft("33334444"), TestVault::Draft("33334444")},
      {"seoul", "busan"});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)[0].outcome, Outcome::kDuplicate);
  EXPECT_EQ((*again)[0].contact, contact);
  EXPECT_TRUE((*again)[0].unassigned);  // the importer cannot read it, so cannot wrap it for busan
  EXPECT_EQ((*again)[1].outcome, Outcome::kImported);
  EXPECT_EQ((*again)[2].outcome, Outcome::kDuplicate);
  EXPECT_EQ(*importer->store().CountContacts(), 2);
}

TEST_F(ContactsTest, OwnersImportAssignsKnownContacts) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto owner = vault_.Unlock("owner");
  const auto again = TestVault::Import(*owner, {TestVault::Draft("11112222")}, {"busan"});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)[0].assigned);
  auto jun = vault_.Unlock("jun");
  EXPECT_TRUE(ContactReader(*jun).Read(TestVault::PermitFor(*jun), contact).ok());
}

TEST_F(ContactsTest, ReplaceByImporterIsReadByTheBook) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto importer = vault_.Unlock("service importer");
  records::ContactDraft draft = TestVault::Draft("11112222");
  draft.identifiers.pop_back();
  draft.classes[0].fields.pop_back();
  draft.classes[2].fields[0].value = "Renamed";
  const auto results = TestVault::Import(*importer, {draft}, {}, records::OnDuplicate::kReplace);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].outcome, Outcome::kUpdated);
  auto mina = vault_.Unlock("mina");
  const auto read = ContactReader(*mina).Read(TestVault::PermitFor(*mina), contact);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(TestVault::ValueOf(*read, "name"), "Renamed");
  // The e-mail went with the replacement, and finds nobody any more.
  auto owner = vault_.Unlock("owner");
  EXPECT_TRUE(absl::IsNotFound(ContactReader(*owner)
                                   .FindIdentifier(IdentifierKind::kEmail, "11112222@example.com")
                                   .status()));
}

TEST_F(ContactsTest, ConflictingIdentifiersWriteNothing) {
  ImportOne("11112222", {"seoul"});
  ImportOne("33334444", {"seoul"});
  auto owner = vault_.Unlock("owner");
  records::ContactDraft both = TestVault::Draft("11112222");
  both.identifiers[1] = TestVault::Draft("33334444").identifiers[1];
  const auto results = TestVault::Import(*owner, {both}, {}, records::OnDuplicate::kReplace);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].outcome, Outcome::kConflict);
}

TEST_F(ContactsTest, AgentsChangeIsReadByEveryBook) {
  const ContactNumber contact = ImportOne("11112222", {"seoul", "busan"});
  auto mina = vault_.Unlock("mina");
  ASSERT_TRUE(
      TestVault::Set(*mina, contact, ClassId::kProfile, {{"name", "New"}, {"note", "n"}}).ok());
  for (const char* name : {"mina", "jun", "owner"}) {
    auto member = vault_.Unlock(name);
    const auto read = ContactReader(*member).Read(TestVault::PermitFor(*member), contact);
    ASSERT_TRUE(read.ok()) << name << read.status();
    EXPECT_EQ(TestVault::ValueOf(*read, "name"), "New") << name;
  }
}

TEST_F(ContactsTest, AgentMayNotWriteIdentity) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(absl::IsPermissionDenied(
      TestVault::Set(*mina, contact, ClassId::kIdentity, {{"phone", "+821099999999"}})));
}

TEST_F(ContactsTest, PermitForAnotherOrExpiredIsRefused) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto mina = vault_.Unlock("mina");
  ContactReader reader(*mina);
  const MemberId self = mina->bundle().member;
  using policies::PermitIssuer;
  const std::vector<ClassId> clear = {ClassId::kProfile};
  EXPECT_TRUE(
      reader.Read(PermitIssuer::One(self, contact, clear, true, absl::Now()), contact).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(
      reader.Read(PermitIssuer::One(self, contact + 1, clear, true, absl::Now()), contact)
          .status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      reader.Read(PermitIssuer::One(MemberId{99}, contact, clear, true, absl::Now()), contact)
          .status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      reader
          .Read(PermitIssuer::One(self, contact, clear, true, absl::Now() - absl::Hours(1)),
                contact)
          .status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      reader
          .Read(PermitIssuer::One(self, contact, clear, true, absl::Now() + absl::Hours(1)),
                contact)
          .status()));
}

TEST_F(ContactsTest, PermitForMoreThanTheKeysOpensNoMore) {
  const ContactNumber contact = ImportOne("11112222", {"seoul"});
  auto mina = vault_.Unlock("mina");
  const auto permit = policies::PermitIssuer::All(mina->bundle().member,
                                                  {ClassId::kIdentity, ClassId::kSensitive}, true);
  EXPECT_TRUE(absl::IsPermissionDenied(ContactReader(*mina).Read(permit, contact).status()));
}

TEST_F(ContactsTest, EachVisitsOwnBooksOnce) {
  ASSERT_TRUE(keyring::AddBookMember(*vault_.Unlock("owner"), "busan", "mina").ok());
  ImportOne("11112222", {"seoul", "busan"});
  ImportOne("33334444", {"busan"});
  ImportOne("55556666", {});
  auto mina = vault_.Unlock("mina");
  std::vector<std::string> names;
  ASSERT_TRUE(ContactReader(*mina)
                  .Each(TestVault::PermitFor(*mina), std::nullopt,
                        [&](const records::Contact& contact) -> absl::StatusOr<bool> {
                          names.push_back(TestVault::ValueOf(contact, "name"));
                          return true;
                        })
                  .ok());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("Person 11112222", "Person 33334444"));
}

// How a list is cut into batches must not show: outcomes, and who is found by which identifier.
class BatchCutTest : public ::testing::TestWithParam<records::OnDuplicate> {
 protected:
  // A person of each phone and email that the letters name: "P1 E2".
  static records::ContactDraft Person(const std::string& name, const std::vector<int>& phones,
                                      const std::vector<int>& emails) {
    records::ContactDraft draft;
    records::Fields identity;
    for (const int phone : phones) {
      draft.identifiers.push_back({IdentifierKind::kPhone, absl::StrCat("+82101000000", phone)});
      identity.push_back({"phone", draft.identifiers.back().value});
    }
    for (const int email : emails) {
      draft.identifiers.push_back(
          {IdentifierKind::kEmail, absl::StrCat("e", email, "@example.com")});
      identity.push_back({"email", draft.identifiers.back().value});
    }
    draft.classes = {{ClassId::kIdentity, identity}, {ClassId::kProfile, {{"name", name}}}};
    return draft;
  }
  static std::string Import(TestVault& vault, const std::vector<records::ContactDraft>& drafts,
                            std::size_t cut) {
    auto owner = vault.Unlock("owner");
    std::string outcomes;
    for (std::size_t at = 0; at < drafts.size(); at += cut) {
      const auto end = std::min(drafts.size(), at + cut);
      const auto results = TestVault::Import(*owner,
                                             {drafts.begin() + static_cast<std::ptrdiff_t>(at),
                                              drafts.begin() + static_cast<std::ptrdiff_t>(end)},
                                             {}, GetParam());
      EXPECT_TRUE(results.ok()) << results.status();
      if (!results.ok()) return "";
      for (const records::DraftResult& result : *results) {
        absl::StrAppend(&outcomes, static_cast<int>(result.outcome), " ");
      }
    }
    ContactReader reader(*owner);
    for (int i = 0; i < 5; ++i) {
      for (const auto& [kind, value] :
           {std::pair(IdentifierKind::kPhone, absl::StrCat("+82101000000", i)),
            std::pair(IdentifierKind::kEmail, absl::StrCat("e", i, "@example.com"))}) {
        const auto found = reader.FindIdentifier(kind, value);
        std::string name = "-";
        if (found.ok()) {
          const auto contact = reader.Read(TestVault::PermitFor(*owner), *found);
          EXPECT_TRUE(contact.ok()) << contact.status();
          if (contact.ok()) name = TestVault::ValueOf(*contact, "name");
        }
        absl::StrAppend(&outcomes, name, " ");
      }
    }
    return outcomes;
  }
};

TEST_P(BatchCutTest, OneBatchEndsAsManyDo) {
  std::mt19937 dice(20261124);
  for (int round = 0; round < 12; ++round) {
    std::vector<records::ContactDraft> drafts;
    for (int i = 0; i < 7; ++i) {
      const auto pick = [&] {
        std::vector<int> out;
        for (int n = static_cast<int>(dice() % 3); n > 0; --n)
          out.push_back(static_cast<int>(dice() % 5));
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        return out;
      };
      records::ContactDraft draft = Person(absl::StrCat("N", i), pick(), pick());
      if (!draft.identifiers.empty()) drafts.push_back(std::move(draft));
    }
    TestVault one_by_one;
    const std::string expected = Import(one_by_one, drafts, 1);
    TestVault by_three;
    EXPECT_EQ(Import(by_three, drafts, 3), expected) << "round " << round;
    TestVault at_once;
    EXPECT_EQ(Import(at_once, drafts, 100), expected) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(HowDuplicatesAreTaken, BatchCutTest,
                         ::testing::Values(records::OnDuplicate::kSkip,
                                           records::OnDuplicate::kReplace));

}  // namespace
}  // namespace sealbook
