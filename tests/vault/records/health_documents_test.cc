// The doctor on second factors and exports: rows that somebody planted, altered or deleted are
// found, each with its place.
#include "vault/records/health_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/altered_byte.h"
#include "tests/support/test_vault.h"
#include "vault/audit/receipt.h"
#include "vault/keyring/factor_record.h"
#include "vault/records/exports.h"
#include "vault/records/health.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using keyring::FactorKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestVault;
using testing::WithAlteredByte;

// The owner (member 1) has a factor with recovery codes, ada (3) one; ada asked for two exports, of
// which bea (4) approved the first, which then was made.
class HealthDocumentsTest : public ::testing::Test {
 protected:
  HealthDocumentsTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("bea", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    owner_ = vault_.Unlock("owner");
    ada_ = vault_.Unlock("ada");
    bea_ = vault_.Unlock("bea");
    Enroll(*owner_, /*recovery=*/true);
    Enroll(*ada_, /*recovery=*/false);
    request_ = Ask(*ada_);
    Ask(*ada_);
    Write(*bea_, [&]() -> absl::Status {
      RETURN_IF_ERROR(Append(*bea_, kExportApproveAct,
                             keyring::DetailOf({{"export_id", FormatExportId(request_.id)}})));
      return PutExportApproval(*bea_, request_, absl::Now());
    });
    Make(*ada_, request_.id);
    Make(*bea_, std::nullopt);
  }
  template <typename Work>
  static void Write(keyring::Keyring& keyring, Work&& work) {
    auto transaction = keyring.BeginWrite();
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    const absl::Status status = work();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(transaction->Commit().ok());
  }
  static absl::Status Append(keyring::Keyring& keyring, absl::string_view act,
                             std::string detail = "") {
    return audit::Append(keyring.store(), keyring.AuditAuthor(),
                         {.act = std::string(act), .detail = std::move(detail)});
  }
  static void Enroll(keyring::Keyring& keyring, bool recovery) {
    const auto owner = keyring::FactorOwner::Of(keyring.roster(), keyring.self());
    const keyring::Enrollment enrollment{
        .owner = owner,
        .begun_ms = 1,
        .sealed = keyring::SealTotpSecret(owner, crypto::Bytes(keyring::kTotpSecretBytes, 1)),
        .confirmed_ms = 2,
        .agreement = keyring::Agreement::kNobodyThere};
    const keyring::RecoverySet set{
        .owner = owner, .made_ms = 3, .sealed = keyring::SealRecoveryHashes(owner, {})};
    const crypto::Bytes totp = enrollment.Sign(keyring.bundle().signing),
                        codes = set.Sign(keyring.bundle().signing);
    keyring::FactorState state{.owner = owner};
    state.totp = keyring::HashOfFactor(totp);
    if (recovery) state.recovery = keyring::HashOfFactor(codes);
    Write(keyring, [&]() -> absl::Status {
      const MemberId self = keyring.bundle().member;
      RETURN_IF_ERROR(keyring::PutFactor(keyring, self, FactorKind::kTotp, totp));
      if (recovery)
        RETURN_IF_ERROR(keyring::PutFactor(keyring, self, FactorKind::kRecovery, codes));
      return keyring::PutFactorState(keyring, state, {{.act = "factor.confirm"}});
    });
  }
  static ExportRequest Ask(keyring::Keyring& keyring) {
    ExportRequest request;
    Write(keyring, [&]() -> absl::Status {
      RETURN_IF_ERROR(Append(keyring, kExportRequestAct));
      ASSIGN_OR_RETURN(request, InsertExportRequest(keyring, NewExportId(),
                                                    {.format = "csv", .reason = "a test"},
                                                    absl::Now(), absl::Hours(24)));
      return absl::OkStatus();
    });
    return request;
  }
  static void Make(keyring::Keyring& keyring, std::optional<ExportId> request) {
    Write(keyring, [&]() -> absl::Status {
      RETURN_IF_ERROR(Append(keyring, kExportAct));
      ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
      ExportRecord record{.id = NewExportId(), .request = request, .rows = 3, .bytes = 100};
      record.audit_sequence = head.sequence;
      RETURN_IF_ERROR(InsertExportRecord(keyring, record, absl::Now()));
      const audit::Receipt receipt{.kind = "export",
                                   .id = record.id,
                                   .vault = keyring.roster().vault,
                                   .time = absl::Now(),
                                   .member = record.member,
                                   .key = keyring.bundle().signing.verify_key(),
                                   .facts = {{"rows", "3"}}};
      return keyring.store().InsertReceipt(record.id, receipt.Sign(keyring.bundle().signing));
    });
  }
  // The checks that find something, each as "name: what".
  std::vector<std::string> Bad(absl::string_view member = "owner") {
    auto keyring = vault_.Unlock(member);
    const auto checks = CheckHealth(*keyring, {});
    EXPECT_TRUE(checks.ok()) << checks.status();
    std::vector<std::string> out;
    if (!checks.ok()) return out;
    for (const HealthCheck& check : *checks) {
      if (!check.ok) out.push_back(absl::StrCat(check.name, ": ", check.detail));
    }
    return out;
  }
  // As somebody who holds the database key and may write the file: found as `what` by the check
  // `name` and by no other one. The vault is as it was afterwards.
  void ExpectFound(const std::string& sql, const char* name, const std::string& what) {
    SCOPED_TRACE(sql);
    store::Database& database = owner_->store().database();
    ASSERT_TRUE(database.Execute("CREATE TABLE IF NOT EXISTS kept (t, a, b, c)").ok());
    ASSERT_TRUE(database
                    .Execute("DELETE FROM kept;"
                             "INSERT INTO kept SELECT 1, member, kind, document FROM second_factor;"
                             "INSERT INTO kept SELECT 2, id, document, 0 FROM export_request;"
                             "INSERT INTO kept SELECT 3, request, member, document "
                             "FROM export_approval;"
                             "INSERT INTO kept SELECT 4, number, document, 0 FROM export;"
                             "INSERT INTO kept SELECT 5, id, text, 0 FROM receipt;")
                    .ok());
    ASSERT_TRUE(database.Execute(sql.c_str()).ok());
    EXPECT_GT(database.changes(), 0) << "the damage did nothing";
    const std::vector<std::string> bad = Bad();
    ASSERT_EQ(bad.size(), 1u) << ::testing::PrintToString(bad);
    EXPECT_THAT(bad[0], HasSubstr(absl::StrCat(name, ": ")));
    EXPECT_THAT(bad[0], HasSubstr(what));
    ASSERT_TRUE(database
                    .Execute("DELETE FROM second_factor; DELETE FROM export_request;"
                             "DELETE FROM export_approval; DELETE FROM export; DELETE FROM receipt;"
                             "INSERT INTO second_factor SELECT a, b, c FROM kept WHERE t = 1;"
                             "INSERT INTO export_request SELECT a, b FROM kept WHERE t = 2;"
                             "INSERT INTO export_approval SELECT a, b, c FROM kept WHERE t = 3;"
                             "INSERT INTO export SELECT a, b FROM kept WHERE t = 4;"
                             "INSERT INTO receipt SELECT a, b FROM kept WHERE t = 5;"
                             "DROP TABLE kept;")
                    .ok());
  }
  std::string RequestId() const { return FormatExportId(request_.id); }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> owner_, ada_, bea_;
  ExportRequest request_;
};

TEST_F(HealthDocumentsTest, HealthyOnesAreOkForWhoeverLooks) {
  for (const char* member : {"owner", "bea", "mina"}) EXPECT_THAT(Bad(member), IsEmpty()) << member;
  auto owner = vault_.Unlock("owner");
  const auto checks = CheckHealth(*owner, {});
  ASSERT_TRUE(checks.ok()) << checks.status();
  std::vector<std::string> details;
  for (const HealthCheck& check : *checks) details.push_back(check.detail);
  EXPECT_THAT(details, ::testing::Contains(HasSubstr("5 documents of second factors")));
  EXPECT_THAT(details, ::testing::Contains(HasSubstr("2 requests, 1 approvals, 2 exports")));
}

TEST_F(HealthDocumentsTest, FactorsThatAreDeletedAreFound) {
  for (const char* kind : {"1", "3", "4"}) {
    ExpectFound(absl::StrCat("DELETE FROM second_factor WHERE member = 1 AND kind = ", kind),
                "factors", "second factor of member 1: ");
  }
  ExpectFound("DELETE FROM second_factor WHERE member = 3", "factors",
              "second factor of member 3: ");
}

TEST_F(HealthDocumentsTest, FactorsThatAreAlteredAreFound) {
  for (const char* kind : {"1", "3", "4"}) {
    ExpectFound(
        absl::StrCat("UPDATE second_factor SET document = ", WithAlteredByte("document", 151),
                     " WHERE member = 1 AND kind = ", kind),
        "factors", "second factor of member 1: ");
  }
  ExpectFound(
      "UPDATE second_factor SET document = (SELECT document FROM second_factor WHERE "
      "member = 1 AND kind = 1) WHERE member = 3 AND kind = 1",
      "factors", "second factor of member 3: ");
}

TEST_F(HealthDocumentsTest, FactorsThatArePlantedAreFound) {
  ExpectFound("INSERT INTO second_factor VALUES (1, 2, x'00')", "factors",
              "second factor of member 1: ");
  ExpectFound("INSERT INTO second_factor VALUES (1, 5, x'00')", "factors",
              "second factor of member 1: ");
  ExpectFound("INSERT INTO second_factor VALUES (1, 6, x'00')", "factors",
              "second factor of member 1: ");
  ExpectFound(
      "INSERT INTO second_factor SELECT 4, kind, document FROM second_factor WHERE "
      "member = 3",
      "factors", "second factor of member 4: ");
  ExpectFound("INSERT INTO second_factor VALUES (99, 1, x'00')", "factors",
              "of member 99, and no such member");
  ExpectFound("INSERT INTO second_factor VALUES (1, 77, x'00')", "factors",
              "of kind 77 of member 1, and no such kind");
}

// Other than LoadFactors alone, the doctor looks into the log for every member.
TEST_F(HealthDocumentsTest, OlderStatePutBackIsFound) {
  const auto older =
      owner_->store().GetSecondFactor(ada_->bundle().member, static_cast<int>(FactorKind::kState));
  ASSERT_TRUE(older.ok() && *older);
  auto record = keyring::LoadFactors(*ada_, ada_->self());
  ASSERT_TRUE(record.ok()) << record.status();
  record->state->last_step = 99;
  Write(*ada_,
        [&] { return keyring::PutFactorState(*ada_, *record->state, {{.act = "factor.use"}}); });
  EXPECT_THAT(Bad(), IsEmpty());
  ASSERT_TRUE(
      owner_->store()
          .PutSecondFactor(ada_->bundle().member, static_cast<int>(FactorKind::kState), **older)
          .ok());
  const auto bad = Bad();
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_THAT(bad[0], HasSubstr("factors: second factor of member 3: "));
}

TEST_F(HealthDocumentsTest, FactorsOfWhoWasDisabledAreNoDamage) {
  ASSERT_TRUE(keyring::DisableMember(*owner_, "ada").ok());
  EXPECT_THAT(Bad(), IsEmpty());
}

TEST_F(HealthDocumentsTest, RemovedFactorsAreNoDamage) {
  Write(*owner_, [&] { return keyring::DropFactors(*owner_, ada_->bundle().member, "").status(); });
  EXPECT_THAT(Bad(), IsEmpty());
}

TEST_F(HealthDocumentsTest, RequestsThatAreDeletedAlteredOrPlantedAreFound) {
  ExpectFound("DELETE FROM export_request WHERE id NOT IN (SELECT request FROM export_approval)",
              "exports", "the export request of log entry ");
  ExpectFound(absl::StrCat("DELETE FROM export_request WHERE id = x'", RequestId(), "'"), "exports",
              absl::StrCat("member 4's approval of export ", RequestId(), " is of no request"));
  ExpectFound(absl::StrCat("UPDATE export_request SET document = ",
                           WithAlteredByte("document", 101), " WHERE id = x'", RequestId(), "'"),
              "exports", absl::StrCat("export request ", RequestId(), ": "));
  const std::string other(32, 'a');
  ExpectFound(absl::StrCat("INSERT INTO export_request SELECT x'", other,
                           "', document FROM export_request LIMIT 1"),
              "exports", absl::StrCat("export request ", other, ": "));
}

TEST_F(HealthDocumentsTest, ApprovalsThatAreDeletedAlteredOrPlantedAreFound) {
  ExpectFound("DELETE FROM export_approval", "exports", "the approval of an export of log entry ");
  ExpectFound(
      absl::StrCat("UPDATE export_approval SET document = ", WithAlteredByte("document", 61)),
      "exports", absl::StrCat("export request ", RequestId(), ": an export's approval"));
  ExpectFound("INSERT INTO export_approval SELECT request, 1, document FROM export_approval",
              "exports", absl::StrCat("export request ", RequestId(), ": an export's approval"));
  // Of one request laid beside the other.
  ExpectFound(
      "INSERT INTO export_approval SELECT export_request.id, member, "
      "export_approval.document FROM export_request, export_approval WHERE "
      "export_request.id != request",
      "exports", ": an export's approval");
  // Whom the log's details are not for sees no missing approval; the rest they see.
  ASSERT_TRUE(owner_->store().database().Execute("DELETE FROM export_approval").ok());
  EXPECT_THAT(Bad("mina"), IsEmpty());
}

TEST_F(HealthDocumentsTest, ExportsThatAreDeletedAlteredOrPlantedAreFound) {
  ExpectFound("DELETE FROM export WHERE number = 1", "exports", "the record of export 1");
  ExpectFound("DELETE FROM export WHERE number = 2", "exports",
              "the record of the export of log entry ");
  ExpectFound("DELETE FROM export", "exports", "the record of the export of log entry ");
  ExpectFound(absl::StrCat("UPDATE export SET document = ", WithAlteredByte("document", 91),
                           " WHERE number = 1"),
              "exports", "the record of export 1");
  ExpectFound("INSERT INTO export SELECT 3, document FROM export WHERE number = 1", "exports",
              "the record of export 3");
  ExpectFound("UPDATE export SET number = number + 1 WHERE number = 2", "exports",
              "the record of export 3");
}

TEST_F(HealthDocumentsTest, ReceiptsThatAreDeletedOrAlteredAreFound) {
  ExpectFound("DELETE FROM receipt", "exports", "the receipt of export 2 is missing (and 1 more)");
  ExpectFound("UPDATE receipt SET text = replace(text, 'rows: 3', 'rows: 4')", "exports",
              "the receipt of export 2 was altered (and 1 more)");
}

// A member signs what the log does not tell, and so what nobody was told of.
TEST_F(HealthDocumentsTest, DocumentsThatTheLogDoesNotTellOfAreFound) {
  Write(*bea_, [&]() -> absl::Status {
    RETURN_IF_ERROR(Append(*bea_, "lookup"));
    return InsertExportRequest(*bea_, NewExportId(), {.format = "csv", .reason = "quietly"},
                               absl::Now(), absl::Hours(24))
        .status();
  });
  const auto bad = Bad();
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_THAT(bad[0], HasSubstr("exports: an export request names log entry "));
}

}  // namespace
}  // namespace sealbook::records
