// Reading contacts with the keys that a member holds, and with a permit from the policy.
//
// A member whose role reaches the root book derives value keys from the root compartments;
// everybody else opens the wraps of the books that they are in, where the assignment counts. What
// does not count (docs/format.md, "What counts") is never used: it is DataLoss, with its place.
//
// Each call reads one consistent view of the vault under the roster of that moment; Each and
// EachClass take a new one every few hundred rows. Where the member was disabled meanwhile, the
// next view is Unauthenticated.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/keyring/keyring.h"
#include "vault/permits.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::records {

enum class Form { kClear, kMasked };

struct ShownField {
  std::string name;
  std::string value;
  Form form = Form::kClear;
  ClassId class_id{};
};

struct Contact {
  ContactNumber number = 0;
  std::int64_t token = 0;
  std::vector<std::string> books;  // names; of the books that the member is in, or all for the root
  std::vector<ShownField> fields;
};

class ContactReader {
 public:
  explicit ContactReader(keyring::Keyring& keyring) : keyring_(keyring) {}

  // The contact of a token or identifier, within this member's reach. NotFound: there is none, or
  // it is not yours; on purpose not told apart.
  absl::StatusOr<ContactNumber> FindToken(std::int64_t token);
  // For holders of the index key; PermissionDenied otherwise.
  absl::StatusOr<ContactNumber> FindIdentifier(IdentifierKind kind, absl::string_view value);

  // NotFound: not there or not yours. PermissionDenied: the permit does not cover it. DataLoss.
  absl::StatusOr<Contact> Read(const ReadPermit& permit, ContactNumber number);

  // Every contact within reach, or of one book, in the order of their numbers until `visit` gives
  // false. A contact that does not count is passed over, and the first such error is returned at
  // the end, so that one damaged row does not hide the others.
  absl::Status Each(const ReadPermit& permit, std::optional<BookId> book,
                    const std::function<absl::StatusOr<bool>(const Contact&)>& visit);

  // As Each, opening one class alone: for searches.
  absl::Status EachClass(const ReadPermit& permit, std::optional<BookId> book, ClassId class_id,
                         const std::function<absl::StatusOr<bool>(ContactNumber, std::int64_t token,
                                                                  const Fields&)>& visit);

  // As Each, opening nothing: rows, and what AssignedBooks gives of each.
  absl::Status EachRow(
      const ReadPermit& permit, std::optional<BookId> book,
      const std::function<absl::StatusOr<bool>(const store::ContactRow&,
                                               const std::vector<store::BookContactRow>&)>& visit);

  // One class in the clear bytes of its sealed value; nullopt where the contact has none. For
  // writers that change it; bounded by the member's keys.
  absl::StatusOr<std::optional<Fields>> OpenClass(const store::ContactRow& row, ClassId class_id);

  // The same for several classes, without those that the contact does not have.
  absl::StatusOr<std::vector<ClassFields>> OpenClasses(const store::ContactRow& row,
                                                       const std::vector<ClassId>& classes);

  // K(contact, class, revision) of a class that is there; for wrapping it for another book.
  absl::StatusOr<crypto::ValueKey> OpenValueKey(const store::ContactRow& row,
                                                const ValueEntry& entry);

  // The same, for a member of a book through that book's row alone.
  absl::StatusOr<crypto::ValueKey> OpenValueKeyIn(const store::ContactRow& row,
                                                  const ValueEntry& entry,
                                                  const store::BookContactRow& book) {
    return KeyOf(row, entry, {book});
  }

  // Opens the wraps of a book's row as the book's members would, as far as this member's keys
  // reach. DataLoss: one does not open, or does not count.
  absl::Status CheckWraps(const store::ContactRow& row, const store::BookContactRow& book);

  // Checks that the row's classes were written by members who may. DataLoss otherwise.
  absl::Status CheckWriter(const store::ContactRow& row, const ValueEntry& entry);

  // The books that the contact is in, of those that the member is in, or of all for the root.
  // DataLoss: an assignment that does not count.
  absl::StatusOr<std::vector<store::BookContactRow>> AssignedBooks(ContactNumber number);

  // Whether a key that session `wrapped` made for a book counts, of something that session
  // `written` wrote. DataLoss otherwise.
  absl::Status CheckWrap(std::int64_t written, BookId book, ClassId class_id, std::int64_t wrapped);

 private:
  absl::StatusOr<Contact> Open(const ReadPermit& permit, const store::ContactRow& row,
                               const std::vector<store::BookContactRow>& books);
  absl::StatusOr<std::optional<Fields>> OpenClassIn(const store::ContactRow& row,
                                                    const std::vector<ValueEntry>& values,
                                                    const std::vector<store::BookContactRow>& books,
                                                    ClassId class_id);
  absl::StatusOr<crypto::ValueKey> KeyOf(const store::ContactRow& row, const ValueEntry& entry,
                                         const std::vector<store::BookContactRow>& books);
  absl::StatusOr<bool> EpochStands(const ValueEntry& entry, BookId book);
  absl::StatusOr<crypto::ValueKey> OpenWrap(const store::ContactRow& row, const ValueEntry& entry,
                                            BookId book, const WrapEntry& wrap);
  keyring::Keyring& keyring_;
};

}  // namespace sealbook::records
