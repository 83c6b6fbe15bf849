// The rules of the terminal:
//   - answers go to standard output, everything else (progress, warnings, prompts, errors) to
//   standard
//     error; with --json standard output holds JSON and nothing else;
//   - an error is a sentence that says what and where, and one that says what to do;
//   - a secret is never echoed, and comes from the terminal, a file or a descriptor;
//   - colour and progress show on a terminal only, and not with --no-color, NO_COLOR,
//   --no-progress;
//   - what comes from a file is shown without control characters.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/crypto/secret.h"

namespace sealbook::cli {

using Json = nlohmann::ordered_json;

struct Globals {
  std::string vault;
  std::string as;
  std::string passphrase_file;
  std::string key_file;
  bool json = false;
  bool quiet = false;
  bool color = true;
  bool progress = true;
};

// Exit codes, and the codes of JSON errors, in the order of the exits.
int ExitCodeOf(const absl::Status& status);
absl::string_view ErrorCodeOf(int exit_code);

void PrintJson(const Json& json);
void PrintLine(absl::string_view line);                          // standard output
void PrintNote(const Globals& globals, absl::string_view line);  // standard error, not with --quiet
Json ErrorJson(const absl::Status& status);                      // {"code","message","hint"}
void PrintError(const Globals& globals, const absl::Status& status);

// Control characters and characters that turn the direction of writing become '?'.
std::string Printable(absl::string_view text);
// Columns on a terminal: Hangul and Han take two.
int DisplayWidth(absl::string_view text);
std::string PadTo(absl::string_view text, int width);
// Cut to `width` columns, with an ellipsis where something is missing.
std::string FitTo(absl::string_view text, int width);
int TerminalColumns();  // 80 where standard output is no terminal
// Rows under a header, each column as wide as it needs to be, the last one cut at the terminal's
// edge.
void PrintTable(const std::vector<std::string>& header,
                const std::vector<std::vector<std::string>>& rows);

// FailedPrecondition: no terminal to ask on. Cancelled: Ctrl-C.
absl::StatusOr<crypto::SecretBytes> AskSecret(const std::string& prompt);
// From `file`, or asked on the terminal under `prompt`. One newline at the end of a file is
// dropped.
absl::StatusOr<crypto::SecretBytes> ReadPassphrase(const std::string& file,
                                                   const std::string& prompt);
// A new one: asked twice; refused where it is shorter than `min_length` characters or well known.
absl::StatusOr<crypto::SecretBytes> ReadNewPassphrase(const std::string& file,
                                                      const std::string& prompt, int min_length);

// A line on standard error that is drawn again: rows, rate and time left. Draws on a terminal only.
class Progress {
 public:
  Progress(const Globals& globals, std::string what);
  ~Progress();
  // `done` and `total` tell how much of the work is behind (bytes, say); total 0: unknown.
  void Update(std::int64_t rows, std::uint64_t done, std::uint64_t total);
  void Finish();

 private:
  bool enabled_;
  std::string what_;
  absl::Time start_, drawn_;
};

// Ctrl-C, SIGTERM or a terminal that is closed asks a long command to stop at the next batch; a
// second Ctrl-C ends it at once.
void CatchInterrupts();
bool Interrupted();

}  // namespace sealbook::cli
