// What follows a taking away: the rows that stood before are moved to the new keys, with progress.
#pragma once

#include "cli/command.h"
#include "vault/records/draining.h"

namespace sealbook::cli {

// "--no-drain", for commands that take something away.
Option NoDrainOption();

// Drains unless --no-drain was given, and tells of it: into `json` (rewrapped, undrained), or in a
// line. What was taken away is in force already, whatever becomes of this.
absl::Status DrainAfter(Context& context, const Arguments& arguments, Json& json);

// Prints `json`, or nothing where that was told in lines.
void PrintIfJson(const Context& context, const Json& json);

// "2 keys of seoul, 1 of the root book": what has an older epoch still; empty where nothing has.
absl::StatusOr<std::string> DescribeUndrained(keyring::Keyring& keyring);

}  // namespace sealbook::cli
