// The roster: the one signed document that says who and what counts. Public keys and epochs are
// taken from here and from nowhere else.
//
// A version is immutable bytes, body || Ed25519 signature (docs/format.md, "Roster"). Versions form
// a hash chain from version 1, which the root key signs; its public half is pinned in every
// member's bundle. A version counts when
//   - it names its predecessor's hash, and its number is one more;
//   - members and books are numbered from 1 in the order in which they came, none is missing, and
//   nothing stands twice;
//   - the root key signed it, or a member who was active in the version before with a role that
//   signs
//     rosters, and then it changes nothing about who signs rosters: owners certify admins, admins
//     do not make admins, nor take themselves away;
//   - it goes on from its predecessor: the same vault, root key and escrow key, no epoch that goes
//   back
//     or leaves one out, no public key that changes within its epoch, no session head that goes
//     back, and a new epoch of whatever it takes away from somebody (roster_change.h).
//
// A version also names the newest session at its signing. So the session numbered n must name
// exactly the version R with R.session_head < n <= (R+1).session_head: a removed member cannot date
// a session back, and a deleted session is missed.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/signature.h"
#include "vault/keyring/roles.h"

namespace sealbook::keyring {

using VaultId = std::array<std::uint8_t, 16>;
inline constexpr MemberId kRootSigner{0};

enum class MemberKind : std::uint8_t { kPerson = 1, kService = 2, kRecovery = 3 };

struct Member {
  MemberId id{};
  MemberKind kind = MemberKind::kPerson;
  bool active = true;
  std::string name;
  std::string role;
  crypto::ExchangePublic exchange;
  crypto::VerifyKey verify;
  friend bool operator==(const Member&, const Member&) = default;
};

struct Book {
  BookId id{};
  std::string name;
  friend bool operator==(const Book&, const Book&) = default;
};

struct Membership {
  BookId book{};
  MemberId member{};
  friend bool operator==(const Membership&, const Membership&) = default;
};

struct Compartment {
  BookId book{};
  ClassId class_id{};
  std::uint32_t epoch = 1;
  crypto::ExchangePublic public_key;
  friend bool operator==(const Compartment&, const Compartment&) = default;
};

struct Roster {
  static constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;

  VaultId vault{};
  std::uint64_t version = 1;
  crypto::Hash256 previous{};
  std::int64_t time_ms = 0;  // Unix time
  MemberId signer = kRootSigner;
  std::int64_t session_head = 0;
  crypto::Hash256 session_head_hash{};
  crypto::VerifyKey root;
  crypto::ExchangePublic escrow;  // subject secrets are sealed to it
  crypto::Hash256 policy_hash{};
  std::vector<ClassDefinition> classes;
  std::vector<RoleDefinition> roles;
  std::vector<Member> members;
  std::vector<Book> books;  // without the root book
  std::vector<Membership> memberships;
  std::vector<Compartment> compartments;

  const Member* FindMember(MemberId id) const;
  const Member* FindMember(absl::string_view name) const;  // as Normalized names
  const RoleDefinition* FindRole(absl::string_view name) const;
  const RoleDefinition* RoleOf(const Member& member) const { return FindRole(member.role); }
  const Book* FindBook(BookId id) const;
  const Book* FindBook(absl::string_view name) const;
  const Compartment* FindCompartment(BookId book, ClassId class_id) const;
  bool IsMember(BookId book, MemberId member) const;
  std::vector<BookId> BooksOf(MemberId member) const;
  // Classes that hold fields or chats: all but index and audit.
  std::vector<ClassId> DataClasses() const;

  // The signed document. `signer` is the root's pair or the member's, as `this->signer` says.
  crypto::Bytes Sign(const crypto::SigningPair& signer_pair) const;
};

// A version whose signature nobody has checked yet.
struct SignedRoster {
  Roster roster;
  crypto::Hash256 hash{};  // of the whole document
  crypto::Bytes body;
  crypto::Signature signature{};

  // DataLoss: not a roster.
  static absl::StatusOr<SignedRoster> Parse(ByteView document);
};

// The verified chain. Immutable but for Append; any thread may read while none appends.
class RosterHistory {
 public:
  explicit RosterHistory(crypto::VerifyKey root) : root_(root) {}

  // Checks `document` against "counts when" above and appends it.
  // DataLoss: it does not count; the message names the version and the rule.
  absl::Status Append(ByteView document);
  // The same without appending it: what it would be.
  absl::StatusOr<SignedRoster> CheckNext(ByteView document) const;

  bool empty() const { return versions_.empty(); }
  const Roster& current() const { return versions_.back(); }
  const crypto::Hash256& current_hash() const { return hashes_.back(); }
  const Roster* Version(std::uint64_t version) const;
  // Who signs as `member` at that version, with that version's keys; nullptr where there was no
  // such member, or none that was active.
  const Member* SignerAt(MemberId member, std::uint64_t version) const;
  const crypto::Hash256* HashOfVersion(std::uint64_t version) const;
  // The version that a session of this number must name; nullptr where there is none.
  const Roster* ForSession(std::int64_t session) const;

 private:
  crypto::VerifyKey root_;
  std::deque<Roster> versions_;  // what current() gave stays where it is
  std::vector<crypto::Hash256> hashes_;
};

// Names of members and books: 1 to 64 characters, no control characters, no spaces at the ends;
// NFC. InvalidArgument otherwise.
absl::StatusOr<std::string> NormalizeName(absl::string_view name);

}  // namespace sealbook::keyring
