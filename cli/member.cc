#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "cli/member_request.h"
#include "policies/factor_standing.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/epochs.h"
#include "vault/keyring/rekeying.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Writes the key file of a service account that does not exist yet. One that an interrupted run
// left is replaced: its key opens nothing.
absl::Status WriteKeyFile(Context& context, const std::string& file, const std::string& name,
                          const crypto::SecretBytes& secret) {
  const keyring::VaultId& vault = context.keyring().roster().vault;
  const crypto::SecretBytes text = keyring::FormatKeyFile(vault, name, secret.ExposeBytes());
  const absl::Status created = keyring::CreateNewFile(file, text.ExposeText(), 0600);
  if (!absl::IsAlreadyExists(created)) return created;
  const auto old = keyring::ReadSecretFile(file, 4096);
  const auto old_key = old.ok() ? keyring::ParseKeyFile(old->ExposeText())
                                : absl::StatusOr<keyring::KeyFile>(old.status());
  if (!old_key.ok() || old_key->vault != vault || old_key->name != name) {
    return WithHint(absl::AlreadyExistsError(absl::StrCat(file, " is there already")),
                    "Name another file.");
  }
  return keyring::ReplaceFile(file, text.ExposeText(), 0600);
}

absl::Status Add(Context& context, const Arguments& arguments) {
  auto name = keyring::NormalizeName(arguments.positional()[0]);
  if (!name.ok()) return Usage(name.status().message(), HintOf(name.status()));
  if (!arguments.Has("role"))
    return Usage("a member needs a role", "Give --role ROLE; 'sealbook policy show' lists them.");
  const std::string key_file = arguments.Value("key-file-out");
  RETURN_IF_ERROR(CheckRequestOptions(arguments));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  keyring::NewMember member{.name = *name,
                            .role = arguments.Value("role"),
                            .books = arguments.List("book"),
                            .secret = {},
                            .cost = context.policy().cost()};
  // What the vault would refuse, before a passphrase is asked for or a key file written.
  const keyring::Roster& roster = context.keyring().roster();
  if (roster.FindMember(*name) != nullptr) {
    return WithHint(absl::AlreadyExistsError("there is a member of this name"),
                    "Choose another name.");
  }
  const keyring::RoleDefinition* role = roster.FindRole(member.role);
  if (role == nullptr) {
    return WithHint(absl::NotFoundError("the policy has no such role"),
                    "'sealbook policy show' lists the roles.");
  }
  for (const std::string& book : member.books) {
    if (roster.FindBook(book) == nullptr) {
      return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", book)),
                      "'sealbook book list' shows the books.");
    }
  }
  if (role->service != !key_file.empty()) {
    return role->service ? Usage("this role is for service accounts, which unlock with a key file",
                                 "Give --key-file-out F.")
                         : Usage("this role is for people, who unlock with a passphrase",
                                 "Leave --key-file-out out.");
  }
  if (role->service) {
    member.secret.kind = keyring::UnlockSecret::Kind::kKeyFile;
    member.secret.bytes = crypto::SecretBytes(crypto::kKeyBytes);
    crypto::FillRandom(member.secret.bytes.ExposeMutable());
    RETURN_IF_ERROR(WriteKeyFile(context, key_file, *name, member.secret.bytes));
  } else if (arguments.Has("request")) {
    ASSIGN_OR_RETURN(member.request, ReadRequest(context, arguments));
  } else {
    ASSIGN_OR_RETURN(member.secret.bytes,
                     ReadNewPassphrase(arguments.Value("new-passphrase-file"),
                                       absl::StrCat("First passphrase for ", *name, ": "),
                                       context.policy().passphrase_min_length()));
  }
  RETURN_IF_ERROR(keyring::AddMember(context.keyring(), member));
  if (member.request) {
    PrintAdmitted(context, member);
  } else if (context.globals().json) {
    PrintJson({{"name", *name}, {"role", member.role}, {"books", member.books}});
  } else if (role->service) {
    PrintLine(
        absl::StrCat(*name, " is a member (", member.role, "). Its key is in ", key_file, "."));
  } else {
    PrintLine(absl::StrCat(*name, " is a member (", member.role,
                           ") and must run 'sealbook member passwd' first."));
  }
  return absl::OkStatus();
}

// The kinds that count, and what needs somebody to look at it: "damaged".
std::vector<std::string> FactorsOf(const std::vector<policies::FactorItem>& factors,
                                   MemberId member) {
  std::vector<std::string> out;
  for (const policies::FactorItem& factor : factors) {
    if (factor.member != member) continue;
    if (factor.status == policies::FactorStatus::kActive) out.push_back(factor.kind);
    if (factor.status == policies::FactorStatus::kDamaged) out.emplace_back("damaged");
  }
  return out;
}

absl::Status RunMemberList(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const auto snapshot, context.keyring().Snapshot());
  const keyring::Roster& roster = context.keyring().roster();
  ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(context.keyring()));
  ASSIGN_OR_RETURN(const std::vector<policies::FactorItem> factors,
                   policies::ListFactors(context.keyring(), context.policy(), std::nullopt));
  Json members = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const keyring::Member& member : roster.members) {
    if (member.kind == keyring::MemberKind::kRecovery) continue;
    std::vector<std::string> books;
    for (const BookId book : roster.BooksOf(member.id))
      books.push_back(roster.FindBook(book)->name);
    const char* status = member.active ? "active" : "disabled";
    // Keys that were taken from them and under which rows still stand.
    const std::size_t left = keyring::UndrainedFrom(context.keyring().history(), member, undrained);
    const bool asks = keyring::FindRekeyRequest(context.keyring(), member).ok();
    members.push_back({{"name", member.name},
                       {"role", member.role},
                       {"books", books},
                       {"status", status},
                       {"factors", FactorsOf(factors, member.id)}});
    if (left > 0) members.back()["undrained"] = left;
    if (asks) members.back()["asks_for_new_keys"] = true;
    std::string shown = status;
    if (left > 0) absl::StrAppend(&shown, ", not drained");
    if (asks) absl::StrAppend(&shown, ", asks for new keys");
    rows.push_back({Printable(member.name), Printable(member.role), shown,
                    absl::StrJoin(FactorsOf(factors, member.id), ", "),
                    Printable(absl::StrJoin(books, ", "))});
  }
  if (context.globals().json) {
    PrintJson({{"members", std::move(members)}, {"undrained", undrained.size()}});
    return absl::OkStatus();
  }
  PrintTable({"NAME", "ROLE", "STATUS", "FACTORS", "BOOKS"}, rows);
  if (undrained.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string what, DescribeUndrained(context.keyring()));
  PrintNote(context.globals(), Printable(absl::StrCat("Not moved to the new keys yet: ", what,
                                                      ". 'sealbook key rotate --drain' does it.")));
  return absl::OkStatus();
}

absl::Status Passwd(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock(/*even_if_must_change=*/true));
  if (context.keyring().role().service) {
    return Usage("a service account has a key file and no passphrase",
                 "Add a new account to get a new key file.");
  }
  ASSIGN_OR_RETURN(const crypto::SecretBytes passphrase,
                   ReadNewPassphrase(arguments.Value("new-passphrase-file"),
                                     "New passphrase: ", context.policy().passphrase_min_length()));
  // The same again would leave it known to whoever chose it.
  const auto file = keyring::UnlockFile::Load(context.keyring().paths().unlock());
  RETURN_IF_ERROR(file.status());
  const auto same = file->Open(file->EntryId(context.keyring().self().name),
                               {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                .bytes = crypto::SecretBytes::CopyOf(passphrase.ExposeBytes())});
  if (same.ok()) return Usage("the new passphrase is the old one", "Choose another.");
  RETURN_IF_ERROR(
      keyring::ChangePassphrase(context.keyring(), passphrase, context.policy().cost()));
  if (context.globals().json)
    PrintJson({{"name", context.keyring().self().name}});
  else
    PrintLine("The passphrase is changed.");
  return absl::OkStatus();
}

}  // namespace

Command MemberAddCommand() {
  return {.name = "member add",
          .arguments =
              "NAME --role ROLE [--book BOOK]… "
              "[--new-passphrase-file F | --request F | --key-file-out F]",
          .summary = "a person, or a service account with a key file",
          .options = {{"role", Option::Kind::kValue, "ROLE",
                       "admin, supervisor, agent, importer, … as in the policy"},
                      {"book", Option::Kind::kList, "BOOK", "to look after; again for more"},
                      {"new-passphrase-file", Option::Kind::kValue, "F",
                       "the first passphrase, to be changed by its user"},
                      {"request", Option::Kind::kValue, "F",
                       "what the new member's 'member request' wrote, in its place"},
                      {"fingerprint", Option::Kind::kValue, "DIGITS",
                       "of the request, as the new member reads it out"},
                      {"key-file-out", Option::Kind::kValue, "F",
                       "where a service account's key is written"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Add};
}

Command MemberListCommand() {
  return {
      .name = "member list", .summary = "members, their roles and books", .run = &RunMemberList};
}

Command MemberPasswdCommand() {
  return {.name = "member passwd",
          .arguments = "[--new-passphrase-file F]",
          .summary = "changes your own passphrase",
          .options = {{"new-passphrase-file", Option::Kind::kValue, "F",
                       "read it from F and not from the terminal"}},
          .run = &Passwd};
}

}  // namespace sealbook::cli
