// The signature beside an archive: who wrote it, what it holds, and the digest of its file (age
// authenticates no sender). A binary document, `body || signature` (docs/format.md, "Archive
// signature"), with 32 bytes for each 64 KiB of archive. An archive counts only with its signature.
#pragma once

#include "absl/status/statusor.h"
#include "vault/archive/archive_digest.h"
#include "vault/archive/archive_format.h"

namespace sealbook::archive {

struct ArchiveSignature {
  // kMaxArchiveBytes have so many blocks.
  static constexpr std::size_t kMaxBytes = 33 << 20;

  ArchiveHeader header;  // as in the archive; the file's name follows from it
  ArchiveTotals totals;
  ArchiveDigest digest;
  ArchiveSigner signer;

  // The file. `signing` is the pair of signer.key (checked).
  crypto::Bytes Sign(const crypto::SigningPair& signing) const;

  // The one way to read one. `name` is that of the archive's file, without folder or ".sig".
  // InvalidArgument: no such document. DataLoss: altered, signed with another key than `authority`
  // gives, or of an archive of another name. Otherwise `authority`'s errors.
  static absl::StatusOr<ArchiveSignature> Verify(ByteView file, absl::string_view name,
                                                 const SignerKey& authority);
};

}  // namespace sealbook::archive
