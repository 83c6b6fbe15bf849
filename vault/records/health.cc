#include "vault/records/health.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/audit/log.h"
#include "vault/keyring/rekeying.h"
#include "vault/records/chat_health.h"
#include "vault/records/contact_reader.h"
#include "vault/records/health_documents.h"
#include "vault/records/index.h"
#include "vault/records/sealing.h"
#include "vault/records/statements.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using keyring::CoverageKind;
using keyring::CoverageRange;

// The first fault of a check, and how many there are.
class Faults {
 public:
  void Add(absl::string_view fault) {
    if (count_++ == 0) first_ = std::string(fault);
  }
  bool any() const { return count_ > 0; }
  HealthCheck Result(std::string name, absl::string_view looked_at,
                     absl::string_view mended = "") const {
    if (!any())
      return {.name = std::move(name), .ok = true, .detail = absl::StrCat(looked_at, mended)};
    return {.name = std::move(name),
            .ok = false,
            .detail = absl::StrCat(
                first_, count_ > 1 ? absl::StrCat(" (and ", count_ - 1, " more)") : "", mended)};
  }

 private:
  std::int64_t count_ = 0;
  std::string first_;
};

// Contact numbers, as ranges that do not touch.
class Numbers {
 public:
  void Add(const CoverageRange& range) {
    ContactNumber first = range.first, end = End(range);
    auto at = ranges_.upper_bound(first);
    if (at != ranges_.begin() && std::prev(at)->second >= first) --at;
    while (at != ranges_.end() && at->first <= end) {
      first = std::min(first, at->first);
      end = std::max(end, at->second);
      at = ranges_.erase(at);
    }
    ranges_[first] = end;
  }
  void Remove(const CoverageRange& range) {
    const ContactNumber first = range.first, end = End(range);
    auto at = ranges_.upper_bound(first);
    if (at != ranges_.begin() && std::prev(at)->second > first) --at;
    while (at != ranges_.end() && at->first < end) {
      const auto [old_first, old_end] = *at;
      at = ranges_.erase(at);
      if (old_first < first) ranges_[old_first] = first;
      if (old_end > end) ranges_[end] = old_end;
    }
  }
  bool Contains(ContactNumber number) const {
    const auto after = ranges_.upper_bound(number);
    return after != ranges_.begin() && number < std::prev(after)->second;
  }
  std::int64_t Count() const {
    std::int64_t count = 0;
    for (const auto& [first, end] : ranges_) count += end - first;
    return count;
  }

 private:
  static ContactNumber End(const CoverageRange& range) {
    return range.first + static_cast<ContactNumber>(range.count);
  }
  std::map<ContactNumber, ContactNumber> ranges_;  // by the first, the one behind the last
};

class Doctor {
 public:
  Doctor(keyring::Keyring& keyring, const HealthOptions& options)
      : keyring_(keyring), store_(keyring.store()), reader_(keyring), options_(options) {}

  absl::StatusOr<std::vector<HealthCheck>> Run() {
    RETURN_IF_ERROR(RunChecks(
        {{"files", &Doctor::Files}, {"pages", &Doctor::Pages}, {"members", &Doctor::Members}}));
    // One view of the vault for all that compares rows with rows, while others go on writing.
    RETURN_IF_ERROR(Look());
    RETURN_IF_ERROR(RunChecks({{"sessions", &Doctor::Sessions},
                               {"roster", &Doctor::Roster},
                               {"grants", &Doctor::Grants},
                               // Before the contacts, which an assignment that does not count makes
                               // unreadable until it is removed.
                               {"books", &Doctor::Books},
                               {"contacts", &Doctor::Contacts},
                               {"index", &Doctor::Index},
                               {"chats", &Doctor::Chats},
                               {"factors", &Doctor::Factors},
                               {"exports", &Doctor::Exports},
                               {"audit", &Doctor::Audit}}));
    return std::move(results_);
  }

 private:
  absl::Status RunChecks(
      std::initializer_list<std::pair<const char*, absl::Status (Doctor::*)()>> checks) {
    for (const auto& [name, check] : checks) {
      name_ = name;
      rows_ = 0;
      const absl::Status status = (this->*check)();
      if (absl::IsCancelled(status) || absl::IsUnavailable(status)) return status;
      if (!status.ok())
        results_.push_back({.name = name, .ok = false, .detail = std::string(status.message())});
    }
    return absl::OkStatus();
  }
  // A view, held until something is mended: that needs a transaction of its own.
  absl::Status Look() {
    view_.reset();
    ASSIGN_OR_RETURN(auto view, keyring_.Snapshot());
    if (view) view_.emplace(*std::move(view));
    index_.reset();
    if (auto index = IdentifierIndex::Open(keyring_); index.ok()) index_ = *std::move(index);
    return absl::OkStatus();
  }
  absl::Status Step() {
    ++rows_;
    if (rows_ % 1000 != 0) return absl::OkStatus();
    if (options_.progress) options_.progress(name_, rows_);
    if (options_.interrupted && options_.interrupted()) return absl::CancelledError("interrupted");
    return absl::OkStatus();
  }
  void Report(const Faults& faults, absl::string_view looked_at, absl::string_view mended = "") {
    results_.push_back(faults.Result(name_, looked_at, mended));
  }

  absl::Status Files();
  absl::Status Pages();
  absl::Status Sessions();
  absl::Status Roster();
  absl::Status Members();
  absl::Status Grants();
  absl::Status Links(Faults& faults, std::int64_t& mended);
  absl::Status Erased();
  absl::Status Contacts();
  absl::Status Index();
  absl::Status Books();
  absl::Status Chats();
  absl::Status Factors();
  absl::Status Exports();
  absl::Status Audit();
  absl::StatusOr<bool> Counts(const store::IndexRow& row, store::ContactRow& contact);
  absl::Status MendIndex(const std::vector<crypto::Hash128>& bad, std::int64_t& mended);

  keyring::Keyring& keyring_;
  store::Store& store_;
  ContactReader reader_;
  const HealthOptions& options_;
  std::optional<store::Transaction> view_;
  std::optional<IdentifierIndex> index_;
  std::vector<HealthCheck> results_;
  std::string name_;
  std::int64_t rows_ = 0;
  Numbers created_;
  std::vector<ContactNumber> erased_;  // of those; a signed tombstone of each says so
  std::vector<std::string> tombstone_faults_;
  std::map<BookId, Numbers> assigned_;
};

absl::Status Doctor::Files() {
  Faults faults;
  const std::string& directory = keyring_.paths().directory;
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0)
    return absl::DataLossError("the vault's folder cannot be looked at");
  if ((info.st_mode & 07) != 0)
    faults.Add("the vault's folder is open to every user of this machine");
  DIR* open = opendir(directory.c_str());
  if (open == nullptr) return absl::DataLossError("the vault's folder cannot be listed");
  std::int64_t files = 0;
  while (const dirent* entry = readdir(open)) {
    const std::string path = absl::StrCat(directory, "/", entry->d_name);
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    ++files;
    if ((info.st_mode & 07) != 0)
      faults.Add(absl::StrCat(entry->d_name, " is open to every user of this machine"));
  }
  closedir(open);
  Report(faults, absl::StrCat(files, " files, for their owner and group alone"));
  return absl::OkStatus();
}

absl::Status Doctor::Pages() {
  RETURN_IF_ERROR(Look());
  absl::Status status = store_.CheckPages();
  view_.reset();
  if (absl::IsDataLoss(status)) {
    // Where the database got another key and a reader was in the way, the file's own pages are
    // under the older one still, and the log has the others.
    absl::Status truncated = store_.database().TruncateWal();
    // Where another process is at it already, the engine does not wait.
    for (int i = 0; i < 100 && absl::IsUnavailable(truncated); ++i) {
      absl::SleepFor(absl::Milliseconds(20));
      truncated = store_.database().TruncateWal();
    }
    RETURN_IF_ERROR(truncated);
    status = store_.CheckPages();
  }
  RETURN_IF_ERROR(status);
  Report(Faults(), "every page is whole and authentic");
  return absl::OkStatus();
}

// Every session counts, is there, and names the one before it; what they cover is remembered.
absl::Status Doctor::Sessions() {
  Faults faults;
  crypto::Hash256 previous{};
  std::int64_t expected = 1, last_taking = 0;
  std::map<std::pair<BookId, ContactNumber>, bool> taken;
  RETURN_IF_ERROR(store_.EachSession(1, [&](std::int64_t number, ByteView record) -> absl::Status {
    RETURN_IF_ERROR(Step());
    if (number != expected) faults.Add(absl::StrCat("session ", expected, " is missing"));
    const auto session = keyring::CheckSession(number, record, keyring_.history());
    if (!session.ok()) {
      faults.Add(absl::string_view(session.status().message()));
    } else {
      if (number == expected && session->previous != previous) {
        faults.Add(absl::StrCat("session ", number, " does not name the one before it"));
      }
      if (session->last_taking != last_taking) {
        faults.Add(
            absl::StrCat("session ", number, " is wrong about what was taken away before it"));
      }
      const keyring::Roster* roster = keyring_.history().Version(session->roster_version);
      const keyring::RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
      for (const keyring::Coverage& coverage : session->coverage) {
        const keyring::Power needed = coverage.kind == CoverageKind::kCreated
                                          ? keyring::Power::kCreateContacts
                                          : keyring::Power::kAssign;
        if (role == nullptr || !role->Has(needed)) {
          faults.Add(
              absl::StrCat("session ", number, " creates or assigns, which its signer may not"));
        } else {
          for (const CoverageRange& range : coverage.ranges) {
            if (coverage.kind == CoverageKind::kCreated)
              created_.Add(range);
            else if (coverage.kind == CoverageKind::kAssigned)
              assigned_[coverage.book].Add(range);
            else
              assigned_[coverage.book].Remove(range);
          }
        }
      }
      if (!session->subjects.empty() &&
          (role == nullptr || !role->Has(keyring::Power::kWriteChats))) {
        faults.Add(
            absl::StrCat("session ", number, " makes subject keys, which its signer may not"));
      }
      if (session->TakesAway()) last_taking = number;
    }
    previous = keyring::HashOfSession(record);
    expected = number + 1;
    return absl::OkStatus();
  }));
  Report(faults, absl::StrCat(rows_, " sessions, one chain"));
  return absl::OkStatus();
}

// The chain of versions was verified to unlock; here, that each named the session that was newest.
absl::Status Doctor::Roster() {
  Faults faults;
  for (std::uint64_t version = 1; version <= keyring_.roster().version; ++version) {
    const keyring::Roster& roster = *keyring_.history().Version(version);
    if (roster.session_head == 0) continue;
    ASSIGN_OR_RETURN(const auto record, store_.GetSession(roster.session_head));
    if (!record || keyring::HashOfSession(*record) != roster.session_head_hash) {
      faults.Add(
          absl::StrCat("roster version ", version, " names another session ", roster.session_head));
    }
  }
  Report(faults, absl::StrCat(keyring_.roster().version, " signed versions, one chain"));
  return absl::OkStatus();
}

absl::Status Doctor::Members() {
  Faults faults;
  std::string mended;
  // Under the lock, so that nobody is between writing an entry and publishing its roster version.
  if (options_.repair) RETURN_IF_ERROR(keyring::TidyUnlockFile(keyring_));
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
  ASSIGN_OR_RETURN(keyring::UnlockFile file, keyring::UnlockFile::Load(keyring_.paths().unlock()));
  std::int64_t known = 0;
  for (const keyring::Member& member : keyring_.roster().members) {
    if (!member.active) continue;
    ++known;
    if (file.Find(keyring::EntryIdOf(file, member)) == nullptr)
      faults.Add("a member has no entry in unlock.json and cannot unlock the vault");
  }
  const std::vector<std::string> strangers = keyring::StaleEntries(keyring_.roster(), file);
  if (!strangers.empty() && options_.repair) {
    for (const std::string& id : strangers) file.Remove(id);
    RETURN_IF_ERROR(file.Save(keyring_.paths().unlock()));
    RETURN_IF_ERROR(
        audit::Append(store_, keyring_.AuditAuthor(),
                      {.act = "doctor.repair",
                       .detail = absl::StrCat("{\"unlock_entries\":", strangers.size(), "}")}));
    mended = absl::StrCat("; removed ", strangers.size(), " entries of nobody from unlock.json");
  } else if (!strangers.empty()) {
    faults.Add(absl::StrCat("unlock.json has ", strangers.size(),
                            " entries of nobody (an interrupted command; --repair removes them)"));
  }
  const bool two_keys = std::any_of(file.entries().begin(), file.entries().end(), [](auto& entry) {
    return !entry.second.database_key_next.empty();
  });
  if (two_keys) {
    absl::StrAppend(&mended,
                    "; the database was getting another key: run 'sealbook key rotate --database'");
  }
  Report(faults, absl::StrCat(known, " members can unlock"), mended);
  return transaction.Commit();
}

// Each compartment's secret is granted to those who should hold it; what is sealed to this member,
// or to a root compartment that it holds, opens and gives the public key in the roster.
absl::Status Doctor::Grants() {
  Faults faults;
  const keyring::Roster& roster = keyring_.roster();
  const auto expect = [&](MemberId member, BookId book, ClassId class_id) -> absl::Status {
    const keyring::Compartment* compartment = roster.FindCompartment(book, class_id);
    if (compartment == nullptr) return absl::OkStatus();
    ++rows_;
    ASSIGN_OR_RETURN(const auto grant, store_.GetGrant(member, book, class_id, compartment->epoch));
    if (!grant) faults.Add("a grant is missing, so that a member cannot read what the role reads");
    return absl::OkStatus();
  };
  for (const keyring::Member& member : roster.members) {
    const keyring::RoleDefinition* role = roster.RoleOf(member);
    if (!member.active || role == nullptr) continue;
    for (const ClassId class_id : role->holds) {
      if (role->root_scope) {
        RETURN_IF_ERROR(expect(member.id, kRootBook, class_id));
      } else {
        for (const BookId book : roster.BooksOf(member.id))
          RETURN_IF_ERROR(expect(member.id, book, class_id));
      }
    }
  }
  for (const keyring::Book& book : roster.books) {
    for (const ClassId class_id : roster.DataClasses())
      RETURN_IF_ERROR(expect(MemberId{0}, book.id, class_id));
  }
  std::int64_t opened = 0;
  for (const keyring::Compartment& compartment : roster.compartments) {
    if (!keyring_.role().Holds(compartment.class_id)) continue;
    const bool mine =
        keyring_.role().root_scope || roster.IsMember(compartment.book, keyring_.bundle().member);
    if (!mine) continue;
    const auto pair = keyring_.CompartmentPair(compartment.book, compartment.class_id);
    if (pair.ok())
      ++opened;
    else
      faults.Add(absl::string_view(pair.status().message()));
  }
  std::int64_t mended = 0;
  RETURN_IF_ERROR(Links(faults, mended));
  Report(faults, absl::StrCat(rows_, " grants, ", opened, " compartments opened"),
         mended == 0 ? "" : absl::StrCat("; removed ", mended, " links that do not count"));
  return absl::OkStatus();
}

// Links to older epochs open. Those that lead nowhere are in the way (the index opens every one of
// its own) and can be removed; one of a book's also says that the book is not drained.
absl::Status Doctor::Links(Faults& faults, std::int64_t& mended) {
  std::vector<store::EpochLinkRow> links, bad;
  RETURN_IF_ERROR(store_.EachEpochLink([&](const store::EpochLinkRow& link) {
    links.push_back(link);
    return absl::OkStatus();
  }));
  for (const store::EpochLinkRow& link : links) {
    const keyring::Compartment* compartment =
        keyring_.roster().FindCompartment(link.book, link.class_id);
    const bool leads = compartment != nullptr && link.epoch < compartment->epoch;
    if (leads &&
        !absl::IsDataLoss(keyring_.CompartmentPair(link.book, link.class_id, link.epoch).status()))
      continue;
    if (options_.repair && (!leads || link.class_id == ClassId::kIndex))
      bad.push_back(link);
    else
      faults.Add("a link to an older epoch does not count");
  }
  if (bad.empty()) return absl::OkStatus();
  view_.reset();
  {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    for (const store::EpochLinkRow& link : bad)
      RETURN_IF_ERROR(store_.DeleteEpochLink(link.book, link.class_id, link.epoch));
    RETURN_IF_ERROR(audit::Append(
        store_, keyring_.AuditAuthor(),
        {.act = "doctor.repair", .detail = absl::StrCat("{\"epoch_links\":", bad.size(), "}")}));
    RETURN_IF_ERROR(transaction.Commit());
  }
  mended = static_cast<std::int64_t>(bad.size());
  return Look();
}

// Those that were erased are gone, and a signed tombstone of each says so.
absl::Status Doctor::Erased() {
  return store_.EachTombstone([&](ContactNumber contact, std::int64_t token, std::int64_t,
                                  ByteView document, bool) -> absl::Status {
    const absl::Status stone = CheckTombstone(keyring_, token, document);
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool there, store_.GetContact(contact, row));
    if (!stone.ok()) {
      tombstone_faults_.push_back(absl::StrCat(FormatToken(token), ": ", stone.message()));
    } else if (there) {
      tombstone_faults_.push_back(
          absl::StrCat(FormatToken(token), " was erased and is there again"));
    } else if (created_.Contains(contact)) {
      erased_.push_back(contact);
    }
    return absl::OkStatus();
  });
}

absl::Status Doctor::Contacts() {
  Faults faults;
  const bool root = keyring_.role().root_scope;
  std::int64_t opened = 0;
  RETURN_IF_ERROR(store_.EachContact(1, [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(Step());
    const std::string token = FormatToken(row.token);
    if (!created_.Contains(row.number))
      faults.Add(absl::StrCat(token, " was created by no session that counts"));
    ASSIGN_OR_RETURN(const auto by_token, store_.FindToken(row.token));
    if (by_token != row.number) faults.Add(absl::StrCat(token, " is not found by its token"));
    const auto values = DecodeValues(row.values);
    if (!values.ok()) {
      faults.Add(absl::StrCat(token, " cannot be read"));
      return true;
    }
    for (const ValueEntry& entry : *values) {
      absl::Status status = reader_.CheckWriter(row, entry);
      if (status.ok() && root && keyring_.Holds(kRootBook, entry.class_id)) {
        status = reader_.OpenClass(row, entry.class_id).status();
        ++opened;
      }
      if (!status.ok()) faults.Add(absl::StrCat(token, ": ", status.message()));
    }
    return true;
  }));
  for (const std::string& fault : tombstone_faults_) faults.Add(fault);
  const std::int64_t missing = created_.Count() - rows_ - static_cast<std::int64_t>(erased_.size());
  if (missing > 0 && !faults.any())
    faults.Add(absl::StrCat(missing, " contacts that sessions created are missing"));
  ASSIGN_OR_RETURN(const std::int64_t tokens, store_.CountTokens());
  if (tokens != rows_)
    faults.Add("the table of tokens has another number of rows than there are contacts");
  Report(faults, absl::StrCat(rows_, " contacts, ", opened, " sealed values opened"));
  return absl::OkStatus();
}

// Whether its tag opens, and its contact lists it.
absl::StatusOr<bool> Doctor::Counts(const store::IndexRow& row, store::ContactRow& contact) {
  if (!index_->Check(row).ok()) return false;
  ASSIGN_OR_RETURN(const bool there, store_.GetContact(row.contact, contact));
  if (!there) return false;
  const std::vector<crypto::Hash128> hashes = ListedHashes(contact);
  return std::find(hashes.begin(), hashes.end(), row.hash) != hashes.end();
}

// Deletes rows of the index that do not count: under the lock, and as they stand by then.
absl::Status Doctor::MendIndex(const std::vector<crypto::Hash128>& bad, std::int64_t& mended) {
  view_.reset();
  {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
    ASSIGN_OR_RETURN(index_, IdentifierIndex::Open(keyring_));
    for (const crypto::Hash128& hash : bad) {
      store::IndexRow row;
      store::ContactRow contact;
      ASSIGN_OR_RETURN(const bool found, store_.FindIndex(hash, row));
      if (!found) continue;
      ASSIGN_OR_RETURN(const bool counts, Counts(row, contact));
      if (counts) continue;
      RETURN_IF_ERROR(store_.DeleteIndex(hash));
      ++mended;
    }
    RETURN_IF_ERROR(audit::Append(
        store_, keyring_.AuditAuthor(),
        {.act = "doctor.repair", .detail = absl::StrCat("{\"index_rows\":", mended, "}")}));
    RETURN_IF_ERROR(transaction.Commit());
  }
  return Look();
}

absl::Status Doctor::Index() {
  if (!index_) {
    Report(Faults(), "not looked at: this role does not hold the index's key");
    return absl::OkStatus();
  }
  Faults faults;
  std::vector<crypto::Hash128> bad;
  constexpr std::size_t kMaxBad = 100'000;
  RETURN_IF_ERROR(store_.EachIndex([&](const store::IndexRow& row) -> absl::Status {
    RETURN_IF_ERROR(Step());
    store::ContactRow contact;
    ASSIGN_OR_RETURN(const bool counts, Counts(row, contact));
    if (counts) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool there, store_.GetContact(row.contact, contact));
    if (options_.repair && bad.size() < kMaxBad)
      bad.push_back(row.hash);
    else
      faults.Add(there ? absl::StrCat("a row of the index that does not count leads to ",
                                      FormatToken(contact.token))
                       : std::string("a row of the index leads to no contact"));
    return absl::OkStatus();
  }));
  const std::int64_t rows = rows_;
  std::string mended;
  if (!bad.empty()) {
    std::int64_t count = 0;
    RETURN_IF_ERROR(MendIndex(bad, count));
    mended = absl::StrCat("; removed ", count, " rows that do not count");
  }
  RETURN_IF_ERROR(
      store_.EachContact(1, [&](const store::ContactRow& contact) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(Step());
        for (const crypto::Hash128& hash : ListedHashes(contact)) {
          const auto owner = index_->Find(hash);
          if (!owner.ok() || *owner != contact.number) {
            faults.Add(absl::StrCat("an identifier of ", FormatToken(contact.token),
                                    " is not in the index"));
          }
        }
        return true;
      }));
  Report(faults, absl::StrCat(rows, " rows, each bound to its contact"), mended);
  return absl::OkStatus();
}

// Each row of each book is an assignment that counts, and its keys open.
absl::Status Doctor::Books() {
  Faults faults;
  RETURN_IF_ERROR(Erased());
  std::vector<store::BookContactRow> bad;
  constexpr std::size_t kMaxBad = 100'000;
  std::vector<BookId> books;
  RETURN_IF_ERROR(store_.EachBookNumber([&](BookId book) {
    books.push_back(book);
    return absl::OkStatus();
  }));
  for (const BookId book : books) {
    std::int64_t counting = 0;
    RETURN_IF_ERROR(store_.EachBookContact(
        book, 0, [&](const store::BookContactRow& row) -> absl::StatusOr<bool> {
          RETURN_IF_ERROR(Step());
          absl::Status status =
              keyring_.roster().FindBook(book) == nullptr
                  ? absl::DataLossError("a book that the roster does not know has contacts")
                  : keyring_.sessions().CheckAssignment(book, row.contact, row.session);
          store::ContactRow contact;
          if (status.ok()) {
            ASSIGN_OR_RETURN(const bool there, store_.GetContact(row.contact, contact));
            if (!there) status = absl::DataLossError("a contact that is not there is assigned");
          }
          if (status.ok()) {
            ++counting;
            // Whoever reaches the book opens its wraps as its members do.
            const absl::Status opens = reader_.CheckWraps(contact, row);
            if (!opens.ok())
              faults.Add(absl::StrCat(FormatToken(contact.token), ": ", opens.message()));
            return true;
          }
          if (options_.repair && bad.size() < kMaxBad)
            bad.push_back(row);
          else
            faults.Add(absl::string_view(status.message()));
          return true;
        }));
    // What sessions assigned and none took away must be there, or erased.
    for (const ContactNumber contact : erased_) {
      if (assigned_[book].Contains(contact)) ++counting;
    }
    if (counting < assigned_[book].Count())
      faults.Add("contacts that sessions assigned to a book are not in it");
  }
  std::string mended;
  if (!bad.empty()) {
    view_.reset();
    std::int64_t removed = 0;
    {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring_.BeginWrite());
      for (const store::BookContactRow& row : bad) {
        // Assigned again meanwhile, it may count.
        store::BookContactRow now;
        ASSIGN_OR_RETURN(const bool there, store_.GetBookContact(row.book, row.contact, now));
        if (!there || now.session != row.session) continue;
        RETURN_IF_ERROR(store_.DeleteBookContact(row.book, row.contact));
        RETURN_IF_ERROR(store_.DeleteChatWraps(row.book, row.contact));
        ++removed;
      }
      RETURN_IF_ERROR(audit::Append(
          store_, keyring_.AuditAuthor(),
          {.act = "doctor.repair", .detail = absl::StrCat("{\"book_rows\":", removed, "}")}));
      RETURN_IF_ERROR(transaction.Commit());
    }
    RETURN_IF_ERROR(Look());
    mended = absl::StrCat("; removed ", removed, " rows that do not count");
  }
  Report(faults, absl::StrCat(rows_, " assignments in ", books.size(), " books"), mended);
  return absl::OkStatus();
}

// Chats stand under keys that count, open where this member reads them, and nothing was planted.
absl::Status Doctor::Chats() {
  Faults faults;
  ChatHealth seen;
  RETURN_IF_ERROR(CheckChats(
      keyring_, [&] { return Step(); }, [&](absl::string_view fault) { faults.Add(fault); }, seen));
  Report(faults, absl::StrCat(seen.messages, " messages in ", seen.chunks, " rows"));
  return absl::OkStatus();
}

// Second factors count, belong together, and are the newest that the log knows of.
absl::Status Doctor::Factors() {
  Faults faults;
  internal::DocumentCounts counts;
  RETURN_IF_ERROR(
      internal::CheckFactorDocuments(keyring_,
                                     {.fault = [&](absl::string_view fault) { faults.Add(fault); },
                                      .step = [&] { return Step(); }},
                                     counts));
  Report(faults, absl::StrCat(counts.factors, " documents of second factors, each vouched for"));
  return absl::OkStatus();
}

// What was asked for, agreed to and exported counts, and is what the log tells.
absl::Status Doctor::Exports() {
  Faults faults;
  internal::DocumentCounts counts;
  RETURN_IF_ERROR(
      internal::CheckExportDocuments(keyring_,
                                     {.fault = [&](absl::string_view fault) { faults.Add(fault); },
                                      .step = [&] { return Step(); }},
                                     counts));
  Report(faults, absl::StrCat(counts.requests, " requests, ", counts.approvals, " approvals, ",
                              counts.exports, " exports, as the log tells"));
  return absl::OkStatus();
}

absl::Status Doctor::Audit() {
  const auto keys = [&](MemberId member,
                        std::uint64_t version) -> std::optional<crypto::VerifyKey> {
    const keyring::Roster* roster = keyring_.history().Version(version);
    const keyring::Member* found = roster == nullptr ? nullptr : roster->FindMember(member);
    return found == nullptr || !found->active ? std::nullopt : std::optional(found->verify);
  };
  ASSIGN_OR_RETURN(const audit::Verification result,
                   audit::Verify(store_, keyring_.roster().vault, keys, std::nullopt));
  Faults faults;
  if (!result.ok()) faults.Add(absl::StrCat("entry ", *result.first_bad, ": ", result.why));
  Report(faults, absl::StrCat(result.entries, " entries, one chain"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<HealthCheck>> CheckHealth(keyring::Keyring& keyring,
                                                     const HealthOptions& options) {
  if (options.repair && !keyring.role().Has(keyring::Power::kSignRoster)) {
    return WithHint(absl::PermissionDeniedError("this member may not repair the vault"),
                    "Ask an admin.");
  }
  return Doctor(keyring, options).Run();
}

}  // namespace sealbook::records
