// Code outside the policy engine that wants a permit, one way at a time (ATTEMPT_…). None of them
// compiles, and the compiler says why: what it calls is private, deleted or not there.
#include "policies/decision.h"

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
#else
#error "name an attempt"
#endif
