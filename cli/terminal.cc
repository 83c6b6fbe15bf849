#include "cli/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "cli/common_passphrases.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxPassphraseBytes = 1024;

// Calls visit(character, its bytes) for each character; bytes that are no UTF-8 give U+FFFD.
template <typename Visit>
void EachCharacter(absl::string_view text, Visit&& visit) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    const int32_t start = at;
    UChar32 c;
    U8_NEXT_OR_FFFD(bytes, at, size, c);
    visit(c, text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(at - start)));
  }
}

bool IsUnprintable(UChar32 c) {
  const auto type = u_charType(c);
  return u_iscntrl(c) || type == U_FORMAT_CHAR || type == U_LINE_SEPARATOR ||
         type == U_PARAGRAPH_SEPARATOR || type == U_SURROGATE;
}

int WidthOf(UChar32 c) {
  const auto type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) return 0;
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

volatile sig_atomic_t interrupted = 0;

}  // namespace

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return 2;
    case absl::StatusCode::kPermissionDenied:
      return 3;
    case absl::StatusCode::kUnauthenticated:
      return 4;
    case absl::StatusCode::kNotFound:
      return 5;
    case absl::StatusCode::kInvalidArgument:
      return 6;
    case absl::StatusCode::kDataLoss:
      return 7;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return 8;
    case absl::StatusCode::kOutOfRange:
      return 9;
    case absl::StatusCode::kCancelled:
      return 130;
    default:
      return 1;
  }
}

absl::string_view ErrorCodeOf(int exit_code) {
  static constexpr absl::string_view kCodes[] = {
      "ok",        "internal",  "usage", "permission_denied",  "not_authenticated", "not_found",
      "bad_input", "integrity", "busy",  "archive_unreachable"};
  if (exit_code == 130) return "interrupted";
  return exit_code >= 0 && exit_code <= 9 ? kCodes[exit_code] : "internal";
}

void PrintJson(const Json& json) {
  PrintLine(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void PrintLine(absl::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

void PrintNote(const Globals& globals, absl::string_view line) {
  if (globals.quiet) return;
  std::fflush(stdout);  // so that what was said before stands before
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

Json ErrorJson(const absl::Status& status) {
  return {{"code", std::string(ErrorCodeOf(ExitCodeOf(status)))},
          {"message", std::string(status.message())},
          {"hint", HintOf(status)}};
}

void PrintError(const Globals& globals, const absl::Status& status) {
  const std::string message(status.message()), hint = HintOf(status);
  if (globals.json) {
    PrintJson({{"error", ErrorJson(status)}});
    return;
  }
  const bool color = globals.color && isatty(STDERR_FILENO) == 1;
  std::fprintf(stderr, "%ssealbook:%s %s.\n", color ? "\033[31m" : "", color ? "\033[0m" : "",
               Printable(message).c_str());
  if (!hint.empty()) std::fprintf(stderr, "%s\n", Printable(hint).c_str());
}

std::string Printable(absl::string_view text) {
  std::string out;
  EachCharacter(text, [&](UChar32 c, absl::string_view bytes) {
    if (c == 0xFFFD || (IsUnprintable(c) && c != '\n')) {
      out += '?';
    } else {
      out.append(bytes.data(), bytes.size());
    }
  });
  return out;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  EachCharacter(text, [&](UChar32 c, absl::string_view) { width += WidthOf(c); });
  return width;
}

std::string PadTo(absl::string_view text, int width) {
  return absl::StrCat(
      text, std::string(static_cast<std::size_t>(std::max(0, width - DisplayWidth(text))), ' '));
}

std::string FitTo(absl::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string out;
  int used = 0;
  bool full = false;
  EachCharacter(text, [&](UChar32 c, absl::string_view bytes) {
    if (full || used + WidthOf(c) > width - 1) {
      full = true;
      return;
    }
    used += WidthOf(c);
    out.append(bytes.data(), bytes.size());
  });
  return out + "…";
}

std::vector<std::string> WrapTo(absl::string_view text, int width) {
  std::vector<std::string> lines(1);
  int used = 0;
  // Where the line under way may be broken: behind its last blank.
  std::size_t blank = 0;
  int used_to_blank = 0;
  EachCharacter(text, [&](UChar32 c, absl::string_view bytes) {
    const int wide = WidthOf(c);
    if (used + wide > width && !(c == ' ')) {
      std::string rest;
      if (blank > 0) {
        rest = lines.back().substr(blank);
        lines.back().resize(blank);
        used -= used_to_blank;
      } else {
        used = 0;
      }
      while (!lines.back().empty() && lines.back().back() == ' ') lines.back().pop_back();
      lines.push_back(std::move(rest));
      blank = 0;
    }
    lines.back().append(bytes.data(), bytes.size());
    used += wide;
    if (c == ' ') {
      blank = lines.back().size();
      used_to_blank = used;
    }
  });
  return lines;
}

int TerminalColumns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  return 80;
}

void PrintTable(const std::vector<std::string>& header,
                const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (std::size_t column = 0; column < header.size(); ++column) {
    int width = DisplayWidth(header[column]);
    for (const auto& row : rows) width = std::max(width, DisplayWidth(row[column]));
    widths.push_back(width);
  }
  const int columns = TerminalColumns();
  const auto print = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column > 0) line += "  ";
      line += column + 1 < row.size() ? PadTo(row[column], widths[column]) : row[column];
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    PrintLine(isatty(STDOUT_FILENO) == 1 ? FitTo(line, columns) : line);
  };
  print(header);
  for (const auto& row : rows) print(row);
}

absl::StatusOr<crypto::SecretBytes> AskSecret(const std::string& prompt) {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty < 0) {
    return WithHint(
        absl::FailedPreconditionError("there is no terminal to ask for the passphrase on"),
        "Give --passphrase-file F (or --new-passphrase-file F), or --key-file F for a service "
        "account.");
  }
  // Ctrl-C must not leave the terminal without its echo.
  struct sigaction old_interrupt {
  }, old_terminate{}, old_hangup{};
  sigaction(SIGINT, nullptr, &old_interrupt);
  sigaction(SIGTERM, nullptr, &old_terminate);
  sigaction(SIGHUP, nullptr, &old_hangup);
  CatchInterrupts();
  termios old{};
  const bool changed = tcgetattr(tty, &old) == 0;
  termios silent = old;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (changed) tcsetattr(tty, TCSAFLUSH, &silent);
  (void)!write(tty, prompt.data(), prompt.size());
  crypto::SecretBytes secret(kMaxPassphraseBytes + 1);
  std::size_t size = 0;
  while (size < secret.size() && !Interrupted()) {
    const ssize_t got = read(tty, secret.ExposeMutable().data() + size, 1);
    if (got <= 0 || secret.ExposeBytes()[size] == '\n') break;
    ++size;
  }
  if (changed) tcsetattr(tty, TCSAFLUSH, &old);
  (void)!write(tty, "\n", 1);
  close(tty);
  sigaction(SIGINT, &old_interrupt, nullptr);
  sigaction(SIGTERM, &old_terminate, nullptr);
  sigaction(SIGHUP, &old_hangup, nullptr);
  if (Interrupted()) return absl::CancelledError("interrupted");
  secret.Truncate(size);
  return secret;
}

absl::StatusOr<crypto::SecretBytes> ReadPassphrase(const std::string& file,
                                                   const std::string& prompt) {
  if (file.empty()) return AskSecret(prompt);
  absl::StatusOr<crypto::SecretBytes> secret = keyring::ReadSecretFile(file, kMaxPassphraseBytes);
  if (absl::IsInvalidArgument(secret.status())) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(file, " is too large for a passphrase")),
        "Name a file that holds the passphrase alone.");
  }
  RETURN_IF_ERROR(secret.status());
  if (!secret->empty() && secret->ExposeBytes().back() == '\n')
    secret->Truncate(secret->size() - 1);
  if (!secret->empty() && secret->ExposeBytes().back() == '\r')
    secret->Truncate(secret->size() - 1);
  return secret;
}

absl::StatusOr<crypto::SecretBytes> ReadNewPassphrase(const std::string& file,
                                                      const std::string& prompt, int min_length) {
  ASSIGN_OR_RETURN(crypto::SecretBytes secret, ReadPassphrase(file, prompt));
  int characters = 0;
  EachCharacter(secret.ExposeText(), [&](UChar32, absl::string_view) { ++characters; });
  if (characters < min_length) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat("the new passphrase has fewer than ",
                                                               min_length, " characters")),
                    "Four or five random words make a good one.");
  }
  if (IsCommonPassphrase(secret.ExposeText())) {
    return WithHint(absl::FailedPreconditionError("the new passphrase is a well-known one"),
                    "Four or five random words make a good one.");
  }
  if (file.empty()) {
    ASSIGN_OR_RETURN(const crypto::SecretBytes again, AskSecret("Once more: "));
    if (!crypto::EqualInConstantTime(secret.ExposeBytes(), again.ExposeBytes())) {
      return WithHint(absl::FailedPreconditionError("the two passphrases differ"), "Try again.");
    }
  }
  return secret;
}

Progress::Progress(const Globals& globals, std::string what)
    : enabled_(globals.progress && !globals.quiet && isatty(STDERR_FILENO) == 1),
      what_(std::move(what)),
      start_(absl::Now()) {}

Progress::~Progress() { Finish(); }

void Progress::Update(std::int64_t rows, std::uint64_t done, std::uint64_t total) {
  const absl::Time now = absl::Now();
  if (!enabled_ || now - drawn_ < absl::Milliseconds(100)) return;
  drawn_ = now;
  const double seconds = std::max(0.001, absl::ToDoubleSeconds(now - start_));
  std::string line =
      absl::StrFormat("%s: %d rows, %.0f rows/s", what_, rows, static_cast<double>(rows) / seconds);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    absl::StrAppendFormat(&line, ", %.0f %%", 100 * share);
    if (share > 0.01) {
      const auto left = static_cast<int>(seconds / share - seconds + 0.5);
      absl::StrAppendFormat(&line, ", %d:%02d left", left / 60, left % 60);
    }
  }
  std::fprintf(stderr, "\r%s\033[K", FitTo(line, TerminalColumns() - 1).c_str());
  std::fflush(stderr);
}

void Progress::Finish() {
  if (enabled_ && drawn_ != absl::Time()) std::fputs("\r\033[K", stderr);
  enabled_ = false;
}

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that is closed, of which kernel and shell tell one after the other; unless 'nohup'
  // has it ignored.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    action.sa_flags = 0;
    sigaction(SIGHUP, &action, nullptr);
  }
}

bool Interrupted() { return interrupted != 0; }

}  // namespace sealbook::cli
