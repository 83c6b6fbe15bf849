#include "cli/one_time_code.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::cli {

Option OtpOption() {
  return {"otp", Option::Kind::kValue, "CODE",
          "a one-time code of yours, or a recovery code; asked for otherwise"};
}

absl::StatusOr<crypto::SecretBytes> ReadOneTimeCode(const Arguments& arguments,
                                                    const std::string& option,
                                                    const std::string& prompt) {
  if (arguments.Has(option)) {
    std::string value = arguments.Value(option);
    crypto::SecretBytes code = crypto::SecretBytes::CopyOf(crypto::AsBytes(value));
    crypto::Wipe(value);
    return code;
  }
  absl::StatusOr<crypto::SecretBytes> code = AskSecret(prompt);
  if (absl::IsFailedPrecondition(code.status())) {
    return WithHint(absl::UnauthenticatedError(
                        "this needs a one-time code, and there is no terminal to ask for it on"),
                    absl::StrCat("Give --", option, " CODE."));
  }
  return code;
}

absl::StatusOr<policies::CheckedCode> AskForCode(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes code, ReadOneTimeCode(arguments));
  return policies::CheckCode(context.keyring(), context.policy(), code.ExposeText(), absl::Now());
}

absl::StatusOr<std::optional<policies::CheckedCode>> AskForCodeIfEnrolled(
    Context& context, const Arguments& arguments) {
  if (!arguments.Has("otp")) {
    ASSIGN_OR_RETURN(const bool has, policies::HasFactor(context.keyring(), context.policy()));
    if (!has) return std::nullopt;
  }
  ASSIGN_OR_RETURN(policies::CheckedCode code, AskForCode(context, arguments));
  return std::make_optional(std::move(code));
}

absl::Status SpendCodeIfEnrolled(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto code, AskForCodeIfEnrolled(context, arguments));
  if (!code) return absl::OkStatus();
  ASSIGN_OR_RETURN(store::Transaction transaction, context.keyring().BeginWrite());
  RETURN_IF_ERROR(policies::SpendCode(context.keyring(), context.policy(), *code, absl::Now()));
  return transaction.Commit();
}

}  // namespace sealbook::cli
