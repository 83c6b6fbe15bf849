#include "vault/keyring/administration.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/keyring/admission.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/epochs.h"
#include "vault/keyring/factor_record.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

absl::Status Disabled() {
  return WithHint(absl::FailedPreconditionError("this member is disabled"),
                  "'sealbook member list' shows who is active.");
}

// Nobody locks the vault's last door, or their own: by mistake, or while being asked to.
absl::Status MayTakeFrom(Keyring& keyring, const Roster& roster, const Member& member,
                         absl::string_view what) {
  const auto owners = std::count_if(roster.members.begin(), roster.members.end(), [](auto& m) {
    return m.active && m.role == kOwnerRole && m.kind == MemberKind::kPerson;
  });
  if (member.active && member.role == kOwnerRole && owners == 1) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat("nobody can ", what, " the last owner")),
        "Where the owner has left, 'sealbook recover' with the recovery code makes a new one.");
  }
  if (member.id == keyring.bundle().member) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat("you cannot ", what, " yourself")),
                    "Ask another admin, or the owner.");
  }
  if (member.role == kOwnerRole && roster.signer != kRootSigner) {
    return WithHint(
        absl::PermissionDeniedError(absl::StrCat("only an owner can ", what, " an owner")),
        "Ask the owner.");
  }
  return absl::OkStatus();
}

absl::Status NoBook(absl::string_view name) {
  return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", name)),
                  "'sealbook book list' shows the books; 'sealbook book add' makes one.");
}

audit::Event EventOf(const char* act,
                     const std::vector<std::pair<std::string, std::string>>& detail) {
  return {.act = act, .detail = DetailOf(detail)};
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

absl::StatusOr<const Member*> FindPerson(const Roster& roster, absl::string_view name) {
  const auto normalized = NormalizeName(name);
  const Member* member = normalized.ok() ? roster.FindMember(*normalized) : nullptr;
  if (member != nullptr) return member;
  return WithHint(absl::NotFoundError("there is no member of this name"),
                  "'sealbook member list' shows the members.");
}

std::string DetailOf(const std::vector<std::pair<std::string, std::string>>& detail) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : detail) json[name] = value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

crypto::Hash256 HashOfPolicy(absl::string_view text) {
  return crypto::HashOf("sealbook/policy/1", {crypto::AsBytes(text)});
}

absl::StatusOr<std::string> CurrentPolicyText(Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
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

absl::Status PublishRoster(Keyring& keyring, RosterChange change) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
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
  // Fewer than the last version knew: somebody deleted sessions, and must not stay for that.
  ASSIGN_OR_RETURN(const std::int64_t last, keyring.store().LastSession());
  if (last > next.session_head) {
    ASSIGN_OR_RETURN(const auto record, keyring.store().GetSession(last));
    if (!record) return absl::DataLossError("the newest session is missing");
    next.session_head = last;
    next.session_head_hash = HashOfSession(*record);
  }
  RETURN_IF_ERROR(change.change(next));
  RETURN_IF_ERROR(SettleKeys(keyring, next, change.renew));
  const crypto::SigningPair& signer = root ? *keyring.bundle().root_pair : keyring.bundle().signing;
  const crypto::Bytes document = next.Sign(signer);
  // What no reader would accept is not published.
  RETURN_IF_ERROR(keyring.history().CheckNext(document).status());
  RETURN_IF_ERROR(keyring.store().InsertRoster(next.version, document));
  // Under the version that it publishes, so that nobody whom that removes can add rows behind it.
  audit::Author author = keyring.AuditAuthor();
  author.roster_version = next.version;
  author.audit_compartment = next.FindCompartment(kRootBook, ClassId::kAudit)->public_key;
  if (change.next_bundle) author.signing = &change.next_bundle->signing;
  RETURN_IF_ERROR(audit::Append(keyring.store(), author, change.event));
  RETURN_IF_ERROR(transaction.Commit());
  if (change.next_bundle) keyring.ReplaceBundle(*std::move(change.next_bundle));
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
        for (const std::string& name : request.books) {
          const Book* book = next.FindBook(name);
          if (book == nullptr) return NoBook(name);
          if (next.IsMember(book->id, member.id)) continue;
          next.memberships.push_back({book->id, member.id});
        }
        // An entry that a crash left without its roster version counts for nothing and is replaced.
        ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
        const std::string id = file.EntryId(request.name);
        UnlockEntry entry;
        if (request.request) {
          entry = MakeJoiningEntry(next.vault, *request.request, member.id, bundle.root);
        } else {
          ASSIGN_OR_RETURN(entry, file.Seal(id, bundle, request.secret, request.cost));
        }
        AddDatabaseKeys(keyring, file, member.id, member.exchange, entry);
        file.Remove(id);
        file.entries()[id] = std::move(entry);
        return file.Save(keyring.paths().unlock());
      });
}

absl::Status ChangePassphrase(Keyring& keyring, const crypto::SecretBytes& passphrase,
                              const crypto::PassphraseCost& cost) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
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
  const std::string id = EntryIdOf(file, keyring.self());
  ASSIGN_OR_RETURN(UnlockEntry entry,
                   file.Seal(id, bundle,
                             {.kind = UnlockSecret::Kind::kPassphrase,
                              .bytes = crypto::SecretBytes::CopyOf(passphrase.ExposeBytes())},
                             cost));
  AddDatabaseKeys(keyring, file, own.member, own.exchange.public_key(), entry);
  // New keys that were asked for wait under the old passphrase: they have to be asked for again.
  file.Remove(id);
  file.entries()[id] = std::move(entry);
  RETURN_IF_ERROR(keyring.store().DeleteRekeyRequest(own.member));
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
        for (const ClassId class_id : next.DataClasses())
          next.compartments.push_back(
              {.book = book, .class_id = class_id, .epoch = 0, .public_key = {}});
        return absl::OkStatus();
      });
}

absl::Status AddBookMember(Keyring& keyring, absl::string_view book_name,
                           absl::string_view member_name) {
  const auto event = EventOf(
      "book.add_member", {{"book", std::string(book_name)}, {"member", std::string(member_name)}});
  return PublishRoster(keyring, event, [&](Roster& next) -> absl::Status {
    const Book* book = next.FindBook(book_name);
    if (book == nullptr) return NoBook(book_name);
    ASSIGN_OR_RETURN(const Member* member, FindPerson(next, member_name));
    if (!member->active) return Disabled();
    if (next.IsMember(book->id, member->id)) {
      return WithHint(absl::AlreadyExistsError("the member is in this book already"),
                      "Nothing to do.");
    }
    next.memberships.push_back({book->id, member->id});
    return absl::OkStatus();
  });
}

absl::Status RemoveBookMember(Keyring& keyring, absl::string_view book_name,
                              absl::string_view member_name) {
  const auto event = EventOf("book.remove_member", {{"book", std::string(book_name)},
                                                    {"member", std::string(member_name)}});
  return PublishRoster(keyring, event, [&](Roster& next) -> absl::Status {
    const Book* book = next.FindBook(book_name);
    if (book == nullptr) return NoBook(book_name);
    ASSIGN_OR_RETURN(const Member* member, FindPerson(next, member_name));
    if (std::erase(next.memberships, Membership{book->id, member->id}) == 0) {
      return WithHint(absl::NotFoundError("the member is not in this book"),
                      "'sealbook book members BOOK' shows who is.");
    }
    return absl::OkStatus();
  });
}

absl::Status DisableMember(Keyring& keyring, absl::string_view member_name) {
  const auto event = EventOf("member.disable", {{"member", std::string(member_name)}});
  absl::Status published = PublishRoster(keyring, event, [&](Roster& next) -> absl::Status {
    ASSIGN_OR_RETURN(const Member* found, FindPerson(next, member_name));
    RETURN_IF_ERROR(MayTakeFrom(keyring, next, *found, "disable"));
    if (!found->active) return absl::AlreadyExistsError("the member is disabled already");
    const MemberId id = found->id;
    std::find_if(next.members.begin(), next.members.end(), [&](const Member& m) {
      return m.id == id;
    })->active = false;
    std::erase_if(next.memberships, [&](const Membership& m) { return m.member == id; });
    // What was sealed to them does not stay behind.
    RETURN_IF_ERROR(DeleteFactors(keyring, id).status());
    return keyring.store().DeleteRekeyRequest(id);
  });
  // An earlier run may have ended here.
  if (!published.ok() && !absl::IsAlreadyExists(published)) return published;
  RETURN_IF_ERROR(RemoveStaleEntries(keyring).status());
  return published;
}

absl::Status ChangeRole(Keyring& keyring, absl::string_view member_name,
                        absl::string_view role_name) {
  const auto event = EventOf(
      "member.role", {{"member", std::string(member_name)}, {"role", std::string(role_name)}});
  return PublishRoster(keyring, event, [&](Roster& next) -> absl::Status {
    ASSIGN_OR_RETURN(const Member* found, FindPerson(next, member_name));
    if (!found->active) return Disabled();
    const RoleDefinition* role = next.FindRole(role_name);
    if (role == nullptr) {
      return WithHint(absl::NotFoundError(absl::StrCat("the policy has no role named ", role_name)),
                      "'sealbook policy show' lists the roles.");
    }
    if (found->role == role->name) {
      return WithHint(absl::AlreadyExistsError("the member has this role already"),
                      "Nothing to do.");
    }
    RETURN_IF_ERROR(MayTakeFrom(keyring, next, *found, "change the role of"));
    if (role->service != (found->kind == MemberKind::kService)) {
      return WithHint(absl::FailedPreconditionError(
                          role->service ? "this role is for service accounts, and this is a person"
                                        : "this role is for people, and this is a service account"),
                      "Add a new member with that role.");
    }
    if (SignsRosters(*role) && next.signer != kRootSigner) {
      return WithHint(
          absl::PermissionDeniedError("only the owner makes members who change the roster"),
          "Ask the owner.");
    }
    const MemberId id = found->id;
    std::find_if(next.members.begin(), next.members.end(), [&](const Member& m) {
      return m.id == id;
    })->role = role->name;
    return absl::OkStatus();
  });
}

absl::Status RotateBook(Keyring& keyring, absl::string_view book_name) {
  BookId id{};
  return PublishRoster(keyring, {.event = EventOf("key.rotate", {{"book", std::string(book_name)}}),
                                 .change = [&](Roster& next) -> absl::Status {
                                   const Book* book = next.FindBook(book_name);
                                   if (book == nullptr) return NoBook(book_name);
                                   id = book->id;
                                   return absl::OkStatus();
                                 },
                                 .renew = [&](const Compartment& c) { return c.book == id; }});
}

absl::Status RotateAll(Keyring& keyring) {
  return PublishRoster(keyring, {.event = {.act = "key.rotate"},
                                 .change = [](Roster&) { return absl::OkStatus(); },
                                 .renew = [](const Compartment&) { return true; }});
}

absl::StatusOr<std::size_t> RemoveStaleEntries(Keyring& keyring) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  ASSIGN_OR_RETURN(UnlockFile file, UnlockFile::Load(keyring.paths().unlock()));
  const std::vector<std::string> stale = StaleEntries(keyring.roster(), file);
  if (stale.empty()) return 0;
  for (const std::string& id : stale) file.Remove(id);
  RETURN_IF_ERROR(file.Save(keyring.paths().unlock()));
  return stale.size();
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
          if (role->service != old.service) {
            return WithHint(
                absl::FailedPreconditionError(absl::StrCat("the new policy makes role ", old.name,
                                                           " one of another kind of account")),
                "Leave its \"service\" as it is, or use a new role.");
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
