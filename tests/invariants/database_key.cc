// Prints a vault's raw database key in hexadecimal, so that the stock sqlcipher shell can open
// vault.db:
//
//   database_key VAULT NAME PASSPHRASE_FILE
//
// Of the test build alone: nothing that is installed prints a key.
#include "tests/invariants/open_vault.h"
#include "vault/crypto/bytes.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: database_key VAULT NAME PASSPHRASE_FILE\n", stderr);
    return 2;
  }
  const auto keyring = sealbook::testing::OpenVault(argv[1], argv[2], argv[3]);
  if (keyring == nullptr) return 1;
  std::puts(sealbook::crypto::ToHex(keyring->database_key().ExposeBytes()).c_str());
  return 0;
}
