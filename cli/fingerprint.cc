#include "cli/fingerprint.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/keyring/fingerprint.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Longer than any way to type "yes".
constexpr std::size_t kMaxAnswerBytes = 16;

absl::Status NotTheSame(absl::string_view what, absl::string_view who) {
  return WithHint(absl::InvalidArgumentError(what),
                  absl::StrCat("Ask ", who,
                               " to read the fingerprint out again; where it stays "
                               "different, the request was exchanged on its way."));
}

// Whether "yes" was typed, in any case. Asked on the terminal itself: standard error may go
// elsewhere.
bool IsConfirmed(const std::string& fingerprint, absl::string_view who) {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty < 0) return false;
  const std::string question =
      absl::StrCat("The request's fingerprint is\n\n    ", fingerprint, "\n\nDoes ", who,
                   " read out the same? Type yes or no: ");
  (void)!write(tty, question.data(), question.size());
  std::string answer;
  for (char c = 0; read(tty, &c, 1) == 1 && c != '\n';) {
    if (answer.size() <= kMaxAnswerBytes) answer += c;
  }
  close(tty);
  return answer.size() <= kMaxAnswerBytes &&
         absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(answer), "yes");
}

}  // namespace

absl::Status CompareFingerprint(Context& context, const Arguments& arguments,
                                const std::string& fingerprint, absl::string_view who) {
  if (arguments.Has("fingerprint")) {
    if (keyring::IsFingerprint(arguments.Value("fingerprint"), fingerprint))
      return absl::OkStatus();
    return NotTheSame("the fingerprint is another one, so nothing was changed", who);
  }
  const bool asks =
      isatty(STDIN_FILENO) == 1 && !context.globals().json && !context.globals().quiet;
  if (!asks || IsConfirmed(fingerprint, who)) return absl::OkStatus();
  return NotTheSame("the fingerprint was not confirmed, so nothing was changed", who);
}

}  // namespace sealbook::cli
