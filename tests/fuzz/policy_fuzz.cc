// A policy from a stranger: whatever the bytes, the parser ends, and its two answers agree. What it
// takes can be asked anything: each role and field has a decision, and a permit no more than the
// role.
#include <cstdint>
#include <cstdlib>

#include "policies/decision.h"
#include "policies/mask.h"

namespace {

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealbook;            // NOLINT: a fuzz target is one function
  using namespace sealbook::policies;  // NOLINT
  const absl::string_view text(reinterpret_cast<const char*>(data), size);

  // Masks take any bytes, too, and never show a whole value.
  for (const MaskRule rule :
       {MaskRule::kPhone, MaskRule::kEmail, MaskRule::kLast4, MaskRule::kHidden}) {
    if (const auto masked = Mask(rule, text)) Must(masked->find("***") != std::string::npos);
  }

  const std::vector<Fault> faults = Policy::Check(text);
  int line = 1;
  for (const Fault& fault : faults) {
    Must(fault.line >= line && fault.column >= 1 && !fault.message.empty());
    line = fault.line;
  }
  const absl::StatusOr<Policy> policy = Policy::Parse(text);
  Must(policy.ok() == faults.empty());
  if (!policy.ok()) return 0;

  Must(policy->FindRole("owner") != nullptr);
  Must(ChangesThatNeedResealing(*policy, *policy).empty());
  const keyring::CompiledPolicy compiled = policy->Compile();
  Must(compiled.roles.size() == policy->roles().size());
  const PermitIssuer issuer(*policy);
  for (const RoleRule& role : policy->roles()) {
    for (const absl::string_view field :
         {"phone", "phone_2", "name", "birth_date", "a column nobody named", ""}) {
      const Decision read = Decide(*policy, role.name, Action::kRead, field);
      Must(read.allowed == (read.view != View::kHidden) && read.allowed == !read.rule.empty());
      Must(!read.allowed || read.line > 0);
    }
    const auto list = issuer.List(MemberId{1}, role.name);
    Must(!list.ok() || !list->AllowsClear(ClassId::kIdentity));
  }
  Must(!issuer.List(MemberId{1}, "\n").ok());
  return 0;
}
