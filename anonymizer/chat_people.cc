#include "anonymizer/chat_people.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/import.h"
#include "anonymizer/import_rights.h"
#include "anonymizer/merge.h"
#include "vault/crypto/hash.h"
#include "vault/records/contact_reader.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using records::DraftResult;
using records::IdentifierValue;

audit::Event EventOf(const std::vector<DraftResult>& results) {
  std::int64_t imported = 0, updated = 0, duplicates = 0;
  for (const DraftResult& result : results) {
    if (result.outcome == DraftResult::Outcome::kImported) ++imported;
    if (result.outcome == DraftResult::Outcome::kUpdated) ++updated;
    if (result.outcome == DraftResult::Outcome::kDuplicate) ++duplicates;
  }
  const nlohmann::ordered_json detail = {
      {"imported", imported}, {"updated", updated}, {"duplicates", duplicates}, {"from", "chat"}};
  return {.act = "import", .detail = detail.dump()};
}

}  // namespace

IdentifierValue IdentifierOfChatName(absl::string_view name) {
  return {IdentifierKind::kRow,
          crypto::ToHex(crypto::HashOf("sealbook/chat-name/1", {crypto::AsBytes(name)}))};
}

ChatPeople::ChatPeople(keyring::Keyring& keyring, const policies::Policy& policy,
                       std::vector<BookId> books, records::ContactWriter writer,
                       records::IdentifierIndex index)
    : keyring_(&keyring),
      policy_(&policy),
      books_(std::move(books)),
      writer_(std::move(writer)),
      index_(std::move(index)),
      readable_(ReadableClasses(keyring, policy)),
      may_merge_(Has(readable_, ClassId::kIdentity)) {}

absl::StatusOr<ChatPeople> ChatPeople::Open(keyring::Keyring& keyring,
                                            const policies::Policy& policy,
                                            std::vector<BookId> books) {
  ASSIGN_OR_RETURN(auto writer, records::ContactWriter::Open(keyring));
  ASSIGN_OR_RETURN(auto index, records::IdentifierIndex::Open(keyring));
  return ChatPeople(keyring, policy, std::move(books), std::move(writer), std::move(index));
}

ChatPeople::Who ChatPeople::SlotOf(ContactNumber contact) {
  const auto [at, is_new] = of_contact_.try_emplace(contact, slots_.size());
  if (is_new) slots_.push_back({.contact = contact});
  return at->second;
}

// Only a hash is remembered, and not what identifies.
std::string ChatPeople::KeyOf(const IdentifierValue& identifier) const {
  const crypto::Hash128 hash = index_.HashOf(identifier.kind, identifier.value);
  return std::string(crypto::AsText(hash));
}

void ChatPeople::Remember(const std::string& key, ContactNumber contact) {
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  remembered_[key] = contact;
}

absl::StatusOr<std::optional<ChatPeople::Who>> ChatPeople::Owner(const IdentifierValue& identifier,
                                                                 const std::string& key) {
  if (const auto at = in_batch_.find(key); at != in_batch_.end()) return at->second;
  Who who = 0;
  if (const auto at = remembered_.find(key); at != remembered_.end()) {
    who = SlotOf(at->second);
  } else {
    const auto contact = index_.Find(index_.HashesOf(identifier.kind, identifier.value));
    if (absl::IsDataLoss(contact.status())) {
      who = slots_.size();
      slots_.push_back({.damaged = true});
    } else {
      RETURN_IF_ERROR(contact.status());
      if (!*contact) return std::nullopt;
      who = SlotOf(**contact);
      Remember(key, **contact);
    }
  }
  in_batch_[key] = who;
  return who;
}

absl::StatusOr<ContactNumber> ChatPeople::ContactOfToken(const std::string& text) {
  if (const auto at = tokens_.find(text); at != tokens_.end()) return at->second;
  const auto token = records::ParseToken(text);
  if (!token.ok()) return absl::NotFoundError("");
  ASSIGN_OR_RETURN(const ContactNumber contact,
                   records::ContactReader(*keyring_).FindToken(*token));
  if (tokens_.size() >= kMaxRemembered) tokens_.clear();
  tokens_[text] = contact;
  return contact;
}

absl::StatusOr<ChatPeople::Found> ChatPeople::Find(const ChatPerson& person) {
  if (person.identifiers.size() != 1 || !person.token.empty()) return FindByAll(person);
  const IdentifierValue& only = person.identifiers.front();
  const auto at = alone_in_batch_.find(std::pair(only.kind, only.value));
  if (at != alone_in_batch_.end()) {
    Slot& slot = slots_[at->second];
    if (slot.name.empty()) slot.name = person.name;
    return Found{.who = at->second, .fault = ""};
  }
  ASSIGN_OR_RETURN(Found found, FindByAll(person));
  if (found.who) alone_in_batch_[std::pair(only.kind, only.value)] = *found.who;
  return found;
}

absl::StatusOr<ChatPeople::Found> ChatPeople::FindByAll(const ChatPerson& person) {
  std::optional<Who> who;
  if (!person.token.empty()) {
    const auto contact = ContactOfToken(person.token);
    if (absl::IsNotFound(contact.status()))
      return Found{.who = {}, .fault = "names a customer who is not there"};
    RETURN_IF_ERROR(contact.status());
    who = SlotOf(*contact);
  }
  std::vector<std::pair<const IdentifierValue*, std::string>> unknown;
  const IdentifierValue* known = nullptr;
  for (const IdentifierValue& identifier : person.identifiers) {
    std::string key = KeyOf(identifier);
    ASSIGN_OR_RETURN(const std::optional<Who> owner, Owner(identifier, key));
    if (!owner) {
      unknown.emplace_back(&identifier, std::move(key));
      continue;
    }
    if (who && *who != *owner) return Found{.who = {}, .fault = kConflictReason};
    who = owner;
    known = &identifier;
  }
  if (!who && unknown.empty()) return Found{.who = {}, .fault = "does not say whose chat it is"};
  if (!who) {
    who = slots_.size();
    slots_.emplace_back();
  }
  Slot& slot = slots_[*who];
  if (slot.name.empty()) slot.name = person.name;
  if (known != nullptr && slot.contact && !slot.found_by) slot.found_by = *known;
  for (auto& [identifier, key] : unknown) {
    // Beside a token nothing is learned: the file says outright whom it means.
    if (!person.token.empty() || (slot.contact && !may_merge_)) {
      if (lacking_.size() < kMaxRemembered) lacking_.insert(key);
      if (person.token.empty()) Remember(key, *slot.contact);
      continue;
    }
    // Some records name one number twice.
    if (in_batch_.try_emplace(key, *who).second) slot.identifiers.push_back(*identifier);
  }
  return Found{.who = who, .fault = ""};
}

absl::StatusOr<records::ContactDraft> ChatPeople::DraftOf(const Slot& slot) const {
  // The one by which a known contact was found finds it here too.
  std::vector<IdentifierValue> identifiers = slot.identifiers;
  if (slot.found_by) identifiers.insert(identifiers.begin(), *slot.found_by);
  records::Fields fields;
  std::string row;
  for (const IdentifierValue& identifier : identifiers) {
    if (identifier.kind == IdentifierKind::kRow) {
      row = identifier.value;
      continue;
    }
    const absl::string_view base = FieldOfKind(identifier.kind);
    const auto others = std::count_if(fields.begin(), fields.end(), [&](const records::Field& f) {
      return policies::BaseField(f.name) == base;
    });
    fields.push_back(
        {others == 0 ? std::string(base) : absl::StrCat(base, "_", others + 1), identifier.value});
  }
  if (!slot.name.empty()) fields.push_back({"name", slot.name});
  records::ContactDraft draft{.identifiers = std::move(identifiers),
                              .classes = ByClass(*policy_, fields)};
  RETURN_IF_ERROR(MayWriteClasses(*policy_, keyring_->self().role, draft.classes));
  if (!row.empty()) draft.classes.front().fields.push_back({std::string(records::kRowField), row});
  return draft;
}

absl::Status ChatPeople::WriteDrafts(const std::vector<Who>& whose, bool merge) {
  if (whose.empty()) return absl::OkStatus();
  std::vector<records::ContactDraft> drafts;
  for (const Who who : whose) {
    ASSIGN_OR_RETURN(records::ContactDraft draft, DraftOf(slots_[who]));
    drafts.push_back(std::move(draft));
  }
  // A known contact is assigned nowhere: whose chat it is does not say who looks after them.
  records::BatchOptions options{.books = merge ? std::vector<BookId>() : books_, .event = &EventOf};
  if (merge) {
    options.on_duplicate = records::OnDuplicate::kMerge;
    for (const ClassId id : readable_) {
      if (id != ClassId::kMasked) options.opened.push_back(id);
    }
    options.combine = [this, &options](const auto& now, const auto& draft) {
      return Merge(*policy_, options.opened, now, draft);
    };
  }
  ASSIGN_OR_RETURN(const std::vector<DraftResult> results, writer_.WriteBatch(drafts, options));
  for (std::size_t i = 0; i < results.size(); ++i) {
    Slot& slot = slots_[whose[i]];
    switch (results[i].outcome) {
      case DraftResult::Outcome::kImported:
        ++created_;
        slot.contact = results[i].contact;
        break;
      case DraftResult::Outcome::kUpdated:
        ++added_to_;
        slot.contact = results[i].contact;
        break;
      case DraftResult::Outcome::kDuplicate:  // somebody was faster
        slot.contact = results[i].contact;
        break;
      case DraftResult::Outcome::kConflict:
        slot.contact.reset();
        break;
      case DraftResult::Outcome::kSuppressed:
        slot.contact.reset();
        slot.suppressed = true;
        break;
      case DraftResult::Outcome::kDamaged:
        slot.contact.reset();
        slot.damaged = true;
        break;
    }
  }
  return absl::OkStatus();
}

absl::Status ChatPeople::Write() {
  std::vector<Who> fresh, lacking;
  for (Who who = 0; who < slots_.size(); ++who) {
    if (slots_[who].damaged || slots_[who].identifiers.empty()) continue;
    (slots_[who].contact ? lacking : fresh).push_back(who);
  }
  RETURN_IF_ERROR(WriteDrafts(fresh, /*merge=*/false));
  RETURN_IF_ERROR(WriteDrafts(lacking, /*merge=*/true));
  RememberBatch();
  return absl::OkStatus();
}

void ChatPeople::Pretend() {
  for (Slot& slot : slots_) {
    if (!slot.contact && !slot.damaged) slot.contact = -++created_;
  }
  RememberBatch();
}

void ChatPeople::RememberBatch() {
  for (const auto& [key, who] : in_batch_) {
    if (slots_[who].contact) Remember(key, *slots_[who].contact);
  }
}

absl::Status ChatPeople::BeginBatch() {
  slots_.clear();
  in_batch_.clear();
  alone_in_batch_.clear();
  of_contact_.clear();
  // It may have another key by now.
  const std::uint32_t epoch = index_.epoch();
  ASSIGN_OR_RETURN(index_, records::IdentifierIndex::Open(*keyring_));
  if (index_.epoch() != epoch) remembered_.clear();
  return absl::OkStatus();
}

}  // namespace sealbook::anonymizer
