#include "vault/archive/signed_file.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {
constexpr std::size_t kSignatureBytes = sizeof(crypto::Signature);
}  // namespace

void PutSigner(crypto::ByteWriter& out, const ArchiveSigner& signer) {
  out.U32(static_cast<std::uint32_t>(signer.member)).U64(signer.roster_version);
  out.U64(static_cast<std::uint64_t>(absl::ToUnixMillis(signer.time))).Raw(signer.key.bytes);
}

ArchiveSigner GetSigner(crypto::ByteReader& in) {
  ArchiveSigner signer;
  signer.member = MemberId{in.U32()};
  signer.roster_version = in.U64();
  signer.time = absl::FromUnixMillis(static_cast<std::int64_t>(in.U64()));
  signer.key.bytes = in.Array<32>();
  return signer;
}

crypto::Bytes SignFile(absl::string_view label, crypto::ByteWriter& body,
                       const ArchiveSigner& signer, const crypto::SigningPair& signing) {
  if (signing.verify_key() != signer.key) std::abort();
  body.Raw(signing.Sign(label, body.bytes()));
  return body.Take();
}

absl::Status NoSuchFile(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("this is not ", what));
}

absl::StatusOr<crypto::ByteReader> BeginFile(absl::string_view label, absl::string_view what,
                                             ByteView file) {
  if (file.size() < kSignatureBytes) return NoSuchFile(what);
  crypto::ByteReader in(file.first(file.size() - kSignatureBytes));
  if (crypto::AsText(in.Variable()) != label) return NoSuchFile(what);
  return in;
}

absl::Status CheckFile(absl::string_view label, absl::string_view what, ByteView file,
                       const ArchiveSigner& signer, const SignerKey& authority) {
  ASSIGN_OR_RETURN(const crypto::VerifyKey key, authority(signer));
  if (signer.key != key) {
    return absl::DataLossError(absl::StrCat(what, " is made with another key than it may be"));
  }
  crypto::Signature signature;
  const ByteView tail = file.last(kSignatureBytes);
  std::copy(tail.begin(), tail.end(), signature.begin());
  if (!crypto::Verify(key, label, file.first(file.size() - kSignatureBytes), signature)) {
    return absl::DataLossError(absl::StrCat(what, " was altered"));
  }
  return absl::OkStatus();
}

}  // namespace sealbook::archive::internal
