// Store's small tables of signed documents: second factors, exports and what goes before them,
// receipts.
#include "vault/store/store_inl.h"

namespace sealbook::store {

absl::Status Store::PutSecondFactor(MemberId member, int kind, ByteView document) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO second_factor (member, kind, document) "
                "VALUES (?, ?, ?)");
  put->Bind(1, Number(member)).Bind(2, kind).Bind(3, document);
  return put->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetSecondFactor(MemberId member, int kind) {
  USE_STATEMENT(select, "SELECT document FROM second_factor WHERE member = ? AND kind = ?");
  select->Bind(1, Number(member)).Bind(2, kind);
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::DeleteSecondFactor(MemberId member, int kind) {
  USE_STATEMENT(remove, "DELETE FROM second_factor WHERE member = ? AND kind = ?");
  remove->Bind(1, Number(member)).Bind(2, kind);
  return remove->Run();
}

absl::Status Store::EachSecondFactor(
    const std::function<absl::Status(MemberId, int kind, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT member, kind, document FROM second_factor "
                                      "ORDER BY member, kind"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(MemberId{static_cast<std::uint32_t>(select.Int(0))},
                          static_cast<int>(select.Int(1)), select.Blob(2)));
  }
}

absl::Status Store::InsertExportRequest(const crypto::Hash128& id, ByteView document) {
  USE_STATEMENT(insert, "INSERT INTO export_request (id, document) VALUES (?, ?)");
  insert->Bind(1, ByteView(id)).Bind(2, document);
  return insert->Run();
}

absl::StatusOr<std::optional<crypto::Bytes>> Store::GetExportRequest(const crypto::Hash128& id) {
  USE_STATEMENT(select, "SELECT document FROM export_request WHERE id = ?");
  select->Bind(1, ByteView(id));
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return Copy(select->Blob(0));
}

absl::Status Store::EachExportRequest(
    const std::function<absl::Status(const crypto::Hash128&, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT id, document FROM export_request"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(CopyArray<16>(select.Blob(0)), select.Blob(1)));
  }
}

absl::Status Store::PutExportApproval(const crypto::Hash128& request, MemberId member,
                                      ByteView document) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO export_approval (request, member, document) "
                "VALUES (?, ?, ?)");
  put->Bind(1, ByteView(request)).Bind(2, Number(member)).Bind(3, document);
  return put->Run();
}

absl::Status Store::EachExportApproval(
    const crypto::Hash128& request, const std::function<absl::Status(MemberId, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT member, document FROM export_approval "
                                      "WHERE request = ? ORDER BY member"));
  select.Bind(1, ByteView(request));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(MemberId{static_cast<std::uint32_t>(select.Int(0))}, select.Blob(1)));
  }
}

absl::Status Store::EachExportApproval(
    const std::function<absl::Status(const crypto::Hash128&, MemberId)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT request, member FROM export_approval"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(
        visit(CopyArray<16>(select.Blob(0)), MemberId{static_cast<std::uint32_t>(select.Int(1))}));
  }
}

absl::Status Store::InsertExport(std::int64_t number, ByteView document) {
  USE_STATEMENT(insert, "INSERT INTO export (number, document) VALUES (?, ?)");
  insert->Bind(1, number).Bind(2, document);
  return insert->Run();
}

absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> Store::LastExport() {
  USE_STATEMENT(select, "SELECT number, document FROM export ORDER BY number DESC LIMIT 1");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::pair<std::int64_t, crypto::Bytes>{0, {}};
  return std::pair<std::int64_t, crypto::Bytes>{select->Int(0), Copy(select->Blob(1))};
}

absl::Status Store::EachExportBack(
    const std::function<absl::StatusOr<bool>(std::int64_t, ByteView)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT number, document FROM export ORDER BY number DESC"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(select.Int(0), select.Blob(1)));
    if (!more) return absl::OkStatus();
  }
}

absl::Status Store::InsertReceipt(const crypto::Hash128& id, absl::string_view text) {
  USE_STATEMENT(insert, "INSERT INTO receipt (id, text) VALUES (?, ?)");
  insert->Bind(1, ByteView(id)).Bind(2, text);
  return insert->Run();
}

absl::StatusOr<std::optional<std::string>> Store::GetReceipt(const crypto::Hash128& id) {
  USE_STATEMENT(select, "SELECT text FROM receipt WHERE id = ?");
  select->Bind(1, ByteView(id));
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::nullopt;
  return std::string(select->Text(0));
}

}  // namespace sealbook::store
