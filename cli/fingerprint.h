// Comparing a fingerprint that somebody else reads out.
#pragma once

#include "cli/command.h"

namespace sealbook::cli {

// With --fingerprint, that is compared; on a terminal the user is asked whether `who` reads out the
// same. Elsewhere it is for the user to compare what the command prints. InvalidArgument: another
// one, or not confirmed.
absl::Status CompareFingerprint(Context& context, const Arguments& arguments,
                                const std::string& fingerprint, absl::string_view who);

}  // namespace sealbook::cli
