// Errors: absl::Status everywhere, with one kind for each exit code of the command.
//
//   code                  means                                              exit
//   kFailedPrecondition   wrong usage: this cannot be asked now               2
//   kPermissionDenied     not allowed by the policy                           3
//   kUnauthenticated      wrong passphrase, key file or code, or locked out   4
//   kNotFound             no such thing, or not yours                         5
//   kInvalidArgument      bad input                                           6
//   kDataLoss             something stored was altered or damaged             7
//   kUnavailable          busy: another process holds what is needed          8
//   kOutOfRange           out of reach: the archives' server, or what it      9
//                         should hold
//   anything else         internal                                            1
//
// A message is one sentence that says what and where; a hint is one that says what to do. Neither
// ever holds a personal value: name the line, the column, the token.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook {

// The same error with a sentence that says what to do. An earlier hint stays.
absl::Status WithHint(absl::Status status, absl::string_view hint);

// The hint, or an empty string.
std::string HintOf(const absl::Status& status);

// kOutOfRange: the archives' server cannot be reached, or does not hold what it should.
inline absl::Status UnreachableError(absl::string_view message) {
  return absl::OutOfRangeError(message);
}
inline bool IsUnreachable(const absl::Status& status) { return absl::IsOutOfRange(status); }

}  // namespace sealbook

#define SEALBOOK_CONCAT_INNER(a, b) a##b
#define SEALBOOK_CONCAT(a, b) SEALBOOK_CONCAT_INNER(a, b)

// Names of their own, since these macros stand inside one another's arguments (lambdas).
#define RETURN_IF_ERROR(expression) \
  SEALBOOK_RETURN_IF_ERROR(SEALBOOK_CONCAT(status_, __COUNTER__), expression)
#define SEALBOOK_RETURN_IF_ERROR(status, expression)                     \
  do {                                                                   \
    if (absl::Status status = (expression); !status.ok()) return status; \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression) \
  SEALBOOK_ASSIGN_OR_RETURN(SEALBOOK_CONCAT(status_or_, __COUNTER__), declaration, expression)
#define SEALBOOK_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) return std::move(result).status();             \
  declaration = *std::move(result)
