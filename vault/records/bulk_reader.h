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

// A page of contacts as they are stored. Its rows share what they need, so that a row costs no
// memory of its own.
struct SealedPage {
  struct Value {
    ClassId class_id{};
    std::uint32_t revision = 0;
    std::uint32_t key = 0;             // in `keys`
    std::size_t offset = 0, size = 0;  // in `bytes`
  };
  struct Row {
    ContactNumber number = 0;
    std::int64_t token = 0;
    std::size_t values_end = 0;  // its values begin where those of the row before end
    std::vector<BookId> books;
  };
  keyring::VaultId vault{};
  std::uint64_t rows_before = 0;
  std::vector<Row> rows;
  std::vector<Value> values;  // of the permit's classes
  std::vector<std::shared_ptr<const BulkKey>> keys;
  crypto::Bytes bytes;
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

  // No more contacts than this are there to read, as of now: for showing progress.
  absl::StatusOr<std::int64_t> AtMost();

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
  absl::StatusOr<std::uint32_t> KeyIn(SealedPage& page, const ValueView& value);
  absl::StatusOr<std::shared_ptr<const BulkKey>> KeyOf(std::int64_t session, ClassId class_id);

  keyring::Keyring& keyring_;
  ExportPermit permit_;
  bool with_books_;
  ContactNumber last_ = 0;
  std::int64_t given_ = 0;
  absl::flat_hash_map<std::pair<std::int64_t, ClassId>, std::shared_ptr<const BulkKey>> keys_;
  absl::flat_hash_map<std::pair<std::int64_t, ClassId>, std::uint32_t> keys_of_page_;
  std::vector<ValueView> views_;  // of the row at hand
};

// The page's contacts in its order, with the fields of the permit's classes in the order of the
// classes. DataLoss: a value does not open at its place; the message names the token.
absl::StatusOr<std::vector<BulkContact>> OpenPage(const SealedPage& page);

}  // namespace sealbook::records
