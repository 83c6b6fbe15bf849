// A folder of this machine, or one that it has mounted, as a destination.
#pragma once

#include "vault/archive/destination.h"

namespace sealbook::archive::internal {

// `url` is of the kind kFolder. Errors as OpenDestination() says.
absl::StatusOr<std::unique_ptr<Destination>> OpenFolder(const DestinationUrl& url);

}  // namespace sealbook::archive::internal
