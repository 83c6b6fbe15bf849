// By what an archive's file is known again: its size, its SHA-256, and a hash of each *block*.
// Block 0 is the header of the age file with the nonce behind it, each other one a sealed chunk of
// the age file (64 KiB and its tag). So somebody who reads a part of a file checks that part, and
// somebody who reads all of it back learns where it differs.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "vault/byte_sink.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/sha256.h"

namespace sealbook::archive {

struct ArchiveDigest {
  std::uint64_t size = 0;          // of the file
  std::uint32_t header_bytes = 0;  // of block 0
  crypto::Sha256Hash sha256{};     // of the whole file, for everybody's tools
  std::vector<crypto::Hash256> blocks;

  // One hash over all of it but the SHA-256: the archive's name in rows, receipts and logs.
  crypto::Hash256 Hash() const;
  friend bool operator==(const ArchiveDigest&, const ArchiveDigest&) = default;
};

// hash("sealbook/archive-block/1", number, bytes).
crypto::Hash256 BlockHash(std::uint64_t number, ByteView bytes);

// Hands bytes on, and makes the digest of them. One thread.
class DigestSink : public ByteSink {
 public:
  explicit DigestSink(ByteSink& out) : out_(out) {}
  // `out`'s errors. ResourceExhausted: more than kMaxArchiveBytes.
  absl::Status Append(ByteView bytes) override;
  // What was appended so far is the header. Once, before anything else comes.
  void EndHeader();
  // Once, at the end.
  ArchiveDigest Finish();

 private:
  void EndBlock();

  ByteSink& out_;
  ArchiveDigest digest_;
  crypto::Sha256 sha256_;
  crypto::Bytes block_;  // at most one block
  bool in_header_ = true;
};

// Compares a file that is read back with what it should be, block by block. Where all blocks are
// the same, so is the SHA-256, which takes longer than all the rest and is left out. One thread.
class ArchiveChecker : public ByteSink {
 public:
  // `expected` must outlive it.
  explicit ArchiveChecker(const ArchiveDigest& expected) : expected_(expected) {}
  explicit ArchiveChecker(ArchiveDigest&&) = delete;
  // DataLoss: another block, or more bytes than expected. Sticks.
  absl::Status Append(ByteView bytes) override;
  // DataLoss: as above, or fewer bytes than expected. Once, at the end.
  absl::Status Finish();
  std::uint64_t checked_bytes() const { return checked_; }

 private:
  absl::Status EndBlock();

  const ArchiveDigest& expected_;
  crypto::Bytes block_;
  std::uint64_t number_ = 0, checked_ = 0;
  absl::Status status_;
};

}  // namespace sealbook::archive
