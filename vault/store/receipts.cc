#include "vault/store/receipts.h"

#include <algorithm>

#include "vault/status.h"

namespace sealbook::store {

absl::Status EachReceipt(
    Store& store,
    const std::function<absl::Status(const crypto::Hash128& id, absl::string_view text)>& visit) {
  ASSIGN_OR_RETURN(Statement select, store.database().Prepare("SELECT id, text FROM receipt"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    const ByteView bytes = select.Blob(0);
    crypto::Hash128 id{};
    if (bytes.size() != id.size()) return absl::DataLossError("a receipt's id was altered");
    std::copy(bytes.begin(), bytes.end(), id.begin());
    RETURN_IF_ERROR(visit(id, select.Text(1)));
  }
}

}  // namespace sealbook::store
