#include "cli/member_request.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Longer than any way to type "yes".
constexpr std::size_t kMaxAnswerBytes = 16;

absl::Status IsThereAlready(const std::string& file) {
  return WithHint(absl::AlreadyExistsError(absl::StrCat(file, " is there already")),
                  "Name another file.");
}

// An empty one may be what a killed run left; CreateNewFile decides.
bool IsTaken(const std::string& file) {
  struct stat info {};
  return lstat(file.c_str(), &info) == 0 && !(S_ISREG(info.st_mode) && info.st_size == 0);
}

absl::Status Request(Context& context, const Arguments& arguments) {
  const std::string file = arguments.Value("output");
  if (file.empty()) return Usage("a request needs a file", "Give -o F.");
  // Before a passphrase is asked for.
  if (IsTaken(file)) return IsThereAlready(file);
  const std::string passphrase_file = arguments.Has("new-passphrase-file")
                                          ? arguments.Value("new-passphrase-file")
                                          : context.globals().passphrase_file;
  ASSIGN_OR_RETURN(const crypto::SecretBytes passphrase,
                   ReadNewPassphrase(passphrase_file, "New passphrase: ",
                                     keyring::JoinRequest::kMinPassphraseLength));
  ASSIGN_OR_RETURN(const keyring::JoinRequest request, keyring::JoinRequest::Make(passphrase));
  const absl::Status written = keyring::CreateNewFile(file, request.Format(), 0600);
  if (absl::IsAlreadyExists(written)) return IsThereAlready(file);
  if (absl::IsNotFound(written)) return Usage(written.message(), "Name a folder that is there.");
  RETURN_IF_ERROR(written);
  if (context.globals().json) {
    PrintJson({{"file", file}, {"fingerprint", request.Fingerprint()}});
    return absl::OkStatus();
  }
  PrintLine(absl::StrCat("The request is in ", file, ". Its fingerprint is\n\n    ",
                         request.Fingerprint(), "\n\n",
                         "Send the file to an admin of the vault, in any way, and read the digits "
                         "out on\nanother: by telephone, or face to face. Your passphrase stays "
                         "with you."));
  return absl::OkStatus();
}

absl::Status NotTheSame(absl::string_view what) {
  return WithHint(absl::InvalidArgumentError(what),
                  "Ask the new member to read the fingerprint out again; where it stays different, "
                  "the file was exchanged on its way.");
}

// Whether "yes" was typed, in any case. Asked on the terminal itself: standard error may go
// elsewhere.
bool IsConfirmed(const std::string& fingerprint) {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty < 0) return false;
  const std::string question =
      absl::StrCat("The request's fingerprint is\n\n    ", fingerprint,
                   "\n\nDoes the new member read out the same? Type yes or no: ");
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

absl::Status CheckRequestOptions(const Arguments& arguments) {
  if (arguments.Has("fingerprint") && !arguments.Has("request"))
    return Usage("--fingerprint is of a request", "Name its file with --request F.");
  if (!arguments.Has("request")) return absl::OkStatus();
  if (arguments.Has("new-passphrase-file"))
    return Usage("who joins by a request has a passphrase already",
                 "Leave --new-passphrase-file out.");
  if (arguments.Has("key-file-out"))
    return Usage("a request is a person's, and a key file is for service accounts",
                 "Leave one of --request and --key-file-out out.");
  return absl::OkStatus();
}

absl::StatusOr<keyring::JoinRequest> ReadRequest(Context& context, const Arguments& arguments) {
  const std::string file = arguments.Value("request");
  // The file was made to be sent: it may be readable by others.
  const auto text = keyring::ReadSmallFile(file, keyring::JoinRequest::kMaxBytes);
  if (absl::IsNotFound(text.status()))
    return WithHint(absl::InvalidArgumentError(absl::StrCat("there is no file ", file)),
                    "Name the file that 'sealbook member request' wrote.");
  if (absl::IsInvalidArgument(text.status()))
    return WithHint(text.status(), "Name the file that 'sealbook member request' wrote.");
  RETURN_IF_ERROR(text.status());
  auto request = keyring::JoinRequest::Parse(*text);
  if (!request.ok()) {
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(file, ": ", request.status().message())),
        HintOf(request.status()));
  }
  const std::string fingerprint = request->Fingerprint();
  if (arguments.Has("fingerprint")) {
    if (!keyring::IsFingerprint(arguments.Value("fingerprint"), fingerprint))
      return NotTheSame(absl::StrCat("the fingerprint of ", file, " is another one"));
  } else if (isatty(STDIN_FILENO) == 1 && !context.globals().json && !context.globals().quiet) {
    if (!IsConfirmed(fingerprint))
      return NotTheSame("the fingerprint was not confirmed, so nobody was added");
  }
  return request;
}

void PrintAdmitted(Context& context, const keyring::NewMember& member) {
  const std::string vault = keyring::VaultFingerprint(context.keyring().roster().vault,
                                                      context.keyring().roster().root),
                    fingerprint = member.request->Fingerprint();
  if (context.globals().json) {
    PrintJson({{"name", member.name},
               {"role", member.role},
               {"books", member.books},
               {"fingerprint", fingerprint},
               {"vault_fingerprint", vault}});
    return;
  }
  PrintLine(absl::StrCat(member.name, " is a member (", member.role,
                         "), by the request with the fingerprint\n\n    ", fingerprint,
                         "\n\nAt the first unlock ", member.name,
                         " is shown the vault's fingerprint. Read it out, too:\n\n    ", vault));
}

Command MemberRequestCommand() {
  return {.name = "member request",
          .arguments = "-o F [--new-passphrase-file F]",
          .summary = "asks to join a vault: your keys, in a file for its admin",
          .options = {{"o,output", Option::Kind::kValue, "F", "where it is written"},
                      {"new-passphrase-file", Option::Kind::kValue, "F",
                       "your passphrase from F and not from the terminal"}},
          .run = &Request};
}

}  // namespace sealbook::cli
