// Unlocks a vault with a passphrase file, for programs of the tests that then do what no command
// does.
#pragma once

#include <cstdio>
#include <memory>

#include "vault/keyring/keyring.h"

namespace sealbook::testing {

// Null, with a message, where it does not open.
inline std::unique_ptr<keyring::Keyring> OpenVault(const char* directory, const char* name,
                                                   const char* passphrase_file) {
  crypto::PrepareProcess().IgnoreError();
  auto passphrase = keyring::ReadSecretFile(passphrase_file, 1024);
  if (passphrase.ok() && !passphrase->empty() && passphrase->ExposeBytes().back() == '\n') {
    passphrase->Truncate(passphrase->size() - 1);
  }
  if (!passphrase.ok()) {
    std::fprintf(stderr, "%s\n", passphrase.status().ToString().c_str());
    return nullptr;
  }
  auto keyring = keyring::Keyring::Unlock(
      keyring::VaultPaths(directory), {.name = name, .secret = {.bytes = *std::move(passphrase)}});
  if (!keyring.ok()) {
    std::fprintf(stderr, "%s\n", keyring.status().ToString().c_str());
    return nullptr;
  }
  return *std::move(keyring);
}

}  // namespace sealbook::testing
