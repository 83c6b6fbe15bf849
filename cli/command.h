// What a command is, and what it is given: the common flags, and the unlocked vault on request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "policies/decision.h"
#include "vault/keyring/keyring.h"

namespace sealbook::cli {

// One run of one command.
class Context {
 public:
  Context(Globals globals, std::string command)
      : globals_(std::move(globals)), command_(std::move(command)) {}

  const Globals& globals() const { return globals_; }
  // The vault's directory: --vault, or the default.
  absl::StatusOr<std::string> VaultDirectory() const;

  // Asks for the secret and unlocks. Unauthenticated as well where somebody else chose the
  // passphrase and it has not been changed yet, unless `even_if_must_change`.
  absl::Status Unlock(bool even_if_must_change = false);
  // With a secret that was asked for elsewhere.
  absl::Status UnlockAs(keyring::UnlockRequest request);
  // As Unlock; gives the secret as well, for sealing something else under it.
  absl::StatusOr<keyring::UnlockSecret> UnlockAndKeepSecret();
  // For commands that run on: takes up what others changed of members and policy since. As Unlock
  // where this member may not go on.
  absl::Status Refresh();
  // After Unlock.
  keyring::Keyring& keyring() { return *keyring_; }
  const policies::Policy& policy() const { return *policy_; }
  policies::PermitIssuer permits() const { return policies::PermitIssuer(*policy_); }
  const std::string& role() { return keyring_->self().role; }
  absl::Status Require(policies::Action action, absl::string_view field = "") {
    return policies::Require(*policy_, role(), action, field);
  }

  // Writes an audit row in a transaction of its own, before what it tells of is shown.
  absl::Status Record(const audit::Event& event) { return RecordAll({event}); }
  absl::Status RecordAll(const std::vector<audit::Event>& events);

  // From now on every failure goes into the log, and not only refusals.
  void RecordEveryFailure() { record_every_failure_ = true; }

  // After the command: a refusal goes into the log, and what was seen into the high-water marks.
  absl::Status Finish(absl::Status status);

 private:
  absl::StatusOr<keyring::UnlockRequest> ReadSecret(const std::string& directory) const;
  absl::Status RefuseFirstPassphrase() const;
  absl::Status TakePolicy();

  Globals globals_;
  std::string command_;  // "member add"
  std::unique_ptr<keyring::Keyring> keyring_;
  std::unique_ptr<policies::Policy> policy_;
  bool record_every_failure_ = false;
};

struct Command {
  std::string name;       // "member add"
  std::string arguments;  // "NAME --role ROLE [--book BOOK]…"
  std::string summary;
  std::vector<Option> options;
  std::size_t min_positional = 0, max_positional = 0;
  absl::Status (*run)(Context& context, const Arguments& arguments) = nullptr;
};
inline constexpr std::size_t kAnyNumber = 1'000'000;

// All of them, in the order in which help lists them.
const std::vector<Command>& Commands();

// The command line of the whole program; gives the exit code.
int Run(const std::vector<std::string>& words);

// "there is no such option": wrong usage, with what to do.
absl::Status Usage(absl::string_view message, absl::string_view hint);
// --reason, for the log, whose details are sealed.
absl::StatusOr<std::string> ReasonOf(const Arguments& arguments);

}  // namespace sealbook::cli
