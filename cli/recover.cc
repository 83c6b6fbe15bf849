#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "cli/one_time_code.h"
#include "vault/keyring/rekeying.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// A code that is none is told at once, and slows the next try down like any wrong one.
absl::Status CountMistyped(const keyring::VaultPaths& paths) {
  ASSIGN_OR_RETURN(const keyring::UnlockFile file, keyring::UnlockFile::Load(paths.unlock()));
  const std::string entry_id = file.EntryId(keyring::kRecoveryEntryName);
  keyring::Lockout lockout(paths.lockout());
  ASSIGN_OR_RETURN([[maybe_unused]] const auto turn, lockout.WaitForTurn(entry_id));
  ASSIGN_OR_RETURN(const absl::Duration wait, lockout.Admit(entry_id, absl::Now()));
  absl::SleepFor(wait);
  RETURN_IF_ERROR(lockout.RecordFailure(entry_id, absl::Now()));
  return WithHint(absl::UnauthenticatedError("that is no recovery code, or it is mistyped"),
                  "Type all 28 letters and digits; its last two check the others.");
}

absl::Status UnlockByCode(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string directory, context.VaultDirectory());
  const keyring::VaultPaths paths(directory);
  // Looked at before a code is asked for: a vault that is not there needs none.
  const auto file = keyring::UnlockFile::Load(paths.unlock());
  if (absl::IsNotFound(file.status())) return keyring::NoUnlockFile(paths);
  RETURN_IF_ERROR(file.status());
  const std::string code_file = arguments.Has("recovery-code-file")
                                    ? arguments.Value("recovery-code-file")
                                    : context.globals().passphrase_file;
  const auto typed = ReadPassphrase(code_file, "Recovery code: ");
  if (code_file.empty() && absl::IsFailedPrecondition(typed.status())) {
    return Usage("there is no terminal to ask for the recovery code on",
                 "Give --recovery-code-file F, and --new-passphrase-file F.");
  }
  RETURN_IF_ERROR(typed.status());
  auto code = keyring::NormalizeRecoveryCode(typed->ExposeText());
  if (!code.ok()) return CountMistyped(paths);
  return context.UnlockAs(
      {.name = std::string(keyring::kRecoveryEntryName),
       .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase, .bytes = *std::move(code)}});
}

absl::Status RunRecover(Context& context, const Arguments& arguments) {
  const bool new_code = arguments.Has("new-code");
  if (new_code) {
    if (arguments.Has("new-passphrase-file") || arguments.Has("recovery-code-file")) {
      return Usage("--new-code is for the owner, and changes the code alone",
                   "Leave --recovery-code-file and --new-passphrase-file out.");
    }
    RETURN_IF_ERROR(context.Unlock());
    // The code leads around the second factor, so that a passphrase alone must not make one.
    RETURN_IF_ERROR(SpendCodeIfEnrolled(context, arguments));
  } else {
    if (arguments.Has("otp"))
      return Usage("--otp goes with --new-code", "The recovery code stands for itself.");
    RETURN_IF_ERROR(UnlockByCode(context, arguments));
  }
  keyring::Keyring& keyring = context.keyring();
  const keyring::Member* owner = keyring::OwnerOf(keyring.roster());
  if (owner == nullptr) return absl::DataLossError("the roster has no owner");
  crypto::SecretBytes passphrase;
  if (!new_code) {
    ASSIGN_OR_RETURN(passphrase,
                     ReadNewPassphrase(arguments.Value("new-passphrase-file"),
                                       absl::StrCat("New passphrase for ", owner->name, ": "),
                                       context.policy().passphrase_min_length()));
  }
  const std::string name = owner->name;
  std::string shown;
  const auto show = [&](const crypto::SecretBytes& code) -> absl::Status {
    shown = std::string(code.ExposeText());
    if (context.globals().json) return absl::OkStatus();
    PrintLine(absl::StrCat("New recovery code, shown this once; the old one is spent:\n\n    ",
                           shown, "\n"));
    // A code that nobody saw must not become the vault's.
    return std::fflush(stdout) == 0 ? absl::OkStatus()
                                    : absl::InternalError("the recovery code could not be shown");
  };
  RETURN_IF_ERROR(keyring::Recover(keyring, {.owner_passphrase = new_code ? nullptr : &passphrase,
                                             .cost = context.policy().cost(),
                                             .before_commit = show}));
  Json json = {{"owner", name},
               {"recovery_code", shown},
               {"epoch", keyring.roster().FindCompartment(kRootBook, ClassId::kIdentity)->epoch}};
  crypto::Wipe(shown);
  if (!new_code && !context.globals().json) {
    PrintLine(Printable(absl::StrCat(name,
                                     " opens the vault with the new passphrase, and every "
                                     "key of the vault is new.")));
  }
  RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  PrintIfJson(context, json);
  return absl::OkStatus();
}

}  // namespace

Command RecoverCommand() {
  return {
      .name = "recover",
      .arguments = "[--recovery-code-file F] [--new-passphrase-file F] | --new-code [--otp CODE]",
      .summary = "opens a vault whose owner's passphrase is lost, with the recovery code",
      .options = {{"recovery-code-file", Option::Kind::kValue, "F",
                   "read the code from F; as --passphrase-file here"},
                  {"new-passphrase-file", Option::Kind::kValue, "F",
                   "the owner's new passphrase, from F and not from the terminal"},
                  {"new-code", Option::Kind::kFlag, "",
                   "as the owner: only replaces a code that was lost or seen"},
                  OtpOption(),
                  NoDrainOption()},
      .run = &RunRecover};
}

}  // namespace sealbook::cli
