#include "vault/archive/erasure.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vault/archive/archive_format.h"
#include "vault/archive/archive_place.h"
#include "vault/archive/archive_states.h"
#include "vault/archive/subject_shard.h"
#include "vault/audit/log.h"
#include "vault/keyring/administration.h"
#include "vault/records/contact_reader.h"
#include "vault/records/statements.h"
#include "vault/records/subject_marks.h"
#include "vault/records/suppression.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

// Takes the contact out of its shard; the version from which on it is not in it, 0: there is no
// shard. Always a new version, above all that ever stood anywhere: what the vault remembers of who
// is in the older ones is not believed.
absl::StatusOr<std::int64_t> LeaveShard(store::Store& store, ContactNumber contact) {
  const std::uint32_t shard = SubjectShard::NumberOf(contact);
  ASSIGN_OR_RETURN(auto now, store.GetSubjectShard(shard));
  // No structured binding: clang 14 lets no lambda use one.
  std::int64_t& version = now.first;
  auto& set = now.second;
  const std::string first = ShardName(shard, 1);
  RETURN_IF_ERROR(store.EachRemoteFile(
      "", first.substr(0, first.size() - 1),
      [&](absl::string_view, absl::string_view path, int) -> absl::Status {
        const auto parts = ParseShardName(path);
        if (parts && parts->number == shard)
          version = std::max(version, static_cast<std::int64_t>(parts->version));
        return absl::OkStatus();
      }));
  if (version == 0) return 0;
  const auto bit = static_cast<std::size_t>(contact % SubjectShard::kContacts);
  if (bit / 8 < set.size())
    set[bit / 8] = static_cast<std::uint8_t>(set[bit / 8] & ~(1u << (bit % 8)));
  RETURN_IF_ERROR(store.PutSubjectShard(shard, version + 1, set));
  return version + 1;
}

absl::StatusOr<std::vector<std::string>> NamesOf(keyring::Keyring& keyring,
                                                 const std::vector<std::int64_t>& runs) {
  std::vector<std::string> names;
  store::ArchiveRow row;
  for (const std::int64_t run : runs) {
    ASSIGN_OR_RETURN(const bool found, keyring.store().GetArchive(run, row));
    if (!found) continue;
    names.push_back(ArchiveName({.vault = keyring.roster().vault,
                                 .run = run,
                                 .first_day = row.first_day,
                                 .last_day = row.last_day}));
  }
  return names;
}

absl::StatusOr<std::vector<records::IdentifierValue>> IdentifiersOf(keyring::Keyring& keyring,
                                                                    const store::ContactRow& row,
                                                                    const ErasureRequest& request) {
  records::ContactReader reader(keyring);
  std::vector<records::IdentifierValue> out;
  // A row without identifiers stands in whichever class came first.
  for (const ClassId id : keyring.roster().DataClasses()) {
    if (id == ClassId::kMasked || id == ClassId::kChat) continue;
    ASSIGN_OR_RETURN(const auto fields, reader.OpenClass(row, id));
    if (!fields) continue;
    for (const records::Field& field : *fields) {
      if (field.name == records::kRowField)
        out.push_back({.kind = IdentifierKind::kRow, .value = field.value});
    }
    if (id != ClassId::kIdentity) continue;
    const auto some = request.identifiers_of(*fields);
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

}  // namespace

absl::StatusOr<Erased> EraseContact(keyring::Keyring& keyring, const PurgePermit& permit,
                                    const ErasureRequest& request, absl::Time now) {
  if (!permit.CoversErasure(request.contact, now) || permit.member() != keyring.bundle().member)
    return absl::PermissionDeniedError("there is no permit to erase this contact");
  // To suppress identifiers one must read them, and hold the index's key.
  if (!keyring.Holds(kRootBook, ClassId::kIdentity) || !keyring.Holds(kRootBook, ClassId::kIndex)) {
    return WithHint(absl::PermissionDeniedError(
                        "whoever erases must read identities, so that they are suppressed"),
                    "Ask an admin.");
  }
  store::Store& store = keyring.store();
  Erased erased;
  {
    ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, store.GetContact(request.contact, row));
    if (!found) return absl::NotFoundError("there is no such customer");
    erased.token = row.token;
    ASSIGN_OR_RETURN(
        const auto hold,
        store.GetSubjectMark(row.number, static_cast<int>(records::SubjectMark::kHold)));
    if (hold) {
      return WithHint(absl::FailedPreconditionError(absl::StrCat(
                          records::FormatToken(row.token), " is on hold and cannot be erased")),
                      "Where the hold has ended, 'sealbook subject release' it first.");
    }
    ASSIGN_OR_RETURN(const std::vector<std::int64_t> runs, ArchivesOf(keyring, row.number));
    ASSIGN_OR_RETURN(erased.archives, NamesOf(keyring, runs));
    ASSIGN_OR_RETURN(const auto identifiers, IdentifiersOf(keyring, row, request));
    RETURN_IF_ERROR(records::Suppressions::Add(keyring, identifiers));
    for (const crypto::Hash128& hash : records::ListedHashes(row))
      RETURN_IF_ERROR(store.DeleteIndex(hash));
    std::vector<BookId> books;
    for (const keyring::Book& book : keyring.roster().books) books.push_back(book.id);
    RETURN_IF_ERROR(store.DeleteContact(row, books));
    ASSIGN_OR_RETURN(const std::int64_t version, LeaveShard(store, row.number));
    erased.shard_version = version;

    const std::string stone = records::MakeTombstone(keyring, row.token, now);
    RETURN_IF_ERROR(store.InsertTombstone(row.number, row.token, version, crypto::AsBytes(stone)));
    for (const std::string& url : request.destinations) {
      ASSIGN_OR_RETURN(const bool pending,
                       ArchivePlace::IsPending(keyring, url, row.number, row.token, version));
      if (pending) erased.pending.push_back(url);
    }
    ASSIGN_OR_RETURN(
        const ArchivePlace::Elsewhere elsewhere,
        ArchivePlace::OldShardsElsewhere(keyring, request.destinations, row.number, version));
    erased.pending.insert(erased.pending.end(), elsewhere.waiting.begin(), elsewhere.waiting.end());

    RETURN_IF_ERROR(audit::Append(
        store, keyring.AuditAuthor(),
        {.act = "subject.erase",
         .token = row.token,
         .detail = keyring::DetailOf(
             {{"reason", request.reason}, {"archives", absl::StrCat(erased.archives.size())}})}));
    ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(store));
    audit::Receipt receipt = records::StatementBy(keyring, "erasure", now);
    receipt.facts.insert(
        receipt.facts.end(),
        {{"uid", records::FormatToken(row.token)},
         {"suppressed", absl::StrCat(identifiers.size())},
         {"archives_affected",
          erased.archives.empty() ? "none" : absl::StrJoin(erased.archives, ", ")},
         {"pending_remote", erased.pending.empty() ? "none" : absl::StrJoin(erased.pending, ", ")},
         {"log_entry", absl::StrCat(head.sequence)},
         {"log_hash", crypto::ToHex(head.hash)}});
    erased.receipt = receipt.Sign(keyring.bundle().signing);
    erased.receipt_id = crypto::ToHex(receipt.id);
    RETURN_IF_ERROR(store.InsertReceipt(receipt.id, erased.receipt));
    RETURN_IF_ERROR(transaction.Commit());
  }
  // What was deleted still stands in the WAL. Readers in the way only put that off.
  const absl::Status truncated = store.database().TruncateWal();
  if (!truncated.ok() && !absl::IsUnavailable(truncated)) return truncated;
  return erased;
}

absl::StatusOr<std::string> ConfirmErasure(keyring::Keyring& keyring, ContactNumber contact,
                                           std::int64_t token,
                                           const std::vector<std::string>& destinations,
                                           const std::vector<std::string>& given_up,
                                           absl::Time now) {
  store::Store& store = keyring.store();
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(store.ConfirmTombstone(contact));
  RETURN_IF_ERROR(
      audit::Append(store, keyring.AuditAuthor(),
                    {.act = "subject.erased",
                     .token = token,
                     .detail = absl::StrCat("{\"destinations\":", destinations.size(), "}")}));
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(store));
  audit::Receipt receipt = records::StatementBy(keyring, "erasure_confirmed", now);
  receipt.facts.insert(receipt.facts.end(),
                       {{"uid", records::FormatToken(token)},
                        {"destinations", absl::StrJoin(destinations, ", ")},
                        {"given_up", given_up.empty() ? "none" : absl::StrJoin(given_up, ", ")},
                        {"log_entry", absl::StrCat(head.sequence)},
                        {"log_hash", crypto::ToHex(head.hash)}});
  const std::string text = receipt.Sign(keyring.bundle().signing);
  RETURN_IF_ERROR(store.InsertReceipt(receipt.id, text));
  RETURN_IF_ERROR(transaction.Commit());
  return text;
}

}  // namespace sealbook::archive
