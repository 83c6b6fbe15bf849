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

// One change of the roster by `keyring`'s member. `change` gets the next version to alter and may
// put grants and other rows; it runs inside the transaction, before signing. Refreshes first, so
// that `change` sees the newest version. PermissionDenied: this member may not sign rosters, or not
// this.
absl::Status PublishRoster(Keyring& keyring, const audit::Event& event,
                           const std::function<absl::Status(Roster& next)>& change);

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

// Publishes a policy whose classes, holdings and write rights are those of today.
absl::Status ApplyPolicy(Keyring& keyring, const CompiledPolicy& policy);

// The text that the current roster names. DataLoss: missing or altered.
absl::StatusOr<std::string> CurrentPolicyText(Keyring& keyring);
crypto::Hash256 HashOfPolicy(absl::string_view text);

}  // namespace sealbook::keyring
