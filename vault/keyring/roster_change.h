// What a roster version takes from whom, and gives to whom, beside the one before it. Whoever
// publishes one renews keys by it (epochs.h), and readers refuse one that took away and did not.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "vault/keyring/roster.h"

namespace sealbook::keyring {

// Of two versions, which outlive it.
class Holdings {
 public:
  Holdings(const Roster& before, const Roster& after);

  // Whose keys, role or books differ.
  const std::vector<MemberId>& changed() const { return changed_; }
  // Somebody had to do with the compartment's secret before, and does not now, or not under the
  // same key pair: held it, by a grant or through the root book; signed rosters, and so may have
  // made it; or wrote to it, and may have kept a session's secret, under which values could be
  // written for ever.
  bool LostBySomebody(const Compartment& c) const;
  // Is to be granted it now: holds it, and did not before under the same key pair.
  bool Gains(MemberId id, const Compartment& c) const;
  bool GainedBySomebody(const Compartment& c) const;
  bool IsGrantedNow(MemberId id, const Compartment& c) const;

 private:
  using Books = std::map<MemberId, std::set<BookId>>;
  static bool IsGranted(const Roster& roster, const Books& books, MemberId id,
                        const Compartment& c);
  static bool Reaches(const Roster& roster, const Books& books, MemberId id, const Compartment& c);
  bool SameKey(MemberId id) const;

  const Roster& before_;
  const Roster& after_;
  Books books_before_, books_after_;
  std::vector<MemberId> changed_;
};

}  // namespace sealbook::keyring
