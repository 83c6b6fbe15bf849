// What the vault keeps of exports: requests, approvals, records; and what of it counts.
#include "vault/records/exports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "tests/support/altered_byte.h"
#include "tests/support/test_vault.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TestVault;
using testing::WithAlteredByte;

class ExportsTest : public ::testing::Test {
 protected:
  ExportsTest() {
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("bea", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    owner_ = vault_.Unlock("owner");
    ada_ = vault_.Unlock("ada");
    bea_ = vault_.Unlock("bea");
  }
  static ExportSpec Spec() {
    return {.book = kRootBook,
            .format = "csv",
            .fields = {"name", "phone"},
            .recipients = {crypto::ExchangePair::FromSecret(
                               crypto::ExchangeSecret::CopyOf(crypto::Bytes(32, 7)))
                               .public_key()},
            .reason = "yearly mailing"};
  }
  template <typename Work>
  static absl::Status Write(keyring::Keyring& keyring, Work&& work) {
    auto transaction = keyring.BeginWrite();
    if (!transaction.ok()) return transaction.status();
    absl::Status status = work();
    if (!status.ok()) return status;
    return transaction->Commit();
  }
  ExportRequest Ask(keyring::Keyring& keyring, absl::Duration lasts = absl::Hours(24)) {
    ExportRequest request;
    const absl::Status written = Write(keyring, [&]() -> absl::Status {
      RETURN_IF_ERROR(
          audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "export.request"}));
      ASSIGN_OR_RETURN(request,
                       InsertExportRequest(keyring, NewExportId(), Spec(), absl::Now(), lasts));
      return absl::OkStatus();
    });
    EXPECT_TRUE(written.ok()) << written;
    return request;
  }
  absl::Status Approve(keyring::Keyring& keyring, const ExportRequest& request,
                       absl::Time at = absl::Now()) {
    return Write(keyring, [&] { return PutExportApproval(keyring, request, at); });
  }
  std::vector<MemberId> Approvals(const ExportRequest& request) {
    EXPECT_TRUE(owner_->Refresh().ok());
    const auto approvals = ExportApprovals(*owner_, request);
    EXPECT_TRUE(approvals.ok()) << approvals.status();
    return approvals.ok() ? *approvals : std::vector<MemberId>();
  }
  ExportRecord Make(keyring::Keyring& keyring, std::optional<ExportId> request = std::nullopt) {
    ExportRecord record{.id = NewExportId(), .request = request, .rows = 3, .bytes = 100};
    record.header = {1, 2, 3};
    const absl::Status written = Write(keyring, [&]() -> absl::Status {
      RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "export"}));
      ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
      record.audit_sequence = head.sequence;
      return InsertExportRecord(keyring, record, absl::Now());
    });
    EXPECT_TRUE(written.ok()) << written;
    return record;
  }
  absl::StatusOr<std::vector<std::int64_t>> Numbers() {
    std::vector<std::int64_t> numbers;
    RETURN_IF_ERROR(EachExportBack(*owner_, [&](const ExportRecord& r) -> absl::StatusOr<bool> {
      numbers.push_back(r.number);
      return true;
    }));
    return numbers;
  }
  void Sql(const std::string& sql) {
    ASSERT_TRUE(owner_->store().database().Execute(sql.c_str()).ok()) << sql;
  }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> owner_, ada_, bea_;
};

TEST_F(ExportsTest, SpecsComeBackAsTheyWere) {
  const auto spec = ExportSpec::Decode(Spec().Encode());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(*spec, Spec());
  crypto::Bytes bytes = Spec().Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(ExportSpec::Decode(ByteView(bytes).first(size)).ok()) << size;
  bytes.push_back(0);
  EXPECT_FALSE(ExportSpec::Decode(bytes).ok());
}

// Whatever differs in what is exported differs in the bytes that are approved.
TEST_F(ExportsTest, EveryPartIsPartOfTheSpec) {
  std::vector<ExportSpec> others(6, Spec());
  others[0].book = BookId{1};
  others[1].format = "xlsx";
  others[2].fields = {"name"};
  others[3].fields = {"phone", "name"};
  others[4].recipients.clear();
  others[5].reason = "yearly mailing ";
  for (const ExportSpec& other : others) EXPECT_NE(other.Encode(), Spec().Encode());
}

TEST_F(ExportsTest, RequestsAreFoundByTheBeginningOfTheirIds) {
  const ExportRequest request = Ask(*ada_);
  const std::string id = FormatExportId(request.id);
  for (const std::string& text : {id, id.substr(0, 8), absl::AsciiStrToUpper(id)}) {
    const auto found = FindExportRequest(*owner_, text);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->hash, request.hash);
    EXPECT_EQ(*OpenExportSpec(*owner_, *found), Spec());
  }
  EXPECT_TRUE(absl::IsInvalidArgument(FindExportRequest(*owner_, id.substr(0, 7)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FindExportRequest(*owner_, "zzzzzzzz").status()));
  EXPECT_TRUE(absl::IsNotFound(FindExportRequest(*owner_, std::string(32, '0')).status()));
}

TEST_F(ExportsTest, OnlyReadersOfTheLogSeeWhatIsAskedFor) {
  const ExportRequest request = Ask(*ada_);
  EXPECT_TRUE(OpenExportSpec(*bea_, request).ok());
  auto importer = vault_.Unlock("service importer");
  EXPECT_TRUE(absl::IsPermissionDenied(OpenExportSpec(*importer, request).status()));
}

TEST_F(ExportsTest, ApprovalsCountByTheirSignatures) {
  const ExportRequest request = Ask(*ada_);
  EXPECT_THAT(Approvals(request), IsEmpty());
  ASSERT_TRUE(Approve(*bea_, request).ok());
  ASSERT_TRUE(Approve(*bea_, request).ok());  // twice is once
  EXPECT_THAT(Approvals(request), ElementsAre(bea_->bundle().member));
}

TEST_F(ExportsTest, ApprovalsMadeTooLateDoNotCount) {
  const ExportRequest request = Ask(*ada_, absl::Minutes(1));
  ASSERT_TRUE(Approve(*bea_, request, absl::Now() + absl::Minutes(2)).ok());
  EXPECT_THAT(Approvals(request), IsEmpty());
}

TEST_F(ExportsTest, ApprovalsOfDisabledMembersDoNotCount) {
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  ASSERT_TRUE(keyring::DisableMember(*vault_.Unlock("owner"), "bea").ok());
  EXPECT_THAT(Approvals(request), IsEmpty());
}

// Attack: an approval of one request laid beside another, or under another member's name.
TEST_F(ExportsTest, MovedApprovalsAreDataLoss) {
  const ExportRequest approved = Ask(*ada_), other = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, approved).ok());
  crypto::Bytes document;
  ASSERT_TRUE(owner_->store()
                  .EachExportApproval(approved.id,
                                      [&](MemberId, ByteView bytes) {
                                        document.assign(bytes.begin(), bytes.end());
                                        return absl::OkStatus();
                                      })
                  .ok());
  ASSERT_TRUE(owner_->store().PutExportApproval(other.id, bea_->bundle().member, document).ok());
  EXPECT_TRUE(absl::IsDataLoss(ExportApprovals(*owner_, other).status()));
  ASSERT_TRUE(
      owner_->store().PutExportApproval(approved.id, owner_->bundle().member, document).ok());
  EXPECT_TRUE(absl::IsDataLoss(ExportApprovals(*owner_, approved).status()));
}

// Attack: every byte of a stored document, one at a time.
TEST_F(ExportsTest, AlteredDocumentsAreDataLoss) {
  const ExportRequest request = Ask(*ada_);
  ASSERT_TRUE(Approve(*bea_, request).ok());
  Make(*ada_);
  const std::pair<std::string, const char*> attacks[] = {
      {"UPDATE export_request SET document = " + WithAlteredByte("document", 201), "request"},
      {"UPDATE export_approval SET document = " + WithAlteredByte("document", 61), "approval"},
      {"UPDATE export SET document = " + WithAlteredByte("document", 91), "export"}};
  for (const auto& [sql, what] : attacks) {
    SCOPED_TRACE(what);
    Sql("SAVEPOINT attack");
    Sql(sql);
    const bool request_counts = ExportRequests(*owner_).ok();
    const bool approval_counts = ExportApprovals(*owner_, request).ok();
    const bool export_counts = Numbers().ok();
    EXPECT_EQ(request_counts + approval_counts + export_counts, 2);
    Sql("ROLLBACK TO attack");
    Sql("RELEASE attack");
  }
}

TEST_F(ExportsTest, RecordsAreNumberedAndNewestFirst) {
  Make(*ada_);
  Make(*bea_);
  Make(*ada_);
  EXPECT_THAT(*Numbers(), ElementsAre(3, 2, 1));
  EXPECT_TRUE(CheckNoExportIsMissing(*owner_, 0).ok());
}

TEST_F(ExportsTest, RecordsComeBackAsTheyWere) {
  const ExportRequest request = Ask(*ada_);
  const ExportRecord made = Make(*ada_, request.id);
  ExportRecord read;
  ASSERT_TRUE(EachExportBack(*owner_, [&](const ExportRecord& r) -> absl::StatusOr<bool> {
                read = r;
                return false;
              }).ok());
  EXPECT_EQ(read.id, made.id);
  EXPECT_EQ(read.member, ada_->bundle().member);
  EXPECT_EQ(read.request, request.id);
  EXPECT_EQ(read.rows, 3);
  EXPECT_EQ(read.bytes, 100);
  EXPECT_EQ(read.header, made.header);
  EXPECT_EQ(read.audit_sequence, made.audit_sequence);
}

// Attack: who holds the database key deletes the record, so that the approval could serve again.
TEST_F(ExportsTest, DeletedRecordsAreMissed) {
  Make(*ada_);
  Make(*ada_);
  Make(*ada_);
  Sql("SAVEPOINT attack");
  Sql("DELETE FROM export WHERE number = 2");
  EXPECT_TRUE(absl::IsDataLoss(Numbers().status()));
  Sql("ROLLBACK TO attack");
  Sql("DELETE FROM export WHERE number = 3");
  EXPECT_TRUE(absl::IsDataLoss(CheckNoExportIsMissing(*owner_, 0)));
  Sql("DELETE FROM export");
  EXPECT_TRUE(absl::IsDataLoss(CheckNoExportIsMissing(*owner_, 0)));
  Sql("ROLLBACK TO attack");
  EXPECT_TRUE(CheckNoExportIsMissing(*owner_, 0).ok());
}

}  // namespace
}  // namespace sealbook::records
