#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/one_time_code.h"
#include "cli/qr_code.h"
#include "policies/factor_enrollment.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Where somebody sits before it and can scan what is shown.
bool IsInteractive(const Context& context) {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !context.globals().json &&
         !context.globals().quiet;
}

// What was shown must have been seen.
absl::Status Flush() {
  return std::fflush(stdout) == 0 ? absl::OkStatus()
                                  : absl::InternalError("standard output could not be written");
}

absl::Status ShowSecret(Context& context, const policies::NewTotp& totp) {
  if (isatty(STDOUT_FILENO) == 1) {
    ASSIGN_OR_RETURN(const crypto::SecretBytes drawn,
                     DrawQrCode(totp.otpauth, context.globals().color));
    std::fwrite(drawn.ExposeBytes().data(), 1, drawn.size(), stdout);
  }
  PrintLine("Scan this with an authenticator, or type the secret into it:\n");
  PrintLine(absl::StrCat("    ", totp.otpauth.ExposeText()));
  PrintLine(absl::StrCat("    ", totp.base32.ExposeText(), "\n"));
  return Flush();
}

absl::Status Confirm(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes code,
                   ReadOneTimeCode(arguments, "confirm", "The code that it shows now: "));
  ASSIGN_OR_RETURN(
      const policies::ConfirmedTotp confirmed,
      policies::ConfirmTotp(context.keyring(), context.policy(), code.ExposeText(), absl::Now()));
  if (context.globals().json) {
    PrintJson({{"id", confirmed.id}, {"status", confirmed.waits ? "waiting" : "active"}});
  } else if (confirmed.waits) {
    PrintLine(absl::StrCat(
        "The code is right. The second factor counts once another admin with one agrees:\n\n"
        "    sealbook factor approve ",
        confirmed.id, "\n\nTell them this id yourself, so that they agree to yours."));
  } else {
    PrintLine(
        "The second factor is in force. Now make recovery codes, for when the phone is lost:\n"
        "sealbook factor enroll recovery");
  }
  return absl::OkStatus();
}

absl::Status EnrollTotp(Context& context, const Arguments& arguments) {
  if (arguments.Has("confirm")) {
    if (arguments.Has("otp"))
      return Usage("--otp is for beginning, and --confirm for the end of it", "Leave --otp out.");
    RETURN_IF_ERROR(context.Unlock());
    return Confirm(context, arguments);
  }
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const auto code, AskForCodeIfEnrolled(context, arguments));
  ASSIGN_OR_RETURN(const policies::NewTotp totp,
                   policies::BeginTotp(context.keyring(), context.policy(), code ? &*code : nullptr,
                                       absl::Now()));
  if (context.globals().json) {
    PrintJson({{"otpauth", std::string(totp.otpauth.ExposeText())},
               {"secret", std::string(totp.base32.ExposeText())},
               {"id", totp.id},
               {"status", "unconfirmed"}});
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(ShowSecret(context, totp));
  if (IsInteractive(context)) return Confirm(context, arguments);
  PrintLine("It counts once a code of it was given: sealbook factor enroll totp --confirm CODE");
  return absl::OkStatus();
}

absl::Status EnrollRecovery(Context& context, const Arguments& arguments) {
  if (arguments.Has("confirm"))
    return Usage("--confirm is for an authenticator", "Leave --confirm out.");
  RETURN_IF_ERROR(context.Unlock());
  std::optional<policies::CheckedCode> code;
  ASSIGN_OR_RETURN(const bool first,
                   policies::IsFirstRecovery(context.keyring(), context.policy(), absl::Now()));
  if (!first || arguments.Has("otp")) {
    ASSIGN_OR_RETURN(code, AskForCode(context, arguments));
  }
  Json shown = Json::array();
  const auto show = [&](const std::vector<crypto::SecretBytes>& codes) -> absl::Status {
    for (const crypto::SecretBytes& one : codes) shown.push_back(std::string(one.ExposeText()));
    // Codes that nobody saw must not replace others: they are shown before the vault has them.
    if (context.globals().json) {
      PrintJson({{"recovery_codes", shown}});
      return Flush();
    }
    PrintLine(
        "Recovery codes, shown this once; each is good for one use in place of a code of "
        "the\nauthenticator, and older ones are not good any more:\n");
    for (const crypto::SecretBytes& one : codes) PrintLine(absl::StrCat("    ", one.ExposeText()));
    PrintLine("\nKeep them on paper, away from this machine and from the phone.");
    return Flush();
  };
  const absl::Status made = policies::MakeRecoveryCodes(context.keyring(), context.policy(),
                                                        code ? &*code : nullptr, absl::Now(), show);
  for (Json& one : shown) crypto::Wipe(one.get_ref<std::string&>());
  return made;
}

absl::Status RunFactorEnroll(Context& context, const Arguments& arguments) {
  const std::string& kind = arguments.positional()[0];
  if (kind == "totp") return EnrollTotp(context, arguments);
  if (kind == "recovery") return EnrollRecovery(context, arguments);
  return Usage("there is no such kind of second factor", "Enrol totp, or recovery.");
}

}  // namespace

Command FactorEnrollCommand() {
  return {.name = "factor enroll",
          .arguments = "totp [--confirm CODE] [--otp CODE] | recovery [--otp CODE]",
          .summary = "a second factor: an authenticator's one-time codes, or recovery codes",
          .options = {{"confirm", Option::Kind::kValue, "CODE",
                       "what the new authenticator shows, after its secret was shown"},
                      OtpOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunFactorEnroll};
}

}  // namespace sealbook::cli
