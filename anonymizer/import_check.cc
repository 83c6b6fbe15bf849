// Looking through a list before anything of it is written.
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/import.h"
#include "anonymizer/import_rights.h"
#include "policies/mask.h"
#include "vault/records/index.h"
#include "vault/records/suppression.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

// Which rows an import would reject because their identifiers lead to different customers: those of
// the vault, and those that earlier rows of the lists would have made. What the lists had is
// remembered as far as CheckReport::kMaxRemembered identifiers: memory does not grow with the list.
class ConflictFinder {
 public:
  struct Found {
    bool known = false, conflict = false;
  };

  ConflictFinder(records::IdentifierIndex index, records::OnDuplicate on_duplicate)
      : index_(std::move(index)), on_duplicate_(on_duplicate) {}

  absl::StatusOr<Found> Add(const std::vector<records::IdentifierValue>& identifiers) {
    ++row_;
    std::vector<std::uint64_t> keys;
    Found found;
    std::int64_t owner = 0;
    for (const records::IdentifierValue& identifier : identifiers) {
      const records::IdentifierHashes hashes = index_.HashesOf(identifier.kind, identifier.value);
      keys.push_back(KeyOf(hashes.current));
      ASSIGN_OR_RETURN(const std::int64_t leads_to, OwnerOf(hashes, keys.back()));
      if (leads_to > 0) found.known = true;
      if (leads_to == 0 || leads_to == owner) continue;
      if (owner != 0) found.conflict = true;
      owner = leads_to;
    }
    if (found.conflict) return found;
    // A known customer that is skipped gets no identifiers; one that is written does.
    const bool owns = owner == 0 || on_duplicate_ != records::OnDuplicate::kSkip;
    if (owns) Own(owner == 0 ? --made_ : owner, keys);
    return found;
  }

 private:
  struct Owner {
    std::int64_t contact = 0;  // -1, -2, … for those that the list makes
    std::uint32_t row = 0;
  };

  static std::uint64_t KeyOf(const crypto::Hash128& hash) {
    std::uint64_t key = 0;
    static_assert(sizeof(hash) >= sizeof(key));
    std::memcpy(&key, hash.data(), sizeof(key));
    return key;
  }

  bool replaces() const { return on_duplicate_ == records::OnDuplicate::kReplace; }

  // 0: nobody. Replacing gives a customer the identifiers of the newest row, and no others.
  absl::StatusOr<std::int64_t> OwnerOf(const records::IdentifierHashes& hashes, std::uint64_t key) {
    if (const auto at = owners_.find(key); at != owners_.end()) {
      const auto newest = newest_.find(at->second.contact);
      if (newest == newest_.end() || newest->second == at->second.row) return at->second.contact;
    }
    ASSIGN_OR_RETURN(const auto known, index_.Find(hashes));
    return known && !newest_.contains(*known) ? *known : 0;
  }

  void Own(std::int64_t contact, const std::vector<std::uint64_t>& keys) {
    if (owners_.size() + keys.size() > CheckReport::kMaxRemembered) {
      // Half of what is replaced would be worse than nothing.
      if (replaces()) owners_.clear(), newest_.clear();
      full_ = true;
    }
    if (full_) return;
    for (const std::uint64_t key : keys) owners_[key] = {contact, row_};
    if (replaces()) newest_[contact] = row_;
  }

  records::IdentifierIndex index_;
  records::OnDuplicate on_duplicate_;
  absl::flat_hash_map<std::uint64_t, Owner> owners_;
  absl::flat_hash_map<std::int64_t, std::uint32_t> newest_;  // row of each customer; replacing only
  std::int64_t made_ = 0;
  std::uint32_t row_ = 0;
  bool full_ = false;
};

namespace {

// What a preview shows of a value: enough to see whether columns are right, too little to know a
// person.
std::string Preview(const policies::Policy& policy, const records::Field& field) {
  if (policy.ClassOfField(field.name).id == ClassId::kIdentity) {
    return policies::Mask(policy.MaskOf(field.name), field.value).value_or("***");
  }
  // The first character of a name, unless that is the whole of it.
  std::size_t end = 1;
  while (end < field.value.size() && (static_cast<unsigned char>(field.value[end]) & 0xc0) == 0x80)
    ++end;
  const bool shown = policies::BaseField(field.name) == "name" && end < field.value.size();
  return shown ? absl::StrCat(field.value.substr(0, end), "**") : "***";
}

}  // namespace

std::shared_ptr<ConflictFinder> FindConflicts(keyring::Keyring& keyring,
                                              const ImportOptions& options) {
  auto index = records::IdentifierIndex::Open(keyring);
  if (!index.ok()) return nullptr;
  return std::make_shared<ConflictFinder>(*std::move(index), options.on_duplicate);
}

absl::Status Check(keyring::Keyring& keyring, const policies::Policy& policy, CustomerList& list,
                   const ImportOptions& options, CheckReport& report) {
  RETURN_IF_ERROR(MayWrite(policy, keyring.self().role, list));
  const bool merge = options.on_duplicate == records::OnDuplicate::kMerge;
  const std::vector<ClassId> readable = ReadableClasses(keyring, policy);
  if (merge) RETURN_IF_ERROR(MayMerge(policy, readable, keyring.self().role, list));
  std::size_t checked_columns = list.columns().size();
  const std::shared_ptr<ConflictFinder> conflicts =
      options.conflicts ? options.conflicts : FindConflicts(keyring, options);
  std::optional<records::Suppressions> suppressions;
  if (conflicts) {
    ASSIGN_OR_RETURN(suppressions, records::Suppressions::Open(keyring));
  }
  CustomerRow row;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, list.Next(row));
    if (!more) return absl::OkStatus();
    const std::size_t from = std::exchange(checked_columns, list.columns().size());
    RETURN_IF_ERROR(MayWrite(policy, keyring.self().role, list, from));
    if (merge) RETURN_IF_ERROR(MayMerge(policy, readable, keyring.self().role, list, from));
    ++report.rows;
    if (row.reject.empty() && conflicts) {
      ASSIGN_OR_RETURN(const ConflictFinder::Found found, conflicts->Add(row.identifiers));
      if (found.conflict) row.reject = std::string(kConflictReason);
      if (found.known && !found.conflict) ++report.known;
      const bool written = !found.known || options.on_duplicate != records::OnDuplicate::kSkip;
      for (std::size_t i = 0; suppressions && written && i < row.identifiers.size(); ++i) {
        ASSIGN_OR_RETURN(const bool suppressed, suppressions->Contains(row.identifiers[i]));
        if (suppressed && row.reject.empty()) row.reject = std::string(records::kSuppressedReason);
      }
    }
    if (!row.reject.empty()) {
      ++report.rejected;
      if (report.rejects.size() < ImportReport::kMaxListed)
        report.rejects.push_back({row.line, row.reject});
      if (options.on_reject) RETURN_IF_ERROR(options.on_reject({row.line, row.reject}, row.source));
      continue;
    }
    report.notes_in_names = list.notes_in_names();
    if (report.first.size() < CheckReport::kFirstRows) {
      CheckReport::Row masked{.line = row.line};
      for (const records::Field& field : row.fields)
        masked.fields.push_back({field.name, Preview(policy, field)});
      report.first.push_back(std::move(masked));
    }
    if (report.rows % 20'000 == 0) {
      if (options.interrupted && options.interrupted())
        return absl::CancelledError("interrupted; nothing was written");
      if (options.progress) options.progress(report.rows, list.bytes_read(), list.bytes_total());
    }
  }
}

}  // namespace sealbook::anonymizer
