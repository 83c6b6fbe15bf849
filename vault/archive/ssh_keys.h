// The two key files of an SFTP destination: ours, and what is known of the servers.
#pragma once

#include <libssh/libssh.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/archive/destination_url.h"

namespace sealbook::archive::internal {

struct SshKeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using SshKey = std::unique_ptr<std::remove_pointer_t<ssh_key>, SshKeyDeleter>;

// A private key without a passphrase; nobody is asked for one. The file's bytes are wiped; libssh
// wipes the key when it is freed. FailedPrecondition: it is missing, others may read it, or it is
// no such key.
absl::StatusOr<SshKey> ReadPrivateKey(const std::string& path);

// What a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT") says about one server. Patterns
// and hashed names count; lines with a marker do not: libssh would pass over a revoked key.
class KnownHost {
 public:
  // A missing file knows nothing. InvalidArgument, with the line: a marker, a line about this
  // server without a key that is understood, or a file of more than 1 MiB.
  static absl::StatusOr<KnownHost> Read(const std::string& path, const DestinationUrl& url);

  // How the server presents itself, the known kinds of keys first: SSH_OPTIONS_HOSTKEYS.
  std::string KeyTypes() const;
  // kOutOfRange, refused: the key that the server shows is not among the known ones. The hint names
  // its fingerprint, and what to do.
  absl::Status Check(ssh_key shown) const;

 private:
  KnownHost(std::string path, const DestinationUrl& url) : path_(std::move(path)), url_(url) {}

  std::string path_;
  DestinationUrl url_;
  std::vector<SshKey> keys_;
};

}  // namespace sealbook::archive::internal
