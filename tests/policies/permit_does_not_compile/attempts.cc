// Code outside the policy engine that wants a permit, one way at a time (ATTEMPT_…). None of them
// compiles, and the compiler says why: what it calls is private, deleted or not there.
#include "policies/decision.h"
#include "policies/export_control.h"
#include "vault/records/bulk_reader.h"

using sealbook::ExportPermit;
using sealbook::ReadPermit;

#if defined(ATTEMPT_CONSTRUCT)
ReadPermit Attempt() {
  return ReadPermit(sealbook::MemberId{1}, std::nullopt, {sealbook::ClassId::kIdentity}, true,
                    absl::InfiniteFuture());
}
#elif defined(ATTEMPT_BRACES)
ReadPermit Attempt() {
  return {sealbook::MemberId{1},
          std::nullopt,
          {sealbook::ClassId::kIdentity},
          true,
          absl::InfiniteFuture()};
}
#elif defined(ATTEMPT_DEFAULT)
ReadPermit Attempt() { return ReadPermit(); }
#elif defined(ATTEMPT_MAKE_UNIQUE)
#include <memory>
auto Attempt() {
  return std::make_unique<ReadPermit>(sealbook::MemberId{1}, std::nullopt,
                                      std::vector<sealbook::ClassId>{}, true,
                                      absl::InfiniteFuture());
}
#elif defined(ATTEMPT_DERIVE)
struct Forged : ReadPermit {
  Forged() : ReadPermit(sealbook::MemberId{1}, std::nullopt, {}, true, absl::InfiniteFuture()) {}
};
Forged Attempt() { return Forged(); }
#elif defined(ATTEMPT_WIDEN)
void Attempt(ReadPermit& permit) { permit.clear_.push_back(sealbook::ClassId::kIdentity); }
#elif defined(ATTEMPT_PROLONG)
void Attempt(ReadPermit& permit) { permit.issued_ = absl::InfiniteFuture(); }
#elif defined(ATTEMPT_DERIVE_ISSUER)
// Friends have no heirs.
struct Issuer : sealbook::policies::PermitIssuer {
  using PermitIssuer::PermitIssuer;
  ReadPermit All() {
    return ReadPermit(sealbook::MemberId{1}, std::nullopt, {}, true, absl::InfiniteFuture());
  }
};
#elif defined(ATTEMPT_POLICY)
// Nor can a policy be made that nobody parsed.
sealbook::policies::Policy Attempt() { return sealbook::policies::Policy(); }
#elif defined(ATTEMPT_EXPORT_CONSTRUCT)
ExportPermit Attempt() {
  return ExportPermit(sealbook::MemberId{1}, sealbook::kRootBook, {sealbook::ClassId::kIdentity},
                      1'000'000, absl::Now());
}
#elif defined(ATTEMPT_EXPORT_BRACES)
ExportPermit Attempt() {
  return {sealbook::MemberId{1},
          sealbook::kRootBook,
          {sealbook::ClassId::kIdentity},
          1'000'000,
          absl::InfiniteFuture()};
}
#elif defined(ATTEMPT_EXPORT_DEFAULT)
ExportPermit Attempt() { return ExportPermit(); }
#elif defined(ATTEMPT_EXPORT_COPY)
// One permit, one export: a copy would be a second one.
ExportPermit Attempt(const ExportPermit& permit) { return ExportPermit(permit); }
#elif defined(ATTEMPT_EXPORT_ASSIGN)
void Attempt(ExportPermit& spent, ExportPermit& fresh) { spent = fresh; }
#elif defined(ATTEMPT_EXPORT_DERIVE)
struct Forged : ExportPermit {
  Forged()
      : ExportPermit(sealbook::MemberId{1}, sealbook::kRootBook, {}, 1, absl::InfiniteFuture()) {}
};
Forged Attempt() { return Forged(); }
#elif defined(ATTEMPT_EXPORT_WIDEN)
void Attempt(ExportPermit& permit) { permit.classes_.push_back(sealbook::ClassId::kIdentity); }
#elif defined(ATTEMPT_EXPORT_FROM_ISSUER)
// Who makes permits to read makes none to export.
auto Attempt(const sealbook::policies::PermitIssuer& issuer) {
  return issuer.Export(sealbook::MemberId{1}, "owner");
}
#elif defined(ATTEMPT_EXPORT_CONTROL)
// Nor does an export's control come into being without a code.
auto Attempt(sealbook::keyring::Keyring& keyring, const sealbook::policies::Policy& policy,
             const sealbook::policies::CheckedCode& code) {
  return sealbook::policies::ExportControl(keyring, policy, {}, code).TakePermit();
}
#elif defined(ATTEMPT_EXPORT_WITHOUT_PERMIT)
// A permit to read opens no bulk reader.
auto Attempt(sealbook::keyring::Keyring& keyring, ReadPermit permit) {
  return sealbook::records::BulkReader::Open(keyring, std::move(permit), false);
}
#elif defined(ATTEMPT_CODE_DEFAULT)
sealbook::policies::CheckedCode Attempt() { return sealbook::policies::CheckedCode(); }
#else
#error "name an attempt"
#endif
