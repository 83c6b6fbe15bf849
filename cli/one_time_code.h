// One-time codes on the command line: --otp CODE, or asked on the terminal without an echo.
#pragma once

#include <optional>

#include "cli/command.h"
#include "policies/second_factor.h"

namespace sealbook::cli {

// "--otp CODE".
Option OtpOption();

// As it was typed. Unauthenticated: neither --otp nor a terminal.
absl::StatusOr<crypto::SecretBytes> ReadOneTimeCode(const Arguments& arguments,
                                                    const std::string& option = "otp",
                                                    const std::string& prompt = "One-time code: ");

// Read and checked, for policies::SpendCode. After Unlock.
absl::StatusOr<policies::CheckedCode> AskForCode(Context& context, const Arguments& arguments);

// The same where the member has a second factor, or gives --otp; nullopt otherwise.
absl::StatusOr<std::optional<policies::CheckedCode>> AskForCodeIfEnrolled(
    Context& context, const Arguments& arguments);

// For what a passphrase alone must not do, where the code is not spent together with it: asks and
// spends at once. Nothing where the member has no factor.
absl::Status SpendCodeIfEnrolled(Context& context, const Arguments& arguments);

}  // namespace sealbook::cli
