// Small binary files that are `body || signature` and name their signer: archive signatures and
// subject shards. Used by these alone.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "vault/archive/archive_format.h"
#include "vault/crypto/bytes.h"

namespace sealbook::archive::internal {

// 52 bytes: member, roster version, time, key.
void PutSigner(crypto::ByteWriter& out, const ArchiveSigner& signer);
ArchiveSigner GetSigner(crypto::ByteReader& in);

// The body with its signature. Ends the process where `signing` is not the pair of signer.key: what
// names another signer than it has must not come into being.
crypto::Bytes SignFile(absl::string_view label, crypto::ByteWriter& body,
                       const ArchiveSigner& signer, const crypto::SigningPair& signing);

// InvalidArgument: `what` ("an archive's signature") is not what the file is.
absl::Status NoSuchFile(absl::string_view what);
// A reader of the body, behind its label. NoSuchFile's error: too short, or another label.
absl::StatusOr<crypto::ByteReader> BeginFile(absl::string_view label, absl::string_view what,
                                             ByteView file);
// DataLoss: signed with another key than `authority` gives for the signer, or altered. Otherwise
// `authority`'s errors.
absl::Status CheckFile(absl::string_view label, absl::string_view what, ByteView file,
                       const ArchiveSigner& signer, const SignerKey& authority);

}  // namespace sealbook::archive::internal
