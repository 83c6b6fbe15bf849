// Approvals of exports: by whom, for what, until when; and what an insider tries with them.
#include "policies/export_control.h"
#include "tests/policies/export_fixture.h"

namespace sealbook::policies {
namespace {

using records::ExportRequest;
using records::ExportSpec;
using ::testing::ElementsAre;
using testing::FactorMember;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExportApprovalsTest : public ExportFixture {};

TEST_F(ExportApprovalsTest, RequestThatRanOutStaysSoWithTheClockSetBack) {
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

TEST_F(ExportApprovalsTest, AsManyApprovalsAsThePolicyAsks) {
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

TEST_F(ExportApprovalsTest, ApprovalNeedsAFreshCodeOfTheApproversOwn) {
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

TEST_F(ExportApprovalsTest, NobodyApprovesTheirOwnExport) {
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

TEST_F(ExportApprovalsTest, ApprovalIsForExactlyThatExport) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  for (const ExportSpec& other : OtherSpecs())
    ExpectDenied(Authorize(*ada_, other).status(), "was not asked for");
  EXPECT_TRUE(Authorize(*ada_).ok());
}

TEST_F(ExportApprovalsTest, ApprovalIsForWhoAsked) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  ExpectDenied(Authorize(*owner_).status(), "was not asked for");
  ExpectDenied(Authorize(*bea_).status(), "was not asked for");
}

TEST_F(ExportApprovalsTest, ApprovalsRunOutWithTheirRequest) {
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

TEST_F(ExportApprovalsTest, ApproversWhoAreDisabledSinceDoNotCount) {
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

TEST_F(ExportApprovalsTest, ApproversWhoLostTheRightSinceDoNotCount) {
  Rules({{"approvals = 0", "approvals = 1"}});
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  ASSERT_TRUE(keyring::ChangeRole(owner_->keyring(), "bea", "auditor").ok());
  EXPECT_THAT(Standing(request).approvers, IsEmpty());
  ASSERT_TRUE(ada_->keyring().Refresh().ok());
  ExpectDenied(Authorize(*ada_).status(), "0 of 1");
}

TEST_F(ExportApprovalsTest, OneApprovalIsGoodForOneExport) {
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

TEST_F(ExportApprovalsTest, ApprovalWhoseExportWasDeletedIsDataLoss) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  ASSERT_TRUE(Export(*ada_).ok());
  Pass(kStep);
  Sql("DELETE FROM export");
  EXPECT_TRUE(absl::IsDataLoss(Authorize(*ada_).status()));
}

TEST_F(ExportApprovalsTest, RequestThatIsGoneTakesItsApprovalsAlong) {
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

TEST_F(ExportApprovalsTest, PolicyThatGrewStricterMeanwhileHolds) {
  Rules({{"approvals = 0", "approvals = 1"}});
  ASSERT_TRUE(Approve(*bea_, Ask(*ada_)).ok());
  Rules({{"approvals = 0", "approvals = 2"}});
  ExpectDenied(Authorize(*ada_).status(), "1 of 2");
}

}  // namespace
}  // namespace sealbook::policies
