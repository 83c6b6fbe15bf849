// The schema, as numbered migrations: number n brings a file of version n - 1 to version n. What
// has been released is never changed, only followed by another.
#pragma once

#include <vector>

namespace sealbook::store {

const std::vector<const char*>& Migrations();

}  // namespace sealbook::store
