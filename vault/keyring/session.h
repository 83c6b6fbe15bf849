// Sessions: the signed record of one batch of writing (docs/format.md, "Session").
//
// A record names the roster version under which it was written, the ephemeral public key E from
// which all its keys come, and its coverage: which contacts it created, which it assigned to which
// book or took away, and whose subject keys it made. It is numbered, and names its predecessor's
// hash. A session counts when
//   - it names exactly the roster version that RosterHistory::ForSession gives for its number;
//   - its signer was active at that version, and the signature is right;
//   - where the signer has lost rights or changed keys since, it stands in the chain that ends in
//     the head which the version after that one names. Whoever was removed still has the key, and
//     could otherwise put another session in the place of one of old.
// An assignment counts when a session that counts lists it, its signer's role may assign, and no
// later session took it away. So that those are found without reading every session, each record
// names the newest session before it that took something away.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/signature.h"
#include "vault/keyring/roster.h"
#include "vault/store/store.h"

namespace sealbook::keyring {

struct CoverageRange {
  ContactNumber first = 0;
  std::uint64_t count = 0;
  friend bool operator==(const CoverageRange&, const CoverageRange&) = default;
};

enum class CoverageKind : std::uint8_t {
  kCreated = 1,  // book is the root
  kAssigned = 2,
  kTakenAway = 3,
};

// A contact whose subject key was made, and the hash of its row: so the session's signature covers
// the row.
struct CoveredSubject {
  ContactNumber contact = 0;
  crypto::Hash256 row{};
  friend bool operator==(const CoveredSubject&, const CoveredSubject&) = default;
};

struct Coverage {
  CoverageKind kind{};
  BookId book{};
  std::vector<CoverageRange> ranges;  // ascending, not touching

  bool Contains(ContactNumber contact) const;
};

struct Session {
  std::int64_t number = 0;
  crypto::Hash256 previous{};
  VaultId vault{};
  MemberId member{};
  std::uint64_t roster_version = 0;
  std::int64_t time_ms = 0;
  std::int64_t last_taking = 0;  // the newest session before this one that took something away
  crypto::ExchangePublic ephemeral;
  std::vector<Coverage> coverage;
  std::vector<CoveredSubject> subjects;  // ascending

  bool Covers(CoverageKind kind, BookId book, ContactNumber contact) const;
  bool TakesAway() const;
  crypto::Bytes Sign(const crypto::SigningPair& pair) const;
};

crypto::Hash256 HashOfSession(ByteView record);

struct SignedSession {
  Session session;
  crypto::Bytes body;
  crypto::Signature signature{};
  static absl::StatusOr<SignedSession> Parse(ByteView record);
};

// DataLoss: it does not count; the message names the session and the rule.
absl::StatusOr<Session> CheckSession(std::int64_t number, ByteView record,
                                     const RosterHistory& history);

// Sessions by number, checked once each.
class SessionDirectory {
 public:
  // Beyond so many, all subjects are forgotten and read again when they are asked for. 40 bytes
  // each: a vault of ten million customers with chats has no more. A smaller number would make
  // whoever asks for customers of many sessions, in any order, read a session for each of them.
  static constexpr std::size_t kMaxSubjects = 10'000'000;

  SessionDirectory(store::Store& store, const RosterHistory& history,
                   std::size_t max_subjects = kMaxSubjects)
      : store_(store), history_(history), max_subjects_(max_subjects) {}

  // DataLoss: missing, or does not count. The pointer lives as long as the directory. Without
  // `subjects`, of which a vault may have millions: those are asked for here.
  absl::StatusOr<const Session*> Get(std::int64_t number);
  // The hash of the contact's row of `subject` that session `number` made; nullopt: it made none.
  absl::StatusOr<std::optional<crypto::Hash256>> SubjectRow(std::int64_t number,
                                                            ContactNumber contact);

  // OK where the assignment of `contact` to `book` by session `number` counts now.
  absl::Status CheckAssignment(BookId book, ContactNumber contact, std::int64_t number);

  // The newest session that took something away; 0: none did.
  absl::StatusOr<std::int64_t> LastTaking();
  // Session `number`, whose record has this hash, was the newest when this user last looked, and
  // `taking` the newest that took something away: so those before it are not looked through again.
  void TrustUpTo(std::int64_t number, const crypto::Hash256& hash, std::int64_t taking) {
    trusted_ = {number, hash, taking};
  }

  // OK where what the signer of session `number` wrote into `class_id` of `contact` counts: by
  // role, or through a book that both were in. Who may sign rosters may write every class again, as
  // draining does. `assigned_in(book)` gives the session that assigned the contact to that book, 0
  // where it is not in it.
  template <typename AssignedIn>
  absl::Status CheckWriter(std::int64_t number, ContactNumber contact, ClassId class_id,
                           AssignedIn&& assigned_in);

 private:
  absl::StatusOr<Session> Load(std::int64_t number);
  void Keep(std::int64_t number, std::vector<CoveredSubject> subjects);
  absl::Status LoadTakings();
  absl::StatusOr<crypto::Hash256> HashInChain(const Roster& after, std::int64_t number);

  store::Store& store_;
  const RosterHistory& history_;
  const std::size_t max_subjects_;
  absl::flat_hash_map<std::int64_t, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_map<std::int64_t, std::vector<CoveredSubject>> subjects_;
  std::size_t subjects_kept_ = 0;
  // By roster version: the hashes of the session that it names as head, of the one before it, …
  absl::flat_hash_map<std::uint64_t, std::vector<crypto::Hash256>> chains_;
  struct Trusted {
    std::int64_t number = 0;  // 0: nothing
    crypto::Hash256 hash{};
    std::int64_t taking = 0;
  } trusted_;
  std::int64_t takings_read_to_ = 0;
  std::vector<const Session*> takings_;  // newest last
};

template <typename AssignedIn>
absl::Status SessionDirectory::CheckWriter(std::int64_t number, ContactNumber contact,
                                           ClassId class_id, AssignedIn&& assigned_in) {
  absl::StatusOr<const Session*> session = Get(number);
  if (!session.ok()) return session.status();
  const Roster* roster = history_.Version((*session)->roster_version);
  const Member* signer = roster->FindMember((*session)->member);
  const RoleDefinition* role = roster->RoleOf(*signer);
  if (role != nullptr && role->MayWriteAgain(class_id)) {
    if (role->root_scope) return absl::OkStatus();
    for (const BookId book : roster->BooksOf(signer->id)) {
      absl::StatusOr<std::int64_t> assigned = assigned_in(book);
      if (!assigned.ok()) return assigned.status();
      // Assigned before it was written; whether the assignment itself counts is checked as well.
      if (*assigned == 0 || *assigned > number) continue;
      if (CheckAssignment(book, contact, *assigned).ok()) return absl::OkStatus();
    }
  }
  return absl::DataLossError("a value was written by a member who may not write it");
}

}  // namespace sealbook::keyring
