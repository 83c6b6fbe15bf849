// A folder on an SFTP server as a destination.
#pragma once

#include "vault/archive/destination.h"

namespace sealbook::archive::internal {

// `url` is of the kind kSftp. Errors as OpenDestination() says.
absl::StatusOr<std::unique_ptr<Destination>> OpenSftp(const DestinationUrl& url,
                                                      const DestinationOptions& options);

}  // namespace sealbook::archive::internal
