// Blocks of bytes that do not fit into memory, put aside in a file that nobody else can open: it
// has no name, and each block is sealed with XChaCha20-Poly1305 under a key that this process draws
// and never writes anywhere. When the process ends, however it ends, the file is gone and what is
// left on the disk cannot be opened.
//
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/crypto/secret.h"

namespace sealbook::anonymizer {

class SpillFile {
 public:
  // In $TMPDIR, or /tmp. Internal: no file can be made there.
  static absl::StatusOr<std::unique_ptr<SpillFile>> Create();
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // Blocks are numbered from 0. ResourceExhausted: no room is left. Internal: the disk failed.
  absl::Status Add(ByteView block);
  std::size_t size() const { return ends_.size(); }
  // Internal: the disk failed. DataLoss: it gave other bytes.
  absl::StatusOr<crypto::SecretBytes> Read(std::size_t number);

 private:
  explicit SpillFile(int fd) : fd_(fd), key_(crypto::SpillKey::Random()) {}

  int fd_;
  crypto::SpillKey key_;
  std::vector<std::uint64_t> ends_;  // of the sealed blocks, in the file
  crypto::Bytes sealed_;
};

}  // namespace sealbook::anonymizer
