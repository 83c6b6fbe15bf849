#include "anonymizer/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "anonymizer/identifiers.h"
#include "policies/mask.h"
#include "tests/support/policy_vault.h"
#include "tests/support/temporary_file.h"
#include "vault/records/draining.h"

namespace sealbook::anonymizer {
namespace {

using records::OnDuplicate;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using testing::PolicyVault;
using ::testing::SizeIs;
using testing::TemporaryFile;

constexpr absl::string_view kImporter = "service importer";

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    vault_.AddBook("seoul");
    vault_.AddMember(kImporter, "importer");
    vault_.AddMember("mina", "agent", {"seoul"});
    vault_.AddMember("soo", "supervisor", {"seoul"});
  }

  struct Run {
    absl::Status status;
    ImportReport report;
  };
  Run Import(absl::string_view text, ImportOptions options = {},
             absl::string_view member = kImporter, std::vector<std::string> mappings = {}) {
    return Import(vault_, text, std::move(options), member, std::move(mappings));
  }
  static Run Import(PolicyVault& vault, absl::string_view text, ImportOptions options,
                    absl::string_view member = kImporter, std::vector<std::string> mappings = {}) {
    const TemporaryFile file(text);
    Run run;
    auto list = CustomerList::Open(file.path(), {.mappings = std::move(mappings), .region = "KR"});
    EXPECT_TRUE(list.ok()) << list.status();
    if (!list.ok()) return run;
    auto keyring = vault.Unlock(member);
    run.status = anonymizer::Import(*keyring, vault.policy(), **list, options, run.report);
    return run;
  }
  std::vector<BookId> Seoul() { return {vault_.Unlock("owner")->roster().FindBook("seoul")->id}; }
  std::int64_t AuditRows() {
    auto keyring = vault_.Unlock("owner");
    return keyring->store().LastAudit()->first;
  }

  PolicyVault vault_;
};

std::string ManyRows(int count) {
  std::string text = "name,phone,email,skin\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "person ", i, ",010-1234-", 1000 + i, ",p", i, "@example.com,type ",
                    i % 7, "\n");
  }
  return text;
}

TEST_F(ImportTest, RowsBecomeContactsWithTheirClasses) {
  const Run run = Import(
      "이름,연락처,이메일,메모,생일,피부 "
      "타입\n가을,010-1234-5678,a@example.com,vip,1990-01-02,건성\n",
      {.books = Seoul()});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.rows, 1);
  EXPECT_EQ(run.report.imported, 1);
  EXPECT_THAT(vault_.Contacts("owner"),
              ElementsAre("birth_date=1990-01-02 email=a@example.com name=가을 note=vip "
                          "phone=+821012345678 피부_타입=건성"));
  // An agent sees the profile and masks: neither what nobody named, nor what is named sensitive.
  EXPECT_THAT(vault_.Contacts("mina"),
              ElementsAre("email=***@example.com name=가을 note=vip phone=+82 10-****-5678"));
  EXPECT_THAT(vault_.Contacts("soo"),
              ElementsAre("birth_date=1990-01-02 email=***@example.com name=가을 note=vip "
                          "phone=+82 10-****-5678 피부_타입=건성"));
}

TEST_F(ImportTest, RowsWithoutIdentifiersAreFoundAgainAlsoUnderAnotherKeyOfTheIndex) {
  const std::string list = "name,note,skin\nAda,calls on Friday,dry\nBen,,oily\nCy,,\n";
  ASSERT_EQ(Import(list, {.books = Seoul()}).report.imported, 3);
  const std::vector<std::string> seen = vault_.Contacts("owner");
  // What they are found by is shown to nobody.
  EXPECT_THAT(
      seen, ElementsAre("name=Ada note=calls on Friday skin=dry", "name=Ben skin=oily", "name=Cy"));
  const auto again = [&] {
    const Run run = Import(list);
    EXPECT_TRUE(run.status.ok()) << run.status;
    EXPECT_EQ(run.report.duplicates, 3);
    EXPECT_EQ(run.report.imported, 0);
  };
  again();
  ASSERT_TRUE(keyring::RotateAll(*vault_.Unlock("owner")).ok());
  again();  // not moved yet
  records::DrainReport report;
  const absl::Status drained =
      records::Drain(*vault_.Unlock("owner"), {.identifiers_of = &IdentifiersOf}, report);
  ASSERT_TRUE(drained.ok()) << drained;
  EXPECT_EQ(report.undrained, 0u);
  again();
  EXPECT_EQ(vault_.Contacts("owner"), seen);
  EXPECT_THAT(vault_.Contacts("mina"), SizeIs(3));
}

TEST_F(ImportTest, UnknownColumnIsSensitiveAndMaskedClassIsMade) {
  const auto classes = ByClass(vault_.policy(), {{"phone", "+821012345678"},
                                                 {"phone_2", "+821023456789"},
                                                 {"name", "a"},
                                                 {"shoe_size", "250"},
                                                 {"phone_note", "x"},
                                                 {"address", "somewhere"}});
  std::map<ClassId, records::Fields> by_id;
  for (const auto& fields : classes) by_id[fields.class_id] = fields.fields;
  EXPECT_THAT(by_id[ClassId::kSensitive],
              ElementsAre(records::Field{"shoe_size", "250"}, records::Field{"phone_note", "x"}));
  EXPECT_THAT(by_id[ClassId::kMasked], ElementsAre(records::Field{"phone", "+82 10-****-5678"},
                                                   records::Field{"phone_2", "+82 10-****-6789"}));
  EXPECT_THAT(by_id[ClassId::kIdentity], SizeIs(3));
  EXPECT_THAT(by_id[ClassId::kProfile], ElementsAre(records::Field{"name", "a"}));
  EXPECT_TRUE(ByClass(vault_.policy(), {}).empty());
}

TEST_F(ImportTest, SecondRunAddsNothing) {
  const std::string text = ManyRows(50);
  ASSERT_EQ(Import(text).report.imported, 50);
  const auto before = vault_.Contacts("owner");
  for (const OnDuplicate on_duplicate : {OnDuplicate::kSkip, OnDuplicate::kReplace}) {
    const Run again = Import(text, {.on_duplicate = on_duplicate, .batch_rows = 7});
    ASSERT_TRUE(again.status.ok()) << again.status;
    EXPECT_EQ(again.report.imported, 0);
    EXPECT_EQ(again.report.duplicates, on_duplicate == OnDuplicate::kSkip ? 50 : 0);
    EXPECT_EQ(again.report.updated, on_duplicate == OnDuplicate::kSkip ? 0 : 50);
    EXPECT_EQ(vault_.Contacts("owner"), before);
  }
}

TEST_F(ImportTest, RowsWithoutIdentifiersAreFoundAgain) {
  const std::string text = "name,company\nAutumn,Leaf Ltd\nWinter,Snow Ltd\nAutumn,Leaf Ltd\n";
  const Run first = Import(text);
  EXPECT_EQ(first.report.imported, 2);
  EXPECT_EQ(first.report.duplicates, 1);
  const Run again = Import(text);
  EXPECT_EQ(again.report.imported, 0);
  EXPECT_EQ(again.report.duplicates, 3);
  EXPECT_THAT(vault_.Contacts("owner"), SizeIs(2));
}

TEST_F(ImportTest, DuplicatesWithinTheFileCountOnceWhateverTheBatch) {
  for (const std::size_t batch_rows : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
    PolicyVault vault;
    vault.AddMember(kImporter, "importer");
    const Run run = Import(
        vault,
        "name,phone,email\na,010-1234-5678,\na,+82 10 1234 5678,\nb,010-2345-6789,b@example.com\n"
        "b,,B@example.com\n",
        {.batch_rows = batch_rows});
    ASSERT_TRUE(run.status.ok()) << run.status;
    EXPECT_EQ(run.report.rows, 4);
    EXPECT_EQ(run.report.imported, 2) << batch_rows;
    EXPECT_EQ(run.report.duplicates, 2) << batch_rows;
    EXPECT_THAT(vault.Contacts("owner"),
                ElementsAre("email=b@example.com name=b phone=+821023456789",
                            "name=a phone=+821012345678"));
  }
}

TEST_F(ImportTest, SkipLeavesWhatIsThereAndReplaceWritesIt) {
  ASSERT_EQ(Import("name,phone,note,skin\nold,010-1234-5678,first,dry\n").report.imported, 1);
  ASSERT_EQ(Import("name,phone,note\nnew,010-1234-5678,second\n").report.duplicates, 1);
  EXPECT_THAT(vault_.Contacts("owner"),
              ElementsAre("name=old note=first phone=+821012345678 skin=dry"));
  const Run run = Import("name,phone,note\nnew,010-1234-5678,second\n",
                         {.on_duplicate = OnDuplicate::kReplace});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.updated, 1);
  // The list has no column of the sensitive class, which keeps what it held.
  EXPECT_THAT(vault_.Contacts("owner"),
              ElementsAre("name=new note=second phone=+821012345678 skin=dry"));
}

TEST_F(ImportTest, ReplaceWithANameInPartsWritesTheNameAndNothingElse) {
  ASSERT_EQ(Import("name,phone,skin\nOld Name,010-1234-5678,dry\n").report.imported, 1);
  const Run run = Import("First Name,Last Name,Phone\nNew,Name,010-1234-5678\n",
                         {.on_duplicate = OnDuplicate::kReplace});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_THAT(vault_.Contacts("owner"), ElementsAre("name=New Name phone=+821012345678 skin=dry"));
}

TEST_F(ImportTest, ReplaceTakesColumnsThatJsonLinesBringLate) {
  ASSERT_EQ(Import("name,phone,skin\na,010-1234-5678,dry\n").report.imported, 1);
  std::string text;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&text, "{\"phone\":\"010-2345-", 1000 + i, "\"}\n");
  text += "{\"phone\":\"010-1234-5678\",\"skin\":\"oily\"}\n";
  const Run run = Import(text, {.on_duplicate = OnDuplicate::kReplace, .batch_rows = 50});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.updated, 1);
  EXPECT_THAT(vault_.Contacts("owner"), Contains("name=a phone=+821012345678 skin=oily"));
}

TEST_F(ImportTest, InterruptedRunIsRunAgainAndEndsEqual) {
  const std::string text = ManyRows(95);
  PolicyVault whole;
  whole.AddMember(kImporter, "importer");
  ASSERT_EQ(Import(whole, text, {.batch_rows = 10}).report.imported, 95);

  int batches = 0;
  const std::int64_t audit_before = AuditRows();
  const Run cut =
      Import(text, {.batch_rows = 10,
                    .progress = [&](std::int64_t, std::uint64_t, std::uint64_t) { ++batches; },
                    .interrupted = [&] { return batches == 1; }});
  EXPECT_TRUE(absl::IsCancelled(cut.status)) << cut.status;
  EXPECT_EQ(cut.report.imported, 10);
  EXPECT_THAT(vault_.Contacts("owner"), SizeIs(10));
  EXPECT_GT(AuditRows(), audit_before);

  const Run again = Import(text, {.batch_rows = 10});
  ASSERT_TRUE(again.status.ok()) << again.status;
  EXPECT_EQ(again.report.imported, 85);
  EXPECT_EQ(again.report.duplicates, 10);
  EXPECT_EQ(vault_.Contacts("owner"), whole.Contacts("owner"));
}

TEST_F(ImportTest, ProgressGrowsToTheWholeFile) {
  const std::string text = ManyRows(95);
  std::vector<std::int64_t> rows;
  std::uint64_t last_bytes = 0, total = 0;
  Import(text,
         {.batch_rows = 10,
          .progress = [&](std::int64_t count, std::uint64_t bytes, std::uint64_t bytes_total) {
            rows.push_back(count);
            EXPECT_GE(bytes, last_bytes);
            last_bytes = bytes;
            total = bytes_total;
          }});
  EXPECT_THAT(rows, ElementsAre(10, 20, 30, 40, 50, 60, 70, 80, 90, 95));
  EXPECT_EQ(total, text.size());
  EXPECT_EQ(last_bytes, text.size());
}

TEST_F(ImportTest, ImporterCannotRead) {
  ASSERT_EQ(Import(ManyRows(3), {.books = Seoul()}).report.imported, 3);
  auto importer = vault_.Unlock(kImporter);
  const policies::PermitIssuer permits(vault_.policy());
  EXPECT_TRUE(
      absl::IsPermissionDenied(permits.List(importer->self().id, importer->self().role).status()));
  // Nor does it without asking the policy: it holds no key.
  std::vector<store::ContactRow> rows;
  ASSERT_TRUE(importer->store()
                  .EachContact(0,
                               [&](const store::ContactRow& row) {
                                 rows.push_back(row);
                                 return true;
                               })
                  .ok());
  ASSERT_THAT(rows, SizeIs(3));
  records::ContactReader reader(*importer);
  for (const store::ContactRow& row : rows) {
    for (const ClassId id :
         {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile, ClassId::kSensitive}) {
      EXPECT_TRUE(absl::IsPermissionDenied(reader.OpenClass(row, id).status()));
    }
  }
  EXPECT_THAT(vault_.Contacts("owner"), SizeIs(3));
}

TEST_F(ImportTest, RolesThatMayNotImportAreRefused) {
  for (const absl::string_view member : {"mina", "soo"}) {
    const Run run = Import(ManyRows(3), {}, member);
    EXPECT_TRUE(absl::IsPermissionDenied(run.status)) << run.status;
  }
  EXPECT_THAT(vault_.Contacts("owner"), IsEmpty());
}

TEST_F(ImportTest, ColumnsThatTheRoleMayNotWriteAreRefusedLateOnesToo) {
  PolicyVault vault("KR", [](std::string& text) {
    text = absl::StrReplaceAll(
        text, {{"service = true\nchange = [\"identity\", \"profile\", \"sensitive\", \"chat\"]",
                "service = true\nchange = [\"identity\", \"profile\"]"}});
  });
  vault.AddMember(kImporter, "importer");
  EXPECT_TRUE(
      absl::IsPermissionDenied(Import(vault, "name,phone,skin\na,010-1234-5678,dry\n", {}).status));
  std::string text;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&text, "{\"phone\":\"010-2345-", 1000 + i, "\"}\n");
  text += "{\"phone\":\"010-1234-5678\",\"skin\":\"oily\"}\n";
  EXPECT_TRUE(absl::IsPermissionDenied(Import(vault, text, {}).status));
  EXPECT_TRUE(Import(vault, "First Name,Last Name,phone\na,b,010-1234-5678\n", {}).status.ok());
}

TEST_F(ImportTest, KnownIdentifierWithAnotherNameIsReportedByLine) {
  const std::string text =
      "name,phone\nAutumn,010-1234-5678\nWinter,010-1234-5678\nAutumn,010-1234-5678\n";
  const Run within = Import(text);
  EXPECT_EQ(within.report.other_names, 1);
  EXPECT_THAT(within.report.other_name_lines, ElementsAre(3));
  // Against the vault: by those who read it.
  const Run owner =
      Import("name,phone\nAutumn,010-1234-5678\n\nSpring,010-1234-5678\n", {}, "owner");
  EXPECT_THAT(owner.report.other_name_lines, ElementsAre(4));
  EXPECT_EQ(Import("name,phone\nSpring,010-1234-5678\n").report.other_names, 0);
}

TEST_F(ImportTest, RowWithIdentifiersOfTwoCustomersIsRejectedWithItsCells) {
  ASSERT_EQ(Import("name,phone,email\na,010-1234-5678,\nb,,b@example.com\n").report.imported, 2);
  std::vector<std::pair<Reject, std::vector<std::string>>> seen;
  const Run run =
      Import("name,phone,email\nc,010-3456-7890,\nx,010-1234-5678,b@example.com\nd,not a phone,\n",
             {.on_duplicate = OnDuplicate::kReplace,
              .on_reject = [&](const Reject& reject, const SourceRow& source) {
                seen.emplace_back(reject, source.cells);
                return absl::OkStatus();
              }});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.imported, 1);
  EXPECT_EQ(run.report.rejected, 2);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].first.line, 3);
  EXPECT_THAT(seen[0].first.reason, HasSubstr("different customers"));
  EXPECT_THAT(seen[0].second, ElementsAre("x", "010-1234-5678", "b@example.com"));
  EXPECT_EQ(seen[1].first.line, 4);
  EXPECT_THAT(seen[1].second, ElementsAre("d", "not a phone", ""));
  EXPECT_THAT(vault_.Contacts("owner"), SizeIs(3));
}

TEST_F(ImportTest, BadRowsAreRejectedAndTheGoodOnesKept) {
  std::string text = ManyRows(40);
  for (int i = 0; i < 150; ++i) text += "somebody,1234,,\n";
  const Run run = Import(text, {.batch_rows = 16});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.report.imported, 40);
  EXPECT_EQ(run.report.rejected, 150);
  ASSERT_THAT(run.report.rejects, SizeIs(ImportReport::kMaxListed));
  EXPECT_EQ(run.report.rejects[0].line, 42);
}

TEST_F(ImportTest, FailureToRecordARejectStopsTheImport) {
  const Run run = Import("name,phone\na,1234\nb,010-1234-5678\n",
                         {.batch_rows = 1, .on_reject = [](const Reject&, const auto&) {
                            return absl::InternalError("full");
                          }});
  EXPECT_EQ(run.status.code(), absl::StatusCode::kInternal);
}

TEST_F(ImportTest, MappingsDecideWhatIsKept) {
  const Run run = Import("Tel (M),who,diary\n010-1234-5678,Autumn,private\n", {}, kImporter,
                         {"who=name", "diary=ignore"});
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_THAT(vault_.Contacts("owner"), ElementsAre("name=Autumn phone=+821012345678"));
}

TEST_F(ImportTest, KnownContactsAreAssignedByThoseWhoReadThem) {
  ASSERT_EQ(Import(ManyRows(3)).report.imported, 3);
  EXPECT_THAT(vault_.Contacts("mina"), IsEmpty());
  const Run importer = Import(ManyRows(3), {.books = Seoul()});
  EXPECT_EQ(importer.report.unassigned, 3);
  EXPECT_THAT(vault_.Contacts("mina"), IsEmpty());
  const Run owner = Import(ManyRows(3), {.books = Seoul()}, "owner");
  EXPECT_EQ(owner.report.assigned, 3);
  EXPECT_THAT(vault_.Contacts("mina"), SizeIs(3));
}

TEST_F(ImportTest, AuditHoldsCountsAndNoValues) {
  ASSERT_EQ(Import(ManyRows(3)).report.imported, 3);
  auto owner = vault_.Unlock("owner");
  std::size_t rows = 0;
  ASSERT_TRUE(owner->store()
                  .EachAudit(1,
                             [&](std::int64_t, ByteView record) {
                               const std::string bytes(record.begin(), record.end());
                               EXPECT_THAT(bytes, AllOf(Not(HasSubstr("person 1")),
                                                        Not(HasSubstr("example.com")),
                                                        Not(HasSubstr("1012341001"))));
                               ++rows;
                               return absl::OkStatus();
                             })
                  .ok());
  EXPECT_GT(rows, 0u);
}

class CheckTest : public ImportTest {
 protected:
  CheckReport Check(absl::string_view text, absl::string_view member = kImporter) {
    const TemporaryFile file(text);
    CheckReport report;
    auto list = CustomerList::Open(file.path(), {.region = "KR"});
    EXPECT_TRUE(list.ok()) << list.status();
    auto keyring = vault_.Unlock(member);
    const absl::Status status = anonymizer::Check(*keyring, vault_.policy(), **list, {}, report);
    EXPECT_TRUE(status.ok()) << status;
    return report;
  }
};

TEST_F(CheckTest, WritesNothingAndCounts) {
  ASSERT_EQ(Import(ManyRows(2)).report.imported, 2);
  const auto contacts = vault_.Contacts("owner");
  const std::int64_t audit = AuditRows();
  auto before = vault_.Unlock("owner");
  const auto session = before->store().LastSession();
  const CheckReport report = Check(ManyRows(6) + "bad,1234,,\n");
  EXPECT_EQ(report.rows, 7);
  EXPECT_EQ(report.known, 2);
  EXPECT_EQ(report.rejected, 1);
  ASSERT_THAT(report.rejects, SizeIs(1));
  EXPECT_EQ(report.rejects[0].line, 8);
  EXPECT_EQ(*before->store().LastSession(), *session);
  EXPECT_EQ(AuditRows(), audit);
  EXPECT_EQ(vault_.Contacts("owner"), contacts);
}

TEST_F(CheckTest, PreviewHoldsNoClearValue) {
  // Every value that a preview must not show, whole; short ones too.
  const std::vector<std::string> values = {"+821012345678",
                                           "secret.person@example.com",
                                           "KR.1234567890",
                                           "secretname",
                                           "Seoul Road 12",
                                           "김가을",
                                           "김",
                                           "Q",
                                           "250 mm",
                                           "vip",
                                           "1990-01-02",
                                           "Leaf Ltd"};
  const CheckReport report = Check(
      "name,phone,email,whatsapp id,username,address,shoe,note,birthday,company\n"
      "김가을,010-1234-5678,secret.person@example.com,KR.1234567890,secretname,Seoul Road 12,250 "
      "mm,vip,1990-01-02,Leaf Ltd\n"
      "김,,,,,,,,,\nQ,,,,,,,,,\n");
  ASSERT_THAT(report.first, SizeIs(3));
  EXPECT_THAT(report.first[0].fields, SizeIs(10));
  for (const auto& [line, row] : report.first) {
    for (const records::Field& field : row) {
      for (const std::string& value : values) {
        // A first character is all that is shown of a name; as the whole of one it is not.
        if (value == "김" && &row == &report.first[0].fields) continue;
        EXPECT_THAT(field.value, Not(HasSubstr(value))) << field.name;
      }
    }
  }
  EXPECT_THAT(
      report.first[0].fields,
      IsSupersetOf({records::Field{"phone", "+82 10-****-5678"}, records::Field{"name", "김**"},
                    records::Field{"email", "s***@example.com"}, records::Field{"shoe", "***"}}));
}

TEST_F(CheckTest, PreviewIsShort) { EXPECT_THAT(Check(ManyRows(100)).first, SizeIs(5)); }

TEST_F(CheckTest, RolesThatMayNotWriteAreRefused) {
  const TemporaryFile file(ManyRows(3));
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  ASSERT_TRUE(list.ok());
  CheckReport report;
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(
      absl::IsPermissionDenied(anonymizer::Check(*mina, vault_.policy(), **list, {}, report)));
  EXPECT_EQ(report.rows, 0);
}

}  // namespace
}  // namespace sealbook::anonymizer
