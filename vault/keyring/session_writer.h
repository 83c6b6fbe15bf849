// Writing under a session of one's own: one transaction's ephemeral key, and the keys that it
// shares with each compartment written to. Needs public keys only, so the importer can use it and
// read nothing.
//
//   ASSIGN_OR_RETURN(auto session, SessionWriter::Open(keyring));     // seal as much as wanted
//   ASSIGN_OR_RETURN(auto transaction, keyring.store().BeginWrite());
//   ASSIGN_OR_RETURN(const std::int64_t number, session.Number());    // inside the transaction
//   … write rows that name `number`, add coverage …
//   RETURN_IF_ERROR(session.Insert());
//   RETURN_IF_ERROR(transaction.Commit());
//
// The ephemeral secret is forgotten with the writer.
#pragma once

#include "absl/container/flat_hash_map.h"
#include "vault/keyring/keyring.h"

namespace sealbook::keyring {

class SessionWriter {
 public:
  // Names the newest roster version known to `keyring`, which outlives the writer.
  static SessionWriter Open(Keyring& keyring);

  const crypto::ExchangePublic& ephemeral() const { return pair_.public_key(); }
  // s(root, class): value keys are derived from it. NotFound: no such class.
  absl::StatusOr<const crypto::SessionSecret*> RootSecret(ClassId class_id);
  absl::StatusOr<const crypto::WrapKey*> Wrap(BookId book, ClassId class_id);
  // What it shares with another pair than a compartment's: a contact's subject key.
  absl::StatusOr<crypto::SessionSecret> SecretWith(const crypto::ExchangePublic& other) const {
    return pair_.SessionSecretAsWriter(other);
  }
  // Makes the keys of a class for the root book and for `books`. Those keys may then be asked for
  // on several threads at once.
  absl::Status Prepare(ClassId class_id, const std::vector<BookId>& books);

  // The number that this session gets. Unavailable: another process published a roster version
  // meanwhile, so what was sealed names the wrong epochs: refresh the keyring and begin again.
  absl::StatusOr<std::int64_t> Number();
  void Cover(CoverageKind kind, BookId book, ContactNumber contact);
  // Of a contact twice, the later one: what made the first was undone.
  void CoverSubject(ContactNumber contact, const crypto::Hash256& row) {
    subjects_.push_back({contact, row});
  }
  absl::Status Insert();

 private:
  SessionWriter(Keyring& keyring, std::uint64_t roster_version)
      : keyring_(&keyring),
        roster_version_(roster_version),
        pair_(crypto::ExchangePair::Generate()) {}
  absl::StatusOr<const SessionKeys*> Keys(BookId book, ClassId class_id);

  Keyring* keyring_;
  std::uint64_t roster_version_;
  crypto::ExchangePair pair_;
  std::int64_t number_ = 0;
  std::vector<Coverage> coverage_;
  std::vector<CoveredSubject> subjects_;
  absl::flat_hash_map<std::pair<BookId, ClassId>, std::unique_ptr<SessionKeys>> keys_;
};

}  // namespace sealbook::keyring
