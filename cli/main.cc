#include <csignal>

#include "cli/command.h"
#include "vault/crypto/secret.h"

int main(int argc, char** argv) {
  // First of all: no core dumps, no debugger, locked memory.
  const absl::Status prepared = sealbook::crypto::PrepareProcess();
  if (!prepared.ok()) {
    sealbook::cli::PrintError(sealbook::cli::Globals(), prepared);
    return 1;
  }
  // A closed pipe is an error to report, not a death in the middle of a transaction.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more.
  std::signal(SIGXFSZ, SIG_IGN);
  return sealbook::cli::Run({argv + 1, argv + argc});
}
