#include "vault/records/bulk_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/aead.h"
#include "vault/records/contact_reader.h"
#include "vault/records/index.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// Sessions are long among themselves, so few keys are in use at a time.
constexpr std::size_t kMaxKeys = 4096;

absl::Status AtToken(std::int64_t token, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  const std::string message(status.message());
  return WithHint(
      absl::DataLossError(absl::StrCat(FormatToken(token), ": ", message)),
      "Somebody changed the vault's files. 'sealbook doctor' lists what does not count.");
}

absl::Status RunOut() {
  return absl::PermissionDeniedError("the export's permit is another member's, or has run out");
}

}  // namespace

absl::StatusOr<std::unique_ptr<BulkReader>> BulkReader::Open(keyring::Keyring& keyring,
                                                             ExportPermit permit, bool with_books) {
  if (permit.member() != keyring.bundle().member || !permit.IsValid(absl::Now())) return RunOut();
  if (permit.book() != kRootBook && keyring.roster().FindBook(permit.book()) == nullptr) {
    return absl::NotFoundError("there is no such book");
  }
  for (const ClassId class_id : permit.classes()) {
    // The keys decide, whatever the permit says.
    RETURN_IF_ERROR(keyring.CompartmentPair(kRootBook, class_id).status());
  }
  return std::unique_ptr<BulkReader>(new BulkReader(keyring, std::move(permit), with_books));
}

absl::StatusOr<std::int64_t> BulkReader::Count() {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  return permit_.book() == kRootBook ? keyring_.store().CountContacts()
                                     : keyring_.store().CountBookContacts(permit_.book());
}

absl::StatusOr<std::shared_ptr<const BulkKey>> BulkReader::KeyOf(std::int64_t number,
                                                                 ClassId class_id) {
  const auto at = keys_.find({number, class_id});
  if (at != keys_.end()) return at->second;
  ASSIGN_OR_RETURN(const keyring::SessionKeys* keys,
                   keyring_.ReadKeys(number, kRootBook, class_id));
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(number));
  const keyring::Roster* roster = keyring_.history().Version(session->roster_version);
  const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
  auto key = std::make_shared<const BulkKey>(BulkKey{
      .secret = keys->secret.Duplicate(),
      .ephemeral = session->ephemeral,
      .counts_everywhere = role != nullptr && role->root_scope && role->MayWriteAgain(class_id)});
  if (keys_.size() >= kMaxKeys) keys_.clear();
  keys_.emplace(std::pair(number, class_id), key);
  return key;
}

absl::Status BulkReader::AddValue(const store::ContactRow& row, const ValueEntry& entry,
                                  SealedPage& page) {
  const std::pair place(entry.session, entry.class_id);
  auto at = page.keys.find(place);
  if (at == page.keys.end()) {
    ASSIGN_OR_RETURN(auto key, KeyOf(entry.session, entry.class_id));
    at = page.keys.emplace(place, std::move(key)).first;
  }
  if (at->second->counts_everywhere) return absl::OkStatus();
  return ContactReader(keyring_).CheckWriter(row, entry);
}

absl::Status BulkReader::Add(const store::ContactRow& row, SealedPage& page) {
  if (given_ >= permit_.max_contacts()) {
    return WithHint(absl::PermissionDeniedError(absl::StrCat(
                        "there are more than ", permit_.max_contacts(), " customers to export")),
                    "'max_rows' in the policy's section [export] is the limit; export a book at a "
                    "time, or have it changed.");
  }
  ++given_;
  SealedRow out{.number = row.number, .token = row.token, .values = {}, .books = {}};
  ASSIGN_OR_RETURN(std::vector<ValueEntry> values, DecodeValues(row.values));
  for (const ClassId class_id : permit_.classes()) {
    const auto at = std::find_if(values.begin(), values.end(), [&](const ValueEntry& entry) {
      return entry.class_id == class_id;
    });
    if (at == values.end()) continue;
    RETURN_IF_ERROR(AddValue(row, *at, page));
    out.values.push_back(std::move(*at));
  }
  if (with_books_) {
    for (const keyring::Book& book : keyring_.roster().books) {
      store::BookContactRow assigned;
      ASSIGN_OR_RETURN(const bool found,
                       keyring_.store().GetBookContact(book.id, row.number, assigned));
      if (!found) continue;
      RETURN_IF_ERROR(keyring_.sessions().CheckAssignment(book.id, row.number, assigned.session));
      out.books.push_back(book.id);
    }
  }
  page.rows.push_back(std::move(out));
  return absl::OkStatus();
}

absl::StatusOr<SealedPage> BulkReader::Next() {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  // A role that reads less than when this began reads no further.
  if (!keyring_.role().root_scope) return RunOut();
  for (const ClassId class_id : permit_.classes()) {
    if (!keyring_.role().Holds(class_id)) return RunOut();
  }
  SealedPage page{.vault = keyring_.roster().vault,
                  .rows_before = static_cast<std::uint64_t>(given_),
                  .rows = {},
                  .keys = {}};
  page.rows.reserve(kPageRows);
  const auto add = [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
    last_ = row.number;
    RETURN_IF_ERROR(AtToken(row.token, Add(row, page)));
    return page.rows.size() < kPageRows;
  };
  if (permit_.book() == kRootBook) {
    RETURN_IF_ERROR(keyring_.store().EachContact(last_ + 1, add));
    return page;
  }
  RETURN_IF_ERROR(keyring_.store().EachAssigned(
      permit_.book(), last_,
      [&](const store::BookContactRow& assigned,
          const store::ContactRow& row) -> absl::StatusOr<bool> {
        if (row.token == 0) return absl::DataLossError("an assigned contact is missing");
        RETURN_IF_ERROR(AtToken(row.token, keyring_.sessions().CheckAssignment(
                                               assigned.book, row.number, assigned.session)));
        return add(row);
      }));
  return page;
}

absl::StatusOr<std::vector<BulkContact>> OpenPage(const SealedPage& page) {
  std::vector<BulkContact> contacts;
  contacts.reserve(page.rows.size());
  for (const SealedRow& row : page.rows) {
    BulkContact contact{.token = row.token, .books = row.books, .fields = {}};
    for (const ValueEntry& entry : row.values) {
      const BulkKey& key = *page.keys.at({entry.session, entry.class_id});
      const crypto::ValueKey value_key =
          crypto::DeriveValueKey(key.secret, row.number, entry.class_id, entry.revision);
      const Place place{.vault = page.vault,
                        .contact = row.number,
                        .token = row.token,
                        .class_id = entry.class_id,
                        .revision = entry.revision,
                        .session = key.ephemeral,
                        .book = kRootBook};
      const auto bytes = crypto::Open(value_key, place.ForValue(), entry.sealed);
      if (!bytes.ok()) return AtToken(row.token, bytes.status());
      auto fields = DecodeFields(bytes->ExposeBytes());
      if (!fields.ok()) return AtToken(row.token, fields.status());
      for (Field& field : *fields) {
        // How rows without identifiers are found again is the vault's own.
        if (field.name != kRowField) contact.fields.push_back(std::move(field));
      }
    }
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

}  // namespace sealbook::records
