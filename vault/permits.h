// Permits: proof that the policy allowed one act. The vault demands them without knowing the
// policy: only policies::PermitIssuer can make one (policies/permits.h), so code that skips the
// policy engine does not compile. What a permit allows is still bounded by the keys that the member
// holds.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "vault/ids.h"

namespace sealbook::policies {
class PermitIssuer;
}

namespace sealbook {

// Allows one member to open some classes of one contact, or of every contact within reach, for a
// short time. `clear` are the classes that are opened as they are; `masked` says that the masked
// rendering of what is not clear may be opened.
class ReadPermit {
 public:
  static constexpr absl::Duration kLifetime = absl::Minutes(10);

  MemberId member() const { return member_; }
  bool AllowsClear(ClassId class_id) const;
  bool AllowsMasked() const { return masked_; }
  // False once the permit has run out, or where it is for another contact.
  bool Covers(ContactNumber contact, absl::Time now) const;
  // True where the permit is for every contact within the member's reach and has not run out.
  bool CoversAll(absl::Time now) const;

 private:
  friend class policies::PermitIssuer;
  ReadPermit(MemberId member, std::optional<ContactNumber> subject, std::vector<ClassId> clear,
             bool masked, absl::Time issued)
      : member_(member),
        subject_(subject),
        clear_(std::move(clear)),
        masked_(masked),
        issued_(issued) {}

  MemberId member_;
  std::optional<ContactNumber> subject_;
  std::vector<ClassId> clear_;
  bool masked_;
  absl::Time issued_;
};

}  // namespace sealbook
