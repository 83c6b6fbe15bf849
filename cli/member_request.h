// Joining by a request: what 'member add --request' needs beside what 'member add' does.
#pragma once

#include "cli/command.h"
#include "vault/keyring/administration.h"

namespace sealbook::cli {

// FailedPrecondition: --request beside another way to unlock, or --fingerprint without it.
absl::Status CheckRequestOptions(const Arguments& arguments);

// The request in --request, verified, and its fingerprint compared: with --fingerprint, or by the
// admin who is asked on the terminal. InvalidArgument: the file is no request, or the wrong one.
absl::StatusOr<keyring::JoinRequest> ReadRequest(Context& context, const Arguments& arguments);

// What the admin reads after `member` was added by its request.
void PrintAdmitted(Context& context, const keyring::NewMember& member);

}  // namespace sealbook::cli
