// Files of a vault's directory, written so that a crash leaves the old one or the new one.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::keyring {

// The names inside a vault's directory.
struct VaultPaths {
  explicit VaultPaths(std::string directory_path) : directory(std::move(directory_path)) {}
  std::string directory;
  std::string database() const { return directory + "/vault.db"; }
  std::string unlock() const { return directory + "/unlock.json"; }
  std::string lockout() const { return directory + "/lockout.json"; }
  std::string escrow() const { return directory + "/escrow.key.age"; }
  // Held while the database gets another key.
  std::string rotation_lock() const { return directory + "/rotation.lock"; }
  // Held while archives or what stands beside them are brought to their destinations.
  std::string retention_lock() const { return directory + "/retention.lock"; }
};

// A whole small file. NotFound: there is none. InvalidArgument: larger than `max_bytes`, or no
// file.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes);

// As ReadSmallFile, for a secret. FailedPrecondition: others than its owner may read it. "-" is
// standard input.
absl::StatusOr<crypto::SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes);

// Temporary file beside it, fsync, rename, fsync of the directory.
absl::Status ReplaceFile(const std::string& path, absl::string_view contents, mode_t mode);

// Makes a file that must not exist yet (AlreadyExists), with fsync. What a killed process made and
// did not write to, this user's own empty file without further rights, counts as not there.
absl::Status CreateNewFile(const std::string& path, absl::string_view contents, mode_t mode);

absl::Status SyncDirectory(const std::string& path);

// An flock on a file of its own, held while this lives.
class FileLock {
 public:
  static absl::StatusOr<FileLock> Take(const std::string& path, mode_t mode);
  // The same without waiting. Unavailable: another process holds it.
  static absl::StatusOr<FileLock> TryTake(const std::string& path, mode_t mode);
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  static absl::StatusOr<FileLock> TakeAs(const std::string& path, mode_t mode, int how);
  int fd_;
};

}  // namespace sealbook::keyring
