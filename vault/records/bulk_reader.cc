#include "vault/records/bulk_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/aead.h"
#include "vault/records/at_token.h"
#include "vault/records/contact_reader.h"
#include "vault/records/index.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// Sessions are long among themselves, so few keys are in use at a time.
constexpr std::size_t kMaxKeys = 4096;

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

absl::StatusOr<std::int64_t> BulkReader::AtMost() {
  ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
  if (permit_.book() != kRootBook) return keyring_.store().CountBookContacts(permit_.book());
  // Counting rows would read all of them.
  ASSIGN_OR_RETURN(const ContactNumber next, keyring_.store().NextContact());
  return next - 1;
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

absl::StatusOr<std::uint32_t> BulkReader::KeyIn(SealedPage& page, const ValueView& value) {
  const auto [at, is_new] = keys_of_page_.try_emplace(std::pair(value.session, value.class_id),
                                                      static_cast<std::uint32_t>(page.keys.size()));
  if (is_new) {
    ASSIGN_OR_RETURN(auto key, KeyOf(value.session, value.class_id));
    page.keys.push_back(std::move(key));
  }
  return at->second;
}

absl::Status BulkReader::Add(const store::ContactRow& row, SealedPage& page) {
  if (given_ >= permit_.max_contacts()) {
    return WithHint(absl::PermissionDeniedError(absl::StrCat(
                        "there are more than ", permit_.max_contacts(), " customers to export")),
                    "'max_rows' in the policy's section [export] is the limit; export a book at a "
                    "time, or have it changed.");
  }
  ++given_;
  SealedPage::Row out{.number = row.number, .token = row.token, .values_end = 0, .books = {}};
  RETURN_IF_ERROR(DecodeValueViews(row.values, views_));
  for (const ValueView& value : views_) {
    if (std::find(permit_.classes().begin(), permit_.classes().end(), value.class_id) ==
        permit_.classes().end()) {
      continue;
    }
    ASSIGN_OR_RETURN(const std::uint32_t key, KeyIn(page, value));
    if (!page.keys[key]->counts_everywhere) {
      RETURN_IF_ERROR(ContactReader(keyring_).CheckWriter(
          row, {.class_id = value.class_id, .session = value.session, .revision = value.revision}));
    }
    page.values.push_back({.class_id = value.class_id,
                           .revision = value.revision,
                           .key = key,
                           .offset = page.bytes.size(),
                           .size = value.sealed.size()});
    page.bytes.insert(page.bytes.end(), value.sealed.begin(), value.sealed.end());
  }
  out.values_end = page.values.size();
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
                  .values = {},
                  .keys = {},
                  .bytes = {}};
  page.rows.reserve(kPageRows);
  page.values.reserve(kPageRows * permit_.classes().size());
  keys_of_page_.clear();
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
  FieldsDecoder decoder;
  crypto::ValueKey value_key = crypto::ValueKey::Random();  // replaced for each value
  crypto::SecretBytes room;
  std::size_t at = 0;
  for (const SealedPage::Row& row : page.rows) {
    BulkContact contact{.token = row.token, .books = row.books, .fields = {}};
    for (; at < row.values_end; ++at) {
      const SealedPage::Value& value = page.values[at];
      const BulkKey& key = *page.keys[value.key];
      const ByteView sealed = ByteView(page.bytes).subspan(value.offset, value.size);
      if (sealed.size() < crypto::kSealOverheadBytes)
        return AtToken(row.token, absl::DataLossError("a sealed value is cut short"));
      crypto::DeriveValueKeyInto(value_key, key.secret, row.number, value.class_id, value.revision);
      const Place place{.vault = page.vault,
                        .contact = row.number,
                        .token = row.token,
                        .class_id = value.class_id,
                        .revision = value.revision,
                        .session = key.ephemeral,
                        .book = kRootBook};
      const std::size_t size = sealed.size() - crypto::kSealOverheadBytes;
      if (room.size() < size) room = crypto::SecretBytes(2 * size);
      const auto opened = room.ExposeMutable().first(size);
      if (!crypto::OpenInto(value_key, place.ForValue(), sealed, opened)) {
        return AtToken(row.token, absl::DataLossError("a sealed value does not open at its place"));
      }
      RETURN_IF_ERROR(AtToken(row.token, decoder.Append(opened, contact.fields)));
    }
    // How rows without identifiers are found again is the vault's own.
    std::erase_if(contact.fields, [](const Field& field) { return field.name == kRowField; });
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

}  // namespace sealbook::records
