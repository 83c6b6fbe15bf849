#include "vault/keyring/epochs.h"

#include <algorithm>
#include <map>
#include <set>

#include "vault/crypto/aead.h"
#include "vault/keyring/roster_change.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kLinkPlace = "sealbook-epoch-1";
constexpr std::size_t kLinkBytes = crypto::kKeyBytes + crypto::kSealOverheadBytes;
// Where a grant is sealed to the root compartment of the same class.
constexpr MemberId kRootCompartmentHolder{0};

crypto::Bytes LinkPlace(const VaultId& vault, BookId book, ClassId class_id,
                        std::uint32_t older_epoch) {
  crypto::ByteWriter out;
  out.Raw(crypto::AsBytes(kLinkPlace)).Raw(vault).U32(static_cast<std::uint32_t>(book));
  out.U8(static_cast<std::uint8_t>(class_id)).U32(older_epoch);
  return out.Take();
}

// One change of the roster, and the keys that follow from it.
class Settlement {
 public:
  // `next` changes while this runs, but for who is in it.
  Settlement(Keyring& keyring, Roster& next)
      : keyring_(keyring), before_(keyring.roster()), next_(next), holdings_(before_, next) {
    for (const Membership& m : next.memberships) members_of_[m.book].push_back(m.member);
  }

  absl::Status Run(const std::function<bool(const Compartment&)>& renew) {
    // Root compartments first: the books' secrets are sealed to what they are from now on.
    std::vector<Compartment*> ordered;
    for (Compartment& c : next_.compartments) {
      if (c.book == kRootBook) ordered.push_back(&c);
    }
    for (Compartment& c : next_.compartments) {
      if (c.book != kRootBook) ordered.push_back(&c);
    }
    // What is sealed again is opened first, while the grants of today are still there.
    std::set<ClassId> renewed_roots;
    std::vector<bool> renewed;
    for (const Compartment* c : ordered) {
      const bool made = c->epoch == 0;
      renewed.push_back(made || holdings_.LostBySomebody(*c) || (renew && renew(*c)));
      if (renewed.back() && c->book == kRootBook) renewed_roots.insert(c->class_id);
      if (made) continue;
      if (renewed.back() || (c->book != kRootBook && renewed_roots.contains(c->class_id))) {
        ASSIGN_OR_RETURN(const bool opens, Opens(*c));
        if (!opens) renewed.back() = true;
      } else if (holdings_.GainedBySomebody(*c)) {
        RETURN_IF_ERROR(keyring_.CompartmentPair(c->book, c->class_id, c->epoch).status());
      }
    }
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      Compartment& c = *ordered[i];
      if (renewed[i]) {
        RETURN_IF_ERROR(Renew(c));
      } else {
        RETURN_IF_ERROR(GrantGained(c));
        if (c.book != kRootBook && renewed_roots.contains(c.class_id)) {
          ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                           keyring_.CompartmentPair(c.book, c.class_id, c.epoch));
          RETURN_IF_ERROR(GrantToRoot(c, *pair));
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // Whether its secret of today is there to be handed on. False: this member should hold it, and
  // somebody deleted or spoilt the grant; were that an error, whoever may write the files could not
  // be taken out.
  absl::StatusOr<bool> Opens(const Compartment& c) {
    const absl::Status status = keyring_.CompartmentPair(c.book, c.class_id, c.epoch).status();
    if (status.ok()) return true;
    const bool lost = absl::IsDataLoss(status) || absl::IsPermissionDenied(status);
    if (lost && HoldsCompartment(before_, keyring_.self(), c.book, c.class_id)) return false;
    return status;
  }

  absl::Status Grant(const Compartment& c, const crypto::ExchangePair& pair, MemberId to,
                     const crypto::ExchangePublic& key) {
    store::GrantRow grant{
        .member = to, .book = c.book, .class_id = c.class_id, .epoch = c.epoch, .sealed = {}};
    grant.sealed = SealGrant(next_.vault, grant, pair, key);
    return keyring_.store().PutGrant(grant);
  }
  absl::Status GrantToRoot(const Compartment& c, const crypto::ExchangePair& pair) {
    const Compartment* root = next_.FindCompartment(kRootBook, c.class_id);
    if (root == nullptr) return absl::InternalError("a book's class is not in the root book");
    return Grant(c, pair, kRootCompartmentHolder, root->public_key);
  }
  absl::Status GrantGained(const Compartment& c) {
    for (const MemberId id : holdings_.changed()) {
      if (!holdings_.Gains(id, c)) continue;
      ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                       keyring_.CompartmentPair(c.book, c.class_id, c.epoch));
      RETURN_IF_ERROR(Grant(c, *pair, id, next_.FindMember(id)->exchange));
    }
    return absl::OkStatus();
  }

  // A new pair, granted to all who hold the compartment now; the older secret under the newer one;
  // and nobody's grant of the older one stays.
  absl::Status Renew(Compartment& c) {
    const crypto::ExchangePair pair = crypto::ExchangePair::Generate();
    bool linked = true;
    if (c.epoch > 0) {
      ASSIGN_OR_RETURN(linked, Opens(c));
      store::EpochLinkRow link{.book = c.book,
                               .class_id = c.class_id,
                               .epoch = c.epoch,
                               .sealed = crypto::Bytes(kLinkBytes)};  // opens nothing
      if (linked) {
        ASSIGN_OR_RETURN(const crypto::ExchangePair* older,
                         keyring_.CompartmentPair(c.book, c.class_id, c.epoch));
        link.sealed = SealEpochLink(next_.vault, c.book, c.class_id, c.epoch, *older, pair);
      }
      RETURN_IF_ERROR(keyring_.store().PutEpochLink(link));
    }
    ++c.epoch;
    c.public_key = pair.public_key();
    if (c.book == kRootBook) {
      for (const Member& member : next_.members) {
        if (holdings_.IsGrantedNow(member.id, c))
          RETURN_IF_ERROR(Grant(c, pair, member.id, member.exchange));
      }
    } else {
      for (const MemberId id : members_of_[c.book]) {
        if (holdings_.IsGrantedNow(id, c))
          RETURN_IF_ERROR(Grant(c, pair, id, next_.FindMember(id)->exchange));
      }
      RETURN_IF_ERROR(GrantToRoot(c, pair));
    }
    // Without a link, the older grants are all that still leads to what stands under them.
    if (!linked) return absl::OkStatus();
    return keyring_.store().DeleteGrantsBefore(c.book, c.class_id, c.epoch);
  }

  Keyring& keyring_;
  const Roster& before_;
  Roster& next_;
  const Holdings holdings_;
  std::map<BookId, std::vector<MemberId>> members_of_;
};

}  // namespace

bool IsGranted(const Roster& roster, const Member& member, BookId book, ClassId class_id) {
  const RoleDefinition* role = roster.RoleOf(member);
  if (role == nullptr || !member.active || !role->Holds(class_id)) return false;
  return role->root_scope ? book == kRootBook
                          : book != kRootBook && roster.IsMember(book, member.id);
}

bool HoldsCompartment(const Roster& roster, const Member& member, BookId book, ClassId class_id) {
  return IsGranted(roster, member, book, class_id) ||
         IsGranted(roster, member, kRootBook, class_id);
}

absl::Status SettleKeys(Keyring& keyring, Roster& next,
                        const std::function<bool(const Compartment&)>& renew) {
  return Settlement(keyring, next).Run(renew);
}

crypto::Bytes SealEpochLink(const VaultId& vault, BookId book, ClassId class_id,
                            std::uint32_t older_epoch, const crypto::ExchangePair& older,
                            const crypto::ExchangePair& newer) {
  return crypto::Seal(crypto::DeriveEpochLinkKey(newer.secret()),
                      LinkPlace(vault, book, class_id, older_epoch), older.secret().ExposeBytes());
}

absl::StatusOr<crypto::ExchangePair> OpenEpochLink(const VaultId& vault,
                                                   const store::EpochLinkRow& row,
                                                   const crypto::ExchangePair& newer) {
  ASSIGN_OR_RETURN(crypto::ExchangeSecret secret,
                   crypto::OpenKey<crypto::ExchangePurpose>(
                       crypto::DeriveEpochLinkKey(newer.secret()),
                       LinkPlace(vault, row.book, row.class_id, row.epoch), row.sealed));
  return crypto::ExchangePair::FromSecret(std::move(secret));
}

absl::StatusOr<std::vector<Undrained>> ListUndrained(Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  std::vector<Undrained> out;
  RETURN_IF_ERROR(keyring.store().EachEpochLink([&](const store::EpochLinkRow& link) {
    if (link.class_id == ClassId::kAudit) return absl::OkStatus();
    if (out.empty() || out.back().book != link.book || out.back().class_id != link.class_id)
      out.push_back({.book = link.book, .class_id = link.class_id, .epochs = {}});
    out.back().epochs.push_back(link.epoch);
    return absl::OkStatus();
  }));
  return out;
}

std::size_t UndrainedFrom(const RosterHistory& history, const Member& member,
                          const std::vector<Undrained>& undrained) {
  const Roster& now = history.current();
  return static_cast<std::size_t>(
      std::count_if(undrained.begin(), undrained.end(), [&](const Undrained& u) {
        if (HoldsCompartment(now, member, u.book, u.class_id)) return false;
        for (std::uint64_t version = now.version; version >= 1; --version) {
          const Roster& roster = *history.Version(version);
          const Compartment* compartment = roster.FindCompartment(u.book, u.class_id);
          if (compartment == nullptr || compartment->epoch < u.epochs.front()) break;
          const Member* then = roster.FindMember(member.id);
          if (then != nullptr && HoldsCompartment(roster, *then, u.book, u.class_id) &&
              std::binary_search(u.epochs.begin(), u.epochs.end(), compartment->epoch))
            return true;
        }
        return false;
      }));
}

}  // namespace sealbook::keyring
