#include "vault/keyring/roster_change.h"

#include <algorithm>

namespace sealbook::keyring {
namespace {

bool IsIn(const std::map<MemberId, std::set<BookId>>& books, MemberId id, BookId book) {
  const auto at = books.find(id);
  return at != books.end() && at->second.contains(book);
}

const RoleDefinition* ActiveRole(const Roster& roster, MemberId id) {
  const Member* member = roster.FindMember(id);
  return member == nullptr || !member->active ? nullptr : roster.RoleOf(*member);
}

}  // namespace

Holdings::Holdings(const Roster& before, const Roster& after) : before_(before), after_(after) {
  for (const Membership& m : before.memberships) books_before_[m.member].insert(m.book);
  for (const Membership& m : after.memberships) books_after_[m.member].insert(m.book);
  for (const Member& old : before.members) {
    const Member* now = after.FindMember(old.id);
    const RoleDefinition *old_role = before.RoleOf(old),
                         *new_role = now == nullptr ? nullptr : after.RoleOf(*now);
    const bool same = now != nullptr && *now == old && old_role != nullptr && new_role != nullptr &&
                      *old_role == *new_role && books_before_[old.id] == books_after_[old.id];
    if (!same) changed_.push_back(old.id);
  }
  for (const Member& member : after.members) {
    if (before.FindMember(member.id) == nullptr) changed_.push_back(member.id);
  }
}

bool Holdings::IsGranted(const Roster& roster, const Books& books, MemberId id,
                         const Compartment& c) {
  const RoleDefinition* role = ActiveRole(roster, id);
  if (role == nullptr || !role->Holds(c.class_id)) return false;
  return role->root_scope ? c.book == kRootBook : c.book != kRootBook && IsIn(books, id, c.book);
}

bool Holdings::Reaches(const Roster& roster, const Books& books, MemberId id,
                       const Compartment& c) {
  const RoleDefinition* role = ActiveRole(roster, id);
  if (role == nullptr) return false;
  if (role->Has(Power::kSignRoster)) return true;
  if (!role->Holds(c.class_id) && !role->Writes(c.class_id)) return false;
  return role->root_scope || (c.book != kRootBook && IsIn(books, id, c.book));
}

bool Holdings::SameKey(MemberId id) const {
  const Member *old = before_.FindMember(id), *now = after_.FindMember(id);
  return old != nullptr && now != nullptr && old->exchange == now->exchange;
}

bool Holdings::LostBySomebody(const Compartment& c) const {
  return std::any_of(changed_.begin(), changed_.end(), [&](MemberId id) {
    return Reaches(before_, books_before_, id, c) &&
           (!Reaches(after_, books_after_, id, c) || !SameKey(id));
  });
}

bool Holdings::IsGrantedNow(MemberId id, const Compartment& c) const {
  return IsGranted(after_, books_after_, id, c);
}

bool Holdings::Gains(MemberId id, const Compartment& c) const {
  return IsGrantedNow(id, c) && !(IsGranted(before_, books_before_, id, c) && SameKey(id));
}

bool Holdings::GainedBySomebody(const Compartment& c) const {
  return std::any_of(changed_.begin(), changed_.end(), [&](MemberId id) { return Gains(id, c); });
}

}  // namespace sealbook::keyring
