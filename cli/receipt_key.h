// Public keys that statements must be signed with, as their readers give them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/signature.h"

namespace sealbook::cli {

// 64 hexadecimal digits, or a file that holds them: public, so that it may stand in arguments.
// InvalidArgument: neither.
absl::StatusOr<crypto::VerifyKey> ParseAuthority(const std::string& given);

}  // namespace sealbook::cli
