// The addresses of destinations, as the policy and the command line name them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::archive {

enum class DestinationKind : std::uint8_t { kFolder, kSftp };

struct DestinationUrl {
  DestinationKind kind = DestinationKind::kFolder;
  std::string folder;      // absolute, without a slash at its end; "/" alone for a server's root
  std::string user, host;  // kSftp; the host in lower case, an IPv6 address without its brackets
  std::uint16_t port = 0;  // kSftp

  // The one form of this address; never a secret in it.
  std::string ToText() const;
};

// `file:///DIR` or `sftp://USER@HOST[:PORT]/DIR`. DIR is taken as it stands, UTF-8 of at most 1,024
// bytes: no percent-encoding, no "..", nothing but what is below the root.
// InvalidArgument: anything else; s3:// with the reason that it is not there yet. The message does
// not repeat the address, in which somebody may have written a password.
absl::StatusOr<DestinationUrl> ParseDestination(absl::string_view url);

}  // namespace sealbook::archive
