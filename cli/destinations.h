// Where archives go, and with which credentials: those stand in no policy and no argument.
//
// Of sftp://USER@HOST/DIR the private key is $SEALBOOK_SFTP_KEY, else HOST.key in systemd's
// $CREDENTIALS_DIRECTORY, else destinations/HOST.key in the vault. The hosts' keys stand in
// $SEALBOOK_SFTP_KNOWN_HOSTS, else beside the private key, in HOST.known_hosts or known_hosts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "vault/archive/upload.h"

namespace sealbook::cli {

// A way to open each of the policy's destinations, or the folder in the vault that stands for them.
// FailedPrecondition: an address that this version cannot use.
absl::StatusOr<std::vector<std::pair<std::string, archive::DestinationOpener>>> DestinationsFor(
    Context& context);

// A warning where the archives go to no independent server; empty otherwise.
std::string NotIndependent(Context& context);

}  // namespace sealbook::cli
