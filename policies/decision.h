// Decisions: may this role do this, in which form does it see that, and which line of the policy
// says so. Nothing that the policy does not allow is allowed.
#pragma once

#include <string>
#include <vector>

#include "policies/policy.h"
#include "vault/permits.h"

namespace sealbook::policies {

enum class Action {
  kRead,
  kChange,
  kReveal,
  kImport,
  kExport,
  kAssign,
  kManageMembers,
  kManageBooks,
  kManagePolicy,
  kReadAudit,
  kRetention,
  kSubjects,
};

enum class View { kHidden, kMasked, kClear };

struct Decision {
  bool allowed = false;
  View view = View::kHidden;         // of kRead and kReveal
  std::string rule;                  // "roles.agent.clear"; empty: nothing allows it
  int line = 0;                      // of that rule
  std::vector<std::string> because;  // sentences
};

// `field` is needed for kRead, kChange and kReveal.
Decision Decide(const Policy& policy, absl::string_view role, Action action,
                absl::string_view field = "");

// OK, or PermissionDenied with a sentence and a hint. It names the field where the policy does: any
// other name comes from who asks, and may be a number or a person's.
absl::Status Require(const Policy& policy, absl::string_view role, Action action,
                     absl::string_view field = "");

// The same of a class as a whole: kRead (in the clear) or kChange. For chats, which have no fields.
absl::Status RequireClass(const Policy& policy, absl::string_view role, Action action,
                          ClassId class_id);

// The only maker of permits (vault/permits.h).
class PermitIssuer {
 public:
  explicit PermitIssuer(const Policy& policy) : policy_(policy) {}

  // To read one contact in the form that the role sees.
  // PermissionDenied: the role reads nothing.
  absl::StatusOr<ReadPermit> ReadOne(MemberId member, absl::string_view role,
                                     ContactNumber contact) const;
  // To read the class of one field of one contact in the clear, once a reveal is on record
  // (policies/reveal.h). PermissionDenied: the role may not reveal it.
  absl::StatusOr<ReadPermit> Reveal(MemberId member, absl::string_view role, ContactNumber contact,
                                    absl::string_view field) const;
  // To search through every contact within the member's reach; what is found is read with ReadOne.
  absl::StatusOr<ReadPermit> Search(MemberId member, absl::string_view role) const;
  // To list every contact within the member's reach. Identity is masked for every role: the whole
  // list in the clear is an export, which needs a second factor.
  absl::StatusOr<ReadPermit> List(MemberId member, absl::string_view role) const;
  // To purge what stands in archives. PermissionDenied: the role may not.
  absl::StatusOr<PurgePermit> Purge(MemberId member, absl::string_view role) const;
  // To erase one contact. PermissionDenied: the role may not.
  absl::StatusOr<PurgePermit> Erase(MemberId member, absl::string_view role,
                                    ContactNumber contact) const;

 private:
  absl::StatusOr<const RoleRule*> Reader(absl::string_view role) const;
  const Policy& policy_;
};

}  // namespace sealbook::policies
