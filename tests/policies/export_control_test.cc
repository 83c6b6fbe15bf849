// Who exports what, to whom and how often; and what an insider tries against each of these rules.
#include "policies/export_control.h"

#include "tests/policies/export_fixture.h"
#include "vault/audit/receipt.h"

namespace sealbook::policies {
namespace {

using records::ExportRequest;
using records::ExportSpec;
using ::testing::ElementsAre;
using testing::FactorMember;
using ::testing::IsEmpty;

class ExportControlTest : public ExportFixture {};

TEST_F(ExportControlTest, OneExportIsOneRowAndOneReceipt) {
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  EXPECT_EQ(Count("export.begin"), 1);
  EXPECT_EQ(Count("export"), 0);
  const auto text = Complete(**control);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(Count("export"), 1);
  EXPECT_EQ(*ada_->keyring().store().GetReceipt((*control)->id()), *text);
  const auto receipt = audit::Receipt::Verify(*text, ada_->keyring().bundle().signing.verify_key());
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->member, ada_->id());
  EXPECT_EQ(*receipt->Find("rows"), "3");
  EXPECT_EQ(*receipt->Find("book"), "all");
  EXPECT_EQ(*receipt->Find("sha256"), crypto::ToHex(Written().sha256));
  EXPECT_EQ(receipt->Find("approved_by"), nullptr);
}

TEST_F(ExportControlTest, RoleWithoutTheRightIsRefused) {
  FactorMember mina(vault_, "mina");
  mina.Enroll(now_);
  Pass(kStep);
  ExpectDenied(Authorize(mina).status(), "may not export");
  ExpectDenied(RequestExport(mina.keyring(), policy(), Spec(), now_).status(), "may not export");
  const ExportRequest request = Ask(*ada_);
  ExpectDenied(Approve(mina, request), "may not export");
  // Nobody told the right code from a wrong one meanwhile.
  EXPECT_TRUE(mina.Use(now_).ok());
}

TEST_F(ExportControlTest, WithoutAFactorOrWithAWrongCodeNothingBegins) {
  vault_.AddMember("eve", "admin");
  FactorMember eve(vault_, "eve");
  ExpectNoCode(Authorize(eve, Spec(), "123456").status(), "no second factor");
  ASSERT_TRUE(eve.Begin(now_).ok());
  ExpectNoCode(Authorize(eve).status(), "not confirmed");
  ExpectNoCode(Authorize(*ada_, Spec(), ada_->WrongCode(now_)).status(), "wrong");
  ExpectNoCode(Authorize(*ada_, Spec(), bea_->CodeAt(now_)).status(), "wrong");
  ExpectNoCode(Authorize(*ada_, Spec(), "").status(), "no one-time code");
  EXPECT_EQ(Count("export.begin"), 0);
}

TEST_F(ExportControlTest, ReasonIsNeededAndBounded) {
  ExportSpec spec = Spec();
  for (const char* reason : {"", " ", "\t\n"}) {
    spec.reason = reason;
    EXPECT_TRUE(absl::IsFailedPrecondition(Authorize(*ada_, spec).status())) << reason;
    EXPECT_TRUE(
        absl::IsFailedPrecondition(RequestExport(ada_->keyring(), policy(), spec, now_).status()));
  }
  spec.reason = std::string(1001, 'x');
  EXPECT_TRUE(absl::IsFailedPrecondition(Authorize(*ada_, spec).status()));
  // Its code was not spent on any of them.
  spec.reason = std::string(1000, 'x');
  EXPECT_TRUE(Authorize(*ada_, spec).ok());
}

TEST_F(ExportControlTest, FieldsThatTheRoleDoesNotReadClearAreRefused) {
  Rules({{"may = [\"audit\"]",
          "clear = [\"profile\"]\nmasked = [\"identity\"]\nmay = [\"audit\", \"export\"]"}});
  vault_.AddMember("audra", "auditor");
  FactorMember audra(vault_, "audra");
  ExpectDenied(Authorize(audra, Spec(), "123456").status(),
               "does not read class identity in the clear");
  ExportSpec spec = Spec();
  spec.fields = {"name", "birth_date"};
  ExpectDenied(Authorize(audra, spec, "123456").status(), "class sensitive");
  // The name of an unknown column may be a person's.
  spec.fields = {"Kim Minji"};
  const absl::Status status = Authorize(audra, spec, "123456").status();
  ExpectDenied(status, "class sensitive");
  EXPECT_EQ(status.ToString().find("Minji"), std::string::npos);
  EXPECT_THAT(*ClassesToExport(policy(), "auditor", {}), ElementsAre(ClassId::kProfile));
  EXPECT_THAT(*ClassesToExport(policy(), "auditor", {"uid", "books"}), IsEmpty());
  EXPECT_TRUE(absl::IsPermissionDenied(ClassesToExport(policy(), "nobody", {}).status()));
}

TEST_F(ExportControlTest, RecipientsAreThePolicysWhereItNamesThem) {
  Rules({{"recipients = []\nother_recipients = true",
          absl::StrCat("recipients = [\"", crypto::FormatAgeRecipient(Recipient(7)),
                       "\"]\nother_recipients = false")}});
  ExportSpec spec = Spec();
  spec.recipients = {Recipient(8)};
  ExpectDenied(Authorize(*ada_, spec).status(), "not one of those");
  spec.recipients = {Recipient(7), Recipient(8)};
  ExpectDenied(Authorize(*ada_, spec).status(), "not one of those");
  EXPECT_TRUE(Authorize(*ada_).ok());
}

TEST_F(ExportControlTest, InTheClearOnlyWhereThePolicySaysSo) {
  ExportSpec spec = Spec();
  spec.recipients.clear();
  ExpectDenied(Authorize(*ada_, spec).status(), "no export in the clear");
  Rules({{"plaintext = false", "plaintext = true"}});
  EXPECT_TRUE(Authorize(*ada_, spec).ok());
}

TEST_F(ExportControlTest, TwentyRecipientsAndNoMore) {
  ExportSpec spec = Spec();
  spec.recipients.assign(21, Recipient(7));
  EXPECT_TRUE(absl::IsFailedPrecondition(Authorize(*ada_, spec).status()));
  spec.recipients.pop_back();
  EXPECT_TRUE(Authorize(*ada_, spec).ok());
}

TEST_F(ExportControlTest, BookThatIsNotThereIsNotFound) {
  ExportSpec spec = Spec();
  spec.book = BookId{99};
  EXPECT_TRUE(absl::IsNotFound(Authorize(*ada_, spec).status()));
}

TEST_F(ExportControlTest, MoreRowsThanThePolicyAllowsAreRefused) {
  Rules({{"max_rows = 0", "max_rows = 2"}});
  Sql("INSERT INTO contact VALUES (1, 11, x'', x''), (2, 12, x'', x''), (3, 13, x'', x'')");
  Sql("INSERT INTO book_contact VALUES (1, 1, 1, x''), (1, 2, 1, x'')");
  ExpectDenied(Authorize(*ada_).status(), "3 customers");
  ExpectDenied(RequestExport(ada_->keyring(), policy(), Spec(), now_).status(), "3 customers");
  const auto control = Authorize(*ada_, OtherSpecs()[0]);
  ASSERT_TRUE(control.ok()) << control.status();
  // As many as were allowed, whatever is assigned to the book by the time it is read.
  EXPECT_EQ((*control)->TakePermit().max_contacts(), 2);
}

TEST_F(ExportControlTest, CooldownIsEachMembersOwn) {
  Rules({{"cooldown_minutes = 0", "cooldown_minutes = 60"}});
  ASSERT_TRUE(Export(*ada_).ok());
  Pass(absl::Minutes(59));
  ExpectDenied(Authorize(*ada_).status(), "within the last 60 minutes");
  EXPECT_TRUE(Export(*bea_).ok());
  // The newest export is bea's now; ada's still is ada's newest.
  ExpectDenied(Authorize(*ada_).status(), "within the last 60 minutes");
  Pass(absl::Minutes(1));
  EXPECT_TRUE(Export(*ada_).ok());
}

// Attack: the clock set back behind the last export, where it would be the first one.
TEST_F(ExportControlTest, CooldownStandsWithTheClockSetBack) {
  Rules({{"cooldown_minutes = 0", "cooldown_minutes = 60"}});
  Pass(absl::Hours(2));
  ASSERT_TRUE(Export(*ada_).ok());
  for (const absl::Duration back : {absl::Minutes(1), absl::Minutes(90), absl::Hours(24 * 365)}) {
    now_ = start_ + absl::Hours(2) - back;
    ExpectDenied(Authorize(*ada_).status(), "within the last 60 minutes");
  }
}

// Attack: the same, where only a request's age is against it.
// Attack: two exports that began before either was done, so that the first one was no reason yet.
TEST_F(ExportControlTest, CooldownIsLookedAtOnceMoreAtTheEnd) {
  Rules({{"cooldown_minutes = 0", "cooldown_minutes = 60"}});
  const auto first = Authorize(*ada_, Spec(), ada_->CodeAt(now_ - kTotpStep));
  const auto second = Authorize(*ada_, Spec(), ada_->CodeAt(now_));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(Complete(**first).ok());
  ExpectDenied(Complete(**second).status(), "within the last 60 minutes");
  EXPECT_EQ(Count("export"), 1);
}

TEST_F(ExportControlTest, DeletedRecordDoesNotEndTheCooldown) {
  Rules({{"cooldown_minutes = 0", "cooldown_minutes = 60"}});
  ASSERT_TRUE(Export(*ada_).ok());
  Pass(kStep);
  Sql("DELETE FROM export");
  EXPECT_TRUE(absl::IsDataLoss(Authorize(*ada_).status()));
}

TEST_F(ExportControlTest, OneCodeIsGoodForOneExport) {
  const std::string code = ada_->CodeAt(now_);
  const auto first = Authorize(*ada_, Spec(), code), second = Authorize(*ada_, Spec(), code);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(Complete(**first).ok());
  ExpectNoCode(Complete(**second).status(), "used before");
  ExpectNoCode(Authorize(*ada_, Spec(), code).status(), "used before");
  EXPECT_EQ(Count("export"), 1);
}

// Nor is it for whoever else wants the same.
TEST_F(ExportControlTest, WhoLostTheRightMeanwhileCompletesNothing) {
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  ASSERT_TRUE(keyring::ChangeRole(owner_->keyring(), "ada", "auditor").ok());
  ExpectDenied(Complete(**control).status(), "may not export");
  const auto other = Authorize(*bea_);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(keyring::DisableMember(owner_->keyring(), "bea").ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Complete(**other).status()));
  EXPECT_EQ(Count("export"), 0);
}

// Attack: who holds the database key deletes the record of the export that spent the approval.
TEST_F(ExportControlTest, PermitIsBoundToItsMemberBookAndTime) {
  const BookId seoul = owner_->keyring().roster().FindBook("seoul")->id;
  ExportSpec spec = Spec();
  spec.book = seoul;
  const auto control = Authorize(*ada_, spec);
  ASSERT_TRUE(control.ok()) << control.status();
  ExportPermit permit = (*control)->TakePermit();
  EXPECT_EQ(permit.member(), ada_->id());
  EXPECT_EQ(permit.book(), seoul);
  EXPECT_THAT(permit.classes(), ElementsAre(ClassId::kIdentity, ClassId::kProfile));
  EXPECT_TRUE(permit.IsValid(now_));
  EXPECT_TRUE(permit.IsValid(now_ + absl::Minutes(10)));
  EXPECT_FALSE(permit.IsValid(now_ + absl::Minutes(10) + absl::Milliseconds(1)));
  EXPECT_FALSE(permit.IsValid(now_ - absl::Milliseconds(1)));
  const ExportPermit moved = std::move(permit);
  EXPECT_TRUE(moved.IsValid(now_));
  EXPECT_FALSE(permit.IsValid(now_)) << "used twice";  // NOLINT: that is what is tested
  EXPECT_EQ(permit.max_contacts(), 0);                 // NOLINT
}

using ExportControlDeathTest = ExportControlTest;

TEST_F(ExportControlDeathTest, OnePermitAndOneRecord) {
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  EXPECT_DEATH((*control)->Complete(Written(), now_).IgnoreError(), "");
  (*control)->TakePermit();
  EXPECT_DEATH((*control)->TakePermit(), "");
  ASSERT_TRUE((*control)->Complete(Written(), now_).ok());
  EXPECT_DEATH((*control)->Complete(Written(), now_).IgnoreError(), "");
}

}  // namespace
}  // namespace sealbook::policies
