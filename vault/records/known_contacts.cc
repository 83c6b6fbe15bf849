#include "vault/records/known_contacts.h"

#include <algorithm>
#include <utility>

#include "vault/records/sealing.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

std::vector<ClassFields> Opened(const std::vector<ClassFields>& classes,
                                const BatchOptions& options) {
  std::vector<ClassFields> out;
  for (const ClassFields& fields : classes) {
    if (std::find(options.opened.begin(), options.opened.end(), fields.class_id) !=
        options.opened.end())
      out.push_back(fields);
  }
  return out;
}

void Tell(const Combined& combined, DraftResult& result) {
  result.outcome =
      combined.changed.empty() ? DraftResult::Outcome::kDuplicate : DraftResult::Outcome::kUpdated;
  result.left = combined.left;
  result.other_name = combined.other_name;
  result.unread = combined.unread;
}

}  // namespace

void ApplyChange(const std::vector<ClassFields>& changed, std::vector<ClassFields>& classes) {
  for (const ClassFields& fields : changed) {
    const auto at = std::find_if(classes.begin(), classes.end(), [&](const ClassFields& c) {
      return c.class_id == fields.class_id;
    });
    if (at == classes.end())
      classes.push_back(fields);
    else
      at->fields = fields.fields;
  }
}

Folded Fold(const std::vector<ContactDraft>& drafts,
            const std::vector<std::vector<IdentifierHashes>>& hashes, std::size_t first,
            const std::vector<std::size_t>& more, const BatchOptions& options,
            std::vector<DraftResult>& results) {
  Folded folded{.classes = drafts[first].classes, .hashes = hashes[first]};
  for (const std::size_t i : more) {
    const Combined combined = options.combine(Opened(folded.classes, options), drafts[i].classes);
    ApplyChange(combined.changed, folded.classes);
    Tell(combined, results[i]);
    if (options.on_duplicate == OnDuplicate::kReplace) {
      folded.hashes = hashes[i];
      continue;
    }
    for (const IdentifierHashes& added : hashes[i]) {
      if (std::none_of(folded.hashes.begin(), folded.hashes.end(),
                       [&](const IdentifierHashes& h) { return h.current == added.current; }))
        folded.hashes.push_back(added);
    }
  }
  std::erase_if(folded.classes, [](const ClassFields& c) { return c.fields.empty(); });
  return folded;
}

KnownContacts::KnownContacts(keyring::Keyring& keyring, const IdentifierIndex& index,
                             const BatchOptions& options, keyring::SessionWriter& session)
    : keyring_(keyring),
      index_(index),
      options_(options),
      session_(session),
      reader_(keyring),
      reads_(keyring.role().root_scope && keyring.Holds(kRootBook, ClassId::kIdentity)) {}

absl::Status KnownContacts::Write(const ContactDraft& draft,
                                  const std::vector<IdentifierHashes>& hashes,
                                  DraftResult& result) {
  const ContactNumber contact = result.contact;
  const auto at = touched_.find(contact);
  Touched touched = at == touched_.end() ? Touched() : at->second;
  const absl::Status status = Write(draft, hashes, touched, result);
  const bool last = --expected_[contact] == 0;
  if (last)
    touched_.erase(contact);
  else if (status.ok())
    touched_[contact] = std::move(touched);
  return status;
}

absl::Status KnownContacts::Write(const ContactDraft& draft,
                                  const std::vector<IdentifierHashes>& hashes, Touched& touched,
                                  DraftResult& result) {
  store::Store& store = keyring_.store();
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, store.GetContact(result.contact, row));
  if (!found) return absl::DataLossError("a contact's row is missing");
  result.outcome = DraftResult::Outcome::kDuplicate;
  Combined combined;
  if (options_.on_duplicate != OnDuplicate::kSkip) {
    if (!touched.opened) {
      ASSIGN_OR_RETURN(touched.now, reader_.OpenClasses(row, options_.opened));
      touched.opened = true;
    }
    combined = options_.combine(touched.now, draft.classes);
  }
  // Before anything is written anew: what this session writes cannot be opened until it is there.
  for (const BookId book : options_.books) {
    if (std::find(touched.assigned.begin(), touched.assigned.end(), book) != touched.assigned.end())
      continue;
    if (reads_) {
      ASSIGN_OR_RETURN(const bool assigned, AssignOne(keyring_, session_, reader_, book, row));
      result.assigned |= assigned;
      if (assigned) touched.assigned.push_back(book);
    } else {
      store::BookContactRow assigned;
      ASSIGN_OR_RETURN(const bool there, store.GetBookContact(book, result.contact, assigned));
      result.unassigned |= !there;
    }
  }
  if (options_.on_duplicate == OnDuplicate::kSkip) return absl::OkStatus();
  Tell(combined, result);
  if (options_.on_duplicate == OnDuplicate::kReplace) {
    RETURN_IF_ERROR(ReplaceIdentifiers(keyring_, index_, row, hashes));
  } else if (std::any_of(combined.changed.begin(), combined.changed.end(),
                         [](const ClassFields& c) { return c.class_id == ClassId::kIdentity; })) {
    RETURN_IF_ERROR(AddIdentifiers(row, hashes));
  }
  if (combined.changed.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(RewriteClasses(keyring_, session_, row, combined.changed, touched.assigned));
  ApplyChange(Opened(combined.changed, options_), touched.now);
  return absl::OkStatus();
}

absl::Status KnownContacts::AddIdentifiers(store::ContactRow& row,
                                           const std::vector<IdentifierHashes>& added) {
  std::vector<IdentifierHashes> all;
  for (const crypto::Hash128& listed : ListedHashes(row)) {
    if (std::any_of(added.begin(), added.end(),
                    [&](const IdentifierHashes& h) { return h.Contains(listed); }))
      continue;
    // The list in the row is unsealed: what stays must be this contact's by the index as well.
    ASSIGN_OR_RETURN(const auto owner, index_.Find(listed));
    if (owner != row.number)
      return absl::DataLossError("an identifier of this contact is not in the index");
    all.push_back({.current = listed, .older = {}});
  }
  all.insert(all.end(), added.begin(), added.end());
  return ReplaceIdentifiers(keyring_, index_, row, all);
}

}  // namespace sealbook::records
