// Who and what counts, changed: a new vault, members, books, the policy. Each is one transaction
// that publishes a roster version with its grants and its audit row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/join_request.h"
#include "vault/keyring/keyring.h"

namespace sealbook::keyring {

// What the policy's text compiles to, and the text, whose hash the roster signs.
struct CompiledPolicy {
  std::string text;
  std::vector<ClassDefinition> classes;
  std::vector<RoleDefinition> roles;
  crypto::PassphraseCost cost;
  LockoutLimits lockout;
};

struct NewVault {
  std::string directory;  // must not exist, or be empty
  std::string owner;      // normalized name
  crypto::SecretBytes passphrase;
  CompiledPolicy policy;
  std::vector<crypto::ExchangePublic> archive_recipients;  // escrow.key.age is encrypted to them
};

struct CreatedVault {
  VaultId vault{};
  crypto::SecretBytes recovery_code;
};

// Makes a vault beside its place and renames it there, so that it is whole or not there at all;
// what an interrupted one left beside is removed first. `before_visible` runs once all is written,
// just before the rename: it shows the recovery code. AlreadyExists: there is a vault, or anything
// else, in the directory.
absl::StatusOr<CreatedVault> CreateVault(
    NewVault request, const std::function<absl::Status(const CreatedVault&)>& before_visible);

// One change of the roster by `keyring`'s member.
struct RosterChange {
  audit::Event event;
  // Gets the next version to alter and may put other rows; it runs inside the transaction, on the
  // newest version, before keys are settled (epochs.h) and it is signed. A new compartment is put
  // in with epoch 0.
  std::function<absl::Status(Roster& next)> change;
  // Compartments that get a new epoch though nobody lost them; may be null.
  std::function<bool(const Compartment&)> renew = nullptr;
  // Where the change gives this member itself new keys: what it is from then on.
  std::optional<Bundle> next_bundle = std::nullopt;
};
// PermissionDenied: this member may not sign rosters, or not this.
absl::Status PublishRoster(Keyring& keyring, RosterChange change);
inline absl::Status PublishRoster(Keyring& keyring, const audit::Event& event,
                                  std::function<absl::Status(Roster& next)> change) {
  return PublishRoster(keyring, RosterChange{.event = event, .change = std::move(change)});
}

struct NewMember {
  std::string name;  // normalized
  std::string role;
  std::vector<std::string> books;
  UnlockSecret secret;  // a passphrase that must be changed, or a key file's
  crypto::PassphraseCost cost;
  std::optional<JoinRequest> request;  // in the place of secret and cost: whose keys these are
};
// InvalidArgument: the request's keys are or were a member's. AlreadyExists, NotFound (role, book),
// PermissionDenied.
absl::Status AddMember(Keyring& keyring, const NewMember& member);

// Seals this member's own bundle again. The database's lock is held meanwhile.
absl::Status ChangePassphrase(Keyring& keyring, const crypto::SecretBytes& passphrase,
                              const crypto::PassphraseCost& cost);

absl::Status AddBook(Keyring& keyring, absl::string_view name);
absl::Status AddBookMember(Keyring& keyring, absl::string_view book, absl::string_view member);

// Taking away. In force when it returns: what is written from then on opens with no key that the
// member had. What stood before is moved to the new epochs by records::Drain.
// FailedPrecondition: this member itself, the last owner, or a role that does not fit. NotFound: no
// such member, book or role, or the member is not in the book. AlreadyExists: disabled already (and
// what an interruption left of their entry is removed), or of this role already.
absl::Status DisableMember(Keyring& keyring, absl::string_view member);
absl::Status ChangeRole(Keyring& keyring, absl::string_view member, absl::string_view role);
absl::Status RemoveBookMember(Keyring& keyring, absl::string_view book, absl::string_view member);

// New epochs of one book's compartments, or of all.
absl::Status RotateBook(Keyring& keyring, absl::string_view book);
absl::Status RotateAll(Keyring& keyring);

// Removes entries of unlock.json that are nobody's, as disabled members leave them; gives how many.
absl::StatusOr<std::size_t> RemoveStaleEntries(Keyring& keyring);

// Publishes a policy whose classes are those of today. What its roles gain or lose is given and
// taken at once.
absl::Status ApplyPolicy(Keyring& keyring, const CompiledPolicy& policy);

inline constexpr absl::string_view kOwnerRole = "owner";

// A member that is no recovery code, active or not. NotFound, with a hint.
absl::StatusOr<const Member*> FindPerson(const Roster& roster, absl::string_view name);

// What the audit log's sealed detail says, as JSON.
std::string DetailOf(const std::vector<std::pair<std::string, std::string>>& detail);

// The text that the current roster names. DataLoss: missing or altered.
absl::StatusOr<std::string> CurrentPolicyText(Keyring& keyring);
crypto::Hash256 HashOfPolicy(absl::string_view text);

}  // namespace sealbook::keyring
