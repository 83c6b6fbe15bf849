// A member's second factors as they are stored, and whether they are the newest: rows of the
// database can be deleted and put back by whoever holds its key, rows of the signed log cannot.
//
//   ASSIGN_OR_RETURN(auto transaction, keyring.BeginWrite());
//   ASSIGN_OR_RETURN(FactorRecord record, LoadFactors(keyring, keyring.self()));
//   ASSIGN_OR_RETURN(const FactorWalk walk, WalkFactorLog(keyring, record));
//   …                                           // a decision; record.state changed
//   RETURN_IF_ERROR(PutFactorState(keyring, record.state, {event}));
//
// Every act about a factor is an audit row `factor.…` that is about the member
// (audit::TokenOfMember). Those of the member's own are written in one transaction with the state,
// which names the last of them. So a newer one in the log than the state knows, or a state without
// its row, is an older state that was put back (docs/decisions/0019).
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/audit/log.h"
#include "vault/keyring/keyring.h"
#include "vault/keyring/second_factor.h"

namespace sealbook::keyring {

inline constexpr absl::string_view kFactorActs = "factor.";  // what their acts begin with
inline constexpr absl::string_view kFactorRemoveAct = "factor.remove";
inline constexpr absl::string_view kFactorApproveAct = "factor.approve";

struct FactorRecord {
  Member member;
  std::optional<Enrollment> totp, next;
  std::optional<RecoverySet> recovery;
  std::optional<FactorState> state;  // there wherever one of the three above is
  crypto::Hash256 state_hash{};
  // By another member, and for one enrolment: compare with what the state names.
  std::optional<Countersignature> agreement;

  FactorOwner Owner(const Roster& roster) const { return FactorOwner::Of(roster, member); }
};

// DataLoss: a document that does not count, or not the one that the state names; or no state beside
// others. How new the state is, is not looked at.
absl::StatusOr<FactorRecord> LoadFactors(Keyring& keyring, const Member& member);
// Beside it: a removal is asked for of what is unsound, too. DataLoss: it does not count.
absl::StatusOr<std::optional<RemovalRequest>> LoadRemoval(Keyring& keyring, MemberId member);

// What the log said of a record with a state.
struct FactorWalk {
  crypto::Hash256 state{};  // which was looked for
  audit::Head head;         // from where
  absl::Time newest;        // of the times of the newest rows, some hundred
  bool agreed = false;      // record.agreement was given when it says
};

// Reads the log back from its head to the row that the state names; to where `before` began, where
// that was for the same state. DataLoss: that row is not there; a newer one of the member's own,
// or a removal; rows that do not follow each other. A record without a state is looked through for
// its clock alone.
absl::StatusOr<FactorWalk> WalkFactorLog(Keyring& keyring, const FactorRecord& record,
                                         const FactorWalk* before = nullptr);

// For a member without any row: DataLoss where the log knows of factors that nobody removed. Reads
// the log back to the newest row about this member's factors, and all of it where there is none.
absl::Status CheckNeverEnrolled(Keyring& keyring, MemberId member);

// The rest is for the caller's write transaction.

// Appends the rows, which get `token` and are by and about this keyring's member, and writes the
// state with the last one's place.
absl::Status PutFactorState(Keyring& keyring, FactorState& state, std::vector<audit::Event> events);
absl::Status PutFactor(Keyring& keyring, MemberId member, FactorKind kind, ByteView document);
absl::Status DeleteFactor(Keyring& keyring, MemberId member, FactorKind kind);
// Deletes all rows of a member, sound or not. False: there were none.
absl::StatusOr<bool> DeleteFactors(Keyring& keyring, MemberId member);
// The same, with a row that says so; none where there was nothing, in the log either. `detail` is
// JSON.
absl::StatusOr<bool> DropFactors(Keyring& keyring, MemberId member, absl::string_view detail);

}  // namespace sealbook::keyring
