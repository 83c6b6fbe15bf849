// Writing contacts: every write has new keys (docs/format.md, "Writing"). Needs public keys only,
// but for what must be read to be changed: so an importer writes and reads nothing.
//
// A batch is one session and one transaction with its audit row: it is there as a whole or not at
// all. What is sealed is sealed before the database is locked; where another process got in between
// (a roster version, one of the same people), the batch is made again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/audit/log.h"
#include "vault/keyring/keyring.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/records/hash_filter.h"
#include "vault/records/index.h"

namespace sealbook::records {

struct ContactDraft {
  std::vector<IdentifierValue> identifiers;  // at least one; kRow where the row has no other
  std::vector<ClassFields> classes;
};

// Skip leaves known contacts as they are; the others ask Combine what they become.
enum class OnDuplicate { kSkip, kReplace, kMerge };

// What a contact becomes by one more draft of it.
struct Combined {
  std::vector<ClassFields> changed;  // whole new contents; none: it stays as it is
  std::size_t left = 0;     // fields of the draft that could not be put beside what is there unread
  bool other_name = false;  // the draft has a name that is not the contact's
  bool unread = false;      // evidence may have been replaced that nobody could read
};
// Given the contact's classes as they stand, as far as they are opened, and the draft's. A function
// of these alone: it may be asked again. Supplied by whoever knows the policy, since what the
// masked class shows is made from identity.
using Combine = std::function<Combined(const std::vector<ClassFields>& now,
                                       const std::vector<ClassFields>& draft)>;

struct DraftResult {
  enum class Outcome {
    kImported,
    kUpdated,     // replaced or merged
    kDuplicate,   // there already, and as it was
    kConflict,    // its identifiers belong to different contacts; nothing was written
    kDamaged,     // the contact that it is a duplicate of does not count; nothing was written
    kSuppressed,  // an identifier of it is that of somebody who was erased; nothing was written
  };
  Outcome outcome = Outcome::kImported;
  ContactNumber contact = 0;
  std::optional<std::size_t> duplicate_of = {};  // an earlier draft of the same batch
  bool assigned = false;                         // newly, to a book that was asked for
  bool unassigned = false;  // should have been assigned, but this member may not read it
  std::size_t left = 0;     // these three as Combine said
  bool other_name = false, unread = false;
};

struct BatchOptions {
  std::vector<BookId> books;  // new contacts are assigned to these, known ones where it can be done
  OnDuplicate on_duplicate = OnDuplicate::kSkip;
  // With kReplace and kMerge. kReplace gives the contact the draft's identifiers in the place of
  // its own, kMerge adds them.
  Combine combine = nullptr;
  // Classes that Combine is shown. This member reads them of every contact; none for one who reads
  // nothing.
  std::vector<ClassId> opened = {};
  // The audit row of the batch.
  std::function<audit::Event(const std::vector<DraftResult>&)> event;
  // Called once everything is sealed: from here on one thread has work, and another core is free.
  // More than once where a batch is made again.
  std::function<void()> sealed = nullptr;
};

// Where the time of all batches went. `write` is under the lock, `index` (tokens and identifiers)
// and `commit` within it; `last_lock` is the newest batch's, `longest_lock` any transaction's.
struct BatchTimes {
  absl::Duration lookup, seal, write, index, commit, last_lock, longest_lock;
};

class ContactWriter {
 public:
  // PermissionDenied: the member may not create contacts.
  static absl::StatusOr<ContactWriter> Open(keyring::Keyring& keyring);

  // One result a draft, in order.
  absl::StatusOr<std::vector<DraftResult>> WriteBatch(const std::vector<ContactDraft>& drafts,
                                                      const BatchOptions& options);
  const BatchTimes& times() const { return times_; }
  // The WAL is written back after a batch once it is larger: 128 MiB.
  static constexpr int kWalPages = 32 * 1024;

 private:
  ContactWriter(keyring::Keyring& keyring, IdentifierIndex index)
      : keyring_(&keyring), index_(std::move(index)) {}
  absl::StatusOr<std::vector<DraftResult>> Try(const std::vector<ContactDraft>& drafts,
                                               const BatchOptions& options);
  // A new contact: the draft that it came with first, and those to combine with that one.
  struct Fresh {
    std::size_t first = 0;
    std::vector<std::size_t> more;
  };
  absl::Status Classify(const std::vector<ContactDraft>& drafts,
                        const std::vector<std::vector<IdentifierHashes>>& hashes,
                        OnDuplicate on_duplicate, std::vector<DraftResult>& results,
                        std::vector<Fresh>& fresh, std::vector<std::size_t>& known);
  // As the contact's row lists them.
  absl::StatusOr<std::vector<crypto::Hash128>> IdentifiersOf(ContactNumber contact);
  absl::Status MergeIndex();
  absl::Status PrepareFilter(std::size_t drafts, std::int64_t last_session, ContactNumber next);
  absl::StatusOr<std::vector<std::int64_t>> FreshTokens(std::size_t count, std::int64_t existing);

  keyring::Keyring* keyring_;
  IdentifierIndex index_;
  BatchTimes times_;
  // Knows every index row that sessions up to `filter_session_` made; none where somebody else's
  // session came in between, and then no more.
  std::optional<HashFilter> filter_;
  std::int64_t filter_session_ = 0;
  int large_batches_ = 0;
  bool filter_wanted_ = true;
};

}  // namespace sealbook::records
