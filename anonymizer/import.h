// A customer list into the vault: a thread reads and normalises, another seals and stores, batch by
// batch. Each batch is there as a whole or not at all, so that an import can be interrupted and run
// again: what is there already is found by its identifiers and added no second time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "anonymizer/customer_list.h"
#include "policies/policy.h"
#include "vault/records/contact_writer.h"

namespace sealbook::anonymizer {

struct Reject {
  std::int64_t line = 0;
  std::string reason;
};

class ConflictFinder;

struct ImportOptions {
  static constexpr std::size_t kBatchRows = 16'000;
  static constexpr std::size_t kBatchBytes = 16 << 20;

  std::vector<BookId> books;
  records::OnDuplicate on_duplicate = records::OnDuplicate::kSkip;
  std::size_t batch_rows = kBatchRows;
  // Called after each batch, from the caller's thread.
  std::function<void(std::int64_t rows, std::uint64_t bytes, std::uint64_t bytes_total)> progress =
      nullptr;
  std::function<bool()> interrupted = nullptr;
  // Every rejected row, as the file has it.
  std::function<absl::Status(const Reject&, const SourceRow&)> on_reject = nullptr;
  // For Check of several lists, one after the other: rows of one may be in conflict with another's.
  std::shared_ptr<ConflictFinder> conflicts = nullptr;
};

inline constexpr char kConflictReason[] = "has identifiers that belong to different customers";

struct ImportReport {
  static constexpr std::size_t kMaxListed = 100;

  std::int64_t rows = 0, imported = 0, updated = 0, duplicates = 0, unassigned = 0, rejected = 0;
  std::int64_t assigned = 0;     // known contacts that were newly assigned
  std::int64_t other_names = 0;  // known identifiers with another name
  // Of customers known before, whose names this member may not read: not compared.
  std::int64_t names_unread = 0;
  std::int64_t notes_in_names = 0;  // rows with a note that was split off the name
  bool rejects_kept = true;         // every rejected row could be given to `on_reject` as it was
  std::vector<Reject> rejects;      // the first kMaxListed
  std::vector<std::int64_t> other_name_lines;  // likewise
  std::int64_t damaged = 0;                    // duplicates of contacts that do not count
  std::vector<std::int64_t> damaged_lines;
  // Of known customers: notes beside numbers and names, and consents, that were not stored because
  // what is there already cannot be read by this member, who would have wiped it.
  std::int64_t notes_left = 0;
  // Replaced by a member who cannot read which consents were there: those the list has not are
  // gone.
  std::int64_t consents_unread = 0;
  // Where the time went.
  absl::Duration read, phones;  // the reading thread's, `phones` within `read`
  absl::Duration lookup, seal, lock, longest_lock;
  absl::Duration index, commit;  // within `lock`
};

// Of one file. Cancelled: interrupted; `report` tells what was stored. PermissionDenied: the role
// may not write a field, or is to merge and does not read what the list has columns for; columns
// that the list begins with are looked at before anything is written.
absl::Status Import(keyring::Keyring& keyring, const policies::Policy& policy, CustomerList& list,
                    const ImportOptions& options, ImportReport& report);

// Looks through the whole file and writes nothing. `known` counts rows of which an identifier is in
// the vault; 0 for members without the index key. Rows whose identifiers belong to different
// customers count as rejected, as an import would reject them; of the lists' own customers, the
// first kMaxRemembered identifiers are looked at.
struct CheckReport {
  static constexpr std::size_t kMaxRemembered = 1'000'000;
  static constexpr std::size_t kFirstRows = 5;
  struct Row {
    std::int64_t line = 0;
    records::Fields fields;  // masked
  };

  std::int64_t rows = 0, rejected = 0, known = 0;
  std::int64_t notes_in_names = 0;
  std::vector<Reject> rejects;  // the first kMaxListed
  std::vector<Row> first;
};
// null for members without the index key, who could not import either.
std::shared_ptr<ConflictFinder> FindConflicts(keyring::Keyring& keyring,
                                              const ImportOptions& options);
absl::Status Check(keyring::Keyring& keyring, const policies::Policy& policy, CustomerList& list,
                   const ImportOptions& options, CheckReport& report);

// The fields of a row as classes, with the masked rendering of what identifies.
std::vector<records::ClassFields> ByClass(const policies::Policy& policy,
                                          const records::Fields& fields);

}  // namespace sealbook::anonymizer
