#include "vault/records/contact_writer.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "vault/crypto/random.h"
#include "vault/records/contact_changes.h"
#include "vault/records/known_contacts.h"
#include "vault/records/sealing.h"
#include "vault/records/suppression.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

using Outcome = DraftResult::Outcome;
constexpr int kMaxTries = 20;
// From so many new contacts on, index rows go where they are cheap to insert
// (Store::InsertRecentIndex), and to the others when so many wait.
constexpr std::size_t kLargeBatch = 500;
constexpr std::int64_t kMaxRecentIndexRows = 200'000;
// A filter of a vault that holds contacts is made by reading its index, which pays from here on.
constexpr int kLargeBatchesWithoutFilter = 3;

// A contact that is sealed and has its place, but not its session's number yet.
struct SealedContact {
  const std::vector<ClassFields>* classes = nullptr;  // in the clear
  const std::vector<IdentifierHashes>* hashes = nullptr;
  std::int64_t token = 0;
  ContactNumber number = 0;
  std::vector<ValueEntry> values;
  std::vector<std::vector<WrapEntry>> wraps;  // by book
  std::vector<store::IndexRow> index_rows;
};

// Work on 0 to `count` of a large batch, by two threads: nothing is locked meanwhile, and the
// thread that stores has more to do than the one that reads.
absl::Status InHalves(
    std::size_t count,
    const std::function<absl::Status(std::size_t first, std::size_t last)>& work) {
  if (count < kLargeBatch) return work(0, count);
  absl::Status second;
  std::thread helper([&] { second = work(count / 2, count); });
  const absl::Status first = work(0, count / 2);
  helper.join();
  return first.ok() ? second : first;
}

absl::Status SealOne(keyring::SessionWriter& session, const keyring::VaultId& vault,
                     const std::vector<BookId>& books, const IdentifierIndex& index,
                     SealedContact& contact) {
  contact.index_rows.reserve(contact.hashes->size());
  for (const IdentifierHashes& identifier : *contact.hashes)
    contact.index_rows.push_back(index.MakeRow(identifier.current, contact.number));
  contact.wraps.resize(books.size());
  contact.values.reserve(contact.classes->size());
  for (std::vector<WrapEntry>& wraps : contact.wraps) wraps.reserve(contact.classes->size());
  for (const ClassFields& fields : *contact.classes) {
    ASSIGN_OR_RETURN(SealedClass one, SealClass(session, vault, contact.number, contact.token,
                                                fields.class_id, 1, fields.fields, books));
    contact.values.push_back(std::move(one.value));
    for (std::size_t b = 0; b < books.size(); ++b)
      contact.wraps[b].push_back(std::move(one.wraps[b]));
  }
  return absl::OkStatus();
}

absl::Status SealAll(keyring::SessionWriter& session, const keyring::VaultId& vault,
                     const std::vector<BookId>& books, const IdentifierIndex& index,
                     std::vector<SealedContact>& contacts) {
  for (const SealedContact& contact : contacts) {
    for (const ClassFields& fields : *contact.classes)
      RETURN_IF_ERROR(session.Prepare(fields.class_id, books));
  }
  return InHalves(contacts.size(), [&](std::size_t first, std::size_t last) -> absl::Status {
    for (std::size_t i = first; i < last; ++i)
      RETURN_IF_ERROR(SealOne(session, vault, books, index, contacts[i]));
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<ContactWriter> ContactWriter::Open(keyring::Keyring& keyring) {
  if (!keyring.role().Has(keyring::Power::kCreateContacts)) {
    return WithHint(absl::PermissionDeniedError("this role may not create contacts"),
                    "Ask an admin.");
  }
  ASSIGN_OR_RETURN(IdentifierIndex index, IdentifierIndex::Open(keyring));
  keyring.store().database().DeferCheckpoints();
  return ContactWriter(keyring, std::move(index));
}

absl::StatusOr<std::vector<DraftResult>> ContactWriter::WriteBatch(
    const std::vector<ContactDraft>& drafts, const BatchOptions& options) {
  if (!options.books.empty()) RETURN_IF_ERROR(MayAssign(*keyring_));
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<std::vector<DraftResult>> results = Try(drafts, options);
    if (results.ok()) {
      if (drafts.size() >= kLargeBatch) RETURN_IF_ERROR(MergeIndex());
      RETURN_IF_ERROR(keyring_->store().database().CheckpointPast(kWalPages));
      return results;
    }
    if (absl::IsDataLoss(results.status())) {
      // Nothing opens any more where the database got another key meanwhile.
      ASSIGN_OR_RETURN(const bool reopened, keyring_->ReopenIfRekeyed());
      if (!reopened) return results;
    } else if (!absl::IsAborted(results.status())) {
      return results;
    }
    // The index may have another key by now, and rows under it that the filter does not know.
    const std::uint32_t epoch = index_.epoch();
    ASSIGN_OR_RETURN(index_, IdentifierIndex::Open(*keyring_));
    if (index_.epoch() != epoch) filter_.reset();
  }
  return WithHint(absl::UnavailableError("other processes keep changing the same contacts"),
                  "Try again in a moment.");
}

absl::Status ContactWriter::MergeIndex() {
  store::Store& store = keyring_->store();
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring_->Snapshot());
    ASSIGN_OR_RETURN(const std::int64_t waiting, store.CountRecentIndex());
    if (waiting < kMaxRecentIndexRows) return absl::OkStatus();
  }
  for (int slice = 0; slice < store::Store::kIndexSlices; ++slice) {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring_->BeginWrite());
    const absl::Time locked = absl::Now();
    RETURN_IF_ERROR(store.MergeRecentIndex(slice));
    const absl::Time committing = absl::Now();
    RETURN_IF_ERROR(transaction.Commit());
    const absl::Time done = absl::Now();
    times_.index += committing - locked;
    times_.commit += done - committing;
    times_.write += done - locked;
    times_.longest_lock = std::max(times_.longest_lock, done - locked);
  }
  return absl::OkStatus();
}

// Inside the snapshot in which drafts are looked up.
absl::Status ContactWriter::PrepareFilter(std::size_t drafts, std::int64_t last_session,
                                          ContactNumber next) {
  if (filter_ && filter_session_ != last_session) {
    // Another process writes as well: from now on everything is looked up.
    filter_.reset();
    filter_wanted_ = false;
  }
  if (filter_ || !filter_wanted_ || drafts < kLargeBatch) return absl::OkStatus();
  if (next > 1 && ++large_batches_ <= kLargeBatchesWithoutFilter) return absl::OkStatus();
  HashFilter filter;
  RETURN_IF_ERROR(keyring_->store().EachIndex([&](const store::IndexRow& row) {
    filter.Add(row.hash);
    return absl::OkStatus();
  }));
  filter_ = std::move(filter);
  filter_session_ = last_session;
  return absl::OkStatus();
}

namespace {

absl::StatusOr<bool> AnySuppressed(const Suppressions& suppressions, const ContactDraft& draft) {
  for (const IdentifierValue& identifier : draft.identifiers) {
    ASSIGN_OR_RETURN(const bool suppressed, suppressions.Contains(identifier));
    if (suppressed) return true;
  }
  return false;
}

}  // namespace

// Which drafts are new, and which are contacts that are there. Hashes are looked up in their order,
// so that each page of the index is read once.
absl::Status ContactWriter::Classify(const std::vector<ContactDraft>& drafts,
                                     const std::vector<std::vector<IdentifierHashes>>& hashes,
                                     OnDuplicate on_duplicate, std::vector<DraftResult>& results,
                                     std::vector<Fresh>& fresh, std::vector<std::size_t>& known) {
  struct Wanted {
    crypto::Hash128 hash;
    std::size_t draft, position;
    auto operator<=>(const Wanted&) const = default;
  };
  std::vector<Wanted> sorted;  // the index is read in its own order
  std::vector<std::vector<std::int64_t>> found(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    found[i].resize(hashes[i].size());
    for (std::size_t h = 0; h < hashes[i].size(); ++h) {
      sorted.push_back({hashes[i][h].current, i, h});
      for (const crypto::Hash128& older : hashes[i][h].older) sorted.push_back({older, i, h});
    }
  }
  std::sort(sorted.begin(), sorted.end());
  for (const Wanted& wanted : sorted) {
    if (filter_ && !filter_->MayHold(wanted.hash)) continue;
    const auto contact = index_.Find(wanted.hash);
    if (absl::IsDataLoss(contact.status())) {
      results[wanted.draft].outcome = Outcome::kDamaged;
      continue;
    }
    RETURN_IF_ERROR(contact.status());
    if (*contact) found[wanted.draft][wanted.position] = **contact;
  }
  // In the order of the batch, as if each draft were a batch of its own. Whom an identifier leads
  // to: a contact's number, -1, -2, … for the new ones, 0 for nobody; where nothing stands here,
  // the index says.
  absl::flat_hash_map<std::string, std::int64_t> owner_of;
  absl::flat_hash_map<std::int64_t, std::vector<crypto::Hash128>> held_by;
  const bool replace = on_duplicate == OnDuplicate::kReplace;
  const auto own = [&](std::size_t i, std::int64_t owner) {
    std::vector<crypto::Hash128>& held = held_by[owner];
    if (replace) {
      for (const crypto::Hash128& hash : held) owner_of[crypto::AsText(hash)] = 0;
    }
    held.clear();
    for (const IdentifierHashes& identifier : hashes[i]) {
      held.push_back(identifier.current);
      held.insert(held.end(), identifier.older.begin(), identifier.older.end());
    }
    for (const crypto::Hash128& hash : held) owner_of[crypto::AsText(hash)] = owner;
  };
  const auto known_owner = [&](const IdentifierHashes& identifier) -> std::optional<std::int64_t> {
    auto at = owner_of.find(crypto::AsText(identifier.current));
    for (std::size_t k = 0; k < identifier.older.size() && at == owner_of.end(); ++k)
      at = owner_of.find(crypto::AsText(identifier.older[k]));
    return at == owner_of.end() ? std::nullopt : std::optional(at->second);
  };
  const bool combines = on_duplicate != OnDuplicate::kSkip;
  ASSIGN_OR_RETURN(const auto suppressions, Suppressions::Open(*keyring_));
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    DraftResult& result = results[i];
    if (result.outcome != Outcome::kImported) continue;
    std::int64_t owner = 0;
    for (std::size_t h = 0; h < hashes[i].size(); ++h) {
      const std::int64_t leads_to = known_owner(hashes[i][h]).value_or(found[i][h]);
      if (leads_to == 0 || leads_to == owner) continue;
      if (owner != 0) result.outcome = Outcome::kConflict;
      owner = leads_to;
    }
    if (result.outcome == Outcome::kConflict) continue;
    if (suppressions && (owner == 0 || combines)) {
      ASSIGN_OR_RETURN(const bool any, AnySuppressed(*suppressions, drafts[i]));
      if (any) {
        result.outcome = Outcome::kSuppressed;
        continue;
      }
    }
    if (owner == 0) {
      fresh.push_back({.first = i, .more = {}});
      own(i, -static_cast<std::int64_t>(fresh.size()));
    } else if (owner > 0) {
      result.contact = owner;
      known.push_back(i);
      if (!combines) continue;
      if (replace && !held_by.contains(owner)) {
        ASSIGN_OR_RETURN(held_by[owner], IdentifiersOf(owner));
      }
      own(i, owner);
    } else {
      Fresh& contact = fresh[static_cast<std::size_t>(-owner) - 1];
      result.duplicate_of = contact.first;
      result.outcome = Outcome::kDuplicate;
      if (!combines) continue;
      contact.more.push_back(i);
      own(i, owner);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<crypto::Hash128>> ContactWriter::IdentifiersOf(ContactNumber contact) {
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool there, keyring_->store().GetContact(contact, row));
  return there ? ListedHashes(row) : std::vector<crypto::Hash128>();
}

absl::StatusOr<std::vector<std::int64_t>> ContactWriter::FreshTokens(std::size_t count,
                                                                     std::int64_t existing) {
  const int digits = TokenDigitsFor(existing);
  std::vector<std::int64_t> tokens;
  absl::flat_hash_set<std::int64_t> taken;
  while (tokens.size() < count) {
    std::vector<std::int64_t> candidates;
    for (std::size_t i = tokens.size(); i < count; ++i) candidates.push_back(MakeToken(digits));
    std::sort(candidates.begin(), candidates.end());
    for (const std::int64_t token : candidates) {
      if (!taken.insert(token).second) continue;
      ASSIGN_OR_RETURN(const auto found, keyring_->store().FindToken(token));
      if (!found) tokens.push_back(token);
    }
  }
  // Sorted tokens would tell the order of the numbers: they are dealt out shuffled.
  for (std::size_t i = tokens.size(); i > 1; --i) {
    std::swap(tokens[i - 1], tokens[crypto::RandomBelow(i)]);
  }
  return tokens;
}

absl::StatusOr<std::vector<DraftResult>> ContactWriter::Try(const std::vector<ContactDraft>& drafts,
                                                            const BatchOptions& options) {
  store::Store& store = keyring_->store();
  const absl::Time start = absl::Now();
  std::vector<DraftResult> results(drafts.size());
  std::vector<std::vector<IdentifierHashes>> hashes(drafts.size());
  RETURN_IF_ERROR(InHalves(drafts.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      for (const IdentifierValue& identifier : drafts[i].identifiers) {
        IdentifierHashes one = index_.HashesOf(identifier.kind, identifier.value);
        if (std::none_of(hashes[i].begin(), hashes[i].end(),
                         [&](const IdentifierHashes& h) { return h.current == one.current; }))
          hashes[i].push_back(std::move(one));
      }
    }
    return absl::OkStatus();
  }));
  std::vector<Fresh> fresh;
  std::vector<std::size_t> known;
  std::vector<std::int64_t> tokens;
  std::int64_t data_version = 0;
  {
    ASSIGN_OR_RETURN(store::Transaction snapshot, store.BeginRead());
    ASSIGN_OR_RETURN(data_version, store.DataVersion());
    ASSIGN_OR_RETURN(const ContactNumber next, store.NextContact());
    ASSIGN_OR_RETURN(const std::int64_t last_session, store.LastSession());
    RETURN_IF_ERROR(PrepareFilter(drafts.size(), last_session, next));
    RETURN_IF_ERROR(Classify(drafts, hashes, options.on_duplicate, results, fresh, known));
    ASSIGN_OR_RETURN(tokens, FreshTokens(fresh.size(), next));
    RETURN_IF_ERROR(snapshot.Commit());
  }
  const absl::Time looked_up = absl::Now();
  times_.lookup += looked_up - start;

  auto session = keyring::SessionWriter::Open(*keyring_);
  ContactNumber number = 0;
  if (!fresh.empty()) {
    ASSIGN_OR_RETURN(number, store.ReserveContacts(static_cast<std::int64_t>(fresh.size())));
  }
  std::vector<SealedContact> sealed(fresh.size());
  absl::flat_hash_map<std::size_t, Folded> folded;  // of those with more than one draft
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    SealedContact& contact = sealed[i];
    contact.classes = &drafts[fresh[i].first].classes;
    contact.hashes = &hashes[fresh[i].first];
    contact.number = number++;
    contact.token = tokens[i];
    if (!fresh[i].more.empty())
      folded[i] = Fold(drafts, hashes, fresh[i].first, fresh[i].more, options, results);
  }
  for (const auto& [i, one] : folded) {
    sealed[i].classes = &one.classes;
    sealed[i].hashes = &one.hashes;
  }
  RETURN_IF_ERROR(SealAll(session, keyring_->roster().vault, options.books, index_, sealed));
  if (options.sealed) options.sealed();
  times_.seal += absl::Now() - looked_up;

  ASSIGN_OR_RETURN(store::Transaction transaction, store.BeginWrite());
  const absl::Time locked = absl::Now();
  const auto given = session.Number();
  if (absl::IsUnavailable(given.status())) return absl::AbortedError(given.status().message());
  ASSIGN_OR_RETURN(const std::int64_t session_number, given);
  const auto taken = [](const absl::Status& status) {
    return absl::IsAlreadyExists(status) ? absl::AbortedError("somebody was faster") : status;
  };
  std::vector<store::IndexRow> index_rows;
  std::vector<std::pair<std::int64_t, ContactNumber>> token_rows;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    SealedContact& contact = sealed[i];
    store::ContactRow row{
        .number = contact.number, .token = contact.token, .identifiers = {}, .values = {}};
    for (store::IndexRow& index_row : contact.index_rows) {
      row.identifiers.insert(row.identifiers.end(), index_row.hash.begin(), index_row.hash.end());
      index_rows.push_back(std::move(index_row));
    }
    for (ValueEntry& value : contact.values) value.session = session_number;
    row.values = EncodeValues(contact.values);
    RETURN_IF_ERROR(store.InsertContact(row));
    token_rows.emplace_back(contact.token, contact.number);
    session.Cover(keyring::CoverageKind::kCreated, kRootBook, contact.number);
    results[fresh[i].first].contact = contact.number;
    results[fresh[i].first].assigned = !options.books.empty();
  }
  for (std::size_t b = 0; b < options.books.size(); ++b) {
    for (SealedContact& contact : sealed) {
      for (WrapEntry& wrap : contact.wraps[b]) wrap.session = session_number;
      RETURN_IF_ERROR(store.PutBookContact({.book = options.books[b],
                                            .contact = contact.number,
                                            .session = session_number,
                                            .wraps = EncodeWraps(contact.wraps[b])}));
      session.Cover(keyring::CoverageKind::kAssigned, options.books[b], contact.number);
    }
  }
  // Before the new ones' index rows: what a replaced contact gives up may be theirs now.
  KnownContacts known_contacts(*keyring_, index_, options, session);
  for (const std::size_t i : known) known_contacts.Expect(results[i].contact);
  for (const std::size_t i : known) {
    ASSIGN_OR_RETURN(store::Savepoint savepoint, store::Savepoint::Begin(store.database()));
    DraftResult result = results[i];
    const absl::Status status = known_contacts.Write(drafts[i], hashes[i], result);
    if (status.ok()) {
      RETURN_IF_ERROR(savepoint.Keep());
      results[i] = result;
    } else if (absl::IsDataLoss(status)) {
      // One contact that does not count must not keep the others out: it is told and left alone.
      results[i].outcome = Outcome::kDamaged;
    } else {
      return taken(status);
    }
  }
  const absl::Time rows_done = absl::Now();
  std::sort(token_rows.begin(), token_rows.end());
  for (const auto& [token, contact] : token_rows)
    RETURN_IF_ERROR(taken(store.InsertToken(token, contact)));
  std::sort(index_rows.begin(), index_rows.end(),
            [](const auto& a, const auto& b) { return a.hash < b.hash; });
  ASSIGN_OR_RETURN(const std::int64_t data_version_now, store.DataVersion());
  const bool untouched = data_version_now == data_version && known.empty();
  for (const store::IndexRow& row : index_rows) {
    RETURN_IF_ERROR(taken(fresh.size() >= kLargeBatch ? store.InsertRecentIndex(row, untouched)
                                                      : store.InsertIndex(row)));
  }
  times_.index += absl::Now() - rows_done;

  for (DraftResult& result : results) {
    if (result.duplicate_of) result.contact = results[*result.duplicate_of].contact;
  }
  RETURN_IF_ERROR(session.Insert());
  RETURN_IF_ERROR(audit::Append(store, keyring_->AuditAuthor(), options.event(results)));
  const absl::Time committing = absl::Now();
  RETURN_IF_ERROR(transaction.Commit());
  times_.commit += absl::Now() - committing;
  if (filter_) {
    for (const auto& of_one : hashes) {
      for (const IdentifierHashes& identifier : of_one) filter_->Add(identifier.current);
    }
    // Where somebody's session came in between, the next batch sees that this one is not the next.
    if (session_number == filter_session_ + 1) filter_session_ = session_number;
  }
  times_.last_lock = absl::Now() - locked;
  times_.write += times_.last_lock;
  times_.longest_lock = std::max(times_.longest_lock, times_.last_lock);
  return results;
}

}  // namespace sealbook::records
