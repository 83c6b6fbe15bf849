#include "vault/records/subject_marks.h"

#include "vault/keyring/signed_document.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr absl::string_view kMarkLabel = "sealbook/subject-mark/1";

}  // namespace

absl::Status PutMark(keyring::Keyring& keyring, ChatOwner owner, SubjectMark kind,
                     absl::string_view label, absl::Time now) {
  if (!keyring.role().Has(keyring::Power::kSubjects)) {
    return WithHint(absl::PermissionDeniedError("this role may not act for data subjects"),
                    "Ask an admin.");
  }
  const keyring::Roster& roster = keyring.roster();
  crypto::ByteWriter out;
  out.Text(kMarkLabel).Raw(roster.vault).I64(owner.contact).I64(owner.token);
  out.U8(static_cast<std::uint8_t>(kind)).Text(label);
  out.U32(static_cast<std::uint32_t>(keyring.bundle().member)).U64(roster.version);
  out.I64(absl::ToUnixMillis(now));
  crypto::Bytes document = out.Take();
  keyring::SignDocument(keyring.bundle().signing, kMarkLabel, document);
  return keyring.store().PutSubjectMark(owner.contact, static_cast<int>(kind), label, document);
}

absl::StatusOr<MarkRecord> ParseMark(keyring::Keyring& keyring, ChatOwner owner, SubjectMark kind,
                                     ByteView document) {
  const absl::Status damaged = absl::DataLossError("a hold or a label was altered or planted");
  const auto parts = keyring::SplitDocument(document);
  if (!parts) return damaged;
  crypto::ByteReader in(parts->body);
  const bool right = in.Text() == kMarkLabel && in.Array<16>() == keyring.roster().vault &&
                     in.I64() == owner.contact && in.I64() == owner.token &&
                     in.U8() == static_cast<std::uint8_t>(kind);
  MarkRecord mark{.contact = owner.contact, .kind = kind};
  mark.label = in.Text();
  mark.member = MemberId{in.U32()};
  const std::uint64_t version = in.U64();
  mark.time_ms = in.I64();
  if (!right || !in.Finish("a mark").ok()) return damaged;
  const keyring::Member* signer = keyring.history().SignerAt(mark.member, version);
  if (signer == nullptr || !crypto::Verify(signer->verify, kMarkLabel, parts->body, parts->signature))
    return damaged;
  const keyring::RoleDefinition* role = keyring.history().Version(version)->RoleOf(*signer);
  if (role == nullptr || !role->Has(keyring::Power::kSubjects)) return damaged;
  return mark;
}

absl::StatusOr<std::optional<MarkRecord>> FindMark(keyring::Keyring& keyring, ChatOwner owner,
                                                   SubjectMark kind) {
  ASSIGN_OR_RETURN(const auto document,
                   keyring.store().GetSubjectMark(owner.contact, static_cast<int>(kind)));
  if (!document) return std::nullopt;
  ASSIGN_OR_RETURN(MarkRecord mark, ParseMark(keyring, owner, kind, *document));
  return mark;
}

}  // namespace sealbook::records
