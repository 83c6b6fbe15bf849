// Draining: what stands under older epochs is moved to the newest ones, so that a later copy of the
// files opens with no key that was taken away (docs/format.md, "Epochs").
//
//   root book   a value's key comes from the compartment's secret, so the value is sealed again
//   under
//               a new session, with new wraps for every book; index rows get their hashes anew
//   a book      the value's key stays and is wrapped again; what a member wrote through the book
//               is written again
//
// In batches, each a session and a transaction with its audit row: others go on reading and writing
// meanwhile. May be interrupted at any moment and run again; when nothing is left under an older
// epoch, the link to its secret is dropped.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "vault/keyring/keyring.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::records {

struct DrainOptions {
  // What the fields of identity identify, as their writer put it into the index: for moving the
  // index to another key.
  std::function<std::vector<IdentifierValue>(const Fields& identity)> identifiers_of;
  // Rows looked at, of so many.
  std::function<void(std::int64_t rows, std::int64_t total)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
};

struct DrainReport {
  std::int64_t rewrapped = 0;  // values sealed, keys wrapped and identifiers hashed again
  std::int64_t damaged = 0;    // contacts or assignments that do not count; left as they are
  std::size_t undrained = 0;   // compartments that still have an older epoch
};

// Drains what this member holds the keys to; the rest stays in `undrained`.
// Cancelled: interrupted; what was drained stays. DataLoss: all was done but what does not count,
// for whose sake the links stay.
absl::Status Drain(keyring::Keyring& keyring, const DrainOptions& options, DrainReport& report);

}  // namespace sealbook::records
