// All receipts of a vault, for whoever looks for one (Store::GetReceipt finds it by its id).
#pragma once

#include <functional>

#include "vault/store/store.h"

namespace sealbook::store {

// In no order; each was checked by nobody.
absl::Status EachReceipt(
    Store& store,
    const std::function<absl::Status(const crypto::Hash128& id, absl::string_view text)>& visit);

}  // namespace sealbook::store
