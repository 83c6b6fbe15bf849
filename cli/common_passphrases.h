// Passphrases of 12 characters and more that stand on every published list: patterns of the
// keyboard, repetitions and a few famous sentences. Shorter ones are refused for their length.
#pragma once

#include "absl/strings/string_view.h"

namespace sealbook::cli {

// Compared without case, spaces and trailing digits or marks; also true for one to three characters
// that are repeated.
bool IsCommonPassphrase(absl::string_view passphrase);

}  // namespace sealbook::cli
