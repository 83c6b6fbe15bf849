// Runs SQL on a vault's database, past all that the vault does, to damage it on purpose:
//
//   run_sql VAULT NAME PASSPHRASE_FILE SQL
#include "tests/invariants/open_vault.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: run_sql VAULT NAME PASSPHRASE_FILE SQL\n", stderr);
    return 2;
  }
  const auto keyring = sealbook::testing::OpenVault(argv[1], argv[2], argv[3]);
  if (keyring == nullptr) return 1;
  auto& database = keyring->store().database();
  const absl::Status status = database.Execute(argv[4]);
  if (!status.ok() || database.changes() == 0) {
    std::fprintf(stderr, "%s; %d rows changed\n", status.ToString().c_str(), database.changes());
    return 1;
  }
  return 0;
}
