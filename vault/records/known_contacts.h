// What a batch does with drafts whose person is in the vault already, or came earlier in the batch.
#pragma once

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "vault/keyring/session_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/records/contact_writer.h"
#include "vault/records/index.h"

namespace sealbook::records {

// Puts changed classes in the place of the old ones.
void ApplyChange(const std::vector<ClassFields>& changed, std::vector<ClassFields>& classes);

// What a new contact holds once the other drafts of it in its batch are combined with the first,
// and the identifiers that it is found by. Tells the outcome of each. To Combine it shows what it
// would show had the first draft been a batch of its own.
struct Folded {
  std::vector<ClassFields> classes;
  std::vector<IdentifierHashes> hashes;
};
Folded Fold(const std::vector<ContactDraft>& drafts,
            const std::vector<std::vector<IdentifierHashes>>& hashes, std::size_t first,
            const std::vector<std::size_t>& more, const BatchOptions& options,
            std::vector<DraftResult>& results);

// Inside one write transaction, draft by draft. What was written of a contact is remembered while
// more drafts of it are to come: it stands under a session that is not in the database yet, and so
// cannot be read from there.
class KnownContacts {
 public:
  // All outlive it.
  KnownContacts(keyring::Keyring& keyring, const IdentifierIndex& index,
                const BatchOptions& options, keyring::SessionWriter& session);

  // One more draft of this contact will come.
  void Expect(ContactNumber contact) { ++expected_[contact]; }

  // Combined with what is there or left, and assigned where this member can. DataLoss: the contact
  // does not count; what was written of it until then is to be rolled back.
  absl::Status Write(const ContactDraft& draft, const std::vector<IdentifierHashes>& hashes,
                     DraftResult& result);

 private:
  struct Touched {
    bool opened = false;
    std::vector<ClassFields> now;  // of options.opened
    std::vector<BookId> assigned;  // in this transaction
  };
  absl::Status Write(const ContactDraft& draft, const std::vector<IdentifierHashes>& hashes,
                     Touched& touched, DraftResult& result);
  absl::Status AddIdentifiers(store::ContactRow& row, const std::vector<IdentifierHashes>& added);

  keyring::Keyring& keyring_;
  const IdentifierIndex& index_;
  const BatchOptions& options_;
  keyring::SessionWriter& session_;
  ContactReader reader_;
  bool reads_;
  absl::flat_hash_map<ContactNumber, std::size_t> expected_;
  absl::flat_hash_map<ContactNumber, Touched> touched_;
};

}  // namespace sealbook::records
