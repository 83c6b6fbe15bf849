// What known customers become by a list: merged, replaced, and what stands beside their fields.
#include "anonymizer/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "anonymizer/import.h"
#include "tests/support/policy_vault.h"
#include "tests/support/temporary_file.h"
#include "vault/records/contact_changes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using records::OnDuplicate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::PolicyVault;
using ::testing::SizeIs;
using testing::TemporaryFile;

constexpr absl::string_view kImporter = "service importer";

struct Outcome {
  absl::Status status;
  ImportReport report;
};

Outcome Import(const PolicyVault& vault, absl::string_view text, ImportOptions options,
               absl::string_view member) {
  const TemporaryFile file(text);
  Outcome run;
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  EXPECT_TRUE(list.ok()) << list.status();
  if (!list.ok()) return run;
  auto keyring = vault.Unlock(member);
  run.status = anonymizer::Import(*keyring, vault.policy(), **list, options, run.report);
  return run;
}

class MergeTest : public ::testing::Test {
 protected:
  MergeTest() {
    vault_.AddBook("seoul");
    vault_.AddMember(kImporter, "importer");
    vault_.AddMember("ada", "admin");
    vault_.AddMember("mina", "agent", {"seoul"});
  }
  void First(absl::string_view text, std::vector<BookId> books = {}) {
    const Outcome run = Import(vault_, text, {.books = std::move(books)}, kImporter);
    ASSERT_TRUE(run.status.ok()) << run.status;
    ASSERT_EQ(run.report.imported, run.report.rows);
  }
  Outcome Merge(absl::string_view text, std::vector<BookId> books = {}) {
    Outcome run = Import(vault_, text,
                         {.books = std::move(books), .on_duplicate = OnDuplicate::kMerge}, "ada");
    EXPECT_TRUE(run.status.ok()) << run.status;
    return run;
  }
  Outcome Replace(absl::string_view text, absl::string_view member,
                  std::vector<BookId> books = {}) {
    Outcome run = Import(
        vault_, text, {.books = std::move(books), .on_duplicate = OnDuplicate::kReplace}, member);
    EXPECT_TRUE(run.status.ok()) << run.status;
    return run;
  }
  std::vector<BookId> Seoul() { return {vault_.Unlock("owner")->roster().FindBook("seoul")->id}; }
  // Whoever the identifier leads to; 0: nobody.
  ContactNumber Find(IdentifierKind kind, absl::string_view value) {
    auto owner = vault_.Unlock("owner");
    const auto found = records::ContactReader(*owner).FindIdentifier(kind, value);
    EXPECT_TRUE(found.ok() || absl::IsNotFound(found.status())) << found.status();
    return found.value_or(0);
  }
  // As Contacts, without the sources of consents, which are named by temporary files.
  std::vector<std::string> Contacts(absl::string_view member = "owner") {
    std::vector<std::string> out = vault_.Contacts(member);
    for (std::string& text : out) {
      for (std::size_t at = 0; (at = text.find("; from \"", at)) != std::string::npos;) {
        const std::size_t line = text.find("\" line ", at) + 7;
        text.erase(at, text.find_first_not_of("0123456789", line) - at);
      }
    }
    return out;
  }

  PolicyVault vault_;
};

TEST_F(MergeTest, FillsWhatIsEmptyAddsIdentifiersAndKeepsTheRest) {
  First("name,phone,email,note,skin\nAutumn,010-1234-5678,a@example.com,first,\n", Seoul());
  const Outcome run = Merge(
      "name,phone,email,note,skin,company\n"
      "Autumn,010-1234-5678; 010-2345-6789 (집),A@example.com;b@example.com,second,dry,Leaf\n");
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_EQ(run.report.duplicates, 0);
  EXPECT_EQ(run.report.other_names, 0);
  EXPECT_THAT(Contacts(),
              ElementsAre("company=Leaf email=a@example.com email_2=b@example.com name=Autumn "
                          "note=first phone=+821012345678 phone_2=+821023456789 phone_note=집 "
                          "skin=dry"));
  // The book's reader sees it, with masks of what came.
  EXPECT_THAT(Contacts("mina"),
              ElementsAre("company=Leaf email=***@example.com email_2=***@example.com name=Autumn "
                          "note=first phone=+82 10-****-5678 phone_2=+82 10-****-6789"));
  const ContactNumber contact = Find(IdentifierKind::kPhone, "+821012345678");
  EXPECT_NE(contact, 0);
  EXPECT_EQ(Find(IdentifierKind::kPhone, "+821023456789"), contact);
  EXPECT_EQ(Find(IdentifierKind::kEmail, "a@example.com"), contact);
  EXPECT_EQ(Find(IdentifierKind::kEmail, "b@example.com"), contact);
}

TEST_F(MergeTest, SameListTwiceChangesNothing) {
  const std::string text =
      "name,phone,email,Newsletter,skin\nAutumn,010-1234-5678 (집),a@example.com,yes,dry\n"
      "Winter,,w@example.com,no,\nSpring,,,,oily\n";
  First(text);
  const std::vector<std::string> seen = Contacts();
  for (int i = 0; i < 2; ++i) {
    auto before = vault_.Unlock("owner");
    std::vector<crypto::Bytes> rows;
    const auto read = [&](std::vector<crypto::Bytes>& out) {
      ASSERT_TRUE(before->store()
                      .EachContact(0,
                                   [&](const store::ContactRow& row) {
                                     out.push_back(row.values);
                                     out.push_back(row.identifiers);
                                     return true;
                                   })
                      .ok());
    };
    read(rows);
    const Outcome again = Merge(text);
    EXPECT_EQ(again.report.updated, 0);
    EXPECT_EQ(again.report.duplicates, 3);
    EXPECT_EQ(again.report.imported, 0);
    std::vector<crypto::Bytes> now;
    read(now);
    EXPECT_EQ(now, rows);  // not even sealed again
  }
  EXPECT_EQ(Contacts(), seen);
}

TEST_F(MergeTest, BatchesOfAnySizeEndEqual) {
  std::string text = "name,phone,email,note,skin,Newsletter\n";
  for (int i = 0; i < 60; ++i) {
    const int person = i * 7 % 20;
    // Each person in three rows that know different things; some rows contradict others.
    absl::StrAppend(&text, i % 3 == 0 ? absl::StrCat("p", person % 7) : "", ",010-1234-",
                    1000 + person, i % 4 == 0 ? " (note)" : "", ",",
                    i % 3 == 1 ? absl::StrCat("p", person, "@example.com") : "", ",",
                    i % 5 == 0 ? absl::StrCat("n", i) : "", ",", i % 2 == 0 ? "dry" : "", ",",
                    i % 6 == 0 ? "yes" : "", "\n");
    // Found by the email alone that another row brought.
    if (i % 3 == 1) absl::StrAppend(&text, ",,p", person, "@example.com,,", "oily,no\n");
    // Of two people at once.
    if (i % 20 == 19) absl::StrAppend(&text, "x,010-1234-1000;010-1234-1001,,,,\n");
  }
  for (const OnDuplicate how : {OnDuplicate::kMerge, OnDuplicate::kReplace}) {
    for (const absl::string_view member : {absl::string_view("ada"), kImporter}) {
      if (how == OnDuplicate::kMerge && member == kImporter) continue;
      std::vector<std::string> expected;
      std::string counts;
      for (const std::size_t batch_rows : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        PolicyVault vault;
        vault.AddMember(kImporter, "importer");
        vault.AddMember("ada", "admin");
        ASSERT_EQ(Import(vault,
                         "name,phone,skin\nOld,010-1234-1003,normal\n,010-1234-1004,\n"
                         ",010-1234-1005,\n",
                         {}, kImporter)
                      .report.imported,
                  3);
        const Outcome run =
            Import(vault, text, {.on_duplicate = how, .batch_rows = batch_rows}, member);
        ASSERT_TRUE(run.status.ok()) << run.status;
        const ImportReport& r = run.report;
        const std::string counted =
            absl::StrJoin({r.rows, r.imported, r.updated, r.duplicates, r.rejected, r.damaged,
                           r.notes_left, r.consents_unread},
                          " ");
        std::vector<std::string> contacts = vault.Contacts("owner");
        for (std::string& contact : contacts) {
          // Named by the temporary file.
          for (std::size_t at = 0; (at = contact.find("sealbook-test-", at)) != std::string::npos;)
            contact.erase(at, 20);
        }
        EXPECT_EQ(r.damaged, 0) << batch_rows;
        if (how == OnDuplicate::kMerge) {
          EXPECT_EQ(r.imported, 17) << batch_rows;
          EXPECT_EQ(r.rejected, 3) << batch_rows;
        }
        if (expected.empty()) {
          expected = contacts;
          counts = counted;
        }
        EXPECT_EQ(contacts, expected) << batch_rows;
        EXPECT_EQ(counted, counts) << batch_rows;
      }
    }
  }
}

TEST_F(MergeTest, NewPeopleInOneBatchAreMergedIntoTheFirstRow) {
  const Outcome run = Merge(
      "name,phone,email,note\nAutumn,010-1234-5678,,\n,010-1234-5678,a@example.com,\n"
      "Winter,,a@example.com,vip\nAutumn,010-1234-5678,,\n",
      Seoul());
  EXPECT_EQ(run.report.imported, 1);
  EXPECT_EQ(run.report.updated, 2);
  EXPECT_EQ(run.report.duplicates, 1);
  EXPECT_THAT(run.report.other_name_lines, ElementsAre(4));
  EXPECT_THAT(Contacts(), ElementsAre("email=a@example.com name=Autumn note=vip "
                                      "phone=+821012345678"));
  EXPECT_THAT(Contacts("mina"), SizeIs(1));
  EXPECT_NE(Find(IdentifierKind::kEmail, "a@example.com"), 0);
}

TEST_F(MergeTest, AnotherNameIsToldByLineAndTheVaultsIsKept) {
  First("name,phone\nAutumn,010-1234-5678\n");
  const Outcome run = Merge("name,phone,skin\nSpring,010-1234-5678,dry\nSpring,010-1234-5678,\n");
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_THAT(run.report.other_name_lines, ElementsAre(2, 3));
  EXPECT_THAT(Contacts(), ElementsAre("name=Autumn phone=+821012345678 skin=dry"));
}

TEST_F(MergeTest, IdentifiersOfTwoCustomersAreAConflict) {
  First("name,phone,email\na,010-1234-5678,\nb,,b@example.com\n");
  const Outcome run = Merge("name,phone,email\nx,010-1234-5678,b@example.com\n");
  EXPECT_EQ(run.report.rejected, 1);
  EXPECT_EQ(run.report.updated, 0);
  EXPECT_THAT(Contacts(), ElementsAre("email=b@example.com name=b", "name=a phone=+821012345678"));
}

TEST_F(MergeTest, RowFoundByAllThatItSaysIsFilledWhereItWasEmptied) {
  First("name,skin\nAutumn,dry\n");
  EXPECT_EQ(Merge("name,skin\nAutumn,dry\n").report.duplicates, 1);
  auto owner = vault_.Unlock("owner");
  // Somebody took the skin away, and left the mark by which the row is found.
  ASSERT_TRUE(records::ChangeContact(
                  *owner, 1,
                  [&](const store::ContactRow& row) -> absl::StatusOr<records::ContactChange> {
                    auto fields =
                        *records::ContactReader(*owner).OpenClass(row, ClassId::kSensitive);
                    std::erase_if(*fields, [](const auto& field) { return field.name == "skin"; });
                    return records::ContactChange{.classes = {{ClassId::kSensitive, *fields}}};
                  },
                  {.act = "set"})
                  .ok());
  EXPECT_THAT(Contacts(), ElementsAre("name=Autumn"));
  EXPECT_EQ(Merge("name,skin\nAutumn,dry\n").report.updated, 1);
  EXPECT_THAT(Contacts(), ElementsAre("name=Autumn skin=dry"));
  EXPECT_EQ(Merge("name,skin\nAutumn,dry\n").report.duplicates, 1);
}

TEST_F(MergeTest, WhatDoesNotCountIsToldAndLeftAlone) {
  First("name,phone\na,010-1234-5678\nb,010-2345-6789\n");
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(owner->store()
                  .database()
                  .Execute("UPDATE contact SET sealed_values = (SELECT sealed_values FROM contact "
                           "WHERE number = 2) WHERE number = 1")
                  .ok());
  const Outcome run = Merge(
      "name,phone,email,skin\nb,010-2345-6789,b@example.com,dry\n"
      "a,010-1234-5678,a@example.com,oily\nc,010-3456-7890,,\n");
  EXPECT_EQ(run.report.damaged, 1);
  EXPECT_THAT(run.report.damaged_lines, ElementsAre(3));
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_EQ(run.report.imported, 1);
  // Nothing of it was written.
  EXPECT_EQ(Find(IdentifierKind::kEmail, "a@example.com"), 0);
  EXPECT_NE(Find(IdentifierKind::kEmail, "b@example.com"), 0);
}

TEST_F(MergeTest, MergedAndAssignedInOneBatchIsReadByTheBook) {
  First("name,phone\nAutumn,010-1234-5678\nWinter,010-2345-6789\n");
  const Outcome run = Merge(
      "name,phone,company\nAutumn,010-1234-5678,Leaf\nAutumn,010-1234-5678;010-1111-2222,\n"
      "Winter,010-2345-6789,\n",
      Seoul());
  EXPECT_EQ(run.report.damaged, 0);
  EXPECT_EQ(run.report.assigned, 2);
  EXPECT_EQ(run.report.updated, 2);
  EXPECT_THAT(Contacts("mina"),
              ElementsAre("company=Leaf name=Autumn phone=+82 10-****-5678 phone_2=+82 "
                          "10-****-2222",
                          "name=Winter phone=+82 10-****-6789"));
}

TEST_F(MergeTest, ReplacedAndAssignedInOneBatchIsReadByTheBook) {
  First("name,phone\nAutumn,010-1234-5678\n");
  const Outcome run = Replace("name,phone\nA,010-1234-5678\nB,010-1234-5678\n", "ada", Seoul());
  EXPECT_EQ(run.report.damaged, 0);
  EXPECT_EQ(run.report.updated, 2);
  EXPECT_EQ(run.report.assigned, 1);
  EXPECT_THAT(Contacts("mina"), ElementsAre("name=B phone=+82 10-****-5678"));
}

TEST_F(MergeTest, WhoDoesNotReadMayNotMergeAndWritesNothing) {
  First("name,phone\nAutumn,010-1234-5678\n");
  const ImportOptions merge{.on_duplicate = OnDuplicate::kMerge};
  const std::string list = "name,phone\nAutumn,010-1234-5678\nWinter,010-2345-6789\n";
  for (const absl::string_view member : {kImporter, absl::string_view("mina")}) {
    const Outcome run = Import(vault_, list, merge, member);
    EXPECT_TRUE(absl::IsPermissionDenied(run.status)) << run.status;
    EXPECT_NE(HintOf(run.status), "");
  }
  EXPECT_THAT(Contacts(), SizeIs(1));
  // A role that imports and reads all but one class merges lists without a column of that one.
  PolicyVault vault("KR", [](std::string& text) {
    absl::StrAppend(&text,
                    "\n[roles.clerk]\nscope = \"all\"\nclear = [\"identity\", \"profile\"]\n"
                    "change = [\"identity\", \"profile\", \"sensitive\"]\nmay = [\"import\"]\n");
  });
  vault.AddMember("clara", "clerk");
  ASSERT_TRUE(Import(vault, list, merge, "clara").status.ok());
  EXPECT_TRUE(absl::IsPermissionDenied(
      Import(vault, "name,phone,skin\na,010-3456-7890,dry\n", merge, "clara").status));
  // What needs the one that she does not read is left, and counted.
  const Outcome noted =
      Import(vault, "name,phone,company\nA,010-1234-5678 (집),Leaf\n", merge, "clara");
  ASSERT_TRUE(noted.status.ok()) << noted.status;
  EXPECT_EQ(noted.report.updated, 1);
  EXPECT_EQ(noted.report.notes_left, 1);
  EXPECT_THAT(vault.Contacts("owner"), ElementsAre("company=Leaf name=Autumn phone=+821012345678",
                                                   "name=Winter phone=+821023456789"));
}

TEST_F(MergeTest, NoteOfAClassThatTheRoleMayNotWriteIsRefused) {
  PolicyVault vault("KR", [](std::string& text) {
    text = absl::StrReplaceAll(
        text, {{"service = true\nchange = [\"identity\", \"profile\", \"sensitive\", \"chat\"]",
                "service = true\nchange = [\"identity\", \"profile\"]"}});
  });
  vault.AddMember(kImporter, "importer");
  EXPECT_TRUE(absl::IsPermissionDenied(
      Import(vault, "name,phone\na,010-1234-5678 (집)\n", {}, kImporter).status));
  EXPECT_THAT(vault.Contacts("owner"), IsEmpty());
}

TEST_F(MergeTest, ReplacingWithoutReadingLeavesTheNoteBesideANumberAndSaysSo) {
  First("name,phone,skin\nAutumn,010-1234-5678,dry\n");
  const std::string list = "name,phone\nAutumn,010-1234-5678 (집)\n";
  const Outcome run = Replace(list, kImporter);
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_EQ(run.report.notes_left, 1);
  EXPECT_THAT(Contacts(), ElementsAre("name=Autumn phone=+821012345678 skin=dry"));
  // What the report says to do.
  const Outcome merged = Merge(list);
  EXPECT_EQ(merged.report.updated, 1);
  EXPECT_EQ(merged.report.notes_left, 0);
  EXPECT_THAT(Contacts(), ElementsAre("name=Autumn phone=+821012345678 phone_note=집 skin=dry"));
}

TEST_F(MergeTest, ReplacingByWhoReadsPutsTheNoteBesideWhatIsThere) {
  First("name,phone,skin\nAutumn,010-1234-5678,dry\n");
  const Outcome run = Replace("name,phone\nWinter,010-1234-5678 (집)\n", "ada");
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_EQ(run.report.notes_left, 0);
  EXPECT_THAT(Contacts(), ElementsAre("name=Winter phone=+821012345678 phone_note=집 skin=dry"));
  // Once, however often.
  Replace("name,phone\nWinter,010-1234-5678 (집)\n", "ada");
  EXPECT_THAT(Contacts(), ElementsAre("name=Winter phone=+821012345678 phone_note=집 skin=dry"));
}

TEST_F(MergeTest, ListsBringConsentsOnce) {
  const std::string mailchimp =
      "Email Address,First Name,OPTIN_TIME,OPTIN_IP\n"
      "a@example.com,Autumn,2023-04-05 10:11:12,203.0.113.7\n";
  const std::string consent =
      "consent=email_marketing given 2023-04-05T10:11:12Z; \"OPTIN_TIME\" = \"2023-04-05 "
      "10:11:12\"; \"OPTIN_IP\" = \"203.0.113.7\"";
  First(mailchimp, Seoul());
  EXPECT_THAT(Contacts(), ElementsAre(absl::StrCat(consent, " email=a@example.com name=Autumn")));
  // Whoever writes to the customer sees whether they may.
  EXPECT_THAT(Contacts("mina"),
              ElementsAre(absl::StrCat(consent, " email=***@example.com name=Autumn")));
  // Also when the file has another name, as it has here.
  EXPECT_EQ(Merge(mailchimp).report.duplicates, 1);
  EXPECT_EQ(Import(vault_, mailchimp, {}, kImporter).report.duplicates, 1);
  const std::string shopify =
      "Email,Accepts Email Marketing,Accepts SMS Marketing\na@example.com,no,\n";
  EXPECT_EQ(Merge(shopify).report.updated, 1);
  EXPECT_EQ(Merge(shopify).report.duplicates, 1);
  EXPECT_THAT(Contacts(), ElementsAre(absl::StrCat(
                              consent,
                              " consent_2=email_marketing not_given; \"Accepts Email Marketing\" = "
                              "\"no\" email=a@example.com name=Autumn")));
}

TEST_F(MergeTest, ReplacingKeepsConsentsWhereTheyCanBeReadAndOtherwiseSaysSo) {
  First("email,name,Newsletter\na@example.com,Autumn,yes\n");
  const std::string yes = "consent=email_marketing given; \"Newsletter\" = \"yes\"";
  Outcome run = Replace("email,name\na@example.com,Winter\n", "ada");
  EXPECT_EQ(run.report.consents_unread, 0);
  EXPECT_THAT(Contacts(), ElementsAre(absl::StrCat(yes, " email=a@example.com name=Winter")));
  // A list of nothing but consents takes no other field away; unread, it brings none.
  run = Replace("email,Accepts SMS Marketing\na@example.com,yes\n", kImporter);
  EXPECT_EQ(run.report.notes_left, 1);
  EXPECT_EQ(run.report.consents_unread, 0);
  EXPECT_THAT(Contacts(), ElementsAre(absl::StrCat(yes, " email=a@example.com name=Winter")));
  run = Replace("email,Accepts SMS Marketing\na@example.com,yes\n", "ada");
  EXPECT_EQ(run.report.notes_left, 0);
  EXPECT_THAT(Contacts(), ElementsAre(absl::StrCat(
                              yes,
                              " consent_2=sms_marketing given; \"Accepts SMS Marketing\" = \"yes\" "
                              "email=a@example.com name=Winter")));
  run = Replace("email,name,Newsletter\na@example.com,Spring,no\n", kImporter);
  EXPECT_EQ(run.report.consents_unread, 1);
  EXPECT_THAT(Contacts(), ElementsAre("consent=email_marketing not_given; \"Newsletter\" = \"no\" "
                                      "email=a@example.com name=Spring"));
}

}  // namespace
}  // namespace sealbook::anonymizer
