#include "vault/archive/subject_shard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vault/archive/signed_file.h"
#include "vault/crypto/age_reader.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr absl::string_view kLabel = "sealbook/subject-shard/1";
constexpr absl::string_view kSecretLabel = "sealbook/subject-secret/1";
constexpr absl::string_view kWhat = "a subject shard";
constexpr std::size_t kRecordBytes = 8 + 8 + 8 + 32 + 32 + SubjectRecord::kSecretBytes;

// Nothing, or what about it no shard holds.
absl::string_view WrongWith(const SubjectShard& shard) {
  if (shard.version < 1) return "a subject shard's version below 1";
  if (shard.records.size() > static_cast<std::size_t>(SubjectShard::kContacts)) {
    return "too many records in a subject shard";
  }
  ContactNumber last = 0;
  for (const SubjectRecord& record : shard.records) {
    if (record.contact <= last) return "a subject shard is out of order";
    last = record.contact;
    if (record.contact / SubjectShard::kContacts != shard.number) {
      return "a contact stands in another's subject shard";
    }
    if (record.token < 1 || record.session < 1) {
      return "a token or session below 1 in a subject shard";
    }
    if (!crypto::IsUsablePoint(record.public_key)) return "a subject key of small order";
  }
  return "";
}

absl::Status WrongSecret(ContactNumber contact) {
  return absl::DataLossError(
      absl::StrCat("the subject secret of contact ", contact, " does not open"));
}

}  // namespace

absl::StatusOr<crypto::Bytes> SubjectShard::Sign(const crypto::SigningPair& signing) const {
  const absl::string_view wrong = WrongWith(*this);
  if (!wrong.empty()) return absl::DataLossError(wrong);
  crypto::ByteWriter out;
  out.Text(kLabel).Raw(vault).U32(number).U64(version);
  internal::PutSigner(out, signer);
  out.U32(static_cast<std::uint32_t>(records.size()));
  for (const SubjectRecord& record : records) {
    out.U64(static_cast<std::uint64_t>(record.contact));
    out.U64(static_cast<std::uint64_t>(record.token));
    out.U64(static_cast<std::uint64_t>(record.session));
    out.Raw(record.ephemeral.bytes).Raw(record.public_key.bytes);
    out.Raw(record.secret);
  }
  return internal::SignFile(kLabel, out, signer, signing);
}

absl::StatusOr<SubjectShard> SubjectShard::Verify(ByteView file, absl::string_view name,
                                                  const SignerKey& authority) {
  if (file.size() > kMaxBytes) return internal::NoSuchFile(kWhat);
  ASSIGN_OR_RETURN(crypto::ByteReader in, internal::BeginFile(kLabel, kWhat, file));
  SubjectShard out;
  out.vault = in.Array<16>();
  out.number = in.U32();
  out.version = in.U64();
  out.signer = internal::GetSigner(in);
  const std::uint32_t count = in.Count(kRecordBytes);
  out.records.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    SubjectRecord& record = out.records.emplace_back();
    record.contact = static_cast<ContactNumber>(in.U64());
    record.token = static_cast<std::int64_t>(in.U64());
    record.session = static_cast<std::int64_t>(in.U64());
    record.ephemeral.bytes = in.Array<32>();
    record.public_key.bytes = in.Array<32>();
    record.secret = in.Array<SubjectRecord::kSecretBytes>();
  }
  if (!in.Finish(kWhat).ok()) return internal::NoSuchFile(kWhat);
  RETURN_IF_ERROR(internal::CheckFile(kLabel, kWhat, file, out.signer, authority));
  if (const absl::string_view wrong = WrongWith(out); !wrong.empty()) {
    return absl::DataLossError(wrong);
  }
  const auto parts = ParseShardName(name);
  if (!parts.has_value() || parts->number != out.number || parts->version != out.version) {
    return WithHint(absl::DataLossError("a subject shard stands under another one's name"),
                    "Name the files as they were written.");
  }
  return out;
}

const SubjectRecord* SubjectShard::Find(ContactNumber contact) const {
  const auto at = std::ranges::lower_bound(records, contact, {}, &SubjectRecord::contact);
  return at != records.end() && at->contact == contact ? &*at : nullptr;
}

absl::StatusOr<crypto::ExchangePair> OpenEscrow(std::span<const crypto::ExchangePair> identities,
                                                ByteView file) {
  const auto source = [&](std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
    const std::size_t size = std::min(out.size(), file.size());
    std::copy_n(file.begin(), size, out.begin());
    file = file.subspan(size);
    return size;
  };
  ASSIGN_OR_RETURN(const auto reader,
                   crypto::AgeReader::Open(source, {.identities = identities, .threads = 1}));
  crypto::SecretBytes secret(crypto::kKeyBytes + 1);
  std::size_t size = 0;
  while (size < secret.size()) {
    ASSIGN_OR_RETURN(const std::size_t more, reader->Read(secret.ExposeMutable().subspan(size)));
    if (more == 0) break;
    size += more;
  }
  if (size != crypto::kKeyBytes) {
    return absl::DataLossError("the file of the escrow key holds no key");
  }
  return crypto::ExchangePair::FromSecret(
      crypto::ExchangeSecret::CopyOf(secret.ExposeBytes().first(size)));
}

absl::StatusOr<crypto::ExchangePair> OpenSubjectSecret(const crypto::ExchangePair& escrow,
                                                       const keyring::VaultId& vault,
                                                       const SubjectRecord& record) {
  const auto opened = crypto::OpenSealedToPublic(escrow, record.secret);
  if (!opened.ok()) return WrongSecret(record.contact);
  crypto::ByteReader in(opened->ExposeBytes());
  // A box binds nothing by itself: it says whose secret it holds.
  const bool right = crypto::AsText(in.Variable()) == kSecretLabel && in.Array<16>() == vault &&
                     in.U64() == static_cast<std::uint64_t>(record.contact) &&
                     in.U64() == static_cast<std::uint64_t>(record.token);
  const ByteView secret = in.Raw(crypto::kKeyBytes);
  if (!right || !in.Finish(kSecretLabel).ok()) return WrongSecret(record.contact);
  crypto::ExchangePair pair =
      crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(secret));
  if (pair.public_key() != record.public_key) return WrongSecret(record.contact);
  return pair;
}

}  // namespace sealbook::archive
