#include "anonymizer/chat_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/import_rights.h"
#include "policies/decision.h"
#include "vault/records/contact_reader.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// Of one name, as many tokens as an error names.
constexpr std::size_t kMaxTokens = 5;
using TokensByName = absl::flat_hash_map<std::string, std::vector<std::int64_t>>;

std::string People(std::size_t count) {
  return count == 1 ? "1 person" : absl::StrCat(count, " people");
}

// One look at every customer for all names at once. True where a customer's record did not count
// and was passed over.
absl::StatusOr<bool> FindByName(keyring::Keyring& keyring, const policies::Policy& policy,
                                TokensByName& wanted) {
  const policies::PermitIssuer permits(policy);
  ASSIGN_OR_RETURN(const ReadPermit permit,
                   permits.Search(keyring.bundle().member, keyring.self().role));
  const absl::Status searched = records::ContactReader(keyring).EachClass(
      permit, std::nullopt, policy.ClassOfField("name").id,
      [&](ContactNumber, std::int64_t token,
          const records::Fields& fields) -> absl::StatusOr<bool> {
        for (const records::Field& field : fields) {
          if (policies::BaseField(field.name) != "name") continue;
          const auto at = wanted.find(CleanText(field.value));
          if (at == wanted.end() || at->second.size() > kMaxTokens) continue;
          if (at->second.empty() || at->second.back() != token) at->second.push_back(token);
        }
        return true;
      });
  if (absl::IsDataLoss(searched)) return true;
  RETURN_IF_ERROR(searched);
  return false;
}

absl::Status Ambiguous(const std::vector<std::int64_t>& tokens, bool is_group) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(tokens.size(), kMaxTokens); ++i)
    shown.push_back(records::FormatToken(tokens[i]));
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat(
          "has an author whose name several customers have: ", absl::StrJoin(shown, ", "),
          tokens.size() > kMaxTokens ? ", …" : "")),
      is_group ? "Give them names that differ, as they do in the group; 'sealbook set' changes one."
               : "Say with --contact UID whose chat it is.");
}

}  // namespace

absl::StatusOr<ChatNames> FindChatNames(keyring::Keyring& keyring, const policies::Policy& policy,
                                        const ChatRoles& roles, const std::string& contact,
                                        const std::string& region) {
  ChatNames out;
  std::vector<std::string> authors = roles.customers;
  if (authors.empty()) authors.push_back(roles.silent_customer);
  if (!contact.empty()) {
    const auto token = records::ParseToken(contact);
    if (!token.ok()) {
      return WithHint(absl::FailedPreconditionError("--contact is no token, or a mistyped one"),
                      "A token looks like UID_2837470195.");
    }
    RETURN_IF_ERROR(records::ContactReader(keyring).FindToken(*token).status());
    out.people[authors[0]] = {.token = contact};
    return out;
  }
  ASSIGN_OR_RETURN(const auto index, records::IdentifierIndex::Open(keyring));
  const bool reads_names = Has(ReadableClasses(keyring, policy), policy.ClassOfField("name").id);
  TokensByName unknown;
  std::size_t known = 0;
  {
    ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
    for (const std::string& author : authors) {
      ChatPerson& person = out.people[author];
      if (const std::string phone = PhoneOfAuthor(author, region); !phone.empty()) {
        person.identifiers = {{IdentifierKind::kPhone, phone}};
        continue;
      }
      person.name = CleanText(author);
      if (person.name.empty()) continue;  // nobody: each of the messages is told
      person.identifiers = {IdentifierOfChatName(person.name)};
      const auto& row = person.identifiers.front();
      ASSIGN_OR_RETURN(const auto found, index.Find(index.HashesOf(row.kind, row.value)));
      if (found)
        ++known;
      else
        unknown.try_emplace(person.name);
    }
  }
  if (known > 0) {
    out.remarks.push_back(absl::StrCat(People(known), " of the chat ", known == 1 ? "was" : "were",
                                       " found by name among those of chats imported before."));
  }
  if (unknown.empty()) return out;
  std::size_t found_by_name = 0;
  if (reads_names) {
    ASSIGN_OR_RETURN(const bool damaged, FindByName(keyring, policy, unknown));
    if (damaged) {
      out.remarks.push_back(
          "Names were not compared with customers whose record in the vault does not count; "
          "'sealbook doctor' lists them.");
    }
    for (auto& [author, person] : out.people) {
      const auto at = unknown.find(person.name);
      if (person.name.empty() || at == unknown.end() || at->second.empty()) continue;
      if (at->second.size() > 1) return Ambiguous(at->second, roles.is_group);
      person = {.token = records::FormatToken(at->second.front())};
      ++found_by_name;
    }
  }
  if (found_by_name > 0) {
    out.remarks.push_back(absl::StrCat(People(found_by_name), " of the chat ",
                                       found_by_name == 1 ? "is the customer" : "are the customers",
                                       " of the vault with exactly that name."));
  }
  if (const std::size_t fresh = unknown.size() - found_by_name; fresh > 0) {
    out.remarks.push_back(absl::StrCat(
        People(fresh), " of the chat, known by name alone, ",
        fresh == 1 ? "is a new customer" : "are new customers",
        reads_names ? "."
                    : ": this account may not read, and so did not compare names with customers of "
                      "the vault."));
  }
  return out;
}

}  // namespace sealbook::anonymizer
