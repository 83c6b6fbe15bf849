#include "vault/keyring/administration.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/keyring/admission.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

absl::Status NoBook(absl::string_view name) {
  return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", name)),
                  "'sealbook book list' shows the books; 'sealbook book add' makes one.");
}

// What a member holds in one book (or the root book), granted at the current epochs.
absl::Status GrantClasses(Keyring& keyring, const Roster& roster, const Member& member, BookId book,
                          const RoleDefinition& role) {
  for (const ClassId class_id : role.holds) {
    const Compartment* compartment = roster.FindCompartment(book, class_id);
    if (compartment == nullptr) continue;  // index and audit exist in the root book only
    ASSIGN_OR_RETURN(const crypto::ExchangePair* pair,
                     keyring.CompartmentPair(book, class_id, compartment->epoch));
    store::GrantRow grant{.member = member.id,
                          .book = book,
                          .class_id = class_id,
                          .epoch = compartment->epoch,
                          .sealed = {}};
    grant.sealed = SealGrant(roster.vault, grant, *pair, member.exchange);
    RETURN_IF_ERROR(keyring.store().PutGrant(grant));
  }
  return absl::OkStatus();
}

// What the audit log's sealed detail says of it.
audit::Event EventOf(const char* act, const nlohmann::ordered_json& detail) {
  return {.act = act,
          .detail = detail.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

template <typename T, typename Id>
Id NextId(const std::vector<T>& items) {
  std::uint32_t highest = 0;
  for (const T& item : items) highest = std::max(highest, static_cast<std::uint32_t>(item.id));
  return Id{highest + 1};
}

// The keys that a join request brings. Each request is used once, also after its member has renewed
// the keys: the older versions still know them.
absl::Status TakeKeys(const JoinRequest& request, const RosterHistory& history, Member& member) {
  member.exchange = request.exchange();
  member.verify = request.verify();
  for (std::uint64_t version = history.current().version; version >= 1; --version) {
    for (const Member& other : history.Version(version)->members) {
      if (other.exchange != member.exchange && other.verify != member.verify) continue;
      return WithHint(absl::InvalidArgumentError("the join request was used already"),
                      "Ask for a new one: 'sealbook member request' makes it.");
    }
  }
  return absl::OkStatus();
}

bool SignsRosters(const RoleDefinition& role) { return role.Has(Power::kSignRoster); }

}  // namespace

crypto::Hash256 HashOfPolicy(absl::string_view text) {
  return crypto::HashOf("sealbook/policy/1", {crypto::AsBytes(text)});
}

absl::StatusOr<std::string> CurrentPolicyText(Keyring& keyring) {
  absl::StatusOr<std::string> text = keyring.store().GetPolicy(keyring.roster().policy_hash);
  if (!text.ok()) {
    return absl::IsNotFound(text.status()) ? absl::DataLossError("the policy is missing")
                                           : text.status();
  }
  if (HashOfPolicy(*text) != keyring.roster().policy_hash) {
    return absl::DataLossError("the policy was altered: it is not the one that the roster signs");
  }
  return text;
}

absl::Status PublishRoster(Keyring& keyring, const audit::Event& event,
                           const std::function<absl::Status(Roster& next)>& change) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.store().BeginWrite());
  RETURN_IF_ERROR(keyring.Refresh());
  const bool root = keyring.bundle().root_pair.has_value();
  if (!root && !SignsRosters(keyring.role())) {
    return WithHint(
        absl::PermissionDeniedError("this member may not change members, books or the policy"),
        "Ask an admin.");
  }
  Roster next = keyring.roster();
  ++next.version;
  next.previous = keyring.history().current_hash();
  next.time_ms = absl::ToUnixMillis(absl::Now());
  next.signer = root ? kRootSigner : keyring.bundle().member;
  ASSIGN_OR_RETURN(next.session_head, keyring.store().LastSession());
  if (next.session_head > 0) {
    ASSIGN_OR_RETURN(const auto record, keyring.store().GetSession(next.session_head));
    if (record) next.session_head_hash = HashOfSession(*record);
  }
  RETURN_IF_ERROR(change(next));
  const crypto::SigningPair& signer = root ? *keyring.bundle().root_pair : keyring.bundle().signing;
  RETURN_IF_ERROR(keyring.store().InsertRoster(next.version, next.Sign(signer)));
  // Under the version that it publishes, so that nobody whom that removes can add rows behind it.
  audit::Author author = keyring.AuditAuthor();
  author.roster_version = next.version;
  author.audit_compartment = next.FindCompartment(kRootBook, ClassId::kAudit)->public_key;
  RETURN_IF_ERROR(audit::Append(keyring.store(), author, event));
  RETURN_IF_ERROR(transaction.Commit());
  return keyring.Refresh();
}

absl::Status AddMember(Keyring& keyring, const NewMember& request) {
  return PublishRoster(
      keyring, EventOf("member.add", {{"member", request.name}, {"role", request.role}}),
      [&](Roster& next) -> absl::Status {
        if (next.FindMember(request.name) != nullptr) {
          return WithHint(absl::AlreadyExistsError("there is a member of this name"),
                          "Choose another name.");
        }
        const RoleDefinition* role = next.FindRole(request.role);
        if (role == nullptr) {
          return WithHint(
              absl::NotFoundError(absl::StrCat("the policy has no role named ", request.role)),
              "'sealbook policy show' lists the roles.");
        }
        if (SignsRosters(*role) && next.signer != kRootSigner) {
          return WithHint(
              absl::PermissionDeniedError("only the owner makes members who change the roster"),
              "Ask the owner.");
        }
        if (role->service !=
            (!request.request && request.secret.kind == UnlockSecret::Kind::kKeyFile)) {
          return WithHint(
              absl::FailedPreconditionError(
                  role->service ? "this role is for service accounts, which unlock with a key file"
                                : "this role is for people, who unlock with a passphrase"),
              role->service ? "Give --key-file-out F." : "Leave --key-file-out out.");
        }
        Member member{.id = NextId<Member, MemberId>(next.members),
                      .kind = role->service ? MemberKind::kService : MemberKind::kPerson,
                      .active = true,
                      .name = request.name,
                      .role = request.role,
                      .exchange = {},
                      .verify = {}};
        Bundle bundle{.member = member.id,
                      .must_change = request.secret.kind == UnlockSecret::Kind::kPassphrase,
                      .exchange = crypto::ExchangePair::Generate(),
                      .signing = crypto::SigningPair::Generate(),
                      .root = keyring.bundle().root,
                      .root_pair = std::nullopt};
        member.exchange = bundle.exchange.public_key();
        member.verify = bundle.signing.verify_key();
        if (request.request) RETURN_IF_ERROR(TakeKeys(*request.request, keyring.history(), member));
        next.members.push_back(member);
        if (role->root_scope)
          RETURN_IF_ERROR(GrantClasses(keyring, next, member, kRootBook, *role));
        for (const std::string& name : request.books) {
          const Book* book = next.FindBook(name);
          if (book == nullptr) return NoBook(name);
          if (next.IsMember(book->id, member.id)) continue;
          next.memberships.push_back({book->id, member.id});
          if (!role->root_scope)
            RETURN_IF_ERROR(GrantClasses(keyring, next, member, book->id, *role));
        }
        // An entry that a crash left without its roster version counts for nothing and is replaced.
        ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
        const std::string entry_id = file.EntryId(request.name);
        if (request.request) {
          file.PutJoining(entry_id, MakeJoiningEntry(next.vault, *request.request, member.id,
                                                     bundle.root, keyring.database_key()));
        } else {
          RETURN_IF_ERROR(
              file.Put(entry_id, bundle, request.secret, request.cost, keyring.database_key()));
        }
        return file.Save(keyring.paths().unlock());
      });
}

absl::Status ChangePassphrase(Keyring& keyring, const crypto::SecretBytes& passphrase,
                              const crypto::PassphraseCost& cost) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.store().BeginWrite());
  RETURN_IF_ERROR(keyring.Refresh());
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  const Bundle& own = keyring.bundle();
  Bundle bundle{.member = own.member,
                .must_change = false,
                .exchange = crypto::ExchangePair::FromSecret(own.exchange.secret().Duplicate()),
                .signing = crypto::SigningPair::FromSeed(own.signing.seed().Duplicate()),
                .root = own.root,
                .root_pair = std::nullopt};
  if (own.root_pair)
    bundle.root_pair = crypto::SigningPair::FromSeed(own.root_pair->seed().Duplicate());
  RETURN_IF_ERROR(file.Put(file.EntryId(keyring.self().name), bundle,
                           {.kind = UnlockSecret::Kind::kPassphrase,
                            .bytes = crypto::SecretBytes::CopyOf(passphrase.ExposeBytes())},
                           cost, keyring.database_key()));
  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
  RETURN_IF_ERROR(audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "member.passwd"}));
  return transaction.Commit();
}

absl::Status AddBook(Keyring& keyring, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::string normalized, NormalizeName(name));
  return PublishRoster(
      keyring, EventOf("book.add", {{"book", normalized}}), [&](Roster& next) -> absl::Status {
        if (next.FindBook(normalized) != nullptr) {
          return WithHint(
              absl::AlreadyExistsError(absl::StrCat("there is a book named ", normalized)),
              "Choose another name.");
        }
        const BookId book = NextId<Book, BookId>(next.books);
        next.books.push_back({book, normalized});
        for (const ClassId class_id : next.DataClasses()) {
          const crypto::ExchangePair pair = crypto::ExchangePair::Generate();
          next.compartments.push_back(
              {.book = book, .class_id = class_id, .epoch = 1, .public_key = pair.public_key()});
          // To the root compartment of the class: whoever holds all of it opens this book's part,
          // and can grant it to the book's members.
          store::GrantRow grant{
              .member = MemberId{0}, .book = book, .class_id = class_id, .epoch = 1, .sealed = {}};
          grant.sealed = SealGrant(next.vault, grant, pair,
                                   next.FindCompartment(kRootBook, class_id)->public_key);
          RETURN_IF_ERROR(keyring.store().PutGrant(grant));
        }
        return absl::OkStatus();
      });
}

absl::Status AddBookMember(Keyring& keyring, absl::string_view book_name,
                           absl::string_view member_name) {
  ASSIGN_OR_RETURN(const std::string name, NormalizeName(member_name));
  const auto event =
      EventOf("book.add_member", {{"book", std::string(book_name)}, {"member", name}});
  return PublishRoster(keyring, event, [&](Roster& next) -> absl::Status {
    const Book* book = next.FindBook(book_name);
    if (book == nullptr) return NoBook(book_name);
    const Member* member = next.FindMember(name);
    if (member == nullptr || !member->active) {
      return WithHint(absl::NotFoundError("there is no active member of this name"),
                      "'sealbook member list' shows the members.");
    }
    if (next.IsMember(book->id, member->id)) {
      return WithHint(absl::AlreadyExistsError("the member is in this book already"),
                      "Nothing to do.");
    }
    const RoleDefinition* role = next.RoleOf(*member);
    if (role == nullptr) return absl::DataLossError("a member's role is not in the policy");
    next.memberships.push_back({book->id, member->id});
    if (role->root_scope) return absl::OkStatus();
    return GrantClasses(keyring, next, *member, book->id, *role);
  });
}

absl::Status ApplyPolicy(Keyring& keyring, const CompiledPolicy& policy) {
  RETURN_IF_ERROR(PublishRoster(
      keyring, EventOf("policy.apply", {{"hash", crypto::ToHex(HashOfPolicy(policy.text))}}),
      [&](Roster& next) -> absl::Status {
        if (policy.classes != next.classes) {
          return WithHint(absl::FailedPreconditionError("the new policy has other classes, so that "
                                                        "everything would have to be sealed again"),
                          "Leave the classes as they are.");
        }
        for (const RoleDefinition& old : next.roles) {
          const auto role =
              std::find_if(policy.roles.begin(), policy.roles.end(),
                           [&](const RoleDefinition& r) { return r.name == old.name; });
          if (role == policy.roles.end()) continue;
          if (role->holds != old.holds || role->root_scope != old.root_scope ||
              role->service != old.service) {
            return WithHint(absl::FailedPreconditionError(absl::StrCat(
                                "the new policy gives role ", old.name,
                                " other keys, which its members would have to be granted")),
                            "Leave its scope and what it reads as they are.");
          }
        }
        for (const Member& member : next.members) {
          if (!member.active) continue;
          const auto role =
              std::find_if(policy.roles.begin(), policy.roles.end(),
                           [&](const RoleDefinition& r) { return r.name == member.role; });
          if (role == policy.roles.end()) {
            return WithHint(
                absl::PermissionDeniedError(absl::StrCat("the new policy has no role ", member.role,
                                                         ", which members have")),
                "Give those members other roles first.");
          }
        }
        if (next.signer != kRootSigner) {
          for (const RoleDefinition& role : policy.roles) {
            const RoleDefinition* old = next.FindRole(role.name);
            if (SignsRosters(role) && (old == nullptr || *old != role)) {
              return WithHint(absl::PermissionDeniedError(
                                  "only the owner changes roles that change the roster"),
                              "Ask the owner.");
            }
          }
        }
        next.classes = policy.classes;
        next.roles = policy.roles;
        next.policy_hash = HashOfPolicy(policy.text);
        return keyring.store().PutPolicy(next.policy_hash, policy.text);
      }));
  return Lockout(keyring.paths().lockout()).SetLimits(policy.lockout);
}

}  // namespace sealbook::keyring
