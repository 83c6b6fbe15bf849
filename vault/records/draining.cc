#include "vault/records/draining.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/epochs.h"
#include "vault/records/chat_keys.h"
#include "vault/records/chat_rewriting.h"
#include "vault/records/chat_tags.h"
#include "vault/records/contact_reader.h"
#include "vault/records/sealing.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// Rows looked through in one view of the vault, and how many that are not drained it may give.
constexpr std::int64_t kScanRows = 20'000;
constexpr std::size_t kBatchRows = 4'000;
// Others wait no longer for the write lock, and get it between two batches: the pause is longer
// than Database::kBusyPause.
constexpr absl::Duration kLockTime = absl::Milliseconds(200);
constexpr absl::Duration kPause = absl::Milliseconds(5);

using Classes = std::set<ClassId>;

class Drainer {
 public:
  Drainer(keyring::Keyring& keyring, const DrainOptions& options, DrainReport& report)
      : keyring_(keyring),
        options_(options),
        report_(report),
        reader_(keyring),
        chat_keys_(keyring) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(keyring_));
    std::map<BookId, Classes> mine;
    for (const keyring::Undrained& u : undrained) {
      if (CanDrain(u)) mine[u.book].insert(u.class_id);
    }
    RETURN_IF_ERROR(CountRows(mine));
    // The root book first: what it seals again is wrapped for the books at their newest epochs.
    for (const auto& [book, classes] : mine) {
      const std::int64_t damaged = report_.damaged, unwritten = unwritten_;
      const std::map<ClassId, std::uint32_t> epochs = EpochsOf(book, classes);
      RETURN_IF_ERROR(DrainBook(book, classes));
      if (report_.damaged == damaged && unwritten_ == unwritten)
        RETURN_IF_ERROR(DropLinks(book, epochs));
    }
    ASSIGN_OR_RETURN(const auto left, keyring::ListUndrained(keyring_));
    report_.undrained = left.size();
    if (!mine.empty()) {
      // What was moved still stands in the log. Readers in the way only put that off.
      const absl::Status truncated = keyring_.store().database().TruncateWal();
      if (!truncated.ok() && !absl::IsUnavailable(truncated)) return truncated;
    }
    if (report_.damaged == 0) return absl::OkStatus();
    return WithHint(
        absl::DataLossError(absl::StrCat(
            report_.damaged, " rows do not count, and stay under the keys that they had")),
        "'sealbook doctor' lists them; 'sealbook doctor --repair' removes what can go.");
  }

 private:
  absl::Status CountRows(const std::map<BookId, Classes>& books) {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    for (const auto& [book, classes] : books) {
      ASSIGN_OR_RETURN(const std::int64_t rows, book == kRootBook
                                                    ? keyring_.store().CountContacts()
                                                    : keyring_.store().CountBookContacts(book));
      total_ += rows;
    }
    return absl::OkStatus();
  }

  bool CanDrain(const keyring::Undrained& u) {
    if (!keyring_.Holds(u.book, u.class_id)) return false;
    if (u.book != kRootBook) return true;
    if (u.class_id == ClassId::kIndex) return keyring_.Holds(kRootBook, ClassId::kIdentity);
    return keyring_.role().MayWriteAgain(u.class_id);
  }

  std::map<ClassId, std::uint32_t> EpochsOf(BookId book, const Classes& classes) const {
    std::map<ClassId, std::uint32_t> epochs;
    for (const ClassId class_id : classes)
      epochs[class_id] = keyring_.roster().FindCompartment(book, class_id)->epoch;
    return epochs;
  }

  // Whether what `session` sealed for the compartment stands under an older epoch of it.
  absl::StatusOr<bool> IsOld(std::int64_t session_number, BookId book, ClassId class_id) {
    ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(session_number));
    const keyring::Compartment* then =
        keyring_.history().Version(session->roster_version)->FindCompartment(book, class_id);
    if (then == nullptr) return absl::DataLossError("a row is older than its book");
    return then->epoch < keyring_.roster().FindCompartment(book, class_id)->epoch;
  }

  // The sessions that wrote chats of the contact under an older epoch.
  absl::StatusOr<std::set<std::int64_t>> OldChats(ContactNumber contact) {
    std::set<std::int64_t> old;
    RETURN_IF_ERROR(
        keyring_.store().EachChatKey(contact, [&](std::int64_t session, ByteView) -> absl::Status {
          ASSIGN_OR_RETURN(const bool is_old, IsOld(session, kRootBook, ClassId::kChat));
          if (is_old) old.insert(session);
          return absl::OkStatus();
        }));
    return old;
  }

  // The same of what a book was given of the contact's chats.
  absl::StatusOr<std::set<std::int64_t>> OldChatWraps(BookId book, ContactNumber contact) {
    std::set<std::int64_t> old;
    RETURN_IF_ERROR(keyring_.store().EachChatWrap(
        book, contact, [&](const store::ChatWrapRow& row) -> absl::Status {
          ASSIGN_OR_RETURN(const bool is_old, IsOld(row.wrapped, book, ClassId::kChat));
          if (is_old) old.insert(row.session);
          return absl::OkStatus();
        }));
    return old;
  }

  absl::StatusOr<bool> HasOldValue(const store::ContactRow& row, const Classes& classes) {
    ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
    for (const ValueEntry& entry : values) {
      if (!classes.contains(entry.class_id)) continue;
      ASSIGN_OR_RETURN(const bool old, IsOld(entry.session, kRootBook, entry.class_id));
      if (old) return true;
    }
    if (classes.contains(ClassId::kChat)) {
      ASSIGN_OR_RETURN(const std::set<std::int64_t> old, OldChats(row.number));
      if (!old.empty()) return true;
    }
    if (!classes.contains(ClassId::kIndex)) return false;
    for (const crypto::Hash128& hash : ListedHashes(row)) {
      store::IndexRow found;
      ASSIGN_OR_RETURN(const bool there, keyring_.store().FindIndex(hash, found));
      if (!there || !index_->IsNewest(found)) return true;
    }
    return false;
  }

  absl::StatusOr<bool> HasOldWrap(const store::BookContactRow& row, const Classes& classes) {
    ASSIGN_OR_RETURN(const std::vector<WrapEntry> wraps, DecodeWraps(row.wraps));
    for (const WrapEntry& wrap : wraps) {
      if (!classes.contains(wrap.class_id)) continue;
      ASSIGN_OR_RETURN(const bool old, IsOld(wrap.session, row.book, wrap.class_id));
      if (old) return true;
    }
    if (!classes.contains(ClassId::kChat)) return false;
    ASSIGN_OR_RETURN(const std::set<std::int64_t> old, OldChatWraps(row.book, row.contact));
    return !old.empty();
  }

  absl::Status DrainBook(BookId book, const Classes& classes) {
    ContactNumber last = 0;
    for (bool more = true; more;) {
      std::vector<ContactNumber> stale;
      RETURN_IF_ERROR(Scan(book, classes, last, stale, more));
      for (std::size_t at = 0; at < stale.size();) {
        RETURN_IF_ERROR(WriteBatch(book, classes, stale, at));
        absl::SleepFor(kPause);
      }
      if (options_.progress) options_.progress(seen_, total_);
      if (options_.interrupted && options_.interrupted()) {
        return WithHint(
            absl::CancelledError("interrupted: nobody was given back what was taken away, and what "
                                 "was moved to the new keys stays"),
            "Run 'sealbook key rotate --drain' for the rest.");
      }
    }
    return absl::OkStatus();
  }

  // Goes on behind `last`; gives contacts that have something under an older epoch.
  absl::Status Scan(BookId book, const Classes& classes, ContactNumber& last,
                    std::vector<ContactNumber>& stale, bool& more) {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
    if (classes.contains(ClassId::kIndex)) {
      ASSIGN_OR_RETURN(index_, IdentifierIndex::Open(keyring_));
    }
    std::int64_t rows = 0;
    more = false;
    const auto one = [&](ContactNumber contact,
                         const absl::StatusOr<bool>& old) -> absl::StatusOr<bool> {
      last = contact;
      ++seen_;
      if (absl::IsDataLoss(old.status())) {
        ++report_.damaged;
      } else {
        RETURN_IF_ERROR(old.status());
        if (*old) stale.push_back(contact);
      }
      more = ++rows == kScanRows || stale.size() == kBatchRows;
      return !more;
    };
    if (book == kRootBook) {
      return keyring_.store().EachContact(last + 1, [&](const store::ContactRow& row) {
        return one(row.number, HasOldValue(row, classes));
      });
    }
    return keyring_.store().EachBookContact(book, last, [&](const store::BookContactRow& row) {
      return one(row.contact, HasOldWrap(row, classes));
    });
  }

  // One session and transaction, over `stale` from `at` on as far as the time allows.
  absl::Status WriteBatch(BookId book, const Classes& classes,
                          const std::vector<ContactNumber>& stale, std::size_t& at) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    const absl::Time start = absl::Now();
    auto session = keyring::SessionWriter::Open(keyring_);
    if (classes.contains(ClassId::kIndex)) {
      ASSIGN_OR_RETURN(index_, IdentifierIndex::Open(keyring_));
    }
    const std::int64_t before = report_.rewrapped;
    do {
      const std::int64_t done = report_.rewrapped;
      const absl::Status status = book == kRootBook
                                      ? RewriteWhole(session, stale[at], classes)
                                      : RewrapWhole(session, book, stale[at], classes);
      if (absl::IsDataLoss(status)) {
        // Told, and left alone: it must not keep the others under the old keys.
        report_.rewrapped = done;
        ++report_.damaged;
      } else {
        RETURN_IF_ERROR(status);
      }
      ++at;
    } while (at < stale.size() && absl::Now() - start < kLockTime);
    if (report_.rewrapped == before) return absl::OkStatus();
    RETURN_IF_ERROR(session.Insert());
    RETURN_IF_ERROR(audit::Append(
        keyring_.store(), keyring_.AuditAuthor(),
        {.act = "key.drain",
         .detail = absl::StrCat("{\"rewrapped\":", report_.rewrapped - before, "}")}));
    return transaction.Commit();
  }

  // All of it or nothing.
  absl::Status RewriteWhole(keyring::SessionWriter& session, ContactNumber contact,
                            const Classes& classes) {
    ASSIGN_OR_RETURN(store::Savepoint savepoint,
                     store::Savepoint::Begin(keyring_.store().database()));
    RETURN_IF_ERROR(RewriteContact(session, contact, classes));
    return savepoint.Keep();
  }

  absl::Status RewrapWhole(keyring::SessionWriter& session, BookId book, ContactNumber contact,
                           const Classes& classes) {
    ASSIGN_OR_RETURN(store::Savepoint savepoint,
                     store::Savepoint::Begin(keyring_.store().database()));
    RETURN_IF_ERROR(RewrapContact(session, book, contact, classes));
    return savepoint.Keep();
  }

  absl::Status RewriteContact(keyring::SessionWriter& session, ContactNumber contact,
                              const Classes& classes) {
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetContact(contact, row));
    if (!found) return absl::OkStatus();  // gone meanwhile
    ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
    std::vector<ClassId> old_classes;
    for (const ValueEntry& entry : values) {
      if (!classes.contains(entry.class_id)) continue;
      ASSIGN_OR_RETURN(const bool old, IsOld(entry.session, kRootBook, entry.class_id));
      if (old) old_classes.push_back(entry.class_id);
    }
    ASSIGN_OR_RETURN(const std::vector<ClassFields> again, reader_.OpenClasses(row, old_classes));
    // Before the values are sealed under a session that nobody can read until it is stored.
    std::vector<IdentifierHashes> hashes;
    std::int64_t moved = 0;
    if (classes.contains(ClassId::kIndex)) {
      ASSIGN_OR_RETURN(hashes, HashesOf(row, again, moved));
    }
    if (!again.empty()) RETURN_IF_ERROR(RewriteClasses(keyring_, session, row, again));
    if (moved > 0) {
      const absl::Status replaced = ReplaceIdentifiers(keyring_, *index_, row, hashes);
      if (absl::IsAlreadyExists(replaced))
        return absl::DataLossError("an identifier of this contact leads to another one");
      RETURN_IF_ERROR(replaced);
    }
    report_.rewrapped += static_cast<std::int64_t>(again.size()) + moved;
    if (classes.contains(ClassId::kChat)) {
      ASSIGN_OR_RETURN(const std::set<std::int64_t> old, OldChats(contact));
      if (!old.empty()) {
        const ChatOwner owner{contact, row.token};
        chat_keys_.Turn(owner, {});
        RETURN_IF_ERROR(RewriteChats(keyring_, session, chat_keys_, owner, old).status());
        report_.rewrapped += static_cast<std::int64_t>(old.size());
      }
    }
    return absl::OkStatus();
  }

  // The contact's identifiers, each hashed anew from what its listed hash is of; how many of those
  // are not of the newest key. `opened`: classes that were opened already.
  absl::StatusOr<std::vector<IdentifierHashes>> HashesOf(const store::ContactRow& row,
                                                         const std::vector<ClassFields>& opened,
                                                         std::int64_t& moved) {
    std::vector<IdentifierValue> values;
    const auto identity = std::find_if(opened.begin(), opened.end(), [](const ClassFields& c) {
      return c.class_id == ClassId::kIdentity;
    });
    if (identity != opened.end()) {
      values = options_.identifiers_of(identity->fields);
    } else {
      ASSIGN_OR_RETURN(const auto fields, reader_.OpenClass(row, ClassId::kIdentity));
      if (fields) values = options_.identifiers_of(*fields);
    }
    std::vector<IdentifierHashes> candidates, hashes;
    for (const IdentifierValue& value : values)
      candidates.push_back(index_->HashesOf(value.kind, value.value));
    for (const crypto::Hash128& listed : ListedHashes(row)) {
      const auto is_of_listed = [&](const IdentifierHashes& c) { return c.Contains(listed); };
      auto at = std::find_if(candidates.begin(), candidates.end(), is_of_listed);
      if (at == candidates.end()) {
        ASSIGN_OR_RETURN(const std::string whole, RowFieldOf(row));
        at = candidates.insert(candidates.end(), index_->HashesOf(IdentifierKind::kRow, whole));
        if (!is_of_listed(*at))
          return absl::DataLossError("an identifier of this contact is none of its values");
      }
      hashes.push_back(*at);
      moved += at->current != listed;
    }
    return hashes;
  }

  absl::StatusOr<std::string> RowFieldOf(const store::ContactRow& row) {
    ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
    for (const ValueEntry& entry : values) {
      ASSIGN_OR_RETURN(const auto fields, reader_.OpenClass(row, entry.class_id));
      if (!fields) continue;
      for (const Field& field : *fields) {
        if (field.name == kRowField) return field.value;
      }
    }
    return std::string();
  }

  // What members of the book wrote through it counts as long as that epoch is there
  // (ContactReader::CheckWriter), so it is written again. False: there was nothing.
  absl::StatusOr<bool> RewriteMembersValues(keyring::SessionWriter& session, BookId book,
                                            const Classes& classes, store::ContactRow& row) {
    ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
    std::vector<ClassId> old_classes;
    for (const ValueEntry& entry : values) {
      if (!classes.contains(entry.class_id)) continue;
      ASSIGN_OR_RETURN(const keyring::Session* writing, keyring_.sessions().Get(entry.session));
      const keyring::Roster* then = keyring_.history().Version(writing->roster_version);
      const keyring::RoleDefinition* role = then->RoleOf(*then->FindMember(writing->member));
      if (role == nullptr || role->root_scope || !then->IsMember(book, writing->member)) continue;
      ASSIGN_OR_RETURN(const bool old, IsOld(entry.session, book, entry.class_id));
      if (!old) continue;
      if (keyring_.role().MayWriteAgain(entry.class_id))
        old_classes.push_back(entry.class_id);
      else
        ++unwritten_;
    }
    if (old_classes.empty()) return false;
    ASSIGN_OR_RETURN(const std::vector<ClassFields> again, reader_.OpenClasses(row, old_classes));
    RETURN_IF_ERROR(RewriteClasses(keyring_, session, row, again));
    report_.rewrapped += static_cast<std::int64_t>(again.size());
    return true;
  }

  absl::Status RewrapContact(keyring::SessionWriter& session, BookId book, ContactNumber contact,
                             const Classes& classes) {
    store::BookContactRow assigned;
    ASSIGN_OR_RETURN(const bool found, keyring_.store().GetBookContact(book, contact, assigned));
    if (!found) return absl::OkStatus();  // taken out meanwhile
    // To wrap for a planted assignment would make its planter a reader.
    RETURN_IF_ERROR(keyring_.sessions().CheckAssignment(book, contact, assigned.session));
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool there, keyring_.store().GetContact(contact, row));
    if (!there) return absl::DataLossError("an assigned contact is missing");
    ASSIGN_OR_RETURN(const bool again, RewriteMembersValues(session, book, classes, row));
    if (again) {
      ASSIGN_OR_RETURN([[maybe_unused]] const bool still,
                       keyring_.store().GetBookContact(book, contact, assigned));
    }
    ASSIGN_OR_RETURN(const std::vector<ValueEntry> values, DecodeValues(row.values));
    ASSIGN_OR_RETURN(std::vector<WrapEntry> wraps, DecodeWraps(assigned.wraps));
    ASSIGN_OR_RETURN(const std::int64_t number, session.Number());
    for (WrapEntry& wrap : wraps) {
      // Of this session's own, which nobody can read until it is stored: written just now.
      if (!classes.contains(wrap.class_id) || wrap.session == number) continue;
      ASSIGN_OR_RETURN(const bool old, IsOld(wrap.session, book, wrap.class_id));
      if (!old) continue;
      const auto entry = std::find_if(values.begin(), values.end(), [&](const ValueEntry& e) {
        return e.class_id == wrap.class_id;
      });
      if (entry == values.end()) return absl::DataLossError("a book has a key to nothing");
      ASSIGN_OR_RETURN(const crypto::ValueKey key, reader_.OpenValueKeyIn(row, *entry, assigned));
      ASSIGN_OR_RETURN(wrap, WrapFor(session, keyring_.roster().vault, row.number, row.token,
                                     entry->class_id, entry->revision, book, key));
      wrap.session = number;
      ++report_.rewrapped;
    }
    assigned.wraps = EncodeWraps(wraps);
    RETURN_IF_ERROR(keyring_.store().PutBookContact(assigned));
    if (!classes.contains(ClassId::kChat)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::set<std::int64_t> old, OldChatWraps(book, contact));
    if (old.empty()) return absl::OkStatus();
    const ChatOwner owner{contact, row.token};
    chat_keys_.Turn(owner, {assigned});
    std::set<std::int64_t> strays = old;
    ASSIGN_OR_RETURN(const std::int64_t moved,
                     WrapChatKeys(keyring_, session, chat_keys_, owner, book,
                                  [&](std::int64_t one) { return strays.erase(one) > 0; }));
    report_.rewrapped += moved;
    // Keys to chats that are not there: nobody misses them, and they must not stay under the old
    // key.
    for (const std::int64_t stray : strays)
      RETURN_IF_ERROR(keyring_.store().DeleteChatWraps(contact, stray, {book}));
    return absl::OkStatus();
  }

  // Where the pass found everything at the newest epochs, and those are the newest still.
  absl::Status DropLinks(BookId book, const std::map<ClassId, std::uint32_t>& epochs) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    std::int64_t dropped = 0;
    for (const auto& [class_id, epoch] : epochs) {
      const keyring::Compartment* now = keyring_.roster().FindCompartment(book, class_id);
      if (now == nullptr || now->epoch != epoch) continue;
      if (book == kRootBook && class_id == ClassId::kIndex)
        RETURN_IF_ERROR(ChatTags::SealAgain(keyring_).status());
      RETURN_IF_ERROR(keyring_.store().DeleteEpochLinks(book, class_id));
      RETURN_IF_ERROR(keyring_.store().DeleteGrantsBefore(book, class_id, epoch));
      ++dropped;
    }
    if (dropped == 0) return absl::OkStatus();
    const keyring::Book* named = keyring_.roster().FindBook(book);
    RETURN_IF_ERROR(audit::Append(
        keyring_.store(), keyring_.AuditAuthor(),
        {.act = "key.drained",
         .detail = keyring::DetailOf({{"book", named == nullptr ? "" : named->name}})}));
    return transaction.Commit();
  }

  keyring::Keyring& keyring_;
  const DrainOptions& options_;
  DrainReport& report_;
  ContactReader reader_;
  ChatKeys chat_keys_;
  std::optional<IdentifierIndex> index_;
  std::int64_t seen_ = 0, total_ = 0;
  std::int64_t unwritten_ = 0;  // values of members that this one may not write again
};

}  // namespace

absl::Status Drain(keyring::Keyring& keyring, const DrainOptions& options, DrainReport& report) {
  return Drainer(keyring, options, report).Run();
}

}  // namespace sealbook::records
