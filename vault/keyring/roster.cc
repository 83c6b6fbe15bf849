#include "vault/keyring/roster.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/keyring/roster_change.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kRosterLabel = "sealbook/roster/1";

void WriteClasses(crypto::ByteWriter& out, const std::vector<ClassId>& classes) {
  out.U32(static_cast<std::uint32_t>(classes.size()));
  for (const ClassId id : classes) out.U8(static_cast<std::uint8_t>(id));
}

std::vector<ClassId> ReadClasses(crypto::ByteReader& in) {
  std::vector<ClassId> classes(in.Count(1));
  for (ClassId& id : classes) id = ClassId{in.U8()};
  return classes;
}

crypto::Bytes Body(const Roster& roster) {
  crypto::ByteWriter out;
  out.Text(kRosterLabel).Raw(roster.vault).U64(roster.version).Raw(roster.previous);
  out.U64(static_cast<std::uint64_t>(roster.time_ms));
  out.U32(static_cast<std::uint32_t>(roster.signer));
  out.U64(static_cast<std::uint64_t>(roster.session_head)).Raw(roster.session_head_hash);
  out.Raw(roster.root.bytes).Raw(roster.escrow.bytes).Raw(roster.policy_hash);
  out.U32(static_cast<std::uint32_t>(roster.classes.size()));
  for (const ClassDefinition& c : roster.classes)
    out.U8(static_cast<std::uint8_t>(c.id)).Text(c.name);
  out.U32(static_cast<std::uint32_t>(roster.roles.size()));
  for (const RoleDefinition& role : roster.roles) {
    out.Text(role.name).U8(role.root_scope ? 1 : 0).U8(role.service ? 1 : 0).U32(role.powers);
    WriteClasses(out, role.holds);
    WriteClasses(out, role.writes);
  }
  out.U32(static_cast<std::uint32_t>(roster.members.size()));
  for (const Member& member : roster.members) {
    out.U32(static_cast<std::uint32_t>(member.id)).U8(static_cast<std::uint8_t>(member.kind));
    out.U8(member.active ? 1 : 0).Text(member.name).Text(member.role);
    out.Raw(member.exchange.bytes).Raw(member.verify.bytes);
  }
  out.U32(static_cast<std::uint32_t>(roster.books.size()));
  for (const Book& book : roster.books)
    out.U32(static_cast<std::uint32_t>(book.id)).Text(book.name);
  out.U32(static_cast<std::uint32_t>(roster.memberships.size()));
  for (const Membership& m : roster.memberships) {
    out.U32(static_cast<std::uint32_t>(m.book)).U32(static_cast<std::uint32_t>(m.member));
  }
  out.U32(static_cast<std::uint32_t>(roster.compartments.size()));
  for (const Compartment& c : roster.compartments) {
    out.U32(static_cast<std::uint32_t>(c.book)).U8(static_cast<std::uint8_t>(c.class_id));
    out.U32(c.epoch).Raw(c.public_key.bytes);
  }
  return out.Take();
}

Roster ReadBody(crypto::ByteReader& in) {
  Roster roster;
  roster.vault = in.Array<16>();
  roster.version = in.U64();
  roster.previous = in.Array<32>();
  roster.time_ms = static_cast<std::int64_t>(in.U64());
  roster.signer = MemberId{in.U32()};
  roster.session_head = static_cast<std::int64_t>(in.U64());
  roster.session_head_hash = in.Array<32>();
  roster.root.bytes = in.Array<32>();
  roster.escrow.bytes = in.Array<32>();
  roster.policy_hash = in.Array<32>();
  roster.classes.resize(in.Count(5));
  for (ClassDefinition& c : roster.classes) {
    c.id = ClassId{in.U8()};
    c.name = in.Text();
  }
  roster.roles.resize(in.Count(18));
  for (RoleDefinition& role : roster.roles) {
    role.name = in.Text();
    role.root_scope = in.U8() != 0;
    role.service = in.U8() != 0;
    role.powers = in.U32();
    role.holds = ReadClasses(in);
    role.writes = ReadClasses(in);
  }
  roster.members.resize(in.Count(78));
  for (Member& member : roster.members) {
    member.id = MemberId{in.U32()};
    member.kind = MemberKind{in.U8()};
    member.active = in.U8() != 0;
    member.name = in.Text();
    member.role = in.Text();
    member.exchange.bytes = in.Array<32>();
    member.verify.bytes = in.Array<32>();
  }
  roster.books.resize(in.Count(8));
  for (Book& book : roster.books) {
    book.id = BookId{in.U32()};
    book.name = in.Text();
  }
  roster.memberships.resize(in.Count(8));
  for (Membership& m : roster.memberships) {
    m.book = BookId{in.U32()};
    m.member = MemberId{in.U32()};
  }
  roster.compartments.resize(in.Count(41));
  for (Compartment& c : roster.compartments) {
    c.book = BookId{in.U32()};
    c.class_id = ClassId{in.U8()};
    c.epoch = in.U32();
    c.public_key.bytes = in.Array<32>();
  }
  return roster;
}

// Whoever signs rosters, with all that makes the right: what only the root key may change.
bool SameSigners(const Roster& before, const Roster& after, MemberId signer) {
  const auto signs = [](const Roster& roster, const Member& member) {
    const RoleDefinition* role = roster.RoleOf(member);
    return member.kind == MemberKind::kRecovery ||
           (role != nullptr && role->Has(Power::kSignRoster));
  };
  for (const Member& member : after.members) {
    if (!member.active || !signs(after, member)) continue;
    const Member* old = before.FindMember(member.id);
    if (old == nullptr || *old != member || !signs(before, *old)) return false;
    const RoleDefinition *old_role = before.RoleOf(*old), *role = after.RoleOf(member);
    if (old_role != nullptr && (role == nullptr || *role != *old_role)) return false;
  }
  // Keys are handed out by roles: with another policy alone do they change, so that everybody sees
  // it.
  if (after.policy_hash == before.policy_hash && after.roles != before.roles) return false;
  // Names stay: else who is disabled by name would be somebody else.
  for (std::size_t i = 0; i < before.members.size(); ++i) {
    const Member &old = before.members[i], &now = after.members[i];
    if (now.name != old.name || now.kind != old.kind) return false;
    if (now.active && after.RoleOf(now) == nullptr) return false;
  }
  for (std::size_t i = 0; i < before.books.size(); ++i) {
    if (after.books[i].name != before.books[i].name) return false;
  }
  // Whoever signs stays: nobody renews what somebody knows who holds nothing any more.
  const Member* self = after.FindMember(signer);
  if (self == nullptr || !self->active || !signs(after, *self)) return false;
  // An admin may take another admin away, but never the owner or the recovery code.
  for (const Member& member : before.members) {
    if (!member.active || !(member.role == "owner" || member.kind == MemberKind::kRecovery))
      continue;
    const Member* now = after.FindMember(member.id);
    if (now == nullptr || *now != member) return false;
    // Nor what gives them their rights.
    const RoleDefinition *old_role = before.RoleOf(member), *new_role = after.RoleOf(*now);
    if (old_role != nullptr && (new_role == nullptr || *new_role != *old_role)) return false;
  }
  return true;
}

// Whatever is sealed to a key of small order, everybody reads.
bool HasUnusableKey(const Roster& roster) {
  const auto unusable = [](const crypto::ExchangePublic& key) {
    return !crypto::IsUsablePoint(key);
  };
  return unusable(roster.escrow) ||
         std::any_of(roster.members.begin(), roster.members.end(),
                     [&](const Member& m) { return unusable(m.exchange); }) ||
         std::any_of(roster.compartments.begin(), roster.compartments.end(),
                     [&](const Compartment& c) { return unusable(c.public_key); });
}

absl::Status GoesOn(const Roster& before, const Roster& after) {
  if (after.root != before.root || after.escrow != before.escrow) {
    return absl::DataLossError("it changes the vault's own keys");
  }
  if (after.session_head < before.session_head)
    return absl::DataLossError("its session head goes back");
  std::map<std::pair<BookId, ClassId>, const Compartment*> compartments;
  for (const Compartment& c : after.compartments) compartments[{c.book, c.class_id}] = &c;
  for (const Compartment& old : before.compartments) {
    const auto at = compartments.find({old.book, old.class_id});
    const Compartment* now = at == compartments.end() ? nullptr : at->second;
    if (now == nullptr || now->epoch < old.epoch ||
        (now->epoch == old.epoch && now->public_key != old.public_key)) {
      return absl::DataLossError("a compartment's epoch goes back or changes its key");
    }
    // So the numbers last: nobody sets one to the highest, which could not be renewed.
    if (now->epoch - old.epoch > 1) return absl::DataLossError("it leaves out an epoch");
  }
  const Holdings holdings(before, after);
  if (holdings.changed().empty()) return absl::OkStatus();
  for (const Compartment& old : before.compartments) {
    if (compartments[{old.book, old.class_id}]->epoch == old.epoch &&
        holdings.LostBySomebody(old)) {
      return absl::DataLossError("it takes a compartment away without a new epoch");
    }
  }
  return absl::OkStatus();
}

// Everything stands once, and under its number. Who is looked for by a number must not be one
// member here and another there.
absl::Status IsWellFormed(const Roster* before, const Roster& roster) {
  std::set<absl::string_view> names, roles;
  for (std::size_t i = 0; i < roster.members.size(); ++i) {
    const Member& member = roster.members[i];
    if (member.id != MemberId{static_cast<std::uint32_t>(i + 1)})
      return absl::DataLossError("its members are not numbered in sequence");
    if (member.kind != MemberKind::kRecovery && !names.insert(member.name).second)
      return absl::DataLossError("two of its members have one name");
  }
  for (std::size_t i = 0; i < roster.books.size(); ++i) {
    if (roster.books[i].id != BookId{static_cast<std::uint32_t>(i + 1)})
      return absl::DataLossError("its books are not numbered in sequence");
  }
  if (before != nullptr && (roster.members.size() < before->members.size() ||
                            roster.books.size() < before->books.size())) {
    return absl::DataLossError("a member or a book is missing from it");
  }
  std::set<ClassId> classes;
  for (const ClassDefinition& c : roster.classes) {
    if (!classes.insert(c.id).second) return absl::DataLossError("it has a class twice");
  }
  for (const RoleDefinition& role : roster.roles) {
    if (!roles.insert(role.name).second) return absl::DataLossError("it has a role twice");
  }
  std::set<std::pair<BookId, ClassId>> there;
  if (before != nullptr) {
    for (const Compartment& c : before->compartments) there.insert({c.book, c.class_id});
  }
  std::set<std::pair<BookId, ClassId>> compartments;
  for (const Compartment& c : roster.compartments) {
    if (!compartments.insert({c.book, c.class_id}).second)
      return absl::DataLossError("it has a compartment twice");
    if (static_cast<std::uint32_t>(c.book) > roster.books.size() || !classes.contains(c.class_id))
      return absl::DataLossError("it has a compartment of no book or class");
    if (c.epoch != 1 && !there.contains({c.book, c.class_id}))
      return absl::DataLossError("a new compartment's epoch is not 1");
  }
  return absl::OkStatus();
}

}  // namespace

const Member* Roster::FindMember(MemberId id) const {
  const auto at = std::find_if(members.begin(), members.end(), [&](auto& m) { return m.id == id; });
  return at == members.end() ? nullptr : &*at;
}
const Member* Roster::FindMember(absl::string_view name) const {
  const auto at = std::find_if(members.begin(), members.end(), [&](auto& m) {
    return m.name == name && m.kind != MemberKind::kRecovery;
  });
  return at == members.end() ? nullptr : &*at;
}
const RoleDefinition* Roster::FindRole(absl::string_view name) const {
  const auto at = std::find_if(roles.begin(), roles.end(), [&](auto& r) { return r.name == name; });
  return at == roles.end() ? nullptr : &*at;
}
const Book* Roster::FindBook(BookId id) const {
  const auto at = std::find_if(books.begin(), books.end(), [&](auto& b) { return b.id == id; });
  return at == books.end() ? nullptr : &*at;
}
const Book* Roster::FindBook(absl::string_view name) const {
  const auto at = std::find_if(books.begin(), books.end(), [&](auto& b) { return b.name == name; });
  return at == books.end() ? nullptr : &*at;
}
const Compartment* Roster::FindCompartment(BookId book, ClassId class_id) const {
  const auto at = std::find_if(compartments.begin(), compartments.end(),
                               [&](auto& c) { return c.book == book && c.class_id == class_id; });
  return at == compartments.end() ? nullptr : &*at;
}
bool Roster::IsMember(BookId book, MemberId member) const {
  return std::find(memberships.begin(), memberships.end(), Membership{book, member}) !=
         memberships.end();
}
std::vector<BookId> Roster::BooksOf(MemberId member) const {
  std::vector<BookId> out;
  for (const Membership& m : memberships) {
    if (m.member == member) out.push_back(m.book);
  }
  return out;
}
std::vector<ClassId> Roster::DataClasses() const {
  std::vector<ClassId> out;
  for (const ClassDefinition& c : classes) {
    if (c.id != ClassId::kIndex && c.id != ClassId::kAudit) out.push_back(c.id);
  }
  return out;
}

crypto::Bytes Roster::Sign(const crypto::SigningPair& signer_pair) const {
  crypto::Bytes document = Body(*this);
  const crypto::Signature signature = signer_pair.Sign(kRosterLabel, document);
  document.insert(document.end(), signature.begin(), signature.end());
  return document;
}

absl::StatusOr<SignedRoster> SignedRoster::Parse(ByteView document) {
  SignedRoster out;
  if (document.size() < out.signature.size() || document.size() > Roster::kMaxBytes) {
    return absl::DataLossError("a roster of an impossible size");
  }
  const ByteView body = document.first(document.size() - out.signature.size());
  out.body.assign(body.begin(), body.end());
  std::copy(document.end() - static_cast<std::ptrdiff_t>(out.signature.size()), document.end(),
            out.signature.begin());
  out.hash = crypto::HashOf("sealbook/roster-hash/1", {document});
  crypto::ByteReader in(body);
  if (in.Text() != kRosterLabel) return absl::DataLossError("not a roster of this format");
  out.roster = ReadBody(in);
  RETURN_IF_ERROR(in.Finish("a roster"));
  return out;
}

absl::Status RosterHistory::Append(ByteView document) {
  ASSIGN_OR_RETURN(SignedRoster next, CheckNext(document));
  versions_.push_back(std::move(next.roster));
  hashes_.push_back(next.hash);
  return absl::OkStatus();
}

absl::StatusOr<SignedRoster> RosterHistory::CheckNext(ByteView document) const {
  ASSIGN_OR_RETURN(SignedRoster next, SignedRoster::Parse(document));
  const Roster& roster = next.roster;
  const auto fails = [&](absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat("roster version ", roster.version, " does not count: ", why));
  };
  const Roster* before = versions_.empty() ? nullptr : &versions_.back();
  if (roster.version != (before == nullptr ? 1 : before->version + 1)) {
    return fails("a version before it is missing");
  }
  if (roster.root != root_) return fails("it names another root key");
  if (before != nullptr && (roster.previous != hashes_.back() || roster.vault != before->vault)) {
    return fails("it does not name the version before it");
  }
  if (const absl::Status status = IsWellFormed(before, roster); !status.ok())
    return fails(absl::string_view(status.message()));
  if (roster.signer == kRootSigner) {
    if (!crypto::Verify(root_, kRosterLabel, next.body, next.signature)) {
      return fails("the root key's signature is wrong");
    }
  } else {
    const Member* signer = before == nullptr ? nullptr : before->FindMember(roster.signer);
    const RoleDefinition* role = signer == nullptr ? nullptr : before->RoleOf(*signer);
    if (role == nullptr || !signer->active || !role->Has(Power::kSignRoster)) {
      return fails("its signer may not sign rosters");
    }
    if (!crypto::Verify(signer->verify, kRosterLabel, next.body, next.signature)) {
      return fails("its signature is wrong");
    }
    if (!SameSigners(*before, roster, roster.signer))
      return fails("only the owner changes who signs rosters");
  }
  if (HasUnusableKey(roster)) return fails("it names a public key that cannot be used");
  if (before != nullptr) {
    if (const absl::Status status = GoesOn(*before, roster); !status.ok()) {
      return fails(absl::string_view(status.message()));
    }
  }
  return next;
}

const Roster* RosterHistory::Version(std::uint64_t version) const {
  return version >= 1 && version <= versions_.size() ? &versions_[version - 1] : nullptr;
}
const Member* RosterHistory::SignerAt(MemberId id, std::uint64_t version) const {
  const Roster* roster = Version(version);
  const Member* member = roster == nullptr ? nullptr : roster->FindMember(id);
  return member != nullptr && member->active ? member : nullptr;
}
const crypto::Hash256* RosterHistory::HashOfVersion(std::uint64_t version) const {
  return version >= 1 && version <= hashes_.size() ? &hashes_[version - 1] : nullptr;
}
const Roster* RosterHistory::ForSession(std::int64_t session) const {
  // The first version whose successor's head is not before this session.
  const auto after = std::partition_point(versions_.begin(), versions_.end(), [&](const Roster& r) {
    return r.session_head < session;
  });
  return after == versions_.begin() ? nullptr : &*(after - 1);
}

}  // namespace sealbook::keyring
