#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr absl::string_view kCommonFlags =
    "Common to all commands:\n"
    "  --vault DIR           the vault (SEALBOOK_VAULT; default $XDG_DATA_HOME/sealbook)\n"
    "  --as NAME             who unlocks it (SEALBOOK_MEMBER; default: your user name)\n"
    "  --passphrase-file F   the passphrase, '-' for standard input (SEALBOOK_PASSPHRASE_FILE)\n"
    "  --key-file F          a service account's key (SEALBOOK_KEY_FILE)\n"
    "  --json                JSON on standard output\n"
    "  --quiet, --no-color, --no-progress";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Takes the common flags out of `words`, wherever they stand. What was taken before a fault is in
// `globals`: how the fault is told depends on it.
absl::Status TakeGlobals(std::vector<std::string>& words, Globals& globals) {
  globals = {.vault = Environment("SEALBOOK_VAULT"),
             .as = Environment("SEALBOOK_MEMBER"),
             .passphrase_file = Environment("SEALBOOK_PASSPHRASE_FILE"),
             .key_file = Environment("SEALBOOK_KEY_FILE"),
             .color = Environment("NO_COLOR").empty()};
  // What the command line says about the secret outweighs all that the environment says about it.
  const std::vector<std::pair<absl::string_view, std::string*>> values = {
      {"--vault", &globals.vault},
      {"--as", &globals.as},
      {"--passphrase-file", &globals.passphrase_file},
      {"--key-file", &globals.key_file}};
  std::vector<std::string> rest;
  bool named_passphrase = false, named_key = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    if (word == "--json") {
      globals.json = true;
    } else if (word == "--quiet") {
      globals.quiet = true;
    } else if (word == "--no-color") {
      globals.color = false;
    } else if (word == "--no-progress") {
      globals.progress = false;
    } else {
      bool taken = false;
      for (const auto& [flag, value] : values) {
        absl::string_view text = word;
        if (word == flag) {
          if (i + 1 == words.size())
            return Usage(absl::StrCat(flag, " needs a value"), "'sealbook help' lists the flags.");
          *value = words[++i];
        } else if (absl::ConsumePrefix(&text, flag) && absl::ConsumePrefix(&text, "=")) {
          *value = std::string(text);
        } else {
          continue;
        }
        named_passphrase |= flag == "--passphrase-file";
        named_key |= flag == "--key-file";
        taken = true;
        break;
      }
      if (!taken) rest.push_back(word);
    }
  }
  if (named_passphrase && named_key)
    return Usage("--passphrase-file and --key-file exclude each other", "Give one of them.");
  if (named_passphrase) globals.key_file.clear();
  if (named_key) globals.passphrase_file.clear();
  words = std::move(rest);
  return absl::OkStatus();
}

void PrintHelp() {
  PrintLine(
      "Usage: sealbook COMMAND [ARGUMENTS]\n\nAn encrypted customer book: tokens outside, people "
      "inside.\n");
  for (const Command& command : Commands()) {
    PrintLine(absl::StrCat("  ", PadTo(command.name, 18), command.summary));
  }
  PrintLine(absl::StrCat("\n'sealbook help COMMAND' tells more.\n\n", kCommonFlags));
}

void PrintHelp(const Command& command) {
  PrintLine(absl::StrCat("Usage: sealbook ", command.name, command.arguments.empty() ? "" : " ",
                         command.arguments, "\n\n", command.summary, "\n"));
  for (const Option& option : command.options) {
    const std::size_t comma = option.name.find(',');
    std::string flag = comma == std::string::npos ? absl::StrCat("--", option.name)
                                                  : absl::StrCat("-", option.name.substr(0, comma));
    if (!option.placeholder.empty()) absl::StrAppend(&flag, " ", option.placeholder);
    PrintLine(absl::StrCat("  ", PadTo(flag, 28), " ", option.help));
  }
  if (!command.options.empty()) PrintLine("");
  PrintLine(kCommonFlags);
}

const Command* Find(absl::string_view name) {
  for (const Command& command : Commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

// The command of one or two words at the beginning, which are taken away.
absl::StatusOr<const Command*> TakeCommand(std::vector<std::string>& words) {
  if (words.size() >= 2) {
    if (const Command* command = Find(absl::StrCat(words[0], " ", words[1]))) {
      words.erase(words.begin(), words.begin() + 2);
      return command;
    }
  }
  if (const Command* command = Find(words[0])) {
    words.erase(words.begin());
    return command;
  }
  std::vector<std::string> members;
  for (const Command& command : Commands()) {
    if (absl::StartsWith(command.name, words[0] + " ")) members.push_back(command.name);
  }
  if (!members.empty()) {
    std::string list;
    for (const std::string& member : members)
      absl::StrAppend(&list, list.empty() ? "" : ", ", member);
    return Usage(absl::StrCat("'", Printable(words[0]), "' needs to be told what to do"),
                 absl::StrCat("There are: ", list, "."));
  }
  // Told back only where it is no more than a word: a number or a name may have slipped here.
  const bool word = std::all_of(words[0].begin(), words[0].end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c));
  });
  return Usage(
      word ? absl::StrCat("there is no command '", words[0], "'") : "there is no such command",
      "'sealbook help' lists them.");
}

absl::Status RunCommand(Globals globals, const Command& command,
                        const std::vector<std::string>& words) {
  ASSIGN_OR_RETURN(const Arguments arguments, ParseArguments(command.options, words));
  const std::size_t count = arguments.positional().size();
  if (count < command.min_positional || count > command.max_positional) {
    return Usage(count < command.min_positional
                     ? absl::StrCat("'", command.name, "' needs more arguments")
                     : absl::StrCat("'", command.name, "' takes fewer arguments"),
                 absl::StrCat("Usage: sealbook ", command.name, " ", command.arguments));
  }
  Context context(std::move(globals), command.name);
  return context.Finish(command.run(context, arguments));
}

}  // namespace

int Run(const std::vector<std::string>& all_words) {
  std::vector<std::string> words = all_words;
  Globals globals;
  absl::Status status = TakeGlobals(words, globals);
  if (!status.ok()) {
    PrintError(globals, status);
    return ExitCodeOf(status);
  }
  if (words.size() == 1 && words[0] == "--version") words[0] = "version";
  bool help = std::erase_if(words, [](const std::string& word) {
                return word == "--help" || word == "-h";
              }) > 0;
  if (!words.empty() && words[0] == "help") {
    help = true;
    words.erase(words.begin());
  }
  if (words.empty() && (help || !globals.json)) {
    PrintHelp();
    return help ? 0 : 2;
  }
  absl::StatusOr<const Command*> command =
      words.empty() ? Usage("no command is named", "'sealbook help' lists them.")
                    : TakeCommand(words);
  if (!command.ok()) {
    status = command.status();
  } else if (help) {
    PrintHelp(**command);
    return 0;
  } else {
    status = RunCommand(globals, **command, words);
  }
  // An answer that could not be written was not given.
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!written && status.ok()) {
    status = absl::InternalError("standard output could not be written");
    globals.json = false;  // so that it is told where it can be read
  }
  if (!status.ok() && !status.message().empty()) PrintError(globals, status);
  return ExitCodeOf(status);
}

}  // namespace sealbook::cli
