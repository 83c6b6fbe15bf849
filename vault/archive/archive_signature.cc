#include "vault/archive/archive_signature.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_layout.h"
#include "vault/archive/signed_file.h"
#include "vault/crypto/age_range_reader.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr absl::string_view kLabel = "sealbook/archive/1";
constexpr absl::string_view kWhat = "an archive's signature";
constexpr std::size_t kHashBytes = sizeof(crypto::Hash256);

// As many blocks as a file of that size has.
bool Fits(const ArchiveDigest& digest) {
  constexpr std::uint64_t kBlock = crypto::AgeRangeReader::kBlockBytes;
  if (digest.header_bytes == 0 || digest.size <= digest.header_bytes ||
      digest.size > kMaxArchiveBytes) {
    return false;
  }
  return digest.blocks.size() == 1 + (digest.size - digest.header_bytes + kBlock - 1) / kBlock;
}

}  // namespace

crypto::Bytes ArchiveSignature::Sign(const crypto::SigningPair& signing) const {
  crypto::ByteWriter out;
  out.Text(kLabel).Raw(header.vault).U64(static_cast<std::uint64_t>(header.run));
  out.U32(static_cast<std::uint32_t>(header.first_day));
  out.U32(static_cast<std::uint32_t>(header.last_day));
  out.U64(totals.contacts).U64(totals.chunks).U64(totals.messages);
  internal::PutSigner(out, signer);
  out.U64(digest.size).Raw(digest.sha256).U32(digest.header_bytes);
  out.U32(static_cast<std::uint32_t>(digest.blocks.size()));
  for (const crypto::Hash256& block : digest.blocks) out.Raw(block);
  return internal::SignFile(kLabel, out, signer, signing);
}

absl::StatusOr<ArchiveSignature> ArchiveSignature::Verify(ByteView file, absl::string_view name,
                                                          const SignerKey& authority) {
  if (file.size() > kMaxBytes) return internal::NoSuchFile(kWhat);
  ASSIGN_OR_RETURN(crypto::ByteReader in, internal::BeginFile(kLabel, kWhat, file));
  ArchiveSignature out;
  out.header.vault = in.Array<16>();
  out.header.run = static_cast<std::int64_t>(in.U64());
  out.header.first_day = static_cast<std::int32_t>(in.U32());
  out.header.last_day = static_cast<std::int32_t>(in.U32());
  out.totals.contacts = in.U64();
  out.totals.chunks = in.U64();
  out.totals.messages = in.U64();
  out.signer = internal::GetSigner(in);
  out.digest.size = in.U64();
  out.digest.sha256 = in.Array<32>();
  out.digest.header_bytes = in.U32();
  const std::uint32_t blocks = in.Count(kHashBytes);
  out.digest.blocks.reserve(blocks);
  for (std::uint32_t i = 0; i < blocks; ++i) out.digest.blocks.push_back(in.Array<kHashBytes>());
  if (!in.Finish(kWhat).ok()) return internal::NoSuchFile(kWhat);
  RETURN_IF_ERROR(internal::CheckFile(kLabel, kWhat, file, out.signer, authority));
  // Signed, and yet not what any program of ours signs.
  if (!internal::WrongWith(out.header).empty() || !Fits(out.digest)) {
    return absl::DataLossError("an archive's signature holds what no archive has");
  }
  if (ArchiveName(out.header) != name) {
    return WithHint(absl::DataLossError("an archive's signature is that of another archive"),
                    "Name the files as they were written.");
  }
  return out;
}

}  // namespace sealbook::archive
