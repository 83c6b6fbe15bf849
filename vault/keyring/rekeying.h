// New key pairs for a member, and the vault's recovery (docs/format.md, "Rekey request").
//
// Whose passphrase and files were copied together keeps the same key pairs whatever the passphrase
// is changed to; new pairs cure that. The member makes them and asks for them, in a request signed
// by the old key and the new one; an admin takes them in with a roster version, which gives a new
// epoch to every compartment that the member held. The secrets wait in unlock.json under `next`
// meanwhile, sealed as any others. The owner, who holds the root key, takes its own in at once.
//
// With the old keys go the second factors that were sealed to them (factor_record.h): they are
// enrolled anew. So whoever has one gives a code before asking for new keys, which the commands see
// to; otherwise a passphrase alone would be a way around it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/keyring/administration.h"

namespace sealbook::keyring {

struct RekeyRequest {
  VaultId vault{};
  MemberId member{};
  std::int64_t time_ms = 0;
  crypto::ExchangePublic exchange;
  crypto::VerifyKey verify;
  crypto::Hash256 bundle_hash{};  // of the sealed bundle that waits in unlock.json

  // Signed by the key that the roster names today, and by the new one.
  crypto::Bytes Sign(const crypto::SigningPair& now, const crypto::SigningPair& next) const;
  // DataLoss: not a request, or not signed by `now` and by the key that it asks for.
  static absl::StatusOr<RekeyRequest> Parse(ByteView document, const crypto::VerifyKey& now);
  // Read aloud by the member and by the admin who takes it in: who has the old key can ask as well.
  std::string Fingerprint() const;
  // What it says, whoever signed it.
  static absl::StatusOr<RekeyRequest> ParseUnchecked(ByteView document);
};

// The request of a member that the roster does not name yet. NotFound: there is none. DataLoss: one
// that does not count.
absl::StatusOr<RekeyRequest> FindRekeyRequest(Keyring& keyring, const Member& member);

// Makes new pairs for `keyring`'s own member, sealed under `secret`. For whoever holds the root key
// they are in force at once; for others the request waits for TakeInRekey.
struct RekeyResult {
  RekeyRequest request;
  bool in_force = false;
};
absl::StatusOr<RekeyResult> Rekey(Keyring& keyring, const UnlockSecret& secret,
                                  const crypto::PassphraseCost& cost);
// Takes in the request with this fingerprint, which somebody has compared. NotFound: no such
// member, or no request of theirs, or another one by now. PermissionDenied: not this member's to
// take in. DataLoss: a request that does not count, or that is not for what waits in unlock.json.
absl::Status TakeInRekey(Keyring& keyring, absl::string_view member, absl::string_view fingerprint);

// For whoever holds the root key, by the recovery code or as the owner: a new recovery code; a new
// passphrase and new pairs for the owner, where one is given; and new epochs of everything.
// `before_commit` shows the code: where it fails, nothing has changed.
struct Recovery {
  const crypto::SecretBytes* owner_passphrase = nullptr;  // null: the owner stays as it is
  crypto::PassphraseCost cost;
  std::function<absl::Status(const crypto::SecretBytes& code)> before_commit;
};
absl::Status Recover(Keyring& keyring, const Recovery& recovery);
// The active owner with the lowest number.
const Member* OwnerOf(const Roster& roster);

// Puts entries of unlock.json whose keys the roster names by now into their place, and removes
// those that nobody asked for: what an interruption may leave.
absl::Status TidyUnlockFile(Keyring& keyring);

}  // namespace sealbook::keyring
