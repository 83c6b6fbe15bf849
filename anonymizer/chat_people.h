// The customers of a chat file: found by what the file calls them, made where nobody is. All that
// one message calls its customer is one person; where that leads to different customers of the
// vault, the message cannot be taken.
//
//   RETURN_IF_ERROR(people.BeginBatch());
//   for each message { people.Find(person) → who; }
//   RETURN_IF_ERROR(people.Write());                  // or Pretend()
//   for each message { people.ContactOf(who); }
//
// Belongs to one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "policies/policy.h"
#include "vault/records/contact_writer.h"
#include "vault/records/index.h"

namespace sealbook::anonymizer {

struct ChatPerson {
  std::string token;                                  // of a contact that is there; may be empty
  std::vector<records::IdentifierValue> identifiers;  // normalised
  std::string name;                                   // for a new contact; may be empty
};

// The identifier of somebody whom a chat knows by name alone: of kind kRow, so that the next export
// finds the contact that an earlier one made (docs/format.md, "Index row").
records::IdentifierValue IdentifierOfChatName(absl::string_view name);

class ChatPeople {
 public:
  // What is remembered from batch to batch; beyond it, the index is asked again.
  static constexpr std::size_t kMaxRemembered = 200'000;

  // PermissionDenied: this member may not create contacts. All outlive it. New contacts go into
  // `books`.
  static absl::StatusOr<ChatPeople> Open(keyring::Keyring& keyring, const policies::Policy& policy,
                                         std::vector<BookId> books);

  absl::Status BeginBatch();
  // Who that is, by a number of this batch.
  using Who = std::size_t;
  struct Found {
    std::optional<Who> who;
    std::string fault;  // a clause where there is nobody
  };
  absl::StatusOr<Found> Find(const ChatPerson& person);

  // Creates those who were not found, and gives those who lack identifiers the ones that the file
  // has for them, where this member reads. PermissionDenied: the role may not write a class.
  absl::Status Write();
  // Writes nothing, and counts whom Write would have made.
  void Pretend();
  // After Write or Pretend, until the next batch. nullopt: the contact does not count (Damaged), or
  // turned out to be several people.
  std::optional<ContactNumber> ContactOf(Who who) const { return slots_[who].contact; }
  bool Damaged(Who who) const { return slots_[who].damaged; }
  // Somebody who was erased.
  bool Suppressed(Who who) const { return slots_[who].suppressed; }

  std::int64_t created() const { return created_; }
  // Identifiers that known contacts lack and that were not added: by a member who may not read them
  // of every customer, or beside a token. The first kMaxRemembered.
  std::int64_t not_added() const { return static_cast<std::int64_t>(lacking_.size()); }
  std::int64_t added_to() const { return added_to_; }  // contacts that got identifiers

 private:
  // A person of the batch under way: a contact, or one to be.
  struct Slot {
    std::optional<ContactNumber> contact;
    bool damaged = false;
    bool suppressed = false;
    std::vector<records::IdentifierValue> identifiers;  // to be written
    std::optional<records::IdentifierValue> found_by;   // one that leads to `contact`
    std::string name;
  };
  ChatPeople(keyring::Keyring& keyring, const policies::Policy& policy, std::vector<BookId> books,
             records::ContactWriter writer, records::IdentifierIndex index);
  absl::StatusOr<Found> FindByAll(const ChatPerson& person);
  Who SlotOf(ContactNumber contact);
  absl::StatusOr<ContactNumber> ContactOfToken(const std::string& text);
  absl::StatusOr<std::optional<Who>> Owner(const records::IdentifierValue& identifier,
                                           const std::string& key);
  void Remember(const std::string& key, ContactNumber contact);
  std::string KeyOf(const records::IdentifierValue& identifier) const;
  absl::StatusOr<records::ContactDraft> DraftOf(const Slot& slot) const;
  void RememberBatch();
  absl::Status WriteDrafts(const std::vector<Who>& whose, bool merge);

  keyring::Keyring* keyring_;
  const policies::Policy* policy_;
  std::vector<BookId> books_;
  records::ContactWriter writer_;
  records::IdentifierIndex index_;
  std::vector<ClassId> readable_;
  bool may_merge_ = false;

  std::vector<Slot> slots_;
  absl::flat_hash_map<std::string, Who> in_batch_;  // by the hash of an identifier
  // By itself: those of persons who have no other. It saves most messages the keyed hash.
  absl::flat_hash_map<std::pair<IdentifierKind, std::string>, Who> alone_in_batch_;
  absl::flat_hash_map<ContactNumber, Who> of_contact_;
  // Over batches: whom an identifier leads to, or would if it could have been added.
  absl::flat_hash_map<std::string, ContactNumber> remembered_;
  absl::flat_hash_map<std::string, ContactNumber> tokens_;
  absl::flat_hash_set<std::string> lacking_;
  std::int64_t created_ = 0, added_to_ = 0;
};

}  // namespace sealbook::anonymizer
