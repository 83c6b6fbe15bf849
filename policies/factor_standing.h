// Which of a member's second factors counts now, by the rules of the policy, and who could agree to
// one.
//
// An *admin* is whose role has the right `members`, `books`, `policy` or `export`. Where the policy
// says so (`countersign`), an admin's enrolment counts where
//   - another admin has agreed to exactly this one (factor_enrollment.h), and still could when it
//     was first used, or
//   - there was nobody who could, when it was confirmed, or there is nobody now.
// Who can agree: an active admin with the right `members` and an enrolment that counts by the first
// or by the first half of the second. It is asked at every use, by the role of that moment: an
// agent's enrolment does not become an admin's by a change of role, where anybody could agree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policies/policy.h"
#include "vault/keyring/factor_record.h"

namespace sealbook::policies {

bool IsFactorAdmin(const Policy& policy, const keyring::Member& member);

struct Standing {
  enum class Counts { kNone, kTotp, kNext };

  keyring::FactorRecord record;
  Counts counts = Counts::kNone;
  // A confirmed one that somebody still has to agree to: `next`, or `totp` where there is none.
  bool waits = false;
  // Whose agreement to the one that counts (or waits) is new to the state; 0: nobody's.
  MemberId agreed{};

  const keyring::Enrollment* counting() const {
    if (counts == Counts::kNone) return nullptr;
    return counts == Counts::kTotp ? &*record.totp : &*record.next;
  }
  const crypto::Hash256& counting_hash() const {  // of that
    return counts == Counts::kTotp ? record.state->totp : record.state->next;
  }
  // Which waits, and its hash.
  const keyring::Enrollment* waiting() const {
    if (!waits) return nullptr;
    return next_waits() ? &*record.next : &*record.totp;
  }
  const crypto::Hash256& waiting_hash() const {
    return next_waits() ? record.state->next : record.state->totp;
  }

 private:
  bool next_waits() const { return record.next && record.next->confirmed(); }
};

// `walk` is needed to believe an agreement that the member's state does not know yet (the log must
// have it); nullptr takes its signature for enough, to tell others of it. DataLoss: LoadFactors.
absl::StatusOr<Standing> StandingOf(keyring::Keyring& keyring, const Policy& policy,
                                    const keyring::FactorRecord& record,
                                    const keyring::FactorWalk* walk);

// Whether anybody but `asker` could agree. Whose rows are unsound counts as somebody
// who can, unless `sound_only`.
absl::StatusOr<bool> AnybodyCouldAgree(keyring::Keyring& keyring, const Policy& policy,
                                       MemberId asker, bool sound_only = false);

// The removal that was asked for of what this member has now, by somebody who still may; nullopt:
// there is none. Of unsound rows it names kNoFactor. DataLoss: the request itself is unsound.
absl::StatusOr<std::optional<keyring::RemovalRequest>> RemovalOf(keyring::Keyring& keyring,
                                                                 const Policy& policy,
                                                                 const keyring::Member& member);

enum class FactorStatus { kUnconfirmed, kWaiting, kActive, kDamaged };
absl::string_view NameOf(FactorStatus status);  // "unconfirmed", "waiting", "active", "damaged"

struct FactorItem {
  std::string id;  // for `factor approve`; empty where it is damaged
  MemberId member{};
  std::string kind;  // "totp", "recovery"; "removal": of all of them, which waits
  FactorStatus status = FactorStatus::kUnconfirmed;
  absl::Time enrolled;            // or asked for
  std::optional<int> codes_left;  // of "recovery"
};
// Of one member or of all that are active, in the order of their numbers.
absl::StatusOr<std::vector<FactorItem>> ListFactors(keyring::Keyring& keyring, const Policy& policy,
                                                    std::optional<MemberId> member);

}  // namespace sealbook::policies
