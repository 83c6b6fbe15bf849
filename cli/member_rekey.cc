#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "cli/fingerprint.h"
#include "cli/one_time_code.h"
#include "vault/crypto/random.h"
#include "vault/keyring/rekeying.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// One's own new keys. What waits for an admin is told with its fingerprint.
absl::Status Ask(Context& context, const Arguments& arguments) {
  if (arguments.Has("fingerprint"))
    return Usage("--fingerprint is for who takes the new keys in", "Name the member.");
  ASSIGN_OR_RETURN(keyring::UnlockSecret secret, context.UnlockAndKeepSecret());
  keyring::Keyring& keyring = context.keyring();
  const std::string name = keyring.self().name, key_file = arguments.Value("key-file-out");
  if (keyring.role().service != !key_file.empty()) {
    return keyring.role().service
               ? Usage("a service account's new keys need a new key file", "Give --key-file-out F.")
               : Usage("a person has a passphrase and no key file", "Leave --key-file-out out.");
  }
  // New keys end the second factor, so that a passphrase alone must not get them.
  RETURN_IF_ERROR(SpendCodeIfEnrolled(context, arguments));
  if (keyring.role().service) {
    secret.bytes = crypto::SecretBytes(crypto::kKeyBytes);
    crypto::FillRandom(secret.bytes.ExposeMutable());
    const crypto::SecretBytes text =
        keyring::FormatKeyFile(keyring.roster().vault, name, secret.bytes.ExposeBytes());
    const absl::Status written = keyring::CreateNewFile(key_file, text.ExposeText(), 0600);
    if (absl::IsAlreadyExists(written)) {
      return WithHint(absl::AlreadyExistsError(absl::StrCat(key_file, " is there already")),
                      "Name another file.");
    }
    RETURN_IF_ERROR(written);
  }
  ASSIGN_OR_RETURN(const keyring::RekeyResult result,
                   keyring::Rekey(keyring, secret, context.policy().cost()));
  Json json = {
      {"name", name}, {"in_force", result.in_force}, {"fingerprint", result.request.Fingerprint()}};
  if (result.in_force) {
    if (!context.globals().json)
      PrintLine(Printable(absl::StrCat(
          name, " has new keys: nothing that is written from now on opens with the old ones.")));
    RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  } else if (!context.globals().json) {
    PrintLine(Printable(absl::StrCat(
        "The new keys wait for an admin, who runs 'sealbook member rekey ", name, "'.\n")));
    PrintLine(absl::StrCat("Read this fingerprint out to them:\n\n    ",
                           result.request.Fingerprint(), "\n"));
    if (!key_file.empty())
      PrintLine(absl::StrCat("After that ", key_file,
                             " opens the vault, and the old key file no "
                             "more."));
  }
  PrintIfJson(context, json);
  return absl::OkStatus();
}

absl::Status TakeIn(Context& context, const Arguments& arguments) {
  if (arguments.Has("key-file-out"))
    return Usage("--key-file-out is for the account itself", "Leave it out.");
  if (arguments.Has("otp")) return Usage("--otp is for who asks for new keys", "Leave it out.");
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  keyring::Keyring& keyring = context.keyring();
  ASSIGN_OR_RETURN(const keyring::Member* member,
                   keyring::FindPerson(keyring.roster(), arguments.positional()[0]));
  const std::string name = member->name;
  const auto request = keyring::FindRekeyRequest(keyring, *member);
  if (absl::IsNotFound(request.status()))
    return WithHint(request.status(), "They run 'sealbook member rekey' first.");
  RETURN_IF_ERROR(request.status());
  const std::string fingerprint = request->Fingerprint();
  RETURN_IF_ERROR(CompareFingerprint(context, arguments, fingerprint, name));
  RETURN_IF_ERROR(keyring::TakeInRekey(keyring, name, fingerprint));
  Json json = {{"name", name}, {"in_force", true}, {"fingerprint", fingerprint}};
  if (!context.globals().json) {
    PrintLine(Printable(absl::StrCat(
        name, " has new keys, by the request with the fingerprint\n\n    ", fingerprint,
        "\n\nNothing that is written from now on opens with the old ones.")));
  }
  RETURN_IF_ERROR(DrainAfter(context, arguments, json));
  PrintIfJson(context, json);
  return absl::OkStatus();
}

absl::Status RunMemberRekey(Context& context, const Arguments& arguments) {
  return arguments.positional().empty() ? Ask(context, arguments) : TakeIn(context, arguments);
}

}  // namespace

Command MemberRekeyCommand() {
  return {
      .name = "member rekey",
      .arguments = "[--key-file-out F] [--otp CODE] | NAME [--fingerprint DIGITS] [--no-drain]",
      .summary = "asks for new keys of your own; as an admin, takes a member's in",
      .options = {{"key-file-out", Option::Kind::kValue, "F", "a service account's new key file"},
                  {"fingerprint", Option::Kind::kValue, "DIGITS",
                   "what the member read out, in place of a question"},
                  OtpOption(),
                  NoDrainOption()},
      .max_positional = 1,
      .run = &RunMemberRekey};
}

}  // namespace sealbook::cli
