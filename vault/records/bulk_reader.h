// Reading many contacts in the clear, for a list that leaves the vault: by an ExportPermit, which
// is used up, and in two halves, so that the second can run on several threads.
//
//   ASSIGN_OR_RETURN(auto reader, BulkReader::Open(keyring, std::move(permit), with_books));
//   for (;;) {
//     ASSIGN_OR_RETURN(SealedPage page, reader->Next());          // the keyring's thread
//     if (page.rows.empty()) break;
//     ASSIGN_OR_RETURN(auto contacts, OpenPage(page));            // any thread
//   }
//
// Each page is one consistent view of the vault, under the roster of that moment: whoever is
// disabled meanwhile, or loses a class, reads no further. What does not count (docs/format.md,
// "What counts") ends the reading: a list from which customers are missing must not look whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"
#include "vault/records/contact_codec.h"

namespace sealbook::records {

// What one session shares with one root compartment.
struct BulkKey {
  crypto::SessionSecret secret;
  crypto::ExchangePublic ephemeral;
  bool counts_everywhere = false;  // whoever wrote it may write that class of every contact
};

struct SealedRow {
  ContactNumber number = 0;
  std::int64_t token = 0;
  std::vector<ValueEntry> values;  // of the permit's classes, in their order
  std::vector<BookId> books;
};

struct SealedPage {
  keyring::VaultId vault{};
  std::uint64_t rows_before = 0;
  std::vector<SealedRow> rows;
  // By session and class: all that the rows need.
  absl::flat_hash_map<std::pair<std::int64_t, ClassId>, std::shared_ptr<const BulkKey>> keys;
};

struct BulkContact {
  std::int64_t token = 0;
  std::vector<BookId> books;
  Fields fields;
};

class BulkReader {
 public:
  static constexpr std::size_t kPageRows = 1000;

  // `with_books`: look up which books each contact is in, which costs a search each.
  // PermissionDenied: the permit is another member's, has run out, or names a class that this
  // member holds no key to. NotFound: there is no such book.
  static absl::StatusOr<std::unique_ptr<BulkReader>> Open(keyring::Keyring& keyring,
                                                          ExportPermit permit, bool with_books);

  // How many contacts there are to read, as of now.
  absl::StatusOr<std::int64_t> Count();

  // An empty page at the end. PermissionDenied: there are more contacts than the permit allows, or
  // the member's role has changed. Unauthenticated: this member is not active any more. DataLoss: a
  // row does not count; the message names its token.
  absl::StatusOr<SealedPage> Next();

  // How many contacts were given since the beginning.
  std::int64_t given() const { return given_; }
  // From the beginning again, for the one list that the permit is for: who must know its columns
  // before the first row reads everything twice.
  void Restart() { last_ = given_ = 0; }

 private:
  BulkReader(keyring::Keyring& keyring, ExportPermit permit, bool with_books)
      : keyring_(keyring), permit_(std::move(permit)), with_books_(with_books) {}
  absl::Status Add(const store::ContactRow& row, SealedPage& page);
  absl::Status AddValue(const store::ContactRow& row, const ValueEntry& entry, SealedPage& page);
  absl::StatusOr<std::shared_ptr<const BulkKey>> KeyOf(std::int64_t session, ClassId class_id);

  keyring::Keyring& keyring_;
  ExportPermit permit_;
  bool with_books_;
  ContactNumber last_ = 0;
  std::int64_t given_ = 0;
  absl::flat_hash_map<std::pair<std::int64_t, ClassId>, std::shared_ptr<const BulkKey>> keys_;
};

// The page's contacts in its order, with the fields of the permit's classes in the order of the
// classes. DataLoss: a value does not open at its place; the message names the token.
absl::StatusOr<std::vector<BulkContact>> OpenPage(const SealedPage& page);

}  // namespace sealbook::records
