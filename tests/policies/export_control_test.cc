// Who exports what, to whom, after whose approval and how often, with the clock in the test's
// hands; and what an insider tries against each of these rules.
#include "policies/export_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/policy_text.h"
#include "tests/support/factor_member.h"
#include "vault/audit/receipt.h"
#include "vault/records/bulk_reader.h"

namespace sealbook::policies {
namespace {

using records::ExportRequest;
using records::ExportSpec;
using sealbook::testing::FactorMember;
using sealbook::testing::PolicyVault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kStep = absl::Minutes(1);

class ExportControlTest : public ::testing::Test {
 protected:
  using Changes = std::vector<std::pair<std::string, std::string>>;

  // Factors need nobody's agreement here: that has tests of its own.
  ExportControlTest()
      : vault_("KR",
               [](std::string& text) {
                 text = testing::With(text, "countersign = true", "countersign = false");
               }),
        start_(absl::Now()),
        now_(start_) {
    vault_.AddBook("seoul");
    for (const char* admin : {"ada", "bea"}) vault_.AddMember(admin, "admin");
    vault_.AddMember("mina", "supervisor", {"seoul"});
    owner_.emplace(vault_, "owner");
    ada_.emplace(vault_, "ada");
    bea_.emplace(vault_, "bea");
    for (FactorMember* member : {&*owner_, &*ada_, &*bea_}) member->Enroll(now_);
    Pass(kStep);
  }
  void Pass(absl::Duration time) { now_ += time; }
  // From now on.
  void Rules(const Changes& changes) {
    std::string text = vault_.policy().text();
    for (const auto& [from, to] : changes) text = testing::With(text, from, to);
    rules_.push_back(std::make_unique<Policy>(testing::Parsed(text)));
  }
  const Policy& policy() const { return rules_.empty() ? vault_.policy() : *rules_.back(); }

  static crypto::ExchangePublic Recipient(std::uint8_t seed) {
    return crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(crypto::Bytes(32, seed)))
        .public_key();
  }
  static ExportSpec Spec() {
    return {.book = kRootBook,
            .format = "csv",
            .fields = {"name", "phone"},
            .recipients = {Recipient(7)},
            .reason = "yearly mailing"};
  }
  // One difference each.
  std::vector<ExportSpec> OtherSpecs() {
    std::vector<ExportSpec> others(7, Spec());
    others[0].book = owner_->keyring().roster().FindBook("seoul")->id;
    others[1].format = "xlsx";
    others[2].fields = {"name", "phone", "email"};
    others[3].fields = {"phone", "name"};
    others[4].recipients = {Recipient(8)};
    others[5].recipients.push_back(Recipient(8));
    others[6].reason = "yearly mailing, once more";
    return others;
  }
  absl::StatusOr<std::unique_ptr<ExportControl>> Authorize(FactorMember& member,
                                                           const ExportSpec& spec = Spec()) {
    return Authorize(member, spec, member.CodeAt(now_));
  }
  absl::StatusOr<std::unique_ptr<ExportControl>> Authorize(FactorMember& member,
                                                           const ExportSpec& spec,
                                                           absl::string_view code) {
    return ExportControl::Authorize(member.keyring(), policy(), spec, code, now_);
  }
  static WrittenExport Written() {
    WrittenExport written{.rows = 3, .bytes = 100, .sha256 = {}, .header = {1, 2, 3}};
    written.sha256.fill(0xab);
    return written;
  }
  absl::StatusOr<std::string> Complete(ExportControl& control) {
    control.TakePermit();
    return control.Complete(Written(), now_);
  }
  absl::Status Export(FactorMember& member, const ExportSpec& spec = Spec()) {
    ASSIGN_OR_RETURN(const auto control, Authorize(member, spec));
    return Complete(*control).status();
  }
  ExportRequest Ask(FactorMember& member, const ExportSpec& spec = Spec()) {
    const auto request = RequestExport(member.keyring(), policy(), spec, now_);
    EXPECT_TRUE(request.ok()) << request.status();
    return request.ok() ? *request : ExportRequest{};
  }
  absl::Status Approve(FactorMember& member, const ExportRequest& request) {
    return ApproveExport(member.keyring(), policy(), request, member.CodeAt(now_), now_);
  }
  RequestStanding Standing(const ExportRequest& request) {
    EXPECT_TRUE(owner_->keyring().Refresh().ok());
    const auto standing = StandingOf(owner_->keyring(), policy(), request, now_);
    EXPECT_TRUE(standing.ok()) << standing.status();
    return standing.ok() ? *standing : RequestStanding{};
  }
  // Rows of the log by this act.
  int Count(absl::string_view act) {
    int count = 0;
    EXPECT_TRUE(audit::EachBack(owner_->keyring().store(),
                                [&](const audit::Record& row) -> absl::StatusOr<bool> {
                                  if (row.act == act) ++count;
                                  return true;
                                })
                    .ok());
    return count;
  }
  void Sql(const char* sql) {
    ASSERT_TRUE(owner_->keyring().store().database().Execute(sql).ok()) << sql;
    ASSERT_GT(owner_->keyring().store().database().changes(), 0) << "it did nothing: " << sql;
  }
  static void ExpectDenied(const absl::Status& status, absl::string_view because) {
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(because)));
  }
  static void ExpectNoCode(const absl::Status& status, absl::string_view because) {
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(because)));
  }

  PolicyVault vault_;
  std::vector<std::unique_ptr<Policy>> rules_;  // a control keeps the one that it was made under
  absl::Time start_, now_;
  std::optional<FactorMember> owner_, ada_, bea_;
};

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
  Rules(
      {{"[roles.admin]\nscope = \"all\"\nclear = [\"identity\", \"profile\", \"sensitive\", "
        "\"chat\"]",
        "[roles.admin]\nscope = \"all\"\nclear = [\"profile\", \"chat\"]\nmasked = "
        "[\"identity\"]"}});
  ExpectDenied(Authorize(*ada_).status(), "does not read class identity in the clear");
  ExportSpec spec = Spec();
  spec.fields = {"name", "birth_date"};
  ExpectDenied(Authorize(*ada_, spec).status(), "class sensitive");
  // The name of an unknown column may be a person's.
  spec.fields = {"Kim Minji"};
  const absl::Status status = Authorize(*ada_, spec).status();
  ExpectDenied(status, "class sensitive");
  EXPECT_EQ(status.ToString().find("Minji"), std::string::npos);
  EXPECT_THAT(*ClassesToExport(policy(), "admin", {}), ElementsAre(ClassId::kProfile));
  EXPECT_THAT(*ClassesToExport(policy(), "admin", {"uid", "books"}), IsEmpty());
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
TEST_F(ExportControlTest, RequestThatRanOutStaysSoWithTheClockSetBack) {
  Rules({{"approvals = 0", "approvals = 1"}});
  Ask(*ada_);
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  const absl::Time then = now_ + kStep;
  Pass(absl::Hours(25));
  ExpectDenied(Authorize(*ada_).status(), "was not asked for");
  ASSERT_TRUE(ada_->Use(now_).ok());
  now_ = then;
  ExpectNoCode(Authorize(*ada_).status(), "clock");
}

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

TEST_F(ExportControlTest, AsManyApprovalsAsThePolicyAsks) {
  Rules({{"approvals = 0", "approvals = 2"}});
  ExpectDenied(Authorize(*ada_).status(), "needs 2 approvals, and was not asked for");
  const ExportRequest request = Ask(*ada_);
  ExpectDenied(Authorize(*ada_).status(), "0 of 2");
  ASSERT_TRUE(Approve(*bea_, request).ok());
  EXPECT_EQ(Standing(request).state, RequestState::kWaiting);
  ExpectDenied(Authorize(*ada_).status(), "1 of 2");
  // Twice by one is once.
  Pass(kStep);
  EXPECT_TRUE(absl::IsFailedPrecondition(Approve(*bea_, request)));
  ASSERT_TRUE(Approve(*owner_, request).ok());
  EXPECT_EQ(Standing(request).state, RequestState::kApproved);
  EXPECT_THAT(Standing(request).approvers, ElementsAre(owner_->id(), bea_->id()));
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  const auto text = Complete(**control);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr(absl::StrCat("request: ", records::FormatExportId(request.id))));
  for (FactorMember* approver : {&*owner_, &*bea_}) {
    EXPECT_THAT(*text,
                HasSubstr(absl::StrCat(
                    "approved_by: ",
                    crypto::ToHex(approver->keyring().bundle().signing.verify_key().bytes))));
  }
}

TEST_F(ExportControlTest, ApprovalNeedsAFreshCodeOfTheApproversOwn) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_), other = Ask(*ada_, OtherSpecs()[1]);
  const auto approve = [&](const std::string& code, const ExportRequest& which) {
    return ApproveExport(bea_->keyring(), policy(), which, code, now_);
  };
  ExpectNoCode(approve(ada_->CodeAt(now_), request), "wrong");
  ExpectNoCode(approve(bea_->WrongCode(now_), request), "wrong");
  EXPECT_THAT(Standing(request).approvers, IsEmpty());
  ASSERT_TRUE(approve(bea_->CodeAt(now_), request).ok());
  ExpectNoCode(approve(bea_->CodeAt(now_), other), "used before");
  EXPECT_THAT(Standing(other).approvers, IsEmpty());
  EXPECT_EQ(Count("export.approve"), 1);
}

TEST_F(ExportControlTest, NobodyApprovesTheirOwnExport) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_);
  ExpectDenied(Approve(*ada_, request), "their own");
  // Attack: a program of ada's own writes the approval all the same.
  {
    auto transaction = ada_->keyring().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(records::PutExportApproval(ada_->keyring(), request, now_).ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  EXPECT_THAT(Standing(request).approvers, IsEmpty());
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
}

TEST_F(ExportControlTest, ApprovalIsForExactlyThatExport) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  for (const ExportSpec& other : OtherSpecs())
    ExpectDenied(Authorize(*ada_, other).status(), "was not asked for");
  EXPECT_TRUE(Authorize(*ada_).ok());
}

// Nor is it for whoever else wants the same.
TEST_F(ExportControlTest, ApprovalIsForWhoAsked) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  ExpectDenied(Authorize(*owner_).status(), "was not asked for");
  ExpectDenied(Authorize(*bea_).status(), "was not asked for");
}

TEST_F(ExportControlTest, ApprovalsRunOutWithTheirRequest) {
  Rules({{"approvals = 0", "approvals = 1"}, {"approval_hours = 24", "approval_hours = 1"}});
  const ExportRequest approved = Ask(*ada_), late = Ask(*ada_, OtherSpecs()[1]);
  ASSERT_TRUE(Approve(*bea_, approved).ok());
  Pass(absl::Hours(1));
  const auto control = Authorize(*ada_);  // in its last second
  ASSERT_TRUE(control.ok()) << control.status();
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(Standing(approved).state, RequestState::kRunOut);
  ExpectDenied(Authorize(*ada_).status(), "was not asked for");
  // Nor does what began in time end after it.
  ExpectDenied(Complete(**control).status(), "was not asked for");
  EXPECT_TRUE(absl::IsFailedPrecondition(Approve(*bea_, late)));
  EXPECT_EQ(Count("export"), 0);
  EXPECT_TRUE(ada_->Use(now_).ok()) << "a code was spent on nothing";
}

TEST_F(ExportControlTest, ApproversWhoAreDisabledSinceDoNotCount) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  ASSERT_TRUE(keyring::DisableMember(owner_->keyring(), "bea").ok());
  EXPECT_THAT(Standing(request).approvers, IsEmpty());
  ExpectDenied(Complete(**control).status(), "0 of 1");
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
}

TEST_F(ExportControlTest, ApproversWhoLostTheRightSinceDoNotCount) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  ASSERT_TRUE(keyring::ChangeRole(owner_->keyring(), "bea", "auditor").ok());
  EXPECT_THAT(Standing(request).approvers, IsEmpty());
  ASSERT_TRUE(ada_->keyring().Refresh().ok());
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
}

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

TEST_F(ExportControlTest, OneApprovalIsGoodForOneExport) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  // Two at once, with a code each.
  const auto first = Authorize(*ada_, Spec(), ada_->CodeAt(now_ - kTotpStep));
  const auto second = Authorize(*ada_, Spec(), ada_->CodeAt(now_));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(Complete(**first).ok());
  ExpectDenied(Complete(**second).status(), "was not asked for");
  EXPECT_EQ(Count("export"), 1);
  EXPECT_EQ(Standing(request).state, RequestState::kMade);
  Pass(kStep);
  ExpectDenied(Authorize(*ada_).status(), "was not asked for");
  EXPECT_TRUE(absl::IsFailedPrecondition(Approve(*owner_, request)));
  // Asked for anew, it needs a new approval.
  const ExportRequest again = Ask(*ada_);
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
  ASSERT_TRUE(Approve(*bea_, again).ok());
  EXPECT_TRUE(Export(*ada_).ok());
}

// Attack: who holds the database key deletes the record of the export that spent the approval.
TEST_F(ExportControlTest, ApprovalWhoseExportWasDeletedIsDataLoss) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  ASSERT_TRUE(Export(*ada_).ok());
  Pass(kStep);
  Sql("DELETE FROM export");
  EXPECT_TRUE(absl::IsDataLoss(Authorize(*ada_).status()));
}

TEST_F(ExportControlTest, RequestThatIsGoneTakesItsApprovalsAlong) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest gone = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, gone).ok());
  const auto control = Authorize(*ada_);
  ASSERT_TRUE(control.ok()) << control.status();
  Sql("DELETE FROM export_request");
  ExpectDenied(Complete(**control).status(), "was not asked for");
  // The same asked for once more is another request, which nobody approved.
  Ask(*ada_);
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
}

TEST_F(ExportControlTest, PolicyThatGrewStricterMeanwhileHolds) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  Rules({{"approvals = 0", "approvals = 2"}});
  ExpectDenied(Authorize(*ada_).status(), "1 of 2");
}

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
